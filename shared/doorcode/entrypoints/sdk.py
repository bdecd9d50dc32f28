"""boto3, as the functions behind the edge use it. The edge has a client of its own and never imports this."""

from __future__ import annotations

from botocore.exceptions import ConnectionError as BotoConnectionError
from botocore.exceptions import HTTPClientError

# What botocore raises when no answer came. Its two families do not share a parent that says so.
TRANSPORT_ERRORS = (HTTPClientError, BotoConnectionError, OSError)

"""boto3, as the functions behind the edge use it. The edge has a client of its own and never imports this."""

from __future__ import annotations

from botocore.config import Config
from botocore.exceptions import ConnectionError as BotoConnectionError
from botocore.exceptions import HTTPClientError

# What botocore raises when no answer came. Its two families do not share a parent that says so.
TRANSPORT_ERRORS = (HTTPClientError, BotoConnectionError, OSError)

# Where somebody waits for the answer: one try each, which is made again by our own code, inside a deadline.
ONE_TRY = Config(connect_timeout=2, read_timeout=2, retries={"total_max_attempts": 1})
# Where nobody does, and queue or stream bring back what fails: more tries would only hide how long it takes.
TWO_TRIES = Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 2, "mode": "standard"})

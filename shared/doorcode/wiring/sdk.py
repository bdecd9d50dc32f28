"""boto3, as the functions behind the edge use it, and the one place that builds its clients.

The edge has a client of its own and never imports this.
"""

from __future__ import annotations

from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ConnectionError as BotoConnectionError
from botocore.exceptions import HTTPClientError

# What botocore raises when no answer came. Its two families do not share a parent that says so.
TRANSPORT_ERRORS = (HTTPClientError, BotoConnectionError, OSError)

# Where somebody waits for the answer: one try each, which is made again by our own code, inside a deadline.
ONE_TRY = Config(connect_timeout=2, read_timeout=2, retries={"total_max_attempts": 1})
# Where nobody does, and queue or stream bring back what fails: more tries would only hide how long it takes.
TWO_TRIES = Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 2, "mode": "standard"})
# A model takes its time, and the queue brings back what fails.
MODEL = Config(connect_timeout=2, read_timeout=60, retries={"total_max_attempts": 1})
# CloudFormation waits, and a role that is new may be refused at first.
PROVISION = Config(connect_timeout=3, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 2})


def client(service: str, config: Config) -> Any:
    """Return a client of one of AWS's services, where and as whom Lambda's environment says."""
    return boto3.client(service, config=config)

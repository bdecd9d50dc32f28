"""Clients of the emulator, whatever AWS settings this machine has."""

from __future__ import annotations

import os
import threading
from typing import Any

import boto3
import botocore.session
from botocore.config import Config

from doorcode_sandbox.deployment import REGION
from doorcode_sandbox.emulator_guard import Keys

# Settings and proxies of this machine are for the cloud.
CONFIG = Config(connect_timeout=5, read_timeout=60, retries={"total_max_attempts": 2}, proxies={})
NOT_OURS = {"profile": (None, None, None, None), "config_file": (None, None, os.devnull, None)}


class Clients:
    """One low-level client for each service, made when it is first asked for. They are safe to share."""

    def __init__(self, url: str, keys: Keys) -> None:
        """Reach the emulator there, with the keys of its run."""
        self._url = url
        self._keys = keys
        self._made: dict[str, Any] = {}
        self._making = threading.Lock()
        self._session = boto3.Session(botocore_session=botocore.session.Session(session_vars=NOT_OURS))

    def __call__(self, service: str) -> Any:
        """Return the client of that service, with an administrator's rights."""
        with self._making:
            if service not in self._made:
                self._made[service] = self._session.client(
                    service,
                    endpoint_url=self._url,
                    region_name=REGION,
                    aws_access_key_id=self._keys.key,
                    aws_secret_access_key=self._keys.secret,
                    config=CONFIG,
                )
            return self._made[service]

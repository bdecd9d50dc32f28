"""The key with which Discord proves, here, that what it sends is its own.

https://docs.discord.com/developers/interactions/overview#setting-up-an-endpoint-validating-security-request-headers
"""

from __future__ import annotations

import contextlib
import http.client
import time
from urllib.parse import urlsplit

from nacl.signing import SigningKey

PING = b'{"type":1}'
UNAUTHORIZED = 401


class ApplicationKey:
    """An application's Ed25519 key."""

    def __init__(self, seed: bytes) -> None:
        """Make it of 32 bytes."""
        self._key = SigningKey(seed)

    @property
    def public(self) -> str:
        """The public half, as Discord shows it: in hexadecimal."""
        return self._key.verify_key.encode().hex()

    def sign(self, body: bytes, now: int) -> dict[str, str]:
        """Return the headers that prove these bytes at ``now``, in seconds since 1970."""
        return _signed(self._key, body, now)

    def endpoint_checks(self, url: str) -> bool:
        """Try an interactions endpoint as Discord does: rightly signed, and wrongly."""
        return _ping(url, self._key) == http.client.OK and _ping(url, SigningKey.generate()) == UNAUTHORIZED


def _signed(key: SigningKey, body: bytes, now: int) -> dict[str, str]:
    stamp = str(now)
    signature = key.sign(stamp.encode() + body).signature.hex()
    return {"X-Signature-Timestamp": stamp, "X-Signature-Ed25519": signature}


def _ping(url: str, key: SigningKey) -> int:
    address = urlsplit(url)
    headers = {"Content-Type": "application/json", **_signed(key, PING, int(time.time()))}
    connection = http.client.HTTPConnection(address.netloc, timeout=10)
    with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException):
        connection.request("POST", address.path, PING, headers)
        return connection.getresponse().status
    return 0

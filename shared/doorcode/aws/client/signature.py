"""AWS Signature Version 4 of a POST to ``/``, which is all that the JSON protocols use.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

from msgspec import Struct

ALGORITHM = "AWS4-HMAC-SHA256"
# How many characters of a moment, such as 20260422T114522Z, are its day.
DAY = 8


class Credentials(Struct, frozen=True):
    """Who signs. The session token is empty for credentials that do not expire."""

    access_key: str
    secret_key: str
    session_token: str = ""

    def __repr__(self) -> str:
        """Show the name of the key only, wherever this may be printed."""
        return f"Credentials({self.access_key!r})"


class Signer:
    """Signs for one service in one region."""

    def __init__(self, credentials: Credentials, region: str, service: str) -> None:
        """Sign with ``credentials``; the key of a day is made once."""
        self._credentials = credentials
        self._region = region
        self._service = service
        self._day = ""
        self._key = b""

    def authorization(self, headers: Mapping[str, str], body: bytes, moment: str) -> str:
        """Return the Authorization header for a request with these headers (names in lower case), all of them signed.

        ``moment`` is that of ``x-amz-date``.
        """
        names = sorted(headers)
        signed = ";".join(names)
        canonical = "\n".join((
            "POST",
            "/",
            "",
            *(f"{name}:{' '.join(headers[name].split())}" for name in names),
            "",
            signed,
            hashlib.sha256(body).hexdigest(),
        ))  # fmt: skip
        scope = f"{moment[:DAY]}/{self._region}/{self._service}/aws4_request"
        text = f"{ALGORITHM}\n{moment}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        signature = _hmac(self._key_of(moment[:DAY]), text).hex()
        return f"{ALGORITHM} Credential={self._credentials.access_key}/{scope}, SignedHeaders={signed}, Signature={signature}"

    def _key_of(self, day: str) -> bytes:
        if day != self._day:
            key = f"AWS4{self._credentials.secret_key}".encode()
            for part in (day, self._region, self._service, "aws4_request"):
                key = _hmac(key, part)
            self._day, self._key = day, key
        return self._key


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")

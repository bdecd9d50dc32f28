"""AWS Signature Version 4 of a POST to ``/``, which is all that the JSON protocols use.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

from msgspec import Struct

ALGORITHM = "AWS4-HMAC-SHA256"
DATE = "x-amz-date"
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
        self._scope = ""
        self._key = b""

    def form(self, headers: Mapping[str, str]) -> RequestForm:
        """Prepare to sign requests with these headers (names in lower case) and ``x-amz-date``, all of them signed."""
        return RequestForm(self, headers)

    def credential(self, moment: str) -> tuple[str, str, bytes]:
        """Return who signs at a moment, for what, and with which key."""
        if moment[:DAY] != self._day:
            self._day = moment[:DAY]
            self._scope = f"{self._day}/{self._region}/{self._service}/aws4_request"
            self._key = f"AWS4{self._credentials.secret_key}".encode()
            for part in self._scope.split("/"):
                self._key = _hmac(self._key, part)
        return self._credentials.access_key, self._scope, self._key


class RequestForm:
    """What is the same in the signatures of all requests that have the same headers but for their date."""

    def __init__(self, signer: Signer, headers: Mapping[str, str]) -> None:
        """Put together all that stands before and after the moment, and before the body's digest."""
        self._signer = signer
        names = sorted({*headers, DATE})
        self._signed = ";".join(names)
        before = [f"{name}:{' '.join(headers[name].split())}\n" for name in names if name < DATE]
        after = [f"{name}:{' '.join(headers[name].split())}\n" for name in names if name > DATE]
        self._before = "".join(("POST\n/\n\n", *before, f"{DATE}:"))
        self._after = "".join(("\n", *after, "\n", self._signed, "\n"))

    def authorization(self, body: bytes, moment: str) -> str:
        """Return the Authorization header of a request with that body whose ``x-amz-date`` is ``moment``."""
        canonical = f"{self._before}{moment}{self._after}{hashlib.sha256(body).hexdigest()}"
        access_key, scope, key = self._signer.credential(moment)
        text = f"{ALGORITHM}\n{moment}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        signature = _hmac(key, text).hex()
        return f"{ALGORITHM} Credential={access_key}/{scope}, SignedHeaders={self._signed}, Signature={signature}"


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")

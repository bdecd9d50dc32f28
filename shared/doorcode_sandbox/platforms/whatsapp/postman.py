"""What WhatsApp's servers send to an app by themselves: signed webhooks, one after another, and the handshake before them.

https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/create-webhook-endpoint
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import http.client
import json
import queue
import re
import secrets
import threading
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

SIGNATURE = "X-Hub-Signature-256"
HEADERS = {"Content-Type": "application/json", "User-Agent": "facebookexternalua"}
PATIENCE_SECONDS = 30
# Further tries of what was not taken; the servers themselves go on for seven days.
TRIES = 3
WAIT_SECONDS = 0.5
OK = 200
# Signs that they write as escapes although JSON need not: those who sign what they parsed and wrote again fail on them.
ESCAPES = {"/": r"\/", "@": r"\u0040", "<": r"\u003c"}
ESCAPED = re.compile("[/@<]")


def written(value: Any) -> bytes:
    """Write JSON as the servers do: ASCII alone."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    return ESCAPED.sub(lambda sign: ESCAPES[sign.group()], text).encode()


def signature(body: bytes, secret: bytes) -> str:
    """Return the header that proves these bytes."""
    return f"sha256={hmac.digest(secret, body, hashlib.sha256).hex()}"


def shakes_hands(url: str, verify_token: str) -> str:
    """Have an address prove that it is the app's, and return why it did not; empty where it did."""
    challenge = str(secrets.randbelow(9 * 10**8) + 10**8)
    asked = {"hub.mode": "subscribe", "hub.challenge": challenge, "hub.verify_token": verify_token}
    try:
        status, answer = _asked(url, "GET", f"?{urlencode(asked)}", None, {})
    except (OSError, http.client.HTTPException) as error:
        return f"the URL does not answer ({type(error).__name__})"
    if status != OK:
        return f"HTTP Status Code = {status}"
    return "" if answer == challenge.encode() else "the challenge was not returned"


def _asked(
    url: str, verb: str, query: str, body: bytes | None, headers: Mapping[str, str]
) -> tuple[int, bytes]:  # fmt: skip
    address = urlsplit(url)
    # Whoever registers an address of the internet is told that it does not answer: nothing leaves this machine.
    if address.hostname != "127.0.0.1":
        raise ConnectionRefusedError
    connection = http.client.HTTPConnection(address.netloc, timeout=PATIENCE_SECONDS)
    with contextlib.closing(connection):
        connection.request(verb, f"{address.path or '/'}{query}", body, dict(headers))
        answer = connection.getresponse()
        return answer.status, answer.read()


class Postman:
    """Carries webhooks to one address, in the background. ``results`` is what was answered, in order."""

    def __init__(self) -> None:
        """Carry nothing before ``goes_to`` says where."""
        self.url, self.secret = "", b""
        self.results: list[int] = []
        self._waiting: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def goes_to(self, url: str, secret: bytes) -> None:
        """Have what comes from now on go there, signed with that secret."""
        self.url, self.secret = url, secret

    def post(self, value: Any) -> None:
        """Have a webhook sent. Never waits."""
        if self.url and self._thread:
            self._waiting.put(written(value))

    def start(self) -> None:
        """Begin to walk."""
        self._stopping.clear()
        self._thread = threading.Thread(target=self._walk, name="whatsapp webhooks", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Go home; what was not carried yet is dropped."""
        if self._thread:
            self._stopping.set()
            self._waiting.put(None)
            self._thread.join()
            self._thread = None

    def _walk(self) -> None:
        while (body := self._waiting.get()) is not None and not self._stopping.is_set():
            self.results.append(self._carried(body))
            del self.results[:-100]

    def _carried(self, body: bytes) -> int:
        status = 0
        for _ in range(TRIES):
            with contextlib.suppress(OSError, http.client.HTTPException):
                status, _answer = _asked(
                    self.url, "POST", "", body, {**HEADERS, SIGNATURE: signature(body, self.secret)}
                )
            if status == OK or self._stopping.wait(WAIT_SECONDS):
                break
        return status

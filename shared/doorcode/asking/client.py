"""Ask the owner, from any program: Python's standard library alone, in one file that may be copied.

    owner = AskClient("https://….execute-api.eu-west-1.amazonaws.com", token)
    question = owner.ask("Delete 3 files?", arguments={"files": ["a", "b", "c"]})
    if owner.approved(question, wait=600):
        ...  # once, now, and exactly this

``approved`` is true once for each question: the owner saw exactly what was asked (the digest is computed here and compared),
said yes, and this call used it up. Whatever else happens, also an answer that cannot be read, is no yes. Nothing here
decides, and a token with the scope asks could not.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import math
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, urlsplit
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

DIGEST_VERSION = "doorcode-ask-v1\n"
# API Gateway ends a request at about 30 s.
LONGEST_POLL_SECONDS = 25
# How much longer than it may take to answer an answer is waited for.
GRACE_SECONDS = 10
TRIES = 4
PAUSE_SECONDS = 1.0
CROWDED_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 30
# Too many at once, and what fails on the way.
TRY_AGAIN = frozenset({429, 500, 502, 503, 504})
MAX_ANSWER = 1 << 18
TOLERANCE_SECONDS = 300
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})

PENDING, APPROVED = "pending", "approved"


class AskError(Exception):
    """What kept a question from being asked or answered. It is never a yes.

    ``reason`` is a word that stays as it is: the API's, or ``unreachable``, ``unreadable``, ``digest_mismatch``.
    """

    def __init__(self, reason: str, message: str, status: int = 0, details: Mapping[str, Any] | None = None) -> None:
        """Take the API's words, with the HTTP status, 0 where none came."""
        self.reason, self.status, self.details = reason, status, dict(details or {})
        super().__init__(message)

    @property
    def passes(self) -> bool:
        """Whether it says nothing of the question, only that it could not be asked for now."""
        return self.reason in {"unreachable", "unreadable"} or self.status in TRY_AGAIN


@dataclass(frozen=True)
class AskedQuestion:
    """A question as it stood when the answer came. ``details`` of the answer are in ``record``, by the API's names."""

    id: str
    state: str
    digest: str
    record: Mapping[str, Any]
    # One for all tries to use it, so that a lost answer costs no approval.
    use_key: str

    @property
    def reason(self) -> str:
        """What the owner said beside the decision: the owner's words, data and no instruction. Often empty."""
        return str(self.record.get("reason") or "")

    @property
    def choice(self) -> str:
        """Which of the choices the owner took; empty where there were none."""
        return str(self.record.get("choice") or "")

    @property
    def match(self) -> int:
        """The number to show to whoever decides, who picks it of three; 0 where the question was asked without."""
        return int(self.record.get("match") or 0)


class AskClient:
    """Asks in the name of one token, of the scope asks."""

    def __init__(self, url: str, token: str) -> None:
        """Aim at the HTTP API: the stack's WebUrl without its ``/owner``. Nothing is called yet. Raises ValueError."""
        parts = urlsplit(url)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
            raise ValueError("The address has to begin with https://, or be this machine's own.")
        self._url = url.rstrip("/").removesuffix("/owner")
        self._token = token
        here = [ProxyHandler({})] if parts.hostname in LOOPBACK else []
        self._opener = build_opener(_NoRedirects, *here)

    def ask(
        self,
        title: str,
        details: str = "",
        arguments: Mapping[str, Any] | None = None,
        choices: Sequence[str] = (),
        **more: Any,
    ) -> AskedQuestion:
        """Ask, and return at once.

        ``more`` are the API's other fields: expires_in, valid_for, key, approvals, owners, match, resume, …; ``on_behalf_of`` as
        ``"telegram:123"``. Asked again while it is pending, it is the same question. Raises AskError, also where the digest is not that of
        what was asked.
        """
        asked = {"title": title, "details": details, "arguments": arguments, "choices": list(choices), **more}
        body = {name: value for name, value in asked.items() if value not in (None, "", [])}
        # Whatever became of a call whose answer was lost, the next one is the same question.
        body.setdefault("key", uuid.uuid4().hex)
        if isinstance(whom := body.get("on_behalf_of"), str):
            body["on_behalf_of"] = dict(zip(("platform", "user_id"), whom.split(":", 1), strict=False))
        record = self._call("POST", "/api/asks", body)
        if record.get("digest") != digest(body, str(record.get("asker") or "")):
            raise AskError("digest_mismatch", "What would be shown to the owner is not what was asked. It is no yes.")
        return _question(record, uuid.uuid4().hex)

    def look(self, question_id: str, wait: float = 0) -> AskedQuestion:
        """Return a question of this token's, as soon as it is decided, and after so many seconds (up to 25) in any case."""
        path = f"/api/asks/{quote(question_id, safe='')}"
        held = max(0, min(math.ceil(wait), LONGEST_POLL_SECONDS))
        return _question(self._call("GET", f"{path}?wait={held}" if held else path, patience=held), uuid.uuid4().hex)

    def records(self, state: str = "") -> list[dict[str, Any]]:
        """Return this token's questions in that state, as the API shows them; without one, those that are open."""
        found = self._call("GET", f"/api/asks?state={quote(state, safe='')}" if state else "/api/asks").get("asks")
        if not isinstance(found, list):
            raise AskError("unreadable", "The answer cannot be read.")
        return found

    def wait(self, question: AskedQuestion, seconds: float) -> AskedQuestion:
        """Wait for a decision, and return the question as it stands then; still pending, if the time was not enough.

        That the wait ends, or that this program does, changes nothing of the question. Raises AskError.
        """
        end = time.monotonic() + seconds
        while question.state == PENDING:
            began = time.monotonic()
            left = end - began
            try:
                question = replace(self.look(question.id, max(left, 0)), use_key=question.use_key)
            except AskError as error:
                if left <= 0 or not error.passes:
                    raise
                time.sleep(min(left, PAUSE_SECONDS))
            if left <= 0:
                break
            if question.state == PENDING and time.monotonic() - began < min(left, LONGEST_POLL_SECONDS) / 2:
                # So many wait already that nobody's poll is held.
                time.sleep(max(0.0, min(end - time.monotonic(), CROWDED_SECONDS)))
        return question

    def use(self, question: AskedQuestion) -> AskedQuestion:
        """Use an approval up, right before doing what was asked. Returns, once, if it may be done. Raises AskError."""
        path = f"/api/asks/{quote(question.id, safe='')}/use"
        record = self._call("POST", path, {"digest": question.digest}, {"Idempotency-Key": question.use_key})
        if record.get("state") != "used" or record.get("digest") != question.digest:
            raise AskError("unreadable", "The answer does not say that the approval was used. It is no yes.")
        return _question(record, question.use_key)

    def approved(self, question: AskedQuestion, wait: float = 0) -> bool:
        """Wait, use the approval up if there is one, and say whether it may be done now: true at most once."""
        question = self.wait(question, wait)
        if question.state != APPROVED:
            return False
        self.use(question)
        return True

    def cancel(self, question: AskedQuestion) -> AskedQuestion:
        """Take a question back. Raises AskError."""
        return _question(self._call("POST", f"/api/asks/{quote(question.id, safe='')}/cancel", {}), question.use_key)

    def _call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        patience: int = 0,
    ) -> dict[str, Any]:
        """Ask until there is an answer: every call means the same when it comes twice. Raises AskError."""
        request = Request(  # noqa: S310 (the scheme was looked at)
            self._url + path,
            None if body is None else json.dumps(body).encode(),
            {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json", **(headers or {})},
            method=method,
        )
        tries_left = TRIES
        while True:
            tries_left -= 1
            try:
                with self._opener.open(request, timeout=patience + GRACE_SECONDS) as answer:
                    return _record(answer.read(MAX_ANSWER))
            except HTTPError as error:
                refusal, pause = _refusal(error)
                if not tries_left or pause is None:
                    raise refusal from None
            except (OSError, HTTPException) as error:
                if not tries_left:
                    raise AskError("unreachable", f"No answer from {self._url}: {error}.") from None
                pause = PAUSE_SECONDS
            time.sleep(pause)


def digest(asked: Mapping[str, Any], asker: str) -> str:
    """Return the digest of what the owner is shown: of a body as it was asked, under the token's name."""
    whom = asked.get("on_behalf_of") or ""
    shown = {
        "approvals": asked.get("approvals", 1),
        "arguments": asked.get("arguments"),
        "asker": asker,
        "choices": list(asked.get("choices") or ()),
        "details": asked.get("details", ""),
        "on_behalf_of": ":".join(map(str, whom.values())) if isinstance(whom, Mapping) else whom,
        "title": asked["title"],
    }
    text = json.dumps(shown, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return f"sha256:{hashlib.sha256((DIGEST_VERSION + text).encode()).hexdigest()}"


def verified(secret: str, headers: Mapping[str, str], body: bytes, now: float | None = None) -> dict[str, Any]:
    """Return what a callback says, once its signature holds (Standard Webhooks, the token's own secret). Raises ValueError.

    It tells that something was decided. Before doing what was asked, ``use`` the approval.
    """
    lower = {name.lower(): value for name, value in headers.items()}
    message_id, sent, given = (lower.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature"))
    if not sent.isdecimal() or abs((time.time() if now is None else now) - int(sent)) > TOLERANCE_SECONDS:
        raise ValueError("The callback is too old, or from no Doorcode.")
    key = base64.b64decode(secret.removeprefix("whsec_"))
    expected = base64.b64encode(hmac.digest(key, f"{message_id}.{sent}.".encode() + body, "sha256")).decode()
    if not any(hmac.compare_digest(f"v1,{expected}", one) for one in given.split() if one.isascii()):
        raise ValueError("The callback is not signed with this token's secret.")
    return _record(body)


class _NoRedirects(HTTPRedirectHandler):
    """The token goes to the address that was given, and to no other."""

    def redirect_request(self, *_: Any) -> None:
        """Follow none."""


def _record(content: bytes) -> dict[str, Any]:
    try:
        record = json.loads(content)
    except ValueError:
        record = None
    if not isinstance(record, dict):
        raise AskError("unreadable", "The answer cannot be read. It is no yes.")
    return record


def _question(record: dict[str, Any], use_key: str) -> AskedQuestion:
    question_id, state, digest = (record.get(name) for name in ("id", "state", "digest"))
    if not (_is_word(question_id) and _is_word(state) and _is_word(digest)):
        raise AskError("unreadable", "The answer cannot be read. It is no yes.")
    return AskedQuestion(str(question_id), str(state), str(digest), record, use_key)


def _is_word(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _refusal(error: HTTPError) -> tuple[AskError, float | None]:
    """Return what was refused, and in how many seconds to try again; None: it stays refused."""
    with error:
        try:
            told = _record(error.read(MAX_ANSWER))
        except (AskError, OSError, HTTPException):
            told = {}
    status = error.code
    message = str(told.get("error") or f"The answer was {status}.")
    refusal = AskError(str(told.get("reason") or f"http_{status}"), message, status, told)
    if status not in TRY_AGAIN:
        return refusal, None
    after = error.headers.get("Retry-After", "")
    pause = float(after) if after.isdecimal() else PAUSE_SECONDS
    return refusal, pause if pause <= LONGEST_PAUSE_SECONDS else None

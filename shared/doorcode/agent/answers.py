"""What an agent of somebody else's answered: its texts, or why there are none. Nothing of it gets into an error's words.

200 with ``{"text": "…"}``, with ``{"texts": […]}`` or as ``text/plain``; 204, or nothing at all: no answer; 202: it comes later.
408, 425, 429 and 5xx: ask again, after ``Retry-After`` where it is said. Whatever else is a refusal, and so is an answer that
cannot be read: the agent has done its work, and would do it again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC
from email.message import Message
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType

from doorcode.agent.responder import AgentRefusedError, AgentUnavailableError

MAX_ANSWER_BYTES = 1024 * 1024
# Then the person is told that no answer will come.
LONGEST_RETRY_SECONDS = 900
# Whatever 5xx says besides: "not now".
AGAIN = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})
EXPECTED = (
    'Answer {"text": "…"} or {"texts": ["…"]} as application/json, or text/plain; 204 for no answer, 202 for later.'
)


class UnusableAnswerError(AgentRefusedError):
    """The agent answered, and it is no answer. Asked again, it would do again what it has done."""

    reason = "unusable_answer"

    def __init__(self, what: str, expected: str = EXPECTED) -> None:
        """Say what came, in words that stand behind "The agent answered", and what is expected."""
        super().__init__(f"The agent answered {what}. {expected}")


class _Form(Struct, frozen=True):
    text: str | UnsetType | None = UNSET
    texts: tuple[str, ...] | UnsetType = UNSET


def read_answer(status: int, headers: Mapping[str, str], body: bytes, now: int) -> Sequence[str]:
    """Return the texts of an HTTP answer. Raises AgentUnavailableError, AgentRefusedError.

    ``headers`` take names in lower case; ``now`` is in seconds since 1970.
    """
    check_status(status, headers, now)
    if status in {HTTPStatus.ACCEPTED, HTTPStatus.NO_CONTENT} or not body.strip():
        return ()
    check_size(body)
    kind, charset = content_type(headers)
    if kind == "text/plain":
        return _said([_decoded(body, charset)])
    if kind != "application/json" and not kind.endswith("+json"):
        raise UnusableAnswerError(f"with {_shown(kind)}" if kind else "without a Content-Type")
    return read_json(body)


def read_json(body: bytes) -> Sequence[str]:
    """Return the texts of an answer in JSON. Raises UnusableAnswerError."""
    check_size(body)
    return texts_of(decoded_json(body))


def texts_of(value: Any) -> Sequence[str]:
    """Return the texts of what JSON held: a text, the documented object, or null for none. Raises UnusableAnswerError."""
    if value is None:
        return ()
    if isinstance(value, str):
        return _said([value])
    if not isinstance(value, dict):
        raise UnusableAnswerError("JSON that is no object")
    try:
        form = msgspec.convert(value, _Form)
    except msgspec.ValidationError as error:
        # It names the place and the types, and nothing that stands there.
        raise UnusableAnswerError(f"JSON of another form ({error})") from None
    if form.text is UNSET and form.texts is UNSET:
        raise UnusableAnswerError('JSON with neither "text" nor "texts"')
    first = [form.text] if isinstance(form.text, str) else []
    return _said([*first, *(form.texts or ())])


def check_status(status: int, headers: Mapping[str, str], now: int, detail: str = "") -> None:
    """Raise AgentUnavailableError or AgentRefusedError unless the status says that it went well.

    ``detail`` is what else is known of why, in words that may be logged.
    """
    words = f"The agent answered {status}{_phrase(status)}{f': {detail}' if detail else ''}."
    if status in AGAIN or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise AgentUnavailableError(words, retry_after(headers, now))
    if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        moved = HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST
        raise AgentRefusedError(f"{words} Redirects are not followed: set its own address." if moved else words)


def check_size(body: bytes) -> None:
    """Raise UnusableAnswerError if an answer is longer than is read."""
    if len(body) > MAX_ANSWER_BYTES:
        raise UnusableAnswerError(f"more than {MAX_ANSWER_BYTES // 1024} KiB", "Answer less.")


def content_type(headers: Mapping[str, str]) -> tuple[str, str]:
    """Return media type and charset, in lower case; empty where not said."""
    parsed = Message()
    if "content-type" not in headers:
        return "", ""
    parsed["Content-Type"] = headers["content-type"]
    return parsed.get_content_type(), parsed.get_content_charset("")


def decoded_json(body: bytes) -> Any:
    """Return what JSON holds. Raises UnusableAnswerError."""
    try:
        return msgspec.json.decode(body.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise UnusableAnswerError("JSON that cannot be read") from None


def retry_after(headers: Mapping[str, str], now: int) -> int:
    """Return for how many seconds to wait, at most ``LONGEST_RETRY_SECONDS``; 0 where nothing usable is said."""
    said = headers.get("retry-after", "").strip()
    if said.isascii() and said.isdigit():
        return min(int(said[:9]), LONGEST_RETRY_SECONDS)
    try:
        until = parsedate_to_datetime(said)
    except ValueError:
        return 0
    seconds = int(until.replace(tzinfo=until.tzinfo or UTC).timestamp()) - now
    return min(max(seconds, 0), LONGEST_RETRY_SECONDS)


def _said(texts: Sequence[str]) -> Sequence[str]:
    return tuple(text for text in texts if text.strip())


def _decoded(body: bytes, charset: str) -> str:
    try:
        return body.decode(charset or "utf-8")
    except (UnicodeDecodeError, LookupError):
        raise UnusableAnswerError(f"text that is not {_shown(charset or 'utf-8')}") from None


def _phrase(status: int) -> str:
    try:
        return f" {HTTPStatus(status).phrase}"
    except ValueError:
        return ""


def _shown(word: str) -> str:
    """Return a word of a header as a log line may hold it."""
    return "".join(character for character in word[:60] if character.isascii() and character.isprintable())

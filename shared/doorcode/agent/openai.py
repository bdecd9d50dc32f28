"""Asks whatever speaks OpenAI's chat completions: a model, or an agent of somebody else's behind the same address.

https://platform.openai.com/docs/api-reference/chat/create

The whole conversation is sent each time, so that a server which keeps nothing has all of it. ``user`` is the
conversation's opaque name, by which those that keep something (an OpenClaw gateway) tell conversations apart; a server
that takes no such field is asked again without it. Nothing of a server's error is told to anybody: its code or type,
which are words of its documentation, get into the log, and its sentences, which may repeat what was said, do not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import msgspec

from doorcode.agent.answers import UnusableAnswerError, check_size, check_status, content_type, decoded_json
from doorcode.agent.http import Posted, post
from doorcode.agent.responder import (
    TOO_LONG,
    AgentUnavailableError,
    Responder,
    TooLongError,
    reading_text,
)
from doorcode.pairing.hand_off import HandOff, Turn
from doorcode.pairing.texts import NOTHING_SAID

PATH = "/chat/completions"
EXPECTED = "It has to answer as OpenAI's chat completions do: choices[0].message.content."
# Errors that are about length, by their code or type: OpenAI's, and llama.cpp's.
TOO_LONG_CODES = frozenset({"context_length_exceeded", "exceed_context_size_error", "string_above_max_length"})
# What other servers say of it, beside what is said on Bedrock.
TOO_LONG_HERE = re.compile(
    rf"{TOO_LONG.pattern}|available context size|maximum model length|greater than the context length"
    r"|context length of only|context overflows|input token count|request too large|`max_new_tokens` must be",
    re.IGNORECASE,
)
# What a model thought before it answered is not said. Some templates open it themselves, so that only its end is there.
TAG = r"(?:think|thinking|thought|reasoning)"
THOUGHTS = re.compile(rf"<({TAG})>.*?</\1>", re.DOTALL | re.IGNORECASE)
BEGUN_BEFORE = re.compile(rf"\A(?:(?!<{TAG}>).)*?</{TAG}>", re.DOTALL | re.IGNORECASE)
UNENDED = re.compile(rf"\A\s*<{TAG}>.*\Z", re.DOTALL | re.IGNORECASE)
# A code of an error, as it may stand in a log; whatever else one is does not.
CODE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,59}")
# What is said of a field that is not taken.
NOT_TAKEN = re.compile(
    r"extra|unknown|unrecognized|unexpected|unsupported|not (?:permitted|allowed|supported)", re.IGNORECASE
)
NAMED_USER = re.compile(r"""["'`]user["'`]""")
DONE = "[DONE]"


def completing_at(
    url: str,
    model: str,
    *,
    key: Callable[[], str],
    instructions: Callable[[], str],
    clock: Callable[[], int],
) -> Responder:
    """Return a responder that asks that model there; ``key`` may be empty, and so may ``instructions``."""
    address = endpoint(url)
    takes_user = True

    def ask(request: Mapping[str, Any]) -> Posted:
        authorized = {"Authorization": f"Bearer {secret}"} if (secret := key()) else {}
        headers = {"Content-Type": "application/json", "Accept": "application/json", **authorized}
        return post(address, headers, msgspec.json.encode(request))

    def respond(message: HandOff) -> Sequence[str]:
        nonlocal takes_user
        system = [Turn("system", said)] if (said := instructions()) else []
        turns = (*system, *message.history, Turn("user", message.text))
        request: dict[str, Any] = {
            "model": model,
            "messages": [{"role": turn.role, "content": turn.text} for turn in turns],
            "stream": False,
        }
        answer = ask(request | {"user": message.conversation} if takes_user else request)
        if takes_user and _refuses_user(answer):
            takes_user = False
            answer = ask(request)
        said = _without_thoughts(_content(answer, clock())).strip()
        return (said or NOTHING_SAID,)

    return reading_text(respond)


def endpoint(url: str) -> str:
    """Return the address that is asked, of a base such as ``https://host/v1``, which may have a query."""
    base, mark, query = url.partition("?")
    base = base.rstrip("/").removesuffix(PATH)
    return f"{base}{PATH}{mark}{query}"


def _refuses_user(answer: Posted) -> bool:
    if answer.status not in {HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY}:
        return False
    # A message in quotes would be escaped in it.
    told = answer.body.decode(errors="replace").replace("\\", "")
    return bool(NAMED_USER.search(told) and NOT_TAKEN.search(told))


def _content(answer: Posted, now: int) -> str:
    """Return what was said. Raises TooLongError, AgentUnavailableError, AgentRefusedError."""
    if not HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
        _refused(answer, now)
    check_size(answer.body)
    kind, _ = content_type(answer.headers)
    if kind == "text/event-stream":
        return "".join(_streamed(answer.body))
    if kind != "application/json":
        raise UnusableAnswerError("without being application/json", EXPECTED)
    value = decoded_json(answer.body)
    _no_error_in(value)
    return _said(value, "message")


def _refused(answer: Posted, now: int) -> None:
    try:
        error = _error_of(decoded_json(answer.body))
    except UnusableAnswerError:
        # Of something in between.
        error = {}
    if answer.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE or _is_about_length(error, answer.status):
        raise TooLongError("The model takes no conversation that long.")
    check_status(answer.status, answer.headers, now, _code(error))


def _no_error_in(value: Any) -> None:
    """Raise what an error calls for that came with a status of success, as some servers and every stream tell it."""
    error = _error_of(value)
    if not error:
        return
    if _is_about_length(error, HTTPStatus.BAD_REQUEST):
        raise TooLongError("The model takes no conversation that long.")
    status = error.get("code")
    if isinstance(status, int) and status >= HTTPStatus.MULTIPLE_CHOICES:
        check_status(status, {}, 0)
    raise AgentUnavailableError(f"The agent answered with an error: {_code(error) or 'it has no code'}.")


def _error_of(value: Any) -> Mapping[str, Any]:
    error = value.get("error") if isinstance(value, dict) else None
    if isinstance(error, str):
        return {"message": error}
    if isinstance(error, dict):
        return error
    # Some say the same without the envelope.
    return value if isinstance(value, dict) and "message" in value and "choices" not in value else {}


def _is_about_length(error: Mapping[str, Any], status: int) -> bool:
    if TOO_LONG_CODES & {error.get(name) for name in ("code", "type") if isinstance(error.get(name), str)}:
        return True
    message = str(error.get("message", ""))
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        # Mostly a matter of waiting, save where one request is more than a minute's worth.
        return "request too large" in message.lower()
    return bool(TOO_LONG_HERE.search(message))


def _code(error: Mapping[str, Any]) -> str:
    found = (error.get(name) for name in ("code", "type"))
    return next((code for code in found if isinstance(code, str) and CODE.fullmatch(code)), "")


def _streamed(body: bytes) -> Iterator[str]:
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise UnusableAnswerError("a stream that is not utf-8", EXPECTED) from None
    for line in text.splitlines():
        data = line.removeprefix("data:").strip() if line.startswith("data:") else ""
        if not data or data == DONE:
            continue
        value = decoded_json(data.encode())
        _no_error_in(value)
        # The last one of a stream may tell only what it has cost.
        if isinstance(value, dict) and value.get("choices"):
            yield _said(value, "delta")


def _said(value: Any, name: str) -> str:
    try:
        message = value["choices"][0][name]
        content = message.get("content")
        if content is None:
            # Tools were asked for, or it was refused in words of its own.
            return str(message.get("refusal") or "")
        if isinstance(content, str):
            return content
        return "".join(part if isinstance(part, str) else str(part.get("text") or "") for part in content)
    except (KeyError, IndexError, TypeError, AttributeError):
        raise UnusableAnswerError("JSON of another form", EXPECTED) from None


def _without_thoughts(text: str) -> str:
    return UNENDED.sub("", BEGUN_BEFORE.sub("", THOUGHTS.sub("", text)))

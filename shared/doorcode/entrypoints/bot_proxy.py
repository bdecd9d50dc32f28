"""The way to a bot behind the door: a platform's own request, byte for byte, and the bot's answer to it.

What goes on is what the platform signed: the raw body and every header of the platform's, so that the bot's own check
still holds. What comes back is the status, what the body is, and the body, of a megabyte at most. No redirect is followed.

A request is sent once. On a connection that was kept it may be lost: the bot's server may have hung up meanwhile, or have
died over it, and nobody can tell which. What the platform itself would deliver again is then sent once more, on a new
connection. What it would not, a command or a press, is only sent on a connection that was used a moment ago, or is new.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial

from doorcode.aws.client.answer import HttpAnswer, read_answer
from doorcode.aws.client.connection import KEPT_SECONDS, Connection
from doorcode.aws.client.endpoint import at
from doorcode.aws.client.errors import BadAnswerError, ConnectError, NoAnswerError, TransportError
from doorcode.aws.client.trust import Trust, usual_of_machine
from doorcode.aws.deadline import Deadline
from doorcode.errors import BotError
from doorcode.platforms.inbound import Webhook, WebhookAnswer

LONGEST_ANSWER = 1024 * 1024
# Servers hang up on who has been silent for some seconds; the hastiest in use, for two.
MOMENT_SECONDS = 1.0
ORIGIN = re.compile(r"(https?://[^/?#]+)(.*)", re.DOTALL)
# Of the way that a request came, and not of the request: https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1
OF_THE_WAY = frozenset({
    "accept-encoding", "cdn-loop", "connection", "content-length", "expect", "forwarded", "host", "keep-alive", "te",
    "trailer", "transfer-encoding", "upgrade", "via", "x-real-ip",
})  # fmt: skip
# What API Gateway and we ourselves say.
OF_OURS = ("cloudfront-", "proxy-", "x-amz", "x-doorcode-", "x-forwarded-")
NAME = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]+")
VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
OF_THE_BODY = frozenset({"content-encoding"})


class BotProxy:
    """The bot at one URL."""

    def __init__(self, url: str, seconds: float) -> None:
        """Pass on to ``url``; from ``begin`` to the bot's answer, ``seconds`` may go by. Raises ValueError."""
        parts = ORIGIN.fullmatch(url)
        if parts is None:
            raise ValueError(f"{url} is no http or https address")
        endpoint = at(parts[1])
        rest = parts[2].partition("#")[0]
        self._line = f"POST {rest if rest.startswith('/') else f'/{rest}'} HTTP/1.1\r\nhost: {endpoint.authority}\r\n"
        self._seconds = seconds
        self._deadline = Deadline()
        self._connection = Connection(
            endpoint,
            self._deadline,
            # Bots have certificates of anybody's.
            Trust(usual_of_machine),
            connect_seconds=seconds,
            read=partial(read_answer, longest=LONGEST_ANSWER, may_just_end=True),
        )

    def begin(self) -> None:
        """Start the time that the request at hand may take."""
        self._deadline.start(self._seconds)

    def pass_on(
        self, webhook: Webhook, said: Mapping[str, str], *, comes_again: bool, answered: frozenset[str]
    ) -> WebhookAnswer:
        """Return what the bot answers to a request. Raises BotError.

        ``said`` are headers of ours. ``comes_again``: the platform itself would send it twice. ``answered`` are the
        headers of an answer that go back.
        """
        body = webhook.body
        headers = {**_of_platform(webhook.headers), "x-forwarded-for": webhook.source, **said}
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        request = f"{self._line}{lines}content-length: {len(body)}\r\n\r\n".encode("latin-1") + body
        try:
            answer = self._post(request, comes_again=comes_again)
        except TransportError as error:
            raise BotError(_told(error)) from error
        kept = OF_THE_BODY | answered
        return WebhookAnswer(
            answer.status,
            answer.body,
            answer.headers.get("content-type", ""),
            {name: value for name, value in answer.headers.items() if name in kept},
        )

    def _post(self, request: bytes, *, comes_again: bool) -> HttpAnswer:
        kept_seconds = KEPT_SECONDS if comes_again else MOMENT_SECONDS
        try:
            return self._connection.post(lambda: request, self._seconds, kept_seconds=kept_seconds)
        except NoAnswerError as error:
            if not (comes_again and error.kept) or _is_late(error):
                raise
        return self._connection.post(lambda: request, self._seconds)


def _of_platform(headers: Mapping[str, str]) -> dict[str, str]:
    """Return what the platform said, without what is of the way here."""
    named = {name.strip().lower() for name in headers.get("connection", "").split(",")}
    return {
        name: value
        for name, value in headers.items()
        # Many servers take an underscore for a hyphen.
        if not (name in OF_THE_WAY or name in named or name.replace("_", "-").startswith(OF_OURS))
        # Nothing that could end a header or begin another one.
        if NAME.fullmatch(name) and VALUE.fullmatch(value)
    }


def _told(error: TransportError) -> str:
    if _is_late(error):
        return "was late"
    if isinstance(error, ConnectError):
        return f"cannot be reached: {error}"
    return f"gave an answer that cannot be used: {error}" if isinstance(error, BadAnswerError) else "hung up"


def _is_late(error: TransportError) -> bool:
    return str(error) == TimeoutError.__name__ or (isinstance(error, ConnectError) and "time is over" in str(error))

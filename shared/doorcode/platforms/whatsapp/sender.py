"""WhatsApp, on httpx: one address of the Cloud API takes all that is said.

https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/send-messages

A bot may write freely to who wrote within the last 24 hours; beyond that only an approved template may. Nothing that was
sent can be changed: a prompt is closed by a message further down, which quotes it. The API knows no idempotency key: a
message whose answer was lost is sent again at the next try. It takes what it cannot deliver, too, and tells of that by the
webhook: with each message goes what is said by it (``biz_opaque_callback_data``), which comes back with the news.
"""

from __future__ import annotations

import re
from math import ceil
from typing import Any

import httpx
import msgspec
from msgspec import Struct

from doorcode.errors import SecretError
from doorcode.pairing.contact import Platform
from doorcode.pairing.names import Names
from doorcode.platforms.send_errors import (
    BadTokenError,
    PassingError,
    PermanentRefusalError,
    RateLimitedError,
    SendError,
    SendRefusal,
)
from doorcode.platforms.sender import (
    CONNECT_TIMEOUT,
    DEFAULT_DELAY_SECONDS,
    READ_TIMEOUT,
    Abilities,
    Drawn,
    Moves,
    OutgoingText,
    Sender,
    read_address,
    write_address,
)
from doorcode.platforms.silence import silence_libraries
from doorcode.platforms.text_parts import deliver, split_each

DEFAULT_API_URL = "https://graph.facebook.com/v27.0"
MAX_TEXT = 4096
# What goes with a message and comes back with the news of it: whom it was for, as nobody else writes a number, and its key.
OURS, MAX_KEY = "doorcode:", 512

UNAUTHORIZED, TOO_MANY_REQUESTS = 401, 429
SUCCESS, BAD_REQUEST, SERVER_ERROR = range(200, 300), 400, 500
# https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes
WINDOW_CLOSED = 131047
BAD_TOKEN = frozenset({0, 3, 10, 190, 131005, *range(200, 300)})
RATE_LIMITED = frozenset({4, 80007, 130429, 131056})
PASSING = frozenset({1, 2, 131000, 131016, 131057})
NO_SUCH_MESSAGE = frozenset({100, 131009})
REFUSALS = {
    WINDOW_CLOSED: (SendRefusal.UNREACHABLE, "they have not written for 24 hours"),
    131021: (SendRefusal.UNREACHABLE, "it is the bot's own number"),
    131026: (SendRefusal.UNREACHABLE, "it cannot be delivered there"),
    131030: (SendRefusal.UNREACHABLE, "a test number writes to numbers on its list alone"),
    131049: (SendRefusal.UNREACHABLE, "Meta delivers no more to them today"),
    131050: (SendRefusal.UNREACHABLE, "they take no such messages"),
    131062: (SendRefusal.UNREACHABLE, "not by their id"),
    368: (SendRefusal.REFUSED, "Meta has restricted the account"),
    131031: (SendRefusal.REFUSED, "Meta has locked the account"),
    131042: (SendRefusal.REFUSED, "the account has no way to pay"),
    131048: (SendRefusal.REFUSED, "Meta takes the messages for spam"),
    131064: (SendRefusal.REFUSED, "Meta has restricted the templates"),
    132001: (SendRefusal.REFUSED, "there is no such template"),
    132015: (SendRefusal.REFUSED, "the template is paused"),
    132016: (SendRefusal.REFUSED, "the template is disabled"),
    133010: (SendRefusal.REFUSED, "the number is not registered"),
}
NUMBER = re.compile(r"[1-9][0-9]{0,14}")
# The number's id is part of a path.
NUMBER_ID = re.compile(r"[0-9]{1,32}")
LANGUAGE = re.compile(r"[A-Za-z]{2,3}(_[A-Za-z]{2,4})?")


class _Address(Struct):
    to: str
    message_id: str = ""


class _Error(Struct, frozen=True):
    code: int = -1


class _Failure(Struct):
    error: _Error = _Error()


class _Sent(Struct):
    id: str


class _Answer(Struct):
    messages: list[_Sent]


class WhatsAppSender:
    """Says things on WhatsApp. See ``platforms.sender.Sender``."""

    platform = Platform.WHATSAPP
    abilities = Abilities(edits=False, types=True, names=False, reopens=True)

    def __init__(
        self,
        token: str,
        api_url: str = DEFAULT_API_URL,
        bot: str = "",
        template: str = "",
        *,
        timeout: float = READ_TIMEOUT,
    ) -> None:
        """Build the client; nothing is called yet. Raises BadTokenError for a token that fits in no header.

        ``bot`` is ``{phone_number_id}:{number}``, of the number that it writes from; ``template`` is ``{name}:{language}``
        of the one that asks an owner who has not written for long. Raises SecretError without ``bot``.
        """
        silence_libraries()
        token = token.strip()
        if not token or not token.isascii() or not token.isprintable():
            raise BadTokenError(self.platform)
        number_id = bot.partition(":")[0]
        if not NUMBER_ID.fullmatch(number_id):
            raise SecretError(
                "whatsapp/bot does not say which number the bot writes from. Run: doorcode whatsapp webhook set"
            )
        name, _, language = template.partition(":")
        self._template = (name, language) if name and LANGUAGE.fullmatch(language) else None
        self._path = f"/{number_id}/messages"
        self._client = httpx.Client(
            base_url=api_url,
            timeout=httpx.Timeout(timeout, connect=min(CONNECT_TIMEOUT, timeout)),
            headers={"Authorization": f"Bearer {token}"},
        )
        self._token_is_bad = False

    def send_text(self, outgoing: OutgoingText, now: int) -> None:  # noqa: ARG002 (the port's)
        """Answer in the chat with them: there is no other."""
        to = read_address(outgoing.reply, _Address).to if outgoing.reply else outgoing.user_id

        def send(_number: int, part: str) -> None:
            self._say(
                "send a message", to, {"type": "text", "text": {"body": part, "preview_url": False}}, outgoing.key
            )

        deliver(split_each([outgoing.text, *outgoing.more], MAX_TEXT), outgoing.done, send)

    def notify(self, outgoing: OutgoingText, now: int) -> None:
        """Tell a requester, in the chat with them."""
        self.send_text(outgoing, now)

    def send_prompt(self, owner_id: str, drawn: Drawn, *, key: str) -> str:
        """Ask an owner, who has to have written within 24 hours."""
        sent = self._say("send a prompt", owner_id, _fields(drawn), key)
        return write_address({"to": owner_id, "message_id": sent})

    def reopen(self, owner_id: str, drawn: Drawn, *, key: str) -> str:
        """Ask an owner who has not, by the template. Raises PermanentRefusalError without one."""
        words = drawn.get("template")
        if self._template is None or not words:
            raise PermanentRefusalError(
                self.platform, "send a template", SendRefusal.UNREACHABLE, "none is set: doorcode whatsapp template"
            )
        name, language = self._template
        buttons = drawn["interactive"]["action"]["buttons"]
        parts: list[dict[str, Any]] = [
            {"type": "body", "parameters": [{"type": "text", "text": word} for word in words]},
            *(
                {
                    "type": "button",
                    "sub_type": "quick_reply",
                    "index": str(index),
                    "parameters": [{"type": "payload", "payload": button["reply"]["id"]}],
                }
                for index, button in enumerate(buttons)
            ),
        ]
        fields = {"type": "template", "template": {"name": name, "language": {"code": language}, "components": parts}}
        sent = self._say("send a template", owner_id, fields, key)
        return write_address({"to": owner_id, "message_id": sent})

    def edit_prompt(self, location: str, drawn: Drawn) -> None:
        """Say further down what a prompt has become. What was refused because of the time that went by is gone."""
        address = read_address(location, _Address)
        fields = _fields(drawn) | {"context": {"message_id": address.message_id}}
        try:
            self._say("close a prompt", address.to, fields, "")
        except PermanentRefusalError as error:
            if error.detail.partition(":")[0] in {str(code) for code in (WINDOW_CLOSED, *NO_SUCH_MESSAGE)}:
                raise PermanentRefusalError(self.platform, "close a prompt", SendRefusal.GONE, error.detail) from None
            raise

    def typing(self, reply: str, now: int) -> None:  # noqa: ARG002 (the port's)
        """Show that an answer is on its way, and that the message was read: one comes with the other."""
        address = read_address(reply, _Address)
        if address.message_id:
            self._call(
                "show that it is typing",
                {"status": "read", "message_id": address.message_id, "typing_indicator": {"type": "text"}},
            )

    def lookup_names(self, user_id: str) -> Names:  # noqa: ARG002 (the port's)
        """Tell nothing: every message brings its sender's name."""
        return Names()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _say(self, doing: str, to: str, fields: Drawn, key: str) -> str:
        # With both, the number would win; an id in the number's place is taken, and never delivered.
        whom = {"to": f"+{to}"} if NUMBER.fullmatch(to) else {"recipient": to}
        said = {"recipient_type": "individual", **whom, **fields}
        content = self._call(doing, said | ({"biz_opaque_callback_data": f"{OURS}{to}:{key}"[:MAX_KEY]} if key else {}))
        try:
            return msgspec.json.decode(content, type=_Answer).messages[0].id
        except (ValueError, RecursionError, IndexError):
            raise PassingError(self.platform, doing, "an answer that cannot be read") from None

    def _call(self, doing: str, fields: Drawn) -> bytes:
        if self._token_is_bad:
            raise BadTokenError(self.platform)
        try:
            # No redirect is followed: httpx does not by itself.
            answer = self._client.post(self._path, json={"messaging_product": "whatsapp", **fields})
        except httpx.HTTPError as error:
            raise PassingError(self.platform, doing, type(error).__name__) from None
        if answer.status_code in SUCCESS:
            return answer.content
        raise self._refused(doing, answer)

    def _refused(self, doing: str, answer: httpx.Response) -> SendError:
        status = answer.status_code
        try:
            code = msgspec.json.decode(answer.content, type=_Failure).error.code
        except (ValueError, RecursionError):
            code = -1
        if status == UNAUTHORIZED or code in BAD_TOKEN:
            self._token_is_bad = True
            return BadTokenError(self.platform)
        if status == TOO_MANY_REQUESTS or code in RATE_LIMITED:
            return RateLimitedError(self.platform, _delay(answer))
        # A refusal without one of Meta's codes comes from what stands before its API.
        if code in PASSING or code < 0 or not BAD_REQUEST <= status < SERVER_ERROR:
            return PassingError(self.platform, doing, f"HTTP {status}")
        refusal, why = REFUSALS.get(code, (SendRefusal.REFUSED, "refused"))
        return PermanentRefusalError(self.platform, doing, refusal, f"{code}: {why}")


def _fields(drawn: Drawn) -> dict[str, Any]:
    return {name: value for name, value in drawn.items() if name != "template"}


def _delay(answer: httpx.Response) -> int:
    try:
        return max(ceil(float(answer.headers.get("Retry-After", DEFAULT_DELAY_SECONDS))), 1)
    except (ValueError, OverflowError):
        return DEFAULT_DELAY_SECONDS


def make_sender(token: str, api_url: str, _moves: Moves, bot: str = "", template: str = "") -> Sender:
    """Make a sender: ``MakeSender``."""
    return WhatsAppSender(token, api_url, bot, template)

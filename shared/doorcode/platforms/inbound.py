"""What every platform's module takes and gives, in one form."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any, Protocol

from msgspec import Struct

from doorcode.errors import DoorcodeError
from doorcode.pairing.contact import Platform
from doorcode.pairing.gate import Reason
from doorcode.pairing.keyring import Keyring
from doorcode.pairing.messages import Ignored, Message, Press, Undelivered
from doorcode.pairing.prompts import Prompt
from doorcode.pairing.texts import Say


class UnusablePayloadError(DoorcodeError):
    """A verified request holds nothing that can be read. Never shown: the platform is answered 200."""

    reason = "unusable_payload"


class BadSignatureError(DoorcodeError):
    """A request is not signed with the platform's secret."""

    reason = "bad_signature"


class UnreadableBodyError(DoorcodeError):
    """A body is larger than any that the platform sends, or is said to be base64 and is none."""

    reason = "unreadable_request"


class Webhook(Struct):
    """A request as it arrived: header names in lower case; the raw body, or text that is base64 of it."""

    headers: Mapping[str, str]
    sent: bytes | str
    # The address that it came from.
    source: str = ""

    @property
    def body(self) -> bytes:
        """The raw body. Raises UnreadableBodyError.

        base64 takes ten times as long as an HMAC, so it waits until the headers alone have not refused the request.
        """
        if isinstance(self.sent, str):
            try:
                self.sent = base64.b64decode(self.sent, validate=True)
            except ValueError:
                raise UnreadableBodyError("The body is not base64.") from None
        return self.sent


class WebhookAnswer(Struct, frozen=True):
    """What goes back in the HTTP response."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    # Others, of a bot behind the door.
    headers: Mapping[str, str] = {}


class Handshake(Struct, frozen=True):
    """The platform checks that we are there; ``answer`` is what it wants to hear."""

    answer: WebhookAnswer


class FollowUp(Struct, frozen=True):
    """A call that has to be made because the platform shows nothing from the response."""

    url: str
    body: bytes


class BotIdentity(Struct, frozen=True):
    """Who the bot itself is, on a platform whose webhooks do not say it: stored by the operator's command beside the secrets."""

    name: str
    """The parameter's name, below the stack's prefix."""
    unknown: str
    """What the log says once where it is not stored: what follows, and the command that stores it."""
    for_groups_only: bool
    """Whether it is needed for noticing mentions in groups alone."""


class Word(Struct, frozen=True):
    """What a message of its own has to say to one person: nothing in the response is shown, and no call can be made here."""

    user_id: str
    reply: str
    text: str


Event = Message | Press | Ignored | Handshake | Undelivered


class Inbound(Protocol):
    """What a platform's module offers. ``None`` for an answer means an empty 200. ``say`` says texts in their reader's language.

    Arguments are positional only, so that a module may mark those that its platform has no use for.
    """

    PLATFORM: Platform
    SECRET: str
    """The name of the secret that verifies."""
    MAX_BODY_BYTES: int
    """More than the largest request that the platform may send, and less than the 6 MB that Lambda takes."""
    MAX_TEXT: int
    """How many characters a message may have,"""
    MAX_ANSWER: int
    """and the answer to a press."""
    SHOWS_ANSWERS: bool
    """Whether anything in the response to a message is shown."""
    ANSWERS_SURELY: bool
    """Whether a notice in the response arrives, or the person sees that it did not. Elsewhere it may be lost unnoticed."""

    BOT: BotIdentity | None
    """Where it is stored who the bot is, if it has to be."""

    def verify(self, webhook: Webhook, keyring: Keyring, now: int, /) -> bool:
        """Tell whether the platform sent exactly these bytes, in constant time; before anything parses them.

        What the headers alone rule out is refused without a look at the body. Raises UnreadableBodyError.
        """

    def parse(self, webhook: Webhook, bot: str, /) -> list[Event]:
        """Read the events of a verified request. Raises UnusablePayloadError.

        ``bot`` is who the bot itself is there, where the platform does not say: on Telegram ``{id}:{username}``, on
        Slack its workspace and organization, ``{team_id}:{enterprise_id}``; or empty.
        """

    def notice(self, message: Message, text: str, /) -> WebhookAnswer | None:
        """Tell the writer of a direct message something."""

    def show_door(self, message: Message, text: str, link: str, /) -> WebhookAnswer | Word | None:
        """Answer an owner's /door to them alone: with ``text``, which may name strangers, and under it the link as it is."""

    def dropped(self, message: Message, reason: Reason, say: Say, /) -> WebhookAnswer | None:
        """Answer a message that goes no further, where the platform must always be answered."""

    def rate_limited(self, message: Message, text: str, /) -> WebhookAnswer | None:
        """Repeat the request's answer, where the platform must always be answered."""

    def admitted(self, message: Message, /) -> WebhookAnswer | None:
        """Answer a message that the agent will reply to."""

    def ignored(self, ignored: Ignored, say: Say, /) -> WebhookAnswer | None:
        """Answer what is no message, where the platform must always be answered."""

    def pressed(self, press: Press, text: str, prompt: Prompt | None, /) -> WebhookAnswer | None:
        """Answer a press: with the prompt as it is now, or, without one, with ``text`` to the presser alone."""

    def follow_up(self, press: Press, text: str, api_url: str, /) -> FollowUp | Word | None:
        """Return what tells the presser alone, where ``pressed`` cannot."""

    def draw_prompt(self, prompt: Prompt, /) -> dict[str, Any]:
        """Return an owner's prompt as fields of the platform's own API."""

    def draw_words(self, text: str, /) -> dict[str, Any]:
        """Return plain words to an owner, likewise."""

    def unusable(self, say: Say, /) -> WebhookAnswer:
        """Answer what was verified and cannot be read: with 200, for the same would come again for hours."""

    def failed(self, say: Say, /) -> WebhookAnswer:
        """Answer when what we stand on does not work."""

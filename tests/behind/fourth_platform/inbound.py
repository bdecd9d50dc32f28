"""A made-up platform's webhook: telegrams, as they once were. It shows nothing from the response."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from doorcode.pairing.gate import Reason
from doorcode.pairing.keyring import Keyring, same
from doorcode.pairing.messages import ChatType, Ignored, Message, Press
from doorcode.pairing.platform import Platform
from doorcode.pairing.prompts import Prompt
from doorcode.pairing.texts import Say
from doorcode.platforms.inbound import BotIdentity, Event, FollowUp, Webhook, WebhookAnswer
from doorcode.platforms.payload import compact, decoded

PLATFORM = Platform("morse")
SECRET = "morse/key"
MAX_BODY_BYTES = 1024
BOT: BotIdentity | None = None
SHOWS_ANSWERS = False
MAX_TEXT = MAX_ANSWER = 1000
ANSWERS_SURELY = False


class _Telegram(Struct):
    number: str
    sender: str
    text: str = ""
    pressed: str = ""


def verify(webhook: Webhook, keyring: Keyring, _now: int) -> bool:
    """Compare the key."""
    given = webhook.headers.get("x-morse-key", "").encode(errors="surrogatepass")
    return any([same(given, secret) for secret in keyring.secrets])  # noqa: C419


def parse(webhook: Webhook, _bot: str) -> list[Event]:
    """Read a telegram."""
    read = decoded(webhook.body, _Telegram)
    if read.pressed:
        return [Press(platform=PLATFORM, user_id=read.sender, delivery_id=read.number, data=read.pressed)]
    return [
        Message(
            platform=PLATFORM, user_id=read.sender, delivery_id=read.number, chat_type=ChatType.DIRECT, chat=read.sender,
            text=read.text, name=read.sender, reply=compact(read.sender),
        )
    ]  # fmt: skip


def notice(_message: Message, _text: str) -> WebhookAnswer | None:
    """Nothing is shown."""
    return None


def dropped(_message: Message, _reason: Reason, _say: Say) -> WebhookAnswer | None:
    """Nothing is shown."""
    return None


def show_door(_message: Message, _text: str, _link: str) -> WebhookAnswer | None:
    """Nothing is shown."""
    return None


def rate_limited(_message: Message, _text: str) -> WebhookAnswer | None:
    """Nothing is shown."""
    return None


def admitted(_message: Message) -> WebhookAnswer | None:
    """Nothing is shown."""
    return None


def ignored(_ignored: Ignored, _say: Say) -> WebhookAnswer | None:
    """Nothing is shown."""
    return None


def pressed(_press: Press, _text: str, _prompt: Prompt | None) -> WebhookAnswer | None:
    """Nothing is shown."""
    return None


def follow_up(_press: Press, _text: str, _api_url: str) -> FollowUp | None:
    """Nobody is told."""
    return None


def draw_prompt(prompt: Prompt) -> dict[str, Any]:
    """Spell it out."""
    return {"text": f"{prompt.who}: {prompt.outcome or '?'}", "buttons": [button.data for button in prompt.buttons]}


def draw_words(text: str) -> dict[str, Any]:
    """Say it."""
    return {"text": text, "buttons": []}


def unusable(_say: Say) -> WebhookAnswer:
    """Take it."""
    return WebhookAnswer()


def failed(_say: Say) -> WebhookAnswer:
    """Have it delivered again."""
    return WebhookAnswer(status=503)

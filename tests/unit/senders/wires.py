"""Each platform's sender, wired to its stand-in, and the addresses that its webhooks would have brought."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from types import ModuleType
from typing import Any

from doorcode.pairing.prompts import Button, Prompt
from doorcode.platforms.discord import inbound as discord
from doorcode.platforms.discord.sender import DiscordSender
from doorcode.platforms.sender import Sender
from doorcode.platforms.slack import inbound as slack
from doorcode.platforms.slack.sender import SlackSender
from doorcode.platforms.telegram import inbound as telegram
from doorcode.platforms.telegram.sender import TelegramSender
from doorcode.platforms.whatsapp import inbound as whatsapp
from doorcode.platforms.whatsapp.sender import WhatsAppSender
from doorcode_sandbox.platforms.discord.stand_in import DiscordStandIn
from doorcode_sandbox.platforms.server import StandIn
from doorcode_sandbox.platforms.slack.stand_in import SlackStandIn
from doorcode_sandbox.platforms.telegram.stand_in import TelegramStandIn
from doorcode_sandbox.platforms.whatsapp.stand_in import WhatsAppStandIn
from tests.eventually import PATIENCE_SECONDS

NOW = 1_800_000_000
OWNER, STRANGER = 0, 1
PEOPLE = {
    "telegram": ("123456789", "987654321"),
    "slack": ("U0OWNER001", "U0STRANGER"),
    "discord": ("200000000000000002", "200000000000000001"),
    "whatsapp": ("DE.2249120865530274190", "US.13491208655302741918"),
}
TOKENS = {
    "telegram": "7000000001:a-secret_token",
    "slack": "xoxb-a-secret-token",
    "discord": "a.secret.token",
    "whatsapp": "EAAa-secret-token",
}
STAND_INS: dict[str, type[Any]] = {
    "telegram": TelegramStandIn,
    "slack": SlackStandIn,
    "discord": DiscordStandIn,
    "whatsapp": WhatsAppStandIn,
}
SENDERS: dict[str, Callable[..., Sender]] = {
    "telegram": TelegramSender,
    "slack": SlackSender,
    "discord": DiscordSender,
    "whatsapp": partial(
        WhatsAppSender, bot=f"{WhatsAppStandIn.PHONE_NUMBER_ID}:{WhatsAppStandIn.DISPLAY_PHONE_NUMBER}"
    ),
}
DRAWING: dict[str, ModuleType] = {"telegram": telegram, "slack": slack, "discord": discord, "whatsapp": whatsapp}
# The API's names for sending and for editing.
SENDS = {"telegram": "sendMessage", "slack": "chat.postMessage", "discord": "createMessage", "whatsapp": "messages"}
EDITS = {"telegram": "editMessageText", "slack": "chat.update", "discord": "editMessage", "whatsapp": "messages"}

INTERACTION = "interaction-token/with?signs#in-it"
ADDRESSES: dict[str, dict[str, Any]] = {
    "telegram": {"chat_id": 987654321, "message_id": 7},
    "slack": {"channel": "D0STRANGER", "ts": "1800000000.000001"},
    "discord": {
        "application_id": DiscordStandIn.APPLICATION,
        "interaction_id": "1",
        "channel_id": "400000000000000001",
        "token": INTERACTION,
        "expires": NOW + 900,
    },
    "whatsapp": {"to": "US.13491208655302741918", "message_id": "wamid.1"},
}


@dataclass
class Wire:
    """A sender and the stand-in that it talks to."""

    platform: str
    stand_in: Any
    sender: Sender

    @property
    def owner(self) -> str:
        """The owner's id."""
        return PEOPLE[self.platform][OWNER]

    @property
    def stranger(self) -> str:
        """The stranger's id."""
        return PEOPLE[self.platform][STRANGER]

    @property
    def reply(self) -> str:
        """Where the stranger wrote from."""
        return json.dumps(ADDRESSES[self.platform])

    def chat(self, user_id: str) -> str:
        """Return the direct chat with somebody."""
        return user_id if self.platform in {"telegram", "whatsapp"} else str(self.stand_in.users[user_id].channel)

    def said(self, chat: str) -> list[str]:
        """Return the texts that stand in a chat."""
        field = "content" if self.platform == "discord" else "text"
        said = [message.shown[field] for message in self.stand_in.in_chat(chat)]
        return [text["body"] for text in said] if self.platform == "whatsapp" else said

    def drawn(self, prompt: Prompt) -> dict[str, Any]:
        """Draw a prompt for this platform."""
        drawn: dict[str, Any] = DRAWING[self.platform].draw_prompt(prompt)
        return drawn

    def calls(self) -> list[str]:
        """Return the names of the calls so far."""
        return [call.name for call in self.stand_in.calls]

    def forget(self) -> None:
        """Begin a case among others: with no call, and no message in any chat."""
        self.stand_in.calls.clear()
        self.stand_in.messages.clear()


@contextmanager
def wire(platform: str, token: str | None = None, *, timeout: float = PATIENCE_SECONDS) -> Iterator[Wire]:
    """Wire a sender to a stand-in whose owner and stranger have both written to the bot at ``NOW``."""
    stand_in = STAND_INS[platform](TOKENS[platform], clock=lambda: float(NOW))
    for user_id in PEOPLE[platform]:
        if platform == "telegram":
            stand_in.open_chat(user_id)
        elif platform == "slack":
            stand_in.add_user(user_id, "stranger", "A Stranger")
        else:
            stand_in.add_user(user_id)
    if platform == "whatsapp":
        # Its senders are told at once what elsewhere comes by the webhook.
        stand_in.refuses_at_once = True
    with stand_in:
        sender = SENDERS[platform](token or TOKENS[platform], stand_in.api_url, timeout=timeout)
        with closing(sender):
            yield Wire(platform, stand_in, sender)


def bare(platform: str, **options: Any) -> StandIn:
    """Return a stand-in that nobody has written to."""
    made: StandIn = STAND_INS[platform](TOKENS[platform], **options)
    return made


def prompt(
    who: str = "@stranger", address: str = "telegram 987654321", outcome: str = "", *, buttons: bool = True
) -> Prompt:
    """Return a prompt whose buttons carry data of the usual length."""
    data = "pair:{}:telegram:987654321:ABCD2345:0123abcd"
    pressable = (Button("✅ Approve", data.format("approve")), Button("❌ Deny", data.format("deny")))
    return Prompt(who=who, address=address, outcome=outcome, buttons=pressable if buttons else ())

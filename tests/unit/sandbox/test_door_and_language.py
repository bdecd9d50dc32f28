"""What the playground's people send as /door, and in which language: as the product reads it from the real platforms."""

from typing import Any

import pytest

from doorcode.pairing.messages import Message
from doorcode.platforms.discord import inbound as discord
from doorcode.platforms.inbound import Webhook
from doorcode.platforms.slack import inbound as slack
from doorcode.platforms.telegram import inbound as telegram
from doorcode_sandbox.platforms.chats import Person, Role
from doorcode_sandbox.platforms.discord.chats import DiscordSide
from doorcode_sandbox.platforms.discord.stand_in import DiscordStandIn
from doorcode_sandbox.platforms.slack.chats import SlackSide
from doorcode_sandbox.platforms.slack.stand_in import SlackStandIn
from doorcode_sandbox.platforms.telegram.chats import TelegramSide
from doorcode_sandbox.platforms.telegram.stand_in import TelegramStandIn

SIDES = {"telegram": (TelegramSide, TelegramStandIn, telegram), "slack": (SlackSide, SlackStandIn, slack), "discord": (DiscordSide, DiscordStandIn, discord)}  # fmt: skip


@pytest.mark.parametrize("name", SIDES)
def test_door_and_language(name: str) -> None:
    """In a direct chat it is the owner's command, by somebody of that language; on Slack its response is shown to them alone."""
    side_of, stand_in, room = SIDES[name]
    made: Any = stand_in()
    side: Any = side_of(made)
    person = Person(
        platform=side.platform, id=side.owners[0], name="Olivia", username="owner", role=Role.OWNER, language="pt-BR"
    )
    chat = side.settle(person)
    sent = side.say(person, chat, "/door", mention=False, now=1_776_858_322.0).webhook
    headers = {key.lower(): value for key, value in sent.headers.items()} | {"x-slack-request-timestamp": "1776858322"}
    [message] = room.parse(Webhook(headers, sent.body), "")
    assert isinstance(message, Message)
    assert (message.door, message.text, message.user_id, message.chat_type) == (True, "/door", person.id, "direct")
    assert message.language.lower() == ("" if name == "slack" else "pt-br")
    if name == "slack":
        assert made.users[person.id].locale == "pt-BR"
        side.take(sent, slack.show_door(message, "two wait", "").body)  # type: ignore[union-attr]
        [whisper] = side.messages(chat.id)
        assert (whisper.only_for, whisper.shown["text"]) == (person.id, "two wait")

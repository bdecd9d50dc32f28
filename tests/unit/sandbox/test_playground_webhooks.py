"""What a person does becomes what the platform would send: its payload, its headers, its signature."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs

import pytest

from doorcode.pairing.contact import Platform
from doorcode.pairing.keyring import Keyring, parse_keyring
from doorcode.pairing.messages import ChatType, Message, Press
from doorcode.platforms.discord import inbound as discord
from doorcode.platforms.inbound import Event, Webhook
from doorcode.platforms.slack import inbound as slack
from doorcode.platforms.telegram import inbound as telegram
from doorcode.platforms.whatsapp import inbound as whatsapp
from tests import webhooks
from tests.unit.sandbox.http import call
from tests.unit.sandbox.playground_fixtures import BUTTON, OWNERS, SECRETS, STRANGERS, Harness

MODULES: dict[Platform, Any] = {module.PLATFORM: module for module in (telegram, slack, discord, whatsapp)}
BOT = "7000000001:doorcode_bot"
EACH = pytest.mark.parametrize("platform", list(Platform))
# Hostile and harmless alike: they have to arrive as they were typed.
TEXTS = [
    "Hello, may I come in?",
    "<b>&amp; <@U1> *x* \\ \" '",
    "👋🏽 ünï\u202ecode @everyone",
    "line\nline",
    "/start payload",
    "pair:approve:telegram:1:ABCD2345:00000000",
]


@pytest.fixture
def harness() -> Iterator[Harness]:
    """Have everything running."""
    with Harness().running() as harness:
        yield harness


def _keyring(platform: Platform) -> Keyring:
    return parse_keyring(SECRETS[MODULES[platform].SECRET])


def _events(harness: Harness, platform: Platform) -> list[Event]:
    """Verify what reached the stack as the edge does, and read it."""
    path, headers, body = harness.webhook()
    assert path == f"/{platform}"
    webhook, module = Webhook(headers, body), MODULES[platform]
    assert module.verify(webhook, _keyring(platform), int(harness.now))
    assert not module.verify(Webhook(headers, body + b" "), _keyring(platform), int(harness.now)) or (
        # Telegram signs nothing, but repeats a secret.
        platform is Platform.TELEGRAM
    )
    found: list[Event] = module.parse(webhook, BOT if platform is Platform.TELEGRAM else "")
    return found


def _payload(harness: Harness, platform: Platform) -> Any:
    _, headers, body = harness.webhook()
    form = platform is Platform.SLACK and headers["content-type"] == slack.FORM
    return json.loads(parse_qs(body.decode())["payload"][0] if form else body)


def _shape(value: Any, at: str = "") -> set[str]:
    """Return the paths of all fields, and what kind of value is there."""
    if isinstance(value, dict):
        return {f"{at}:object"}.union(*(_shape(one, f"{at}.{name}") for name, one in value.items()))
    if isinstance(value, list):
        return {f"{at}:list"}.union(*(_shape(one, f"{at}[]") for one in value))
    return {f"{at}:{type(value).__name__}"}


def test_direct(harness: Harness) -> None:
    """What somebody types is verified and read as their message, to the letter."""
    for platform in Platform:
        for text in TEXTS:
            stranger = STRANGERS[platform]
            said = harness.say(platform, stranger, text)
            (message,) = _events(harness, platform)
            assert isinstance(message, Message), (platform, text)
            assert (message.user_id, message.chat_type, message.kind, message.text) == (
                stranger,
                ChatType.DIRECT,
                "text",
                text,
            ), (platform, text)
            assert message.addressed, (platform, text)
            assert message.chat == harness.chat(platform, stranger)["id"], (platform, text)
            assert message.message_id == said["message"], (platform, text)
            assert message.sent_at == int(harness.now), (platform, text)
            assert message.name == ("" if platform is Platform.SLACK else "@stranger"), (platform, text)


@EACH
def test_owners(harness: Harness, platform: Platform) -> None:
    """Owners write, too."""
    harness.say(platform, OWNERS[platform][0])
    (message,) = _events(harness, platform)
    assert isinstance(message, Message)
    assert message.user_id == OWNERS[platform][0]


def test_addressed_in_a_group(harness: Harness) -> None:
    """Who addresses the bot in a group is read as somebody in a group who does; on WhatsApp nothing tells that."""
    for platform in Platform:
        harness.say(platform, STRANGERS[platform], "are you there?", "group", mention=True)
        (message,) = _events(harness, platform)
        assert isinstance(message, Message), platform
        addressed = platform is not Platform.WHATSAPP
        assert (message.chat_type, message.addressed, message.user_id) == (
            ChatType.GROUP,
            addressed,
            STRANGERS[platform],
        ), platform
        assert message.text.endswith("are you there?"), platform


@EACH
def test_among_others(harness: Harness, platform: Platform) -> None:
    """Of what people say among themselves the bot is told nothing; on Discord a command always addresses it, and WhatsApp tells all."""
    said = harness.say(platform, STRANGERS[platform], "nice weather", "group")
    told = platform in {Platform.DISCORD, Platform.WHATSAPP}
    assert bool(harness.api.taken) is (said["delivery"] is not None) is told
    assert harness.chat(platform, STRANGERS[platform], "group")["messages"][0]["delivery"] == said["delivery"]
    if not told:
        assert "only given what mentions it" in said["note"]


def test_telegram_commands_in_groups(harness: Harness) -> None:
    """A bot is given commands in a group, which do not address it unless they name it."""
    for text, addressed in (("/help", False), ("/help@doorcode_bot", True)):
        harness.say(Platform.TELEGRAM, STRANGERS[Platform.TELEGRAM], text, "group")
        (message,) = _events(harness, Platform.TELEGRAM)
        assert isinstance(message, Message)
        assert message.addressed is addressed


def test_press(harness: Harness) -> None:
    """A press is verified and read as that person's, with what the button carries."""
    for platform in Platform:
        for kind in (
            "direct",
            "group",
        ):
            owner = OWNERS[platform][0]
            message_id = harness.prompt(platform, harness.chat(platform, owner, kind)["id"])
            harness.press(platform, owner, message_id, "0.0", kind)
            (press,) = _events(harness, platform)
            assert isinstance(press, Press), (platform, kind)
            assert (press.user_id, press.data) == (owner, BUTTON), (platform, kind)


def test_press_holds_the_message(harness: Harness) -> None:
    """Slack's press leads back to the message and to an address for the answer, which works."""
    owner = OWNERS[Platform.SLACK][0]
    chat = harness.chat(Platform.SLACK, owner)["id"]
    message_id = harness.prompt(Platform.SLACK, chat)
    harness.press(Platform.SLACK, owner, message_id, "0.0")
    payload = _payload(harness, Platform.SLACK)
    assert (payload["container"]["message_ts"], payload["channel"]["id"]) == (message_id, chat)
    path = payload["response_url"].removeprefix(harness.slack.url)
    harness.slack.start()
    try:
        said = {"response_type": "ephemeral", "text": "Only the owner can do this.", "replace_original": False}
        assert call(harness.slack, "POST", path, said)[0] == 200
    finally:
        harness.slack.stop()
    (whisper,) = [one for one in harness.chat(Platform.SLACK, owner)["messages"] if one["only_for"]]
    assert (whisper["only_for"], whisper["shown"]["text"]) == (owner, "Only the owner can do this.")


RECORDED = {
    ("telegram", "direct"): "telegram/private_text",
    ("telegram", "group"): "telegram/group_mention",
    ("telegram", "press"): "telegram/callback_query_approve",
    ("slack", "direct"): "slack/message_im",
    ("slack", "group"): "slack/app_mention",
    ("slack", "press"): "slack/block_actions_approve",
    ("discord", "direct"): "discord/chat_bot_dm",
    ("discord", "group"): "discord/chat_guild",
    ("discord", "press"): "discord/component_approve_dm",
    ("discord", "press in a group"): "discord/component_approve_guild",
    ("whatsapp", "direct"): "whatsapp/text",
    ("whatsapp", "press"): "whatsapp/button_approve",
}
# Where one recording happens to have another value than ours, of a kind that the platform allows.
ALLOWED = {
    ".channel.last_message_id:NoneType", ".channel.last_message_id:str",
    ".message.blocks[].elements[].style:str",
    ".callback_query.from.last_name:str", ".callback_query.message.chat.last_name:str",
    ".callback_query.message.entities:list",
}  # fmt: skip


@pytest.mark.parametrize(("place", "recorded"), RECORDED.items(), ids=[" ".join(place) for place in RECORDED])
def test_payloads_have_the_form_of_the_recorded_ones(harness: Harness, place: tuple[str, str], recorded: str) -> None:
    """Field by field, a webhook from here has the form of those that the platforms have sent."""
    platform, what = Platform(place[0]), place[1]
    kind = "group" if "group" in what else "direct"
    if "press" in what:
        owner = OWNERS[platform][0]
        harness.press(platform, owner, harness.prompt(platform, harness.chat(platform, owner, kind)["id"]), "0.0", kind)
    else:
        harness.say(platform, STRANGERS[platform], "are you there?", kind, mention=kind == "group")
    event = webhooks.load(recorded)
    ours, theirs = _shape(_payload(harness, platform)), _shape(event.body)
    if what == "press" and platform is Platform.TELEGRAM:
        theirs = {path for path in theirs if ".entities" not in path}
    assert ours ^ theirs <= ALLOWED
    headers = harness.webhook()[1]
    for name, value in event.headers.items():
        assert headers[name.lower()] == value


@EACH
def test_every_delivery_is_another(harness: Harness, platform: Platform) -> None:
    """No two deliveries have one id, also not one of a run that begins a few seconds later."""
    ids = []
    with Harness(harness.now + 3).running() as later:
        for one in (harness, later):
            for _ in range(3):
                one.say(platform, STRANGERS[platform])
                (message,) = _events(one, platform)
                assert isinstance(message, Message)
                ids.append(message.delivery_id)
    assert len(set(ids)) == len(ids)


@EACH
def test_bot_messages_are_others_after_a_restart(harness: Harness, platform: Platform) -> None:
    """A message is never taken for one of an earlier run, to which a prompt in the table still points."""
    ids = []
    with Harness(harness.now + 3).running() as later:
        for one in (harness, later):
            chat = one.chat(platform, OWNERS[platform][0])["id"]
            ids += [(chat, one.prompt(platform, chat)) for _ in range(3)]
    assert len({chat for chat, _ in ids}) == 1
    assert len(set(ids)) == len(ids)

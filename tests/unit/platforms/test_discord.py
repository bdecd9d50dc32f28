"""What Discord's interactions are read as, and the answer that every one of them gets."""

from typing import Any

import msgspec
import pytest

from doorcode.pairing import texts
from doorcode.pairing.gate import Reason
from doorcode.pairing.messages import ChatType, Ignored
from doorcode.pairing.texts import english
from doorcode.platforms.discord import inbound as discord
from doorcode.platforms.inbound import UnusablePayloadError, WebhookAnswer
from tests.cases import each
from tests.unit.platforms.deliveries import event, message, only_ignored, only_message, only_press, parsed, prompt

DISCORD = discord.PLATFORM
DM, GUILD = "discord/chat_bot_dm", "discord/chat_guild"
APPROVE = "discord/component_approve_dm"


def _body(answer: WebhookAnswer | None) -> dict[str, Any]:
    assert answer is not None
    assert (answer.status, answer.content_type) == (200, "application/json")
    body: dict[str, Any] = msgspec.json.decode(answer.body)
    return body


def _alone(text: str) -> dict[str, Any]:
    return {"type": 4, "data": {"content": text, "flags": 64, "allowed_mentions": {"parse": []}}}


def test_message() -> None:
    """A message keeps who wrote it and when, and the interaction that answers it for a quarter of an hour."""
    read = only_message(DM)
    sent = event(DM)["body"]
    assert (read.name, read.username, read.chat, read.thread) == ("@stranger", "", "400000000000000001", "")
    assert read.sent_at == ((int(sent["id"]) >> 22) + 1420070400000) // 1000
    assert msgspec.json.decode(read.reply) == {
        "application_id": sent["application_id"],
        "interaction_id": sent["id"],
        "channel_id": "400000000000000001",
        "token": sent["token"],
        "expires": read.sent_at + 900,
    }


@pytest.mark.parametrize("context", [0, 2, 3, -1], ids=["guild", "private channel", "to come", "negative"])
def test_only_bot_dm_is_direct(context: int) -> None:
    """Only the bot's own direct messages are direct, whatever else looks like it. Security 22."""
    assert only_message(DM, ("context", context)).chat_type is ChatType.GROUP


@each(
    ("name", "owners", "chat_type"),
    [
        (DM, {"0": "0"}, ChatType.DIRECT),
        (DM, {"0": "0", "1": "200000000000000001"}, ChatType.DIRECT),
        (DM, {"1": "200000000000000001"}, ChatType.GROUP),
        (DM, {"0": "400000000000000001"}, ChatType.GROUP),
        (DM, {}, ChatType.GROUP),
        (GUILD, {"0": "0"}, ChatType.GROUP),
    ],
    ids=["bot", "bot, both installs", "user install", "guild", "nobody", "member"],
)
def test_without_a_context(name: str, owners: dict[str, str], chat_type: ChatType) -> None:
    """Where no context is sent, only the bot's own installation without a guild is direct. Security 22."""
    read = only_message(name, ("context", None), ("authorizing_integration_owners", owners))
    assert read.chat_type is chat_type


def test_invoker() -> None:
    """In a server the member is who writes, whoever else is named. Security 5, 15."""
    assert only_message(GUILD, ("user", {"id": "200000000000000002"})).user_id == "200000000000000001"


def test_invoker_of_a_press() -> None:
    """Who presses is who Discord says, not who the prompt was made for. Security 15."""
    assert only_press("discord/component_by_stranger_guild").user_id == "200000000000000001"


def test_display_name() -> None:
    """Without a username the name is the global name, and an id stays an id. Security 6."""
    read = only_message(DM, ("user.username", ""), ("user.global_name", "@Owner"))
    assert (read.name, read.user_id) == ("Owner", "200000000000000001")


def test_no_name() -> None:
    """Without any name there is none."""
    assert only_message(DM, ("user.username", ""), ("user.global_name", None)).name == ""


@each(
    ("name", "what"),
    [
        ("discord/autocomplete", "autocomplete"),
        ("discord/modal_submit", "unknown_interaction"),
        ("discord/unknown_interaction_type", "unknown_interaction"),
        ("discord/unknown_command", "unknown_command"),
        ("discord/unknown_command_subcommand", "unknown_command"),
        ("discord/user_command", "unknown_command"),
        ("discord/message_command", "unknown_command"),
        ("discord/entry_point_command", "unknown_command"),
    ],
)
def test_ignored(name: str, what: str) -> None:
    """What is neither the command nor a button is ignored, by a word of ours. Security 27, 34."""
    assert only_ignored(name) == what


@pytest.mark.parametrize("name", ["Chat", "chat ", "chats", ""])
def test_other_command(name: str) -> None:
    """Only the command of exactly that name talks to the bot."""
    assert only_ignored(DM, ("data.name", name)) == "unknown_command"


@pytest.mark.parametrize("kind", [2, 3, 4], ids=["user", "message", "entry point"])
def test_other_command_type(kind: int) -> None:
    """A command of another type is another command, even of that name."""
    assert only_ignored(DM, ("data.type", kind)) == "unknown_command"


@pytest.mark.parametrize(
    "options",
    [[], [{"name": "text", "type": 3, "value": "x"}], [{"name": "message", "type": 4, "value": 7}]],
    ids=["none", "another", "of another type"],
)
def test_no_text(options: list[Any]) -> None:
    """A command without its text says nothing."""
    assert only_ignored(DM, ("data.options", options)) == "no_text"


@pytest.mark.parametrize("value", [1, True, {}], ids=["number", "bool", "object"])
def test_text_of_other_type(value: Any) -> None:
    """A text that is none makes an interaction unusable."""
    with pytest.raises(UnusablePayloadError):
        parsed(DM, ("data.options.0.value", value))


BAD_IDS = {"number": 1, "null": None, "bool": True, "empty": "", "sign": "-1", "line break": "1\n", "400": "9" * 400}


@each("value", BAD_IDS.values(), ids=BAD_IDS)
@each("path", ["id", "application_id", "channel_id", "user.id"])
@each("name", [DM, APPROVE], ids=["message", "press"])
def test_id(name: str, path: str, value: Any) -> None:
    """An id that is no text of digits makes an interaction unusable; only the channel need not be named. Security 5."""
    if (path, value) == ("channel_id", None):
        assert '"channel_id":""' in parsed(name, (path, value))[0].reply  # type: ignore[union-attr]
        return
    with pytest.raises(UnusablePayloadError):
        parsed(name, (path, value))


@each("token", [None, "", "a b", "a\n", "ä", "x" * 1025, 1])
def test_token(token: Any) -> None:
    """A token that could not stand in an address makes an interaction unusable. Security 29."""
    with pytest.raises(UnusablePayloadError):
        parsed(DM, ("token", token))


def test_nobody() -> None:
    """An interaction of nobody is unusable. Security 5."""
    with pytest.raises(UnusablePayloadError):
        parsed(DM, ("user", None))


def test_notice() -> None:
    """A requester alone is told what became of the request."""
    assert _body(discord.notice(message(DISCORD), texts.REQUEST_SENT)) == _alone(texts.REQUEST_SENT)


def test_rate_limited() -> None:
    """Whoever asks too soon is told the same again: something must be said. Security 25."""
    assert _body(discord.rate_limited(message(DISCORD), texts.REQUEST_SENT)) == _alone(texts.REQUEST_SENT)


@each("reason", list(Reason))
def test_dropped(reason: Reason) -> None:
    """Every drop says that the bot is private, and to a stranger in a group where to ask, to them alone. Security 22."""
    expected = texts.DIRECT_ONLY if reason in {Reason.GROUP_POLICY, Reason.GROUP_UNKNOWN} else texts.PRIVATE
    assert _body(discord.dropped(message(DISCORD, ChatType.GROUP), reason, english)) == _alone(expected)


@pytest.mark.parametrize(("name", "flags"), [("discord/chat_bot_dm", 0), ("discord/chat_guild", 64)])
def test_admitted(name: str, flags: int) -> None:
    """An answer is promised: to everyone in the bot's direct messages, elsewhere to the writer alone."""
    assert _body(discord.admitted(only_message(name))) == {"type": 5, "data": {"flags": flags}}


@pytest.mark.parametrize("what", ["unknown_command", "unknown_interaction", "no_text"])
def test_ignored_is_answered(what: str) -> None:
    """What is no message is turned away, for Discord must always be answered."""
    assert _body(discord.ignored(Ignored(platform=DISCORD, what=what), english)) == _alone(texts.PRIVATE)


def test_autocomplete_is_answered() -> None:
    """Whoever types is offered nothing, which is the only kind of answer that Discord takes there."""
    ignored = Ignored(platform=DISCORD, what="autocomplete")
    assert _body(discord.ignored(ignored, english)) == {"type": 8, "data": {"choices": []}}


def test_pressed_refused() -> None:
    """A press that changes nothing tells the presser alone, with names escaped. Security 15, 28."""
    press = only_press(APPROVE)
    assert _body(discord.pressed(press, texts.ONLY_THE_OWNER, None)) == _alone(texts.ONLY_THE_OWNER)
    assert _body(discord.pressed(press, "by @everyone", None)) == _alone("by \\@everyone")


def test_pressed() -> None:
    """A press that decides replaces the prompt, and takes the buttons away."""
    closed = prompt("@stranger", DISCORD, "✅ Approved by 2 (button)", closed=True)
    body = _body(discord.pressed(only_press(APPROVE), "✅ Approved", closed))
    assert body == {"type": 7, "data": discord.draw_prompt(closed)}
    assert body["data"]["components"] == []
    assert body["data"]["content"].endswith("\n✅ Approved by 2 (button)")


def test_follow_up() -> None:
    """Nothing is called: the response says it all. Security 29."""
    assert discord.follow_up(only_press(APPROVE), "text", "https://discord.com/api/v10") is None


def test_unusable() -> None:
    """Whoever sent what cannot be read is told so: without an answer the app would seem to be gone."""
    assert _body(discord.unusable(english)) == _alone("Something went wrong. Please try again.")


def test_failed() -> None:
    """A failure asks the person alone to try again, for Discord itself does not."""
    assert _body(discord.failed(english)) == _alone("Something went wrong. Please try again.")

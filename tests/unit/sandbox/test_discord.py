"""The stand-in for Discord does what Discord's documentation says."""

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from doorcode_sandbox.platforms.discord.stand_in import DiscordStandIn, live_markup
from doorcode_sandbox.platforms.forms import FormError
from tests.eventually import PATIENCE_SECONDS
from tests.unit.sandbox.http import call

NOW = 1_800_000_000.0
QUIET: dict[str, Any] = {"allowed_mentions": {"parse": []}}
APPLICATION = DiscordStandIn.APPLICATION
TOKEN = "interaction-token"
ORIGINAL = f"/webhooks/{APPLICATION}/{TOKEN}/messages/@original"
FOLLOW_UP = f"/webhooks/{APPLICATION}/{TOKEN}"


@pytest.fixture
def now() -> list[float]:
    """Give the time, to be changed."""
    return [NOW]


@pytest.fixture
def discord(now: list[float]) -> Iterator[DiscordStandIn]:
    """Give a stand-in with somebody who shares a server with the bot, and a channel of it."""
    with DiscordStandIn(clock=lambda: now[0]) as stand_in:
        stand_in.add_user("5", channel="50")
        stand_in.channels.add("60")
        yield stand_in


def _do(stand_in: DiscordStandIn, verb: str, path: str, fields: Any = None, *, bot: bool = True) -> Any:
    headers: dict[str, Any] = {"Authorization": f"Bot {stand_in.token}"} if bot else {}
    return call(stand_in, verb, f"/api/v10{path}", fields, **headers)[:2]


def _send(stand_in: DiscordStandIn, channel: str = "50", **fields: Any) -> Any:
    return _do(stand_in, "POST", f"/channels/{channel}/messages", {"content": "hello", **QUIET, **fields})


def _row(*buttons: dict[str, Any]) -> dict[str, Any]:
    return {"type": 1, "components": list(buttons)}


def _button(**button: Any) -> dict[str, Any]:
    return {"type": 2, "style": 3, "label": "x", "custom_id": "a", **button}


@pytest.mark.parametrize("header", ["", "Bot wrong", "Bearer stand-in.discord.token"])
def test_token(discord: DiscordStandIn, header: str) -> None:
    """Without the bot's token: 401."""
    headers: dict[str, Any] = {"Authorization": header} if header else {}
    answer = call(discord, "GET", "/api/v10/applications/@me", **headers)
    assert answer[:2] == (401, {"message": "401: Unauthorized", "code": 0})


def test_paths(discord: DiscordStandIn) -> None:
    """A path that there is not is 404, another verb 405, and what is no JSON 400."""
    assert _do(discord, "GET", "/nowhere")[0] == 404
    assert _do(discord, "DELETE", "/applications/@me")[0] == 405
    assert _do(discord, "POST", "/channels/50/messages", b"{")[1]["code"] == 50109


def test_direct_messages(discord: DiscordStandIn) -> None:
    """A channel can be opened with anybody; a message is refused where no server is shared, or none is wanted."""
    opened = _do(discord, "POST", "/users/@me/channels", {"recipient_id": "5"})[1]
    assert (opened["id"], opened["type"]) == ("50", 1)
    discord.add_user("6", refuses=50007, channel="51")
    assert _send(discord, "51") == (403, {"message": "Cannot send messages to this user", "code": 50007})
    stranger = _do(discord, "POST", "/users/@me/channels", {"recipient_id": "7"})[1]["id"]
    assert _send(discord, stranger)[1]["code"] == 50278
    assert _do(discord, "POST", "/users/@me/channels", {"recipient_id": APPLICATION})[1]["code"] == 50033
    assert _do(discord, "POST", "/users/@me/channels", {"recipient_id": "bob"})[1]["code"] == 50035
    assert _do(discord, "POST", "/users/@me/channels", [])[1]["code"] == 50035


def test_message(discord: DiscordStandIn) -> None:
    """A message comes back with its id and what it shows."""
    rows = [_row(_button(), _button(custom_id="b"), _button(custom_id=None, url="https://a.example", style=5))]
    status, message = _send(discord, components=rows)
    assert (status, message["channel_id"], message["content"]) == (200, "50", "hello")
    assert _send(discord, "60")[0] == 200
    assert _send(discord, "70")[1] == {"message": "Unknown Channel", "code": 10003}


def test_refused(discord: DiscordStandIn) -> None:
    """What Discord refuses, or we never mean to send, is refused with its code."""
    for fields, code in (
        ({"content": "x" * 2001}, 50035),
        ({"content": " "}, 50006),
        ({"components": [_row(_button(custom_id="x" * 101))]}, 50035),
        ({"components": [_row(_button(custom_id=""))]}, 50035),
        ({"components": [_row(_button(custom_id=None))]}, 50035),
        ({"components": [_row(_button(url="https://a.example"))]}, 50035),
        ({"components": [_row(_button(label="x" * 81))]}, 50035),
        ({"components": [_row(_button(), _button())]}, 50035),
        ({"components": [_row()]}, 50035),
        ({"components": [_row(_button())] * 6}, 50035),
        ({"nonce": "x" * 26}, 50035),
        ({"colour": "red"}, 50035),
        ({"allowed_mentions": None}, 50035),
        ({"allowed_mentions": {"parse": ["users"]}}, 50035),
        ({"allowed_mentions": {"parse": [], "users": ["5"]}}, 50035),
    ):
        assert _send(discord, **fields)[1]["code"] == code, fields
        assert discord.in_chat("50") == [], fields


def test_limits_are_inclusive(discord: DiscordStandIn) -> None:
    """2000 characters, 100 of a custom id and 80 of a label pass."""
    rows = [_row(_button(custom_id="x" * 100, label="x" * 80))]
    assert _send(discord, content="x" * 2000, components=rows)[0] == 200


@pytest.mark.parametrize(
    ("mentions", "everyone", "users"),
    [({}, True, ["5"]), (QUIET, False, []), ({"allowed_mentions": {"parse": ["everyone", "users"]}}, True, ["5"])],
)
def test_mentions(mentions: dict[str, Any], users: list[str], *, everyone: bool) -> None:
    """Whom a message notifies is up to ``allowed_mentions``, and without it everyone whom it names."""
    with DiscordStandIn(strict=False) as discord:
        discord.channels.add("60")
        fields = {"content": "@everyone <@5>", **mentions}
        message = _do(discord, "POST", "/channels/60/messages", fields)[1]
        assert (message["mention_everyone"], [user["id"] for user in message["mentions"]]) == (everyone, users)


def test_nonce(discord: DiscordStandIn, now: list[float]) -> None:
    """The same nonce within minutes returns the message that is there, if that is asked for."""
    first = _send(discord, nonce="n", enforce_nonce=True)[1]
    assert _send(discord, nonce="n", enforce_nonce=True, content="other")[1] == first
    assert _send(discord, nonce="n")[1]["id"] != first["id"]
    assert _send(discord, nonce=7, enforce_nonce=True)[1]["nonce"] == 7
    assert "nonce" not in _send(discord)[1]
    assert len(discord.in_chat("50")) == 4
    now[0] += 300
    assert _send(discord, nonce="n", enforce_nonce=True)[1]["id"] != first["id"]


def test_edit(discord: DiscordStandIn) -> None:
    """An edit changes what it names, and takes buttons away where it names none."""
    message = _send(discord, components=[_row(_button())])[1]
    path = f"/channels/50/messages/{message['id']}"
    edited = _do(discord, "PATCH", path, {"content": "other", **QUIET})[1]
    assert (edited["content"], len(edited["components"])) == ("other", 1)
    edited = _do(discord, "PATCH", path, {"components": [], **QUIET})[1]
    assert (edited["content"], edited["components"]) == ("other", [])
    assert _do(discord, "PATCH", path, {"content": "", **QUIET})[1]["code"] == 50006
    assert _do(discord, "PATCH", "/channels/50/messages/1", {"content": "x", **QUIET})[1]["code"] == 10008


def test_typing(discord: DiscordStandIn) -> None:
    """Typing has no answer."""
    assert _do(discord, "POST", "/channels/60/typing") == (204, b"")
    assert _do(discord, "POST", "/channels/70/typing")[1]["code"] == 10003
    assert discord.typed == ["60"]


def test_interaction(discord: DiscordStandIn) -> None:
    """A deferred response is edited, keeps who sees it, and is followed up; no bot's token is needed."""
    discord.interaction(TOKEN, "60")
    assert _do(discord, "PATCH", ORIGINAL, {"content": "x", **QUIET}, bot=False)[1]["code"] == 10015
    discord.respond(TOKEN, json.dumps({"type": 5, "data": {"flags": 64}}).encode())
    (message,) = discord.in_chat("60")
    assert message.shown["flags"] == 64 | 128
    edited = _do(discord, "PATCH", ORIGINAL, {"content": "answer", **QUIET}, bot=False)[1]
    assert (edited["content"], edited["flags"]) == ("answer", 64)
    assert _do(discord, "GET", ORIGINAL, bot=False)[1]["content"] == "answer"
    further = _do(discord, "POST", FOLLOW_UP, {"content": "more", "flags": 64, **QUIET}, bot=False)[1]
    assert further["flags"] == 64
    refused = _do(discord, "POST", FOLLOW_UP, {"content": "more", "nonce": "n", **QUIET}, bot=False)[1]
    assert refused["code"] == 50035


def test_token_expiry(discord: DiscordStandIn, now: list[float]) -> None:
    """An interaction's token lives for 15 minutes; one that never was, or of another application, is unknown."""
    discord.interaction(TOKEN, "60")
    discord.respond(TOKEN, json.dumps({"type": 4, "data": {"content": "hello", **QUIET}}).encode())
    now[0] += 899
    assert _do(discord, "GET", ORIGINAL, bot=False)[0] == 200
    now[0] += 1
    assert _do(discord, "GET", ORIGINAL, bot=False) == (401, {"message": "Invalid Webhook Token", "code": 50027})
    assert _do(discord, "GET", ORIGINAL.replace(TOKEN, "other"), bot=False)[1]["code"] == 10015
    assert _do(discord, "GET", ORIGINAL.replace(APPLICATION, "1"), bot=False)[1]["code"] == 10015


def test_responses(discord: DiscordStandIn) -> None:
    """Responses are checked as messages are, and those without a message make none."""
    discord.interaction(TOKEN, "60")
    discord.respond(TOKEN, b'{"type": 1}')
    assert discord.in_chat("60") == []
    with pytest.raises(FormError, match="mentioned"):
        discord.respond(TOKEN, b'{"type": 4, "data": {"content": "hello"}}')


def test_an_answer_that_is_faster_than_its_response(discord: DiscordStandIn) -> None:
    """Who is patient finds the response to an interaction although it is read after the call; who is not, does not."""
    discord.interaction(TOKEN, "60")
    assert _do(discord, "PATCH", ORIGINAL, {"content": "hi", **QUIET}, bot=False)[0] == 404
    discord.patience = PATIENCE_SECONDS
    reader = threading.Timer(0.05, discord.respond, (TOKEN, b'{"type": 5}'))
    reader.start()
    assert _do(discord, "PATCH", ORIGINAL, {"content": "hi", **QUIET}, bot=False)[0] == 200
    reader.join()
    assert [message.shown["content"] for message in discord.in_chat("60")] == ["hi"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b'{"type": 7, "data": {}}', b'{"type": 4, "data": {}}'])
def test_no_responses(discord: DiscordStandIn, body: bytes) -> None:
    """What is no response to a command is refused, and nothing is shown."""
    discord.interaction(TOKEN, "60")
    with pytest.raises(FormError):
        discord.respond(TOKEN, body)
    assert discord.in_chat("60") == []


def test_application(discord: DiscordStandIn) -> None:
    """The application is shown and changed; an endpoint that does not answer as it should is refused."""
    assert _do(discord, "GET", "/applications/@me")[1]["id"] == APPLICATION
    endpoint = {"interactions_endpoint_url": "https://a.example/discord"}
    discord.probe = lambda _: False
    assert _do(discord, "PATCH", "/applications/@me", endpoint)[1]["code"] == 50035
    discord.probe = lambda url: url == endpoint["interactions_endpoint_url"]
    assert _do(discord, "PATCH", "/applications/@me", endpoint)[1] == discord.application
    assert discord.application["interactions_endpoint_url"] == "https://a.example/discord"


def test_commands(discord: DiscordStandIn) -> None:
    """Commands are replaced as a whole, for one's own application."""
    option = {"type": 3, "name": "message", "description": "What to say", "required": True, "max_length": 2000}
    command = {
        "name": "chat",
        "description": "Talk",
        "options": [option],
        "contexts": [0, 1, 2],
        "integration_types": [0, 1],
    }
    path = f"/applications/{APPLICATION}/commands"
    status, commands = _do(discord, "PUT", path, [command])
    assert (status, commands[0]["name"], discord.commands) == (200, "chat", commands)
    assert _do(discord, "PUT", path, [command | {"name": "Not A Name"}])[1]["code"] == 50035
    assert _do(discord, "PUT", path.replace(APPLICATION, "1"), [command])[1]["code"] == 10015


def test_rate_limit(discord: DiscordStandIn) -> None:
    """A rate limit says how long in the body, in fractions, and in a header, in whole seconds."""
    discord.inject(status=429, delay=0.7)
    status, answer, headers = call(discord, "GET", "/api/v10/applications/@me", Authorization=f"Bot {discord.token}")
    assert (status, answer["retry_after"], headers["Retry-After"]) == (429, 0.7, "1")
    discord.inject(status=503)
    assert _do(discord, "GET", "/applications/@me")[0] == 503


def test_live_markup() -> None:
    """What apps draw as something else than text is told, unless it is escaped."""
    for content, live in (
        ("**b** _i_ ~~s~~ ||h|| `c`", ["**b**", "_i_", "~~s~~", "||h||", "`c`"]),
        ("<@5> <#6> <@&7> <:a:1> <t:1:R> @everyone", ["<@5>", "<#6>", "<@&7>", "<:a:1>", "<t:1:R>", "@everyone"]),
        ("[a](https://b.example) https://c.example", ["[a](https://b.example)", "https://c.example"]),
        ("# big\n> quoted\n- listed", ["# ", "> ", "- "]),
        (r"\*\*b\*\* \<\@5\> \[a\](https\://b) \@everyone \# x", []),
    ):
        assert live_markup(content) == live, content

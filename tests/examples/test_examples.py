"""Security 43: each example's gate holds for every kind of entry, and is closed when Doorcode does not answer."""

import asyncio
import importlib
import itertools
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from doorcode.pairing import texts
from doorcode.pairing.contact import Platform
from doorcode_sandbox.platforms.server import StandIn
from doorcode_sandbox.platforms.telegram.stand_in import TelegramStandIn
from tests.behind.harness import STRANGER_CHANNEL
from tests.examples.conftest import asked, button
from tests.web.harness import WebHarness
from tests.webhooks import OWNER, STRANGER

EXAMPLES = Path(__file__).parents[2] / "docs/examples"
TOKEN = "7000000001:stand-in"

Feed = Callable[[dict[str, Any]], Awaitable[Any]]
numbers = itertools.count(1)


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*_bot.py")), ids=lambda path: path.stem)
def test_a_gate_is_short(path: Path) -> None:
    """It takes at most 20 lines, besides the few that ask."""
    gate = path.read_text(encoding="utf-8").partition("# The gate\n")[2].partition("# Your bot")[0]
    assert 0 < len([line for line in gate.splitlines() if line.strip()]) <= 20


def update(user_id: str, kind: str, **more: Any) -> dict[str, Any]:
    """Return an update of Telegram's."""
    person = {"id": int(user_id), "is_bot": False, "first_name": "Sam"}
    chat = {"id": int(user_id), "type": "private", "first_name": "Sam"}
    message = {"message_id": 7, "date": 1_800_000_000, "chat": chat, "from": person, "text": "Hello?"}
    parts: dict[str, dict[str, Any]] = {
        "message": message,
        "edited_message": message | {"edit_date": 1_800_000_001},
        "callback_query": {
            "id": str(next(numbers)),
            "from": person,
            "chat_instance": "1",
            "data": "menu:1",
            "message": message,
        },
        "channel_post": {name: value for name, value in message.items() if name != "from"},
    }
    return {"update_id": next(numbers), kind: parts[kind] | more}


async def with_telegram_bot(api_url: str, scenario: Callable[[Feed], Awaitable[None]]) -> None:
    """Run python-telegram-bot's own dispatcher."""
    from telegram import Bot, Update  # noqa: PLC0415
    from telegram.ext import Application  # noqa: PLC0415

    example = importlib.import_module("python_telegram_bot")
    application = example.build(Application.builder().bot(Bot(TOKEN, base_url=f"{api_url}/bot")).updater(None))
    async with application:
        await scenario(lambda body: application.process_update(Update.de_json(body, application.bot)))


async def with_aiogram(api_url: str, scenario: Callable[[Feed], Awaitable[None]]) -> None:
    """Run aiogram's own dispatcher."""
    from aiogram import Bot  # noqa: PLC0415
    from aiogram.client.session.aiohttp import AiohttpSession  # noqa: PLC0415
    from aiogram.client.telegram import TelegramAPIServer  # noqa: PLC0415

    dispatcher = importlib.import_module("aiogram_bot").build()
    bot = Bot(TOKEN, session=AiohttpSession(api=TelegramAPIServer.from_base(api_url)))
    try:
        await scenario(lambda body: dispatcher.feed_raw_update(bot, body))
    finally:
        await bot.session.close()


@pytest.mark.parametrize("run", [with_telegram_bot, with_aiogram], ids=["python-telegram-bot", "aiogram"])
def test_on_telegram(
    gate: WebHarness, stand_ins: dict[Platform, StandIn], monkeypatch: pytest.MonkeyPatch, run: Any
) -> None:
    """A stranger asks and is told; nothing of theirs passes until the owner's press, whatever it is; then all of it does."""
    stand_in, stranger = stand_ins[Platform.TELEGRAM], STRANGER[Platform.TELEGRAM]
    assert isinstance(stand_in, TelegramStandIn)

    def heard() -> list[str]:
        return [str(message.shown.get("text")) for message in stand_in.in_chat(stranger)]

    async def scenario(feed_raw: Feed) -> None:
        async def feed(body: dict[str, Any]) -> None:
            if "callback_query" in body:
                stand_in.press(body["callback_query"]["id"])
            await feed_raw(body)

        for kind in ("callback_query", "edited_message", "channel_post"):
            await feed(update(stranger, kind))
        assert heard() == []
        await feed(update(stranger, "message"))
        await feed(update(stranger, "message"))
        assert heard() == [texts.REQUEST_SENT]
        data = button(gate, Platform.TELEGRAM, stranger)
        # Nobody's press but the owner's.
        await feed(update(stranger, "callback_query", data=data))
        await feed(update(stranger, "message"))
        assert heard() == [texts.REQUEST_SENT]
        await feed(update(OWNER[Platform.TELEGRAM], "callback_query", data=data))
        for kind in ("message", "callback_query"):
            await feed(update(stranger, kind))
        assert heard() == [texts.REQUEST_SENT, "Hello!", "Hello!"]
        # A question's buttons are the owner's, too.
        question, approve = asked(gate)
        for person, state in ((stranger, "pending"), (OWNER[Platform.TELEGRAM], "approved")):
            await feed(update(person, "callback_query", data=approve))
            assert gate.session().get(f"/api/asks/{question}").body["state"] == state
        # Not even the owner, while the gate does not answer.
        monkeypatch.setenv("DOORCODE_API", "http://127.0.0.1:9")
        for person in (stranger, OWNER[Platform.TELEGRAM]):
            await feed(update(person, "message"))
        assert heard() == [texts.REQUEST_SENT, "Hello!", "Hello!"]
        assert stand_in.in_chat(OWNER[Platform.TELEGRAM]) == []

    asyncio.run(run(stand_in.api_url, scenario))


def test_on_slack(gate: WebHarness, stand_ins: dict[Platform, StandIn], monkeypatch: pytest.MonkeyPatch) -> None:
    """Likewise in Socket Mode, for messages, commands and buttons; what is refused is acknowledged, so that it is not sent again."""
    from slack_bolt.adapter.socket_mode.internals import run_bolt_app  # noqa: PLC0415
    from slack_bolt.authorization import AuthorizeResult  # noqa: PLC0415
    from slack_sdk import WebClient  # noqa: PLC0415
    from slack_sdk.socket_mode.request import SocketModeRequest  # noqa: PLC0415

    stand_in, stranger = stand_ins[Platform.SLACK], STRANGER[Platform.SLACK]
    # Bolt's client names the workspace with each call, which Slack documents for some calls only.
    stand_in.strict = False
    bot = AuthorizeResult(
        enterprise_id=None, team_id="T0DOOR0001", bot_token="xoxb-stand-in", bot_id="B1", bot_user_id="U0BOT00001"
    )
    app = importlib.import_module("bolt_bot").build(
        authorize=lambda **_: bot,
        client=WebClient("xoxb-stand-in", base_url=f"{stand_in.api_url}/"),
        process_before_response=True,
    )

    def feed(person: str, kind: str, value: str = "menu:1", action: str = "menu") -> str:
        channel, number = STRANGER_CHANNEL[Platform.SLACK], str(next(numbers))
        payloads: dict[str, Any] = {
            "message": {
                "type": "event_callback", "team_id": "T0DOOR0001", "event_id": f"Ev{number}",
                "event": {"type": "message", "channel_type": "im", "channel": channel, "user": person, "text": "Hi", "ts": f"{number}.1"},
            },
            "command": {
                "command": "/hello", "team_id": "T0DOOR0001", "user_id": person, "channel_id": channel, "trigger_id": number,
                "response_url": "http://127.0.0.1:9/",
            },
            "button": {
                "type": "block_actions", "team": {"id": "T0DOOR0001"}, "user": {"id": person, "team_id": "T0DOOR0001"},
                "channel": {"id": channel}, "trigger_id": number,
                "actions": [{"type": "button", "action_id": action, "value": value, "action_ts": f"{number}.1"}],
            },
        }  # fmt: skip
        response = run_bolt_app(app, SocketModeRequest(type="events_api", envelope_id=number, payload=payloads[kind]))
        assert response.status == 200, response.body
        return str(response.body)

    def heard() -> list[str]:
        return [str(message.shown.get("text")) for message in stand_in.in_chat(STRANGER_CHANNEL[Platform.SLACK])]

    feed(stranger, "button")
    assert heard() == []
    feed(stranger, "message")
    assert feed(stranger, "command") == ""
    assert heard() == [texts.REQUEST_SENT]
    gate.approve(stranger, now=gate.now, platform=Platform.SLACK)
    feed(stranger, "message")
    assert feed(stranger, "command") == "Hello!"
    feed(stranger, "button")
    assert heard() == [texts.REQUEST_SENT, "Hello!", "Hello!"]
    monkeypatch.setenv("DOORCODE_API", "http://127.0.0.1:9")
    for kind in ("message", "button", "command"):
        assert feed(OWNER[Platform.SLACK], kind) == ""
    assert heard() == [texts.REQUEST_SENT, "Hello!", "Hello!"]


def test_on_discord(gate: WebHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    """Likewise on a gateway connection: direct messages, slash commands and buttons of views, through its own parsers."""
    import discord  # noqa: PLC0415

    stranger, owner = STRANGER[Platform.DISCORD], OWNER[Platform.DISCORD]
    said: list[str] = []

    async def say(_: Any, content: str, **__: Any) -> None:
        said.append(content)

    monkeypatch.setattr(discord.InteractionResponse, "send_message", say)
    monkeypatch.setattr(discord.abc.Messageable, "send", say)
    example = importlib.import_module("discord_bot")

    async def scenario() -> None:
        bot = example.build()
        await bot._async_setup_hook()
        bot._connection.user = discord.ClientUser(state=bot._connection, data=person_of("700000000000000001"))
        bot.add_view(example.View(timeout=None))

        async def feed(who: str, kind: str, custom_id: str = "menu") -> None:
            number = str(900000000000000000 + next(numbers))
            person, channel = person_of(who), {"id": "800000000000000001", "type": 1, "recipients": [person_of(who)]}
            common = {
                "id": number, "application_id": "1", "token": "t", "version": 1, "user": person, "channel": channel,
                "channel_id": channel["id"], "entitlements": [], "authorizing_integration_owners": {}, "context": 1,
                "attachment_size_limit": 1,
            }  # fmt: skip
            message = {
                "id": number, "channel_id": channel["id"], "author": person, "content": "!hello", "timestamp": "2027-01-15T08:00:00+00:00",
                "edited_timestamp": None, "tts": False, "mention_everyone": False, "mentions": [], "mention_roles": [],
                "attachments": [], "embeds": [], "pinned": False, "type": 0, "components": [],
            }  # fmt: skip
            if kind == "message":
                bot._connection.parse_message_create(message)
            elif kind == "command":
                data: dict[str, Any] = {"id": "5", "name": "hello", "type": 1}
                bot._connection.parse_interaction_create(common | {"type": 2, "data": data})
            else:
                data = {"custom_id": custom_id, "component_type": 2}
                bot._connection.parse_interaction_create(common | {"type": 3, "data": data, "message": message})
            mine = asyncio.current_task()
            while pending := [task for task in asyncio.all_tasks() if task is not mine]:
                await asyncio.wait(pending, timeout=5)

        await feed(stranger, "button")
        assert said == ["This bot is private."]
        await feed(stranger, "message")
        await feed(stranger, "message")
        await feed(stranger, "command")
        assert said == ["This bot is private.", texts.REQUEST_SENT, "This bot is private."]
        await feed(owner, "button", button(gate, Platform.DISCORD, stranger))
        assert said[-1].startswith("✅ Approved")
        said.clear()
        for kind in ("message", "command", "button"):
            await feed(stranger, kind)
        assert said == ["Hello!"] * 3
        monkeypatch.setenv("DOORCODE_API", "http://127.0.0.1:9")
        for kind in ("message", "command", "button"):
            await feed(owner, kind)
        assert said == [*["Hello!"] * 3, "This bot is private.", "This bot is private."]

    asyncio.run(scenario())


def person_of(user_id: str) -> Any:
    """Return a person of Discord's."""
    return {"id": user_id, "username": "sam", "discriminator": "0", "avatar": None, "global_name": "Sam"}

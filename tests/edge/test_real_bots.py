"""Bots as people have them, unchanged and with their own check of the platform's signature, behind the door."""

import os
import queue
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from doorcode.pairing.contact import Contact, Platform, State
from doorcode.platforms.discord import deeds as discord_deeds
from doorcode.platforms.slack import deeds as slack_deeds
from doorcode.platforms.telegram import deeds as telegram_deeds
from doorcode_sandbox.platforms.slack.stand_in import SlackStandIn
from doorcode_sandbox.platforms.telegram.stand_in import TelegramStandIn
from tests import webhooks
from tests.edge.harness import Edge, body_of
from tests.webhooks import OWNER, STRANGER, load

PROGRAMS = Path(__file__).parent / "real_bots"
ROOMS = {Platform.TELEGRAM: telegram_deeds, Platform.SLACK: slack_deeds, Platform.DISCORD: discord_deeds}
# Longer than anything here takes, on the busiest machine.
PATIENCE_SECONDS = 60.0


class Running:
    """A bot's process, and what it says of what reached it."""

    def __init__(self, process: subprocess.Popen[str], url: str) -> None:
        self.url = url
        self._process = process
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in self._process.stdout or ():
            self._lines.put(line.strip())

    def heard(self) -> str:
        """Return the next thing that it says."""
        return self._lines.get(timeout=PATIENCE_SECONDS)

    def heard_nothing(self) -> bool:
        """Tell whether it has said nothing so far."""
        return self._lines.empty()


@contextmanager
def running(program: str, path: str, **environment: str) -> Iterator[Running]:
    """Run a bot until it takes connections, and end it."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-u", str(PROGRAMS / program)]
    environment = {"PORT": str(port), "PATH": os.environ["PATH"], "PYTHONWARNINGS": "ignore", **environment}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True) as process:
        try:
            began = time.monotonic()
            while True:
                with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
                    break
                assert process.poll() is None
                assert time.monotonic() - began < PATIENCE_SECONDS
                time.sleep(0.05)
            yield Running(process, f"http://127.0.0.1:{port}{path}")
        finally:
            process.terminate()


@pytest.fixture
def deliver(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, Any]]:
    """Give a function that delivers an event now, as bots look at the time, to the door before a bot."""
    for room in ROOMS.values():
        monkeypatch.setattr(room, "SECONDS", PATIENCE_SECONDS)

    def delivered(name: str, bot: Running, body: Any = None) -> dict[str, Any]:
        event = load(name)
        event = event if body is None else webhooks.Delivery(event.platform, body, event.form, event.headers)
        settings = {"AGENT": "bot", "AGENT_URL": bot.url, "OWNER_USER_IDS": "telegram:1", "UNKNOWN_USER_POLICY": "deny"}
        return edge.deliver(event, int(time.time()), **settings)

    return delivered


def let_in(edge: Edge, platform: Platform) -> None:
    """Pair whoever the events are by."""
    for person in (STRANGER[platform], OWNER[platform]):
        edge.put(Contact(platform=platform, user_id=person, state=State.PAIRED, rev=1))


def test_python_telegram_bot(edge: Edge, deliver: Callable[..., dict[str, Any]]) -> None:
    """Security 40: with its secret token on; a stranger reaches none of its handlers, an admitted person all of them."""
    events = {
        "telegram/private_text": "message", "telegram/edited_message": "edit", "telegram/inline_query": "inline",
        "telegram/callback_query_foreign_data": "button", "telegram/pre_checkout_query": "checkout",
        "telegram/private_successful_payment": "payment", "telegram/message_reaction": "reaction",
    }  # fmt: skip
    with (
        TelegramStandIn(strict=False) as api,
        running("telegram_bot.py", "/hook", TOKEN=api.token, API_URL=api.url, SECRET=webhooks.WEBHOOK_SECRET) as bot,
    ):
        api.open_chat(STRANGER[Platform.TELEGRAM], heard=(1,))
        api.press(load("telegram/callback_query_foreign_data").body["callback_query"]["id"])
        for name in events:
            assert deliver(name, bot)["statusCode"] == 200
        let_in(edge, Platform.TELEGRAM)
        for name, kind in events.items():
            event = load(name)
            assert deliver(name, bot)["statusCode"] == 200
            person = OWNER if kind == "button" else STRANGER
            assert bot.heard() == f"{kind} {event.body['update_id']} {person[Platform.TELEGRAM]}"
        # It set the webhook itself, to the door, with the door's secret and the kinds that it wants.
        assert (api.hook.url, api.hook.secret_token) == ("https://door.example/telegram", webhooks.WEBHOOK_SECRET)
        assert "message_reaction" in api.hook.allowed_updates
        said = f"You said: {load('telegram/private_text').body['message']['text']}"
        assert api.wait(lambda: [one.shown["text"] for one in api.in_chat(STRANGER[Platform.TELEGRAM])] == [said])
        assert bot.heard_nothing()


def test_slack_bolt(edge: Edge, deliver: Callable[..., dict[str, Any]]) -> None:
    """Security 40: with its signature check on; what it answers a command, a menu and a modal stands in the response."""
    events = {
        "slack/message_im": ("message", STRANGER, None),
        "slack/reaction_added": ("reaction", STRANGER, None),
        "slack/command": ("command", STRANGER, "Weather: tomorrow & <after>"),
        "slack/block_suggestion": ("options", STRANGER, {"options": [{"text": {"type": "plain_text", "text": "Bern"}, "value": "bern"}]}),
        "slack/view_submission": ("view", OWNER, {"response_action": "errors", "errors": {"hspI": "Try another"}}),
    }  # fmt: skip
    with (
        SlackStandIn(strict=False) as api,
        running(
            "bolt_app.py", "/hook", TOKEN=api.token, API_URL=f"{api.api_url}/", SECRET=webhooks.SIGNING_SECRET
        ) as bot,
    ):
        assert "Bolt app is running" in bot.heard()
        api.open_chat(STRANGER[Platform.SLACK])
        for name in events:
            response = deliver(name, bot)
            assert (response["statusCode"], response.get("body")) == (200, None)
        let_in(edge, Platform.SLACK)
        for name, (kind, people, answer) in events.items():
            response = deliver(name, bot)
            assert response["statusCode"] == 200
            assert bot.heard() == f"{kind} {people[Platform.SLACK]}"
            told = response.get("body") if isinstance(answer, str) else body_of(response)
            assert told == answer
        assert api.wait(lambda: len(api.in_chat("D0STRANGER")) == 1)
        assert bot.heard_nothing()


def test_a_discord_app(edge: Edge, deliver: Callable[..., dict[str, Any]]) -> None:
    """Security 40: with its own Ed25519 check; a command, autocomplete and a modal, each answered in the response."""
    events = {
        "discord/unknown_command": (2, {"type": 9, "data": {"custom_id": "m", "title": "A modal"}}),
        "discord/autocomplete": (4, {"type": 8, "data": {"choices": [{"name": "Bern", "value": "bern"}]}}),
        "discord/modal_submit": (5, {"type": 4, "data": {"content": "Thank you"}}),
        "discord/chat_bot_dm": (2, {"type": 9, "data": {"custom_id": "m", "title": "A modal"}}),
    }
    with running("interactions_app.py", "/", SECRET=webhooks.PUBLIC_KEY) as bot:
        for name in events:
            told = body_of(deliver(name, bot))
            assert told["type"] == (8 if name == "discord/autocomplete" else 4)
            assert "This bot is private." in str(told) or told == {"type": 8, "data": {"choices": []}}
        let_in(edge, Platform.DISCORD)
        for name, (kind, answer) in events.items():
            assert body_of(deliver(name, bot)) == answer
            assert bot.heard() == f"{kind} {STRANGER[Platform.DISCORD]}"
        assert bot.heard_nothing()

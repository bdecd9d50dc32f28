"""Setting up with ``doorcode`` as a process, on the deployed stack, with the platforms' stand-ins; and rotation at work."""

import itertools
import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, Self

import pytest

from doorcode.aws.items import CONTACT, contact_pk
from doorcode.aws.secrets import REREAD_SECONDS
from doorcode.pairing import callbacks
from doorcode.pairing.callbacks import Action, Callback
from doorcode.pairing.codes import code_for
from doorcode.pairing.contact import Platform
from doorcode.pairing.keyring import Keyring, parse_keyring
from doorcode_sandbox.platforms.discord.stand_in import DiscordStandIn
from doorcode_sandbox.platforms.slack.stand_in import SlackStandIn
from doorcode_sandbox.platforms.telegram.stand_in import Hook
from tests import webhooks
from tests.backends import dynamodb
from tests.backends.in_process import REGION
from tests.forked import Ended, doorcode
from tests.integration.near_telegram import NearTelegram
from tests.integration.stack import Cloud, Reply, Stack
from tests.webhooks import APPROVE, HELLO, OWNER, load

TELEGRAM, SLACK, DISCORD, *_ = Platform
MAX_AGE = 4
# People take their time, and so does this machine.
PAUSE_SECONDS = 0.2
OWN = ("gateway-secret", "callback-secret", "telegram/webhook-secret")


class Site:
    """A deployed stack, its operator, and the platforms it talks to."""

    def __init__(self, stack: Stack, telegram: NearTelegram, slack: SlackStandIn, discord: DiscordStandIn) -> None:
        self.stack, self.telegram, self.slack, self.discord = stack, telegram, slack, discord
        self._numbers = itertools.count(1)

    def run(self, *arguments: str, stdin: str = "", **changes: str | None) -> Ended:
        """Run ``doorcode``; None in the environment takes a variable out."""
        environment = {
            "PATH": os.environ["PATH"], "HOME": "/nonexistent", "AWS_ENDPOINT_URL": self.stack.cloud.url,
            **dynamodb.CREDENTIALS, "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true", "AWS_MAX_ATTEMPTS": "1", "DOORCODE_STACK": self.stack.name, **changes,
        }  # fmt: skip
        given = {name: value for name, value in environment.items() if value is not None}
        ended = doorcode(arguments, given, typed=stdin)
        for name in OWN:
            for line in self.stack.secret(name).splitlines():
                assert line not in ended.out + ended.err
        return ended

    def done(self, *arguments: str, stdin: str = "") -> Ended:
        """Run a command that succeeds."""
        ended = self.run(*arguments, stdin=stdin)
        assert ended.code == 0, ended
        return ended

    def ring(self, name: str) -> Keyring:
        """Return a ring as it is."""
        return parse_keyring(self.stack.secret(name))

    def probe(self, _url: str) -> bool:
        """Try the endpoint as Discord does: rightly signed, and wrongly."""
        ping = load("discord/ping")
        raw = ping.raw()
        signed = webhooks.signed(DISCORD, raw, int(time.time()))
        right = self.stack.post("discord", raw, signed)
        wrong = self.stack.post("discord", raw + b" ", signed)
        return right.status == 200 and right.json == {"type": 1} and wrong.status == 401

    def says(self, user_id: str, secret: str = "") -> Reply:
        """Have somebody write on Telegram, with the secret that Telegram was given."""
        event = load(HELLO[TELEGRAM]).another(next(self._numbers))
        event.body["message"]["from"]["id"] = event.body["message"]["chat"]["id"] = int(user_id)
        return self._send(event.raw(), secret)

    def presses(self, data: str, secret: str = "") -> Reply:
        """Have the owner press a button on Telegram."""
        event = load(APPROVE[TELEGRAM])
        return self._send(event.replaced(event.expect["callback"], data).another(next(self._numbers)).raw(), secret)

    def _send(self, raw: bytes, secret: str) -> Reply:
        return self.stack.post(
            "telegram", raw, {"X-Telegram-Bot-Api-Secret-Token": secret or self.telegram.hook.secret_token}
        )  # fmt: skip

    def contact(self, user_id: str) -> dict[str, str]:
        """Return what the table says of somebody."""
        key = {"pk": {"S": contact_pk(TELEGRAM, user_id)}, "sk": {"S": CONTACT}}
        found = self.stack.client("dynamodb").get_item(TableName=self.stack.table, Key=key, ConsistentRead=True)
        return {name: next(iter(value.values())) for name, value in found.get("Item", {}).items()}

    def code(self, user_id: str) -> str:
        """Return the code of somebody's request; empty if its secret is gone."""
        contact = self.contact(user_id)
        secret = self.ring("gateway-secret").find(contact["key_id"])
        return code_for(secret, TELEGRAM, user_id, contact["nonce"]) if secret else ""

    def button(self, user_id: str, keys: Keyring, code: str = "") -> str:
        """Return what the approve button of somebody's prompt holds, signed with the newest of those keys."""
        return callbacks.sign(Callback(Action.APPROVE, TELEGRAM, user_id, code or self.code(user_id)), keys)


@pytest.fixture(scope="module")
def site(cloud: Cloud) -> Iterator[Site]:
    """Give a stack of its own, as it is right after its first deployment."""
    with ExitStack() as running:
        telegram = running.enter_context(NearTelegram())
        slack, discord = running.enter_context(SlackStandIn()), running.enter_context(DiscordStandIn())
        discord.application["verify_key"] = webhooks.PUBLIC_KEY
        owners = ",".join(f"{platform}:{OWNER[platform]}" for platform in (TELEGRAM, DISCORD))
        stack = cloud.deploy(
            "setup",
            UnknownUserPolicy="pair",
            OwnerUserIds=owners,
            SecretsMaxAgeSeconds=MAX_AGE,
            TelegramApiUrl=telegram.api_url,
            SlackApiUrl=slack.api_url,
            DiscordApiUrl=discord.api_url,
        )
        site = Site(stack, telegram, slack, discord)
        discord.probe = site.probe
        discord.add_user(OWNER[DISCORD])
        telegram.open_chat(OWNER[TELEGRAM])
        yield site
        cloud.delete("setup")


@pytest.fixture(scope="module")
def ready(site: Site) -> Site:
    """Give the stack with all of it set up, by the commands alone."""
    assert site.run("telegram", "webhook", "set").err.startswith("telegram/bot-token is not set.")
    site.done("secrets", "set", "telegram/bot-token", stdin=site.telegram.token)
    site.done("telegram", "webhook", "set")
    site.done("secrets", "set", "discord/bot-token", stdin=site.discord.token)
    site.done("discord", "register")
    manifest = json.loads(site.done("slack", "manifest").out)
    assert manifest["settings"]["interactivity"]["request_url"] == site.stack.outputs["SlackWebhookUrl"]
    site.done("secrets", "set", "slack/bot-token", stdin=site.slack.token)
    site.done("secrets", "set", "slack/signing-secret", stdin="0123456789abcdef" * 2)
    return site


def test_what_was_set_up_works(ready: Site) -> None:
    """Telegram's messages are let through with the secret it was given, and Discord verified the endpoint."""
    hook = ready.telegram.hook
    assert hook.url == ready.stack.outputs["TelegramWebhookUrl"]
    assert ready.says("70001").status == 200
    assert ready.contact("70001")["state"] == "pending"
    assert ready.says("70001", secret="another-secret").status == 401
    assert ready.discord.application["interactions_endpoint_url"] == ready.stack.outputs["DiscordWebhookUrl"]


def test_the_doctor_finds_nothing_wrong_and_shows_who_was_dropped(ready: Site) -> None:
    """As a process, on what is really deployed."""
    event = load("telegram/group_text")
    assert ready.stack.post(
        "telegram", event.raw(), {"X-Telegram-Bot-Api-Secret-Token": ready.telegram.hook.secret_token}
    ).status == 200  # fmt: skip
    ended = ready.run("doctor", "--json", "--send-test")
    found = json.loads(ended.out)
    assert [one for one in found["checks"] if one["level"] == "wrong"] == []
    assert ended.code == 0
    assert len(ready.telegram.in_chat(OWNER[TELEGRAM])) >= 1
    sender = str(event.body["message"]["from"]["id"])
    dropped = [one for one in found["dropped"] if one["reason"] == "group_policy"]
    assert [(one["platform"], one["user_id"]) for one in dropped] == [("telegram", sender)]


def test_the_doctor_finds_what_is_broken(ready: Site) -> None:
    """And says what mends it, which does."""
    hook = ready.telegram.hook
    ready.telegram.hook = Hook(url="https://elsewhere.example/")
    ended = ready.run("doctor")
    assert ended.code == 1
    assert "doorcode telegram webhook set" in ended.out
    ready.done("telegram", "webhook", "set")
    assert (ready.telegram.hook.url, ready.telegram.hook.secret_token) == (hook.url, hook.secret_token)
    mended = ready.run("doctor")
    assert (mended.code, "0 wrong" in mended.out) == (0, True)


def test_a_stack_that_cannot_be_reached_is_one_line_and_3(ready: Site) -> None:
    """Not there, no credentials, nobody listening: the doctor meets all of it, and each command one of them."""
    not_there: dict[str, Any] = {"DOORCODE_STACK": "elsewhere"}
    nobody: dict[str, Any] = {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}
    silence: dict[str, Any] = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    for command, changes in (
        (("secrets", "status"), not_there),
        (("telegram", "webhook", "info"), nobody),
        (("slack", "manifest"), silence),
        (("discord", "register"), not_there),
        *((("doctor",), changes) for changes in (not_there, nobody, silence)),
    ):
        ended = ready.run(*command, **changes)
        assert (ended.code, ended.out, ended.err.count("\n")) == (3, "", 1), (command, changes, ended)


class Traffic:
    """Strangers who write, are approved by button or command, and write again, over and over until it ends."""

    def __init__(self, site: Site, first: int) -> None:
        self.site = site
        self.problems: list[str] = []
        self.rounds = 0
        self._people = itertools.count(first)
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._flow, args=(number,)) for number in range(3)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        try:
            self.more()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def more(self, rounds: int = 6) -> None:
        """Wait for so many more rounds."""
        goal, deadline = self.rounds + rounds, time.monotonic() + 90
        while self.rounds < goal:
            assert time.monotonic() < deadline, self.problems
            time.sleep(0.05)

    def _flow(self, number: int) -> None:
        while not self._stop.is_set():
            try:
                self._round(str(next(self._people)), by_button=number != 0)
            except Exception as error:  # noqa: BLE001
                self.problems.append(repr(error))
            self.rounds += 1
            self._stop.wait(PAUSE_SECONDS)

    def _round(self, who: str, *, by_button: bool) -> None:
        site = self.site
        # The prompt was signed before the rotation, or after: either secret of the ring has to do.
        keys = site.ring("callback-secret")
        asked = site.says(who)
        self._expect(asked.status == 200 and bool(asked.json), f"request: {asked}")
        # A function looks for newer secrets at most once in two seconds: whoever is faster than that presses again.
        self._decides(who, by_button=by_button, keys=keys)
        if site.contact(who).get("state") != "paired":
            time.sleep(REREAD_SECONDS)
            self._decides(who, by_button=by_button, keys=keys)
        self._expect(site.contact(who)["state"] == "paired", f"{who} is {site.contact(who).get('state')}")
        again = site.says(who)
        self._expect(again.status == 200 and not again.json, f"message: {again}")

    def _decides(self, who: str, *, by_button: bool, keys: Keyring) -> None:
        site = self.site
        if by_button:
            pressed = site.presses(site.button(who, Keyring(keys.secrets[-1:])))
            self._expect(pressed.status == 200, f"press: {pressed}")
        else:
            command = {"version": 1, "command": "approve", "actor": "alice", "platform": "telegram"}
            site.stack.invoke("admin", command | {"code": site.code(who)})

    def _expect(self, holds: bool, problem: str) -> None:
        if not holds:
            self.problems.append(problem)


def test_nothing_is_refused_while_secrets_rotate(ready: Site) -> None:
    """Messages, presses and approvals flow on warm functions, before, during and after; then the old ones are dropped.

    Security 30.
    """
    old = {name: ready.ring(name).newest.decode() for name in OWN}
    ready.says("70002")
    with Traffic(ready, 80_000) as traffic:
        ready.done("secrets", "rotate")
        traffic.more()
        assert ready.telegram.hook.secret_token.encode() == ready.ring("telegram/webhook-secret").newest
        assert {len(ready.ring(name).secrets) for name in OWN} == {2}
        # What was sent or signed before the rotation works as well.
        assert ready.says("70003", secret=old["telegram/webhook-secret"]).status == 200
        time.sleep(MAX_AGE + 1)
        traffic.more()
    assert traffic.problems == []
    # Made with the old secret, and not decided on: this is what the drop ends.
    button = ready.button("70002", Keyring((old["callback-secret"].encode(),)))
    code = ready.code("70002")
    dropped = ready.done("secrets", "rotate", "--drop", "--confirm")
    assert "pending code" in dropped.err
    time.sleep(MAX_AGE + 1)
    assert ready.says("70004", secret=old["telegram/webhook-secret"]).status == 401
    for _ in range(3):
        ready.presses(button)
    assert ready.contact("70002")["state"] == "pending"
    refused = ready.run("pairing", "approve", "telegram", code)
    assert refused.code == 1
    assert ready.contact("70002")["state"] == "pending"
    with Traffic(ready, 90_000) as traffic:
        traffic.more()
    assert traffic.problems == []

"""Webhooks afterwards: what is shown of them, what is kept, and the same one once more."""

from collections.abc import Iterator
from typing import Any

import pytest

from doorcode.pairing.contact import Platform
from doorcode.pairing.keyring import parse_keyring
from doorcode.platforms.discord import inbound as discord
from doorcode.platforms.inbound import Webhook
from doorcode.platforms.slack import inbound as slack
from doorcode.platforms.telegram import inbound as telegram
from doorcode.platforms.whatsapp import inbound as whatsapp
from doorcode_sandbox.playground.deliveries import KEPT
from tests.unit.sandbox.playground_fixtures import OWNERS, SECRETS, STRANGERS, Harness

MODULES: dict[Platform, Any] = {module.PLATFORM: module for module in (telegram, slack, discord, whatsapp)}
TELEGRAM, SLACK, DISCORD, WHATSAPP = Platform
EACH = pytest.mark.parametrize("platform", list(Platform))


@pytest.fixture
def harness() -> Iterator[Harness]:
    """Have everything running."""
    with Harness().running() as harness:
        yield harness


def _deliveries(harness: Harness) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = harness.json("GET", "deliveries")["deliveries"]
    return found


@EACH
def test_what_is_shown(harness: Harness, platform: Platform) -> None:
    """A delivery is shown as it went and came: body, headers, signature, status, answer, and how long it took."""
    harness.api.answers.append((503, [("Content-Type", "text/html")], b"<h1>\xff"))
    said = harness.say(platform, STRANGERS[platform], "Hello")
    (delivery,) = _deliveries(harness)
    kinds = {TELEGRAM: "secret token", SLACK: "v0 HMAC", DISCORD: "Ed25519", WHATSAPP: "HMAC-SHA256"}
    assert (delivery["id"], delivery["platform"], delivery["path"]) == (said["delivery"], platform, f"/{platform}")
    assert delivery["signature"] == {"kind": kinds[platform], "fits": True}
    assert (delivery["status"], delivery["answer"], delivery["again_of"]) == (503, "<h1>\ufffd", None)
    assert delivery["at"] == "2026-04-22T11:45:22.250Z"
    assert delivery["ms"] >= 0
    assert "Hello" in str(delivery["body"])


def test_a_form_is_shown_as_what_it_holds(harness: Harness) -> None:
    """Slack's form is shown as the payload within."""
    owner = OWNERS[SLACK][0]
    harness.press(SLACK, owner, harness.prompt(SLACK, harness.chat(SLACK, owner)["id"]), "0.0")
    (delivery,) = _deliveries(harness)
    assert delivery["body"]["payload"]["type"] == "block_actions"


def test_no_secret_is_shown(harness: Harness) -> None:
    """Nothing that the page is given holds a secret, a bot's token, or Telegram's token in its header."""
    for platform in Platform:
        harness.say(platform, STRANGERS[platform])
        harness.prompt(platform, harness.chat(platform, OWNERS[platform][0])["id"])
    shown = "".join(harness.ask("GET", f"/playground/{name}")[2].decode() for name in ("scene", "deliveries", "inside"))
    tokens = [stand_in.token for stand_in in harness.stand_ins.values()]
    secrets = [line for name in MODULES.values() for line in SECRETS[name.SECRET].splitlines()]
    assert not [secret for secret in (*tokens, *secrets) if secret in shown]
    (delivery,) = [one for one in _deliveries(harness) if one["platform"] == TELEGRAM]
    assert delivery["headers"]["X-Telegram-Bot-Api-Secret-Token"] == "•••"


@pytest.mark.parametrize("key", ["ab" * 32, "no key"])
def test_a_key_that_does_not_fit(harness: Harness, key: str) -> None:
    """Where the stack has another public key, the delivery says that the signature does not fit."""
    other = Harness(secret=lambda name: key if name == "discord/public-key" else SECRETS[name])
    with other.running():
        other.say(DISCORD, STRANGERS[DISCORD])
        assert _deliveries(other)[0]["signature"] == {"kind": "Ed25519", "fits": False}
    assert _deliveries(harness) == []


def test_no_way_to_the_stack(harness: Harness) -> None:
    """A webhook that nobody answers is said to be so; what was said stands there, and can be said again."""
    harness.playground._deliveries.url = "http://127.0.0.1:1"
    ask = {"platform": "slack", "chat": "D0STRANGER", "person": "U0STRANGER", "text": "Hello"}
    assert harness.refused("say", ask)[0] == 502
    assert [message["delivery"] for message in harness.chat(SLACK, "U0STRANGER")["messages"]] == [None]
    assert _deliveries(harness) == []


@EACH
def test_once_more(harness: Harness, platform: Platform) -> None:
    """The same delivery again is the very same body, signed as of now: minutes later it is still believed."""
    said = harness.say(platform, STRANGERS[platform])
    _, former, body = harness.webhook()
    harness.now += 600
    again = harness.json("POST", "redeliver", {"delivery": said["delivery"]})
    _, headers, same = harness.webhook()
    assert same == body
    keyring, module = parse_keyring(SECRETS[MODULES[platform].SECRET]), MODULES[platform]
    assert module.verify(Webhook(headers, same), keyring, int(harness.now))
    if platform is SLACK:
        assert not module.verify(Webhook(former, body), keyring, int(harness.now))
    newest, first = _deliveries(harness)
    assert (newest["id"], newest["again_of"], first["again_of"]) == (again["delivery"], said["delivery"], None)
    assert newest["body"] == first["body"]
    # The person has said it once.
    assert len(harness.chat(platform, STRANGERS[platform])["messages"]) == 1


def test_the_last_ones_are_kept(harness: Harness) -> None:
    """Only the last fifty deliveries are kept, newest first; an older one cannot be sent again."""
    first = harness.say(TELEGRAM, STRANGERS[TELEGRAM])["delivery"]
    for _ in range(KEPT):
        harness.now += 1
        harness.json("POST", "redeliver", {"delivery": first})
    kept = _deliveries(harness)
    assert len(kept) == KEPT == 50
    assert [one["at"] for one in kept] == sorted((one["at"] for one in kept), reverse=True)
    assert harness.refused("redeliver", {"delivery": first})[0] == 404


@pytest.mark.parametrize(("secret", "why"), [(" \n", "is empty"), (None, "cannot be read (KeyError)")])
def test_without_its_secret(secret: str | None, why: str) -> None:
    """A webhook that cannot be signed is not sent, and the answer names the secret; what was said stands there."""
    with Harness(secret=(lambda _: secret) if secret else {}.__getitem__).running() as harness:
        ask = {"platform": "slack", "chat": "D0STRANGER", "person": "U0STRANGER", "text": "Hello"}
        status, sentence = harness.refused("say", ask)
        assert (status, f"slack/signing-secret {why}" in sentence) == (503, True)
        assert harness.api.taken == []
        assert harness.chat(SLACK, "U0STRANGER")["messages"][0]["delivery"] is None


def test_the_log_of_a_delivery(harness: Harness) -> None:
    """A delivery holds what the edge logged until the next one: the reason of each drop is seen beside it."""
    at = int(harness.now * 1000)
    first = harness.say(TELEGRAM, STRANGERS[TELEGRAM])["delivery"]
    harness.now += 1
    second = harness.say(TELEGRAM, STRANGERS[TELEGRAM])["delivery"]
    assert [one["log"] for one in _deliveries(harness)] == [[], []]
    harness.cloud.logs["/doorcode/s/edge"] = [
        {
            "timestamp": at - 1,
            "message": '{"level": "INFO", "message": "before", "reason": "x", "logger": "doorcode.telegram"}',
        },
        {"timestamp": at, "message": "START RequestId: 1\n"},
        {
            "timestamp": at + 3,
            "message": '{"level": "INFO", "message": "drop: blocked", "reason": "blocked", "logger": "doorcode.telegram"}',
        },
        {"timestamp": at + 3, "message": '{"level": "INFO", "message": "another", "logger": "doorcode.slack"}'},
        {"timestamp": at + 4, "message": "REPORT RequestId: 1\n"},
        # Nobody's: the platform sends such by itself.
        {
            "timestamp": at + 5,
            "message": '{"level": "INFO", "message": "ignore", "reason": "not_a_message", "logger": "doorcode.telegram"}',
        },
        {
            "timestamp": at + 1003,
            "message": '{"level": "WARNING", "message": "Refused", "reason": "bad_signature", "logger": "doorcode.telegram"}',
        },
    ]
    logs = {one["id"]: one["log"] for one in _deliveries(harness)}
    assert logs == {
        first: [{"level": "INFO", "message": "drop: blocked", "reason": "blocked"}],
        second: [{"level": "WARNING", "message": "Refused", "reason": "bad_signature"}],
    }

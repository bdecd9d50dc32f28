"""What ``test_fourth_platform`` runs where the platform ``morse`` has been added to the command."""

import json
import time

import pytest

from tests.unit.cli.setup_fixtures import API, PREFIX, Harness, harness

__all__ = ["harness"]


@pytest.fixture
def wired(harness: Harness) -> Harness:
    """Give a stack that was deployed with the platform."""
    harness.resources["MorseFunction"] = ("AWS::Lambda::Function", "doorcode-Morse-X1")
    harness.outputs["MorseWebhookUrl"] = f"{API}/morse"
    harness.put("morse/key", "dot-dash-dot-dash-dot")
    harness.configure(UNKNOWN_USER_POLICY="pair", OWNER_USER_IDS="morse:ALPHA,morse:SILENT")
    harness.environment["MorseFunction"] = harness.environment["TelegramFunction"]
    return harness


def test_its_commands_are_there(wired: Harness) -> None:
    """In the help, at work, and in texts as they are called on this stack."""
    assert "Set up the bot at the office." in wired.run("--help").out
    refused = wired.run("morse", "wire", "--stack", "doorcode", "--region", "eu-west-1")
    assert (refused.code, "doorcode secrets set --region eu-west-1 morse/bot-token" in refused.err) == (1, True)
    wired.put("morse/bot-token", "morse-alphabet")
    ended = wired.run("morse", "wire", "--region", "eu-west-1")
    assert ended.out == f"✅ Telegrams go to {API}/morse\n"
    assert ended.err == "Then run: doorcode morse wire --region eu-west-1\n"


def test_its_secrets_are_set(wired: Harness) -> None:
    """What cannot be one is refused; what follows is told."""
    assert wired.run("secrets", "set", "morse/bot-token", stdin=b"telegram").code == 1
    assert "only a placeholder" in wired.run("secrets", "set", "morse/bot-token", stdin=b"morse-token").err
    ended = wired.run("secrets", "set", "morse/bot-token", stdin=b"morse-alphabet\n")
    assert (ended.code, wired.value("morse/bot-token")) == (0, "morse-alphabet")
    assert ended.err == "The office knows the bot.\nNext: doorcode morse wire\n"
    listed = wired.run("secrets", "status", "--json").json["secrets"]
    names = [one["name"] for one in listed]
    # Behind the other platforms', before what belongs to none.
    own = names.index("morse/key")
    assert names[own : own + 2] == ["morse/key", "morse/bot-token"]
    assert names[own + 2] == "agent/instructions"


def test_its_key_is_rotated(wired: Harness) -> None:
    """The platform is given the new one, and is left alone while it is not in use."""
    from doorcode_cli.platforms.morse import KEYS  # noqa: PLC0415 (there only where it was added)

    unused = wired.run("secrets", "rotate")
    assert "morse/key is left as it is: there is no morse/bot-token, so Morse is not in use." in unused.err
    wired.put("morse/bot-token", "morse-alphabet")
    assert wired.run("secrets", "rotate", "morse/key").code == 0
    assert wired.value("morse/key").splitlines()[0] == KEYS[-1]


def test_doctor_looks_at_it(wired: Harness) -> None:
    """Its own checks, its secrets, its function, its owners and its bad signatures."""
    named = {one["text"]: one for one in wired.run("doctor", "--json").json["checks"]}
    assert named["Morse is not in use"]["remedy"] == "doorcode secrets set morse/bot-token"
    wired.put("morse/bot-token", "morse-alphabet")
    # The log of all edges; whose record it is, its logger says.
    line = json.dumps({"reason": "bad_signature", "logger": "doorcode.morse"})
    wired.logs[f"{PREFIX}/edge"] = [(time.time() - 60, line)]
    found = wired.run("doctor", "--json", "--send-test").json["checks"]
    told = {one["text"]: (one["check"], one["level"], one["remedy"]) for one in found}
    assert told["the office has the key"] == ("morse", "ok", None)
    assert told["morse:ALPHA listens"] == ("owners", "ok", None)
    unheard = told["morse:SILENT is not reached: Morse refused: nobody listens"]
    assert unheard == ("owners", "wrong", "look whether SILENT is on the air")
    bad = next(one for one in found if one["check"] == "morse" and "signature" in one["text"])
    assert bad["remedy"] == "doorcode morse wire"

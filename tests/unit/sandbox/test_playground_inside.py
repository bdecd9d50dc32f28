"""What is shown of the inside: items, logs and events, and what becomes of trouble there."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from doorcode.pairing.contact import Platform
from doorcode_sandbox.playground.inside import FUNCTIONS, GROUPS, MAX_RECORDS
from tests.eventually import PATIENCE_SECONDS, eventually
from tests.unit.sandbox.playground_fixtures import Harness

GONE = EndpointConnectionError(endpoint_url="http://127.0.0.1:5004")


@pytest.fixture
def harness() -> Iterator[Harness]:
    """Have everything running."""
    with Harness().running() as harness:
        yield harness


def _event(kind: str, **detail: Any) -> dict[str, Any]:
    return {"time": "2026-04-22T11:45:22Z", "detail-type": kind, "detail": detail, "source": "doorcode", "id": "1"}


def test_items(harness: Harness) -> None:
    """Items are shown as plain JSON, sorted by key, with an interaction's token left out of the address."""
    harness.cloud.items = [
        {"pk": {"S": "telegram#2"}, "sk": {"S": "contact"}, "rev": {"N": "2"}, "part": {"N": "0.5"}},
        {
            "pk": {"S": "discord#1"},
            "sk": {"S": "contact"},
            "reply": {"S": '{"channel_id":"5","token":"let-me-answer"}'},
            "nonce": {"B": b"\x00\xff"},
            "set": {"SS": ["b", "a"]},
            "map": {"M": {"reply": {"S": "no JSON"}, "list": {"L": [{"BOOL": True}, {"NULL": True}]}}},
        },
    ]
    assert harness.json("GET", "inside")["items"] == [
        {
            "pk": "discord#1",
            "sk": "contact",
            "reply": {"channel_id": "5", "token": "•••"},
            "nonce": "00ff",
            "set": ["a", "b"],
            "map": {"reply": "no JSON", "list": [True, None]},
        },
        {"pk": "telegram#2", "sk": "contact", "rev": 2, "part": 0.5},
    ]


def test_conversations(harness: Harness) -> None:
    """What the agent was given and answered is shown by conversation, the latest first, and nothing else of its table."""
    harness.cloud.items = [
        {"pk": {"S": "delivery#1"}, "sk": {"S": "answered"}, "until": {"N": "5"}},
        *(
            {
                "pk": {"S": f"chat#telegram#{chat}#"}, "sk": {"S": "turns"}, "until": {"N": until},
                "turns": {"S": '[{"role":"user","text":"Hello"},{"role":"assistant","text":"Hi there!"}]'},
            }
            for chat, until in (("1", "100"), ("2", "200"))
        ),
    ]  # fmt: skip
    conversations = harness.json("GET", "inside")["conversations"]
    assert [(one["conversation"], one["until"]) for one in conversations] == [
        ("telegram#2#", 200),
        ("telegram#1#", 100),
    ]
    assert conversations[0]["turns"] == [
        {"role": "user", "text": "Hello"},
        {"role": "assistant", "text": "Hi there!"},
    ]


def test_log(harness: Harness) -> None:
    """The log is that of every function, in order, records with their fields and other lines as they are, the last ones.

    A line that does not say whose it is belongs to whoever else wrote into its stream, or else to the group.
    """
    now = int(harness.now * 1000)
    groups: dict[str, list[dict[str, Any]]] = {}
    for number, (group, function) in enumerate((group, one) for group, its in GROUPS.items() for one in its):
        record = {"level": "INFO", "message": function, "reason": "paired", "user_id": "7", "at": "x"}
        line = json.dumps(record | {"logger": f"doorcode.{function}"})
        groups.setdefault(f"/doorcode/s/{group}", []).extend(
            [
                {"timestamp": now - number, "message": line, "logStreamName": function},
                {"timestamp": now - 16 * 60 * 1000, "message": "too long ago"},
            ]
        )
    harness.cloud.logs = groups
    provision = json.dumps({"message": "Made a secret", "logger": "doorcode.provision"})
    harness.cloud.logs["/doorcode/s/behind"] += [
        {"timestamp": now + 1, "message": provision, "logStreamName": "provision"},
        {"timestamp": now + 5, "message": "Traceback\n", "logStreamName": "relay"},
        {"timestamp": now + 6, "message": "It never began\n", "logStreamName": "another"},
    ]
    log = harness.json("GET", "inside")["log"]
    assert [line["function"] for line in log] == [*FUNCTIONS[::-1], "relay", "behind"]
    assert log[-2] == {
        "at": "2026-04-22T11:45:22.255Z",
        "function": "relay",
        "level": "",
        "message": "Traceback",
        "reason": "",
    }
    assert (log[0]["user_id"], log[0]["reason"], log[0]["at"][:4]) == ("7", "paired", "2026")
    harness.cloud.logs["/doorcode/s/agent"] = [{"timestamp": now, "message": "x"}] * 2 * MAX_RECORDS
    assert len(harness.json("GET", "inside")["log"]) == MAX_RECORDS


def test_events(harness: Harness) -> None:
    """What the stack publishes is caught by a rule and a queue of its own, and shown; whoever listens hears of it."""
    before = harness.json("GET", "scene")["version"]
    harness.cloud.waiting = [_event("pairing_requested", user_id="7"), _event("pairing_approved", user_id="7")]
    assert eventually(lambda: len(harness.json("GET", "inside")["events"]) == 2)
    assert harness.json("GET", "inside")["events"][0] == {
        "at": "2026-04-22T11:45:22Z",
        "detail-type": "pairing_requested",
        "detail": {"user_id": "7"},
    }
    assert eventually(lambda: harness.json("GET", "scene")["version"] > before)
    assert (harness.cloud.rules, harness.cloud.queues) == ({"s-playground"}, {"s-playground"})


def test_nothing_is_left_behind() -> None:
    """Stopping ends the collecting and takes rule and queue away; it can be started again."""
    harness = Harness()
    for _ in range(2):
        with harness.front:
            assert harness.cloud.read.wait(PATIENCE_SECONDS)
        assert (harness.cloud.rules, harness.cloud.queues) == (set(), set())
        harness.cloud.read.clear()
    harness.api.end()


def test_an_emulator_that_is_gone(harness: Harness) -> None:
    """Without an emulator the inside says so, people and chats are there, and events go on when it is back."""
    harness.cloud.gone = GONE
    status, _, answer = harness.ask("GET", "/playground/inside")
    assert (status, "EndpointConnectionError" in json.loads(answer)["error"]) == (502, True)
    harness.say(Platform.TELEGRAM, "987654321")
    assert harness.json("GET", "deliveries")["deliveries"][0]["log"] == []


def test_starting_and_stopping_without_an_emulator() -> None:
    """Neither beginning nor ending needs an emulator that answers."""
    harness = Harness()
    harness.cloud.gone = GONE
    with harness.front:
        assert harness.cloud.read.wait(PATIENCE_SECONDS)
        assert len(harness.json("GET", "scene")["people"]) == 3 * len(Platform)
        harness.cloud.stuck = GONE
    harness.api.end()


def test_trouble_on_the_bus_passes(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failure of the queue ends nothing: events after it are caught."""
    monkeypatch.setattr("doorcode_sandbox.playground.bus.REST_SECONDS", 0.01)
    harness.cloud.trouble.append(GONE)
    assert eventually(lambda: not harness.cloud.trouble)
    harness.cloud.waiting = [_event("pairing_requested")]
    assert eventually(lambda: len(harness.json("GET", "inside")["events"]) == 1)

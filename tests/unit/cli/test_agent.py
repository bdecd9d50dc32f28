"""``doorcode agent test``: what the agent says, or why it does not."""

import io
import json
from types import SimpleNamespace
from typing import Any

import pytest

from doorcode_cli.exit_codes import Exit
from doorcode_cli.target import Target
from tests.unit.cli.setup_fixtures import Harness

ANSWERS: list[tuple[dict[str, Any], int, str]] = [
    ({"doorcode": "said", "texts": ["Good\nday", "\x1b[31mred"]}, Exit.DONE, "Good\nday\n"),
    ({"doorcode": "said", "texts": []}, Exit.DONE, "It answered nothing"),
    (
        {"doorcode": "failed", "error": "agent_refused", "detail": "The agent answered 404."},
        Exit.REFUSED,
        "answered 404",
    ),
    ({"errorMessage": "out of time"}, Exit.UNREACHABLE, "/doorcode/doorcode/agent"),
]


def test_what_it_answers(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its texts, harmless for a terminal; or one line that says why there are none, with its exit code."""
    known = Target.client
    asked: list[dict[str, Any]] = []

    def invoke(**given: Any) -> dict[str, Any]:
        asked.append(given)
        return {"Payload": io.BytesIO(json.dumps(answer).encode())} | (
            {} if "doorcode" in answer else {"FunctionError": "x"}
        )

    def client(target: Target, service: str, *more: Any) -> Any:
        return SimpleNamespace(invoke=invoke) if service == "lambda" else known(target, service, *more)

    monkeypatch.setattr(Target, "client", client)
    harness.parameters |= {"Agent": "webhook,telegram=bot"}
    for answer, code, told in ANSWERS:  # noqa: B007 (it is what is answered)
        ended = harness.run("agent", "test", "hello")
        assert (ended.code, told in ended.out + ended.err) == (code, True), ended
        assert "\x1b" not in ended.out
    # The first platform that has an agent here.
    assert json.loads(asked[0]["Payload"]) == {"doorcode": "say", "text": "hello", "platform": "slack"}
    assert asked[0]["FunctionName"] == "doorcode-Agent-X1"


def test_who_answers_elsewhere_is_not_asked(harness: Harness) -> None:
    """A bot is given only what a platform sent, a queue has a program of one's own: it says what to do instead."""
    for agent, told in (("bot", "Agent is bot on telegram"), ("queue", "doorcode attach URL")):
        harness.parameters |= {"Agent": agent}
        ended = harness.run("agent", "test", "hello")
        assert ended.code == Exit.REFUSED
        assert told in ended.err

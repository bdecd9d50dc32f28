"""The log as Lambda gets it: lines on standard output."""

import datetime as dt
import json
import time
from types import SimpleNamespace
from typing import Any

import pytest

from doorcode.entrypoints import log
from doorcode.pairing.contact import Platform
from tests import webhooks
from tests.edge.harness import Edge
from tests.edge.test_start import EACH, app
from tests.webhooks import HELLO, STRANGER, load

WRITE = log.write


@pytest.fixture(autouse=True)
def _on_standard_output(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have lines go where they go on Lambda, and not into ``caplog``."""
    monkeypatch.setattr(log, "write", WRITE)


def printed(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """Read what was logged since the last look: each line is JSON, of ASCII alone."""
    out = capsys.readouterr().out
    assert out.isascii()
    return [json.loads(line) for line in out.split("\n")[:-1]]


@EACH
def test_a_message_is_one_line(
    edge: Edge, platform: Platform, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Security 34: each delivery has one line that says why, with the level and the time by which Lambda filters."""
    for name, value in (edge.environment | {"UNKNOWN_USER_POLICY": "pair,whatsapp=pair"}).items():
        monkeypatch.setenv(name, value)
    handler = app(platform).handler
    for invocation in ("first", "second"):
        delivery = load(HELLO[platform]).another(len(invocation))
        printed(capsys)
        handler(webhooks.request(delivery, int(time.time())), SimpleNamespace(aws_request_id=invocation))
        [line] = [line for line in printed(capsys) if "reason" in line]
        assert abs(dt.datetime.fromisoformat(line.pop("timestamp")).timestamp() - time.time()) < 60
        assert line.pop("message")
        assert line == {
            "level": "INFO",
            "logger": f"doorcode.{platform}",
            "requestId": invocation,
            "action": "pair",
            "reason": "pairing_requested" if invocation == "first" else "rate_limited",
            "platform": platform,
            "user_id": STRANGER[platform],
        }


@pytest.mark.parametrize(
    ("written", "text"),
    [("a\nb\r\x1b[2J", "a\nb\r\x1b[2J"), ("\u2028\u202e", "\u2028\u202e"), ("half \ud83d", "half \\ud83d")],
    ids=["control characters", "line separators", "half a character"],
)
def test_whatever_is_logged_is_one_line(written: str, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Security 28: nothing that is logged can end its line, forge another one, or keep itself from being logged."""
    log.begin(None, "telegram")
    log.error(written, reason=written)
    [line] = printed(capsys)
    assert (line["level"], line["message"], line["reason"], line["requestId"]) == ("ERROR", text, text, "")


def test_levels(capsys: pytest.CaptureFixture[str]) -> None:
    """What has gone wrong can be told by its level."""
    for write in (log.info, log.warning, log.error):
        write("text")
    assert [line["level"] for line in printed(capsys)] == ["INFO", "WARN", "ERROR"]

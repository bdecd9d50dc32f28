"""UNKNOWN_REPLY: where strangers are told nothing, the owner is asked all the same."""

from typing import Any

import pytest

from doorcode.pairing.access import Scope
from doorcode.pairing.contact import Contact, Platform, State
from doorcode.pairing.transitions import Operation
from tests.behind.harness import Behind
from tests.edge.harness import body_of
from tests.webhooks import HELLO, STRANGER, load

EACH = pytest.mark.parametrize("platform", list(Platform))
PRIVATE = "This bot is private."


def said(response: Any) -> list[str]:
    """Return what a webhook's answer shows to whoever wrote, and to them alone."""
    body = body_of(response)
    if body is None:
        return []
    assert body["data"]["flags"] == 64
    return [body["data"]["content"]]


def unanswered(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    """Take what the log says of messages, each by its reason and whether it was left without a reply."""
    lines = [line.__dict__ for line in caplog.records if hasattr(line, "action")]
    caplog.clear()
    return [(line["reason"], line.get("reply", "")) for line in lines]


@EACH
@pytest.mark.parametrize("owner", [True, False])
def test_a_stranger_hears_nothing_and_the_owner_is_asked(
    behind: Behind, platform: Platform, owner: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither receipt, code nor refusal; Discord's must be answered, and hears what it says to all whom it drops."""
    behind.cold(UNKNOWN_REPLY=f"{platform}=silent", **({} if owner else {"OWNER_USER_IDS": ""}))
    must = [PRIVATE] if platform is Platform.DISCORD else []
    for number in range(2):
        caplog.clear()
        assert said(behind.deliver(load(HELLO[platform]).another(number))) == must
        reason = "rate_limited" if number else "pairing_requested"
        assert unanswered(caplog) == [(reason, "silent")]
    behind.settle()
    assert behind.edge.contact(platform).state is State.PENDING
    assert len(behind.prompts(platform)) == owner
    behind.decide(Operation.DENY, platform)
    behind.settle()
    assert set(behind.heard(platform)) == set(must)
    # Whoever is let in is a stranger no more.
    behind.decide(Operation.ADD, platform)
    behind.settle()
    assert [text for text in behind.heard(platform) if "approved" in text] == [
        "You've been approved!"
        + {Platform.DISCORD: " Send me a message with /chat."}.get(platform, " Send me a message.")
    ]


def test_a_platform_by_itself(behind: Behind, caplog: pytest.LogCaptureFixture) -> None:
    """Silence holds where it is set and nowhere else; whoever is let in is answered as ever; a bot that asks is given no text."""
    behind.cold(UNKNOWN_REPLY="tell,slack=silent")
    behind.hello(Platform.TELEGRAM)
    assert behind.heard(Platform.TELEGRAM) == ["Your request has been sent to the owner for approval."]
    assert unanswered(caplog) == [("pairing_requested", "")]
    asking = {"user_id": STRANGER[Platform.SLACK], "chat": "direct", "delivery_id": "d1"}
    _, given = behind.program(Scope.GATE)("/api/gate", platform="slack", **asking)
    assert (given["action"], given["reason"], given["text"]) == ("pair", "pairing_requested", None)
    behind.edge.put(Contact(platform=Platform.SLACK, user_id="U0FRIEND", state=State.PAIRED, rev=1))
    caplog.clear()
    behind.deliver(load(HELLO[Platform.SLACK]).replaced(STRANGER[Platform.SLACK], "U0FRIEND"))
    assert unanswered(caplog) == [("paired", "")]

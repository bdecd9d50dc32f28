"""What the courier's log says of events, for that is where decisions are counted."""

import pytest

from doorcode.pairing.contact import Platform
from doorcode.pairing.transitions import Operation
from tests.behind.harness import Behind
from tests.webhooks import STRANGER

TELEGRAM = Platform.TELEGRAM


def counted(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the kinds of events that the log names, in order."""
    return [record.__dict__["event"] for record in caplog.records if "event" in record.__dict__]


def test_each_published_event_is_counted_once(behind: Behind, caplog: pytest.LogCaptureFixture) -> None:
    """Security 8, 34: every event is logged once, by its kind, with platform and id, and without label, name or code."""
    behind.hello(TELEGRAM)
    behind.settle()
    behind.decide(Operation.APPROVE, TELEGRAM, label="my friend")
    behind.decide(Operation.REVOKE, TELEGRAM)
    behind.settle()
    assert counted(caplog) == behind.event_types() == ["pairing_requested", "pairing_approved", "pairing_revoked"]
    about = [record.__dict__ for record in caplog.records if "event" in record.__dict__]
    assert {(record["platform"], record["user_id"]) for record in about} == {(TELEGRAM, STRANGER[TELEGRAM])}
    assert "my friend" not in str(about)


def test_what_the_bus_did_not_take_is_not_counted(behind: Behind, caplog: pytest.LogCaptureFixture) -> None:
    """An event is counted when it is published, not each time that was tried."""
    events = behind.clients["events"]
    failures = iter([ConnectionResetError()] * 2)

    def fail(_: str) -> None:
        if error := next(failures, None):
            raise error

    events.before = fail
    behind.decide(Operation.ADD, TELEGRAM)
    behind.settle()
    assert events.calls.count("put_events") == 3
    assert counted(caplog) == ["pairing_approved"]

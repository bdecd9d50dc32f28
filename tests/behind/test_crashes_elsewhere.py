"""A crash after every call that writes, on the way to a block, to an expiry, and to an owner elsewhere."""

from collections.abc import Callable
from contextlib import suppress

import pytest

from doorcode.pairing.contact import Platform, State
from doorcode.pairing.transitions import Operation
from tests.behind.faults import Fault, begin_again, calls_of, writes
from tests.behind.harness import Behind, DiedError
from tests.behind.test_pairing import APPROVED, has_buttons
from tests.harness import COOLDOWN, TTL
from tests.webhooks import OWNER


def denied_and_blocked(behind: Behind) -> None:
    """Ask, be denied, be blocked."""
    behind.hello(Platform.TELEGRAM)
    behind.settle()
    for operation in (Operation.DENY, Operation.BLOCK):
        behind.decide(operation, Platform.TELEGRAM)
        behind.settle()


def asked_twice_and_expired(behind: Behind) -> None:
    """Ask, ask again after the cooldown, and be left waiting."""
    behind.hello(Platform.TELEGRAM)
    behind.settle()
    behind.hello(Platform.TELEGRAM, 1, behind.now() + COOLDOWN)
    behind.settle()
    for _ in range(2):
        # The schedule comes every five minutes, whatever became of the last one.
        with suppress(DiedError):
            behind.courier.sweep(behind.now() + COOLDOWN + TTL + 300)
    behind.settle()


def asked_elsewhere(behind: Behind) -> None:
    """Ask where the owner cannot be reached, and be approved."""
    behind.cold(OWNER_USER_IDS=f"telegram:555,slack:{OWNER[Platform.SLACK]}")
    behind.hello(Platform.TELEGRAM)
    behind.settle()
    behind.decide(Operation.APPROVE, Platform.TELEGRAM)
    behind.settle()


STORIES: dict[Callable[[Behind], None], tuple[State, Platform, str, set[str], str]] = {
    denied_and_blocked: (
        State.BLOCKED, Platform.TELEGRAM, "Blocked by alice", {"pairing_requested", "pairing_denied", "contact_blocked"},
        "Your request was declined.",
    ),
    asked_twice_and_expired: (
        State.EXPIRED, Platform.TELEGRAM, "Expired", {"pairing_requested", "pairing_expired"},
        "Your request has been sent to the owner for approval.",
    ),
    asked_elsewhere: (
        State.PAIRED, Platform.SLACK, "Approved by alice", {"pairing_requested", "pairing_approved"},
        APPROVED[Platform.TELEGRAM],
    ),
}  # fmt: skip


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_a_crash_after_every_write_of_other_stories(behind: Behind, story: Callable[[Behind], None]) -> None:
    """Security 17, 33: also on the way to a block, an expiry, or an owner elsewhere, a crash changes nothing at the end."""
    state, asked_on, outcome, events, told = STORIES[story]
    calls = calls_of(behind, asked_on, lambda: story(behind))
    steps = [at for at, call in enumerate(calls, 1) if writes(call)]
    assert len(steps) > 5
    for at in steps:
        begin_again(behind, asked_on)
        behind.stand_ins[Platform.TELEGRAM].messages.clear()
        fault = Fault(behind, Platform.TELEGRAM, "dies after", at)
        story(behind)
        # A call that the platform refuses is followed by nothing.
        assert fault.hit in {calls[at - 1], ""}
        where = f"dies after call {at}, {fault.hit}"
        assert behind.edge.contact(Platform.TELEGRAM).state is state, where
        prompts = behind.prompts(asked_on)
        assert any(outcome in prompt for prompt in prompts), where
        orphaned = fault.hit in {"sender.send_prompt", "dynamodb.update_item"}
        assert len([prompt for prompt in prompts if has_buttons(prompt)]) <= (1 if orphaned else 0), where
        assert set(behind.event_types()) == events, where
        assert told in behind.heard(Platform.TELEGRAM), where
        assert behind.parked() == 0, where

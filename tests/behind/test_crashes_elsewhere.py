"""A crash after every call that writes, on the way to a block, to an expiry, and to an owner elsewhere."""

from collections.abc import Callable, Sequence
from contextlib import suppress

import pytest

from doorcode.pairing.contact import Platform, State
from doorcode.pairing.transitions import Operation
from tests.behind.faults import Chapter, Story, faults
from tests.behind.harness import Behind, DiedError
from tests.behind.test_pairing import APPROVED, has_buttons
from tests.harness import COOLDOWN, TTL
from tests.webhooks import OWNER


def denied_and_blocked(behind: Behind) -> Sequence[Chapter]:
    """Ask, be denied, be blocked."""
    return (
        lambda: asks(behind),
        lambda: decided(behind, Operation.DENY),
        lambda: decided(behind, Operation.BLOCK),
    )


def asked_twice_and_expired(behind: Behind) -> Sequence[Chapter]:
    """Ask, ask again after the cooldown, and be left waiting."""

    def is_left_waiting() -> None:
        for _ in range(2):
            # The schedule comes every five minutes, whatever became of the last one.
            with suppress(DiedError):
                behind.courier.sweep(behind.now() + COOLDOWN + TTL + 300)
        behind.settle()

    return (lambda: asks(behind), lambda: asks(behind, 1, behind.now() + COOLDOWN), is_left_waiting)


def asked_elsewhere(behind: Behind) -> Sequence[Chapter]:
    """Ask where the owner cannot be reached, and be approved."""
    behind.cold(OWNER_USER_IDS=f"telegram:555,slack:{OWNER[Platform.SLACK]}")
    return (lambda: asks(behind), lambda: decided(behind, Operation.APPROVE))


def asks(behind: Behind, number: int = 0, now: int = 0) -> None:
    """Have the stranger write, and all follow."""
    behind.hello(Platform.TELEGRAM, number, now)
    behind.settle()


def decided(behind: Behind, operation: Operation) -> None:
    """Decide, and let all follow."""
    behind.decide(operation, Platform.TELEGRAM)
    behind.settle()


STORIES: dict[Callable[[Behind], Sequence[Chapter]], tuple[State, Platform, str, list[str], str]] = {
    denied_and_blocked: (
        State.BLOCKED, Platform.TELEGRAM, "Blocked by alice", ["pairing_requested", "pairing_denied", "contact_blocked"],
        "Your request was declined.",
    ),
    asked_twice_and_expired: (
        State.EXPIRED, Platform.TELEGRAM, "Expired", ["pairing_requested", "pairing_requested", "pairing_expired"],
        "Your request has been sent to the owner for approval.",
    ),
    asked_elsewhere: (
        State.PAIRED, Platform.SLACK, "Approved by alice", ["pairing_requested", "pairing_approved"],
        APPROVED[Platform.TELEGRAM],
    ),
}  # fmt: skip


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_a_crash_after_every_write_of_other_stories(
    behind: Behind, story: Callable[[Behind], Sequence[Chapter]]
) -> None:
    """Security 17, 33: also on the way to a block, an expiry, or an owner elsewhere, a crash changes nothing at the end."""
    state, asked_on, outcome, events, told = STORIES[story]
    broken = []
    for where, hit, chapter in faults(behind, Story(Platform.TELEGRAM, story(behind), whole=True), "dies after"):
        broken.append(hit)
        assert behind.edge.contact(Platform.TELEGRAM).state is state, where
        prompts = behind.prompts(asked_on)
        assert any(outcome in prompt for prompt in prompts), where
        assert len([prompt for prompt in prompts if has_buttons(prompt)]) <= (hit == "sender.send_prompt"), where
        assert set(behind.event_types()) == set(events[chapter:]), where
        assert told in behind.heard(Platform.TELEGRAM), where
        assert behind.parked() == 0, where
    assert len(broken) > 5

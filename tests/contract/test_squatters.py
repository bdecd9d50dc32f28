"""A crowd that wants the waiting room for itself, against an honest stranger, on a clock of their own.

The squatters always come first, write at every chance, and have all that the room gives them.
"""

from collections.abc import Callable, Iterator

import pytest

from doorcode.pairing.contact import State
from doorcode.pairing.transitions import Operation, RequestVerdict
from tests.backends import dynamodb, in_process
from tests.harness import COOLDOWN, HARNESSES, T0, TELEGRAM, TTL, Harness

SEATS = 3
STEP = 150
SWEEP = 300
# Later than the cooldown of the request, so that a cooldown counted from there would be over.
OWNER_LOOKS_AFTER = COOLDOWN + STEP
HONEST = "999"


@pytest.fixture
def harness() -> Iterator[Harness]:
    """Give a small room on an empty table."""
    with in_process.aws():
        client = in_process.client("dynamodb")
        dynamodb.create_table(client, "doorcode")
        yield Harness(dynamodb.Table(client, "doorcode"), max_pending=SEATS)
    # The table is gone before the search for codes in it, which every other test has.
    HARNESSES.clear()


def leaves_them(harness: Harness, now: int) -> None:
    """Decide on nobody."""


def denies_each(harness: Harness, now: int) -> None:
    """Deny every request but the honest one's, some time after it came."""
    for contact in harness.directory.pending(TELEGRAM, now):
        if contact.user_id != HONEST and now - contact.requested_at >= OWNER_LOOKS_AFTER:
            harness.decide(Operation.DENY, now, user_id=contact.user_id)


def denies_some(harness: Harness, now: int) -> None:
    """Deny two thirds of them, and leave the others to expire."""
    for contact in harness.directory.pending(TELEGRAM, now):
        if contact.user_id in {"1", "2"} and now - contact.requested_at >= OWNER_LOOKS_AFTER:
            harness.decide(Operation.DENY, now, user_id=contact.user_id)


def kept_out(  # noqa: PLR0913 (each is a fact of the simulation)
    harness: Harness,
    squatters: int,
    owner: Callable[[Harness, int], None],
    *,
    apart: int = 0,
    sweeps: bool = True,
    until: int,
) -> int:
    """Return how long the honest stranger, who writes once in the cooldown from when the room is full, is kept out.

    ``apart`` is how many seconds lie between the squatters' first messages. At most ``until`` seconds.
    """
    came = 0
    for now in range(T0, T0 + 24 * TTL, STEP):
        harness = harness.again()
        if sweeps and (now - T0) % SWEEP == 0:
            harness.room.expire_overdue(TELEGRAM, now)
        owner(harness, now)
        for number in range(squatters):
            if now >= T0 + number * apart:
                harness.again().request(f"{number + 1}", now)
        if not came and len(harness.held_seats()) < SEATS:
            continue
        came = came or now
        if now - came >= until:
            return until
        if (now - came) % COOLDOWN == 0 and harness.again().request(HONEST, now).verdict is RequestVerdict.NEW:
            return now - came
    raise AssertionError("The room was never full.")


@pytest.mark.parametrize(("apart", "sweeps"), [(0, True), (1200, False)], ids=["at once", "one after another, unswept"])
@pytest.mark.parametrize("owner", [leaves_them, denies_each, denies_some])
def test_as_many_squatters_as_seats(
    harness: Harness, owner: Callable[[Harness, int], None], apart: int, sweeps: bool
) -> None:
    """Security 26: as many accounts as there are seats keep an honest stranger out for less than two code lifetimes."""
    assert kept_out(harness, SEATS, owner, apart=apart, sweeps=sweeps, until=3 * TTL) <= 2 * TTL
    assert harness.room.get(TELEGRAM, HONEST).state is State.PENDING

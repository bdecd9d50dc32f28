"""Seats: the cap on pending requests is physical."""

from random import Random

import hypothesis.strategies as st
from hypothesis import given

from doorcode.pairing.seats import MAX_SEATS, SEAT_NAMES, free_seats, seat_name
from tests.cases import each
from tests.unit.pairing.people import repeatable

held_seats = st.sets(st.sampled_from(SEAT_NAMES))
caps = st.integers(1, MAX_SEATS)


def test_names() -> None:
    """There are 100 seats, 00 to 99, in the order of their names."""
    assert len(SEAT_NAMES) == len(set(SEAT_NAMES)) == 100
    assert (SEAT_NAMES[0], SEAT_NAMES[7], SEAT_NAMES[99]) == ("00", "07", "99")
    assert list(SEAT_NAMES) == sorted(SEAT_NAMES)
    assert seat_name(5) == "05"


@each(
    ("held", "cap", "free"),
    [
        (set(), 3, ["00", "01", "02"]),
        ({"01"}, 3, ["00", "02"]),
        ({"00", "01", "02"}, 3, []),
        ({"98", "99"}, 3, ["00"]),
        ({"97", "98", "99"}, 3, []),
        ({"00", "97", "98", "99"}, 3, []),
        ({"00"}, 1, []),
    ],
    ids=["empty", "one held", "full", "lowered", "lowered and full", "overfull", "one seat"],
)
def test_free(held: set[str], cap: int, free: list[str]) -> None:
    """The lowest seats that are missing to the cap are free, also when seats above a lowered cap are held."""
    assert free_seats(held, cap) == free


@repeatable
@given(held=held_seats, cap=caps)
def test_number(held: set[str], cap: int) -> None:
    """Security 26: exactly as many seats are free as are missing to the cap: all below it, none held, none twice."""
    free = free_seats(held, cap)
    assert len(free) == max(0, cap - len(held))
    assert set(free) <= set(SEAT_NAMES[:cap]) - held
    assert free == sorted(set(free))


@repeatable
@given(held=held_seats, cap=caps, chance=st.integers(0, 1 << 32).map(Random))
def test_races_keep_the_cap(held: set[str], cap: int, chance: Random) -> None:
    """Security 26: whoever takes seats, in whatever order, each from an old view of the room, never exceeds the cap."""
    views, taken = [set(held)], set(held)
    for _ in range(20):
        free = free_seats(chance.choice(views), cap)
        if free and (seat := chance.choice(free)) not in taken:
            taken.add(seat)
            views.append(set(taken))
    assert len(taken) <= max(cap, len(held))

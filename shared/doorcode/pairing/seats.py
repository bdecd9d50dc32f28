"""The seats of a waiting room: a fixed number for each platform, so that the cap on pending requests is physical."""

from __future__ import annotations

from collections.abc import Collection

MAX_SEATS = 100


def seat_name(number: int) -> str:
    """Name a seat: ``00`` to ``99``."""
    return f"{number:02d}"


SEAT_NAMES = tuple(seat_name(number) for number in range(MAX_SEATS))


def free_seats(held: Collection[str], max_pending: int) -> list[str]:
    """Return the seats that one more request may take, given those that are held.

    Only as many as are missing to the cap, the lowest first. That keeps the cap also when requests race, and after it
    was lowered while seats above it were still held: everybody who looks, however late, picks from the same few.
    """
    return [name for name in SEAT_NAMES[:max_pending] if name not in held][: max(0, max_pending - len(held))]

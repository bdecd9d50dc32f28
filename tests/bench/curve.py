"""The cost curve: what a message, a request and an approval take while the number of paired contacts grows."""

from __future__ import annotations

import random
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from msgspec import Struct, field

from tests.bench.filled_table import FIRST, TABLE, FilledTable
from tests.bench.metered_door import MeteredDoor

SIZES = (1, 1_000, 100_000, 1_000_000)
PENDING = (0, 99)
"""With 100 the room is full, and there is no request to measure: the last seat stays free."""

SAMPLES = 30
WARM_UP = 10
LIMIT_SECONDS = 200.0
"""Filling and measuring a size is not begun after so long."""

ROOM_BYTES = 4 << 30
NEWCOMER = 7_000_000_001
MAX_SEATS = 100


JOBS = {"admitted message": MeteredDoor.admit, "new request": MeteredDoor.ask, "approval": MeteredDoor.approve}


class Point(Struct, frozen=True):
    """One job at one size: the seconds of each sample, and all the read and write units that were seen."""

    contacts: int
    pending: int
    job: str
    seconds: list[float] = field(default_factory=list)
    units: set[tuple[float, float]] = field(default_factory=set)


def measure(say: Callable[[str], None]) -> list[Point]:
    """Measure every size, as far as the time reaches."""
    points: list[Point] = []
    begin = time.monotonic()
    newcomers = iter(range(NEWCOMER, NEWCOMER + 1_000_000))
    # In memory where there is room: what is measured is the table's size, not this machine's disk.
    memory = Path("/dev/shm")  # noqa: S108 (a folder of our own in it)
    roomy = memory.is_dir() and shutil.disk_usage(memory).free > ROOM_BYTES
    with tempfile.TemporaryDirectory(dir=memory if roomy else None) as folder:
        table = FilledTable(Path(folder))
        for size in SIZES:
            if time.monotonic() - begin > LIMIT_SECONDS:
                say(f"No time is left for {size:,} contacts")
                break
            filling = time.monotonic()
            table.fill(size)
            say(f"{size:,} contacts, filled in {time.monotonic() - filling:.0f} s")
            with table.served() as client:
                door = MeteredDoor(client, TABLE)
                if size == SIZES[0]:
                    # A seat's item stays when it is freed: from now on there are as many as there ever will be.
                    _in_and_out(door, [next(newcomers) for _ in range(MAX_SEATS)])
                for pending in PENDING:
                    waiting = [next(newcomers) for _ in range(pending)]
                    for one in waiting:
                        door.ask(one)
                    points += _sampled(door, size, pending, newcomers)
                    for one in waiting:
                        door.approve(one)
    return points


def _in_and_out(door: MeteredDoor, people: list[int]) -> None:
    for one in people:
        door.ask(one)
    for one in people:
        door.approve(one)


def _sampled(door: MeteredDoor, size: int, pending: int, newcomers: Iterator[int]) -> list[Point]:
    points = {job: Point(size, pending, job) for job in JOBS}
    for number in range(WARM_UP + SAMPLES):
        stranger = next(newcomers)
        people = (FIRST + random.randrange(size), stranger, stranger)
        for (job, act), one in zip(JOBS.items(), people, strict=True):
            seconds = act(door, one)
            if number >= WARM_UP:
                points[job].seconds.append(seconds)
                points[job].units.add(door.used)
    return list(points.values())

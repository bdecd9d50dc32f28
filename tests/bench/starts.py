"""Cold starts: from the start of the process to its first right answer, each function in turn, many times over."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable

from msgspec import Struct, field

from tests.bench.loopback import rest
from tests.bench.stand import Stand, Way
from tests.bench.subjects import Subject

SAMPLES = 15
LIMIT_SECONDS = 270.0
"""No round is begun after so long."""


class ColdStarts(Struct):
    """One function's starts in one way, in seconds: of the clock, and of CPU time."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)


Found = dict[tuple[Way, str], ColdStarts]


def measure(stand: Stand, subjects: list[Subject], say: Callable[[str], None]) -> Found:
    """Start every function in every way. The first round only warms the machine's cache of files."""
    found: Found = defaultdict(ColdStarts)
    begin = time.monotonic()
    for number in range(1 + SAMPLES):
        if time.monotonic() - begin > LIMIT_SECONDS:
            say("No time is left for more rounds: something else runs on this machine")
            break
        say(f"Cold starts, round {number} of {SAMPLES}")
        for way in Way:
            for subject in subjects:
                with stand.start(subject, way) as function:
                    if number:
                        found[way, subject.name].wall.append(function.wall)
                        found[way, subject.name].cpu.append(function.first_cpu)
                rest(function.wall)
    return found

"""Warm functions: what one more message takes, and what they hold after many of them."""

from __future__ import annotations

import contextlib
import time
from collections import defaultdict
from collections.abc import Callable

from msgspec import Struct, field

from tests.bench.function import Function
from tests.bench.loopback import rest
from tests.bench.stand import Stand, Way
from tests.bench.subjects import Subject

WAYS = (Way.TLS, Way.PLAIN)
ROUNDS = 15
MESSAGES, AT_ONCE = 40, 10
WARM_UP = 40
LIMIT_SECONDS = 120.0
"""For each way: no round is begun after so long."""


class Warm(Struct):
    """One function: CPU seconds per message of each round, seconds of each message, MiB at most and as its share."""

    cpu: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)
    peak: float = 0.0
    share: float = 0.0


Found = dict[tuple[Way, str], Warm]


def measure(stand: Stand, subjects: list[Subject], say: Callable[[str], None]) -> Found:
    """Have every function answer some messages in turn, over and over."""
    found: Found = defaultdict(Warm)
    for way in WAYS:
        say(f"Warm functions, {way}")
        with contextlib.ExitStack() as stack:
            functions = [stack.enter_context(stand.start(subject, way)) for subject in subjects]
            for function in functions:
                function.serve(WARM_UP)
            begin = time.monotonic()
            for _ in range(ROUNDS):
                if time.monotonic() - begin > LIMIT_SECONDS:
                    say("No time is left for more rounds: something else runs on this machine")
                    break
                for function in functions:
                    one = found[way, function.subject.name]
                    used, seconds = one_round(function)
                    one.wall += seconds
                    one.cpu.append(used)
            for function in functions:
                one = found[way, function.subject.name]
                one.peak, one.share = function.memory()
    return found


def one_round(function: Function) -> tuple[float, list[float]]:
    """Have a function answer one round; return its CPU seconds per message, and the seconds of each."""
    used, wall = 0.0, []
    for _ in range(MESSAGES // AT_ONCE):
        before = function.cpu()
        seconds = [answer.seconds for answer in function.serve(AT_ONCE)]
        used += function.cpu() - before
        wall += seconds
        rest(sum(seconds))
    return used / MESSAGES, wall

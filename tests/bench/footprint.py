"""What a function leaves behind: files opened until its first answer, calls and bytes of log per message."""

from __future__ import annotations

import tempfile
from pathlib import Path

from msgspec import Struct

from tests.bench.stand import Stand, Way
from tests.bench.subjects import Subject

MESSAGES = 20


class Footprint(Struct, frozen=True):
    """One function. ``calls`` are made per message, ``start`` once."""

    files: int
    log_bytes: float
    calls: dict[str, int]
    start: dict[str, int]


def measure(stand: Stand, subjects: list[Subject]) -> dict[str, Footprint]:
    """Run every function once, watched; nothing is timed."""
    return {subject.name: _of(stand, subject) for subject in subjects}


def _of(stand: Stand, subject: Subject) -> Footprint:
    with tempfile.TemporaryDirectory() as folder:
        log, opened = Path(folder) / "log", Path(folder) / "opened"
        with stand.start(subject, Way.PLAIN, log=log, opened=opened) as function:
            files, said, calls = opened.stat().st_size, log.stat().st_size, function.calls.copy()
            function.serve(MESSAGES)
            each = function.calls - calls
            return Footprint(
                files=files,
                log_bytes=(log.stat().st_size - said) / MESSAGES,
                calls={name: count // MESSAGES for name, count in each.items()},
                start={name: extra for name, count in calls.items() if (extra := count - each[name] // MESSAGES)},
            )

"""``make bench``: measure, and write docs/performance.md and its picture.

``python -m tests.bench [PART…]``: ``functions`` (cold starts, warm messages, costs), ``curve``, ``stack``, ``standing``; else all.
"""

from __future__ import annotations

import argparse
import datetime as dt
import logging
import os
import platform
import signal
import sys
import time
from pathlib import Path
from typing import NoReturn

from doorcode.entrypoints import log
from tests.bench import curve, footprint, load, parts, picture, report, standing, starts, warm
from tests.bench.layout import version
from tests.bench.page import write_block
from tests.bench.stand import set_up
from tests.bench.subjects import subjects

LIMIT_SECONDS = 15 * 60
BEGIN = time.monotonic()


def main(wanted: list[str]) -> None:
    """Measure these parts, one after the other: nothing else should run meanwhile. Ends by itself in 15 minutes."""
    logging.disable()
    # The door of the cost curve runs in this process.
    log.write = _unwritten
    signal.signal(signal.SIGALRM, _too_late)
    signal.alarm(LIMIT_SECONDS)
    for part in wanted:
        PARTS[part]()
    say("docs/performance.md is written")


def _unwritten(line: str) -> None:
    pass


def _too_late(_: int, __: object) -> NoReturn:
    # Ends by an exception, so that whatever runs is stopped.
    raise SystemExit(f"make bench takes longer than {LIMIT_SECONDS // 60} minutes: does something else run here?")


def functions() -> None:
    """Measure the built functions beside their peers."""
    say("Building the layers")
    with set_up() as stand:
        everyone = subjects()
        left = footprint.measure(stand, everyone)
        cold = starts.measure(stand, everyone, say)
        hot = warm.measure(stand, everyone, say)
        made_of = parts.measure(stand, everyone, say)
        alone = [load.alone(stand, subject) for subject in everyone if "admitted" in subject.name]
    write("starts", report.cold_starts(everyone, cold, left))
    write("warm", report.warm_functions(everyone, hot, left))
    write("parts", report.parts_of_a_message(made_of))
    write("alone", report.sustained(alone))
    write("costs", report.million(everyone, hot, left))
    picture.FILE.parent.mkdir(exist_ok=True)
    picture.FILE.write_text(picture.draw(cold, hot, f"{conditions()}; medians; everything called speaks TLS."))


def cost_curve() -> None:
    """Measure how cost grows with the table."""
    write("curve", report.cost_curve(curve.measure(say)))


def stack() -> None:
    """Measure the whole stack on the emulator."""
    write("stack", report.sustained([load.through_the_stack(say)]))


def standing_costs() -> None:
    """Count what a stack costs while nobody writes. Nothing is measured for it."""
    write_block("standing", standing.months())


PARTS = {"functions": functions, "stack": stack, "curve": cost_curve, "standing": standing_costs}


def write(block: str, text: str) -> None:
    """Write a block of the page, with the conditions under which it was measured."""
    write_block(block, f"{text}\n\n*{conditions()}*")


def conditions() -> str:
    """Return when and on what this was measured."""
    today = dt.datetime.now(dt.UTC).date()
    return f"{today}, {machine()}, functions on CPython {version()}"


def machine() -> str:
    """Return what this machine calls itself."""
    told = Path("/proc/cpuinfo")
    models = [line.partition(":")[2] for line in told.read_text().splitlines() if line.startswith("model name")]
    name = " ".join(models[0].split()) if models else platform.machine()
    return f"{name}, {os.cpu_count()} cores, {platform.system()}"


def say(text: str) -> None:
    """Tell how it goes on."""
    sys.stderr.write(f"{time.monotonic() - BEGIN:4.0f} s  {text}\n")


if __name__ == "__main__":
    options = argparse.ArgumentParser(prog="make bench", description="Measure, and write docs/performance.md.")
    options.add_argument(
        "parts", nargs="*", choices=[*PARTS, []], help="what to measure; all of it if nothing is named"
    )
    main(options.parse_args().parts or list(PARTS))

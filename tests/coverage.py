"""What of the product's code the tests ran through, held to its limits: ``python -m tests.coverage``.

``make test`` has Slipcover note it, which costs next to nothing; what it noted is in the form of coverage.py's JSON report.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

NOTED = Path(".coverage.json")


class Limit(NamedTuple):
    """How much of some files must be run through, in percent of lines and branches together."""

    of: str
    holds: Callable[[str], bool]
    percent: float


def _domain(file: str) -> bool:
    # The client runs where the asking program does, and is no part of the domain.
    return "/doorcode/pairing/" in file or ("/doorcode/asking/" in file and not file.endswith("/client.py"))


LIMITS = (
    Limit("the domain", _domain, 100),
    Limit("all beside pairing", lambda file: "/doorcode/pairing/" not in file, 95),
)


def report(files: dict[str, dict[str, Any]], limit: Limit) -> tuple[float, list[str]]:
    """Return how much of a limit's files was run through, and what was not: a line for each file."""
    run, missed, lines = 0, 0, []
    for file, noted in sorted(files.items()):
        if limit.holds(file):
            run += len(noted["executed_lines"]) + len(noted["executed_branches"])
            missed += len(noted["missing_lines"]) + len(noted["missing_branches"])
            # A branch whose end was never run is told by its line.
            left = [f"{start}->{end}" for start, end in noted["missing_branches"] if end not in noted["missing_lines"]]
            told = ", ".join([*map(str, noted["missing_lines"]), *left])
            lines += [f"  {file}: {told}"] if told else []
    return 100 * run / (run + missed) if run else 0.0, lines


def main(noted: Path = NOTED) -> int:
    """Print what each limit finds; return 1 where one is not held."""
    files = json.loads(noted.read_text())["files"]
    broken = False
    for limit in LIMITS:
        percent, lines = report(files, limit)
        held = percent >= limit.percent
        broken |= not held
        print(f"{limit.of}: {percent:.2f} % of lines and branches, at least {limit.percent} %")  # noqa: T201 (its output)
        if not held:
            print(*lines, sep="\n")  # noqa: T201
    return int(broken)


if __name__ == "__main__":
    sys.exit(main())

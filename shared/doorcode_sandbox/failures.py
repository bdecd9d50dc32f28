"""What fails in the functions, for the terminal: each line of their logs that says where in the code it was."""

from __future__ import annotations

from collections.abc import Callable

from botocore.exceptions import BotoCoreError, ClientError

from doorcode_cli.shown import shown
from doorcode_sandbox.playground.inside import Inside, Record

# Where a model, an agent of one's own or a platform is asked.
FUNCTIONS = ("agent", "courier")
LONGEST = 600
# A line may come into the log late; twice it is not shown.
OVERLAP_SECONDS = 60


class Failures:
    """Looks for new ones each time that it is asked."""

    def __init__(self, inside: Inside, clock: Callable[[], float]) -> None:
        """Look into those logs, from now on; ``clock`` gives seconds since 1970."""
        self._inside = inside
        self._clock = clock
        self._since = clock()
        self._told: dict[tuple[int, str, str], None] = {}

    def fresh(self) -> list[str]:
        """Return a line for each failure since this was last asked; none while the emulator does not answer."""
        now = self._clock()
        try:
            records = self._inside.log(self._since, FUNCTIONS)
        except (BotoCoreError, ClientError):
            return []
        failed = {_key(record): record for record in records if record.fields.get("trace")}
        lines = [_line(record) for key, record in failed.items() if key not in self._told]
        self._told = dict.fromkeys(failed)
        self._since = max(self._since, now - OVERLAP_SECONDS)
        return lines


def _key(record: Record) -> tuple[int, str, str]:
    return record.at, record.function, str(record.fields["trace"])


def _line(record: Record) -> str:
    return "⚠️  " + shown(f"{record.function}: {record.message}: {record.fields['trace']}", LONGEST)

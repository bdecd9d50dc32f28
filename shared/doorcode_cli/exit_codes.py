"""How a command ends when it does not end well."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """The exit codes, as documented."""

    DONE = 0
    REFUSED = 1
    USAGE = 2
    UNREACHABLE = 3
    # Of ``doorcode ask`` alone, where 1 is a denial.
    EXPIRED = 4
    PENDING = 5
    CANCELLED = 6


class CommandError(Exception):
    """One line for standard error, and the exit code."""

    def __init__(self, message: str, code: Exit = Exit.REFUSED) -> None:
        """Say what happened and what to do."""
        self.code = code
        super().__init__(message)

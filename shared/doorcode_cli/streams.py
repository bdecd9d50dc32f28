"""The command's own streams, as the shell gives them: closed, full, or with nobody at the other end.

What a command does is not left half done because nobody takes what it prints. Whether all of it was taken is asked at the
end, with ``failure``.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from contextlib import suppress
from typing import IO, Any


class Patient:
    """A stream whose first failure is kept for the end, and to which nothing is written any more from then on."""

    def __init__(self, stream: IO[str]) -> None:
        """Write to ``stream``."""
        self._stream = stream
        self.failure: OSError | None = None

    def write(self, text: str) -> int:
        """Write, as long as it is taken."""
        if self.failure is None:
            try:
                return self._stream.write(text)
            except OSError as error:
                self._give_up(error)
        return len(text)

    def flush(self) -> None:
        """Hand on what was written, as long as it is taken."""
        if self.failure is None:
            try:
                self._stream.flush()
            except OSError as error:
                self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        self.failure = error
        # What is still kept in between is written when Python ends, which would complain of it in its own way.
        with suppress(OSError):
            sink = os.open(os.devnull, os.O_WRONLY)
            os.dup2(sink, self._stream.fileno())
            os.close(sink)

    def __getattr__(self, name: str) -> Any:
        """Be the stream in all else."""
        return getattr(self._stream, name)


def prepare() -> None:
    """Make the three streams usable, however they were given. A closed one is empty, or takes everything."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = getattr(sys, name)
        if stream is None:
            # Opened in this order it has the number that it should have, which no other file may get.
            stream = open(os.devnull, mode, encoding="utf-8")  # noqa: PTH123, SIM115 (as long as the process)
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that cannot show a character shows another one, and nothing fails for it, nor for what is typed.
            stream.reconfigure(errors="replace")
        setattr(sys, name, stream if mode == "r" else Patient(stream))


def failure() -> str:
    """Say why not all was written; empty if it was, or if whoever read it had read enough."""
    if not isinstance(sys.stdout, Patient):
        return ""
    sys.stdout.flush()
    error = sys.stdout.failure
    return "" if error is None or error.errno == errno.EPIPE else error.strerror or type(error).__name__


def nobody_reads() -> bool:
    """Tell whether what is printed goes nowhere, so that nothing need be fetched for it."""
    return isinstance(sys.stdout, Patient) and sys.stdout.failure is not None

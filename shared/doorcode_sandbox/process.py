"""Other programs, on a leash: none of them outlives us, however we end."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Self

import msgspec

from doorcode_sandbox import leash

TAIL = 4000
COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


class Leashed:
    """A running program and what it starts. Use as a context manager, or ``end`` it.

    ``settings`` are the leash's; ``held`` are files that stay open, and so locked, until all of it has ended. ``umask`` is ours, if not given.
    """

    def __init__(  # noqa: PLR0913 (a process has that many sides)
        self,
        command: Sequence[str | Path],
        *,
        log: IO[bytes],
        folder: Path,
        environment: Mapping[str, str],
        settings: Mapping[str, Any] | None = None,
        held: Sequence[int] = (),
        umask: int = -1,
    ) -> None:
        """Start it. What it prints goes to ``log``."""
        # The leash needs no packages, and starts faster without.
        self._process = subprocess.Popen(  # noqa: S603 (paths of our own)
            [sys.executable, "-I", "-S", leash.__file__, msgspec.json.encode(settings or {}).decode(), *command],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=environment,
            start_new_session=True,
            umask=umask,
            pass_fds=held,
        )

    @property
    def pid(self) -> int:
        """The leash's process id, which is its session's."""
        return self._process.pid

    @property
    def ended(self) -> bool:
        """Whether it has ended, and what it started with it."""
        return self._process.poll() is not None

    def wait(self, seconds: float | None = None) -> int:
        """Wait until it ends by itself; return its exit code. Raises TimeoutError."""
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise TimeoutError from None

    def end(self) -> None:
        """End it and wait until nothing of it is left."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()


def tail(said: bytes) -> str:
    """Return the end of what a program printed, without the colours that are for terminals."""
    return COLOURS.sub("", said.decode(errors="replace"))[-TAIL:]

"""Somebody at a terminal: a program on a pseudo-terminal, what it shows, and what is typed."""

import contextlib
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from tests.eventually import PATIENCE_SECONDS

# What moves the cursor or colours; a spinner draws its line again and again.
ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
# The terminal becomes the program's own, so that Ctrl-C reaches it as it does at a real one, also where the tests run in the background.
OWN = """import fcntl, os, signal, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])"""


class Terminal:
    """A program that runs at a terminal. ``shown`` is all that it ever showed; ``typed`` what was typed."""

    def __init__(self, command: Sequence[str | Path], *, environment: Mapping[str, str], folder: Path) -> None:
        self.shown = ""
        self.typed: list[str] = []
        self._seen = 0
        self._fd, inner = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-S", "-c", OWN, *map(str, command)],
            stdin=inner, stdout=inner, stderr=inner, cwd=folder, start_new_session=True,
            env={**environment, "TERM": "xterm", "COLUMNS": "200", "LINES": "60"},
        )  # fmt: skip
        os.close(inner)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        os.close(self._fd)

    def sees(self, pattern: str, seconds: float = 5 * PATIENCE_SECONDS) -> re.Match[str]:
        """Wait until that is shown behind what was seen before."""
        deadline = time.monotonic() + seconds
        while not (found := re.compile(pattern).search(self.shown, self._seen)):
            assert time.monotonic() < deadline, self.shown
            assert self._read(), f"ended without {pattern!r}:\n{self.shown}"
        self._seen = found.end()
        return found

    def types(self, line: str = "") -> None:
        """Type a line, and Enter."""
        self.typed.append(line)
        os.write(self._fd, f"{line}\r".encode())

    def answers(self, question: str, line: str = "") -> None:
        """Wait for a question, and type the answer."""
        self.sees(question)
        self.types(line)

    def ctrl_c(self) -> None:
        """Press Ctrl-C."""
        os.write(self._fd, b"\x03")

    def kill(self) -> None:
        """End it, and all that it started, as when the machine goes off."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def ends(self) -> int:
        """Wait until it has ended; return its exit code."""
        while self._read():
            continue
        return self.process.wait(PATIENCE_SECONDS)

    def _read(self) -> bool:
        """Take in what is shown; tell whether there may be more."""
        ready, _, _ = select.select([self._fd], [], [], 1)
        if not ready:
            return True
        try:
            read = os.read(self._fd, 1 << 16)
        except OSError:
            # Its last process has closed it.
            return False
        self.shown += ESCAPE.sub("", read.decode(errors="replace"))
        return bool(read)

"""Telling how far something has come: a spinner at a terminal, lines elsewhere."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator

from rich.console import Console


class Progress:
    """What is being done, and how long it took."""

    def __init__(self, console: Console | None = None) -> None:
        """Tell it on standard output."""
        self._console = console or Console(highlight=False, markup=False, emoji=False, soft_wrap=True)

    @contextlib.contextmanager
    def step(self, doing: str, done: str) -> Iterator[Callable[[str], None]]:
        """Tell of something while it is done, and that it is; gives what shows at a terminal how far it is."""
        began = time.monotonic()
        with contextlib.ExitStack() as shown:
            if self._console.is_terminal:
                status = shown.enter_context(self._console.status(f"{doing} …"))
                yield lambda detail: status.update(f"{doing} … {detail}")
            else:
                self.say(f"{doing} …")
                yield lambda _: None
        self.say(f"✅ {done} ({time.monotonic() - began:.1f} s)")

    def say(self, line: str = "") -> None:
        """Print a line."""
        self._console.print(line)
        self._console.file.flush()

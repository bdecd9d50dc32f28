"""The emulators of a run: each starts when somebody first needs it, once for all of xdist's workers, and ends with the run.

They belong to the process that lasts the longest, which has no tests of its own where there are workers: no worker's end takes them from the
others, and on their leashes they end with that process, however it ends.
"""

import contextlib
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Listener
from typing import Protocol

from tests.backends import emulators
from tests.backends.emulators import KEYS, EmulatorError

RUNS: dict[str, Callable[[], AbstractContextManager[str]]] = {
    "ministack": emulators.ministack,
    "dynamodb-local": emulators.dynamodb_local,
}
WORD = KEYS.secret.encode()
"""What the workers say to be answered."""


class Emulators(Protocol):
    """Where the emulators are had from."""

    def url(self, name: str) -> str:
        """Return where an emulator answers; it runs from now on. Raises EmulatorError."""
        ...

    def close(self) -> None:
        """Let go of what is held."""
        ...


class OwnEmulators:
    """Runs emulators, for this process and for whoever is told its ``address``."""

    def __init__(self) -> None:
        self._running = ExitStack()
        self._urls: dict[str, str] = {}
        self._starting = threading.Lock()
        self._listener: Listener | None = None

    def url(self, name: str) -> str:
        """Return where an emulator answers; start it unless it runs."""
        with self._starting:
            if name not in self._urls:
                self._urls[name] = self._running.enter_context(RUNS[name]())
            return self._urls[name]

    def address(self) -> str:
        """Answer workers from now on; return where."""
        if self._listener is None:
            self._listener = Listener(family="AF_UNIX", authkey=WORD)
            threading.Thread(target=self._answer, args=(self._listener,), name="emulators", daemon=True).start()
        return str(self._listener.address)

    def _answer(self, listener: Listener) -> None:
        while True:
            # A worker that dies while it asks takes nobody's answer away.
            with contextlib.suppress(OSError, EOFError, AuthenticationError), listener.accept() as worker:
                name = worker.recv()
                if not name:
                    return
                try:
                    worker.send(self.url(name))
                except EmulatorError as error:
                    worker.send(error)

    def close(self) -> None:
        """Stop what runs."""
        if self._listener is not None:
            with Client(self._listener.address, authkey=WORD) as last:
                last.send("")
            self._listener.close()
        self._running.close()


class OthersEmulators:
    """Asks for emulators at an address. What it was given belongs to whoever answers there."""

    def __init__(self, address: str) -> None:
        self._address = address

    def url(self, name: str) -> str:
        """Return where an emulator answers."""
        with Client(self._address, authkey=WORD) as owner:
            owner.send(name)
            answer: str | EmulatorError = owner.recv()
        if isinstance(answer, EmulatorError):
            raise answer
        return answer

    def close(self) -> None:
        """Leave them to their owner."""

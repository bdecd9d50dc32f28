"""Many at once: real threads with clients of their own, let go at the same moment."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from doorcode.asking.refusals import QuestionRefusedError
from doorcode.errors import LockedOutError, RefusedError, SignInError, SpentTicketError, UnknownCodeError
from tests.backends.dynamodb import CROWD, Backend, Table
from tests.eventually import PATIENCE_SECONDS
from tests.harness import Harness

RACERS = CROWD
REFUSALS = (
    RefusedError, UnknownCodeError, LockedOutError, SignInError, SpentTicketError, QuestionRefusedError,
)  # fmt: skip


class Racers:
    """Threads with clients of their own, let go at the same moment."""

    def __init__(self, backend: Backend, table: Table, **settings: Any) -> None:
        self.harness = Harness(table, patience=PATIENCE_SECONDS, **settings)
        self._clients = backend.crowd
        self._pool = ThreadPoolExecutor(RACERS)

    def member(self, number: int) -> Harness:
        """Give somebody their own environment over the same table."""
        settings = {field: getattr(self.harness.settings, field) for field in self.harness.settings.__struct_fields__}
        # What is shown here is who wins, not how long a function has for it.
        return Harness(Table(self._clients[number % RACERS], self.harness.name), patience=PATIENCE_SECONDS, **settings)

    def all_at_once(self, acts: Sequence[Callable[[Harness], Any]]) -> list[Any]:
        """Run all acts at the same moment; return what each gave or raised."""
        barrier = threading.Barrier(len(acts))

        def run(number: int) -> Any:
            harness = self.member(number)
            barrier.wait()
            try:
                return acts[number](harness)
            except REFUSALS as error:
                return error

        return list(self._pool.map(run, range(len(acts))))

    def one_after_another_in_a_crowd(self, acts: Sequence[Callable[[Harness], Any]]) -> list[Any]:
        """Run any number of acts, as many at a time as there are threads."""
        return list(self._pool.map(lambda n: acts[n](self.member(n)), range(len(acts))))

    def close(self) -> None:
        """Let the threads go."""
        self._pool.shutdown()

"""Real threads open one link at once, and sign out while it is opened."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from doorcode.aws.sign_ins import SignIns
from doorcode.errors import SignInError
from tests.backends.dynamodb import Backend, Table
from tests.house import T0, House
from tests.patience import PATIENCE_SECONDS

ROUNDS = 5
CROWD = 12


class Crowd:
    """Threads with clients of their own, let go at the same moment."""

    def __init__(self, backend: Backend, table: Table) -> None:
        self.house = House(table, patience=PATIENCE_SECONDS)
        self.sign_ins = SignIns(self.house.table)
        self._clients = [backend.connect() for _ in range(CROWD)]
        # What is shown here is who wins, not how long a function has for it.
        members = [House(Table(client, table.name), patience=PATIENCE_SECONDS) for client in self._clients]
        self._members = [SignIns(member.table) for member in members]
        self._pool = ThreadPoolExecutor(CROWD)

    def all_at_once(self, acts: Sequence[Callable[[SignIns], Any]]) -> list[Any]:
        """Run all acts at the same moment; return what each gave or raised."""
        barrier = threading.Barrier(len(acts))

        def run(number: int) -> Any:
            barrier.wait()
            try:
                return acts[number](self._members[number])
            except SignInError as error:
                return error

        return list(self._pool.map(run, range(len(acts))))

    def sessions(self) -> int:
        """Count the sessions that the table holds."""
        return sum(item["pk"]["S"] == "sessions" for item in self.house.items())

    def close(self) -> None:
        """Let the threads and connections go."""
        self._pool.shutdown()
        for client in self._clients:
            client.close()


@pytest.fixture
def crowd(racing_backend: Backend, racing_table: Table) -> Any:
    """Give a crowd before a page."""
    crowd = Crowd(racing_backend, racing_table)
    yield crowd
    crowd.close()


def test_many_open_one_link(crowd: Crowd) -> None:
    """Security 17, 20: of twelve who open one link at once exactly one is signed in, and there is one session."""
    for n in range(ROUNDS):
        token = crowd.sign_ins.link("alice", T0)
        results = crowd.all_at_once([lambda sign_ins, token=token: sign_ins.redeem(token, T0)] * CROWD)
        [(cookie, principal)] = [result for result in results if not isinstance(result, SignInError)]
        assert crowd.sign_ins.principal(cookie, T0) == principal
        assert crowd.sessions() == n + 1


def test_signing_everybody_out_against_links(crowd: Crowd) -> None:
    """Security 20: whoever was signed in by a link before everybody was signed out is out too, and no link is left."""
    for _ in range(ROUNDS):
        links = [crowd.sign_ins.link("alice", T0) for _ in range(CROWD - 1)]
        acts: list[Callable[[SignIns], Any]] = [lambda sign_ins, link=link: sign_ins.redeem(link, T0) for link in links]
        results = crowd.all_at_once([*acts, lambda sign_ins: sign_ins.end_all(T0)])
        signed_in = [result for result in results[:-1] if not isinstance(result, SignInError)]
        for cookie, _ in signed_in:
            with pytest.raises(SignInError):
                crowd.sign_ins.principal(cookie, T0)
        assert crowd.house.items() == []

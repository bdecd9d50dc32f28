"""Racers; and after every test: no code stands in the open."""

from collections.abc import Iterator

import pytest

from tests.backends.dynamodb import Backend, Table
from tests.contract.racers import Racers
from tests.harness import HARNESSES, find_codes_in_the_open


@pytest.fixture(autouse=True)
def _no_code_in_the_open(request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Security 8: search every item and the log for every code that the tables' nonces stand for."""
    # First, so that the database is still there when this ends.
    for database in {"backend", "moto"} & set(request.fixturenames):
        request.getfixturevalue(database)
    # What botocore says of each call takes longer than the call.
    caplog.set_level("DEBUG", logger="doorcode")
    HARNESSES.clear()
    yield
    # A test may have replaced what the recording client does; the search uses the raw one.
    assert find_codes_in_the_open(HARNESSES, caplog.text) == []
    HARNESSES.clear()


@pytest.fixture
def racers(racing_backend: Backend, racing_table: Table) -> Iterator[Racers]:
    """Give racers, who are let go at the same moment."""
    racers = Racers(racing_backend, racing_table)
    yield racers
    racers.close()

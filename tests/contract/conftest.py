"""A crowd for the races; and after every test: no code stands in the open."""

from collections.abc import Iterator

import pytest

from tests.backends.dynamodb import Backend, Table
from tests.contract.crowd import Crowd
from tests.house import HOUSES, find_codes_in_the_open


@pytest.fixture(autouse=True)
def _no_code_in_the_open(request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Security 8: search every item and the log for every code that the tables' nonces stand for."""
    # First, so that the database is still there when this ends.
    for database in {"backend", "moto"} & set(request.fixturenames):
        request.getfixturevalue(database)
    caplog.set_level("DEBUG")
    HOUSES.clear()
    yield
    # A test may have replaced what the recording client does; the search uses the raw one.
    assert find_codes_in_the_open(HOUSES, caplog.text) == []
    HOUSES.clear()


@pytest.fixture
def crowd(racing_backend: Backend, racing_table: Table) -> Iterator[Crowd]:
    """Give a crowd at a door."""
    crowd = Crowd(racing_backend, racing_table)
    yield crowd
    crowd.close()

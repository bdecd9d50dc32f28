"""After every test of the commands: no code stands in the table or the log."""

from collections.abc import Iterator

import pytest

from tests.harness import HARNESSES, find_codes_in_the_open


@pytest.fixture(autouse=True)
def _no_code_in_the_open(request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Security 8: search every item and the log for every code that the tables' nonces stand for."""
    # First, so that the database is still there when this ends.
    for database in {"backend", "moto"} & set(request.fixturenames):
        request.getfixturevalue(database)
    caplog.set_level("INFO")
    HARNESSES.clear()
    yield
    assert find_codes_in_the_open(HARNESSES, caplog.text) == []
    HARNESSES.clear()

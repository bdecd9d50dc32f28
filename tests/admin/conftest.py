"""After every test of the commands: no code stands in the table or the log."""

from collections.abc import Iterator

import pytest

from tests.house import HOUSES, find_codes_in_the_open


@pytest.fixture(autouse=True)
def _no_code_in_the_open(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Security 8: search every item and the log for every code that the tables' nonces stand for."""
    caplog.set_level("INFO")
    HOUSES.clear()
    yield
    assert find_codes_in_the_open(HOUSES, caplog.text) == []
    HOUSES.clear()

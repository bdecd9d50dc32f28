"""The admin function over a table in process; after every test of the commands no code stands in the table or the log.

What is asked of the table is asked of every DynamoDB in ``tests/contract``.
"""

from collections.abc import Iterator

import pytest

from tests.admin.harness import AdminHarness
from tests.backends import dynamodb
from tests.backends.dynamodb import Backend
from tests.harness import HARNESSES, find_codes_in_the_open


@pytest.fixture
def moto() -> Iterator[Backend]:
    """Run a DynamoDB in process."""
    with dynamodb.moto() as backend:
        yield backend


@pytest.fixture
def harness(moto: Backend) -> AdminHarness:
    """Give the admin function over a table."""
    return AdminHarness(moto.new_table())


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

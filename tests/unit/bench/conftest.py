"""The servers of the bench."""

from collections.abc import Iterator

import pytest

from tests.bench.loopback import Loopback


@pytest.fixture(scope="module")
def loopback() -> Iterator[Loopback]:
    """Give the thread in which the servers run."""
    with Loopback().running() as running:
        yield running

"""The whole stack in process."""

from collections.abc import Iterator

import pytest

from doorcode.pairing.contact import Platform
from doorcode_sandbox.platforms.server import StandIn
from tests.behind.harness import Behind, standing_ins
from tests.edge.conftest import edge
from tests.edge.harness import Edge

__all__ = ["edge"]


@pytest.fixture
def stand_ins() -> Iterator[dict[Platform, StandIn]]:
    """Run the platforms' stand-ins."""
    yield from standing_ins()


@pytest.fixture
def behind(
    edge: Edge,
    monkeypatch: pytest.MonkeyPatch,
    stand_ins: dict[Platform, StandIn],
) -> Iterator[Behind]:
    """Give everything, wired as it is deployed."""
    harness = Behind(edge, monkeypatch, stand_ins)
    yield harness
    harness.close()

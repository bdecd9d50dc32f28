"""Fixtures of the senders: each platform in turn, wired to its stand-in."""

from collections.abc import Iterator

import pytest

from tests.unit.senders.wires import SENDERS, Wire, wire


@pytest.fixture(params=sorted(SENDERS))
def any_wire(request: pytest.FixtureRequest) -> Iterator[Wire]:
    """Give each platform in turn."""
    with wire(request.param) as wired:
        yield wired


@pytest.fixture
def telegram() -> Iterator[Wire]:
    """Give Telegram."""
    with wire("telegram") as wired:
        yield wired


@pytest.fixture
def slack() -> Iterator[Wire]:
    """Give Slack."""
    with wire("slack") as wired:
        yield wired


@pytest.fixture
def whatsapp() -> Iterator[Wire]:
    """Give WhatsApp."""
    with wire("whatsapp") as wired:
        yield wired


@pytest.fixture
def discord() -> Iterator[Wire]:
    """Give Discord."""
    with wire("discord") as wired:
        yield wired

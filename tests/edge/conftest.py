"""The edge in process."""

import re
from collections.abc import Iterator

import pytest

from tests.backends import in_process
from tests.edge.harness import Edge


@pytest.fixture
def edge(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Iterator[Edge]:
    """Give the edge over empty resources; afterwards, see that nothing secret was logged."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    caplog.set_level("INFO", logger="doorcode")
    with in_process.aws():
        found = Edge(monkeypatch)
        yield found
        found.forget()
    logged = " ".join(str(record.__dict__) for record in caplog.records if record.name.startswith("doorcode"))
    assert not re.search(
        r"may I come in|aW50ZXJhY3Rpb246|the-webhook-secret|the signing secret|the gateway secret", logged
    )

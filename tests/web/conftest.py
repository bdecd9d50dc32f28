"""The web function in process; after every test, nothing secret stands in the table or the log."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.backends import in_process
from tests.harness import HARNESSES, find_codes_in_the_open
from tests.web.harness import WebHarness


@pytest.fixture(scope="module")
def clients() -> Iterator[Mapping[str, Any]]:
    """Give clients of AWS in process."""
    with in_process.aws("ssm"):
        yield {name: in_process.client(name) for name in ("dynamodb", "ssm", "cloudwatch", "sqs")}


@pytest.fixture
def web(
    clients: Mapping[str, Any], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> Iterator[WebHarness]:
    """Give the function over an empty table. Security 8: afterwards, search table and log for codes and credentials."""
    caplog.set_level("INFO")
    HARNESSES.clear()
    harness = WebHarness(clients, monkeypatch)
    yield harness
    logged = " ".join(str(record.__dict__) for record in caplog.records)
    assert find_codes_in_the_open(HARNESSES, logged) == []
    assert not [secret for secret in harness.secrets_given if len(secret) > 20 and secret in logged]
    assert "my friend" not in logged
    HARNESSES.clear()

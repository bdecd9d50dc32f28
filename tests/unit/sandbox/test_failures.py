"""What the terminal is told of functions that fail."""

from typing import Any

from botocore.exceptions import EndpointConnectionError

from doorcode_sandbox.failures import FUNCTIONS, OVERLAP_SECONDS, Failures
from doorcode_sandbox.playground.inside import Record

NOW = 1_776_858_322.0
TRACE = "KeyError at agent/responder.py:24:greet"


class Logs:
    """A log that a test writes."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.records: list[Record] = []
        self.gone = False

    def log(self, since: float, functions: Any) -> list[Record]:
        """Read it, or fail as an emulator that is gone."""
        assert tuple(functions) == FUNCTIONS
        if self.gone:
            raise EndpointConnectionError(endpoint_url="http://127.0.0.1:1")
        return [record for record in self.records if record.at >= since * 1000]


def test_each_failure_is_told_once() -> None:
    """With the function, what happened, and where; other lines, and an emulator that does not answer, are nothing."""
    logs, now = Logs(), NOW
    failures = Failures(logs, lambda: now)  # type: ignore[arg-type]
    at = int(NOW * 1000) + 1
    failed = Record(at=at, function="agent", level="WARN", message="A chat is answered later", fields={"trace": TRACE})
    logs.records = [Record(at=at, function="courier", message="Swept the waiting room"), failed]
    assert failures.fresh() == [f"⚠️  agent: A chat is answered later: {TRACE}"]
    for _ in range(3):
        now += OVERLAP_SECONDS / 2
        assert failures.fresh() == []
    logs.records.append(Record(at=int(now * 1000), function="agent", message="again", fields={"trace": TRACE}))
    logs.gone = True
    assert failures.fresh() == []
    logs.gone = False
    assert failures.fresh() == [f"⚠️  agent: again: {TRACE}"]

"""What stands where Lambda stands, for the commands that are answered by the admin function."""

import io
import json
from collections.abc import Callable
from typing import Any, NamedTuple

from tests.admin.harness import AdminHarness
from tests.harness import T0


class Ended(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


Run = Callable[..., Ended]


class Function:
    """Hands the event to the admin function, or to what a test puts in its place."""

    def __init__(self, harness: AdminHarness) -> None:
        self.harness = harness
        self.now = T0 + 1
        self.events: list[dict[str, Any]] = []
        self.answers: Callable[[dict[str, Any]], Any] = lambda event: harness.admin.answer(event, self.now)
        self.error = ""

    def invoke(self, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803 (boto3's names)
        """Answer as Lambda does."""
        assert FunctionName == "doorcode-admin"
        event = json.loads(Payload)
        self.events.append(event)
        answer = self.answers(event)
        payload = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        return {"Payload": io.BytesIO(payload)} | ({"FunctionError": self.error} if self.error else {})

"""Lambda's Runtime API, as much of it as one function needs: events out, answers in, and when they came.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from tests.bench.loopback import Loopback, Request, Respond, Response

ARN = "arn:aws:lambda:us-east-1:123456789012:function:measured"


class FunctionError(Exception):
    """The function failed, or gave no answer in time."""


class Answered(NamedTuple):
    """One invocation: what the function returned, how long it took, and what ``measure`` found in that moment."""

    answer: Any
    seconds: float
    at: float
    measured: float


class RuntimeApi:
    """One function's Runtime API: its ``answer`` is to be served on a ``Loopback``."""

    def __init__(self, loopback: Loopback, measure: Callable[[], float] = lambda: 0.0) -> None:
        """Call ``measure`` whenever an answer has come, while the function still waits for it to be taken."""
        self._loopback = loopback
        self.measure = measure
        self._events: list[bytes] = []
        self._next: Respond | None = None
        self._sent_at = 0.0
        self._answered: list[Answered] = []
        self._expected = 0
        self._failed = ""
        self._done = threading.Event()

    def start(self, events: Sequence[object]) -> None:
        """Have the function answer these events, one after the other."""
        encoded = [json.dumps(event).encode() for event in events]
        self._done.clear()

        def begin() -> None:
            self._answered, self._expected = [], len(encoded)
            self._events = encoded[::-1]
            self._hand_out()

        self._loopback.loop.call_soon_threadsafe(begin)

    def finish(self, timeout: float = 30.0) -> list[Answered]:
        """Wait for the answers to all events. Raises FunctionError."""
        if not self._done.wait(timeout):
            raise FunctionError(f"{len(self._answered)} of {self._expected} answers after {timeout} s")
        if self._failed:
            raise FunctionError(self._failed)
        return self._answered

    def invoke(self, events: Sequence[object], timeout: float = 30.0) -> list[Answered]:
        """Have the function answer these events, and return the answers. Raises FunctionError."""
        self.start(events)
        return self.finish(timeout)

    def answer(self, request: Request, respond: Respond) -> None:
        """Serve one request of the runtime client."""
        at = time.perf_counter()
        if request.path.endswith("/invocation/next"):
            self._next = respond
            self._hand_out()
            return
        measured = self.measure()
        if request.path.endswith("/error"):
            self._failed = request.body.decode()[:2000]
            respond(Response(202))
            self._done.set()
            return
        self._answered.append(Answered(json.loads(request.body), at - self._sent_at, at, measured))
        respond(Response(202))
        if len(self._answered) == self._expected:
            self._done.set()

    def _hand_out(self) -> None:
        if self._next is None or not self._events:
            return
        respond, self._next = self._next, None
        headers = {
            "Content-Type": "application/json",
            "Lambda-Runtime-Aws-Request-Id": f"00000000-0000-4000-8000-{len(self._events):012}",
            "Lambda-Runtime-Deadline-Ms": str(int(time.time() * 1000) + 10_000),
            "Lambda-Runtime-Invoked-Function-Arn": ARN,
            "Lambda-Runtime-Trace-Id": "Root=1-00000000-000000000000000000000000;Sampled=0",
        }
        body = self._events.pop()
        self._sent_at = time.perf_counter()
        respond(Response(200, headers, body))

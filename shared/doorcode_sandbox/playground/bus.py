"""The events that the stack publishes, caught as anybody's consumer would: a rule, a queue, somebody who reads it."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

KEPT = 200
WAIT_SECONDS = 1
# After trouble, which may be the emulator's end.
REST_SECONDS = 2.0
FAILURES = (BotoCoreError, ClientError)


class Bus:
    """Collects events in a thread of its own, between ``start`` and ``stop``."""

    def __init__(self, client: Callable[[str], Any], stack: str, on_event: Callable[[], None]) -> None:
        """Catch what that stack publishes. ``on_event`` is called, from the thread, for every batch."""
        self._client = client
        self._name = f"{stack}-playground"
        self._on_event = on_event
        self._caught: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to collect; what is needed for it is made, or found from an earlier run."""
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name="playground-events", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread, and take away what it made."""
        if self._thread is None:
            return
        self._stopping.set()
        self._thread.join()
        self._thread = None

    def events(self) -> list[dict[str, Any]]:
        """Return the last events, oldest first."""
        return list(self._caught)

    def _run(self) -> None:
        url = ""
        while not self._stopping.is_set():
            try:
                url = url or self._make()
                self._collect(url)
            except FAILURES:
                url = ""
                self._stopping.wait(REST_SECONDS)
        self._remove(url)

    def _make(self) -> str:
        queues, events = self._client("sqs"), self._client("events")
        url: str = queues.create_queue(QueueName=self._name)["QueueUrl"]
        arn = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        queues.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
        events.put_rule(Name=self._name, EventPattern=json.dumps({"source": ["doorcode"]}))
        events.put_targets(Rule=self._name, Targets=[{"Id": "queue", "Arn": arn}])
        return url

    def _collect(self, url: str) -> None:
        queues = self._client("sqs")
        answer = queues.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=WAIT_SECONDS)
        for message in answer.get("Messages", ()):
            event = json.loads(message["Body"])
            self._caught.append({"at": event["time"], "detail-type": event["detail-type"], "detail": event["detail"]})
            queues.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        if answer.get("Messages"):
            self._on_event()

    def _remove(self, url: str) -> None:
        if not url:
            return
        try:
            events = self._client("events")
            events.remove_targets(Rule=self._name, Ids=["queue"])
            events.delete_rule(Name=self._name)
            self._client("sqs").delete_queue(QueueUrl=url)
        except FAILURES:
            # The next run finds them, and uses them.
            return

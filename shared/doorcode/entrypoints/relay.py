"""The relay: the table's stream → the effects queue. It does nothing else, for its failure stops the stream."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from doorcode.aws.effects_queue import EffectsQueue
from doorcode.entrypoints import log


class Relay:
    """Copies moves of contacts into the queue, each contact's in their order."""

    def __init__(self, queue: EffectsQueue) -> None:
        """Copy into ``queue``."""
        self._queue = queue

    def handle(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Copy a batch of stream records; report the first that is not surely copied, from where the stream goes on."""
        records = event["Records"]
        copied = self._queue.copy(records)
        if copied.count == len(records):
            return {"batchItemFailures": []}
        waiting = str(len(records) - copied.count)
        log.error(f"Could not copy moves into the effects queue: {copied.detail}", reason="relay", waiting=waiting)
        return {"batchItemFailures": [{"itemIdentifier": records[copied.count]["dynamodb"]["SequenceNumber"]}]}

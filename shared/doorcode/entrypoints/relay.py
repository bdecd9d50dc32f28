"""The relay: the table's stream → the effects queue. It does nothing else, for its failure stops the stream."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import boto3

from doorcode.aws.effects_queue import EffectsQueue
from doorcode.entrypoints import log
from doorcode.entrypoints.ping import answers_ping
from doorcode.wiring.environment import required
from doorcode.wiring.sdk import TWO_TRIES

Handler = Callable[[Mapping[str, Any], object], Mapping[str, Any]]


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


def relay_handler() -> Handler:
    """Return the Lambda handler of the relay. It is wired up here, so that it loads none of the platforms' libraries."""

    @cache
    def relay() -> Relay:
        (queue_url,) = required(os.environ, "EFFECTS_QUEUE_URL")
        return Relay(EffectsQueue(boto3.client("sqs", config=TWO_TRIES), queue_url))

    @answers_ping(relay)
    def handler(event: Mapping[str, Any], context: object) -> Mapping[str, Any]:
        log.begin(context, "relay")
        return relay().handle(event)

    return handler

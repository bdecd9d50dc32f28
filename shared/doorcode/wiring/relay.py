"""Wires up the relay. It loads none of the platforms' libraries."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from doorcode.aws.effects_queue import EffectsQueue
from doorcode.entrypoints import log
from doorcode.entrypoints.ping import answers_ping
from doorcode.entrypoints.relay import Relay
from doorcode.wiring import sdk
from doorcode.wiring.environment import required

Handler = Callable[[Mapping[str, Any], object], Mapping[str, Any]]


def relay_handler() -> Handler:
    """Return the Lambda handler of the relay."""

    @cache
    def relay() -> Relay:
        (queue_url,) = required(os.environ, "EFFECTS_QUEUE_URL")
        return Relay(EffectsQueue(sdk.client("sqs", sdk.TWO_TRIES), queue_url))

    @answers_ping(relay)
    def handler(event: Mapping[str, Any], context: object) -> Mapping[str, Any]:
        log.begin(context, "relay")
        return relay().handle(event)

    return handler

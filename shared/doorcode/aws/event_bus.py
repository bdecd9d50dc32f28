"""Events on EventBridge."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from doorcode.asking.telling import AskEvent
from doorcode.errors import UnavailableError
from doorcode.pairing.consequences import Event

SOURCE = "doorcode"


class EventsClient(Protocol):
    """What is used of an EventBridge client, as boto3 documents it."""

    def put_events(self, **kwargs: Any) -> Any: ...  # noqa: D102


class EventBus:
    """The default event bus of the account."""

    def __init__(self, client: EventsClient, *, transport_errors: tuple[type[Exception], ...] = ()) -> None:
        """Publish through ``client``; ``transport_errors`` are what it raises when no answer came."""
        self._client = client
        self._transport_errors = transport_errors

    def publish(self, events: Sequence[Event | AskEvent]) -> None:
        """Publish events; at least once each. Raises UnavailableError, also when the bus took only some of them."""
        entries = [{"Source": SOURCE, "DetailType": event.type, "Detail": json.dumps(event.detail)} for event in events]
        try:
            answer = self._client.put_events(Entries=entries)
        except self._transport_errors as error:
            raise UnavailableError("publish an event", type(error).__name__) from None
        except Exception as error:
            response = getattr(error, "response", None)
            if not isinstance(response, Mapping):
                raise
            raise UnavailableError("publish an event", str(response.get("Error", {}).get("Code", "unknown"))) from None
        if answer.get("FailedEntryCount"):
            codes = {entry["ErrorCode"] for entry in answer.get("Entries", []) if entry.get("ErrorCode")}
            raise UnavailableError("publish an event", ", ".join(sorted(codes)) or "not taken")

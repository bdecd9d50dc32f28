"""The hand-off: admitted messages, into a FIFO queue that keeps each conversation in order."""

from __future__ import annotations

import json
from typing import Any, Protocol

import msgspec

from doorcode.aws.retrying import Retrying
from doorcode.pairing.hand_off import QueuedHandOff

# Escapes all that is beyond ASCII: SQS refuses some of what people can type.
ESCAPED = json.JSONEncoder(ensure_ascii=True, separators=(",", ":"))


class HandOffClient(Protocol):
    """What is used of an SQS client, as boto3 documents it."""

    def send_message(self, **kwargs: Any) -> Any: ...  # noqa: D102


class AgentQueue:
    """Sends admitted messages to the agent."""

    def __init__(self, client: HandOffClient, url: str, retrying: Retrying) -> None:
        """Send to the queue at ``url``, asked with ``retrying``."""
        self._client = client
        self._url = url
        self._retrying = retrying

    def send(self, message: QueuedHandOff) -> None:
        """Hand a message off. The same delivery sent again within five minutes arrives once. Raises UnavailableError."""
        body = _ascii(message.handed)
        self._retrying.ask(
            "hand the message to the agent",
            lambda: self._client.send_message(
                QueueUrl=self._url,
                MessageBody=body,
                MessageGroupId=message.group,
                MessageDeduplicationId=message.delivery,
            ),
        )


def _ascii(value: Any) -> str:
    """Write JSON, with everything beyond ASCII escaped; the standard library does that, at ten times the cost."""
    encoded = msgspec.json.encode(value)
    return encoded.decode() if encoded.isascii() else ESCAPED.encode(msgspec.json.decode(encoded))

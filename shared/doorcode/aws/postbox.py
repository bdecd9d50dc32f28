"""Messages that were received from a FIFO queue and cannot be dealt with now, or ever."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

Record = Mapping[str, Any]
"""A message as Lambda is given it: ``messageId``, ``receiptHandle``, ``body``, ``attributes``."""

# The attribute of a parked message that says, in one word, why it was parked.
REASON = "reason"
# A failure without a delay of its own waits this long, doubling with each try.
FIRST_DELAY_SECONDS = 2
LONGEST_DELAY_SECONDS = 300


class VisibilityClient(Protocol):
    """What is used of an SQS client, as boto3 documents it."""

    def change_message_visibility(self, **kwargs: Any) -> Any: ...  # noqa: D102
    def send_message(self, **kwargs: Any) -> Any: ...  # noqa: D102


class Postbox:
    """One queue and its dead-letter queue."""

    def __init__(self, client: VisibilityClient, queue_url: str, dead_letter_url: str) -> None:
        """Hand back to the first, park in the second."""
        self._client = client
        self._queue_url = queue_url
        self._dead_letter_url = dead_letter_url

    def hand_back(self, record: Record, delay: int) -> None:
        """Hide a message, and with it its whole group, for ``delay`` seconds; it must also be reported as failed."""
        self._client.change_message_visibility(
            QueueUrl=self._queue_url, ReceiptHandle=record["receiptHandle"], VisibilityTimeout=delay
        )

    def park(self, record: Record, reason: str) -> None:
        """Put a message into the dead-letter queue, alone, with the word for why; it must be reported as done.

        Leaving that to the queue would take along what waits behind it, whose receive counts rise in step.
        """
        self._client.send_message(
            QueueUrl=self._dead_letter_url,
            MessageBody=record["body"],
            MessageGroupId=record["attributes"]["MessageGroupId"],
            MessageDeduplicationId=record["messageId"],
            MessageAttributes={REASON: {"DataType": "String", "StringValue": reason}},
        )


def group(record: Record) -> str:
    """Return the group of a message, such as one contact or one chat."""
    name: str = record["attributes"]["MessageGroupId"]
    return name


def age(record: Record, now: int) -> int:
    """Return for how many seconds a message has been in the queue; 0 where the queue's clock is ahead of ours."""
    return max(now - int(record["attributes"]["SentTimestamp"]) // 1000, 0)


def receives(record: Record) -> int:
    """Return how many times a message was received, this time included."""
    return int(record["attributes"]["ApproximateReceiveCount"])


def backed_off(record: Record) -> int:
    """Return how many seconds to wait before the next try."""
    doubled: int = FIRST_DELAY_SECONDS * 2 ** min(receives(record) - 1, 10)
    return min(doubled, LONGEST_DELAY_SECONDS)

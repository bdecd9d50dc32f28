"""What did not arrive, on its way from the edge, which is told, to the courier, who asks and tells others instead."""

from __future__ import annotations

import hashlib

import msgspec
from msgspec import Struct

from doorcode.aws.answer_queue import AnswerClient
from doorcode.aws.effects_queue import UnusableRecordError
from doorcode.aws.retrying import Patience
from doorcode.pairing.hand_off import fitting_id
from doorcode.pairing.messages import Undelivered
from doorcode.pairing.platform import Platform

# How every one begins, and nothing else in the queue does.
BEGINNING = '{"type":"undelivered",'


class QueuedUndelivered(Struct, frozen=True, tag="undelivered", tag_field="type"):
    """The news of one thing that was sent."""

    platform: Platform
    user_id: str
    key: str


class UndeliveredQueue:
    """Takes the news."""

    def __init__(self, client: AnswerClient, url: str, patience: Patience) -> None:
        """Send to the queue at ``url``, asked with ``patience``."""
        self._client = client
        self._url = url
        self._patience = patience

    def send(self, news: Undelivered) -> None:
        """Hand it on, once however often it is told. Raises UnavailableError."""
        body = msgspec.json.encode(QueuedUndelivered(news.platform, news.user_id, news.key)).decode()
        self._patience.ask(
            "hand the news on",
            lambda: self._client.send_message(
                QueueUrl=self._url,
                MessageBody=body,
                MessageGroupId=fitting_id(f"undelivered#{news.platform}#{news.user_id}"),
                MessageDeduplicationId=hashlib.sha256(body.encode()).hexdigest(),
            ),
        )


def is_undelivered(body: str) -> bool:
    """Tell whether a message of the effects queue is such news."""
    return body.startswith(BEGINNING)


def read_undelivered(body: str) -> QueuedUndelivered:
    """Read it. Raises UnusableRecordError."""
    try:
        return msgspec.json.decode(body, type=QueuedUndelivered)
    except (ValueError, RecursionError):
        raise UnusableRecordError("News of what did not arrive has an unknown form.") from None

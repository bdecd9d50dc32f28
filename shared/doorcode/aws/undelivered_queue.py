"""What did not arrive, on its way from the edge, which is told, to the courier, who asks and tells others instead."""

from __future__ import annotations

import hashlib

import msgspec
from msgspec import Struct

from doorcode.aws.answer_queue import AnswerClient
from doorcode.aws.effects_queue import UnusableRecordError
from doorcode.aws.retrying import Retrying
from doorcode.pairing.hand_off import fitting_id
from doorcode.pairing.messages import Undelivered
from doorcode.pairing.platform import Platform

# How every one begins, and nothing else in the queue does.
BEGINNINGS = ('{"type":"undelivered",', '{"type":"untold",')


class QueuedUndelivered(Struct, frozen=True, tag="undelivered", tag_field="type"):
    """The news of one thing that was sent."""

    platform: Platform
    user_id: str
    key: str


class QueuedUntold(Struct, frozen=True, tag="untold", tag_field="type"):
    """Somebody has written, by that delivery, whose last receipt did not arrive."""

    platform: Platform
    user_id: str
    delivery: str


class UndeliveredQueue:
    """Takes the news. What is about one person stays in its order."""

    def __init__(self, client: AnswerClient, url: str, retrying: Retrying) -> None:
        """Send to the queue at ``url``, asked with ``retrying``."""
        self._client = client
        self._url = url
        self._retrying = retrying

    def send(self, news: Undelivered) -> None:
        """Hand it on, once however often it is told. Raises UnavailableError."""
        self._send(QueuedUndelivered(news.platform, news.user_id, news.key))

    def tell_again(self, platform: Platform, user_id: str, delivery: str) -> None:
        """Have somebody told again what did not arrive, as they have written. Raises UnavailableError."""
        self._send(QueuedUntold(platform, user_id, delivery))

    def _send(self, news: QueuedUndelivered | QueuedUntold) -> None:
        body = msgspec.json.encode(news).decode()
        self._retrying.ask(
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
    return body.startswith(BEGINNINGS)


def read_undelivered(body: str) -> QueuedUndelivered | QueuedUntold:
    """Read it. Raises UnusableRecordError."""
    try:
        return msgspec.json.decode(body, type=QueuedUndelivered | QueuedUntold)
    except (ValueError, RecursionError):
        raise UnusableRecordError("News of what did not arrive has an unknown form.") from None

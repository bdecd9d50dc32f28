"""Answers that come later, by a reply address: on their way to the courier, which says them where they belong.

They wait in the effects queue, whose consumer runs whoever answers messages here, and has the bots' tokens; each
conversation has a group of its own, in which its answers keep their order.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import Any, Protocol

import msgspec
from msgspec import Struct

from doorcode.aws.effects_queue import UnusableRecordError
from doorcode.aws.retrying import Retrying
from doorcode.pairing.hand_off import fitting_id
from doorcode.pairing.platform import Platform
from doorcode.pairing.reply_address import ReplyAddress

VERSION = 1
# How every one begins, and no move of a contact does.
BEGINNING = '{"type":"answer",'
ID_BYTES = 16
# Of what is beyond ASCII, all that SQS refuses: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
REFUSED = {0xFFFE: "\\ufffe", 0xFFFF: "\\uffff"}


class QueuedAnswer(Struct, frozen=True, kw_only=True, tag="answer", tag_field="type"):
    """One answer, and where it goes. ``at`` is when it was given, in whole seconds since 1970."""

    version: int = VERSION
    # The same for the same answer given again.
    id: str
    at: int
    platform: Platform
    user_id: str
    reply: str
    text: str
    quote: str = ""


class AnswerClient(Protocol):
    """What is used of an SQS client, as boto3 documents it."""

    def send_message(self, **kwargs: Any) -> Any: ...  # noqa: D102


class AnswerQueue:
    """Takes answers."""

    def __init__(self, client: AnswerClient, url: str, retrying: Retrying) -> None:
        """Send to the queue at ``url``, asked with ``retrying``."""
        self._client = client
        self._url = url
        self._retrying = retrying

    def send(self, address: ReplyAddress, text: str, now: int, key: str = "") -> str:
        """Have a text sent where the address leads; return the id that it goes by. Raises UnavailableError.

        With ``key``, the same one to the same message is one answer, and the first text is what is said. (The queue tells
        for five minutes, and the courier for a day.)
        """
        answer = QueuedAnswer(
            id=_id(address, key),
            at=now,
            platform=address.platform,
            user_id=address.user_id,
            reply=address.reply,
            text=text,
            quote=address.quote,
        )
        body = msgspec.json.encode(answer).decode().translate(REFUSED)
        self._retrying.ask(
            "hand the answer on",
            lambda: self._client.send_message(
                QueueUrl=self._url,
                MessageBody=body,
                MessageGroupId=fitting_id(f"answers#{address.conversation}"),
                MessageDeduplicationId=answer.id,
            ),
        )
        return answer.id


def is_answer(body: str) -> bool:
    """Tell whether a message of the effects queue is an answer."""
    return body.startswith(BEGINNING)


def read_answer(body: str) -> QueuedAnswer:
    """Read an answer. Raises UnusableRecordError."""
    try:
        answer = msgspec.json.decode(body, type=QueuedAnswer)
    except (ValueError, RecursionError):
        raise UnusableRecordError("An answer has an unknown form.") from None
    if answer.version != VERSION:
        raise UnusableRecordError("An answer is of another version.")
    return answer


def _id(address: ReplyAddress, key: str) -> str:
    if not key:
        return secrets.token_hex(ID_BYTES)
    named = msgspec.json.encode([address.platform, address.conversation, address.delivery, key])
    return hashlib.sha256(named).hexdigest()[: 2 * ID_BYTES]

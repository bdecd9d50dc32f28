"""What the courier and the agent have given up on, in the two dead-letter queues: looked at, sent again, or thrown away.

A FIFO queue shows what is in it only by handing it out, and of a group at most ten messages while one of it is out. So
what is looked at is held for a moment and given back; and what lies behind ten of one contact or chat is seen once those
are gone. Nothing leaves the queue before it is in its source queue again, or was to be thrown away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import msgspec
from botocore.exceptions import BotoCoreError, ClientError
from msgspec import Struct

from doorcode.aws.answer_queue import is_answer, read_answer
from doorcode.aws.effects_queue import UnusableRecordError, is_question, read_move, read_question
from doorcode.aws.postbox import REASON
from doorcode.pairing.consequences import follow
from doorcode.pairing.hand_off import HandOff
from doorcode_cli.deployment import Deployment
from doorcode_cli.target import unreachable

# For so long nobody else sees what is looked at; a command that is killed leaves it hidden no longer.
HOLD_SECONDS = 60
MOST_AT_ONCE = 10
# Asked for at once, a queue may say that it is empty although it is not.
WAIT_SECONDS = 1
UNREADABLE = "unreadable"


class Queue(Struct, frozen=True):
    """A dead-letter queue and where its messages came from, by their names in the template."""

    name: str
    parked: str
    source: str


QUEUES = (Queue("courier", "EffectsDeadLetters", "EffectsQueue"), Queue("agent", "AgentDeadLetters", "AgentQueue"))


class Parked(Struct, frozen=True, kw_only=True):
    """A message that was given up on, without anything that a person wrote. Times are in seconds since 1970, 0 for unknown.

    ``kind`` is what the courier was to follow, or what the agent was sent; ``reason`` is empty where the queue itself gave up.
    """

    id: str
    queue: str
    kind: str
    platform: str = ""
    user_id: str = ""
    made_at: float = 0
    parked_at: float
    reason: str = ""


class HeldMessage(Struct, frozen=True):
    """A parked message as it is held."""

    parked: Parked
    queue: Queue
    message: dict[str, Any]


class DeadLetters:
    """The two dead-letter queues of a stack. Everything here raises CommandError where they cannot be reached."""

    def __init__(self, deployment: Deployment) -> None:
        """Look at the queues of ``deployment``. Nothing is asked yet."""
        self._deployment = deployment
        self._sqs = deployment.client("sqs")
        # What was sent again, as the source queues named it.
        self._resent: set[str] = set()

    def count(self) -> int:
        """Return about how many there are, those included that a look does not come to."""
        return sum(self._count(queue) for queue in QUEUES)

    @contextmanager
    def held(self) -> Iterator[Iterator[HeldMessage]]:
        """Give what is parked, oldest first in each group; what was not taken away is given back in the end."""
        out: dict[str, HeldMessage] = {}
        try:
            yield self._find(out)
        finally:
            for found in out.values():
                # Where that does not succeed, or it was taken away, its time ends by itself.
                with suppress(BotoCoreError, ClientError):
                    self._sqs.change_message_visibility(**self._handle(found), VisibilityTimeout=0)

    def resend(self, found: HeldMessage) -> None:
        """Put a message into its source queue, in its group, and then take it out of here.

        Again within five minutes, after a failure between the two, the source queue takes it for the same.
        """
        attributes = found.message["Attributes"]
        answer = self._ask(
            found.queue.source,
            lambda: self._sqs.send_message(
                QueueUrl=self._url(found.queue.source),
                MessageBody=found.message["Body"],
                MessageGroupId=attributes["MessageGroupId"],
                MessageDeduplicationId=attributes["MessageDeduplicationId"],
            ),
        )
        self._resent.add(answer["MessageId"])
        self.drop(found)

    def drop(self, found: HeldMessage) -> None:
        """Take a message out, for good."""
        self._ask(found.queue.parked, lambda: self._sqs.delete_message(**self._handle(found)))

    def _find(self, out: dict[str, HeldMessage]) -> Iterator[HeldMessage]:
        for queue in QUEUES:
            while True:
                messages = self._receive(queue)
                fresh = [
                    HeldMessage(_read(queue, message), queue, message)
                    for message in messages
                    if message["MessageId"] not in out
                ]
                # All of them at once: whoever stops looking half way gives the others back, too.
                out.update((found.parked.id, found) for found in fresh)
                for found in fresh:
                    # What is back already, for the cause is not gone, would be sent and come back for ever.
                    if found.message["Attributes"]["MessageDeduplicationId"] not in self._resent:
                        yield found
                # Nothing, or what has come back because this takes longer than it may be held.
                if not fresh:
                    break

    def _receive(self, queue: Queue) -> list[dict[str, Any]]:
        answer = self._ask(
            queue.parked,
            lambda: self._sqs.receive_message(
                QueueUrl=self._url(queue.parked),
                MaxNumberOfMessages=MOST_AT_ONCE,
                VisibilityTimeout=HOLD_SECONDS,
                WaitTimeSeconds=WAIT_SECONDS,
                AttributeNames=["All"],
                MessageAttributeNames=[REASON],
            ),
        )
        return list(answer.get("Messages", []))

    def _count(self, queue: Queue) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        answer = self._ask(
            queue.parked,
            lambda: self._sqs.get_queue_attributes(QueueUrl=self._url(queue.parked), AttributeNames=names),
        )
        return sum(int(answer["Attributes"][name]) for name in names)

    def _handle(self, found: HeldMessage) -> dict[str, str]:
        return {"QueueUrl": self._url(found.queue.parked), "ReceiptHandle": found.message["ReceiptHandle"]}

    def _url(self, name: str) -> str:
        return self._deployment.physical(name)

    def _ask(self, name: str, call: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        try:
            return call()
        except (BotoCoreError, ClientError) as error:
            raise unreachable(error, f"the queue {name}") from None


def _read(queue: Queue, message: dict[str, Any]) -> Parked:
    facts = _of_move(message["Body"]) if queue.source == "EffectsQueue" else _of_message(message["Body"])
    return Parked(
        id=message["MessageId"],
        queue=queue.name,
        parked_at=int(message["Attributes"]["SentTimestamp"]) / 1000,
        reason=message.get("MessageAttributes", {}).get(REASON, {}).get("StringValue", ""),
        **facts,
    )


def _of_move(body: str) -> dict[str, Any]:
    try:
        if is_answer(body):
            answer = read_answer(body)
            return {
                "kind": "answer",
                "platform": str(answer.platform),
                "user_id": answer.user_id,
                "made_at": answer.at,
            }
        if is_question(body):
            moved = read_question(body)
            return {"kind": "callback of a question" if moved.calls else "question", "user_id": moved.id}
        move = read_move(body)
    except UnusableRecordError:
        return {"kind": UNREADABLE}
    contact = move.contact
    kinds = [str(event.type) for event in follow(move.old, move.new, move.at).events]
    return {
        "kind": ", ".join(kinds) or str(contact.state),
        "platform": str(contact.platform),
        "user_id": contact.user_id,
        "made_at": move.at,
    }


def _of_message(body: str) -> dict[str, Any]:
    try:
        message = msgspec.json.decode(body, type=HandOff)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return {"kind": UNREADABLE}
    return {
        "kind": message.messages[0].kind,
        "platform": str(message.platform),
        "user_id": message.user.id,
        "made_at": message.messages[0].sent_at,
    }

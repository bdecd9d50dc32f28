"""A consumer of the agent queue on somebody's own machine: each conversation in its order, several at once, nothing lost.

A message is taken off the queue only when it was answered, or put aside for ``doorcode parked``; whatever else it was received
for, it is given back at once. What was said before is remembered for as long as this runs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import Event, Lock, Thread
from typing import Any

import msgspec
from botocore.exceptions import BotoCoreError, ClientError
from msgspec import UNSET

from doorcode.agent.memory import MAX_TURNS, from_the_person, merged
from doorcode.agent.responder import AgentRefusedError, AgentUnavailableError, Responder
from doorcode.aws.postbox import Postbox, Record, backed_off, group
from doorcode.pairing.hand_off import VERSION, HandOff, Turn
from doorcode_cli.target import unreachable

# As many conversations are answered at the same time.
AT_ONCE = 8
# An answer takes a minute at most, and sending it a little.
HIDDEN_SECONDS = 120
# So soon does it notice that it is to end.
WAIT_SECONDS = 2
BUSY_SECONDS = 0.1
# What it cannot read is somebody else's: left for a while, so that the others have their turn.
LEFT_SECONDS = 300
GAVE_UP = "Sorry, I could not answer that. Please try again later."

Send = Callable[[HandOff, str, str], None]
"""Sends one text to where a message was written, once for each key. Raises AgentUnavailableError, AgentRefusedError."""
Tell = Callable[[HandOff, Sequence[str], str], None]
"""Tells the operator what became of a message: what was answered, or else why nothing was."""


class QueueConsumer:
    """Takes messages off one queue, has them answered, and sends the answers."""

    def __init__(  # noqa: PLR0913 (what it stands on)
        self, sqs: Any, queue_url: str, dead_letter_url: str, *, respond: Responder, send: Send, tell: Tell
    ) -> None:
        """Take them from ``queue_url``; what will never be answered goes to ``dead_letter_url``."""
        self._sqs = sqs
        self._queue_url = queue_url
        self._postbox = Postbox(sqs, queue_url, dead_letter_url)
        self._respond = respond
        self._send = send
        self._tell = tell
        self._turns: dict[str, list[Turn]] = {}
        self._held: dict[str, Record] = {}
        self._failed: list[Exception] = []
        # Between the end and whoever still hides a message.
        self._ending = Lock()

    def run(self, over: Event) -> None:
        """Answer until it is over. Raises CommandError where the queue cannot be reached."""
        busy: list[Thread] = []
        try:
            while not over.is_set():
                if self._failed:
                    raise self._failed[0]
                busy = [one for one in busy if one.is_alive()]
                if len(busy) == AT_ONCE:
                    over.wait(BUSY_SECONDS)
                    continue
                for records in self._received(AT_ONCE - len(busy)):
                    # Not waited for at the end: what it is about is given back, and is asked again under the same id.
                    busy.append(Thread(target=self._seen_to, args=(records, over), daemon=True))
                    busy[-1].start()
        finally:
            with self._ending:
                over.set()
                for record in [*self._held.values()]:
                    self._give_back(record, 0)

    def _received(self, most: int) -> list[list[Record]]:
        try:
            answer = self._sqs.receive_message(
                QueueUrl=self._queue_url,
                MaxNumberOfMessages=most,
                WaitTimeSeconds=WAIT_SECONDS,
                VisibilityTimeout=HIDDEN_SECONDS,
                AttributeNames=["All"],
            )
        except (BotoCoreError, ClientError) as error:
            raise unreachable(error, "the agent queue") from None
        groups: dict[str, list[Record]] = {}
        for message in answer.get("Messages", []):
            record = {
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"],
                "attributes": message["Attributes"],
            }
            self._held[record["messageId"]] = record
            groups.setdefault(group(record), []).append(record)
        return list(groups.values())

    def _seen_to(self, records: Sequence[Record], over: Event) -> None:
        try:
            self._conversation(records, over)
        except (BotoCoreError, ClientError) as error:
            self._failed.append(unreachable(error, "the agent queue"))
        except Exception as error:  # noqa: BLE001 (it is raised where it ends the command)
            self._failed.append(error)

    def _conversation(self, records: Sequence[Record], over: Event) -> None:
        """Answer what is given of one conversation, until something is in the way: then the rest waits behind it."""
        for number, record in enumerate(records):
            with self._ending:
                if over.is_set():
                    return
                for one in records[number:]:
                    self._postbox.hand_back(one, HIDDEN_SECONDS)
            delay = self._answered(record, over)
            if delay is not None:
                self._give_back(record, delay)
                for one in records[number + 1 :]:
                    self._give_back(one, 0)
                return

    def _answered(self, record: Record, over: Event) -> int | None:
        """Answer one message; return None when it is done with, or else for how long it is to wait."""
        message = _read(record)
        if message is None:
            return LEFT_SECONDS
        before = self._turns.get(message.conversation, [])
        try:
            texts = self._respond(msgspec.structs.replace(message, history=tuple(before)))
            if over.is_set():
                # It was given back already, and is asked again.
                return 0
            for number, text in enumerate(texts):
                self._send(message, text, f"{message.id}:{number}")
        except AgentUnavailableError as error:
            self._tell(message, (), f"again later: {error}")
            return error.delay or backed_off(record)
        except AgentRefusedError as error:
            self._tell(message, (), f"parked: {error}")
            self._postbox.park(record, error.reason)
            with suppress(AgentUnavailableError, AgentRefusedError):
                self._send(message, GAVE_UP, f"{message.id}:refused")
        else:
            said = [Turn("user", message.said), *(Turn("assistant", text) for text in texts)]
            self._turns[message.conversation] = from_the_person(merged([*before, *said])[-MAX_TURNS:])
            self._tell(message, texts, "")
        self._sqs.delete_message(QueueUrl=self._queue_url, ReceiptHandle=record["receiptHandle"])
        self._held.pop(record["messageId"], None)
        return None

    def _give_back(self, record: Record, delay: int) -> None:
        if self._held.pop(record["messageId"], None) is None:
            # It was given back when this ended, and may be somebody else's by now.
            return
        # Where that fails, its time ends by itself.
        with suppress(BotoCoreError, ClientError):
            self._postbox.hand_back(record, delay)


def _read(record: Record) -> HandOff | None:
    """Read a message that was left here for a consumer; None for any other."""
    try:
        message = msgspec.json.decode(record["body"], type=HandOff)
    except (ValueError, RecursionError):
        return None
    return message if message.version == VERSION and message.reply is UNSET and message.reply_to else None

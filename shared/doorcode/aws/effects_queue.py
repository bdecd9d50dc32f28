"""Moves of contacts and of questions, from the table's stream into a FIFO queue with one group for each, and out of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import msgspec
from msgspec import Struct, structs

from doorcode.aws.items import CONTACT, contact_from_item
from doorcode.aws.question_items import ASK
from doorcode.errors import DoorcodeError, UnreadableItemError
from doorcode.pairing.contact import Contact
from doorcode.pairing.hand_off import fitting_id

VERSION = 1
# How every message about a question begins, and no move of a contact does.
QUESTION_BEGINNING = '{"type":"question",'
# What makes a question's move: another revision, a reason given afterwards, or a prompt of it that was pressed too late.
QUESTION_MOVES = ("rev", "reasoned", "stray")
# What the groups and the entries are named by in which somebody elsewhere is told.
CALL, RESUME = "call", "resume"
# SQS takes ten messages in one call.
BATCH_SIZE = 10


class UnusableRecordError(DoorcodeError):
    """A record is not ours, half written, or of a version to come. Nothing will ever make it usable."""

    reason = "unusable_record"


class MoveRecord(Struct, frozen=True):
    """One move of a contact: what it was, what it is (None: no item), and when, in whole seconds since 1970.

    ``record`` is the stream's own id of it, the same however often it comes.
    """

    record: str
    old: Contact | None
    new: Contact | None
    at: int

    @property
    def contact(self) -> Contact:
        """Whom it is about."""
        contact = self.new or self.old
        if contact is None:
            raise UnusableRecordError("A record is about nobody.")
        return contact


class QuestionMoved(Struct, frozen=True, kw_only=True, tag="question", tag_field="type"):
    """A question has moved: which one, and none of its words. Whoever follows it reads where it stands by then.

    ``record`` is the stream's own id of it. ``calls`` is for the asker's address alone, ``resumes`` for what is paused: each has
    a group of its own, so that where it does not answer, nothing else waits.
    """

    version: int = VERSION
    id: str
    record: str
    calls: bool = False
    resumes: bool = False


class Copied(Struct, frozen=True):
    """How many records were copied, from the first one on, and the queue's own word for why not more."""

    count: int
    detail: str = ""


class BatchSendClient(Protocol):
    """What is used of an SQS client, as boto3 documents it."""

    def send_message_batch(self, **kwargs: Any) -> Any: ...  # noqa: D102


class EffectsQueue:
    """Takes the records of the table's stream."""

    def __init__(self, client: BatchSendClient, url: str) -> None:
        """Send to the queue at ``url``."""
        self._client = client
        self._url = url

    def copy(self, records: Sequence[Mapping[str, Any]]) -> Copied:
        """Copy stream records in their order; return how many of them are surely in the queue, from the first one on.

        What is no move is passed over, and counts as done.
        """
        start = 0
        while start < len(records):
            batch, entries = _fitting(_one_of_each(records[start : start + BATCH_SIZE]))
            try:
                answer = self._client.send_message_batch(QueueUrl=self._url, Entries=entries) if entries else {}
            except Exception as error:  # noqa: BLE001 (whatever it was, the stream gives the records again)
                response = getattr(error, "response", None)
                code = response["Error"]["Code"] if isinstance(response, Mapping) else type(error).__name__
                return Copied(start, str(code))
            # What the queue refuses for ever is passed over: nothing may stop the stream for it.
            failed = {
                int(entry["Id"].partition("-")[0]): entry
                for entry in answer.get("Failed", [])
                if not entry.get("SenderFault")
            }
            if failed:
                return Copied(start + min(failed), str(failed[min(failed)].get("Code", "not taken")))
            start += len(batch)
        return Copied(len(records))


def _one_of_each(records: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """Return the first records, up to the second one of any contact.

    Of one call some entries may be taken and others not: a later move must not overtake an earlier one.
    """
    seen: set[str] = set()
    for number, record in enumerate(records):
        contact = record.get("dynamodb", {}).get("Keys", {}).get("pk", {}).get("S", "")
        if contact in seen:
            return records[:number]
        seen.add(contact)
    return records


def is_move(record: Mapping[str, Any]) -> bool:
    """Tell whether a stream record is a real move: a new revision, or a contact that is gone."""
    change = record.get("dynamodb", {})
    kind = change.get("Keys", {}).get("sk", {}).get("S")
    old, new = change.get("OldImage"), change.get("NewImage")
    if kind == ASK:
        # One that is gone ended long ago.
        return new is not None and any((old or {}).get(name) != new.get(name) for name in QUESTION_MOVES)
    if kind != CONTACT:
        return False
    return new is None or old is None or old.get("rev") != new.get("rev")


def _fitting(records: Sequence[Mapping[str, Any]]) -> tuple[Sequence[Mapping[str, Any]], list[dict[str, Any]]]:
    """Return as many of the first records as one call takes, and what it is sent of them."""
    entries: list[dict[str, Any]] = []
    for number, record in enumerate(records):
        made = _entries(number, record) if is_move(record) else []
        if len(entries) + len(made) > BATCH_SIZE:
            return records[:number], entries
        entries += made
    return records, entries


def _entries(number: int, record: Mapping[str, Any]) -> list[dict[str, Any]]:
    pk = record["dynamodb"]["Keys"]["pk"]["S"]
    if record["dynamodb"]["Keys"]["sk"]["S"] != ASK:
        return [_entry(str(number), pk, record, json.dumps(_move(record)))]
    moved = QuestionMoved(id=pk.partition("#")[2], record=record["eventID"])
    entries = [_entry(str(number), pk, record, msgspec.json.encode(moved).decode())]
    for flag, name, apart in (
        ("tells", CALL, structs.replace(moved, calls=True)),
        ("resumes", RESUME, structs.replace(moved, resumes=True)),
    ):
        if flag in record["dynamodb"]["NewImage"]:
            another = {**record, "eventID": f"{name}#{record['eventID']}"}
            entries.append(_entry(f"{number}-{name}", f"{name}#{pk}", another, msgspec.json.encode(apart).decode()))
    return entries


def _entry(entry_id: str, group: str, record: Mapping[str, Any], body: str) -> dict[str, Any]:
    return {
        "Id": entry_id,
        "MessageBody": body,
        "MessageGroupId": fitting_id(group),
        "MessageDeduplicationId": fitting_id(record["eventID"]),
    }


def _move(record: Mapping[str, Any]) -> dict[str, Any]:
    change = record["dynamodb"]
    return {
        "version": VERSION,
        "record": record["eventID"],
        "at": int(change["ApproximateCreationDateTime"]),
        "old": change.get("OldImage"),
        "new": change.get("NewImage"),
    }


def is_question(body: str) -> bool:
    """Tell whether a message of the queue is about a question."""
    return body.startswith(QUESTION_BEGINNING)


def read_question(body: str) -> QuestionMoved:
    """Read such a message. Raises UnusableRecordError."""
    try:
        moved = msgspec.json.decode(body, type=QuestionMoved)
    except (ValueError, RecursionError):
        raise UnusableRecordError("A record has an unknown form.") from None
    if moved.version != VERSION:
        raise UnusableRecordError("A record is of another version.")
    return moved


def read_move(body: str) -> MoveRecord:
    """Read a message of the queue. Raises UnusableRecordError."""
    try:
        record = json.loads(body)
        if record["version"] != VERSION:
            raise UnusableRecordError("A record is of another version.")
        images = (record["old"], record["new"])
        old, new = (contact_from_item(image) if image else None for image in images)
        move = MoveRecord(str(record["record"]), old, new, int(record["at"]))
    except (KeyError, TypeError, ValueError, AttributeError, UnreadableItemError):
        raise UnusableRecordError("A record has an unknown form.") from None
    _ = move.contact
    return move

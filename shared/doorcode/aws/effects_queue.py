"""Moves of contacts, from the table's stream into a FIFO queue with one group for each contact, and out of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from msgspec import Struct

from doorcode.aws.items import CONTACT, contact_from_item
from doorcode.errors import DoorcodeError, UnreadableItemError
from doorcode.pairing.contact import Contact
from doorcode.pairing.hand_off import fitting_id

VERSION = 1
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

        What is no move of a contact is passed over, and counts as done.
        """
        start = 0
        while start < len(records):
            batch = _one_of_each(records[start : start + BATCH_SIZE])
            entries = [_entry(number, record) for number, record in enumerate(batch) if is_move(record)]
            try:
                answer = self._client.send_message_batch(QueueUrl=self._url, Entries=entries) if entries else {}
            except Exception as error:  # noqa: BLE001 (whatever it was, the stream gives the records again)
                response = getattr(error, "response", None)
                code = response["Error"]["Code"] if isinstance(response, Mapping) else type(error).__name__
                return Copied(start, str(code))
            # What the queue refuses for ever is passed over: nothing may stop the stream for it.
            failed = {int(entry["Id"]): entry for entry in answer.get("Failed", []) if not entry.get("SenderFault")}
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
    """Tell whether a stream record is a real move of a contact: a new revision, or an item that is gone."""
    change = record.get("dynamodb", {})
    if change.get("Keys", {}).get("sk", {}).get("S") != CONTACT:
        return False
    old, new = change.get("OldImage"), change.get("NewImage")
    return new is None or old is None or old.get("rev") != new.get("rev")


def _entry(number: int, record: Mapping[str, Any]) -> dict[str, Any]:
    change = record["dynamodb"]
    body = {
        "version": VERSION,
        "record": record["eventID"],
        "at": int(change["ApproximateCreationDateTime"]),
        "old": change.get("OldImage"),
        "new": change.get("NewImage"),
    }
    return {
        "Id": str(number),
        "MessageBody": json.dumps(body),
        "MessageGroupId": fitting_id(change["Keys"]["pk"]["S"]),
        "MessageDeduplicationId": fitting_id(record["eventID"]),
    }


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

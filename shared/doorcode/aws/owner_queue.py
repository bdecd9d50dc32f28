"""Each owner's queue of prompts: one item, changed by compare and swap.

Guarantees that couriers who change one queue at once do so one after the other: a change is worked out on what the
last one left, and written only if that still stands. The item grows with those who wait, who are no more than the
waiting rooms have seats.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from msgspec import structs

from doorcode.aws.items import PROMPTS_KEPT_SECONDS, attribute, contact_pk
from doorcode.aws.table import ConditionError, Item, Table
from doorcode.errors import UnavailableError, UnreadableItemError
from doorcode.pairing.turns import TurnQueue, Who

QUEUE = "queue"
# Each lost race was won by somebody else; after so many the record may as well come again.
MAX_TRIES = 16


class OwnerQueue:
    """One owner's queue. ``seen`` is how it was when it was last read or changed."""

    def __init__(self, table: Table, owner: Who, now: int) -> None:
        """Read the queue as it is now. Raises UnavailableError, and UnreadableItemError for one of a version to come."""
        self.owner = owner
        self._table = table
        self._pk = f"prompts#owner#{contact_pk(*owner)}"
        self._now = now
        self.seen = _queue(table.get(self._pk, QUEUE))

    def change(self, change: Callable[[TurnQueue], TurnQueue]) -> TurnQueue:
        """Make a change, which may be worked out several times, and return the queue after it. Raises UnavailableError."""
        for _ in range(MAX_TRIES):
            after = change(self.seen)
            if after == self.seen:
                return after
            after = structs.replace(after, rev=self.seen.rev + 1)
            try:
                self._write(after)
            except ConditionError as error:
                # Somebody was quicker; or it was this very change, whose answer was lost.
                self.seen = _queue(error.lost[0])
            else:
                self.seen = after
                return after
        raise UnavailableError("write the table", "an owner's queue is changed by many at once")

    def _write(self, after: TurnQueue) -> None:
        read = after.rev - 1
        conditions = {
            "nobody has changed the queue since it was read": "rev = :read" if read else "attribute_not_exists(pk)"
        }
        self._table.update(
            self._pk,
            QUEUE,
            UpdateExpression="SET #queue = :queue, rev = :rev, #ttl = :ttl",
            ConditionExpression=" AND ".join(conditions.values()),
            ExpressionAttributeNames={"#queue": QUEUE, "#ttl": "ttl"},
            ExpressionAttributeValues={
                ":queue": attribute(msgspec.json.encode(after).decode()),
                ":rev": attribute(after.rev),
                ":ttl": attribute(self._now + PROMPTS_KEPT_SECONDS),
                **({":read": attribute(read)} if read else {}),
            },
        )


class OwnerQueues:
    """The queues of one table, under ``prompts#owner#{platform}#{owner}``."""

    def __init__(self, table: Table) -> None:
        """Keep queues in ``table``."""
        self._table = table

    def of(self, owner: Who, now: int) -> OwnerQueue:
        """Return an owner's queue as it is now."""
        return OwnerQueue(self._table, owner, now)


def _queue(item: Item) -> TurnQueue:
    if not item:
        return TurnQueue()
    try:
        return msgspec.json.decode(item[QUEUE]["S"], type=TurnQueue)
    except (KeyError, ValueError):
        raise UnreadableItemError("read an owner's queue", "its item has an unknown form") from None

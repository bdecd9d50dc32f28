"""Who is waiting, paired and blocked, page by page."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from doorcode.aws.items import CONTACT, attribute, contact_from_item, contact_pk, listing, seat_from_item, seats_pk
from doorcode.aws.table import Item, Table
from doorcode.aws.waiting_room import WaitingRoom
from doorcode.errors import InvalidCursorError, InvalidUserIdError, RefusedError, UnavailableError, UnreadableItemError
from doorcode.pairing.contact import END_OF_TIME, Contact, Platform, Standing, State, possible_user_id
from doorcode.pairing.seats import SEAT_NAMES
from doorcode.pairing.transitions import Decision, Operation

PAGE_SIZE = 100
# Whoever looks through all of them is not shown a page at a time.
KNOWN_PAGE_SIZE = 1000
LISTED = frozenset({State.PAIRED, State.BLOCKED})


class Page(Struct, frozen=True):
    """Some contacts, newest first, and where to go on: an opaque text, empty at the end."""

    contacts: list[Contact]
    cursor: str = ""


class Cleared(Struct, frozen=True):
    """One page of a clearing: who was revoked, whose revocation failed, and where to go on (empty at the end)."""

    revoked: list[Contact]
    failed: list[Contact]
    cursor: str = ""


# What follows the two is refused, and not skipped: it may be nested deeper than anything can be read.
class _Position(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    # DynamoDB refuses a query with numbers beyond its own.
    listed_at: Annotated[int, Meta(ge=0, le=END_OF_TIME)]
    user_id: str


class Directory:
    """Lists the contacts of one table."""

    def __init__(self, table: Table) -> None:
        """Read from ``table`` and its index ``listing``, which follows the table within a second or so."""
        self._table = table

    def pending(self, platform: Platform, now: int) -> list[Contact]:
        """Return the requests that can be decided on now, oldest first: at most as many as there are seats."""
        table = self._table.started()
        items = table.partition(seats_pk(platform))
        seats = [seat_from_item(item) for item in items if item["sk"]["S"] in SEAT_NAMES]
        held = {(seat.user_id, seat.nonce) for seat in seats if not seat.freed_at}
        found = _readable(
            table.get_many([(contact_pk(platform, user_id), CONTACT) for user_id in {who for who, _ in held}])
        )
        waiting = [
            contact
            for contact in found
            if (contact.user_id, contact.nonce) in held and contact.standing(now) is Standing.PENDING
        ]
        return sorted(waiting, key=lambda contact: (contact.requested_at, contact.user_id))

    def glance(self, now: int) -> tuple[int, Contact | None]:
        """Count the requests of all platforms by the seats that they hold; return that, and whose came last, if it still waits."""
        table = self._table.started()
        held: list[tuple[int, Platform, str]] = []
        for platform in Platform:
            seats = [
                seat_from_item(item) for item in table.partition(seats_pk(platform)) if item["sk"]["S"] in SEAT_NAMES
            ]
            held += [
                (seat.expires_at, platform, seat.user_id)
                for seat in seats
                if seat.user_id and not seat.freed_at and now < seat.expires_at
            ]
        if not held:
            return 0, None
        _, platform, user_id = max(held)
        found = _readable([item] if (item := table.get(contact_pk(platform, user_id), CONTACT)) else [])
        return len(held), next((one for one in found if one.standing(now) is Standing.PENDING), None)

    def listed(self, platform: Platform, state: State, now: int, *, cursor: str = "", limit: int = PAGE_SIZE) -> Page:
        """Return one page of the paired or of the blocked contacts, without guests whose time is up.

        Raises InvalidCursorError for a cursor that no page gave out.
        """
        table = self._table.started()
        query = _those_listed(platform, state, now)
        contacts: list[Contact] = []
        start = _decoded(cursor, platform, state) if cursor else {}
        while True:
            answer = table.query(
                **query,
                ScanIndexForward=False,
                Limit=limit - len(contacts),
                **({"ExclusiveStartKey": start} if start else {}),
            )
            contacts += _readable(answer.get("Items", []))
            start = answer.get("LastEvaluatedKey") or {}
            if not start or len(contacts) >= limit:
                return Page(contacts, _encoded(start) if start else "")

    def known(self, platform: Platform, now: int) -> Iterator[Contact]:
        """Give everybody on a platform who waits, is paired or is blocked, as they are needed."""
        yield from self.pending(platform, now)
        for state in (State.PAIRED, State.BLOCKED):
            cursor = ""
            while True:
                page = self.listed(platform, state, now, cursor=cursor, limit=KNOWN_PAGE_SIZE)
                yield from page.contacts
                cursor = page.cursor
                if not cursor:
                    break

    def count(self, platform: Platform, state: State, now: int) -> int:
        """Count the paired or the blocked contacts of a platform, as ``listed`` would give them."""
        query = _those_listed(platform, state, now)
        count = 0
        start: dict[str, Any] = {}
        while True:
            answer = self._table.query(**query, Select="COUNT", **({"ExclusiveStartKey": start} if start else {}))
            count += int(answer["Count"])
            start = answer.get("LastEvaluatedKey") or {}
            if not start:
                return count

    def clear(
        self, room: WaitingRoom, platform: Platform, now: int, decision: Decision, *, cursor: str = ""
    ) -> Cleared:
        """Revoke one page of the paired contacts of a platform; go on with the cursor until it is empty."""
        page = self.listed(platform, State.PAIRED, now, cursor=cursor)
        revoked, failed = [], []
        for contact in page.contacts:
            try:
                revoked.append(room.move(contact, Operation.REVOKE, now, decision))
            except RefusedError:
                # The index is a moment behind: somebody else has ended this one already.
                continue
            except UnavailableError:
                failed.append(contact)
        return Cleared(revoked, failed, page.cursor)


def _those_listed(platform: Platform, state: State, now: int) -> dict[str, Any]:
    if state not in LISTED:
        raise ValueError(f"only {sorted(LISTED)} are listed, not {state}")
    return {
        "IndexName": "listing",
        "KeyConditionExpression": "listing = :listing",
        # Guests whose time is up stay in the index until TTL deletes them.
        "FilterExpression": "attribute_not_exists(paired_until) OR paired_until > :now",
        "ExpressionAttributeValues": {":listing": {"S": listing(platform, state)}, ":now": attribute(now)},
    }


def _readable(items: list[Item]) -> list[Contact]:
    """Leave out what is not ours to read: one odd item must not hide all others."""
    contacts = []
    for item in items:
        try:
            contacts.append(contact_from_item(item))
        except UnreadableItemError:
            continue
    return contacts


def _encoded(key: Item) -> str:
    position = _Position(int(key["listed_at"]["N"]), key["pk"]["S"].partition("#")[2])
    return base64.urlsafe_b64encode(msgspec.json.encode(position)).decode().rstrip("=")


def _decoded(cursor: str, platform: Platform, state: State) -> Item:
    """Make the index's key from a cursor. It only ever points into the listing that was asked for."""
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        position = msgspec.json.decode(raw, type=_Position)
        user_id = possible_user_id(position.user_id)
    except (binascii.Error, ValueError, InvalidUserIdError):
        raise InvalidCursorError("That cursor is not one that the list gave out. Start again without it.") from None
    return {
        "pk": {"S": contact_pk(platform, user_id)},
        "sk": {"S": CONTACT},
        "listing": {"S": listing(platform, state)},
        "listed_at": attribute(position.listed_at),
    }

"""The waiting room on DynamoDB: every move of a contact is one transaction, conditional on the revision it was read at.

Guarantees, whatever races and however late TTL deletes: a contact moves only as the matrix allows; a contact holds at
most one seat, and only while pending; there are never more requests than seats; exactly one of two decisions wins, and
the other is told the state that really holds, from the answer that refused it. Does not guarantee that a contact whose
seat was lost (a restored backup) is swept: it counts as expired, and TTL tidies it up.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import MappingProxyType

from msgspec import Struct, structs

from doorcode.aws.items import (
    CONTACT,
    ID,
    OWNERS,
    Seat,
    attribute,
    contact_from_item,
    contact_pk,
    expires_after,
    owners_from_item,
    seat_from_item,
    seats_pk,
)
from doorcode.aws.lockout import not_locked
from doorcode.aws.table import ConditionError, Item, Table
from doorcode.aws.transaction_parts import (
    Part,
    add_owner,
    drop_owner,
    free_own_seat,
    free_seat,
    holder_unmoved,
    keep_id,
    move_contact,
    request_contact,
    take_seat,
    use_ticket,
)
from doorcode.errors import LockedOutError, RefusedError, SpentTicketError, UnavailableError, UnreadableItemError
from doorcode.pairing import codes
from doorcode.pairing.callbacks import id_in_button
from doorcode.pairing.contact import Contact, Platform, Standing, State
from doorcode.pairing.keyring import Keyring, key_id
from doorcode.pairing.names import Names
from doorcode.pairing.ports import GATEWAY_SECRET, Secrets, fitting
from doorcode.pairing.seats import SEAT_NAMES, free_seats
from doorcode.pairing.settings import Settings
from doorcode.pairing.tickets import Ticket
from doorcode.pairing.transitions import (
    Asked,
    Decision,
    Operation,
    OwnerChange,
    Refusal,
    RequestVerdict,
    SeatChange,
    allowed,
    assess_request,
    moved,
    refused,
    requested,
)

# Each lost race was won by somebody else, so that many in a row mean a crowd at the door, which may as well wait.
MAX_TRIES = 16
FULL_REMEMBERED_SECONDS = 2
NONCE_BYTES = 16
# Beside the seats: when the owner was last told that there are none.
FULL = "full"
WORD_OF_FULL_SECONDS = 3600


class RequestOutcome(Struct, frozen=True):
    """What became of a request, and the contact as it is now. ``requested_at`` on it is that of the last code."""

    verdict: RequestVerdict
    contact: Contact


class Swept(Struct, frozen=True):
    """The contacts that one sweep expired, and how many seats it could not deal with."""

    expired: list[Contact]
    failed: int


class WaitingRoom:
    """The contacts and seats of every platform, in one table."""

    def __init__(self, table: Table, settings: Settings, new_nonce: Callable[[], str] | None = None) -> None:
        """Keep contacts in ``table``. ``new_nonce`` makes what codes are made from; cryptographically random."""
        self._table = table
        self._settings = settings
        self._new_nonce = new_nonce or random_hex
        self._full_until: dict[Platform, int] = {}

    def get(self, platform: Platform, user_id: str) -> Contact:
        """Return the contact as it is now, with one consistent read; one that was never seen has state none."""
        return self._read(self._table, platform, user_id)

    def request(self, contact: Contact, asked: Asked, keyring: Keyring, now: int) -> RequestOutcome:
        """Start a request for a contact as the gate has read it, and give it a seat.

        Trouble with the table counts as a full room, so that a flood of strangers costs paired people nothing; only if
        it cannot be told whether the request was written, that is raised as UnavailableError. The refusals are verdicts:
        rate limited, full, or not a stranger any more.
        """
        verdict = assess_request(contact, asked.delivery_id, now)
        if verdict is not RequestVerdict.NEW:
            return RequestOutcome(verdict, contact)
        if now < self._full_until.get(contact.platform, 0):
            return _no_seat(contact, now)
        try:
            return self._request(self._table.started(), contact, asked, keyring, now)
        except UnavailableError as error:
            if not error.in_doubt:
                return self._full(contact, now)
        # It may be written although the answer was lost. Raises UnavailableError: then the delivery comes again.
        present = self._read(self._table, contact.platform, contact.user_id)
        verdict = assess_request(present, asked.delivery_id, now)
        return RequestOutcome(verdict, present) if verdict is RequestVerdict.AGAIN else self._full(contact, now)

    def id_of_hash(self, platform: Platform, hashed: str) -> str:
        """Return the id that a hash in a button stands for, or the hash if that is not known any more. Raises UnavailableError."""
        item = self._table.get(contact_pk(platform, hashed), ID)
        return item["user_id"]["S"] if "user_id" in item else hashed

    def find_by_code(self, platform: Platform, code: str, secrets: Secrets, now: int) -> Contact | None:
        """Return the contact whose latest request has that code (normalised), whatever became of it since.

        Reads the seats, at most 100, and recomputes the code of each; every one is compared, in constant time.
        """
        table = self._table.started()
        seats = [seat_from_item(item) for item in table.partition(seats_pk(platform)) if item["sk"]["S"] in SEAT_NAMES]

        def attempt(keyring: Keyring) -> Seat | None:
            keys = [(seat, keyring.find(seat.key_id)) for seat in seats]
            fits = [
                seat
                for seat, secret in keys
                if secret is not None and codes.fits(code, secret, platform, seat.user_id, seat.nonce)
            ]
            return fits[0] if fits else None

        seat = fitting(secrets, GATEWAY_SECRET, now, attempt)
        if seat is None:
            return None
        contact = self._read(table, platform, seat.user_id)
        return contact if contact.nonce == seat.nonce else None

    def move(
        self,
        contact: Contact,
        operation: Operation,
        now: int,
        decision: Decision,
        *,
        nonce: str | None = None,
    ) -> Contact:
        """Move a contact, as read or as whoever was quicker has left it; with ``nonce``, only that request of it.

        Raises RefusedError with the state that really holds, and UnavailableError.
        """
        return self._move(self._table.started(), contact, operation, now, decision, nonce=nonce)

    def redeem(self, contact: Contact, operation: Operation, now: int, decision: Decision, ticket: Ticket) -> Contact:
        """Move whoever has sent a ticket, and use it up once: both or neither, and only while they are not locked out.

        Raises RefusedError with the state that really holds, SpentTicketError, LockedOutError and UnavailableError.
        """
        also = {"ticket": use_ticket(ticket, now), "lock": not_locked(contact.platform, contact.user_id, now)}
        return self._move(self._table.started(), contact, operation, now, decision, also=also)

    def owners(self) -> tuple[tuple[Platform, str], ...]:
        """Return everybody who owns the bot, with one consistent read: by OWNER_USER_IDS, in its order, then by claim."""
        by_claim = owners_from_item(self._table.get(OWNERS, OWNERS))
        return tuple(dict.fromkeys((*self._settings.owners, *by_claim)))

    def _move(  # noqa: PLR0913 (the operation, the table with its deadline, and what belongs to the same transaction)
        self,
        table: Table,
        contact: Contact,
        operation: Operation,
        now: int,
        decision: Decision,
        *,
        nonce: str | None = None,
        also: Mapping[str, Part] = MappingProxyType({}),
    ) -> Contact:
        seated = True
        for _ in range(MAX_TRIES):
            if nonce is not None and contact.nonce != nonce:
                raise refused(contact, Refusal.SUPERSEDED)
            after = moved(contact, operation, now, decision)
            move = allowed(contact, operation, now)
            frees = move.seat is SeatChange.FREE and contact.seat != "" and seated
            parts = {"contact": move_contact(contact, after, operation, now), **also}
            parts |= self._change_of_owners(contact, move.owners, decision)
            if frees:
                parts["seat"] = free_own_seat(contact, now)
            try:
                table.transact(list(parts.values()), random_hex())
            except ConditionError as error:
                if 0 not in error.lost:
                    lost = {name: error.lost[at] for at, name in enumerate(parts) if at in error.lost}
                    _give_up(contact, lost)
                    # The seat is not its own any more: for a decision on the request it is as if it had expired.
                    if operation in {Operation.APPROVE, Operation.DENY}:
                        lapsed = structs.replace(contact, state=State.EXPIRED)
                        raise refused(lapsed, Refusal.EXPIRED) from None
                    seated = False
                    continue
                contact = _as_found(error.lost[0], contact)
                if error.in_doubt and contact == after:
                    break
                continue
            break
        else:
            raise UnavailableError("move a contact", "others kept moving it")
        if frees:
            self._full_until.pop(contact.platform, None)
        return after

    def _change_of_owners(self, contact: Contact, change: OwnerChange, decision: Decision) -> dict[str, Part]:
        if change is OwnerChange.COMES:
            return {"owners": add_owner(contact)}
        if change is OwnerChange.GOES:
            return {"owners": drop_owner(contact, even_last=decision.last or bool(self._settings.owners))}
        return {}

    def expire_overdue(self, platform: Platform, now: int) -> Swept:
        """Expire every overdue request of a platform and free its seat: the sweep.

        Also frees seats whose holder is gone or waits for another one. What cannot be moved now holds up nobody else,
        and is there again in the next sweep. Raises UnavailableError when the seats cannot be read.
        """
        expired, failed = [], 0
        for seat in self._held(self._table.started(), platform):
            if now < seat.expires_at:
                continue
            try:
                contact = self._expire(self._table.started(), platform, seat, now)
            except UnavailableError:
                failed += 1
            else:
                expired += [contact] if contact else []
        return Swept(expired, failed)

    def name(self, contact: Contact, names: Names) -> None:
        """Keep names and language that were looked up, if the request that they were looked up for is still the latest. No move."""
        with suppress(ConditionError):
            self._table.update(
                contact_pk(contact.platform, contact.user_id),
                CONTACT,
                UpdateExpression="SET #name = :name, full_name = :full_name, #language = :language",
                ConditionExpression="nonce = :nonce",
                ExpressionAttributeNames={"#name": "name", "#language": "language"},
                ExpressionAttributeValues={
                    ":language": attribute(names.language),
                    ":name": attribute(names.name),
                    ":full_name": attribute(names.full_name),
                    ":nonce": attribute(contact.nonce),
                },
            )

    def lost(self, contact: Contact, receipt: str) -> None:
        """Note that a receipt of that request did not arrive. No move."""
        self._note_receipt(contact, "lost_receipt", receipt)

    def told_again(self, contact: Contact, receipt: str) -> None:
        """Note that there is another receipt of that request since. No move."""
        self._note_receipt(contact, "receipt", receipt)

    def _note_receipt(self, contact: Contact, name: str, receipt: str) -> None:
        with suppress(ConditionError):
            self._table.update(
                contact_pk(contact.platform, contact.user_id),
                CONTACT,
                UpdateExpression="SET #name = :receipt",
                ConditionExpression="nonce = :nonce",
                ExpressionAttributeNames={"#name": name},
                ExpressionAttributeValues={":receipt": attribute(receipt), ":nonce": attribute(contact.nonce)},
            )

    def word_of_full(self, platform: Platform, now: int) -> bool:
        """Tell whether the owner is to hear that the room is full: at most once an hour, whoever asks."""
        live = [seat for seat in self._held(self._table.started(), platform) if now < seat.expires_at]
        if len(live) < self._settings.max_pending:
            return False
        try:
            self._table.update(
                seats_pk(platform),
                FULL,
                UpdateExpression="SET told_at = :now, #ttl = :ttl",
                ConditionExpression="attribute_not_exists(told_at) OR told_at <= :hour_ago",
                ExpressionAttributeNames={"#ttl": "ttl"},
                ExpressionAttributeValues={
                    ":now": attribute(now),
                    ":hour_ago": attribute(now - WORD_OF_FULL_SECONDS),
                    ":ttl": attribute(expires_after(now)),
                },
            )
        except ConditionError:
            return False
        return True

    def _request(self, table: Table, contact: Contact, asked: Asked, keyring: Keyring, now: int) -> RequestOutcome:
        for _ in range(MAX_TRIES):
            seat, own = self._seat_for(table, contact, now)
            if not seat:
                return self._full(contact, now)
            after = requested(
                contact,
                asked,
                now,
                nonce=self._new_nonce(),
                key_id=key_id(keyring.newest),
                seat=seat,
                ttl_seconds=self._settings.code_ttl,
                cooldown_seconds=self._settings.code_cooldown,
            )
            try:
                parts = [request_contact(contact, after, now), take_seat(contact, after, own=own)]
                hashed = id_in_button(after.platform, after.user_id)
                if hashed != after.user_id:
                    parts.append(keep_id(after, hashed, now))
                table.transact(parts, random_hex())
            except ConditionError as error:
                if 0 not in error.lost:
                    continue
                contact = _as_found(error.lost[0], contact)
                if error.in_doubt and contact == after:
                    return RequestOutcome(RequestVerdict.NEW, after)
                verdict = assess_request(contact, asked.delivery_id, now)
                if verdict is not RequestVerdict.NEW:
                    return RequestOutcome(verdict, contact)
            else:
                return RequestOutcome(RequestVerdict.NEW, after)
        return self._full(contact, now)

    def _seat_for(self, table: Table, contact: Contact, now: int) -> tuple[str, bool]:
        """Return the seat to try and whether it is the contact's own: else a free one, else none."""
        held = {seat.name: seat for seat in self._held(table, contact.platform)}
        mine = held.get(contact.seat)
        own = mine is not None and (mine.user_id, mine.nonce) == (contact.user_id, contact.nonce)
        overdue = [seat for seat in held.values() if now >= seat.expires_at and not (own and seat.name == contact.seat)]
        random.shuffle(overdue)
        standing = contact.standing(now)
        while True:
            # One's own place is kept only while there is another for the next one, so that nobody stays in a full room by
            # asking again and again. Once overdue it is itself the free one, unless the room is overfull, which it can
            # be after the cap was lowered.
            if own and len(held) <= self._settings.max_pending - (standing is Standing.PENDING):
                return contact.seat, True
            free = [] if own else free_seats(held, self._settings.max_pending)
            if free:
                # Any of them, so that a crowd does not all try the same one.
                return random.choice(free), False  # noqa: S311
            if not overdue:
                return "", False
            seat = overdue.pop()
            with suppress(UnreadableItemError):
                self._expire(table, contact.platform, seat, now)
                del held[seat.name]

    def _expire(self, table: Table, platform: Platform, seat: Seat, now: int) -> Contact | None:
        contact = self._read(table, platform, seat.user_id)
        if contact.state is not State.PENDING or (contact.nonce, contact.seat) != (seat.nonce, seat.name):
            # Nobody waits on this seat: a backup was restored, or the holder's item is gone.
            with suppress(ConditionError):
                table.transact([holder_unmoved(contact), free_seat(platform, seat, now)], random_hex())
            return None
        try:
            return self._move(table, contact, Operation.EXPIRE, now, Decision(), nonce=seat.nonce)
        except RefusedError:
            # Decided on or asked anew in this very moment, which has dealt with the seat.
            return None

    def _held(self, table: Table, platform: Platform) -> list[Seat]:
        items = table.partition(seats_pk(platform))
        seats = [seat_from_item(item) for item in items if item["sk"]["S"] in SEAT_NAMES]
        return [seat for seat in seats if not seat.freed_at]

    def _full(self, contact: Contact, now: int) -> RequestOutcome:
        self._full_until[contact.platform] = now + FULL_REMEMBERED_SECONDS
        return _no_seat(contact, now)

    def _read(self, table: Table, platform: Platform, user_id: str) -> Contact:
        return _as_found(table.get(contact_pk(platform, user_id), CONTACT), Contact(platform=platform, user_id=user_id))


def random_hex() -> str:
    """Return 128 random bits in hex, from the system's cryptographic source."""
    return os.urandom(NONCE_BYTES).hex()


def _give_up(contact: Contact, lost: Mapping[str, Item]) -> None:
    """Raise what is final about the parts that lost, beside the contact's own."""
    if "lock" in lost:
        # Before the ticket: whoever is locked out learns nothing of it.
        raise LockedOutError(int(lost["lock"].get("locked_until", {"N": "0"})["N"])) from None
    if "ticket" in lost:
        raise SpentTicketError from None
    if "owners" in lost:
        raise refused(contact, Refusal.LAST_OWNER) from None


def _no_seat(contact: Contact, now: int) -> RequestOutcome:
    """Say what a full room is to somebody: nothing new, to whoever waits in it with a request that still holds."""
    waits = contact.standing(now) is Standing.PENDING
    return RequestOutcome(RequestVerdict.RATE_LIMITED if waits else RequestVerdict.FULL, contact)


def _as_found(item: Item, contact: Contact) -> Contact:
    return contact_from_item(item) if item else Contact(platform=contact.platform, user_id=contact.user_id)

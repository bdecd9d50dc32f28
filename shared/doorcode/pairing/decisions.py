"""The one place where anything is decided: buttons, command, HTTP API and page all go through ``Desk.decide``."""

from __future__ import annotations

from contextlib import suppress

from msgspec import Struct, structs

from doorcode.errors import (
    ForbiddenError,
    InputError,
    InvalidUserIdError,
    NotTheirsError,
    SecretError,
    UnavailableError,
    UnknownCodeError,
)
from doorcode.pairing import codes
from doorcode.pairing.callbacks import stands_for_id
from doorcode.pairing.contact import Contact, Platform, Standing, Via, checked_user_id, possible_user_id
from doorcode.pairing.keyring import Keyring
from doorcode.pairing.ports import GATEWAY_SECRET, Guesses, Room, Secrets, fitting
from doorcode.pairing.settings import Settings
from doorcode.pairing.tickets import OPERATIONS, VIAS, Ticket
from doorcode.pairing.transitions import Asked, Decision, Operation, Refusal, refused

# A button's block carries the code of the request that it stands under.
TAKES_A_CODE = frozenset({Operation.APPROVE, Operation.DENY, Operation.BLOCK})
# These make a contact of whoever is named. The others act on one that is there.
MAKES_A_CONTACT = frozenset({Operation.ADD, Operation.BLOCK})
ORDERS = TAKES_A_CODE | {
    Operation.ADD,
    Operation.REVOKE,
    Operation.UNBLOCK,
    Operation.REMOVE_OWNER,
    Operation.CHANGE,
}
UNKNOWN_CODE = "No pending request has that code. See what is waiting with: doorcode pairing list --pending"


class Actor(Struct, frozen=True, kw_only=True):
    """Who decides: an id that the surface has verified, and for a button the platform that it was pressed on.

    ``name`` is what that platform calls them, made safe: for showing beside the id, and for nothing else.
    ``caller`` is whom wrong codes are counted for, where that is not ``id``: two who are shown alike are still two.
    """

    via: Via
    id: str
    name: str = ""
    platform: Platform | None = None
    caller: str = ""


class Order(Struct, frozen=True, kw_only=True):
    """What is to be done, and to whom: by code, by user id, or by both, which then must belong together.

    ``label`` None keeps the present one; ``until`` is when the pairing ends, 0 for never, None to keep it. ``delivery_id`` is the platform's
    id of the press that orders it; empty on every other surface. ``last`` tells that even the last owner is to be removed.
    """

    operation: Operation
    platform: Platform
    user_id: str = ""
    code: str = ""
    label: str | None = None
    until: int | None = 0
    delivery_id: str = ""
    last: bool = False


class Desk:
    """Authorises, finds the request that is meant, and moves it."""

    def __init__(self, room: Room, guesses: Guesses, secrets: Secrets, settings: Settings) -> None:
        """Work on that room, with those secrets."""
        self._room = room
        self._guesses = guesses
        self._secrets = secrets
        self._settings = settings

    def decide(self, actor: Actor, order: Order, now: int) -> Contact:
        """Carry out an order at ``now`` and return the contact as it is then.

        Raises ForbiddenError, MalformedCodeError (not counted), LockedOutError, UnknownCodeError and NotTheirsError (counted),
        RefusedError with the state that really holds, InputError, SecretError, UnavailableError.
        """
        if actor.via is Via.BUTTON and stands_for_id(order.user_id):
            order = structs.replace(order, user_id=self._room.id_of_hash(order.platform, order.user_id))
        self._authorise(actor, order, now)
        contact = self._find(actor, order, now)
        if order.operation is Operation.REMOVE_OWNER and self._is_owner_by_setting(contact, now):
            raise refused(contact, Refusal.OWNER_BY_SETTING)
        decision = Decision(
            by=actor.id,
            name=actor.name,
            via=actor.via,
            label=order.label,
            until=order.until,
            delivery_id=order.delivery_id,
            last=order.last,
        )
        # With a code, exactly the request that the code belongs to; a newer one is somebody else's decision.
        nonce = contact.nonce if order.code else None
        return self._room.move(contact, order.operation, now, decision, nonce=nonce)

    def redeem(self, ticket: Ticket, contact: Contact, asked: Asked, now: int) -> Contact:
        """Let in whoever has sent a ticket, as whoever made it has decided, and return the contact as it is then.

        Raises RefusedError with the state that really holds, SpentTicketError, LockedOutError, UnavailableError.
        """
        decision = Decision(
            by=ticket.created_by,
            via=VIAS[ticket.kind],
            label=ticket.label or None,
            until=now + ticket.for_seconds if ticket.for_seconds else 0,
            asked=asked,
        )
        return self._room.redeem(contact, OPERATIONS[ticket.kind], now, decision, ticket)

    def _is_owner_by_setting(self, contact: Contact, now: int) -> bool:
        by_claim = contact.standing(now) is Standing.OWNER
        return not by_claim and self._settings.is_owner(contact.platform, contact.user_id)

    def _is_owner(self, platform: Platform, user_id: str, now: int) -> bool:
        # Those of the setting cost no read.
        return self._settings.is_owner(platform, user_id) or (
            self._room.get(platform, user_id).standing(now) is Standing.OWNER
        )

    def _authorise(self, actor: Actor, order: Order, now: int) -> None:
        if order.operation not in ORDERS:
            raise InputError(f"{order.operation} is not something to decide.")
        if not actor.id:
            raise ForbiddenError("It is not known who decides.")
        if order.operation is Operation.REMOVE_OWNER and actor.via not in {Via.CLI, Via.WEB}:
            raise ForbiddenError("A token neither makes nor removes owners. Sign in to the page, or use the command.")
        if order.code and order.operation not in TAKES_A_CODE:
            raise InputError(f"{order.operation} takes a user id, not a code.")
        if actor.via is Via.BUTTON:
            if not order.code:
                raise InputError("A button acts on the request whose code it carries, and on no other.")
            if actor.platform is None or not self._is_owner(actor.platform, actor.id, now):
                raise ForbiddenError("Only the owner can do this.")
            if (actor.platform, actor.id) == (order.platform, order.user_id):
                raise ForbiddenError("Nobody decides on himself.")

    def _find(self, actor: Actor, order: Order, now: int) -> Contact:
        if not order.code:
            return self._room.get(order.platform, self._id(order))
        code = codes.normalise(order.code)
        if actor.via is Via.BUTTON:
            # Signed by us, so no guess: a code that does not fit is that of an older request.
            contact = self._room.get(order.platform, possible_user_id(order.user_id))
            if not self._fits(contact, code, now):
                raise refused(contact, Refusal.SUPERSEDED if contact.nonce else Refusal.NOT_PENDING)
            return contact
        if order.user_id:
            self._id(order)
        caller = actor.caller or actor.id
        # Counted before it is compared, so that guesses in parallel are counted too.
        self._guesses.count(actor.via, caller, now)
        try:
            found = self._guessed(order, code, now)
        except (UnavailableError, SecretError):
            # Nothing was compared. That this fails too costs the caller one of five guesses.
            with suppress(UnavailableError):
                self._guesses.forgive(actor.via, caller, now)
            raise
        if found is None:
            raise UnknownCodeError(UNKNOWN_CODE)
        # A right code is not refused because its guess cannot be taken back.
        with suppress(UnavailableError):
            self._guesses.forgive(actor.via, caller, now)
        return found

    def _id(self, order: Order) -> str:
        """Return the id that an order names. Raises InvalidUserIdError for what is none on that platform.

        What stands in the table all the same, from a time when more was taken for an id, can still be taken out.
        """
        try:
            return checked_user_id(order.platform, order.user_id)
        except InvalidUserIdError:
            if (
                order.operation in MAKES_A_CONTACT
                or not self._room.get(order.platform, possible_user_id(order.user_id)).rev
            ):
                raise
            return order.user_id

    def _guessed(self, order: Order, code: str, now: int) -> Contact | None:
        if not order.user_id:
            return self._room.find_by_code(order.platform, code, self._secrets, now)
        contact = self._room.get(order.platform, order.user_id)
        if self._fits(contact, code, now):
            return contact
        other = self._room.find_by_code(order.platform, code, self._secrets, now)
        if other is not None and other.standing(now) is Standing.PENDING:
            raise NotTheirsError
        return None

    def _fits(self, contact: Contact, code: str, now: int) -> bool:
        def attempt(keyring: Keyring) -> bool | None:
            secret = keyring.find(contact.key_id)
            if secret is None:
                return None
            return codes.fits(code, secret, contact.platform, contact.user_id, contact.nonce)

        return bool(contact.nonce) and bool(fitting(self._secrets, GATEWAY_SECRET, now, attempt))

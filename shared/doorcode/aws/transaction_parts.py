"""The parts of the waiting room's transactions, each condition named in words before they are joined."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from doorcode.aws.items import (
    CONTACT,
    ID,
    OWNERS,
    PROMPTS_KEPT_SECONDS,
    Seat,
    attribute,
    changes,
    contact_attributes,
    contact_pk,
    expires_after,
    seats_pk,
    tickets_pk,
)
from doorcode.pairing.contact import Contact, Platform, State
from doorcode.pairing.tickets import Ticket
from doorcode.pairing.transitions import Operation

Part = tuple[str, Mapping[str, Any]]
"""A kind of transaction item (``Update``, ``ConditionCheck``) and its arguments."""


def move_contact(before: Contact, after: Contact, operation: Operation, now: int) -> Part:
    """Move a contact from what was read to ``after``, if that is still what holds."""
    conditions = {"nobody has moved the contact since it was read": _unmoved(before)}
    if operation in {Operation.APPROVE, Operation.DENY}:
        conditions |= {
            "it is pending": "#was_state = :pending",
            "the request is the one that was seen": "#was_nonce = :seen",
            "its time is not up": "#was_expiry > :now",
        }
    extra: dict[str, str | int] = (
        {":pending": State.PENDING, ":seen": before.nonce, ":now": now} if len(conditions) > 1 else {}
    )
    return _update_contact(before, after, conditions, extra)


def request_contact(before: Contact, after: Contact, now: int) -> Part:
    """Put a new request on a contact, if this delivery may make one."""
    conditions = {
        "nobody has moved the contact since it was read": _unmoved(before),
        "it is another delivery": "attribute_not_exists(#was_delivery) OR #was_delivery <> :delivery",
        "the cooldown is over": "attribute_not_exists(#was_next) OR #was_next <= :now",
    }
    return _update_contact(before, after, conditions, {":delivery": after.delivery_id, ":now": now})


def keep_id(contact: Contact, hashed: str, now: int) -> Part:
    """Keep whom a hash in a button stands for, for as long as a prompt is known."""
    return "Update", {
        "Key": {"pk": {"S": contact_pk(contact.platform, hashed)}, "sk": {"S": ID}},
        "UpdateExpression": "SET user_id = :id, #ttl = :ttl",
        "ExpressionAttributeNames": {"#ttl": "ttl"},
        "ExpressionAttributeValues": {":id": attribute(contact.user_id), ":ttl": attribute(now + PROMPTS_KEPT_SECONDS)},
    }


def _unmoved(before: Contact) -> str:
    return "#was_rev = :read_rev" if before.rev else "attribute_not_exists(pk)"


def _update_contact(
    before: Contact, after: Contact, conditions: Mapping[str, str], extra: Mapping[str, str | int]
) -> Part:
    expression, names, values = changes(contact_attributes(before) if before.rev else {}, contact_attributes(after))
    condition = _all_of(conditions)
    aliases = {
        "#was_rev": "rev",
        "#was_state": "state",
        "#was_nonce": "nonce",
        "#was_expiry": "code_expires_at",
        "#was_delivery": "delivery_id",
        "#was_next": "next_code_at",
    }
    extra = {**extra, ":read_rev": before.rev} if before.rev else extra
    return "Update", {
        "Key": _contact_key(before),
        "UpdateExpression": expression,
        "ConditionExpression": condition,
        "ExpressionAttributeNames": names | {alias: name for alias, name in aliases.items() if alias in condition},
        "ExpressionAttributeValues": values | {name: attribute(value) for name, value in extra.items()},
    }


def take_seat(before: Contact, after: Contact, *, own: bool) -> Part:
    """Take the seat named in ``after``: the contact's own for its new request, or a free one."""
    values: dict[str, str | int] = {
        ":user": after.user_id,
        ":nonce": after.nonce,
        ":key": after.key_id,
        ":until": after.code_expires_at,
    }
    values |= {":ttl": expires_after(after.code_expires_at)}
    if own:
        conditions = _own_seat()
        values |= {":old": before.nonce}
    else:
        conditions = {"the seat is free": "attribute_not_exists(pk) OR attribute_exists(freed_at)"}
    return "Update", {
        "Key": _seat_key(after.platform, after.seat),
        "UpdateExpression": (
            "SET user_id = :user, nonce = :nonce, key_id = :key, expires_at = :until, #ttl = :ttl REMOVE freed_at"
        ),
        "ConditionExpression": _all_of(conditions),
        "ExpressionAttributeNames": {"#ttl": "ttl"},
        "ExpressionAttributeValues": {name: attribute(value) for name, value in values.items()},
    }


def free_own_seat(contact: Contact, now: int) -> Part:
    """Free the seat that a contact holds for the request that was seen."""
    return _free_seat(contact.platform, contact.seat, contact.user_id, contact.nonce, now)


def free_seat(platform: Platform, seat: Seat, now: int) -> Part:
    """Free a seat, if it is still held for the request that it was seen with."""
    return _free_seat(platform, seat.name, seat.user_id, seat.nonce, now)


def _free_seat(platform: Platform, seat: str, user_id: str, nonce: str, now: int) -> Part:
    values: dict[str, str | int] = {":user": user_id, ":old": nonce, ":now": now, ":ttl": expires_after(now)}
    return "Update", {
        "Key": _seat_key(platform, seat),
        "UpdateExpression": "SET freed_at = :now, #ttl = :ttl",
        "ConditionExpression": _all_of(_own_seat()),
        "ExpressionAttributeNames": {"#ttl": "ttl"},
        "ExpressionAttributeValues": {name: attribute(value) for name, value in values.items()},
    }


def _own_seat() -> dict[str, str]:
    return {
        "the seat is held": "attribute_not_exists(freed_at)",
        "by this contact": "user_id = :user",
        "for the request that was seen": "nonce = :old",
    }


def holder_unmoved(holder: Contact) -> Part:
    """Check that nobody has moved a contact since it was read, without writing it."""
    arguments: dict[str, Any] = {"Key": _contact_key(holder), "ConditionExpression": _unmoved(holder)}
    if holder.rev:
        arguments |= {
            "ExpressionAttributeNames": {"#was_rev": "rev"},
            "ExpressionAttributeValues": {":read_rev": attribute(holder.rev)},
        }
    return "ConditionCheck", arguments


def add_owner(contact: Contact) -> Part:
    """Put a contact on the list of owners by claim."""
    return "Update", {
        "Key": _owners_key(),
        "UpdateExpression": "ADD people :them",
        "ExpressionAttributeValues": {":them": {"SS": [_listed(contact)]}},
    }


def drop_owner(contact: Contact, *, even_last: bool) -> Part:
    """Take a contact from the list of owners by claim, where somebody else is left on it or that does not matter."""
    arguments: dict[str, Any] = {
        "Key": _owners_key(),
        "UpdateExpression": "DELETE people :them",
        "ExpressionAttributeValues": {":them": {"SS": [_listed(contact)]}},
    }
    if not even_last:
        either = {
            "somebody else is left": "size(people) > :one",
            "or they are not on it": "attribute_not_exists(people) OR NOT contains(people, :who)",
        }
        arguments["ConditionExpression"] = " OR ".join(either.values())
        arguments["ExpressionAttributeValues"] |= {":one": attribute(1), ":who": attribute(_listed(contact))}
    return "Update", arguments


def use_ticket(ticket: Ticket, now: int) -> Part:
    """Use a ticket once more, if it still works."""
    conditions = {
        "it is there, and has uses left": "uses_left > :none",
        "its time is not up": "expires_at > :now",
        "nobody has taken it back": "attribute_not_exists(revoked_at)",
    }
    return "Update", {
        "Key": {"pk": {"S": tickets_pk(ticket.kind)}, "sk": {"S": ticket.digest}},
        "UpdateExpression": "SET uses_left = uses_left - :one",
        "ConditionExpression": _all_of(conditions),
        "ExpressionAttributeValues": {":one": attribute(1), ":none": attribute(0), ":now": attribute(now)},
    }


def _owners_key() -> dict[str, dict[str, str]]:
    return {"pk": {"S": OWNERS}, "sk": {"S": OWNERS}}


def _listed(contact: Contact) -> str:
    return f"{contact.platform}:{contact.user_id}"


def _contact_key(contact: Contact) -> dict[str, dict[str, str]]:
    return {"pk": {"S": contact_pk(contact.platform, contact.user_id)}, "sk": {"S": CONTACT}}


def _seat_key(platform: Platform, seat: str) -> dict[str, dict[str, str]]:
    return {"pk": {"S": seats_pk(platform)}, "sk": {"S": seat}}


def _all_of(conditions: Mapping[str, str]) -> str:
    return " AND ".join(f"({condition})" for condition in conditions.values())

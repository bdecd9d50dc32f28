"""What follows from a move of a contact: whom to ask, what to close, whom to tell, and what to publish. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from msgspec import Struct

from doorcode.pairing.contact import Contact, ContactRole, State, Via

VERSION = 1


class EventType(StrEnum):
    """The detail-types of the events that are published."""

    REQUESTED = "pairing_requested"
    APPROVED = "pairing_approved"
    DENIED = "pairing_denied"
    EXPIRED = "pairing_expired"
    REVOKED = "pairing_revoked"
    ENDED = "pairing_ended"
    BLOCKED = "contact_blocked"
    RELABELLED = "contact_relabelled"


class Event(Struct, frozen=True):
    """An event as it is published: no code, token, text or name."""

    type: EventType
    detail: dict[str, Any]


class RequesterTold(StrEnum):
    """What a requester is told."""

    APPROVED = "approved"
    DENIED = "denied"
    CLAIMED = "claimed"
    INVITED = "invited"


class Consequences(Struct, frozen=True, kw_only=True):
    """What is to be done, in this order; each part stands by itself.

    ``closes`` names the request (by its nonce) whose prompts are drawn anew, as decided; ``replaces`` the one whose
    open prompts become those of the new request; ``announces`` tells the other owners that there is a new one.
    """

    asks: bool = False
    replaces: str = ""
    closes: str = ""
    announces: bool = False
    tells: RequesterTold | None = None
    events: tuple[Event, ...] = ()


_PUBLISHED = {
    State.PAIRED: EventType.APPROVED,
    State.DENIED: EventType.DENIED,
    State.EXPIRED: EventType.EXPIRED,
    State.REVOKED: EventType.REVOKED,
    State.BLOCKED: EventType.BLOCKED,
}
_TOLD = {State.PAIRED: RequesterTold.APPROVED, State.DENIED: RequesterTold.DENIED}
_WELCOMED: dict[str, RequesterTold] = {Via.CLAIM: RequesterTold.CLAIMED, Via.INVITE: RequesterTold.INVITED}


def follow(old: Contact | None, new: Contact | None, at: int) -> Consequences:
    """Work out what follows from a move at ``at``; ``None`` for an item that was not there before, or is gone."""
    if new is None:
        return _gone(old, at)
    if old is not None and new.rev == old.rev:
        return Consequences()
    # A guest whose time was up, and with whom something is done before TTL takes the item, had ended before.
    since = new.requested_at if new.state is State.PENDING else new.decided_at
    ended = (_event(EventType.ENDED, old, old.paired_until),) if old and _has_ended(old, since) else ()
    if new.state is State.PENDING:
        return Consequences(
            asks=True,
            replaces=old.nonce if old and old.state is State.PENDING else "",
            events=(*ended, _event(EventType.REQUESTED, new, new.requested_at)),
        )
    announces = new.role == ContactRole.OWNER and (old is None or old.role != ContactRole.OWNER)
    if old is not None and _still_in(old, new):
        # Their prompts stay as they were decided, and they hear nothing: it is the owner's own affair.
        changed = (old.label, old.paired_until) != (new.label, new.paired_until)
        return Consequences(
            announces=announces,
            tells=RequesterTold.CLAIMED if announces else None,
            events=(_event(EventType.RELABELLED, new, new.decided_at),) if changed else (),
        )
    return Consequences(
        announces=announces,
        closes=new.nonce,
        tells=_told(new),
        events=(*ended, _event(_PUBLISHED[new.state], new, new.decided_at)),
    )


def _gone(old: Contact | None, at: int) -> Consequences:
    # Garbage collection of what ended long ago says nothing new, but for a guest: nothing moved when the time was up.
    if old is not None and _has_ended(old, at):
        return Consequences(closes=old.nonce, events=(_event(EventType.ENDED, old, old.paired_until),))
    return Consequences()


def _has_ended(contact: Contact, now: int) -> bool:
    return contact.state is State.PAIRED and 0 < contact.paired_until <= now


def _still_in(old: Contact, new: Contact) -> bool:
    return old.state is new.state is State.PAIRED and not _has_ended(old, new.decided_at)


def _told(new: Contact) -> RequesterTold | None:
    # Only who wrote first.
    if not new.reply:
        return None
    welcomed = _WELCOMED.get(new.decided_via) if new.state is State.PAIRED else None
    return welcomed or _TOLD.get(new.state)


def _event(event: EventType, contact: Contact, at: int) -> Event:
    detail = {
        "version": VERSION,
        "platform": contact.platform,
        "user_id": contact.user_id,
        "label": contact.label,
        "decided_by": contact.decided_by,
        "decided_via": contact.decided_via,
        "at": at,
    }
    return Event(event, detail)

"""How long somebody waits before they may ask again: twice as long after each request that came to nothing.

So that a few accounts cannot hold the waiting room for ever: whoever filled it and came to nothing, by a denial or by the
time, is away for longer each time, and a seat is free meanwhile. All of it follows from the contact's own times.
"""

from __future__ import annotations

from msgspec import structs

from doorcode.pairing.contact import Contact

DAY = 86_400
LONGEST = DAY


def doubled(contact: Contact, ended_at: int) -> Contact:
    """Return a contact whose request came to nothing: it waits twice as long as for that request, from its end on.

    From the end, because most codes outlive the cooldown: counted from the request, the wait would be over when the seat
    falls free, and whoever held it would have it again.
    """
    cooldown = contact.next_code_at - contact.requested_at
    return structs.replace(
        contact,
        next_code_at=ended_at + min(2 * cooldown, LONGEST),
        doublings=contact.doublings + (cooldown < LONGEST),
    )


def doublings_left(contact: Contact, now: int) -> int:
    """Return how many doublings hold at ``now``: one less for each whole day in which they could have asked.

    A day, and not the cooldown itself: so short a quiet passes while others hold the seats, and two crowds that take turns
    would stay for ever.
    """
    quiet = max(0, now - contact.next_code_at)
    return max(0, contact.doublings - quiet // DAY)


def cooldown_of(first: int, doublings: int) -> int:
    """Return a cooldown in seconds; ``first`` is that of somebody who has not come to nothing of late."""
    return min(first << doublings, LONGEST)


def forgotten_at(contact: Contact) -> int:
    """Return when no doubling is left, so that nothing changes when TTL deletes the item."""
    return contact.next_code_at + contact.doublings * DAY

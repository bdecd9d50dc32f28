"""Turning away everybody who waits, at once: each by a decision of its own, as if it had been made one by one."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from doorcode.errors import RefusedError, UnavailableError
from doorcode.pairing.contact import Contact
from doorcode.pairing.decisions import Actor, Desk, Order
from doorcode.pairing.transitions import Operation


class TurnedAway(Struct, frozen=True):
    """Who was turned away, as they are then, and with whom that failed and should be tried again."""

    done: list[Contact]
    failed: list[Contact]


def turn_away(desk: Desk, actor: Actor, waiting: Iterable[Contact], now: int, *, block: bool) -> TurnedAway:
    """Deny each of those who wait and, with ``block``, block them too.

    Denied first, so that nobody is blocked whom somebody else has let in meanwhile: whoever does not wait any more is passed over.
    """
    done, failed = [], []
    for contact in waiting:
        try:
            after = desk.decide(actor, _order(Operation.DENY, contact), now)
            if block:
                after = desk.decide(actor, _order(Operation.BLOCK, contact), now)
        except RefusedError:
            continue
        except UnavailableError:
            failed.append(contact)
        else:
            done.append(after)
    return TurnedAway(done, failed)


def _order(operation: Operation, contact: Contact) -> Order:
    return Order(operation=operation, platform=contact.platform, user_id=contact.user_id)

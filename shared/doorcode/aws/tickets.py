"""Claims and invites in the table: each under the slow hash of its code, which is never kept.

Using one is the waiting room's transaction. Time is compared everywhere; ``ttl`` only tidies up, a day later. One that
was used up or taken back stays until then, so that what its holder sends is still known as one.
"""

from __future__ import annotations

import secrets

from doorcode.aws.items import attribute, changes, expires_after, tickets_pk
from doorcode.aws.table import ConditionError, Item, Table
from doorcode.errors import UnreadableItemError
from doorcode.pairing.codes import ALPHABET
from doorcode.pairing.tickets import LENGTHS, Entered, InviteOrder, Ticket, TicketKind, new_claim, new_invite

ID_BYTES = 4
_TEXTS = ("id", "platform", "label", "created_by")
_NUMBERS = {"uses": "uses", "left": "uses_left", "for_seconds": "for_seconds", "created_at": "created_at",
            "expires_at": "expires_at", "revoked_at": "revoked_at"}  # fmt: skip


class Tickets:
    """The claims and invites of one table, under ``claims`` and ``invites``."""

    def __init__(self, table: Table) -> None:
        """Keep them in ``table``."""
        self._table = table

    def claim(self, platform: str, actor: str, now: int) -> tuple[str, Ticket]:
        """Make a claim; return its code, which nobody can read again, and what is kept of it."""
        made = _new_code(TicketKind.CLAIM)
        ticket = new_claim(id=secrets.token_hex(ID_BYTES), digest=made.digest, platform=platform, actor=actor, now=now)
        return made.code, self._keep(ticket)

    def invite(self, order: InviteOrder, actor: str, now: int) -> tuple[str, Ticket]:
        """Make an invite; return its code and what is kept of it. Raises what ``new_invite`` raises."""
        made = _new_code(TicketKind.INVITE)
        ticket = new_invite(order, id=secrets.token_hex(ID_BYTES), digest=made.digest, actor=actor, now=now)
        return made.code, self._keep(ticket)

    def find(self, entered: Entered) -> Ticket | None:
        """Return the ticket with that code, whether or not it still works, with one consistent read."""
        item = self._table.get(tickets_pk(entered.kind), entered.digest)
        if not item:
            return None
        try:
            return _ticket(entered.kind, item)
        except (KeyError, TypeError, ValueError):
            raise UnreadableItemError("read a ticket", "its item has an unknown form") from None

    def invites(self, now: int) -> list[Ticket]:
        """Return the invites that work at ``now``, oldest first."""
        tickets = []
        for item in self._table.partition(tickets_pk(TicketKind.INVITE)):
            try:
                ticket = _ticket(TicketKind.INVITE, item)
            except (KeyError, TypeError, ValueError):
                # Of a version to come: it must not hide the others.
                continue
            if ticket.works(now):
                tickets.append(ticket)
        return sorted(tickets, key=lambda ticket: (ticket.created_at, ticket.id))

    def revoke(self, invite_id: str, now: int) -> Ticket | None:
        """Take back the invite with that id, from the next message on; return it, None if none with that id works."""
        ticket = next((one for one in self.invites(now) if one.id == invite_id), None)
        if ticket is None:
            return None
        try:
            self._table.update(
                tickets_pk(ticket.kind),
                ticket.digest,
                UpdateExpression="SET revoked_at = :now",
                ConditionExpression="attribute_exists(pk)",
                ExpressionAttributeValues={":now": attribute(now)},
            )
        except ConditionError:
            return None
        return ticket

    def _keep(self, ticket: Ticket) -> Ticket:
        # No condition: the code is random, so that only a retry of the same write can find it there.
        expression, names, values = changes({}, _attributes(ticket))
        self._table.update(
            tickets_pk(ticket.kind),
            ticket.digest,
            UpdateExpression=expression,
            ExpressionAttributeNames=names,
            ExpressionAttributeValues=values,
        )
        return ticket


def _new_code(kind: TicketKind) -> Entered:
    return Entered(kind, "".join(secrets.choice(ALPHABET) for _ in range(LENGTHS[kind])))


def _attributes(ticket: Ticket) -> dict[str, dict[str, str]]:
    values: dict[str, str | int] = {name: getattr(ticket, name) for name in _TEXTS if getattr(ticket, name)}
    values |= {name: getattr(ticket, field) for field, name in _NUMBERS.items() if getattr(ticket, field)}
    values["ttl"] = expires_after(ticket.expires_at)
    return {name: attribute(value) for name, value in values.items()}


def _ticket(kind: TicketKind, item: Item) -> Ticket:
    texts = {name: item[name]["S"] for name in _TEXTS if name in item}
    numbers = {field: int(item[name]["N"]) for field, name in _NUMBERS.items() if name in item}
    return Ticket(kind=kind, digest=item["sk"]["S"], **texts, **numbers)  # type: ignore[arg-type]

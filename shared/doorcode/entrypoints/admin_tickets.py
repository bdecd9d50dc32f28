"""Owners by claim, and invites: the operator's commands about who makes whom an owner or lets whom in without asking.

Whoever may give these commands may decide who is let in anyway. A code stands in one answer, once, and in no log.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from doorcode.aws.tickets import Tickets
from doorcode.aws.waiting_room import WaitingRoom
from doorcode.entrypoints.admin_commands import InviteCreate, InviteList, OnTickets, OwnerClaim, OwnerList
from doorcode.entrypoints.ticket_record import invite_record, made_record, owner_records
from doorcode.errors import UnknownInviteError
from doorcode.pairing.contact import Platform, platform_named
from doorcode.pairing.settings import Settings
from doorcode.pairing.tickets import InviteOrder

Answer = dict[str, Any]
Outcome = dict[str, str]
Bots = Callable[[int], Mapping[Platform, str]]
"""Gives the bots' usernames at a time, where they are known."""


class TicketCommands:
    """Carries out the commands about claims, owners and invites; removing an owner is the desk's."""

    def __init__(self, tickets: Tickets, room: WaitingRoom, settings: Settings, bots: Bots) -> None:
        """Make tickets in ``tickets``; ``bots`` are named in their links."""
        self._tickets = tickets
        self._room = room
        self._settings = settings
        self._bots = bots

    def carry_out(self, command: OnTickets, now: int) -> tuple[Answer, Outcome]:
        """Carry out a command at ``now``; return its answer, and what the log may say of it.

        Raises UnknownInviteError, InputError and what is below it, UnavailableError.
        """
        if isinstance(command, OwnerClaim):
            code, claim = self._tickets.claim(_named(command.platform), command.actor, now)
            return made_record(code, claim, self._bots(now)), {"outcome": "created"}
        if isinstance(command, OwnerList):
            owners = owner_records(self._room, self._settings, now)
            return {"owners": owners}, {"outcome": "listed", "count": str(len(owners))}
        if isinstance(command, InviteCreate):
            order = InviteOrder(
                platform=_named(command.platform),
                uses=command.uses,
                label=command.label,
                for_seconds=command.for_seconds,
                expires_seconds=command.expires_seconds,
            )
            code, invite = self._tickets.invite(order, command.actor, now)
            answer = {**invite_record(invite), **made_record(code, invite, self._bots(now))}
            return answer, {"outcome": "created", "invite_id": invite.id}
        if isinstance(command, InviteList):
            invites = [invite_record(invite) for invite in self._tickets.invites(now)]
            return {"invites": invites}, {"outcome": "listed", "count": str(len(invites))}
        revoked = self._tickets.revoke(command.id, now)
        if revoked is None:
            raise UnknownInviteError("No invite with that id works. See: doorcode invite list")
        return {"id": revoked.id}, {"outcome": "revoked", "invite_id": revoked.id}


def _named(platform: str) -> str:
    return platform_named(platform) if platform else ""

"""The ticket office: what becomes of a message that looks like a claim or an invite.

The edge imports this when the first one comes. What is no ticket goes on through the gate like any message, at the price
of one read; a wrong one that could have been a guess is counted, too. The text of a real one ends here: it is neither
logged nor stored nor handed on.
"""

from __future__ import annotations

from msgspec import Struct, structs

from doorcode.aws.items import contact_pk
from doorcode.aws.lockout import TICKET, Lockout
from doorcode.aws.tickets import Tickets
from doorcode.errors import LockedOutError, RefusedError, SpentTicketError
from doorcode.pairing import gate
from doorcode.pairing.contact import Contact, Standing
from doorcode.pairing.decisions import Desk
from doorcode.pairing.gate import GateAction, Reason, Verdict
from doorcode.pairing.messages import ChatType, Message
from doorcode.pairing.ports import Room
from doorcode.pairing.settings import Settings
from doorcode.pairing.tickets import Entered, TicketKind, entered
from doorcode.pairing.transitions import Asked, Refusal, had_its_effect
from doorcode.pairing.wording import language_tag

WELCOMES = {TicketKind.CLAIM: "claimed", TicketKind.INVITE: "invited"}


class Served(Struct, frozen=True):
    """What becomes of the message, and the key of what its sender is told at once; nothing where that is empty."""

    verdict: Verdict
    tells: str = ""


class TicketOffice:
    """Takes claims and invites."""

    def __init__(self, tickets: Tickets, room: Room, desk: Desk, lockout: Lockout, settings: Settings) -> None:
        """Find them in ``tickets`` and have ``desk`` let in who sends one; count the others in ``lockout``."""
        self._tickets = tickets
        self._room = room
        self._desk = desk
        self._lockout = lockout
        self._settings = settings

    def serve(self, message: Message, contact: Contact, now: int) -> Served | Message:
        """Take a message that looks like a ticket, from ``contact`` at ``now``.

        Returns what became of it, or the message that goes on through the gate: without its text, if that was a ticket
        once. Raises UnavailableError, upon which the platform delivers again.
        """
        ticket = entered(message.text, message.platform)
        if ticket is None:
            return message
        otherwise = gate.decide(self._settings, message, contact, now, looked_up=True)
        if message.chat_type is ChatType.GROUP:
            # None works here. One is only kept from whoever would be handed it.
            admitted = otherwise.action is GateAction.ADMIT
            real = admitted and self._tickets.find(ticket) is not None
            return Served(Verdict(GateAction.DROP, Reason.GROUP_POLICY)) if real else message
        if had_its_effect(contact, message.delivery_id):
            return _again(ticket.kind, contact, now)
        return self._take(message, contact, ticket, otherwise, now)

    def _take(
        self, message: Message, contact: Contact, ticket: Entered, otherwise: Verdict, now: int
    ) -> Served | Message:
        found = self._tickets.find(ticket)
        if found is None or not found.works_on(message.platform, now):
            return self._wrong(message, ticket.kind, otherwise, now, real=found is not None)
        if ticket.kind is TicketKind.INVITE and _is_in(otherwise):
            return Served(Verdict(GateAction.ANSWER, Reason.INVITED), "in_already")
        asked = Asked(
            delivery_id=message.delivery_id,
            name=message.name,
            full_name=message.full_name,
            language=language_tag(message.language),
            reply=message.reply,
        )
        try:
            self._desk.redeem(found, contact, asked, now)
        except SpentTicketError:
            # Others were quicker.
            return self._wrong(message, ticket.kind, otherwise, now, real=True)
        except LockedOutError:
            return Served(Verdict(GateAction.DROP, Reason.LOCKED_OUT))
        except RefusedError as error:
            return self._moved_meanwhile(message, ticket.kind, error, now)
        return Served(_verdict(ticket.kind), WELCOMES[ticket.kind])

    def _wrong(
        self, message: Message, kind: TicketKind, otherwise: Verdict, now: int, *, real: bool
    ) -> Served | Message:
        """Count what does not work, unless whoever is in gains nothing by guessing it; and say what becomes of it.

        To a stranger one that is over looks like one that never was. Whoever would have it handed on is told.
        """
        admitted = otherwise.action is GateAction.ADMIT
        if not admitted or (kind is TicketKind.CLAIM and otherwise.reason is not Reason.OWNER):
            try:
                self._lockout.count(TICKET, contact_pk(message.platform, message.user_id), now)
            except LockedOutError:
                return Served(Verdict(GateAction.DROP, Reason.LOCKED_OUT))
        if real and admitted:
            return Served(Verdict(GateAction.ANSWER, gate.REFUSED[kind]), "ticket_is_over")
        return structs.replace(message, text="") if real else message

    def _moved_meanwhile(self, message: Message, kind: TicketKind, error: RefusedError, now: int) -> Served:
        if error.reason == Refusal.REPEATED:
            # The same delivery, twice at once.
            return _again(kind, self._room.get(message.platform, message.user_id), now)
        if error.reason == Refusal.BLOCKED:
            return Served(Verdict(GateAction.DROP, Reason.BLOCKED))
        already = "owner_already" if error.reason == Refusal.ALREADY_OWNER else "in_already"
        return Served(_verdict(kind), already)


def _again(kind: TicketKind, contact: Contact, now: int) -> Served:
    """Answer a delivery that has had its effect as it was answered before, as long as that holds."""
    standing = contact.standing(now)
    holds = {Standing.OWNER} if kind is TicketKind.CLAIM else {Standing.OWNER, Standing.PAIRED}
    if standing in holds:
        return Served(_verdict(kind), WELCOMES[kind])
    return Served(Verdict(GateAction.DROP, gate.REFUSED[kind]))


def _is_in(otherwise: Verdict) -> bool:
    return otherwise.action is GateAction.ADMIT and otherwise.reason is not Reason.POLICY_ALLOW


def _verdict(kind: TicketKind) -> Verdict:
    return Verdict(GateAction.ANSWER, gate.TICKETS[kind])

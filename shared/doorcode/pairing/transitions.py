"""How a contact moves: the whole matrix of standings × operations, as data, and the one function that applies it.

Nothing here writes. The waiting room makes each move with one transaction that holds only if the contact is still the
revision from which the move was worked out.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from msgspec import Struct, structs

from doorcode.errors import RefusedError
from doorcode.pairing.contact import Contact, ContactRole, Standing, State, Via, checked_end, checked_label
from doorcode.pairing.cooldown import cooldown_of, doubled, doublings_left
from doorcode.pairing.names import unparenthesised
from doorcode.pairing.texts import decider


class Operation(StrEnum):
    """What can be done to a contact."""

    REQUEST = "request"
    APPROVE = "approve"
    DENY = "deny"
    EXPIRE = "expire"
    ADD = "add"
    REVOKE = "revoke"
    BLOCK = "block"
    UNBLOCK = "unblock"
    CLAIM = "claim"  # by whoever has sent a claim: they own the bot
    ADMIT = "admit"  # of whoever has sent an invite
    REMOVE_OWNER = "remove_owner"
    CHANGE = "change"  # the label or the end of somebody who is in, and of nobody else


class SeatChange(StrEnum):
    """What a move does to the seat in the waiting room."""

    TAKE = "take"  # its own if it still holds one, else a free one
    FREE = "free"
    UNTOUCHED = "untouched"


class CooldownChange(StrEnum):
    """What a move does to the cooldown, that is to when they may ask again."""

    START = "start"  # a request: as long as earlier ones that came to nothing have made it
    DOUBLE = "double"  # the request came to nothing
    CLEAR = "clear"  # let in: whoever no longer is may ask again at once
    KEEP = "keep"


class OwnerChange(StrEnum):
    """What a move does to the list of owners by claim."""

    COMES = "comes"
    GOES = "goes"
    NONE = "none"


class Refusal(StrEnum):
    """Why a standing does not allow an operation."""

    ALREADY_PAIRED = "already_paired"
    ALREADY_DENIED = "already_denied"
    ALREADY_BLOCKED = "already_blocked"
    BLOCKED = "blocked"
    EXPIRED = "expired"
    NOT_PENDING = "not_pending"
    NOT_PAIRED = "not_paired"
    NOT_BLOCKED = "not_blocked"
    NOT_OVERDUE = "not_overdue"
    OWNER = "owner"
    ALREADY_OWNER = "already_owner"
    NOT_OWNER = "not_owner"
    LAST_OWNER = "last_owner"
    OWNER_BY_SETTING = "owner_by_setting"
    SUPERSEDED = "superseded"
    REPEATED = "repeated"


class Move(Struct, frozen=True):
    """A move that is allowed: the new state, and what happens to the seat, to the cooldown and to the list of owners."""

    to: State
    seat: SeatChange
    cooldown: CooldownChange
    owners: OwnerChange = OwnerChange.NONE


# The longest time for which a signed delivery can be replayed is Discord's, in seconds; the shortest cooldown is 60 s.
REPLAY_WINDOW = 900
DELIVERIES_KEPT = REPLAY_WINDOW // 60
# Of one request, which has hardly more than an approval or a denial, and a block. A new request makes old buttons void.
PRESSES_KEPT = 32

_FREE, _UNTOUCHED = SeatChange.FREE, SeatChange.UNTOUCHED
_DOUBLE, _CLEAR, _KEEP = CooldownChange.DOUBLE, CooldownChange.CLEAR, CooldownChange.KEEP
_TAKE = Move(State.PENDING, SeatChange.TAKE, CooldownChange.START)
_LET_IN, _LET_IN_FREED = Move(State.PAIRED, _UNTOUCHED, _CLEAR), Move(State.PAIRED, _FREE, _CLEAR)
_OWN = Move(State.PAIRED, _UNTOUCHED, _CLEAR, OwnerChange.COMES)
_OWN_FREED = Move(State.PAIRED, _FREE, _CLEAR, OwnerChange.COMES)
_ORDER = tuple(Operation)

# fmt: off
# A request also waits for the cooldown (see ``assess_request``): that depends on the contact's times, not its standing.
# A request of somebody whose last one is overdue is first of all that one's expiry, as if the sweep had come by.
_ROWS: dict[Standing, tuple[Move | Refusal, ...]] = {
    #                   REQUEST, APPROVE, DENY,
    #                   EXPIRE, ADD,
    #                   REVOKE, BLOCK, UNBLOCK,
    #                   CLAIM, ADMIT, REMOVE_OWNER, CHANGE
    Standing.NONE: (    _TAKE, Refusal.NOT_PENDING, Refusal.NOT_PENDING,
                        Refusal.NOT_OVERDUE, _LET_IN,
                        Refusal.NOT_PAIRED, Move(State.BLOCKED, _UNTOUCHED, _KEEP), Refusal.NOT_BLOCKED,
                        _OWN, _LET_IN, Refusal.NOT_OWNER, Refusal.NOT_PAIRED),
    Standing.PENDING: ( _TAKE, Move(State.PAIRED, _FREE, _CLEAR), Move(State.DENIED, _FREE, _DOUBLE),
                        Refusal.NOT_OVERDUE, _LET_IN_FREED,
                        Refusal.NOT_PAIRED, Move(State.BLOCKED, _FREE, _KEEP), Refusal.NOT_BLOCKED,
                        _OWN_FREED, _LET_IN_FREED, Refusal.NOT_OWNER, Refusal.NOT_PAIRED),
    Standing.OVERDUE: ( _TAKE, Refusal.EXPIRED, Refusal.EXPIRED,
                        Move(State.EXPIRED, _FREE, _DOUBLE), _LET_IN_FREED,
                        Refusal.NOT_PAIRED, Move(State.BLOCKED, _FREE, _KEEP), Refusal.NOT_BLOCKED,
                        _OWN_FREED, _LET_IN_FREED, Refusal.NOT_OWNER, Refusal.NOT_PAIRED),
    Standing.DENIED: (  _TAKE, Refusal.ALREADY_DENIED, Refusal.ALREADY_DENIED,
                        Refusal.NOT_OVERDUE, _LET_IN,
                        Refusal.NOT_PAIRED, Move(State.BLOCKED, _UNTOUCHED, _KEEP), Refusal.NOT_BLOCKED,
                        _OWN, _LET_IN, Refusal.NOT_OWNER, Refusal.NOT_PAIRED),
    Standing.PAIRED: (  Refusal.ALREADY_PAIRED, Refusal.ALREADY_PAIRED, Refusal.ALREADY_PAIRED,
                        Refusal.NOT_OVERDUE, _LET_IN,
                        Move(State.REVOKED, _UNTOUCHED, _KEEP), Move(State.BLOCKED, _UNTOUCHED, _KEEP), Refusal.NOT_BLOCKED,
                        _OWN, Refusal.ALREADY_PAIRED, Refusal.NOT_OWNER, _LET_IN),
    # There is one way to take an owner away, which looks whether it is the last one.
    Standing.OWNER: (   Refusal.ALREADY_PAIRED, Refusal.ALREADY_PAIRED, Refusal.ALREADY_PAIRED,
                        Refusal.NOT_OVERDUE, _LET_IN,
                        Refusal.OWNER, Refusal.OWNER, Refusal.NOT_BLOCKED,
                        Refusal.ALREADY_OWNER, Refusal.ALREADY_PAIRED,
                        Move(State.REVOKED, _UNTOUCHED, _KEEP, OwnerChange.GOES), _LET_IN),
    Standing.BLOCKED: ( Refusal.BLOCKED, Refusal.BLOCKED, Refusal.BLOCKED,
                        Refusal.NOT_OVERDUE, Refusal.BLOCKED,
                        Refusal.NOT_PAIRED, Refusal.ALREADY_BLOCKED, Move(State.REVOKED, _UNTOUCHED, _KEEP),
                        Refusal.BLOCKED, Refusal.BLOCKED, Refusal.NOT_OWNER, Refusal.NOT_PAIRED),
}
# fmt: on

MATRIX: Mapping[tuple[Standing, Operation], Move | Refusal] = MappingProxyType(
    {
        (standing, operation): cell
        for standing, cells in _ROWS.items()
        for operation, cell in zip(_ORDER, cells, strict=True)
    },
)

_SENTENCES: Mapping[Refusal, str] = MappingProxyType(
    {
        Refusal.ALREADY_PAIRED: "Already approved{who}.",
        Refusal.ALREADY_DENIED: "Already denied{who}.",
        Refusal.ALREADY_BLOCKED: "Already blocked{who}.",
        Refusal.BLOCKED: "{contact} is blocked{who}: unblock first.",
        Refusal.EXPIRED: "The request of {contact} has expired. They can ask again by writing to the bot.",
        Refusal.NOT_PENDING: "{contact} has no pending request (state: {state}).",
        Refusal.NOT_PAIRED: "{contact} is not paired (state: {state}).",
        Refusal.NOT_BLOCKED: "{contact} is not blocked (state: {state}).",
        Refusal.NOT_OVERDUE: "{contact} has no overdue request (state: {state}).",
        Refusal.OWNER: "{contact} is an owner by claim, and has to be removed as one first.",
        Refusal.ALREADY_OWNER: "{contact} is an owner already.",
        Refusal.NOT_OWNER: "{contact} is no owner by claim (state: {state}).",
        Refusal.LAST_OWNER: "{contact} is the last owner: without one nobody is asked who may talk to the bot.",
        Refusal.OWNER_BY_SETTING: "{contact} is an owner by OWNER_USER_IDS: take the id out of that setting.",
        Refusal.SUPERSEDED: "A newer request of {contact} has replaced this one.",
        Refusal.REPEATED: "That press has had its effect. {contact} is {state} now.",
    },
)


class Asked(Struct, frozen=True, kw_only=True):
    """What a request brings, or a message with a claim or an invite: who asks (for showing), where to answer, and which delivery it came with."""

    delivery_id: str
    name: str = ""
    full_name: str = ""
    language: str = ""
    reply: str = ""


class Decision(Struct, frozen=True, kw_only=True):
    """Who decides, from which surface, and with what: ``label`` None keeps what there is, ``until`` 0 means for ever.

    ``until`` None keeps the end of whoever is in already. ``name`` is what the platform calls who decides, made safe. ``delivery_id`` is the platform's id of the press that it
    came with, empty for what no platform delivers. ``asked`` is the message of whoever lets themselves in, with a claim
    or an invite that ``by`` has made. ``last`` tells that even the last owner may go.
    """

    by: str = ""
    name: str = ""
    via: Via | None = None
    label: str | None = None
    until: int | None = 0
    delivery_id: str = ""
    asked: Asked | None = None
    last: bool = False


class RequestVerdict(StrEnum):
    """What becomes of a stranger's message, as far as the contact alone can tell."""

    NEW = "new"
    AGAIN = "again"  # the delivery that made the pending request, once more: the same answer
    RATE_LIMITED = "rate_limited"
    NOT_A_STRANGER = "not_a_stranger"  # paired or blocked meanwhile: the gate decides anew
    FULL = "full"  # only the waiting room can tell


def assess_request(contact: Contact, delivery_id: str, now: int) -> RequestVerdict:
    """Tell whether this delivery may start a request at ``now``."""
    standing = contact.standing(now)
    if isinstance(MATRIX[standing, Operation.REQUEST], Refusal):
        return RequestVerdict.NOT_A_STRANGER
    if delivery_id in contact.former_deliveries.split():
        return RequestVerdict.RATE_LIMITED
    if contact.delivery_id == delivery_id:
        # However late it comes: what that delivery asked for was asked once.
        return RequestVerdict.AGAIN if standing is Standing.PENDING else RequestVerdict.RATE_LIMITED
    return RequestVerdict.RATE_LIMITED if now < _with_expiry(contact, now).next_code_at else RequestVerdict.NEW


def allowed(contact: Contact, operation: Operation, now: int) -> Move:
    """Return the move that ``operation`` makes. Raises RefusedError, with the state that holds."""
    standing = contact.standing(now)
    cell = MATRIX[standing, operation]
    if isinstance(cell, Refusal):
        # An expired request that was tidied up already is still, to whoever decides on it, an expired request.
        if cell is Refusal.NOT_PENDING and contact.state is State.EXPIRED:
            cell = Refusal.EXPIRED
        # What has lapsed is told as expired, tidied up or not: nobody is "not paired (state: paired)".
        lapsed = standing is Standing.OVERDUE or (standing is Standing.NONE and contact.state is State.PAIRED)
        raise refused(structs.replace(contact, state=State.EXPIRED) if lapsed else contact, cell)
    return cell


def refused(contact: Contact, refusal: Refusal) -> RefusedError:
    """Make the error that says why, and what really holds."""
    return RefusedError(
        _SENTENCES[refusal].format(
            contact=f"{contact.platform} {contact.user_id}", state=contact.state, who=decider(contact)
        ),
        reason=refusal,
        platform=contact.platform,
        user_id=contact.user_id,
        state=contact.state,
        decided_by=contact.decided_by,
        decided_by_name=contact.decided_by_name,
        decided_via=contact.decided_via,
        decided_at=contact.decided_at,
        expired_at=contact.code_expires_at if refusal is Refusal.EXPIRED else 0,
    )


def requested(  # noqa: PLR0913 (each is one fact of the new request)
    contact: Contact,
    asked: Asked,
    now: int,
    *,
    nonce: str,
    key_id: str,
    seat: str,
    ttl_seconds: int,
    cooldown_seconds: int,
) -> Contact:
    """Return the contact with a new request, in that seat. Raises RefusedError for paired and blocked ones.

    ``cooldown_seconds`` is that of somebody who has not come to nothing of late.
    """
    move = allowed(contact, Operation.REQUEST, now)
    doublings = doublings_left(_with_expiry(contact, now), now)
    return Contact(
        platform=contact.platform,
        user_id=contact.user_id,
        state=move.to,
        rev=contact.rev + 1,
        name=asked.name,
        full_name=asked.full_name,
        language=asked.language,
        reply=asked.reply,
        delivery_id=asked.delivery_id,
        former_deliveries=_remembering(contact, contact.delivery_id),
        nonce=nonce,
        key_id=key_id,
        seat=seat,
        requested_at=now,
        code_expires_at=now + ttl_seconds,
        next_code_at=now + cooldown_of(cooldown_seconds, doublings),
        doublings=doublings,
    )


def moved(contact: Contact, operation: Operation, now: int, decision: Decision) -> Contact:
    """Return the contact after ``operation`` (any but a request).

    Raises RefusedError where the matrix does not allow it or the press or message has had its effect, InvalidTimeError
    and InvalidLabelError for what it brings.
    """
    asked = decision.asked
    if asked and had_its_effect(contact, asked.delivery_id):
        raise refused(contact, Refusal.REPEATED)
    move = allowed(contact, operation, now)
    presses = contact.presses.split()
    if decision.delivery_id in presses:
        # Whatever the matrix would allow by now: somebody has taken back what this press did.
        raise refused(contact, Refusal.REPEATED)
    grants = move.to is State.PAIRED
    role = _ROLES.get(move.owners, contact.role)
    if grants and role and decision.until:
        # An owner for a while would have to leave the list of owners at an hour at which nothing moves.
        raise refused(contact, Refusal.OWNER)
    # A new label or end of somebody who is in is no new grant: they have been in since.
    begins = grants and contact.standing(now) not in {Standing.PAIRED, Standing.OWNER}
    label = contact.label if decision.label is None else checked_label(decision.label)
    kept = 0 if begins else contact.paired_until
    until = kept if decision.until is None else decision.until
    if move.cooldown is CooldownChange.DOUBLE:
        contact = doubled(contact, min(now, contact.code_expires_at))
    elif move.cooldown is CooldownChange.CLEAR:
        contact = structs.replace(contact, next_code_at=0, doublings=0)
    if asked:
        contact = structs.replace(
            contact,
            # Where the platform sends no names, what was looked up before is better than nothing.
            name=asked.name or contact.name,
            full_name=asked.full_name if asked.name else contact.full_name,
            language=asked.language or contact.language,
            reply=asked.reply,
            former_deliveries=_remembering(contact, asked.delivery_id),
        )
    return structs.replace(
        contact,
        state=move.to,
        role=role,
        rev=contact.rev + 1,
        seat="" if move.seat is SeatChange.FREE else contact.seat,
        presses=" ".join([decision.delivery_id, *presses][:PRESSES_KEPT]).strip(),
        label=label,
        paired_at=now if begins else contact.paired_at,
        paired_until=checked_end(until, now) if grants else 0,
        decided_by=decision.by,
        decided_by_name=unparenthesised(decision.name),
        decided_via=decision.via or "",
        decided_at=now,
    )


_ROLES: dict[OwnerChange, str] = {OwnerChange.COMES: ContactRole.OWNER, OwnerChange.GOES: ""}


def had_its_effect(contact: Contact, delivery_id: str) -> bool:
    """Tell whether this delivery of a claim or an invite has let them in, whatever became of that since."""
    return delivery_id in contact.former_deliveries.split()


def _remembering(contact: Contact, delivery_id: str) -> str:
    return " ".join([delivery_id, *contact.former_deliveries.split()][:DELIVERIES_KEPT]).strip()


def _with_expiry(contact: Contact, now: int) -> Contact:
    """Count the expiry of an overdue request that nothing has tidied up yet, as tidying up would have."""
    overdue = contact.standing(now) is Standing.OVERDUE
    return doubled(contact, contact.code_expires_at) if overdue else contact

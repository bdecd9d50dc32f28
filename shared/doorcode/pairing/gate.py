"""The gate: what becomes of a message, and the one reason why."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from doorcode.pairing.contact import Contact, Standing
from doorcode.pairing.messages import ChatType, Deed, Ignored, Message
from doorcode.pairing.settings import GroupPolicy, Policy, Settings
from doorcode.pairing.tickets import Entered, TicketKind, entered
from doorcode.pairing.transitions import RequestVerdict, assess_request


class GateAction(StrEnum):
    """What is done with a message."""

    IGNORE = "ignore"
    DROP = "drop"
    ANSWER = "answer"
    ADMIT = "admit"
    PAIR = "pair"


class Reason(StrEnum):
    """Why. One for every message, in the log and as a metric."""

    NOT_A_MESSAGE = "not_a_message"
    BOT_ITSELF = "bot_itself"
    BLOCKED = "blocked"
    GROUP_POLICY = "group_policy"
    CLAIMED = "claimed"
    INVITED = "invited"
    CLAIM_REFUSED = "claim_refused"
    INVITE_REFUSED = "invite_refused"
    LOCKED_OUT = "locked_out"
    OWNER = "owner"
    ALLOWED_USER = "allowed_user"
    PAIRED = "paired"
    POLICY_DENY = "policy_deny"
    GROUP_UNKNOWN = "group_unknown"
    POLICY_ALLOW = "policy_allow"
    OVER_BUDGET = "over_budget"
    PAIRING_REQUESTED = "pairing_requested"
    RATE_LIMITED = "rate_limited"
    WAITING_ROOM_FULL = "waiting_room_full"


class Verdict(Struct, frozen=True):
    """An action and its reason."""

    action: GateAction
    reason: Reason


# What only the table can tell replaces the gate's own word: a budget that is spent, a room that is full; and whether
# what looks like a claim or an invite is one.
OVER_BUDGET = Verdict(GateAction.DROP, Reason.OVER_BUDGET)
WAITING_ROOM_FULL = Verdict(GateAction.PAIR, Reason.WAITING_ROOM_FULL)
_NOTHING = Verdict(GateAction.IGNORE, Reason.NOT_A_MESSAGE)


TICKETS = {TicketKind.CLAIM: Reason.CLAIMED, TicketKind.INVITE: Reason.INVITED}
REFUSED = {TicketKind.CLAIM: Reason.CLAIM_REFUSED, TicketKind.INVITE: Reason.INVITE_REFUSED}


def decide(  # noqa: PLR0911 (a row of the gate each)
    settings: Settings, event: Message | Deed | Ignored, contact: Contact, now: int, *, looked_up: bool = False
) -> Verdict:
    """Decide on what ``contact`` wrote or did, at ``now``. The first rule that matches wins; the order is the promise.

    ``claimed`` and ``invited`` are of what looks like one, and still has to be looked up; ``looked_up`` is of what was.
    ``policy_allow`` still has to fit the message budget, and ``pairing_requested`` still has to find a seat.
    """
    # A message from nobody is nothing that a person said, whatever the policy.
    if isinstance(event, Ignored) or not event.user_id:
        return _of_nobody(settings, event)
    in_group = event.chat_type is ChatType.GROUP
    standing = contact.standing(now)
    if standing is Standing.BLOCKED:
        return Verdict(GateAction.DROP, Reason.BLOCKED)
    if _is_closed(settings, event):
        return Verdict(GateAction.DROP, Reason.GROUP_POLICY)
    if not looked_up and (ticket := _ticket(event)):
        return _of_ticket(event, ticket)
    if grounds := _admitted_by(settings, event, standing):
        return Verdict(GateAction.ADMIT, grounds)
    policy = settings.policy(event.platform)
    if policy is Policy.DENY:
        return Verdict(GateAction.DROP, Reason.POLICY_DENY)
    if in_group:
        return Verdict(GateAction.DROP, Reason.GROUP_UNKNOWN)
    if policy is Policy.ALLOW:
        return Verdict(GateAction.ADMIT, Reason.POLICY_ALLOW)
    return _of_stranger(event, contact, now)


def is_stranger(settings: Settings, event: Message | Deed, contact: Contact, now: int) -> bool:
    """Tell whether somebody is neither let in nor an owner, wherever it was done."""
    return _admitted_by(settings, event, contact.standing(now)) is None


def _of_stranger(event: Message | Deed, contact: Contact, now: int) -> Verdict:
    if isinstance(event, Deed):
        # Only who writes asks to be let in.
        return _NOTHING
    limited = assess_request(contact, event.delivery_id, now) is RequestVerdict.RATE_LIMITED
    return Verdict(GateAction.PAIR, Reason.RATE_LIMITED if limited else Reason.PAIRING_REQUESTED)


def _ticket(event: Message | Deed) -> Entered | None:
    """Read a whole message as a ticket; in groups, too, where none works, but must not be handed on either."""
    spoken = isinstance(event, Deed) or event.kind == "text"
    return entered(event.text, event.platform) if spoken else None


def _of_ticket(event: Message | Deed, ticket: Entered) -> Verdict:
    # An edit takes nobody in. What looks like one in it is not looked up, and not handed on either.
    if isinstance(event, Deed):
        return Verdict(GateAction.DROP, REFUSED[ticket.kind])
    return Verdict(GateAction.ANSWER, TICKETS[ticket.kind])


def _admitted_by(settings: Settings, event: Message | Deed, standing: Standing) -> Reason | None:
    if standing is Standing.OWNER or settings.is_owner(event.platform, event.user_id):
        return Reason.OWNER
    if settings.is_allowed(event.platform, event.user_id, event.username):
        return Reason.ALLOWED_USER
    return Reason.PAIRED if standing is Standing.PAIRED else None


def _of_nobody(settings: Settings, event: Message | Deed | Ignored) -> Verdict:
    if isinstance(event, Deed) and event.about_bot and not _is_closed(settings, event):
        return Verdict(GateAction.ADMIT, Reason.BOT_ITSELF)
    return _NOTHING


def _is_closed(settings: Settings, event: Message | Deed) -> bool:
    """Tell whether it was in a group, and the bot does not hear it there."""
    if event.chat_type is not ChatType.GROUP:
        return False
    heard = settings.group_policy is GroupPolicy.MENTION_ONLY and event.addressed
    return not (heard and settings.answers_in(event.platform, event.group))

"""The gate: what becomes of a message, and the one reason why."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from doorcode.pairing.contact import Contact, Standing
from doorcode.pairing.messages import ChatType, Deed, Ignored, Message
from doorcode.pairing.settings import GroupPolicy, Policy, Settings
from doorcode.pairing.transitions import RequestVerdict, assess_request


class GateAction(StrEnum):
    """What is done with a message."""

    IGNORE = "ignore"
    DROP = "drop"
    ADMIT = "admit"
    PAIR = "pair"


class Reason(StrEnum):
    """Why. One for every message, in the log and as a metric."""

    NOT_A_MESSAGE = "not_a_message"
    BOT_ITSELF = "bot_itself"
    BLOCKED = "blocked"
    GROUP_POLICY = "group_policy"
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


# What only the table can tell replaces the gate's own word: a budget that is spent, a room that is full.
OVER_BUDGET = Verdict(GateAction.DROP, Reason.OVER_BUDGET)
WAITING_ROOM_FULL = Verdict(GateAction.PAIR, Reason.WAITING_ROOM_FULL)
_NOTHING = Verdict(GateAction.IGNORE, Reason.NOT_A_MESSAGE)


def decide(settings: Settings, event: Message | Deed | Ignored, contact: Contact, now: int) -> Verdict:  # noqa: PLR0911
    """Decide on what ``contact`` wrote or did, at ``now``. The first rule that matches wins; the order is the promise.

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
    if settings.is_owner(event.platform, event.user_id):
        return Verdict(GateAction.ADMIT, Reason.OWNER)
    if settings.is_allowed(event.platform, event.user_id, event.username):
        return Verdict(GateAction.ADMIT, Reason.ALLOWED_USER)
    if standing is Standing.PAIRED:
        return Verdict(GateAction.ADMIT, Reason.PAIRED)
    policy = settings.policy(event.platform)
    if policy is Policy.DENY:
        return Verdict(GateAction.DROP, Reason.POLICY_DENY)
    if in_group:
        return Verdict(GateAction.DROP, Reason.GROUP_UNKNOWN)
    if policy is Policy.ALLOW:
        return Verdict(GateAction.ADMIT, Reason.POLICY_ALLOW)
    return _of_stranger(event, contact, now)


def _of_stranger(event: Message | Deed, contact: Contact, now: int) -> Verdict:
    if isinstance(event, Deed):
        # Only who writes asks to be let in.
        return _NOTHING
    limited = assess_request(contact, event.delivery_id, now) is RequestVerdict.RATE_LIMITED
    return Verdict(GateAction.PAIR, Reason.RATE_LIMITED if limited else Reason.PAIRING_REQUESTED)


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

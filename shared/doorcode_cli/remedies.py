"""What lets in somebody who was dropped: as their contact and the settings are now, not as they were then."""

from __future__ import annotations

from doorcode.pairing.contact import Contact, Standing
from doorcode.pairing.gate import Reason
from doorcode.pairing.settings import GroupPolicy, Policy, Settings

GROUPS = frozenset({Reason.GROUP_POLICY, Reason.GROUP_UNKNOWN})


def remedy(settings: Settings, contact: Contact, reason: Reason, now: int, *, group: str = "") -> str:
    """Return what lets ``contact`` in at ``now``, who was dropped for ``reason``, and in ``group`` if that is not empty.

    Each command in it is one that is not refused as things are.
    """
    steps = _of_group(settings, contact, group) if reason is Reason.GROUP_POLICY else []
    in_already = _in_already(settings, contact, reason, now)
    if in_already and not steps:
        return f"nothing more: {in_already}"
    if not in_already:
        steps = [*_of_person(settings, contact, reason, now), *steps]
    return ", and ".join(steps)


def _in_already(settings: Settings, contact: Contact, reason: Reason, now: int) -> str:
    """Say why they are let in now; nothing if they are not."""
    standing = contact.standing(now)
    # The order is the gate's: who is blocked is dropped, whatever else holds.
    if standing is Standing.BLOCKED:
        return ""
    if by_settings := _by_settings(settings, contact):
        return by_settings
    if standing is Standing.OWNER:
        return "they are an owner now"
    if standing is Standing.PAIRED:
        return "they are paired now"
    open_door = settings.policy(contact.platform) is Policy.ALLOW and reason not in GROUPS | {Reason.OVER_BUDGET}
    return "the policy lets everybody in now" if open_door else ""


def _by_settings(settings: Settings, contact: Contact) -> str:
    if settings.is_owner(contact.platform, contact.user_id):
        return "they are an owner now"
    return "AllowedUsers names them now" if settings.is_allowed(contact.platform, contact.user_id) else ""


def _of_person(settings: Settings, contact: Contact, reason: Reason, now: int) -> list[str]:
    standing, who = contact.standing(now), f"{contact.platform} {contact.user_id}"
    add = f"doorcode pairing add {who}"
    if standing is Standing.BLOCKED:
        unblock = f"doorcode pairing unblock {who}"
        return [unblock] if _by_settings(settings, contact) else [unblock, add]
    if standing is Standing.PENDING:
        return [f"doorcode pairing approve {contact.platform} --user {contact.user_id}"]
    steps = {
        Reason.POLICY_DENY: f"AllowedUsers={contact.platform}:{contact.user_id}, or {add}",
        Reason.OVER_BUDGET: f"a higher MessageBudget, or {add}",
        Reason.WAITING_ROOM_FULL: f"{add}, or see who waits: doorcode pairing list --pending",
    }
    return [steps.get(reason, add)]


def _of_group(settings: Settings, contact: Contact, group: str) -> list[str]:
    steps = [] if settings.group_policy is GroupPolicy.MENTION_ONLY else ["GroupPolicy=mention_only"]
    if not settings.answers_in(contact.platform, group):
        steps.append(f"AllowedGroups={contact.platform}:{group}" if group else "the group in AllowedGroups")
    return [*steps, "addressing the bot"]

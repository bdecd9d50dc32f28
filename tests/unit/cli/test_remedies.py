"""What doctor names for somebody who was dropped: it is carried out here, by the domain's own rules, and then lets them in."""

import re

from doorcode.pairing.contact import Contact, Platform, State
from doorcode.pairing.gate import GateAction, Reason, decide
from doorcode.pairing.messages import ChatType, Message
from doorcode.pairing.settings import Settings, parse_settings
from doorcode.pairing.transitions import Decision, Operation, moved
from doorcode_cli.drops import DROPS
from doorcode_cli.remedies import remedy

NOW = 1_800_000_000
GROUP = "-1001"
CONTACTS = {
    "unknown": Contact(platform=Platform.TELEGRAM, user_id="987"),
    "waits": Contact(platform=Platform.TELEGRAM, user_id="987", state=State.PENDING, code_expires_at=NOW + 60),
    "overdue": Contact(platform=Platform.TELEGRAM, user_id="987", state=State.PENDING, code_expires_at=NOW),
    "expired": Contact(platform=Platform.TELEGRAM, user_id="987", state=State.EXPIRED),
    "denied": Contact(platform=Platform.TELEGRAM, user_id="987", state=State.DENIED),
    "paired": Contact(platform=Platform.TELEGRAM, user_id="987", state=State.PAIRED),
    "ended": Contact(platform=Platform.TELEGRAM, user_id="987", state=State.PAIRED, paired_until=NOW),
    "revoked": Contact(platform=Platform.TELEGRAM, user_id="987", state=State.REVOKED),
    "blocked": Contact(platform=Platform.TELEGRAM, user_id="987", state=State.BLOCKED),
}
SETTINGS = {
    "deny": {},
    "pair": {"UNKNOWN_USER_POLICY": "pair", "OWNER_USER_IDS": "telegram:1"},
    "allow": {"UNKNOWN_USER_POLICY": "allow"},
    "owner": {"OWNER_USER_IDS": "telegram:987"},
    "allowed": {"ALLOWED_USERS": "telegram:987"},
    "mentions": {"GROUP_POLICY": "mention_only", "ALLOWED_GROUPS": f"telegram:{GROUP}"},
}
TO_SETTINGS = {
    "GroupPolicy": "GROUP_POLICY", "AllowedGroups": "ALLOWED_GROUPS", "AllowedUsers": "ALLOWED_USERS",
}  # fmt: skip


def after(named: str, values: dict[str, str], contact: Contact) -> tuple[Settings, Contact]:
    """Do all that is named, of alternatives the first or the last. Raises RefusedError for what is not possible."""
    for step in re.split(r", and ", named):
        assignment = re.match(r"(\w+)=(\S+)", step)
        command = re.match(r"doorcode pairing (\w+) telegram (?:--user )?987$", step)
        if assignment:
            values = values | {TO_SETTINGS[assignment[1]]: assignment[2]}
        elif command:
            contact = moved(contact, Operation(command[1]), NOW, Decision(by="owner", label=None))
        else:
            assert step.startswith(("nothing more: ", "addressing the bot"))
    return parse_settings(values), contact


def test_what_is_named_works_now() -> None:
    """Whatever they were dropped for, and whatever became of them since, each way that is named lets them in."""
    for reason in sorted(DROPS):
        for contact in CONTACTS.values():
            for values in SETTINGS.values():
                works(reason, contact, values)


def works(reason: Reason, contact: Contact, values: dict[str, str]) -> None:
    """Go each way that is named, and have them write again."""
    in_group = reason in {Reason.GROUP_POLICY, Reason.GROUP_UNKNOWN}
    if reason is Reason.GROUP_UNKNOWN:
        values = values | SETTINGS["mentions"]
    named = remedy(parse_settings(values), contact, reason, NOW, group=GROUP if in_group else "")
    message = Message(
        platform=Platform.TELEGRAM,
        user_id="987",
        delivery_id="1",
        chat_type=ChatType.GROUP if in_group else ChatType.DIRECT,
        chat=GROUP if in_group else "987",
        addressed=True,
    )
    for way in named.removesuffix(", or see who waits: doorcode pairing list --pending").split(", or "):
        if way == "a higher MessageBudget":
            continue
        settings, then = after(way, values, contact)
        assert decide(settings, message, then, NOW).action is GateAction.ADMIT, way

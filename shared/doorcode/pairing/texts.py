"""What people are told, word for word. Each platform escapes what it puts in."""

from __future__ import annotations

from doorcode.pairing.contact import DIRECT, Contact, Platform, State
from doorcode.pairing.platform import TRAITS

REQUEST_SENT = "Your request has been sent to the owner for approval."
APPROVED = "You've been approved!"
DECLINED = "Your request was declined."
PRIVATE = "This bot is private."
DIRECT_ONLY = "Write to me in a direct message."
STALE_BUTTON = "This button does not work any more."
ONLY_THE_OWNER = "Only the owner can do this."
CLAIMED = "You own this bot now. From now on you are asked who may talk to it."
OWNER_ALREADY = "You own this bot already."
IN_ALREADY = "You are in already."
TICKET_IS_OVER = "That does not work any more. Ask for a new one."
YOUR_PAGE = "Your page. The link works once, for five minutes; whoever opens it decides who is let in:"
NO_PAGE = "To see them all: doorcode pairing list --pending"
WENT_WRONG = "Something went wrong. Please try again."

APPROVE_BUTTON = "✅ Approve"
DENY_BUTTON = "❌ Deny"
BLOCK_BUTTON = "🚫 Block"


def code_notice(platform: Platform, code: str) -> str:
    """Tell a requester their code, where no owner can be asked with buttons."""
    return f"Your pairing code: {code}. Ask the owner to run: doorcode pairing approve {platform} {code}"


def room_is_full(platform: Platform, requests: int) -> str:
    """Tell the owner that strangers are turned away."""
    return (
        f"The waiting room on {platform} is full: {requests} requests wait for you. New strangers are turned away. "
        "See them with: doorcode pairing list --pending"
    )


def more_wait(number: int) -> str:
    """Tell an owner how many wait beyond the prompts that are open; they are asked about each as places become free."""
    if not number:
        return "Nobody more waits for your answer."
    who = "1 more person waits" if number == 1 else f"{number} more people wait"
    return (
        f"{who} for your answer. You are asked about the next one when you have answered one of the open requests. "
        "See them all with: doorcode pairing list --pending, or on the page that doorcode web opens."
    )


def who_waits(number: int, last: Contact | None) -> str:
    """Tell an owner how many wait on all platforms, and who came last."""
    if not number:
        return "Nobody waits for your answer."
    who = f" Last to ask: {last.called or last.user_id} ({last.platform} {last.user_id})." if last else ""
    return f"Waiting for your answer: {number}.{who}"


def approved(contact: Contact) -> str:
    """Tell a requester that they are in, and how to write where a bot hears only its command."""
    # A bot that asks the gate hears what is written to it.
    platform = None if contact.reply == DIRECT else contact.platform
    return f"{APPROVED} {_write(platform)}"


def invited(platform: Platform) -> str:
    """Tell whoever has sent an invite that they are in, likewise."""
    return f"You're in! {_write(platform)}"


def _write(platform: Platform | None) -> str:
    command = TRAITS[platform].command if platform else ""
    return f"Send me a message{f' with {command}' if command else ''}."


def new_owner(contact: Contact) -> str:
    """Tell the owners that there is another one: by the id alone, as this is no place that escapes what people call themselves."""
    who = f"{contact.platform} {contact.user_id}"
    return (
        f"{who} owns this bot now, too, by a claim that {contact.decided_by} has made. "
        f"If that is wrong: doorcode owner remove {who}"
    )


_OUTCOMES = {
    State.PENDING: "Waiting",
    State.PAIRED: "✅ Approved",
    State.DENIED: "❌ Denied",
    State.BLOCKED: "🚫 Blocked",
    State.REVOKED: "Revoked",
    State.EXPIRED: "⌛ Expired",
    State.NONE: "⌛ Expired",
}


def outcome(contact: Contact) -> str:
    """Say what became of a contact, by whom and from where, as far as anybody did it."""
    return f"{_OUTCOMES[contact.state]}{decider(contact)}"


def decider(contact: Contact) -> str:
    """Say who decided and from where, ` by @olivia (123456789, button)`; nothing if nobody did."""
    if not contact.decided_by:
        return ""
    if contact.decided_by_name:
        return f" by {contact.decided_by_name} ({contact.decided_by}, {contact.decided_via})"
    return f" by {contact.decided_by} ({contact.decided_via})"


def prompt_question(who: str) -> str:
    """Ask the owner. ``who`` is escaped and marked up by the platform: what they are called, else the id."""
    return f"{who} wants to chat. Approve access?"


def rate_limited_line(user_id: str, since: float) -> str:
    """Log that a request came too soon; ``since`` is the seconds since the last code."""
    return f"Rate limited channel {user_id} (last code: {since:.1f}s ago)"


def generated_line(platform: Platform, user_id: str) -> str:
    """Log a new request, without its code."""
    return f"Generated pairing code for {user_id} on {platform}"

"""What people are told: each text by a key, in English, and what is made of several. Each platform escapes what it puts in.

The owner may set others, and there are translations: see ``wording``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from doorcode.pairing.contact import DIRECT, Contact, Platform, State
from doorcode.pairing.platform import TRAITS

Say = Callable[..., str]
"""Says the text of a key, in somebody's language, with what its placeholders stand for."""

REQUEST_SENT = "Your request has been sent to the owner for approval."
CODE = "Your pairing code: {code}. Ask the owner to run: doorcode pairing approve {platform} {code}"
APPROVED = "You've been approved!"
INVITED = "You're in!"
WRITE = "Send me a message."
WRITE_WITH = "Send me a message with {command}."
DECLINED = "Your request was declined."
PRIVATE = "This bot is private."
DIRECT_ONLY = "Write to me in a direct message."
STALE_BUTTON = "This button does not work any more."
ONLY_THE_OWNER = "Only the owner can do this."
CLAIMED = "You own this bot now. From now on you are asked who may talk to it."
OWNER_ALREADY = "You own this bot already."
IN_ALREADY = "You are in already."
TICKET_IS_OVER = "That does not work any more. Ask for a new one."
WENT_WRONG = "Something went wrong. Please try again."
NOBODY_WAITS = "Nobody waits for your answer."
WAITING = "Waiting for your answer: {number}."
LAST_TO_ASK = "Last to ask: {who}."
YOUR_PAGE = "Your page. The link works once, for five minutes; whoever opens it decides who is let in:"
NO_PAGE = "To see them all: doorcode pairing list --pending"
ONLY_TEXT = "I can only read text so far."
NOTHING_SAID = "I have nothing to say to that."
TOO_LONG = "That is more than I can read at once. Please say it in fewer words."
GAVE_UP = "Sorry, I could not answer that. Please try again later."
ANSWERED_BELOW = "(answered below)"

ENGLISH: Mapping[str, str] = MappingProxyType(
    {
        # To strangers.
        "request_sent": REQUEST_SENT,
        "code": CODE,
        "declined": DECLINED,
        "private": PRIVATE,
        "direct_only": DIRECT_ONLY,
        "went_wrong": WENT_WRONG,
        # To whoever is let in.
        "approved": APPROVED,
        "invited": INVITED,
        "write": WRITE,
        "write_with": WRITE_WITH,
        "in_already": IN_ALREADY,
        "ticket_is_over": TICKET_IS_OVER,
        # From the agent's function, where the agent itself says nothing.
        "only_text": ONLY_TEXT,
        "nothing_said": NOTHING_SAID,
        "too_long": TOO_LONG,
        "gave_up": GAVE_UP,
        "answered_below": ANSWERED_BELOW,
        # To whoever presses a button.
        "stale_button": STALE_BUTTON,
        "only_the_owner": ONLY_THE_OWNER,
        # To owners.
        "claimed": CLAIMED,
        "owner_already": OWNER_ALREADY,
        "nobody_waits": NOBODY_WAITS,
        "waiting": WAITING,
        "last_to_ask": LAST_TO_ASK,
        "your_page": YOUR_PAGE,
        "no_page": NO_PAGE,
    }
)

APPROVE_BUTTON = "✅ Approve"
DENY_BUTTON = "❌ Deny"
BLOCK_BUTTON = "🚫 Block"


def filled(text: str, values: Mapping[str, object]) -> str:
    """Put ``values`` in the place of their ``{names}``, once: what a value says is never a placeholder."""
    first, *others = text.split("{")
    parts = [first]
    for part in others:
        name, brace, rest = part.partition("}")
        parts.append(f"{values[name]}{rest}" if brace and name in values else f"{{{part}")
    return "".join(parts)


def english(key: str, **values: object) -> str:
    """Say a text as it ships, in English."""
    return filled(ENGLISH[key], values)


def code_notice(platform: Platform, code: str, say: Say = english) -> str:
    """Tell a requester their code, where no owner can be asked with buttons."""
    return say("code", code=code, platform=platform)


def who_waits(number: int, last: Contact | None, say: Say = english) -> str:
    """Tell an owner how many wait on all platforms, and who came last."""
    if not number:
        return say("nobody_waits")
    waiting = say("waiting", number=number)
    if last is None:
        return waiting
    who = f"{last.called or last.user_id} ({last.platform} {last.user_id})"
    return f"{waiting} {say('last_to_ask', who=who)}"


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


def approved(contact: Contact, say: Say = english) -> str:
    """Tell a requester that they are in, and how to write where a bot hears only its command."""
    # A bot that asks the gate hears what is written to it.
    platform = None if contact.reply == DIRECT else contact.platform
    return f"{say('approved')} {_write(platform, say)}"


def of_ticket(key: str, contact: Contact, say: Say = english) -> str:
    """Answer a claim or an invite: with the text of that key, and to whoever is let in how to write."""
    return invited(contact.platform, say) if key == "invited" else say(key)


def invited(platform: Platform, say: Say = english) -> str:
    """Tell whoever has sent an invite that they are in, likewise."""
    return f"{say('invited')} {_write(platform, say)}"


def _write(platform: Platform | None, say: Say) -> str:
    command = TRAITS[platform].command if platform else ""
    return say("write_with", command=command) if command else say("write")


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

"""What people are told, word for word."""

import pytest

from doorcode.pairing import texts
from doorcode.pairing.contact import DIRECT, Contact, Platform, State
from doorcode.pairing.first_message import shown
from tests.cases import each
from tests.unit.pairing.people import DISCORD, SLACK, TELEGRAM, contact

EXACT = {
    "REQUEST_SENT": "Your request has been sent to the owner for approval.",
    "DECLINED": "Your request was declined.",
    "PRIVATE": "This bot is private.",
    "DIRECT_ONLY": "Write to me in a direct message.",
    "ONLY_THE_OWNER": "Only the owner can do this.",
    "WENT_WRONG": "Something went wrong. Please try again.",
    "APPROVE_BUTTON": "\u2705 Approve",
    "DENY_BUTTON": "\u274c Deny",
    "BLOCK_BUTTON": "\U0001f6ab Block",
}


@each(("name", "text"), EXACT.items(), ids=EXACT)
def test_exact(name: str, text: str) -> None:
    """The text is the documented one."""
    assert getattr(texts, name) == text


def test_code_notice() -> None:
    """A requester whom no owner can be asked about is told the code and the command."""
    assert texts.code_notice(TELEGRAM, "ABCD1234") == (
        "Your pairing code: ABCD1234. Ask the owner to run: doorcode pairing approve telegram ABCD1234"
    )


def test_room_is_full() -> None:
    """Security 26: the owner hears that strangers are turned away, how many wait, and where to see them."""
    assert texts.room_is_full(TELEGRAM, 100) == (
        "The waiting room on telegram is full: 100 requests wait for you. New strangers are turned away. "
        "See them with: doorcode pairing list --pending"
    )


@pytest.mark.parametrize(
    ("platform", "text"),
    [
        (TELEGRAM, "You've been approved! Send me a message."),
        (SLACK, "You've been approved! Send me a message."),
        (DISCORD, "You've been approved! Send me a message with /chat."),
    ],
)
def test_approved(platform: Platform, text: str) -> None:
    """Whoever is let in is told how to go on."""
    assert texts.approved(Contact(platform=platform, user_id="1", reply="{}")) == text
    # A bot that asks the gate hears what is written to it.
    assert texts.approved(Contact(platform=platform, user_id="1", reply=DIRECT)).endswith(" Send me a message.")


def test_prompt_question() -> None:
    """The owner is asked about whoever the platform has marked up."""
    assert texts.prompt_question("User @username") == "User @username wants to chat. Approve access?"


@each(
    ("state", "text"),
    [
        (State.NONE, "\u231b Expired"),
        (State.PENDING, "Waiting"),
        (State.DENIED, "\u274c Denied"),
        (State.PAIRED, "\u2705 Approved"),
        (State.BLOCKED, "\U0001f6ab Blocked"),
        (State.REVOKED, "Revoked"),
        (State.EXPIRED, "\u231b Expired"),
    ],
)
def test_outcome(state: State, text: str) -> None:
    """A closed prompt says what became of the request, and by whom and how if anybody decided."""
    assert texts.outcome(contact(state)) == f"{text} by 42 (button)"
    assert texts.outcome(contact(state, decided_by="", decided_via="")) == text
    named = contact(state, decided_by_name="@olivia")
    assert texts.outcome(named) == f"{text} by @olivia (42, button)"


def test_log_lines() -> None:
    """Security 8: the log has the documented lines, without the code."""
    assert texts.rate_limited_line("987654321", 120.5) == "Rate limited channel 987654321 (last code: 120.5s ago)"
    assert texts.rate_limited_line("987654321", 7) == "Rate limited channel 987654321 (last code: 7.0s ago)"
    assert texts.generated_line(TELEGRAM, "987654321") == "Generated pairing code for 987654321 on telegram"


def test_who_waits() -> None:
    """An owner hears how many wait; who came last, only where that is still known."""
    assert texts.who_waits(0, None) == "Nobody waits for your answer."
    assert texts.who_waits(3, None) == "Waiting for your answer: 3."


def test_nothing_is_shown_of_a_message_that_is_not_kept() -> None:
    """The prompt of somebody whose first message has expired begins with none."""
    assert shown(()) == ""

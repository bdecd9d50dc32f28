"""What stands in an owner's chat about a question: plain text, and what can be pressed under it. No platform's markup."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from msgspec import Struct

from doorcode.asking.buttons import AskAction, actions, sign_button
from doorcode.asking.layout import lay_out
from doorcode.asking.question import Question, QuestionState, QuestionText, Substance
from doorcode.asking.visible import visible_line
from doorcode.pairing.keyring import Keyring
from doorcode.pairing.names import safe_name
from doorcode.pairing.prompts import Button
from doorcode.pairing.texts import APPROVE_BUTTON, DENY_BUTTON

# How long after a decision its owner can still say why.
REASON_SECONDS = 600
# The fewest that any platform takes, with room for the number.
MAX_LABEL = 60
OPEN_BUTTON = "Open"
WHY_DENIED = "for that is not the number that the asker shows."
REASON_BUTTON = "Say why"
PICK = "To approve it, press the number that the asker shows you. Any other one denies it."
FORGOTTEN = "Its words are kept no longer."


class Card(Struct, frozen=True, kw_only=True):
    """A question as it stands with an owner. ``link`` leads to the page; ``reason`` asks for words.

    ``elsewhere`` leads there, too, for a platform that has not room for all of the buttons.
    """

    text: str
    choices: tuple[Button, ...] = ()
    buttons: tuple[Button, ...] = ()
    link: Button | None = None
    elsewhere: Button | None = None
    reason: Button | None = None


class Canvas(Struct, frozen=True, kw_only=True):
    """What a card is made for: whose chat (``telegram:1``), how much text fits there, as its platform counts, and the page.

    ``page`` is empty where there is none.
    """

    account: str

    room: int
    size: Callable[[str], int]
    page: str = ""


def card(question: Question, words: QuestionText | None, canvas: Canvas, keyring: Keyring, now: int) -> Card:
    """Return a question as it stands at ``now``, with the buttons that it then has."""
    standing = question.standing(now)
    waits = standing is QuestionState.PENDING
    # Whoever keeps no words any more asks nothing: what is not shown is not approved.
    substance = words.substance if words else Substance(asker=question.asker_label, title=FORGOTTEN)
    laid = lay_out(
        substance,
        limit=canvas.room,
        expires_at=question.expires_at if waits else 0,
        measure=canvas.size,
        closing="\n".join(filter(None, (state_line(question, now), PICK if waits and question.numbers else ""))),
    )
    if not waits:
        asks_why = question.decided_account == canvas.account and can_say_why(question, now)
        reason = _button(REASON_BUTTON, AskAction.WHY, question, keyring) if asks_why else None
        return Card(text=laid.text, reason=reason)
    deny = _button(DENY_BUTTON, AskAction.DENY, question, keyring)
    whole = laid.whole and words is not None
    page = Button(OPEN_BUTTON, f"{canvas.page}#ask={question.id}") if canvas.page else None
    if not whole:
        return Card(text=laid.text, buttons=(deny,), link=page)
    offered = actions(question.choices, len(question.numbers))
    yes = [_button(_named(action, question, substance), action, question, keyring) for action in offered]
    if question.choices or question.numbers:
        return Card(text=laid.text, choices=tuple(yes), buttons=(deny,), elsewhere=page)
    return Card(text=laid.text, buttons=(*yes, deny))


def more_wait(number: int, page: str) -> str:
    """Tell an owner how many questions wait beyond those that stand in the chat."""
    if not number:
        return "No more questions wait for your answer."
    which = "1 more question waits" if number == 1 else f"{number} more questions wait"
    where = f" See them all: {page}" if page else ""
    return f"{which} for your answer. You are asked the next one when one of the open ones is answered.{where}"


def can_say_why(question: Question, now: int) -> bool:
    """Tell whether whoever denied a question can still say why."""
    denied = question.state is QuestionState.DENIED
    return denied and not question.reasoned and now < question.decided_at + REASON_SECONDS


def state_line(question: Question, now: int) -> str:
    """Say where a question stands, in one line of ours: who has approved, what became of it; empty while nothing has."""
    standing = question.standing(now)
    by = decider(question)
    if standing is QuestionState.PENDING:
        if not question.given:
            return ""
        names = ", ".join(_called(one.name, one.by) for one in question.given)
        return f"{len(question.given)} of {question.approvals} have approved: {names}."
    lines = {
        QuestionState.APPROVED: f"\u2705 Approved{by}, recorded.",
        QuestionState.DENIED: f"\u274c Denied{by}, {WHY_DENIED if question.mismatched else 'recorded.'}",
        QuestionState.EXPIRED: "\u231b Expired: nobody decided in time, so it is not approved.",
        QuestionState.CANCELLED: f"Cancelled{by}.",
        QuestionState.USED: f"\u2705 Approved{by}, used at {_time(question.used_at)}.",
        QuestionState.LAPSED: f"\u231b Approved{by}, never used.",
    }
    return lines[standing] + (" A reason was given." if question.reasoned else "")


def decider(question: Question) -> str:
    """Say who decided, `` by Ada (telegram:1)``; nothing if nobody did."""
    if not question.decided_by:
        return ""
    given = (
        question.given if question.state in {QuestionState.APPROVED, QuestionState.USED, QuestionState.LAPSED} else ()
    )
    if len(given) > 1:
        return " by " + ", ".join(_called(one.name, one.by) for one in given)
    return f" by {_called(question.decided_by_name, question.decided_by)}"


def _called(name: str, by: str) -> str:
    who = visible_line(by)
    return f"{safe_name(name)} ({who})" if safe_name(name) else who


def _named(action: AskAction, question: Question, substance: Substance) -> str:
    if action.number:
        return str(question.numbers[action.number - 1])
    if not action.choice:
        return APPROVE_BUTTON
    # It stands in full above.
    choice = visible_line(substance.choices[action.choice - 1])
    return f"{action.choice}. {choice if len(choice) <= MAX_LABEL else choice[:MAX_LABEL] + '…'}"


def _button(text: str, action: AskAction, question: Question, keyring: Keyring) -> Button:
    return Button(text, sign_button(action, question.id, question.digest, keyring))


def _time(at: int) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%H:%M} UTC"

"""What becomes of a press under a question: the edge imports this when the first one comes.

The button says which question and what about it, and is believed once its signature fits what was asked. Who pressed comes from
the platform's verified payload, or from a token that is as strong as an owner and did not ask it, and has to be an owner whom
the question is for. The answer is what the write made of it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import msgspec
from msgspec import Struct

from doorcode.asking.buttons import AskAction, AskButton, fits_button, read_button
from doorcode.asking.cards import can_say_why, state_line
from doorcode.asking.question import Question, QuestionState, Voter
from doorcode.asking.refusals import AskRefusal, QuestionRefusedError
from doorcode.aws.question_store import QuestionStore
from doorcode.errors import CallbackError, DoorcodeError, ForbiddenError, InputError
from doorcode.pairing.contact import Via
from doorcode.pairing.messages import Press
from doorcode.pairing.ports import CALLBACK_SECRET, Secrets, fitting
from doorcode.platforms.inbound import WebhookAnswer

NOTED = "Noted. Whoever asked is told."
TOO_LATE_TO_SAY = "It is too late to say why."
WORDS_DECIDE_NOTHING = "What is written decides nothing. Press one of the buttons under the question."
NOTHING_SAID = "Nothing was said, so nothing is noted."
APPROVED_BEFORE = "You have approved this. {state}"


class TakesPresses(Protocol):
    """What of a platform's room for questions a press needs: ``platforms.asking`` has the whole of it."""

    def place(self, press: Press, /) -> str:
        """Return where the pressed buttons stand; empty where that is not told."""

    def reason_form(self, press: Press, data: str, /) -> WebhookAnswer | None:
        """Let whoever pressed say why. None where there is no form, or it opens by itself."""


class PressOutcome(Struct, frozen=True, kw_only=True):
    """What becomes of a press: ``text`` to the presser alone, or a form to fill in; and what is wrong, where something is."""

    text: str = ""
    form: WebhookAnswer | None = None
    error: DoorcodeError | None = None
    outcome: str = ""


class QuestionPresses:
    """Takes presses under questions."""

    def __init__(self, store: QuestionStore, secrets: Secrets, asking: Callable[[], TakesPresses]) -> None:
        """Decide in ``store``; ``asking`` gives the platform's own module for questions."""
        self._store = store
        self._secrets = secrets
        self._asking = asking

    def take(self, press: Press, now: int) -> PressOutcome:
        """Do what a press says. Raises CallbackError, ForbiddenError for nobody's business, UnavailableError and SecretError."""
        button = read_button(press.data)
        question = self._store.get(button.id)
        if question is None or not self._fits(button, question, now):
            raise CallbackError
        if button.action is AskAction.WHY:
            return self._reason(press, question, now)
        if press.said is not None:
            return PressOutcome(text=WORDS_DECIDE_NOTHING)
        voter = Voter(
            via=Via.BUTTON, by=press.user_id, name=press.name, account=_account(press), caller=press.reported_by
        )
        try:
            after = self._decided(button.action, question, voter, now)
        except QuestionRefusedError as error:
            if error.reason is AskRefusal.NOT_AN_OWNER:
                raise ForbiddenError from None
            present = self._store.get(question.id) or question
            line = state_line(present, now)
            if error.reason is AskRefusal.WRONG_NUMBER:
                return PressOutcome(text=line, error=error)
            self._close(press, present, now)
            return PressOutcome(text=f"{error} {line}".strip(), error=error)
        if after.rev == question.rev:
            self._close(press, after, now)
        line = state_line(after, now)
        if after.standing(now) is QuestionState.PENDING:
            line = APPROVED_BEFORE.format(state=line)
        return PressOutcome(text=line, outcome=after.state)

    def _decided(self, action: AskAction, question: Question, voter: Voter, now: int) -> Question:
        if action is AskAction.DENY:
            return self._store.deny(question.id, voter, now, digest=question.digest)
        # As many as it was asked with, and its button is signed.
        picked = question.numbers[action.number - 1] if action.number else 0
        return self._store.approve(question.id, voter, now, digest=question.digest, choice=action.choice, match=picked)

    def _reason(self, press: Press, question: Question, now: int) -> PressOutcome:
        if question.decided_account != _account(press):
            raise ForbiddenError
        if not can_say_why(question, now):
            self._close(press, question, now)
            return PressOutcome(text=TOO_LATE_TO_SAY)
        if press.said is None:
            return PressOutcome(form=self._asking().reason_form(press, press.data), text=NOTHING_SAID)
        reason = press.said.strip()
        if not reason:
            return PressOutcome(text=NOTHING_SAID)
        try:
            noted = self._store.explain(question.id, _account(press), reason, now)
        except InputError as error:
            return PressOutcome(text=str(error), error=error)
        return PressOutcome(text=NOTED if noted else TOO_LATE_TO_SAY, outcome="explained" if noted else "")

    def _close(self, press: Press, question: Question, now: int) -> None:
        """Have the very prompt that was pressed closed: it should have no buttons any more."""
        place = self._asking().place(press)
        if place and question.standing(now) is not QuestionState.PENDING:
            stray = msgspec.json.encode({"owner": _account(press), "place": place}).decode()
            self._store.note_stray(question.id, stray)

    def _fits(self, button: AskButton, question: Question, now: int) -> bool:
        return bool(
            fitting(
                self._secrets, CALLBACK_SECRET, now, lambda ring: fits_button(button, question.digest, ring) or None
            )
        )


def _account(press: Press) -> str:
    return f"{press.platform}:{press.user_id}"

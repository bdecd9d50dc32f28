"""Where questions are asked and looked at, by program and by command: the same for both."""

from __future__ import annotations

import time
from collections.abc import Callable

from doorcode.asking.order import Asker, QuestionOrder
from doorcode.asking.question import ENDED, Question, QuestionState
from doorcode.asking.refusals import AskRefusal, QuestionRefusedError
from doorcode.aws.question_store import QuestionStore
from doorcode.entrypoints.question_record import ListedState, QuestionRecord, question_record
from doorcode.errors import BadReplyAddressError
from doorcode.pairing.keyring import Keyring
from doorcode.pairing.ports import GATEWAY_SECRET, Secrets, fitting
from doorcode.pairing.reply_address import ReplyAddress, unseal

# How often somebody who waits for an answer looks, less often as it goes on.
FIRST_LOOK_SECONDS = 0.5
LONGEST_LOOK_SECONDS = 2.0
MAX_ENDED_LISTED = 50


class QuestionOffice:
    """Asks, tells and waits."""

    def __init__(
        self,
        store: QuestionStore,
        secrets: Secrets,
        *,
        begin: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Work on ``store``; ``begin`` gives what is asked of AWS its time again, whenever somebody has waited for a while."""
        self.store = store
        self._secrets = secrets
        self._begin = begin
        self._clock = clock
        self._sleep = sleep

    def ask(self, order: QuestionOrder, asker: Asker, now: int) -> tuple[QuestionRecord, bool]:
        """Ask, and tell whether it is a new question. Raises as the store, and BadReplyAddressError."""
        if order.reply_to and opened(order.reply_to, self._secrets, now) is None:
            raise BadReplyAddressError
        question, new = self.store.ask(order, asker, now)
        return self.record(question, now, asker=asker.id), new

    def seen(self, question_id: str, asker: str = "") -> Question:
        """Return a question; with ``asker``, only that one's own. Raises QuestionRefusedError, as for one that never was."""
        question = self.store.get(question_id)
        if question is None or (asker and question.asker != asker):
            raise QuestionRefusedError(AskRefusal.UNKNOWN_QUESTION)
        return question

    def record(self, question: Question, now: int, *, asker: str = "") -> QuestionRecord:
        """Return what is told of a question, with its words; to its own ``asker`` also the number that is to be matched."""
        return question_record(question, self.store.text(question.id), now, matching=question.asker == asker)

    def records(self, now: int, *, asker: str = "", state: ListedState | None = None) -> list[QuestionRecord]:
        """Return what is told of an asker's questions, or everybody's: what is open, oldest first; or in a state, newest first."""
        if state is None:
            found = [one for one in self.store.open_questions() if one.standing(now) not in ENDED]
            found = [one for one in found if not asker or one.asker == asker]
        elif state == "ended":
            found = [one for one in self.store.listed(now, asker=asker) if one.standing(now) in ENDED][
                :MAX_ENDED_LISTED
            ]
        else:
            found = self.store.listed(now, asker=asker, state=QuestionState(state))
        texts = self.store.texts([one.id for one in found])
        return [question_record(one, texts.get(one.id), now) for one in found]

    def wait(self, question: Question, seconds: int) -> tuple[Question, int]:
        """Return a question once it is not pending any more, or as it is after so long, and what the time is then.

        Waiting changes nothing, and nobody's place is held by it: only so many wait at once, and further ones are answered
        at once.
        """
        began = self._clock()
        until, pause = began + seconds, FIRST_LOOK_SECONDS
        place = self.store.take_waiting_place(int(began), seconds) if seconds else ""
        try:
            while place and question.standing(int(self._clock())) is QuestionState.PENDING and self._clock() < until:
                self._sleep(min(pause, max(0.0, until - self._clock())))
                pause = min(pause + FIRST_LOOK_SECONDS, LONGEST_LOOK_SECONDS)
                self._begin()
                question = self.store.get(question.id) or question
        finally:
            if place:
                self.store.leave_waiting_place(place)
        return question, int(self._clock())


def opened(sealed: str, secrets: Secrets, now: int) -> ReplyAddress | None:
    """Return where a sealed reply address leads, None if it leads nowhere (any more)."""

    def attempt(keyring: Keyring) -> ReplyAddress | None:
        try:
            return unseal(sealed, keyring, now)
        except BadReplyAddressError:
            return None

    return fitting(secrets, GATEWAY_SECRET, now, attempt)

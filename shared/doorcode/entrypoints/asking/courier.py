"""Follows questions: asks owners, draws their prompts as it goes on, and tells everybody who waits, each once.

Whatever record of the stream is followed, what is due is worked out of the question as it is then, and each step that is done is
noted under a name of its own. So a record that comes again, late, or not at all does no harm: the next one does what is left.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec

from doorcode.agent.webhook import signed
from doorcode.asking.callback_keys import callback_keys
from doorcode.asking.question import Question, QuestionState, QuestionText
from doorcode.asking.telling import AskEvent, answer_data, answer_state, callback_body, decision, events
from doorcode.aws.agent_queue import AgentQueue
from doorcode.aws.effects_queue import QuestionMoved
from doorcode.aws.event_bus import EventBus
from doorcode.aws.question_book import QuestionBook
from doorcode.aws.question_store import QuestionStore
from doorcode.aws.resumption import Resumption
from doorcode.aws.tokens import Tokens
from doorcode.aws.waiting_room import WaitingRoom
from doorcode.entrypoints import log
from doorcode.entrypoints.asking import callbacks
from doorcode.entrypoints.asking.callbacks import GONE, SUCCESS, CallbackFailedError
from doorcode.entrypoints.asking.prompts import OF_QUESTION, QuestionPrompter
from doorcode.entrypoints.courier import PostponedError
from doorcode.entrypoints.trouble import HOPELESS, PASSING
from doorcode.errors import BadReplyAddressError, DoorcodeError, UnavailableError
from doorcode.pairing.agents import AgentKind
from doorcode.pairing.contact import Contact, Standing, State
from doorcode.pairing.gate import Reason
from doorcode.pairing.hand_off import OWNER, USER, Writer
from doorcode.pairing.keyring import Keyring
from doorcode.pairing.ports import CALLBACK_SECRET, GATEWAY_SECRET, Secrets, fitting
from doorcode.pairing.reply_address import ReplyAddress, unseal
from doorcode.pairing.settings import Settings
from doorcode.pairing.turns import Who

ASKED, REMINDED, RESUMED = "asked", "reminded", "resumed"
# A question that is open for less long is not worth a second word.
REMINDED_FROM_SECONDS = 600
# So many questions stand open with owners, whoever asked; the others wait for their turn, and one message says how many.
MAX_ASKED = 20


class QuestionCourier:
    """Follows the moves of questions."""

    def __init__(  # noqa: PLR0913 (what it stands on)
        self,
        *,
        settings: Settings,
        secrets: Secrets,
        store: QuestionStore,
        book: QuestionBook,
        prompter: QuestionPrompter,
        room: WaitingRoom,
        bus: EventBus,
        agent_queue: AgentQueue,
        tokens: Tokens,
        resumption: Resumption,
        post: Callable[..., int] = callbacks.post,
    ) -> None:
        """Have ``prompter`` ask owners; tell the bus, the agent in its conversation, by ``post`` the askers' addresses, and what is paused."""
        self._settings = settings
        self._secrets = secrets
        self._store = store
        self._book = book
        self._prompter = prompter
        self._room = room
        self._bus = bus
        self._agent_queue = agent_queue
        self._tokens = tokens
        self._resumption = resumption
        self._post = post

    def follow(self, moved: QuestionMoved, now: int) -> None:
        """Do everything that is due for a question. Raises PostponedError if some of it is still to be done."""
        question = self._store.get(moved.id)
        if question is None:
            return
        words = self._store.text(moved.id)
        if moved.calls:
            self._call(question, words, now)
            return
        if moved.resumes:
            self._resume(question, words, now)
            return
        done = self._book.notes(question.id).done
        trouble: list[DoorcodeError] = []
        if ASKED not in done and not self._has_turn(question, now):
            # The sweep comes back to it.
            done |= {ASKED}
        for name, act in self._steps(question, words, now).items():
            if name in done:
                continue
            try:
                act()
            except (*PASSING, *HOPELESS) as error:
                trouble.append(error)
                _log(question, name, error)
            else:
                self._book.note_done(question.id, name, now)
        if self._draw(question, words, trouble, now):
            raise PostponedError(max(getattr(error, "delay", 0) for error in trouble), str(trouble[0]))

    def not_delivered(self, owner: Who, key: str, now: int) -> None:
        """Note that something of a question did not reach an owner, as its platform has told since."""
        question_id, _, whose = key.removeprefix(OF_QUESTION).partition(":")
        question = self._store.get(question_id) if whose == owner[1] else None
        if question is None:
            # A reminder, or the message that says how many wait: the next one is another try.
            return
        reached = self._prompter.not_delivered(question, owner, now)
        if reached is not None:
            self._note_reached(question, reached)

    def sweep(self, now: int) -> None:
        """End what nobody has decided or used in its time; ask what has waited for its turn, and remind owners of the rest, once."""
        if not self._store.open_questions():
            # As nearly always: then there is nothing to do but to take back what may still be said of more.
            self._prompter.tell_more(0, now)
            return
        for question in self._store.tidy(now):
            log.info("A question has ended", outcome=question.state)
        waiting = self._waiting(now)
        for question in waiting[:MAX_ASKED]:
            done = self._book.notes(question.id).done
            if ASKED not in done:
                try:
                    self.follow(QuestionMoved(id=question.id, record="sweep"), now)
                except PostponedError as error:
                    _log(question, "sweep", error)
            elif REMINDED not in done and _is_half_over(question, now):
                # Noted before: one word too few is better than one at each sweep.
                self._book.note_done(question.id, REMINDED, now)
                self._prompter.remind(question, now)
        self._prompter.tell_more(len(waiting[MAX_ASKED:]), now)

    def _waiting(self, now: int) -> list[Question]:
        return [one for one in self._store.open_questions() if one.standing(now) is QuestionState.PENDING]

    def _has_turn(self, question: Question, now: int) -> bool:
        """Tell whether a question is among the first that wait: whoever floods the owners with more fills a list on the page."""
        return question.id in {one.id for one in self._waiting(now)[:MAX_ASKED]}

    def _steps(self, question: Question, words: QuestionText | None, now: int) -> dict[str, Callable[[], None]]:
        steps: dict[str, Callable[[], None]] = {}
        if question.standing(now) is QuestionState.PENDING:
            steps[ASKED] = lambda: self._ask(question, words, now)
        for event in events(question):
            steps[f"event {event.type}"] = partial(self._publish, event)
        state = answer_state(question)
        if words and state and words.outlets.reply_to:
            steps[f"conversation {_answer(state, words)}"] = lambda: self._tell(question, words, state, now)
        if question.stray:
            mark = hashlib.sha256(f"{question.rev}|{question.stray}".encode()).hexdigest()[:16]
            steps[f"stray {mark}"] = lambda: self._prompter.draw_stray(question, words, question.stray, now)
        return steps

    def _draw(self, question: Question, words: QuestionText | None, trouble: list[DoorcodeError], now: int) -> bool:
        """Bring the prompts to where the question stands by now, and say whether anything is left to do."""
        # As it is now: who was asked by an earlier try may have decided since.
        present = self._store.get(question.id) or question
        try:
            self._prompter.draw(present, words, now)
        except PASSING as error:
            trouble.append(error)
            _log(question, "draw", error)
        return bool(trouble)

    def _ask(self, question: Question, words: QuestionText | None, now: int) -> None:
        reached, trouble = self._prompter.ask(question, words, self._book.notes(question.id), now)
        if trouble:
            self._store.note_reached(question.id, reached)
            raise max(trouble, key=lambda error: getattr(error, "delay", 0))
        self._note_reached(question, reached)

    def _note_reached(self, question: Question, reached: int) -> None:
        self._store.note_reached(question.id, reached)
        if not reached:
            log.warning("Nobody could be asked a question", reason="nobody_reached", step=ASKED)

    def _publish(self, event: AskEvent) -> None:
        self._bus.publish([event])
        log.info("Published an event", event=event.type)

    def _tell(self, question: Question, words: QuestionText, state: QuestionState, now: int) -> None:
        """Give the answer to the agent, as the next thing that is said in its conversation; if its people are still let in."""

        def opened(keyring: Keyring) -> ReplyAddress | None:
            try:
                # It was good when the question was asked, and that is what counts.
                return unseal(words.outlets.reply_to, keyring, question.created_at)
            except BadReplyAddressError:
                return None

        address = fitting(self._secrets, GATEWAY_SECRET, now, opened)
        if address is None:
            log.warning(
                "An answer has no conversation to go to", reason=BadReplyAddressError.reason, step="conversation"
            )
            return
        if self._settings.agent(address.platform) is AgentKind.BOT:
            # A bot behind the door reads no queue: it asks, or has a callback.
            return
        contact = self._room.get(address.platform, address.user_id)
        is_owner = (address.platform, address.user_id) in self._room.owners()
        admitted_by = Reason.OWNER if is_owner else _let_in_by(contact, now)
        if admitted_by is None:
            log.info(
                "An answer's conversation is over", platform=address.platform, reason="not_let_in", step="conversation"
            )
            return
        role = OWNER if is_owner else USER
        who = Writer(id=contact.user_id, name=contact.name, label=contact.label, role=role, language=contact.language)
        self._agent_queue.send(decision(question, words, state, address, who, admitted_by))

    def _call(self, question: Question, words: QuestionText | None, now: int) -> None:
        """Tell the asker's address the answer, once there is one. Raises CallbackFailedError for another try."""
        state = answer_state(question)
        if words is None or state is None or not words.outlets.callback_url:
            return
        answer = _answer(state, words)
        step = f"called {answer}"
        if step in self._book.notes(question.id).done:
            return
        if self._is_revoked(question, "callback", now):
            return
        body = callback_body(question, words, state)
        keys = callback_keys(question.asker, self._secrets.keyring(CALLBACK_SECRET, now))
        headers = {"Content-Type": "application/json", **signed(f"ask_{question.id}_{answer}", body, keys, now)}
        status = self._post(words.outlets.callback_url, headers, body)
        if status not in SUCCESS and status != GONE:
            raise CallbackFailedError(f"A callback was answered with {status}.")
        self._book.note_done(question.id, step, now)
        log.info("Made a callback", outcome="gone" if status == GONE else "told")

    def _resume(self, question: Question, words: QuestionText | None, now: int) -> None:
        """Let what is paused go on with the answer, once there is one: the first, for it goes on only once.

        Raises CallbackFailedError for another try.
        """
        state = answer_state(question)
        if words is None or state is None or words.outlets.resume is None:
            return
        if RESUMED in self._book.notes(question.id).done or self._is_revoked(question, RESUMED, now):
            return
        try:
            told = self._resumption.tell(words.outlets.resume, msgspec.json.encode(answer_data(question, words, state)))
        except UnavailableError as error:
            raise CallbackFailedError(str(error)) from None
        self._book.note_done(question.id, RESUMED, now)
        log.info("Resumed what was paused for an answer", outcome="told" if told else "gone", question=question.id)

    def _is_revoked(self, question: Question, step: str, now: int) -> bool:
        """Tell whether the token that asked is one no more: then nobody elsewhere is told anything."""
        if not _is_token(question.asker) or self._tokens.works(question.asker, now):
            return False
        log.info("An asker is not told: its token is revoked", reason="token_revoked", step=step)
        return True


def _is_half_over(question: Question, now: int) -> bool:
    lifetime = question.expires_at - question.created_at
    return lifetime >= REMINDED_FROM_SECONDS and now >= question.created_at + lifetime // 2


def _let_in_by(contact: Contact, now: int) -> Reason | None:
    """Return by what whoever is no owner is let in now; None if nothing does any more."""
    if contact.standing(now) is Standing.PAIRED:
        return Reason.PAIRED
    # Nobody has decided on them: a setting lets them in, by which their message got as far as an agent that asks.
    return Reason.ALLOWED_USER if contact.state is State.NONE else None


def _answer(state: QuestionState, words: QuestionText) -> str:
    """Name an answer: a reason that is given after it is told as one more."""
    return f"{state}.reason" if words.reason else str(state)


def _is_token(asker: str) -> bool:
    return ":" not in asker


def _log(question: Question, step: str, error: Any) -> None:
    log.warning(str(error), reason=error.reason, step=step, question=question.id)

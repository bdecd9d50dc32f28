"""Owners' prompts of a question: sent to those whom it names, and drawn anew as it goes on, wherever it was decided."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Protocol

import msgspec
from msgspec import structs

from doorcode.asking.cards import Canvas, card, more_wait
from doorcode.asking.question import Question, QuestionText
from doorcode.asking.visible import visible_line
from doorcode.aws.question_book import QuestionBook, QuestionNotes, QuestionPrompt
from doorcode.entrypoints import log
from doorcode.entrypoints.prompter import not_delivered
from doorcode.entrypoints.trouble import HOPELESS, PASSING
from doorcode.errors import DoorcodeError
from doorcode.pairing.contact import Platform
from doorcode.pairing.ports import CALLBACK_SECRET, Secrets
from doorcode.pairing.turns import Who
from doorcode.platforms.asking import Asking
from doorcode.platforms.send_errors import PermanentRefusalError, SendRefusal
from doorcode.platforms.sender import Drawn, OutgoingText, Senders

MARK_LENGTH = 32
# How the key begins of all that is sent of a question.
OF_QUESTION = "ask:"
# Stands in the book where a question's id does; and what the message says that tells of nothing more.
DIGEST, NONE = "digest", "0"


class Owners(Protocol):
    """The waiting room, as far as this has to know who owns the bot."""

    def owners(self) -> tuple[Who, ...]:
        """Return everybody who does now."""


class WordsPen(Protocol):
    """Draws plain words on one platform."""

    def draw_words(self, text: str, /) -> Drawn:
        """Return plain words."""


class Stray(msgspec.Struct, frozen=True):
    """A prompt that was pressed when it was too late: whose, and where it stands."""

    owner: str
    place: str


class QuestionPrompter:
    """Keeps the prompts of questions."""

    def __init__(  # noqa: PLR0913 (what it stands on)
        self,
        *,
        secrets: Secrets,
        room: Owners,
        book: QuestionBook,
        senders: Senders,
        rooms: Callable[[Platform], Asking],
        pen: Callable[[Platform], WordsPen],
        page: str,
    ) -> None:
        """Send with ``senders`` what each platform's module of ``rooms`` draws; note in ``book`` where.

        ``pen`` draws what is only said. ``page`` is the owners' page.
        """
        self._secrets = secrets
        self._room = room
        self._book = book
        self._senders = senders
        self._rooms = rooms
        self._pen = pen
        self._page = page

    def ask(
        self, question: Question, words: QuestionText | None, notes: QuestionNotes, now: int
    ) -> tuple[int, list[DoorcodeError]]:
        """Ask every owner whom the question names and who has not been; return how many have it, and what is worth another try."""
        trouble: list[DoorcodeError] = []
        reached = 0
        for owner in self._named(question):
            prompt = notes.prompt_of(owner) or QuestionPrompt(owner)
            try:
                if not prompt.place and not prompt.failed:
                    prompt = self._send(question, words, prompt, now)
            except PASSING as error:
                trouble.append(error)
                _log(owner, "ask", error)
            except HOPELESS as error:
                prompt = structs.replace(prompt, failed=True)
                self._book.note(question.id, prompt, now)
                _log(owner, "ask", error)
                not_delivered(owner, error)
            reached += prompt.stands
        return reached, trouble

    def not_delivered(self, question: Question, owner: Who, now: int) -> int | None:
        """Note that an owner's prompt did not arrive; return how many have the question then, or None if it was none of its."""
        notes = self._book.notes(question.id)
        prompt = notes.prompt_of(owner)
        if prompt is None:
            return None
        self._book.note(question.id, structs.replace(prompt, failed=True), now)
        return sum(one.stands for one in notes.prompts if one.owner != owner)

    def draw(self, question: Question, words: QuestionText | None, now: int) -> None:
        """Bring every prompt to where the question stands. Raises what is worth another try, after all of them had theirs."""
        trouble: list[DoorcodeError] = []
        for prompt in self._book.notes(question.id).prompts:
            drawn = self._drawn(question, words, prompt.owner, now)
            if not prompt.stands or prompt.drawn == _mark(drawn):
                continue
            try:
                self._edit(prompt.owner, prompt.place, drawn, now)
            except PASSING as error:
                trouble.append(error)
                _log(prompt.owner, "draw", error)
            except HOPELESS as error:
                # Gone, or out of reach: nobody presses there any more, or is told that it is late.
                _log(prompt.owner, "draw", error)
            else:
                self._book.note(question.id, structs.replace(prompt, drawn=_mark(drawn)), now)
        _raise_longest(trouble)

    def draw_stray(self, question: Question, words: QuestionText | None, stray: str, now: int) -> None:
        """Close a prompt that was pressed too late, wherever it is: one that was sent twice, or whose edit went astray."""
        at = msgspec.json.decode(stray, type=Stray)
        platform, _, user_id = at.owner.partition(":")
        owner = (Platform(platform), user_id)
        try:
            self._edit(owner, at.place, self._drawn(question, words, owner, now), now)
        except HOPELESS as error:
            _log(owner, "draw", error)

    def remind(self, question: Question, now: int) -> None:
        """Tell whoever was asked, and has not approved yet, that the question still waits."""
        given = {one.account for one in question.given}
        until = f"{datetime.fromtimestamp(question.expires_at, UTC):%H:%M} UTC"
        text = f"A question of {visible_line(question.asker_label)} still waits for your answer above, until {until}."
        for prompt in self._book.notes(question.id).prompts:
            platform, user_id = prompt.owner
            if not prompt.stands or f"{platform}:{user_id}" in given:
                continue
            outgoing = OutgoingText(user_id=user_id, text=text, key=f"{OF_QUESTION}{question.id}:remind:{user_id}")
            try:
                self._senders.on(platform, now).notify(outgoing, now)
            except (*PASSING, *HOPELESS) as error:
                # One word, once: it is not worth another try.
                _log(prompt.owner, "remind", error)

    def tell_more(self, number: int, now: int) -> None:
        """Keep one message with each owner that says how many questions wait beyond those that are asked."""
        notes = self._book.notes(DIGEST)
        if not number and all(prompt.drawn == NONE for prompt in notes.prompts):
            return
        for owner in self._room.owners():
            prompt = notes.prompt_of(owner) or QuestionPrompt(owner, drawn=NONE)
            if prompt.drawn == str(number):
                continue
            drawn = self._pen(owner[0]).draw_words(more_wait(number, self._page))
            try:
                sender = self._senders.on(owner[0], now)
                if prompt.drawn == NONE:
                    # An edit far above would go unnoticed.
                    place = sender.send_prompt(owner[1], drawn, key=f"{OF_QUESTION}{DIGEST}:{now}")
                    prompt = structs.replace(prompt, place=place)
                else:
                    self._edit(owner, prompt.place, drawn, now)
            except (*PASSING, *HOPELESS) as error:
                # The next sweep comes soon.
                _log(owner, DIGEST, error)
            else:
                self._book.note(DIGEST, structs.replace(prompt, drawn=str(number)), now)

    def _named(self, question: Question) -> list[Who]:
        return [who for who in self._room.owners() if not question.owners or f"{who[0]}:{who[1]}" in question.owners]

    def _send(self, question: Question, words: QuestionText | None, prompt: QuestionPrompt, now: int) -> QuestionPrompt:
        platform, user_id = prompt.owner
        drawn = self._drawn(question, words, prompt.owner, now)
        sender = self._senders.on(platform, now)
        self._book.note(question.id, prompt, now)
        place = sender.send_prompt(user_id, drawn, key=f"{OF_QUESTION}{question.id}:{user_id}")
        prompt = structs.replace(prompt, place=place, drawn=_mark(drawn))
        self._book.note(question.id, prompt, now)
        return prompt

    def _edit(self, owner: Who, place: str, drawn: Drawn, now: int) -> None:
        try:
            self._senders.on(owner[0], now).edit_prompt(place, drawn)
        except PermanentRefusalError as error:
            # A prompt that is gone has no buttons any more.
            if error.refusal is not SendRefusal.GONE:
                raise
            _log(owner, "draw", error)

    def _drawn(self, question: Question, words: QuestionText | None, owner: Who, now: int) -> Drawn:
        room = self._rooms(owner[0])
        keyring = self._secrets.keyring(CALLBACK_SECRET, now)
        canvas = Canvas(account=f"{owner[0]}:{owner[1]}", room=room.ROOM, size=room.size, page=self._page)
        return room.draw_question(card(question, words, canvas, keyring, now))


def _mark(drawn: Drawn) -> str:
    return hashlib.sha256(json.dumps(drawn, sort_keys=True).encode()).hexdigest()[:MARK_LENGTH]


def _raise_longest(trouble: list[DoorcodeError]) -> None:
    if trouble:
        raise max(trouble, key=lambda error: getattr(error, "delay", 0))


def _log(owner: Who, step: str, error: Any) -> None:
    log.warning(str(error), reason=error.reason, platform=owner[0], step=step)

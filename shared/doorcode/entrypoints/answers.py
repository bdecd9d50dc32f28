"""Says answers that come later where their reply address leads, each once."""

from __future__ import annotations

from doorcode.aws.answer_queue import QueuedAnswer
from doorcode.aws.prompt_book import PromptBook
from doorcode.entrypoints import log
from doorcode.platforms.send_errors import SendError
from doorcode.platforms.sender import OutgoingText, Senders

SENT = "sent"


class Answers:
    """Sends what the queue brings, and notes in the courier's book how far it came."""

    def __init__(self, senders: Senders, book: PromptBook) -> None:
        """Say it with ``senders``; a try that comes again goes on where ``book`` says."""
        self._senders = senders
        self._book = book

    def send(self, answer: QueuedAnswer, now: int) -> None:
        """Say an answer, unless it was said before. Raises what a sender does, and SecretError without a token."""
        noted = self._book.done(answer.platform, answer.user_id, answer.id)
        if SENT in noted:
            return
        outgoing = OutgoingText(
            reply=answer.reply,
            user_id=answer.user_id,
            text=answer.text,
            key=answer.id,
            quote=answer.quote,
            done=max(map(int, noted), default=0),
            further=True,
        )
        try:
            self._senders.on(answer.platform, now).send_text(outgoing, now)
        except SendError as error:
            if error.done:
                self._note(answer, str(error.done), now)
            raise
        self._note(answer, SENT, now)
        log.info("Sent an answer", platform=answer.platform, user_id=answer.user_id, outcome="answered")

    def _note(self, answer: QueuedAnswer, how_far: str, now: int) -> None:
        self._book.note_done(answer.platform, answer.user_id, answer.id, frozenset({how_far}), now)

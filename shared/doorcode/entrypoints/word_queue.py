"""What the edge has to say by a message of its own, on its way to the courier, which says it as it says answers."""

from __future__ import annotations

from doorcode.aws.answer_queue import AnswerQueue
from doorcode.pairing.platform import Platform
from doorcode.pairing.reply_address import ReplyAddress
from doorcode.platforms.inbound import Word


class WordQueue:
    """Takes words."""

    def __init__(self, answers: AnswerQueue) -> None:
        """Put them among ``answers``."""
        self._answers = answers

    def send(self, platform: Platform, word: Word, key: str, now: int) -> None:
        """Have it said, once for each ``key``. Raises UnavailableError."""
        address = ReplyAddress(
            platform=platform,
            user_id=word.user_id,
            conversation=f"{platform}#{word.user_id}#",
            reply=word.reply,
            delivery=key,
            issued_at=now,
        )
        self._answers.send(address, word.text, now, key)

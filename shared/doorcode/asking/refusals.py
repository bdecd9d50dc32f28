"""Why something about a question is refused: a word for programs, a sentence for people."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from doorcode.errors import DoorcodeError, InputError


class AskRefusal(StrEnum):
    """What stands in the way."""

    UNKNOWN_QUESTION = "unknown_question"
    OWN_QUESTION = "own_question"
    NOT_AN_OWNER = "not_an_owner"
    NOT_NAMED = "not_named"
    KEY_REUSED = "key_reused"
    ALREADY_DECIDED = "already_decided"
    ALREADY_USED = "already_used"
    NOT_APPROVED = "not_approved"
    NOT_OVERDUE = "not_overdue"
    EXPIRED = "expired"
    LAPSED = "lapsed"
    DIGEST_MISMATCH = "digest_mismatch"
    WORDS_LOST = "words_lost"
    UNKNOWN_CHOICE = "unknown_choice"
    NUMBER_NEEDED = "number_needed"
    NO_NUMBER = "no_number"
    WRONG_NUMBER = "wrong_number"
    MATCH_DIFFERS = "match_differs"
    TOO_MANY_PENDING = "too_many_pending"
    TOO_OFTEN = "too_often"
    MUTED = "muted"


SENTENCES: Mapping[AskRefusal, str] = MappingProxyType(
    {
        # The same for one that never was, is forgotten, or is another's.
        AskRefusal.UNKNOWN_QUESTION: "There is no question with that id.",
        AskRefusal.OWN_QUESTION: "Whoever asks does not decide. An owner does, with a button or on the page.",
        AskRefusal.NOT_AN_OWNER: "Only an owner can decide this.",
        AskRefusal.NOT_NAMED: "This question is for particular owners, or takes several: they decide by their own "
        "buttons, or on the page that /door opens.",
        AskRefusal.KEY_REUSED: "That key was given to another question already. Use another key.",
        AskRefusal.ALREADY_DECIDED: "That is decided already, and stays.",
        AskRefusal.ALREADY_USED: "That approval is used already. Ask again.",
        AskRefusal.NOT_APPROVED: "That is not approved. Do not do it.",
        AskRefusal.NOT_OVERDUE: "Its time is not up.",
        AskRefusal.EXPIRED: "Nobody decided in time: that is not approved. Ask again.",
        AskRefusal.LAPSED: "That approval was not used in its time. Ask again.",
        AskRefusal.DIGEST_MISMATCH: "That digest is of something else than what was asked. Nothing was done.",
        AskRefusal.WORDS_LOST: "What was asked is kept no longer, so nobody can see what that would approve. Ask again.",
        AskRefusal.UNKNOWN_CHOICE: "That question wants one of its choices, by its number from 1 on; others take none.",
        AskRefusal.NUMBER_NEEDED: "To approve that takes the number that the asker shows. Any other one denies it.",
        AskRefusal.NO_NUMBER: "That question has no number to match.",
        AskRefusal.WRONG_NUMBER: "That is not the number that the asker shows, so it is denied.",
        AskRefusal.MATCH_DIFFERS: "That waits already, asked with a number to match, or without one, and not as now. Wait for its "
        "answer, or take it back.",
        AskRefusal.TOO_MANY_PENDING: "Too many questions wait for an answer. Wait for one of them, or cancel one.",
        AskRefusal.TOO_OFTEN: "That was asked too often. Wait, and ask less.",
        AskRefusal.MUTED: "The owner does not want to be asked by you now.",
    }
)


class InvalidQuestionError(InputError):
    """A question that cannot be asked as it is; nothing was changed, nobody was asked."""

    reason = "invalid_question"


class QuestionRefusedError(DoorcodeError):
    """The state of a question, or who wants it, does not allow that. ``state`` is what really holds, where that may be told.

    ``retry_after`` is in seconds, 0 where waiting does not help.
    """

    def __init__(self, refusal: AskRefusal, *, state: str = "", retry_after: int = 0) -> None:
        """Keep the facts beside the sentence."""
        self.reason = refusal
        self.state = state
        self.retry_after = retry_after
        super().__init__(SENTENCES[refusal])

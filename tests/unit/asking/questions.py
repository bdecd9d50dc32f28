"""A question, as the tests of this folder ask it."""

from typing import Any

from doorcode.asking.order import Asker, QuestionOrder, question_of, text_of
from doorcode.asking.question import Question, QuestionText, Voter
from doorcode.pairing.contact import Via

T0 = 1_800_000_000
ASKER = Asker(id="0123456789abcdef", label="token ci")
ADA, BOB = "telegram:111", "slack:U1234ABCD"
QUESTION_ID = "ABCDEFGHJKLMNPQR"
# The first is the one that the asker shows.
NUMBERS = (47, 12, 83)
OPERATOR_BY_PAGE = Voter(via=Via.WEB, by="alice@laptop")


def words(**order: Any) -> QuestionText:
    """Give the words of a question."""
    return text_of(QuestionOrder(**{"title": "Delete 3 files?"} | order), ASKER)


def question(**order: Any) -> Question:
    """Give the record of one that is asked at T0."""
    made = QuestionOrder(**{"title": "Delete 3 files?"} | order)
    return question_of(made, text_of(made, ASKER), ASKER, QUESTION_ID, T0, NUMBERS if made.match else ())


def owner(account: str, person: str = "") -> Voter:
    """Give an owner who presses a button."""
    return Voter(via=Via.BUTTON, by=account.partition(":")[2], account=account, person=person)


def everybody(_: str) -> bool:
    """Let every account be an owner's."""
    return True

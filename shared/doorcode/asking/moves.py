"""How a question moves: the whole matrix of states × moves, as data, and the functions that apply it.

Nothing here writes. The store makes each move with one transaction that holds only if the question is still the revision
from which the move was worked out, and its time is not up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from types import MappingProxyType

from msgspec import structs

from doorcode.asking.question import Approval, Question, QuestionState, Voter
from doorcode.asking.refusals import AskRefusal, QuestionRefusedError

# Whoever decides without an account: one person, however many names they go by.
OPERATOR = "operator"


class QuestionMove(StrEnum):
    """What can be done to a question."""

    APPROVE = "approve"
    DENY = "deny"
    CANCEL = "cancel"
    EXPIRE = "expire"
    USE = "use"
    LAPSE = "lapse"


_ORDER = tuple(QuestionMove)
_PENDING, _APPROVED, _DENIED = QuestionState.PENDING, QuestionState.APPROVED, QuestionState.DENIED
_EXPIRED, _CANCELLED, _USED, _LAPSED = (
    QuestionState.EXPIRED, QuestionState.CANCELLED, QuestionState.USED, QuestionState.LAPSED,
)  # fmt: skip
_DECIDED, _NOT_OVERDUE, _NOT_APPROVED = AskRefusal.ALREADY_DECIDED, AskRefusal.NOT_OVERDUE, AskRefusal.NOT_APPROVED

# fmt: off
# What it becomes; its own state: that is done already, and doing it again is the same.
_ROWS: dict[QuestionState, tuple[QuestionState | AskRefusal, ...]] = {
    #            APPROVE, DENY, CANCEL, EXPIRE, USE, LAPSE
    _PENDING:   (_APPROVED, _DENIED, _CANCELLED, _NOT_OVERDUE, _NOT_APPROVED, _NOT_OVERDUE),
    _APPROVED:  (_APPROVED, _DECIDED, _CANCELLED, _NOT_OVERDUE, _USED, _NOT_OVERDUE),
    _DENIED:    (_DECIDED, _DENIED, _DECIDED, _DENIED, _NOT_APPROVED, _NOT_OVERDUE),
    _EXPIRED:   (AskRefusal.EXPIRED, AskRefusal.EXPIRED, AskRefusal.EXPIRED, _EXPIRED, AskRefusal.EXPIRED, _NOT_OVERDUE),
    _CANCELLED: (_DECIDED, _DECIDED, _CANCELLED, _NOT_OVERDUE, _NOT_APPROVED, _NOT_OVERDUE),
    _USED:      (_USED, _DECIDED, AskRefusal.ALREADY_USED, _NOT_OVERDUE, AskRefusal.ALREADY_USED, _NOT_OVERDUE),
    _LAPSED:    (AskRefusal.LAPSED, _DECIDED, AskRefusal.LAPSED, _NOT_OVERDUE, AskRefusal.LAPSED, _LAPSED),
}
# fmt: on
MOVES: Mapping[QuestionState, Mapping[QuestionMove, QuestionState | AskRefusal]] = MappingProxyType(
    {state: MappingProxyType(dict(zip(_ORDER, row, strict=True))) for state, row in _ROWS.items()}
)
"""What each move makes of each state (as it counts at the time), or why it does not."""


def step(question: Question, move: QuestionMove, now: int) -> QuestionState:
    """Return what a move makes of a question at ``now``: its own state if that is done already. Raises QuestionRefusedError."""
    standing = question.standing(now)
    to = MOVES[standing][move]
    if isinstance(to, AskRefusal):
        raise QuestionRefusedError(to, state=standing)
    return to


def check_ballot(question: Question, voter: Voter, digest: str, is_owner: Callable[[str], bool]) -> None:
    """Let pass whoever may deny a question. Raises QuestionRefusedError, which says nothing of the question to a stranger.

    ``is_owner`` tells whether an account owns the bot now.
    """
    if voter.caller and voter.caller == question.asker:
        raise QuestionRefusedError(AskRefusal.OWN_QUESTION)
    if voter.account and not (is_owner(voter.account) and _may_answer(question, voter.account)):
        raise QuestionRefusedError(AskRefusal.NOT_AN_OWNER)
    if digest != question.digest:
        raise QuestionRefusedError(AskRefusal.DIGEST_MISMATCH)


def _may_answer(question: Question, account: str) -> bool:
    return not question.owners or account in question.owners


def approved(  # noqa: PLR0913 (a ballot's own words)
    question: Question, voter: Voter, now: int, is_owner: Callable[[str], bool], *, choice: int = 0, match: int = 0
) -> Question:
    """Return a question with one more person's approval; with the last one, it is approved.

    Where there is a number to ``match``, another one denies it: it was not the asker's screen that was looked at. Approvals of who is no owner any more do not count. The same person again changes nothing, nor does an approval of what
    is approved. Raises QuestionRefusedError.
    """
    if (choice > 0) != (question.choices > 0) or choice > question.choices:
        raise QuestionRefusedError(AskRefusal.UNKNOWN_CHOICE)
    if (match > 0) != (question.match > 0):
        raise QuestionRefusedError(AskRefusal.NUMBER_NEEDED if question.match else AskRefusal.NO_NUMBER)
    if not voter.account and (question.owners or question.approvals > 1):
        raise QuestionRefusedError(AskRefusal.NOT_NAMED)
    to = step(question, QuestionMove.APPROVE, now)
    if question.state is to:
        if choice != question.choice or match != question.match:
            raise QuestionRefusedError(AskRefusal.ALREADY_DECIDED, state=to)
        return question
    if match != question.match:
        return structs.replace(denied(question, voter, now), mismatched=True)
    given = tuple(one for one in question.given if not one.account or is_owner(one.account))
    mine = voter.person or voter.account or OPERATOR
    if mine not in {one.person for one in given}:
        own = Approval(
            person=mine, account=voter.account, by=voter.by, name=voter.name, via=voter.via, at=now,
        )  # fmt: skip
        given = (*given, own)
    if given == question.given:
        return question
    question = structs.replace(question, rev=question.rev + 1, given=given)
    if len(given) < question.approvals:
        return question
    return _decided(question, to, voter, now, choice=choice, usable_until=now + question.valid_for)


def denied(question: Question, voter: Voter, now: int) -> Question:
    """Return a question as it is denied, by one. Raises QuestionRefusedError."""
    to = step(question, QuestionMove.DENY, now)
    if question.state is to:
        return question
    return _decided(_next(question), to, voter, now, ended_at=now)


def cancelled(question: Question, voter: Voter, now: int) -> Question:
    """Return a question as it is taken back, also after it was approved. Raises QuestionRefusedError."""
    to = step(question, QuestionMove.CANCEL, now)
    if question.state is to:
        return question
    return _decided(_next(question), to, voter, now, ended_at=now)


def used(question: Question, digest: str, now: int, key: str) -> Question:
    """Return a question as its approval is used, once: the same ``key`` again is the same use. Raises QuestionRefusedError."""
    if digest != question.digest:
        raise QuestionRefusedError(AskRefusal.DIGEST_MISMATCH)
    if question.state is QuestionState.USED and key == question.used_with:
        return question
    to = step(question, QuestionMove.USE, now)
    return structs.replace(_next(question), state=to, used_at=now, used_with=key, ended_at=now)


def overdue(question: Question, now: int) -> Question | None:
    """Return a question as it is once its time is up, or that of its approval; None if neither is, or that is noted already."""
    standing = question.standing(now)
    return None if standing is question.state else structs.replace(_next(question), state=standing, ended_at=now)


def _next(question: Question) -> Question:
    return structs.replace(question, rev=question.rev + 1)


def _decided(question: Question, state: QuestionState, voter: Voter, now: int, **more: int) -> Question:
    return structs.replace(
        question,
        state=state,
        decided_by=voter.by,
        decided_by_name=voter.name,
        decided_via=voter.via,
        decided_account=voter.account,
        decided_at=now,
        **more,
    )

"""A question to the owner: its words, and the record of where it stands.

The two are apart. The record has ids and states only, so that whatever copies it (stream, queue, event, log) can carry
it; the words are read where they are shown, and nowhere else.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from doorcode.pairing.contact import Via

# Tells how many were reached before anybody was written to.
NOT_YET_KNOWN = -1
# What is told as the reason where the owner gave none.
WRONG_NUMBER = "Another number was picked than the one that the asker shows."


class QuestionState(StrEnum):
    """What the table says of a question. Whether it still holds depends on the time: see ``Question.standing``."""

    PENDING = "pending"
    APPROVED = "approved"
    DENIED = "denied"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    USED = "used"
    LAPSED = "lapsed"


ENDED = frozenset(QuestionState) - {QuestionState.PENDING, QuestionState.APPROVED}
"""The states that nothing leads out of."""


class Substance(Struct, frozen=True, kw_only=True):
    """The words of a question: exactly what is hashed, and what whoever decides is shown.

    ``arguments`` is canonical JSON, empty where there are none; ``on_behalf_of`` is what the asker claims (``telegram:123``);
    ``asker`` is how whoever asks is called.
    """

    asker: str
    title: str
    details: str = ""
    arguments: str = ""
    choices: tuple[str, ...] = ()
    on_behalf_of: str = ""
    approvals: int = 1


class ResumeKind(StrEnum):
    """What waits for the answer, paused."""

    DURABLE = "durable"
    """A Lambda durable function, by the id of its callback."""
    TASK = "task"
    """A task of a Step Functions state machine, by its token."""


class Resume(Struct, frozen=True, kw_only=True):
    """What goes on with the answer. ``token`` is a task's token or a callback's id: whoever has it can let that go on."""

    kind: ResumeKind
    token: str


class Outlets(Struct, frozen=True, kw_only=True):
    """Where the asker wants to hear of the decision. Never shown, never in the record."""

    callback_url: str = ""
    reply_to: str = ""
    resume: Resume | None = None


class QuestionText(Struct, frozen=True, kw_only=True):
    """What is kept beside a question's record: its words, where to tell the decision, and the owner's reason for it."""

    substance: Substance
    outlets: Outlets = Outlets()
    reason: str = ""


class Approval(Struct, frozen=True, kw_only=True):
    """One approval: whose, by which account (``telegram:123``, empty where it was by none), as shown, and when."""

    person: str
    account: str = ""
    by: str
    name: str = ""
    via: str
    at: int


class Voter(Struct, frozen=True, kw_only=True):
    """Whoever decides, verified by the surface.

    ``account`` is that of an owner (``telegram:123``): of whoever pressed, or who is signed in to the page by its link. Empty
    for a command, a token, and a page that a command has opened: those are the operator, whoever that is. ``caller`` is by
    what the question would have been asked (a token's id, ``cli:alice@laptop``): nobody decides what they asked themselves.
    ``person`` is who the account belongs to, as the owners are labelled; empty where it has no label.
    """

    via: Via
    by: str
    name: str = ""
    account: str = ""
    caller: str = ""
    person: str = ""


class Question(Struct, frozen=True, kw_only=True):
    """The record of a question. Times are whole seconds since 1970, 0 where there is none; texts are empty where there is none."""

    id: str
    # Who asked: a token's id, or ``cli:alice@laptop``; and what they are called.
    asker: str
    asker_label: str
    # The asker's own name for it.
    key: str = ""
    digest: str
    state: QuestionState = QuestionState.PENDING
    # Goes up with every move; every write is conditional on the one that was read.
    rev: int = 1
    created_at: int
    expires_at: int
    # For how many seconds an approval can be used.
    valid_for: int
    # How many persons have to approve.
    approvals: int = 1
    # Whose decision it takes, as ``telegram:123``; empty: any owner's.
    owners: tuple[str, ...] = ()
    on_behalf_of: str = ""
    choices: int = 0
    # Whether somebody waits for a callback or in a conversation; and whether something is paused until it is resumed.
    tells: bool = False
    resumes: bool = False
    given: tuple[Approval, ...] = ()
    decided_by: str = ""
    decided_by_name: str = ""
    decided_via: str = ""
    decided_account: str = ""
    decided_at: int = 0
    # From 1 on, of the choices.
    choice: int = 0
    # Of these, in their order, whoever decides picks the one that the asker shows; none where there is nothing to match.
    numbers: tuple[int, ...] = ()
    # Which one that is: told to the asker alone.
    match: int = 0
    # It was denied by picking another one.
    mismatched: bool = False
    # Whether the owner gave a reason: it stands with the words.
    reasoned: bool = False
    usable_until: int = 0
    used_at: int = 0
    # What makes the same use again the same: the caller's own key, or a nonce.
    used_with: str = ""
    ended_at: int = 0
    reached: int = NOT_YET_KNOWN
    # Whose prompt was pressed last when it was too late, and where it stands: it has to be closed.
    stray: str = ""

    @property
    def approvals_left(self) -> int:
        """How many persons' approvals are missing."""
        return self.approvals - len(self.given) if self.state is QuestionState.PENDING else 0

    def standing(self, now: int) -> QuestionState:
        """Tell what this question counts as at ``now``, whether or not anything has tidied up behind it."""
        if self.state is QuestionState.PENDING and now >= self.expires_at:
            return QuestionState.EXPIRED
        if self.state is QuestionState.APPROVED and now >= self.usable_until:
            return QuestionState.LAPSED
        return self.state


def told_reason(question: Question, text: QuestionText | None) -> str:
    """Return the reason that whoever asked is told: the owner's, where there is one; else that it was a wrong number."""
    return (text.reason if text else "") or (WRONG_NUMBER if question.mismatched else "")

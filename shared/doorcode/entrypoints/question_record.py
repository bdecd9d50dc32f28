"""A question as programs give and get it, over HTTP and by command: what it is asked with, and where it stands."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import Meta, Struct

from doorcode.asking.buttons import MAX_CHOICES
from doorcode.asking.order import (
    DEFAULT_SECONDS,
    DEFAULT_VALID_SECONDS,
    LONGEST_SECONDS,
    LONGEST_VALID_SECONDS,
    MAX_APPROVALS,
    MAX_ASK_KEY,
    MAX_CALLBACK_ID,
    MAX_CALLBACK_URL,
    MAX_CHOICE,
    MAX_DETAILS,
    MAX_OWNERS_NAMED,
    MAX_TASK_TOKEN,
    MAX_TITLE,
    SHORTEST_SECONDS,
    QuestionOrder,
)
from doorcode.asking.question import (
    NOT_YET_KNOWN,
    Question,
    QuestionState,
    QuestionText,
    Resume,
    ResumeKind,
    told_reason,
)
from doorcode.entrypoints.contact_record import iso
from doorcode.pairing.platform import Platform

DateTimeText = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]
MAX_SEALED = 8192


class OnBehalfOf(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """For whom the asker says it asks."""

    platform: Platform
    user_id: Annotated[str, Meta(max_length=64)]


class ResumeDurable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="durable"):
    """A Lambda durable function that waits for a callback."""

    callback_id: Annotated[str, Meta(min_length=1, max_length=MAX_CALLBACK_ID, pattern=r"^[A-Za-z0-9+/]+={0,2}$(?!\n)")]


class ResumeTask(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="task"):
    """A task of a Step Functions state machine that waits for its token."""

    token: Annotated[str, Meta(min_length=1, max_length=MAX_TASK_TOKEN, pattern=r"^[!-~]+$(?!\n)")]


ResumeForm: TypeAlias = ResumeDurable | ResumeTask


class QuestionForm(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is asked. What is not described here is refused, so that a mistyped word never asks for less."""

    title: Annotated[str, Meta(min_length=1, max_length=MAX_TITLE, pattern=r"\S")]
    details: Annotated[str, Meta(max_length=MAX_DETAILS)] = ""
    arguments: Annotated[
        Any,
        Meta(
            description="JSON of at most 16 KiB, best an object: shown as `key: value` lines. Numbers are whole and at most 2^53 - 1."
        ),
    ] = None
    choices: Annotated[
        tuple[Annotated[str, Meta(min_length=1, max_length=MAX_CHOICE)], ...],
        Meta(
            max_length=MAX_CHOICES, description="2 to 5, of which the owner takes one; or none: then it is yes or no."
        ),
    ] = ()
    match: Annotated[
        bool,
        Meta(
            description="Whoever decides picks, of three numbers, the one that you show them: `match` of the answer. Not beside choices."
        ),
    ] = False
    expires_in: Annotated[int, Meta(ge=SHORTEST_SECONDS, le=LONGEST_SECONDS)] = DEFAULT_SECONDS
    valid_for: Annotated[
        int,
        Meta(
            ge=SHORTEST_SECONDS, le=LONGEST_VALID_SECONDS, description="For how many seconds an approval can be used."
        ),
    ] = DEFAULT_VALID_SECONDS
    key: Annotated[
        str, Meta(max_length=MAX_ASK_KEY, description="Makes it one: the same key again is the same question.")
    ] = ""
    on_behalf_of: OnBehalfOf | None = None
    owners: Annotated[
        tuple[Annotated[str, Meta(max_length=96)], ...],
        Meta(
            max_length=MAX_OWNERS_NAMED,
            description="Whose decision it takes, each as `platform:user_id`; none: any owner's.",
        ),
    ] = ()
    approvals: Annotated[int, Meta(ge=1, le=MAX_APPROVALS, description="How many persons have to approve.")] = 1
    callback_url: Annotated[str, Meta(max_length=MAX_CALLBACK_URL)] = ""
    reply_to: Annotated[str, Meta(max_length=MAX_SEALED)] = ""
    resume: Annotated[
        ResumeForm | None,
        Meta(
            description="What goes on with the answer, whichever it is; where the stack's parameter ResumeAsks lets it."
        ),
    ] = None

    def order(self) -> QuestionOrder:
        """Return it as an order, of which nothing is checked yet but its form."""
        who = self.on_behalf_of
        return QuestionOrder(
            title=self.title,
            details=self.details,
            arguments=self.arguments,
            choices=self.choices,
            match=self.match,
            expires_in=self.expires_in,
            valid_for=self.valid_for,
            key=self.key,
            on_behalf_of=f"{who.platform}:{who.user_id}" if who else "",
            owners=self.owners,
            approvals=self.approvals,
            callback_url=self.callback_url,
            reply_to=self.reply_to,
            resume=_resume(self.resume),
        )


def _resume(form: ResumeForm | None) -> Resume | None:
    if isinstance(form, ResumeDurable):
        return Resume(kind=ResumeKind.DURABLE, token=form.callback_id)
    return Resume(kind=ResumeKind.TASK, token=form.token) if form else None


class QuestionRecord(Struct, frozen=True, kw_only=True):
    """A question. Only `approved`, taken by use, is a yes. ``asker`` is how the asker is called, ``asker_id`` what muting takes.

    The words are null and empty once they are kept no longer. ``reached``: how many owners were written to, null until that
    is known. ``reason`` is the owner's own words, or says that it was a wrong number. ``numbers`` are those of which one is picked;
    ``match`` is which, for the asker to show: null for everybody else, and in lists.
    """

    id: str
    state: QuestionState
    digest: str
    title: str
    details: str
    arguments: Any
    choices: tuple[str, ...]
    numbers: tuple[int, ...]
    match: int | None
    on_behalf_of: str | None
    asker: str
    asker_id: str
    key: str
    owners: tuple[str, ...]
    approvals: int
    approvals_left: int
    created_at: DateTimeText
    expires_at: DateTimeText
    valid_for: int
    usable_until: DateTimeText | None
    reached: int | None
    decided_by: str | None
    decided_by_name: str | None
    decided_via: str | None
    decided_at: DateTimeText | None
    choice: str | None
    reason: str | None
    used_at: DateTimeText | None


ListedState = Literal["pending", "approved", "denied", "expired", "cancelled", "used", "lapsed", "ended"]


def question_record(
    question: Question, text: QuestionText | None, now: int, *, matching: bool = False
) -> QuestionRecord:
    """Return what is told of a question at ``now``; ``matching`` to its asker, who shows the number to match."""
    words = text.substance if text else None
    arguments = msgspec.json.decode(words.arguments) if words and words.arguments else None
    choices = words.choices if words else ()
    standing = question.standing(now)
    return QuestionRecord(
        id=question.id,
        state=standing,
        digest=question.digest,
        title=words.title if words else "",
        details=words.details if words else "",
        arguments=arguments,
        choices=choices,
        numbers=question.numbers,
        match=(question.match or None) if matching else None,
        on_behalf_of=question.on_behalf_of or None,
        asker=question.asker_label,
        asker_id=question.asker,
        key=question.key,
        owners=question.owners,
        approvals=question.approvals,
        approvals_left=question.approvals_left if standing is QuestionState.PENDING else 0,
        created_at=iso(question.created_at) or "",
        expires_at=iso(question.expires_at) or "",
        valid_for=question.valid_for,
        usable_until=iso(question.usable_until),
        reached=None if question.reached == NOT_YET_KNOWN else question.reached,
        decided_by=question.decided_by or None,
        decided_by_name=question.decided_by_name or None,
        decided_via=question.decided_via or None,
        decided_at=iso(question.decided_at),
        choice=choices[question.choice - 1] if choices and question.choice else None,
        reason=told_reason(question, text) or None,
        used_at=iso(question.used_at),
    )

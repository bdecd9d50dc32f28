"""What is told of a question's moves: events, the callback's body, and the decision for the agent in its conversation. Pure.

Each is worked out of the record as it is now, not of what moved: so whatever record is followed, and however often, what is
due is the same, and what is noted as done is not done again.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec
from msgspec import Raw, Struct

from doorcode.asking.question import WRONG_NUMBER, Question, QuestionState, QuestionText, told_reason
from doorcode.pairing.hand_off import AskDecision, HandOff, QueuedHandOff, SentMessage, Writer, fitting_id, opaque
from doorcode.pairing.reply_address import ReplyAddress

VERSION = 1
DECISION = "decision"


class AskEventType(StrEnum):
    """The detail-types of the events that are published."""

    REQUESTED = "ask_requested"
    APPROVED = "ask_approved"
    DENIED = "ask_denied"
    EXPIRED = "ask_expired"
    CANCELLED = "ask_cancelled"
    USED = "ask_used"
    LAPSED = "ask_lapsed"


_ENDS = {
    QuestionState.EXPIRED: AskEventType.EXPIRED,
    QuestionState.CANCELLED: AskEventType.CANCELLED,
    QuestionState.DENIED: AskEventType.DENIED,
    QuestionState.USED: AskEventType.USED,
    QuestionState.LAPSED: AskEventType.LAPSED,
}
# What whoever waits is told as the answer. That it was used they did themselves.
ANSWERS = frozenset({QuestionState.APPROVED, QuestionState.DENIED, QuestionState.EXPIRED, QuestionState.CANCELLED})


class AskEvent(Struct, frozen=True):
    """An event as it is published: no title, details, arguments, reason or address."""

    type: AskEventType
    detail: dict[str, Any]


def events(question: Question) -> tuple[AskEvent, ...]:
    """Return all that has happened to a question so far, in its order; each happens once."""
    happened = [(AskEventType.REQUESTED, question.created_at)]
    if was_approved(question):
        approved_at = question.usable_until - question.valid_for
        happened.append((AskEventType.APPROVED, approved_at))
    if question.state in _ENDS:
        happened.append((_ENDS[question.state], question.ended_at))
    return tuple(AskEvent(type_, _detail(question, at, type_)) for type_, at in happened)


def was_approved(question: Question) -> bool:
    """Tell whether a question was approved, whatever became of that."""
    return question.usable_until > 0


def answer_state(question: Question) -> QuestionState | None:
    """Return what whoever waits is told now, as it is recorded; None as long as there is no answer."""
    if question.state in {QuestionState.USED, QuestionState.LAPSED}:
        return QuestionState.APPROVED
    return question.state if question.state in ANSWERS else None


def answer_data(question: Question, words: QuestionText | None, state: QuestionState) -> dict[str, Any]:
    """Return the answer as whoever asked is told it: none of the question's words."""
    reason = told_reason(question, words)
    return {
        "id": question.id,
        "key": question.key,
        "state": state,
        "digest": question.digest,
        **({"choice": question.choice} if question.choice else {}),
        **({"reason": reason} if reason else {}),
        "decided_by": question.decided_by,
        "decided_via": question.decided_via,
        "decided_at": question.decided_at or question.ended_at,
    }


def callback_body(question: Question, words: QuestionText | None, state: QuestionState) -> bytes:
    """Return what an asker's address is sent."""
    data = answer_data(question, words, state)
    return msgspec.json.encode({"type": f"ask.{state}", "timestamp": data["decided_at"], "data": data})


def decision(  # noqa: PLR0913, PLR0917 (whose decision, and where it goes)
    question: Question,
    words: QuestionText | None,
    state: QuestionState,
    address: ReplyAddress,
    who: Writer,
    admitted_by: str,
) -> QueuedHandOff:
    """Return the answer as the agent is given it, in the order of the conversation where the question arose.

    ``who`` is whose conversation it is, ``admitted_by`` why they are let in.
    """
    said = words.reason if words else ""
    marked = f"{question.id}#{state}#reason" if said else f"{question.id}#{state}"
    told = AskDecision(
        id=question.id,
        key=question.key,
        state=state,
        digest=question.digest,
        choice=question.choice,
        reason=told_reason(question, words),
        decided_by=question.decided_by,
        decided_via=question.decided_via,
        decided_at=question.decided_at or question.ended_at,
    )
    handed = HandOff(
        id=opaque(f"ask#{marked}"),
        platform=address.platform,
        conversation=opaque(address.conversation),
        chat=address.chat,
        user=who,
        admitted_by=admitted_by,
        messages=(SentMessage(id=question.id, kind=DECISION, text=in_words(told), sent_at=told.decided_at),),
        reply=Raw(address.reply.encode()),
        type=DECISION,
        ask=told,
    )
    return QueuedHandOff(group=fitting_id(address.conversation), delivery=fitting_id(f"ask#{marked}"), handed=handed)


def in_words(told: AskDecision) -> str:
    """Say a decision in words, for an agent that reads only those; the reason is quoted as the owner's."""
    name = f" ({told.key})" if told.key else ""
    outcome = {
        QuestionState.APPROVED: "approved. It holds once, and for a short time: use it before you act",
        QuestionState.DENIED: "denied. Do not do it, and do not reach it another way",
        QuestionState.EXPIRED: "not answered in time, which is not approved. Do not do it, and do not reach it another way",
        QuestionState.CANCELLED: "cancelled. Do not do it",
    }[QuestionState(told.state)]
    chosen = f" The choice is number {told.choice}." if told.choice else ""
    if told.reason == WRONG_NUMBER:
        reason = f" {WRONG_NUMBER}"
    elif told.reason:
        reason = f" The owner's own words on it, as JSON: {msgspec.json.encode(told.reason).decode()}"
    else:
        reason = ""
    return f"[Your question {told.id}{name} to the owner was {outcome}.{chosen}{reason}]"


def _detail(question: Question, at: int, event: AskEventType) -> dict[str, Any]:
    by, via = question.decided_by, question.decided_via
    if event in {AskEventType.REQUESTED, AskEventType.EXPIRED}:
        by = via = ""
    elif event is AskEventType.APPROVED:
        # Whoever has taken it back since stands in the record by now.
        by, via = question.given[-1].by, question.given[-1].via
    return {
        "version": VERSION,
        "id": question.id,
        "key": question.key,
        "digest": question.digest,
        "asker": question.asker,
        "on_behalf_of": question.on_behalf_of,
        "decided_by": by,
        "decided_via": via,
        "at": at,
    }

"""Items of questions, to DynamoDB's form and back.

The record stands in the table that has a stream, and has no words. The words stand in the agent's table, which has neither
stream nor backups: what is asked is left nowhere once it is over.
"""

from __future__ import annotations

from typing import Any

import msgspec

from doorcode.asking.order import KEPT_SECONDS
from doorcode.asking.question import NOT_YET_KNOWN, Approval, Question, QuestionState, QuestionText
from doorcode.aws.items import attribute
from doorcode.aws.table import Item
from doorcode.errors import UnreadableItemError

# The sort keys of a question's record, which the relay copies, and of its words.
ASK = "ask"
TEXT = "text"
# What is about all questions: who is open, whom the owner does not hear, who waits for an answer. Also their listing.
ASKS = "asks"
OPEN = "open"
MUTED = "muted"
WAITING = "waiting"
ASKER = "asker"

_TEXTS = (
    "asker", "asker_label", "key", "digest", "on_behalf_of", "decided_by", "decided_by_name", "decided_via", "decided_account", "used_with",
)  # fmt: skip
_NUMBERS = (
    "rev", "created_at", "expires_at", "valid_for", "approvals", "choices", "match", "decided_at", "choice", "usable_until", "used_at", "ended_at",
)  # fmt: skip
_FLAGS = ("tells", "resumes", "reasoned", "mismatched")


def ask_pk(question_id: str) -> str:
    """Return the partition of one question, in both tables."""
    return f"{ASK}#{question_id}"


def asker_pk(asker: str) -> str:
    """Return the partition of what one asker has asked: what is open, its keys, its digests."""
    return f"{ASKS}#{asker}"


def kept_until(question: Question) -> int:
    """Return the ``ttl`` of a question: 30 days after its end, or after the latest that there can be."""
    return (question.ended_at or question.expires_at + question.valid_for) + KEPT_SECONDS


def question_attributes(question: Question) -> dict[str, dict[str, str]]:
    """Return the attributes of a question's record, without its key and who was reached; what is empty is absent."""
    values: dict[str, str | int] = {"state": question.state, "ttl": kept_until(question)}
    values |= {field: getattr(question, field) for field in (*_TEXTS, *_NUMBERS) if getattr(question, field)}
    values |= {field: 1 for field in _FLAGS if getattr(question, field)}
    if question.owners:
        values["owners"] = " ".join(question.owners)
    if question.numbers:
        values["numbers"] = " ".join(map(str, question.numbers))
    if question.given:
        values["given"] = msgspec.json.encode(question.given).decode()
    values |= {"listing": ASKS, "listed_at": question.created_at}
    return {field: attribute(value) for field, value in values.items()}


def question_from_item(item: Item) -> Question:
    """Read a question's record. Raises UnreadableItemError for one that is not ours or of a version to come: never a guess."""
    try:
        texts: dict[str, Any] = {field: item[field]["S"] for field in _TEXTS if field in item}
        numbers: dict[str, Any] = {field: int(item[field]["N"]) for field in _NUMBERS if field in item}
        flags: dict[str, Any] = {field: field in item for field in _FLAGS}
        return Question(
            id=item["pk"]["S"].removeprefix(f"{ASK}#"),
            state=QuestionState(item["state"]["S"]),
            owners=tuple(item["owners"]["S"].split()) if "owners" in item else (),
            numbers=tuple(map(int, item["numbers"]["S"].split())) if "numbers" in item else (),
            given=msgspec.json.decode(item["given"]["S"], type=tuple[Approval, ...]) if "given" in item else (),
            stray=item["stray"]["S"] if "stray" in item else "",
            reached=int(item["reached"]["N"]) if "reached" in item else NOT_YET_KNOWN,
            **texts,
            **numbers,
            **flags,
        )
    except (KeyError, TypeError, ValueError):
        raise UnreadableItemError("read a question", "its item has an unknown form") from None


def words_of(text: QuestionText) -> str:
    """Return a question's words as they are kept; the reason of the decision stands beside them."""
    return msgspec.json.encode(msgspec.structs.replace(text, reason="")).decode()


def text_from_item(item: Item) -> QuestionText:
    """Read a question's words. Raises UnreadableItemError."""
    try:
        words = msgspec.json.decode(item["words"]["S"], type=QuestionText)
    except (KeyError, ValueError):
        raise UnreadableItemError("read a question", "its words have an unknown form") from None
    return msgspec.structs.replace(words, reason=item["reason"]["S"]) if "reason" in item else words

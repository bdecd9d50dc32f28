"""The parts of the transactions that ask and move questions, each condition named in words before they are joined."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from doorcode.asking.order import DENIAL_HOLDS_SECONDS, MAX_AN_HOUR, MAX_PENDING_OF_ALL, MAX_PENDING_OF_ONE
from doorcode.asking.question import ENDED, Question, QuestionState, QuestionText
from doorcode.aws.items import OWNERS, attribute, changes, expires_after
from doorcode.aws.question_items import (
    ASK,
    ASKER,
    ASKS,
    MUTED,
    OPEN,
    TEXT,
    ask_pk,
    asker_pk,
    kept_until,
    question_attributes,
    words_of,
)
from doorcode.aws.transaction_parts import Part


def new_record(question: Question) -> Part:
    """Write a new question's record. Its id is random, so that only a retry of the same write can find it there."""
    expression, names, values = changes({}, question_attributes(question))
    return _update(ask_pk(question.id), ASK, expression, names, values, {"it is new": "attribute_not_exists(pk)"})


def new_text(question: Question, text: QuestionText, table_name: str) -> Part:
    """Write its words, in the table that has no stream."""
    kind, arguments = _update(
        ask_pk(question.id),
        TEXT,
        "SET words = :words, #ttl = :ttl",
        {"#ttl": "ttl"},
        {":words": attribute(words_of(text)), ":ttl": attribute(kept_until(question))},
    )
    return kind, {"TableName": table_name, **arguments}


def take_place(question: Question) -> Part:
    """Take one of the places of all that wait."""
    conditions = {"there is one": "attribute_not_exists(#open) OR size(#open) < :most"}
    values = {":id": {"SS": [question.id]}, ":most": attribute(MAX_PENDING_OF_ALL)}
    return _update(ASKS, OPEN, "ADD #open :id", {"#open": OPEN}, values, conditions)


def take_own_place(question: Question) -> Part:
    """Take one of the asker's own places, and note when it has asked."""
    conditions = {
        "not too many of its own wait": "attribute_not_exists(#open) OR size(#open) < :most",
        "it has not asked too often": "attribute_not_exists(recent) OR size(recent) < :an_hour",
    }
    values = {
        ":id": {"SS": [question.id]},
        ":recent": {"SS": [recently(question)]},
        ":most": attribute(MAX_PENDING_OF_ONE),
        ":an_hour": attribute(MAX_AN_HOUR),
        ":label": attribute(question.asker_label),
        # Never before anything that it holds a place for has ended.
        ":ttl": attribute(expires_after(kept_until(question))),
    }
    names = {"#open": OPEN, "#ttl": "ttl", "#label": "label"}
    return _update(
        asker_pk(question.asker),
        ASKER,
        "ADD #open :id, recent :recent SET #ttl = :ttl, #label = :label",
        names,
        values,
        conditions,
    )


def recently(question: Question) -> str:
    """Return how an asker's item notes when it asked something: the time, of one length, and what."""
    return f"{question.created_at:012d}:{question.id}"


def be_heard(question: Question) -> Part:
    """Check that the owner still hears the asker."""
    return "ConditionCheck", {
        "Key": _key(ASKS, MUTED),
        "ConditionExpression": "attribute_not_exists(askers) OR NOT contains(askers, :asker)",
        "ExpressionAttributeValues": {":asker": attribute(question.asker)},
    }


def take_key(question: Question, key: str, now: int) -> Part:
    """Have a key mean a question, if it means none."""
    conditions = {"it is new, or forgotten": "attribute_not_exists(pk) OR #ttl <= :now"}
    values = {
        ":id": attribute(question.id),
        ":now": attribute(now),
        ":ttl": attribute(kept_until(question)),
    }
    return _update(
        asker_pk(question.asker), f"key#{key}", "SET id = :id, #ttl = :ttl", {"#ttl": "ttl"}, values, conditions
    )


def take_digest(question: Question, now: int) -> Part:
    """Have a digest mean a question for as long as that waits, if it means none that waits or was denied just now."""
    conditions = {"nothing of the kind holds": "attribute_not_exists(pk) OR holds_until <= :now"}
    values = {
        ":id": attribute(question.id),
        ":now": attribute(now),
        ":until": attribute(question.expires_at),
        ":ttl": attribute(kept_until(question)),
    }
    expression = "SET id = :id, holds_until = :until, #ttl = :ttl"
    return _update(*_digest_key(question), expression, {"#ttl": "ttl"}, values, conditions)


def change_record(before: Question, after: Question, now: int) -> Part:
    """Move a question from what was read to ``after``, if that is still what holds, and its time is not up."""
    expression, names, values = changes(question_attributes(before), question_attributes(after))
    conditions = {"nobody has moved it since it was read": "#was_rev = :read_rev"}
    names |= {"#was_rev": "rev"}
    values |= {":read_rev": attribute(before.rev)}
    tidies = after.state in {QuestionState.EXPIRED, QuestionState.LAPSED}
    if not tidies and before.state is QuestionState.PENDING:
        conditions["its time is not up"] = "expires_at > :now"
        values[":now"] = attribute(now)
    if after.state is QuestionState.USED:
        conditions["nor is the approval's"] = "#was_until > :now"
        names["#was_until"] = "usable_until"
        values[":now"] = attribute(now)
    return _update(ask_pk(before.id), ASK, expression, names, values, conditions)


def leave_places(before: Question, after: Question) -> dict[str, Part]:
    """Leave the places of what waits no more. What is approved is on another list, until it ends."""
    only_it = {":id": {"SS": [before.id]}}
    if before.state is QuestionState.APPROVED:
        return {"list": _update(ASKS, OPEN, "DELETE approved :id", {}, only_it)}
    also = " ADD approved :id" if after.state is QuestionState.APPROVED else ""
    return {
        "list": _update(ASKS, OPEN, f"DELETE #open :id{also}", {"#open": OPEN}, only_it),
        "asker": _update(asker_pk(before.asker), ASKER, "DELETE #open :id", {"#open": OPEN}, only_it),
    }


def release_digest(before: Question, after: Question, now: int) -> dict[str, Part]:
    """Have the same words be another question again: at once, or some time after a denial. What expired holds no more."""
    if before.state is not QuestionState.PENDING or after.state is QuestionState.EXPIRED:
        return {}
    until = now + DENIAL_HOLDS_SECONDS if after.state is QuestionState.DENIED else now
    return {
        "digest": _update(*_digest_key(before), "SET holds_until = :until", {}, {":until": attribute(until)}),
    }


def change_text(before: Question, after: Question, reason: str, table_name: str) -> dict[str, Part]:
    """Keep the reason of a decision beside the words, and let both go 30 days after the end.

    An approval holds only if there are words: what cannot be shown to anybody is not approved.
    """
    approves = after.given != before.given
    sets: dict[str, Mapping[str, str]] = {}
    if after.state in ENDED or approves:
        sets["ttl"] = attribute(kept_until(after))
    if reason:
        sets["reason"] = attribute(reason)
    if not sets:
        return {}
    expression, names, values = changes({}, sets)
    conditions = {"its words are there": "attribute_exists(words)"} if approves else None
    kind, arguments = _update(ask_pk(after.id), TEXT, expression, names, values, conditions)
    return {"text": (kind, {"TableName": table_name, **arguments})}


def still_owners(accounts: Sequence[str]) -> dict[str, Part]:
    """Check that these accounts own the bot by claim."""
    if not accounts:
        return {}
    values = {f":account{number}": attribute(account) for number, account in enumerate(accounts)}
    return {
        "owners": (
            "ConditionCheck",
            {
                "Key": _key(OWNERS, OWNERS),
                "ConditionExpression": " AND ".join(f"contains(people, {name})" for name in values),
                "ExpressionAttributeValues": values,
            },
        )
    }


def _digest_key(question: Question) -> tuple[str, str]:
    return asker_pk(question.asker), f"digest#{question.digest}"


def _update(  # noqa: PLR0913, PLR0917 (what an update is made of)
    pk: str,
    sk: str,
    expression: str,
    names: Mapping[str, str],
    values: Mapping[str, Any],
    conditions: Mapping[str, str] | None = None,
) -> Part:
    arguments: dict[str, Any] = {
        "Key": _key(pk, sk),
        "UpdateExpression": expression,
        "ExpressionAttributeValues": values,
    }
    if names:
        arguments["ExpressionAttributeNames"] = names
    if conditions:
        arguments["ConditionExpression"] = " AND ".join(f"({condition})" for condition in conditions.values())
    return "Update", arguments


def _key(pk: str, sk: str) -> dict[str, dict[str, str]]:
    return {"pk": {"S": pk}, "sk": {"S": sk}}

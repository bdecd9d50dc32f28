"""Questions to the owner on DynamoDB: the one place where they are asked, decided and used, each by one transaction.

Guarantees, whatever races: a question moves only as the matrix allows, within its time; an approval is used once; a key and
what is asked again while it waits are one question; there are never more that wait than places. A quorum counts persons who
are owners at the moment of the last approval. Does not guarantee that what is overdue says so before somebody looks.
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any

import msgspec
from msgspec import Struct

from doorcode.asking.buttons import ID_LENGTH, NUMBERS
from doorcode.asking.moves import approved, cancelled, check_ballot, denied, overdue, used
from doorcode.asking.order import (
    DENIAL_HOLDS_SECONDS,
    HOUR,
    MAX_PENDING_OF_ONE,
    Asker,
    QuestionOrder,
    checked_reason,
    question_of,
    text_of,
)
from doorcode.asking.question import Question, QuestionState, QuestionText, Voter
from doorcode.asking.refusals import AskRefusal, InvalidQuestionError, QuestionRefusedError
from doorcode.aws import question_parts as parts
from doorcode.aws.items import CONTACT, OWNERS, attribute, contact_from_item, contact_pk, owners_from_item
from doorcode.aws.question_items import (
    ASK,
    ASKER,
    ASKS,
    MUTED,
    OPEN,
    TEXT,
    WAITING,
    ask_pk,
    asker_pk,
    kept_until,
    question_from_item,
    text_from_item,
    words_of,
)
from doorcode.aws.table import ConditionError, Item, Table
from doorcode.aws.transaction_parts import Part
from doorcode.errors import UnavailableError, UnreadableItemError
from doorcode.pairing.codes import ALPHABET
from doorcode.pairing.platform import Platform
from doorcode.pairing.settings import Settings

# Each lost race was won by somebody else: many in a row mean a crowd.
MAX_TRIES = 32
# What a list shows.
MAX_LISTED = 100
# Until the owner hears an asker again, nobody knows how long it is.
MUTED_SECONDS = 3600
EXPLAIN_SECONDS = 600
# Each waits in a function of its own, of which a new account may run ten at once.
MAX_WAITING = 4
# Before an asker's id, how it was called when it was muted.
LABEL = "label_of_"


class Owning(Struct, frozen=True):
    """The accounts that own the bot: by the setting, which stays as it is, and by claim."""

    by_setting: frozenset[str]
    by_claim: frozenset[str]

    def has(self, account: str) -> bool:
        """Tell whether an account does."""
        return account in self.by_setting or account in self.by_claim


class QuestionStore:
    """The questions of one table, with their words in another."""

    def __init__(self, table: Table, texts: Table, settings: Settings) -> None:
        """Keep records in ``table`` and words in ``texts``, which has no stream."""
        self._table = table
        self._texts = texts
        self._resumes = settings.resume_asks
        self._by_setting = frozenset(f"{platform}:{user_id}" for platform, user_id in settings.owners)

    # Asking

    def ask(self, order: QuestionOrder, asker: Asker, now: int) -> tuple[Question, bool]:
        """Ask, and tell whether that is a new question: the same key, and the same words while they wait, are the same one.

        Of those that wait paused for one question, the last is resumed. Raises InvalidQuestionError, QuestionRefusedError and
        UnavailableError.
        """
        text = text_of(order, asker)
        if order.resume is not None and not self._resumes.takes(order.resume.kind):
            raise InvalidQuestionError(
                f"Nothing of the kind {order.resume.kind} is resumed from here: the stack's parameter ResumeAsks is {self._resumes}."
            )
        table = self._table.started()
        self._check_owners(table, order)
        question = question_of(order, text, asker, _new_id(), now, _new_numbers() if order.match else ())
        for _ in range(MAX_TRIES):
            writes = {
                "record": parts.new_record(question),
                "text": parts.new_text(question, text, self._texts.name),
                "digest": parts.take_digest(question, now),
                "own": parts.take_own_place(question),
                "list": parts.take_place(question),
                "heard": parts.be_heard(question),
            }
            if order.key:
                writes["key"] = parts.take_key(question, order.key, now)
            try:
                table.transact(list(writes.values()), uuid.uuid4().hex)
            except ConditionError as error:
                lost = {name: error.lost[at] for at, name in enumerate(writes) if at in error.lost}
                found = self._there_already(table, question, lost, now)
                if found is not None:
                    if found.state is QuestionState.PENDING and order.match != bool(found.match):
                        raise QuestionRefusedError(AskRefusal.MATCH_DIFFERS, state=found.state) from None
                    return self._resuming_last(found, order), found.id == question.id
                self._make_room(table, question, lost, now)
            else:
                return question, True
        raise UnavailableError("ask", "too many at once")

    def _there_already(self, table: Table, question: Question, lost: dict[str, Item], now: int) -> Question | None:
        """Return the question that the key or the digest means. Raises QuestionRefusedError for a key of something else."""
        if "key" in lost:
            found = self._read(table, lost["key"]["id"]["S"])
            if found is None or found.digest != question.digest:
                raise QuestionRefusedError(AskRefusal.KEY_REUSED)
            return found
        if "digest" in lost:
            found = self._read(table, lost["digest"]["id"]["S"])
            if found is not None and _holds(found, now):
                self._give_key(table, found, question.key, now)
                return found
        return None

    def _resuming_last(self, found: Question, order: QuestionOrder) -> Question:
        """Have whoever asks the same again be resumed instead of who did before: a task that is tried again has another token.

        Returns the question as it is after that: what is answered by then resumes nobody any more.
        """
        text = self.text(found.id) if order.resume and found.state is QuestionState.PENDING else None
        if text is None or text.outlets.resume == order.resume:
            return found
        told = msgspec.structs.replace(text, outlets=msgspec.structs.replace(text.outlets, resume=order.resume))
        with suppress(ConditionError):
            # Where they are gone meanwhile nothing is begun anew, which nothing would ever delete.
            self._texts.update(
                ask_pk(found.id),
                TEXT,
                UpdateExpression="SET words = :words",
                ConditionExpression="attribute_exists(words)",
                ExpressionAttributeValues={":words": attribute(words_of(told))},
            )
        self._note(found.id, "resumes", 1)
        return self.get(found.id) or found

    def _give_key(self, table: Table, found: Question, key: str, now: int) -> None:
        """Have a key mean a question that was asked without it, or by another one."""
        if not key or key == found.key:
            return
        try:
            table.transact([parts.take_key(found, key, now)], uuid.uuid4().hex)
        except ConditionError as error:
            if error.lost[0].get("id") != attribute(found.id):
                raise QuestionRefusedError(AskRefusal.KEY_REUSED) from None

    def _make_room(self, table: Table, question: Question, lost: dict[str, Item], now: int) -> None:
        """Tidy up what only time holds in the way. Raises QuestionRefusedError if there is nothing of the kind."""
        if "heard" in lost:
            raise QuestionRefusedError(AskRefusal.MUTED, retry_after=MUTED_SECONDS)
        if "own" in lost:
            recent = sorted(lost["own"].get("recent", {}).get("SS", []))
            stale = [entry for entry in recent if int(entry.partition(":")[0]) <= now - HOUR]
            mine = lost["own"].get("open", {}).get("SS", [])
            if stale:
                self._strike(table, asker_pk(question.asker), ASKER, "recent", stale)
            elif not self._end_overdue(table, mine, now, asker=question.asker):
                if len(mine) >= MAX_PENDING_OF_ONE:
                    raise QuestionRefusedError(AskRefusal.TOO_MANY_PENDING, retry_after=self._until_one_ends(mine, now))
                oldest = int(recent[0].partition(":")[0])
                raise QuestionRefusedError(AskRefusal.TOO_OFTEN, retry_after=oldest + HOUR - now)
        elif "list" in lost:
            everybodys = lost["list"].get("open", {}).get("SS", [])
            if not self._end_overdue(table, everybodys, now):
                retry_after = self._until_one_ends(everybodys, now)
                raise QuestionRefusedError(AskRefusal.TOO_MANY_PENDING, retry_after=retry_after)

    def _until_one_ends(self, ids: Iterable[str], now: int) -> int:
        return max(1, min((one.expires_at for one in self._read_many(ids)), default=now) - now)

    def _end_overdue(self, table: Table, ids: Iterable[str], now: int, *, asker: str = "") -> bool:
        """End what is overdue of these, and forget those that are gone; tell whether there was anything of the kind."""
        ids = list(ids)
        there = {one.id: one for one in self._read_many(ids)}
        ended = [self._end(one, now) for one in there.values()]
        gone = [one for one in ids if one not in there]
        if gone:
            # A restored backup, or TTL after months without a sweep.
            self._strike(table, ASKS, OPEN, OPEN, gone)
            if asker:
                self._strike(table, asker_pk(asker), ASKER, OPEN, gone)
        return bool(gone) or any(ended)

    @staticmethod
    def _strike(table: Table, pk: str, sk: str, name: str, entries: list[str]) -> None:
        table.update(
            pk,
            sk,
            UpdateExpression="DELETE #name :entries",
            ExpressionAttributeNames={"#name": name},
            ExpressionAttributeValues={":entries": {"SS": entries}},
        )

    def _check_owners(self, table: Table, order: QuestionOrder) -> None:
        if not order.owners and order.approvals == 1:
            return
        owning = self._owning(table)
        strangers = [account for account in order.owners if not owning.has(account)]
        if strangers:
            raise InvalidQuestionError(f"{strangers[0]} owns nothing here. See: doorcode owner list")
        if order.approvals > 1:
            accounts = order.owners or (*owning.by_setting, *owning.by_claim)
            persons = {self._person(table, account) for account in accounts}
            if len(persons) < order.approvals:
                raise InvalidQuestionError(
                    f"approvals is {order.approvals}, and those who can decide are {len(persons)} person(s): accounts with "
                    "the same label are one."
                )

    # Looking

    def get(self, question_id: str) -> Question | None:
        """Return a question as it is now, with one consistent read; None if there is none (any more)."""
        return self._read(self._table, question_id)

    def text(self, question_id: str) -> QuestionText | None:
        """Return a question's words, with one consistent read; None if they are gone."""
        item = self._texts.get(ask_pk(question_id), TEXT)
        # A move leaves its mark also where there are no words any more, in a table that was lost.
        return text_from_item(item) if "words" in item else None

    def texts(self, question_ids: Iterable[str]) -> dict[str, QuestionText]:
        """Return the words of many, by their ids; those that are gone are left out."""
        keys = [(ask_pk(one), TEXT) for one in question_ids]
        items = self._texts.get_many(keys) if keys else []
        return {item["pk"]["S"].removeprefix(ask_pk("")): text_from_item(item) for item in items if "words" in item}

    def open_questions(self) -> list[Question]:
        """Return all that wait, and all approvals that are not used yet, oldest first, whether or not their time is up."""
        return sorted(self._read_many(self._open_ids()), key=lambda one: (one.created_at, one.id))

    def listed(self, now: int, *, asker: str = "", state: QuestionState | None = None) -> list[Question]:
        """Return the newest questions, of an asker and in a state where these are given, newest first.

        What is open is read from its list, and is all there; what is over, from an index that is a moment late.
        """
        found = {one.id: one for one in self.open_questions()}
        if state not in {QuestionState.PENDING, QuestionState.APPROVED}:
            found = {one.id: one for one in self._newest(asker)} | found
        fitting = [
            one
            for one in found.values()
            if (not asker or one.asker == asker) and (state is None or one.standing(now) is state)
        ]
        return sorted(fitting, key=lambda one: (-one.created_at, one.id))[:MAX_LISTED]

    def _newest(self, asker: str) -> list[Question]:
        values = {":listing": attribute(ASKS)} | ({":asker": attribute(asker)} if asker else {})
        answer = self._table.query(
            IndexName="listing",
            KeyConditionExpression="listing = :listing",
            **({"FilterExpression": "asker = :asker"} if asker else {}),
            ExpressionAttributeValues=values,
            ScanIndexForward=False,
        )
        return _readable(answer["Items"])

    def _open_ids(self) -> list[str]:
        item = self._table.get(ASKS, OPEN)
        return [*item.get(OPEN, {}).get("SS", []), *item.get("approved", {}).get("SS", [])]

    def _read_many(self, ids: Iterable[str]) -> list[Question]:
        keys = [(ask_pk(one), ASK) for one in ids]
        return _readable(self._table.get_many(keys)) if keys else []

    @staticmethod
    def _read(table: Table, question_id: str) -> Question | None:
        item = table.get(ask_pk(question_id), ASK)
        return question_from_item(item) if item else None

    # Deciding

    def approve(  # noqa: PLR0913 (a decision's own words)
        self,
        question_id: str,
        voter: Voter,
        now: int,
        *,
        digest: str,
        choice: int = 0,
        match: int = 0,
        reason: str = "",
    ) -> Question:
        """Count a voter's approval of exactly that digest; with the last one, the question is approved.

        Raises QuestionRefusedError, also once a wrong number has denied it, InvalidQuestionError for a reason that is too long, UnavailableError.
        """
        checked_reason(reason)

        def change(question: Question, owning: Owning) -> Question:
            check_ballot(question, voter, digest, owning.has)
            person = voter
            if voter.account and question.approvals > 1:
                person = msgspec.structs.replace(voter, person=self._person(self._table, voter.account))
            return approved(question, person, now, owning.has, choice=choice, match=match)

        after = self._change(question_id, change, now, voter=voter, reason=reason)
        if after.mismatched:
            # So that nobody takes it for an approval.
            raise QuestionRefusedError(AskRefusal.WRONG_NUMBER, state=after.state)
        return after

    def deny(self, question_id: str, voter: Voter, now: int, *, digest: str, reason: str = "") -> Question:
        """Deny a question of exactly that digest, for all. Raises as ``approve``."""
        checked_reason(reason)

        def change(question: Question, owning: Owning) -> Question:
            check_ballot(question, voter, digest, owning.has)
            return denied(question, voter, now)

        return self._change(question_id, change, now, voter=voter, reason=reason)

    def cancel(self, question_id: str, voter: Voter, now: int, *, asker: str = "") -> Question:
        """Take a question back, also after it was approved; with ``asker``, only that one's own. Raises as ``approve``."""

        def change(question: Question, _: Owning) -> Question:
            _own(question, asker)
            return cancelled(question, voter, now)

        return self._change(question_id, change, now)

    def use(self, question_id: str, asker: str, now: int, *, digest: str, key: str = "") -> Question:
        """Use an asker's own approval, of exactly that digest, once: the same ``key`` again is the same use. Raises as ``approve``."""
        # Without one, a nonce: so two that come at once are never taken for one.
        mine = key or f"~{uuid.uuid4().hex}"

        def change(question: Question, _: Owning) -> Question:
            _own(question, asker)
            return used(question, digest, now, mine)

        return self._change(question_id, change, now)

    def tidy(self, now: int) -> list[Question]:
        """End every question and every approval whose time is up: the sweep. Returns what it has ended."""
        ended = [self._end(one, now) for one in self.open_questions()]
        return [one for one in ended if one is not None]

    def _end(self, question: Question, now: int) -> Question | None:
        after = overdue(question, now)
        if after is None:
            return None
        try:
            self._table.transact(list(self._writes(question, after, now).values()), uuid.uuid4().hex)
        except ConditionError:
            # Somebody was quicker, and that holds.
            return None
        return after

    def _change(
        self,
        question_id: str,
        change: Callable[[Question, Owning], Question],
        now: int,
        *,
        voter: Voter | None = None,
        reason: str = "",
    ) -> Question:
        table = self._table.started()
        question = self._read(table, question_id)
        if question is None:
            raise QuestionRefusedError(AskRefusal.UNKNOWN_QUESTION)
        account = voter.account if voter else ""
        for _ in range(MAX_TRIES):
            owning = self._owning(table) if account or any(one.account for one in question.given) else _NOBODY
            after = change(question, owning)
            if after is question:
                return question
            if reason and after.state is not QuestionState.PENDING and not after.mismatched:
                after = msgspec.structs.replace(after, reasoned=True)
            counted = {account} | ({one.account for one in after.given} if after.given != question.given else set())
            counted -= {"", *owning.by_setting}
            writes = self._writes(question, after, now, reason) | parts.still_owners(sorted(counted))
            try:
                table.transact(list(writes.values()), uuid.uuid4().hex)
            except ConditionError as error:
                lost = {name for at, name in enumerate(writes) if at in error.lost}
                if lost == {"text"}:
                    raise QuestionRefusedError(AskRefusal.WORDS_LOST, state=question.state) from None
                if "record" not in lost:
                    # An owner by claim is none any more: look again.
                    continue
                there = question_from_item(error.lost[0])
                if error.in_doubt and msgspec.structs.replace(there, reached=after.reached) == after:
                    return there
                question = there
            else:
                return after
        raise UnavailableError("move a question", "others kept moving it")

    def _writes(self, before: Question, after: Question, now: int, reason: str = "") -> dict[str, Part]:
        writes = {"record": parts.change_record(before, after, now)}
        if after.state is not before.state:
            writes |= parts.leave_places(before, after)
            writes |= parts.release_digest(before, after, now)
        return writes | parts.change_text(before, after, reason if after.reasoned else "", self._texts.name)

    def _owning(self, table: Table) -> Owning:
        by_claim = owners_from_item(table.get(OWNERS, OWNERS))
        return Owning(self._by_setting, frozenset(f"{platform}:{user_id}" for platform, user_id in by_claim))

    @staticmethod
    def _person(table: Table, account: str) -> str:
        """Return whose an account is: by its label, where an owner has given it one, else nobody else's."""
        platform, _, user_id = account.partition(":")
        item = table.get(contact_pk(Platform(platform), user_id), CONTACT)
        label = contact_from_item(item).label if item else ""
        return f"={label.casefold()}" if label else account

    # Beside the states

    def explain(self, question_id: str, account: str, reason: str, now: int) -> Question | None:
        """Keep the reason of whoever decided, given once, within ten minutes after it; None if it is not theirs to give.

        It is a revision of its own, so that those who were told of the decision are told the reason. Raises
        InvalidQuestionError for one that is too long.
        """
        checked_reason(reason)
        question = self.get(question_id)
        theirs = question is not None and question.decided_account == account and not question.reasoned
        if question is None or not theirs or now >= question.decided_at + EXPLAIN_SECONDS:
            return None
        self._texts.update(
            ask_pk(question_id),
            TEXT,
            UpdateExpression="SET reason = :reason, #ttl = :ttl",
            ExpressionAttributeNames={"#ttl": "ttl"},
            ExpressionAttributeValues={":reason": attribute(reason), ":ttl": attribute(kept_until(question))},
        )
        try:
            return question_from_item(
                self._table.update(
                    ask_pk(question_id),
                    ASK,
                    UpdateExpression="SET reasoned = :one, rev = rev + :one",
                    ConditionExpression="attribute_exists(pk) AND attribute_not_exists(reasoned)",
                    ExpressionAttributeValues={":one": attribute(1)},
                )
            )
        except ConditionError:
            return None

    def note_reached(self, question_id: str, number: int) -> None:
        """Note how many owners were reached. No move."""
        self._note(question_id, "reached", number)

    def note_stray(self, question_id: str, stray: str) -> None:
        """Note a prompt that was pressed when it was too late, so that it is closed. No move; the same again is nothing new."""
        self._note(question_id, "stray", stray)

    def _note(self, question_id: str, name: str, value: str | int) -> None:
        with suppress(ConditionError):
            self._table.update(
                ask_pk(question_id),
                ASK,
                UpdateExpression=f"SET {name} = :value",
                ConditionExpression="attribute_exists(pk)",
                ExpressionAttributeValues={":value": attribute(value)},
            )

    def mute(self, asker: str, *, muted: bool) -> None:
        """Have an asker refused from now on, or heard again. What waits already stays, and nothing is approved by it."""
        names = {"#label": f"{LABEL}{asker}"}
        values: dict[str, Mapping[str, Any]] = {":asker": {"SS": [asker]}}
        expression = "DELETE askers :asker REMOVE #label"
        if muted:
            label = self._table.get(asker_pk(asker), ASKER).get("label", attribute(asker))
            expression, values = "ADD askers :asker SET #label = :label", values | {":label": label}
        self._table.update(
            ASKS,
            MUTED,
            UpdateExpression=expression,
            ExpressionAttributeNames=names,
            ExpressionAttributeValues=values,
        )

    def muted(self) -> dict[str, str]:
        """Return whom the owner does not hear: how they are called, by who they are."""
        item = self._table.get(ASKS, MUTED)
        return {one: item[f"{LABEL}{one}"]["S"] for one in sorted(item.get("askers", {}).get("SS", []))}

    # Waiting for an answer

    def take_waiting_place(self, now: int, seconds: int) -> str:
        """Take one of the few places of those who wait at once, for so long; empty if none is free."""
        place = f"{now + seconds:012d}:{uuid.uuid4().hex}"
        for _ in range(2):
            try:
                self._table.update(
                    ASKS,
                    WAITING,
                    UpdateExpression="ADD waiting :place",
                    ConditionExpression="attribute_not_exists(waiting) OR size(waiting) < :most",
                    ExpressionAttributeValues={":place": {"SS": [place]}, ":most": attribute(MAX_WAITING)},
                )
            except ConditionError as error:
                held = error.lost[0]["waiting"]["SS"]
                # Of functions that died.
                over = [one for one in held if int(one.partition(":")[0]) < now]
                if not over:
                    return ""
                self._strike(self._table, ASKS, WAITING, "waiting", over)
            else:
                return place
        return ""

    def leave_waiting_place(self, place: str) -> None:
        """Give a place back."""
        self._strike(self._table, ASKS, WAITING, "waiting", [place])


_NOBODY = Owning(frozenset(), frozenset())


def _own(question: Question, asker: str) -> None:
    # Another's is answered as one that is not there.
    if asker and question.asker != asker:
        raise QuestionRefusedError(AskRefusal.UNKNOWN_QUESTION)


def _holds(question: Question, now: int) -> bool:
    """Tell whether a question is the answer to the same words again."""
    standing = question.standing(now)
    just_denied = standing is QuestionState.DENIED and now < question.decided_at + DENIAL_HOLDS_SECONDS
    return standing is QuestionState.PENDING or just_denied


def _readable(items: Iterable[Item]) -> list[Question]:
    questions = []
    for item in items:
        try:
            questions.append(question_from_item(item))
        except UnreadableItemError:
            # Of a version to come: it must not hide the others.
            continue
    return questions


def _new_id() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(ID_LENGTH))


def _new_numbers() -> tuple[int, ...]:
    """Return as many of two digits as are offered; the first is the one to match."""
    return tuple(secrets.SystemRandom().sample(range(10, 100), NUMBERS))

"""Questions on every DynamoDB: what is kept of them and where, their limits, and what the same again is."""

from collections.abc import Callable
from typing import Any

import pytest

from doorcode.asking.order import (
    DENIAL_HOLDS_SECONDS,
    KEPT_SECONDS,
    MAX_AN_HOUR,
    MAX_PENDING_OF_ALL,
    MAX_PENDING_OF_ONE,
    Asker,
)
from doorcode.asking.question import NOT_YET_KNOWN, Outlets, Question, QuestionState
from doorcode.asking.refusals import AskRefusal, InvalidQuestionError, QuestionRefusedError
from doorcode.aws import question_parts, question_store
from doorcode.errors import UnreadableItemError
from doorcode.pairing.decisions import Order
from doorcode.pairing.transitions import Operation
from tests.backends.dynamodb import EVERYWHERE, Backend, Table
from tests.contract.questions import ADA, BOB, CI, OTHER, PAGE, Asking, asking, becomes_owner, presses
from tests.contract.test_trouble import fails, timeout
from tests.harness import OWNER, T0, TELEGRAM, Harness

WORDS: dict[str, Any] = {
    "details": "d-secret",
    "arguments": {"path": "a-secret"},
    "callback_url": "https://example.com/u-secret",
}


@pytest.fixture
def questions(table: Table) -> Asking:
    """Give questions over a new table, which has their words, too."""
    return Asking(Harness(table), table.name)


def test_a_number_to_match(backend: Backend, table: Table) -> None:
    """It is of two digits, one of three, the same for whoever asks again, and what it is asked without is another thing; a wrong one denies."""
    questions = asking(Harness(table), backend)
    asked = questions.ask(match=True, key="k")
    assert len(asked.numbers) == len({*asked.numbers}) == 3
    assert asked.match in asked.numbers
    assert all(10 <= number <= 99 for number in asked.numbers)
    assert asked.numbers == tuple(sorted(asked.numbers))
    assert questions.ask(match=True, key="k") == questions.ask(match=True) == asked == questions.store.get(asked.id)
    for other in ({"key": "k"}, {}):
        assert refused(questions.ask, **other).reason is AskRefusal.MATCH_DIFFERS
    wrong = next(number for number in asked.numbers if number != asked.match)
    no = refused(questions.approve, asked, match=wrong, reason="w-secret")
    assert (no.reason, no.state) == (AskRefusal.WRONG_NUMBER, "denied")
    after = questions.store.get(asked.id)
    assert after is not None
    assert (after.state, after.mismatched, after.reasoned) == (QuestionState.DENIED, True, False)
    assert refused(questions.approve, asked, match=asked.match).reason is AskRefusal.ALREADY_DECIDED
    more = questions.ask("Another?", match=True)
    assert questions.approve(more, match=more.match).state is QuestionState.APPROVED
    questions.consistent()


@EVERYWHERE
def test_what_cannot_be_shown_is_not_approved(backend: Backend, table: Table) -> None:
    """A5: where its words are lost nobody can approve it, by whatever surface, nor as one of several; it can be denied."""
    questions = asking(Harness(table), backend)
    key = {"pk": {"S": ""}, "sk": {"S": "text"}}
    for approvals in (1, 2):
        asked = questions.ask(f"{approvals}?", approvals=approvals)
        key["pk"]["S"] = f"ask#{asked.id}"
        questions.harness.client.delete_item(TableName=questions.texts.name, Key=key)
        no = refused(questions.approve, asked, presses(ADA))
        assert (no.reason, no.state) == (AskRefusal.WORDS_LOST, "pending")
        assert questions.store.get(asked.id) == asked
        assert questions.deny(asked, presses(ADA)).state is QuestionState.DENIED
        assert questions.store.explain(asked.id, ADA, "Lost", T0 + 2)
        # What is said then goes in its time, too.
        [kept] = questions.texts.partition(f"ask#{asked.id}")
        assert kept["ttl"] == {"N": str(T0 + 1 + KEPT_SECONDS)}
    questions.consistent()


def refused(act: Callable[..., object], *given: Any, **named: Any) -> QuestionRefusedError:
    """Give the refusal of something."""
    with pytest.raises(QuestionRefusedError) as error:
        act(*given, **named)
    return error.value


@EVERYWHERE
def test_one_question_from_end_to_end(backend: Backend, table: Table) -> None:
    """Security 47, A3, A20: asked, approved, used once; its words are in no item of the table that has a stream, ever."""
    questions = asking(Harness(table), backend)
    store = questions.store
    asked = questions.ask("t-secret", reply_to="r-secret", key="k1", expires_in=600, **WORDS)
    assert store.get(asked.id) == asked
    text = store.text(asked.id)
    assert text is not None
    assert (text.substance.title, text.substance.arguments) == ("t-secret", '{"path":"a-secret"}')
    assert text.outlets == Outlets(callback_url="https://example.com/u-secret", reply_to="r-secret")
    assert [one.id for one in store.open_questions()] == [asked.id]

    assert refused(questions.use, asked).reason is AskRefusal.NOT_APPROVED
    yes = questions.approve(asked, presses(ADA), reason="w-secret")
    assert store.get(asked.id) == yes
    assert (yes.state, yes.decided_account, yes.usable_until) == (QuestionState.APPROVED, ADA, T0 + 901)
    assert questions.approve(asked, presses(BOB)) == yes
    assert refused(questions.deny, asked).state == QuestionState.APPROVED
    told = store.text(asked.id)
    assert told is not None
    assert told.reason == "w-secret"
    questions.consistent()

    once = questions.use(asked, key="u1")
    assert once == questions.use(asked, now=T0 + 3, key="u1") == store.get(asked.id)
    assert refused(questions.use, asked, key="u2").reason is AskRefusal.ALREADY_USED
    assert refused(questions.use, asked).reason is AskRefusal.ALREADY_USED
    questions.consistent()
    items = questions.harness.items()
    assert "-secret" not in str(items)
    [record] = [item for item in items if item["sk"]["S"] == "ask"]
    [words] = questions.texts.partition(f"ask#{asked.id}")
    assert record["ttl"] == words["ttl"] == {"N": str(T0 + 2 + KEPT_SECONDS)}


def test_every_end_leaves_its_place(questions: Asking) -> None:
    """A16: denied, cancelled, expired and lapsed are final, free what they held, and go 30 days after."""
    asked = [questions.ask(f"{number}", expires_in=60 + number) for number in range(5)]
    questions.deny(asked[0])
    questions.cancel(asked[1])
    for at in (2, 3):
        questions.approve(asked[at], presses(ADA), now=T0 + 1)
    questions.cancel(asked[2], now=T0 + 2)
    questions.consistent()
    assert questions.store.tidy(T0 + 63) == []
    late = T0 + 1000
    assert {one.id for one in questions.store.tidy(late)} == {asked[3].id, asked[4].id}
    assert questions.store.tidy(late) == []
    questions.consistent()
    ended = [questions.store.get(one.id) for one in asked]
    assert [one.state for one in ended if one] == ["denied", "cancelled", "cancelled", "lapsed", "expired"]
    for one in asked:
        for act in (questions.approve, questions.use):
            assert refused(act, one, now=late).state in {"", "denied", "cancelled", "lapsed", "expired"}
    assert [one for one in ended if one] == [questions.store.get(one.id) for one in asked]
    states = [one.state for one in questions.store.listed(late)]
    assert sorted(states) == ["cancelled", "cancelled", "denied", "expired", "lapsed"]
    assert [one.id for one in questions.store.listed(late, state=QuestionState.DENIED, asker=CI.id)] == [asked[0].id]
    assert questions.store.listed(late, asker=OTHER.id) == []


def test_time_is_a_condition_of_each_write(questions: Asking) -> None:
    """A16: whoever has read a question before its end and writes after it changes nothing, although it says pending."""
    asked = questions.ask(expires_in=60)
    other = questions.ask("other", expires_in=60)
    assert questions.approve(asked, now=T0 + 59).state is QuestionState.APPROVED
    assert refused(questions.approve, other, now=T0 + 60).reason is AskRefusal.EXPIRED
    stored = questions.store.get(other.id)
    assert stored is not None
    assert (stored.state, stored.standing(T0 + 60)) == (QuestionState.PENDING, QuestionState.EXPIRED)
    assert [one.id for one in questions.store.listed(T0 + 60, state=QuestionState.EXPIRED)] == [other.id]
    assert refused(questions.use, asked, now=T0 + 59 + 900).reason is AskRefusal.LAPSED


def test_the_same_again_is_the_same(questions: Asking) -> None:
    """A14, fault 14: a key is one question, for ever; so are the same words while they wait, and for ten minutes after a denial."""
    first = questions.ask(key="k1")
    assert questions.ask(key="k1", now=T0 + 5) == first
    assert refused(questions.ask, "other", key="k1").reason is AskRefusal.KEY_REUSED
    # Also without the key, and by another key, which from then on means it.
    assert questions.ask(now=T0 + 5) == first
    assert questions.ask(key="k2", now=T0 + 5) == first
    other = questions.ask("other", key="k3")
    assert refused(questions.ask, key="k3").reason is AskRefusal.KEY_REUSED
    assert other != questions.ask("other", asker=OTHER)
    no = questions.deny(first, now=T0 + 10)
    for now in (T0 + 11, T0 + 10 + DENIAL_HOLDS_SECONDS - 1):
        assert questions.ask(now=now) == no
    assert questions.ask(now=T0 + 10 + DENIAL_HOLDS_SECONDS).id != first.id
    for key in ("k1", "k2"):
        assert questions.ask(key=key, now=T0 + 9999) == no
    # What was approved, taken back or expired is another question when it is asked again.
    for end in (questions.approve, questions.cancel):
        again = questions.ask("other", now=T0 + 20)
        end(again, now=T0 + 21)
        assert questions.ask("other", now=T0 + 21).id != again.id
    last = questions.ask("other", now=T0 + 21)
    assert questions.ask("other", now=last.expires_at - 1) == last
    assert questions.ask("other", now=last.expires_at).id != last.id


def test_limits(questions: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    """A15: the 21st that waits and the 61st in an hour are refused with a time to wait; another asker is not; what is overdue makes room."""
    assert (MAX_PENDING_OF_ONE, MAX_PENDING_OF_ALL, MAX_AN_HOUR) == (20, 100, 60)
    # As many as show it: each costs a transaction.
    for module in (question_parts, question_store):
        monkeypatch.setattr(module, "MAX_PENDING_OF_ONE", 3)
    monkeypatch.setattr(question_parts, "MAX_AN_HOUR", 7)
    for number in range(3):
        asked = questions.ask(f"{number}", now=T0 + number, expires_in=600)
    full = refused(questions.ask, "more", now=T0 + 20)
    assert (full.reason, full.retry_after) == (AskRefusal.TOO_MANY_PENDING, 580)
    assert questions.ask("0", now=T0 + 20).state is QuestionState.PENDING
    questions.ask("more", now=T0 + 20, asker=OTHER)
    questions.cancel(asked, now=T0 + 20)
    questions.ask("more", now=T0 + 20, expires_in=600)
    # Everything is overdue: three more.
    for number in range(3):
        questions.ask(f"{number}", now=T0 + 700, expires_in=600)
    often = refused(questions.ask, "more", now=T0 + 2200)
    assert (often.reason, often.retry_after) == (AskRefusal.TOO_OFTEN, 1400)
    assert refused(questions.ask, "more", now=T0 + 3599).retry_after == 1
    questions.ask("more", now=T0 + 3600)
    questions.consistent()


def test_places_of_all(questions: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    """A15: only so many wait, however many ask; those that are overdue, or are lost, make room."""
    monkeypatch.setattr(question_parts, "MAX_PENDING_OF_ALL", 4)
    questions.harness.table.update(
        "asks",
        "open",
        UpdateExpression="ADD #open :ids",
        ExpressionAttributeNames={"#open": "open"},
        ExpressionAttributeValues={":ids": {"SS": [number * 16 for number in "234"]}},
    )
    last = questions.ask(expires_in=60)
    # Those that are listed and are not there hold no place.
    assert questions.ask("more").state is QuestionState.PENDING
    questions.consistent()
    for number in range(2):
        questions.ask(f"{number}", asker=Asker(id=f"{number:016x}", label="token"))
    assert refused(questions.ask, "one more", asker=OTHER).retry_after == 60
    assert questions.ask("one more", asker=OTHER, now=T0 + 60).state is QuestionState.PENDING
    ended = questions.store.get(last.id)
    assert ended is not None
    assert ended.state is QuestionState.EXPIRED


def test_whoever_is_muted_is_refused(questions: Asking) -> None:
    """A15: a muted asker asks nothing, not even again what waits with a new key; nothing is approved by it; it ends."""
    asked = questions.ask()
    questions.store.mute(CI.id, muted=True)
    assert questions.store.muted() == {CI.id: CI.label}
    error = refused(questions.ask, "more")
    assert (error.reason, error.retry_after) == (AskRefusal.MUTED, 3600)
    assert questions.ask("more", asker=OTHER).state is QuestionState.PENDING
    assert questions.store.get(asked.id) == asked
    questions.store.mute(CI.id, muted=False)
    questions.ask("more")
    assert questions.store.muted() == {}


def test_another_askers_is_not_there(questions: Asking) -> None:
    """A19, fault 1: another's question is used and taken back by nobody, and is refused as one that never was."""
    asked = questions.ask()
    questions.approve(asked)
    for act in (questions.use, questions.cancel):
        theirs = refused(act, asked, asker=OTHER)
        assert theirs.reason is AskRefusal.UNKNOWN_QUESTION
        with pytest.raises(QuestionRefusedError, match=str(theirs)):
            questions.store.use("A" * 16, OTHER.id, T0, digest=asked.digest)
    assert refused(questions.store.approve, "A" * 16, PAGE, T0, digest="").reason is AskRefusal.UNKNOWN_QUESTION


def test_owners_by_claim_and_persons(questions: Asking) -> None:
    """A7, A9, A10: a quorum is of persons by their labels, who own the bot at the moment of the last approval."""
    harness = questions.harness
    eve, eves, mallory = (
        becomes_owner(harness, user, label) for user, label in (("1", "Eve"), ("2", "eve"), ("3", ""))
    )
    with pytest.raises(InvalidQuestionError, match="2 person"):
        questions.ask(approvals=3, owners=(eve, eves, mallory))
    with pytest.raises(InvalidQuestionError, match="owns nothing"):
        questions.ask(owners=("telegram:999",))
    asked = questions.ask(approvals=2)
    assert refused(questions.approve, asked, presses("telegram:999")).reason is AskRefusal.NOT_AN_OWNER
    assert questions.approve(asked, presses(eve)).approvals_left == 1
    assert questions.approve(asked, presses(eves)).approvals_left == 1
    assert refused(questions.approve, asked, PAGE).reason is AskRefusal.NOT_NAMED
    for user in ("1", "3"):
        gone = Order(operation=Operation.REMOVE_OWNER, platform=TELEGRAM, user_id=user, last=True)
        harness.desk.decide(OWNER, gone, T0 + 1)
    assert refused(questions.approve, asked, presses(mallory)).reason is AskRefusal.NOT_AN_OWNER
    after = questions.approve(asked, presses(ADA))
    assert (after.state, [one.account for one in after.given]) == (QuestionState.PENDING, [ADA])
    # Whoever was counted and is gone holds up no denial.
    assert questions.deny(asked, presses(eves)).decided_account == eves


def test_an_owner_who_is_removed_while_deciding(questions: Asking) -> None:
    """A10: whoever is removed between the look and the write has decided nothing."""
    harness = questions.harness
    eve = becomes_owner(harness, "1")
    asked = questions.ask()

    def remove(call: str) -> None:
        if call == "transact_write_items":
            harness.client.before = lambda _: None
            gone = Order(operation=Operation.REMOVE_OWNER, platform=TELEGRAM, user_id="1", last=True)
            harness.again().desk.decide(OWNER, gone, T0 + 1)

    for act in (questions.approve, questions.deny):
        harness.client.before = remove
        assert refused(act, asked, presses(eve)).reason is AskRefusal.NOT_AN_OWNER
        becomes_owner(harness, "1", delivery=act.__name__)
    assert questions.store.get(asked.id) == asked


def test_beside_the_states(questions: Asking) -> None:
    """Who was reached is noted without a move, and survives one; a reason is taken from who decided, for ten minutes."""
    store = questions.store
    asked = questions.ask()
    store.note_reached("A" * 16, 1)
    assert store.get("A" * 16) is None
    assert asked.reached == NOT_YET_KNOWN
    store.note_reached(asked.id, 2)
    no = questions.deny(asked, presses(ADA), now=T0 + 1)
    assert (no.reached, no.rev, no.reasoned) == (2, 2, False)
    assert store.explain(asked.id, BOB, "not mine", T0 + 2) is None
    assert store.explain(asked.id, ADA, "late", T0 + 601) is None
    explained = store.explain(asked.id, ADA, "Not on a Friday", T0 + 600)
    assert store.explain(asked.id, ADA, "Twice", T0 + 600) is None
    assert explained == store.get(asked.id)
    told, text = store.get(asked.id), store.text(asked.id)
    assert told is not None
    assert text is not None
    assert (told.reasoned, told.rev, text.reason) == (True, 3, "Not on a Friday")
    assert store.text("A" * 16) is None


def test_an_answer_that_was_lost(questions: Asking) -> None:
    """A3, A14: a write that was made although no answer came is found by its own retry, and made once."""
    harness = questions.harness
    harness.pass_no_time()

    def once(act: Callable[..., Question], *given: Any, **named: Any) -> Question:
        harness.client.after = fails("transact_write_items", iter([timeout()]))
        return act(*given, **named)

    asked = once(questions.ask, key="k1")
    assert questions.store.open_questions() == [asked]
    assert once(questions.approve, asked, presses(ADA)).rev == 2
    assert once(questions.use, asked).rev == 3
    assert refused(once, questions.use, asked).reason is AskRefusal.ALREADY_USED


def test_items_of_a_version_to_come(questions: Asking) -> None:
    """What cannot be read is never guessed at, and hides no other."""
    asked, other = questions.ask(), questions.ask("other")
    for pk, table in ((f"ask#{asked.id}", questions.harness.table), (f"ask#{asked.id}", questions.texts)):
        sk, name = ("ask", "state") if table is questions.harness.table else ("text", "words")
        table.update(
            pk, sk, UpdateExpression="SET #name = :new", ExpressionAttributeNames={"#name": name},
            ExpressionAttributeValues={":new": {"S": "other"}},
        )  # fmt: skip
    with pytest.raises(UnreadableItemError):
        questions.store.get(asked.id)
    with pytest.raises(UnreadableItemError):
        questions.store.text(asked.id)
    assert questions.store.open_questions() == [other]

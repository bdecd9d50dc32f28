"""The states of a question: nothing but an approval, used in its time, is a yes."""

from collections.abc import Callable
from typing import Any

import pytest
from msgspec import structs

from doorcode.asking import moves
from doorcode.asking.moves import MOVES, QuestionMove, approved, cancelled, check_ballot, denied, overdue, step, used
from doorcode.asking.question import ENDED, Question, QuestionState, Voter
from doorcode.asking.refusals import SENTENCES, AskRefusal, QuestionRefusedError
from doorcode.asking.telling import events
from doorcode.pairing.contact import Via
from tests.unit.asking.questions import ADA, ASKER, BOB, OPERATOR_BY_PAGE, T0, everybody, owner, question

OTHERS = "sha256:" + "0" * 64


def in_state(state: QuestionState) -> Question:
    """Give a question that got there by its moves."""
    asked = question()
    yes = approved(asked, owner(ADA), T0, everybody)
    made = {
        QuestionState.PENDING: asked,
        QuestionState.APPROVED: yes,
        QuestionState.DENIED: denied(asked, owner(ADA), T0),
        QuestionState.EXPIRED: overdue(asked, asked.expires_at),
        QuestionState.CANCELLED: cancelled(asked, owner(ADA), T0),
        QuestionState.USED: used(yes, yes.digest, T0, "k"),
        QuestionState.LAPSED: overdue(yes, yes.usable_until),
    }[state]
    assert made is not None
    assert made.state is state
    return made


def refusal(act: Callable[..., object], *given: Any, **named: Any) -> AskRefusal:
    """Give the reason for which something is refused."""
    with pytest.raises(QuestionRefusedError) as refused:
        act(*given, **named)
    assert str(refused.value) == SENTENCES[AskRefusal(refused.value.reason)]
    return AskRefusal(refused.value.reason)


def test_the_matrix() -> None:
    """Security 47, A1, A16: nothing leads to a yes but an approval of what waits; nothing leads out of an end."""
    for state in QuestionState:
        asked = in_state(state)
        for move, to in MOVES[state].items():
            if isinstance(to, AskRefusal):
                assert refusal(step, asked, move, T0) is to
            else:
                assert step(asked, move, T0) is to
                assert to is state or state not in ENDED
    leads_to = {
        (state, move): to for state, row in MOVES.items() for move, to in row.items() if to in {"approved", "used"}
    }
    assert leads_to == {
        (QuestionState.PENDING, QuestionMove.APPROVE): QuestionState.APPROVED,
        (QuestionState.APPROVED, QuestionMove.APPROVE): QuestionState.APPROVED,
        (QuestionState.APPROVED, QuestionMove.USE): QuestionState.USED,
        (QuestionState.USED, QuestionMove.APPROVE): QuestionState.USED,
    }
    assert set(AskRefusal) == set(SENTENCES)


def test_time_is_applied_whoever_has_tidied_up() -> None:
    """Security 47, A16: at its very second a question is expired and an approval lapsed, although nothing was written."""
    asked = question()
    last = asked.expires_at - 1
    assert asked.standing(last) is QuestionState.PENDING
    assert asked.standing(last + 1) is QuestionState.EXPIRED
    for act in (
        lambda: approved(asked, owner(ADA), last + 1, everybody),
        lambda: denied(asked, owner(ADA), last + 1),
        lambda: cancelled(asked, owner(ADA), last + 1),
        lambda: used(asked, asked.digest, last + 1, ""),
    ):
        assert refusal(act) is AskRefusal.EXPIRED
    yes = approved(asked, owner(ADA), last, everybody)
    assert yes.usable_until == last + asked.valid_for
    assert used(yes, yes.digest, yes.usable_until - 1, "k").state is QuestionState.USED
    assert refusal(used, yes, yes.digest, yes.usable_until, "k") is AskRefusal.LAPSED
    assert overdue(asked, last) is None
    assert overdue(yes, yes.usable_until - 1) is None
    assert overdue(in_state(QuestionState.EXPIRED), T0 * 2) is None


def test_a_use_is_one() -> None:
    """A3, fault 11: an approval is used once; the same key again is the same use, another one is refused."""
    yes = in_state(QuestionState.APPROVED)
    once = used(yes, yes.digest, T0 + 1, "k")
    assert (once.used_at, once.ended_at, once.rev) == (T0 + 1, T0 + 1, yes.rev + 1)
    assert used(once, yes.digest, T0 + 9, "k") is once
    assert refusal(used, once, yes.digest, T0 + 1, "other") is AskRefusal.ALREADY_USED
    assert refusal(used, in_state(QuestionState.DENIED), yes.digest, T0, "k") is AskRefusal.NOT_APPROVED


def test_another_digest_moves_nothing() -> None:
    """Security 48, A4, fault 5: who decides on or uses something else than what was asked changes nothing."""
    asked, yes = question(), in_state(QuestionState.APPROVED)
    assert refusal(check_ballot, asked, owner(ADA), OTHERS, everybody) is AskRefusal.DIGEST_MISMATCH
    assert refusal(used, yes, OTHERS, T0, "k") is AskRefusal.DIGEST_MISMATCH
    check_ballot(asked, owner(ADA), asked.digest, everybody)


def test_who_may_decide() -> None:
    """Security 49, A7, A8: not who asks, not who is no owner, not an owner whom the question does not name."""
    asked = question(owners=(ADA,))

    def ballot(voter: Voter, is_owner: Callable[[str], bool] = everybody) -> AskRefusal:
        # Whoever may not is told nothing of what it is: not even that the digest is wrong.
        return refusal(check_ballot, asked, voter, OTHERS, is_owner)

    assert ballot(Voter(via=Via.API, by="token ci", caller=ASKER.id)) is AskRefusal.OWN_QUESTION
    assert ballot(owner(BOB)) is AskRefusal.NOT_AN_OWNER
    assert ballot(owner(ADA), lambda _: False) is AskRefusal.NOT_AN_OWNER
    assert ballot(owner(ADA)) is AskRefusal.DIGEST_MISMATCH
    check_ballot(asked, OPERATOR_BY_PAGE, asked.digest, everybody)
    assert denied(asked, OPERATOR_BY_PAGE, T0).state is QuestionState.DENIED
    for narrow in (asked, question(approvals=2)):
        assert refusal(approved, narrow, OPERATOR_BY_PAGE, T0, everybody) is AskRefusal.NOT_NAMED
    plain = approved(question(), OPERATOR_BY_PAGE, T0, everybody)
    assert (plain.state, plain.decided_by, [one.person for one in plain.given]) == (
        QuestionState.APPROVED, "alice@laptop", [moves.OPERATOR],
    )  # fmt: skip


def test_a_quorum_counts_persons() -> None:
    """A9: two accounts of one person are one; the same account again changes nothing; two persons are two."""
    asked = question(approvals=2)
    once = approved(asked, owner(ADA, "ada"), T0, everybody)
    assert (once.state, once.approvals_left, once.rev) == (QuestionState.PENDING, 1, 2)
    assert approved(once, owner(BOB, "ada"), T0 + 1, everybody) is once
    assert approved(once, owner(ADA, "ada"), T0 + 1, everybody) is once
    both = approved(once, owner(BOB), T0 + 2, everybody)
    assert (both.state, both.approvals_left, both.decided_account) == (QuestionState.APPROVED, 0, BOB)
    assert both.usable_until == T0 + 2 + asked.valid_for
    assert denied(once, owner(BOB), T0 + 2).state is QuestionState.DENIED


def test_who_is_an_owner_no_more_is_not_counted() -> None:
    """A10: an approval given before its giver was removed does not count at the last one."""
    once = approved(question(approvals=2), owner(ADA), T0, everybody)
    again = approved(once, owner(BOB), T0 + 1, lambda account: account == BOB)
    assert again.state is QuestionState.PENDING
    assert [one.account for one in again.given] == [BOB]


def test_the_same_again_is_done_already() -> None:
    """Fault 14: a second equal decision is the first one's; a contrary one is told which holds."""
    yes, no, gone = map(in_state, (QuestionState.APPROVED, QuestionState.DENIED, QuestionState.CANCELLED))
    assert approved(yes, owner(BOB), T0 + 1, everybody) is yes
    assert denied(no, owner(BOB), T0 + 1) is no
    assert cancelled(gone, owner(BOB), T0 + 1) is gone
    with pytest.raises(QuestionRefusedError) as refused:
        denied(yes, owner(BOB), T0 + 1)
    assert (refused.value.reason, refused.value.state) == (AskRefusal.ALREADY_DECIDED, "approved")
    assert cancelled(yes, owner(BOB), T0 + 1).state is QuestionState.CANCELLED


def test_choices() -> None:
    """A question with choices is approved with one of them; one without takes none; another one is contrary."""
    asked = question(choices=("Staging", "Production"))
    for choice in (0, 3, -1):
        wrong = refusal(approved, asked, owner(ADA), T0, everybody, choice=choice)
        assert wrong is AskRefusal.UNKNOWN_CHOICE
    assert refusal(approved, question(), owner(ADA), T0, everybody, choice=1) is AskRefusal.UNKNOWN_CHOICE
    yes = approved(asked, owner(ADA), T0, everybody, choice=2)
    assert yes.choice == 2
    assert approved(yes, owner(BOB), T0, everybody, choice=2) is yes
    contrary = refusal(approved, yes, owner(BOB), T0, everybody, choice=1)
    assert contrary is AskRefusal.ALREADY_DECIDED


def test_a_number_to_match() -> None:
    """The right number approves, also of two persons; any other one is a denial, at the first try; nothing is approved without."""
    asked = question(match=True)
    assert (asked.numbers, asked.match) == ((12, 47, 83), 47)
    assert refusal(approved, asked, owner(ADA), T0, everybody) is AskRefusal.NUMBER_NEEDED
    assert refusal(approved, question(), owner(ADA), T0, everybody, match=47) is AskRefusal.NO_NUMBER
    for wrong in (12, 83, 10, 99):
        no = approved(asked, owner(ADA), T0, everybody, match=wrong)
        assert (no.state, no.mismatched, no.decided_account, no.ended_at) == (QuestionState.DENIED, True, ADA, T0)
        assert refusal(approved, no, owner(ADA), T0, everybody, match=47) is AskRefusal.ALREADY_DECIDED
    yes = approved(asked, owner(ADA), T0, everybody, match=47)
    assert (yes.state, yes.mismatched) == (QuestionState.APPROVED, False)
    assert approved(yes, owner(BOB), T0, everybody, match=47) is yes
    assert refusal(approved, yes, owner(BOB), T0, everybody, match=12) is AskRefusal.ALREADY_DECIDED
    once = approved(question(match=True, approvals=2), owner(ADA), T0, everybody, match=47)
    assert once.state is QuestionState.PENDING
    assert approved(once, owner(BOB), T0, everybody, match=12).state is QuestionState.DENIED
    narrow = question(match=True, owners=(ADA,))
    assert refusal(approved, narrow, OPERATOR_BY_PAGE, T0, everybody, match=12) is AskRefusal.NOT_NAMED


def test_events_say_who_did_what() -> None:
    """Whoever takes an approval back is not told of as who gave it, also where both are told at once."""
    gone = cancelled(in_state(QuestionState.APPROVED), Voter(via=Via.API, by="token ci"), T0 + 1)
    told = {event.type: (event.detail["decided_by"], event.detail["decided_via"]) for event in events(gone)}
    assert told == {"ask_requested": ("", ""), "ask_approved": ("111", "button"), "ask_cancelled": ("token ci", "api")}


def test_every_move_is_another_revision() -> None:
    """Whatever moves a question raises its revision by one, which every write is conditional on."""
    for state in ENDED | {QuestionState.APPROVED}:
        made = in_state(state)
        assert made.rev == (3 if state in {QuestionState.USED, QuestionState.LAPSED} else 2)
        assert bool(made.ended_at) is (state in ENDED)
    assert structs.replace(question(), approvals=3).approvals_left == 3

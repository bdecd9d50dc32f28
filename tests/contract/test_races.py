"""Real threads against databases that are atomic: exactly one wins, and the others are told what really holds."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from doorcode.aws.budget import MessageBudget
from doorcode.aws.waiting_room import RequestOutcome
from doorcode.errors import LockedOutError, RefusedError, UnknownCodeError
from doorcode.pairing.contact import Contact, State, Via
from doorcode.pairing.decisions import Actor
from doorcode.pairing.transitions import Operation, Refusal, RequestVerdict
from tests.contract.racers import RACERS, Racers
from tests.harness import COOLDOWN, T0, TELEGRAM, TTL, Harness

ROUNDS = 2


def owner(number: int) -> Actor:
    """Name one of many owners."""
    return Actor(via=Via.API, id=f"owner-{number}")


def decides(
    operation: Operation, user: str, number: int = 0, now: int = T0 + 1, **order: Any
) -> Callable[[Harness], Contact]:
    """Make an act: a decision by an owner of that number."""
    return lambda harness: harness.decide(operation, now, owner(number), user_id=user, **order)


def approves(number: int, now: int = T0 + 1, **order: Any) -> Callable[[Harness], Contact]:
    """Make an act: an approval by an owner of that number, of whoever the order says."""
    return lambda harness: harness.decide(Operation.APPROVE, now, owner(number), **order)


def asks(user: str, now: int = T0, **message: Any) -> Callable[[Harness], RequestOutcome]:
    """Make an act: somebody asks to be let in."""
    return lambda harness: harness.request(user, now, **message)


def winners(results: Sequence[Any]) -> list[Contact]:
    """Return what came of those who won."""
    return [result for result in results if isinstance(result, Contact)]


def losers(results: Sequence[Any]) -> list[RefusedError]:
    """Return what the others were told."""
    return [result for result in results if isinstance(result, RefusedError)]


def consistent(harness: Harness) -> None:
    """Check that seats and pending contacts are the same people."""
    items = harness.items()
    held = {
        item["user_id"]["S"]: item["sk"]["S"]
        for item in items
        if item["pk"]["S"].startswith("seats#") and "freed_at" not in item
    }
    pending = {
        item["pk"]["S"].partition("#")[2]: item["seat"]["S"]
        for item in items
        if item["sk"]["S"] == "contact" and item["state"]["S"] == "pending"
    }
    assert held == pending


def test_many_approvals_of_one_code(racers: Racers) -> None:
    """Security 17: of 16 approvals of one code exactly one wins; the others are told who won."""
    for n in range(ROUNDS):
        user = f"{1000 + n}"
        racers.harness.request(user)
        code = racers.harness.code(user)
        results = racers.all_at_once([approves(k, code=code) for k in range(RACERS)])
        [winner] = winners(results)
        told = {(error.reason, error.state, error.decided_by) for error in losers(results)}
        assert told == {(Refusal.ALREADY_PAIRED, State.PAIRED, winner.decided_by)}
        assert len(losers(results)) == RACERS - 1
        assert racers.harness.room.get(TELEGRAM, user) == winner
    consistent(racers.harness)


def test_one_press_delivered_many_times(racers: Racers) -> None:
    """Security 4, 17: a press that arrives many times at once blocks once, and not again after it was taken back."""
    racers.harness.request("1")
    code = racers.harness.code("1")
    presser = Actor(via=Via.BUTTON, id="9", platform=TELEGRAM)

    def press(harness: Harness) -> Contact:
        return harness.again(owners=((TELEGRAM, "9"),)).decide(
            Operation.BLOCK, T0 + 1, presser, user_id="1", code=code, delivery_id="press-1"
        )

    taken_back = decides(Operation.UNBLOCK, "1")
    results = racers.all_at_once([press] * (RACERS // 2) + [taken_back] * (RACERS // 2))
    blocked = [one for one in winners(results) if one.state is State.BLOCKED]
    assert len(blocked) == 1
    assert {error.reason for error in losers(results)} <= {
        Refusal.ALREADY_BLOCKED, Refusal.REPEATED, Refusal.NOT_BLOCKED,
    }  # fmt: skip
    assert racers.harness.room.get(TELEGRAM, "1").presses == "press-1"


def test_approve_against_deny(racers: Racers) -> None:
    """Security 17: two owners press different buttons; one holds, and the other owner is told it."""
    for n in range(ROUNDS * 3):
        user = f"{1000 + n}"
        racers.harness.request(user)
        results = racers.all_at_once([decides(Operation.APPROVE, user, 1), decides(Operation.DENY, user, 2)])
        [winner], [loser] = winners(results), losers(results)
        assert racers.harness.room.get(TELEGRAM, user) == winner
        assert (loser.state, loser.decided_by) == (winner.state, winner.decided_by)
    consistent(racers.harness)


def test_approve_against_expiry(racers: Racers) -> None:
    """Security 14, 17: an approval in the last second races a sweep whose clock is a second ahead; one holds."""
    outcomes = Counter[State]()
    for n in range(ROUNDS * 3):
        user = f"{1000 + n}"
        racers.harness.request(user)
        results = racers.all_at_once(
            [
                decides(Operation.APPROVE, user, now=T0 + TTL - 1),
                lambda harness: harness.room.expire_overdue(TELEGRAM, T0 + TTL),
            ]
        )
        final = racers.harness.room.get(TELEGRAM, user)
        outcomes[final.state] += 1
        if final.state is State.PAIRED:
            assert winners(results) == [final]
            assert results[1].expired == []
        else:
            assert [contact.user_id for contact in results[1].expired] == [user]
            assert losers(results)[0].reason == Refusal.EXPIRED
    assert set(outcomes) <= {State.PAIRED, State.EXPIRED}
    consistent(racers.harness)


def test_approve_against_revoke_and_a_new_request(racers: Racers) -> None:
    """Security 16, 18: an approval of the first request never acts on what came after it."""
    for n in range(ROUNDS):
        user = f"{1000 + n}"
        racers.harness.request(user)
        code = racers.harness.code(user)

        def revoke_and_ask_again(harness: Harness, user: str = user) -> RequestOutcome | RefusedError:
            try:
                harness.decide(Operation.REVOKE, T0 + 1, owner(2), user_id=user)
            except RefusedError as error:
                return error
            return harness.request(user, T0 + COOLDOWN)

        results = racers.all_at_once(
            [
                approves(1, user_id=user, code=code),
                revoke_and_ask_again,
                asks(user, T0 + COOLDOWN),
            ]
        )
        final = racers.harness.room.get(TELEGRAM, user)
        if final.state is State.PENDING:
            assert racers.harness.code_of(final) != code
            assert (final.decided_by, final.paired_at) == ("", 0)
        else:
            assert final.state in {State.PAIRED, State.REVOKED}
        assert len(winners(results)) <= 1
    consistent(racers.harness)


def test_the_sweep_against_everything(racers: Racers) -> None:
    """Security 17: sweeps, decisions, blocks and new requests at the edge of time leave one consistent truth."""
    for n in range(ROUNDS):
        user = f"{1000 + n}"
        racers.harness.request(user)
        results = racers.all_at_once(
            [
                lambda harness: harness.room.expire_overdue(TELEGRAM, T0 + TTL),
                decides(Operation.APPROVE, user, 1, now=T0 + TTL - 1),
                lambda harness: harness.room.expire_overdue(TELEGRAM, T0 + TTL + 1),
                decides(Operation.DENY, user, 2, now=T0 + TTL - 1),
                asks(user, T0 + TTL),
                decides(Operation.BLOCK, user, 3, now=T0 + TTL),
            ]
        )
        final = racers.harness.room.get(TELEGRAM, user)
        # A block is allowed from everywhere, so it always gets its turn, and nothing but an unblock follows it.
        assert final.state is State.BLOCKED
        states = Counter(contact.state for contact in winners(results))
        assert states[State.BLOCKED] == 1
        # One decision for each request: after a denial the person may have asked anew before the approval came.
        decided = [contact.nonce for contact in winners(results) if contact.state in {State.PAIRED, State.DENIED}]
        assert len(decided) == len(set(decided))
        assert sum(len(results[n].expired) for n in (0, 2)) <= 2
    consistent(racers.harness)


def test_one_message_delivered_fifty_times(racers: Racers) -> None:
    """Security 4, 25: however often and concurrently one message arrives: one code, one seat, one same answer."""
    for n in range(ROUNDS):
        user = f"{1000 + n}"
        results = racers.one_after_another_in_a_crowd([asks(user, delivery="d")] * 50)
        verdicts = Counter(outcome.verdict for outcome in results)
        assert verdicts == {RequestVerdict.NEW: 1, RequestVerdict.AGAIN: 49}
        assert len({outcome.contact.nonce for outcome in results}) == 1
        racers.harness.decide(Operation.DENY, user_id=user)
        assert racers.harness.request(user, T0 + COOLDOWN, delivery="d").verdict is RequestVerdict.RATE_LIMITED
    assert racers.harness.held_seats() == []


def test_many_messages_of_one_person(racers: Racers) -> None:
    """Security 25: sixteen messages at once are one request, and fifteen rate limited."""
    for n in range(ROUNDS):
        user = f"{1000 + n}"
        results = racers.all_at_once([asks(user, delivery=f"d{k}") for k in range(RACERS)])
        verdicts = Counter(outcome.verdict for outcome in results)
        assert verdicts == {RequestVerdict.NEW: 1, RequestVerdict.RATE_LIMITED: RACERS - 1}
    assert len(racers.harness.held_seats()) == ROUNDS


def test_seventy_strangers_for_twenty_seats(racers: Racers) -> None:
    """Security 26: exactly as many as there are seats get in; the next does as soon as one is decided on."""
    racers.harness = racers.harness.again(max_pending=20)
    results = racers.one_after_another_in_a_crowd([asks(f"{1000 + n}") for n in range(70)])
    verdicts = Counter(outcome.verdict for outcome in results)
    assert verdicts == {RequestVerdict.NEW: 20, RequestVerdict.FULL: 50}
    assert len(racers.harness.directory.pending(TELEGRAM, T0)) == 20
    refused = next(outcome.contact.user_id for outcome in results if outcome.verdict is RequestVerdict.FULL)
    admitted = next(outcome.contact.user_id for outcome in results if outcome.verdict is RequestVerdict.NEW)
    racers.harness.decide(Operation.DENY, user_id=admitted)
    assert racers.harness.request(refused).verdict is RequestVerdict.NEW
    consistent(racers.harness)


def test_a_rush_for_few_seats_above_a_lowered_cap(racers: Racers) -> None:
    """The cap holds under a rush also while seats above it are still held."""
    for n in range(8):
        racers.harness.request(f"old{n}")
    racers.harness = racers.harness.again(max_pending=6)
    for n in range(4):
        racers.harness.decide(Operation.DENY, user_id=f"old{n}")
    results = racers.all_at_once([asks(f"new{n}", T0 + 2) for n in range(RACERS)])
    assert Counter(outcome.verdict for outcome in results)[RequestVerdict.NEW] == 2
    assert len(racers.harness.held_seats()) == 6


def test_a_rush_when_every_seat_is_overdue(racers: Racers) -> None:
    """Overdue seats are freed for those who come, each once, and their holders are expired."""
    racers.harness = racers.harness.again(max_pending=10)
    for n in range(10):
        racers.harness.request(f"old{n}")
    results = racers.all_at_once([asks(f"new{n}", T0 + TTL) for n in range(RACERS)])
    assert Counter(outcome.verdict for outcome in results)[RequestVerdict.NEW] == 10
    assert {racers.harness.room.get(TELEGRAM, f"old{n}").state for n in range(10)} == {State.EXPIRED}
    consistent(racers.harness)


def test_guesses_in_parallel_are_all_counted(racers: Racers) -> None:
    """Security 13: of 16 wrong codes at once five are compared; the others are refused unread."""
    guess = approves(1, T0, code="AAAAAAAA")
    results = racers.all_at_once([guess] * RACERS)
    assert Counter(type(result) for result in results) == {UnknownCodeError: 5, LockedOutError: RACERS - 5}


def test_a_budget_under_a_rush(racers: Racers) -> None:
    """The message budget holds across functions."""
    spent = racers.all_at_once(
        [lambda harness: MessageBudget(harness.table, 10).spend(TELEGRAM, "1", str(id(harness)), T0)] * RACERS
    )
    assert Counter(spent) == {True: 10, False: RACERS - 10}

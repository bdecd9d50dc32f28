"""Random operations and steps of time over a few contacts, against a small model made from the matrix."""

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from msgspec import Struct

from doorcode.errors import RefusedError, UnknownCodeError
from doorcode.pairing.contact import Contact, Standing, State, Via
from doorcode.pairing.decisions import Actor
from doorcode.pairing.transitions import MATRIX, CooldownChange, Move, Operation, Refusal, RequestVerdict
from tests.backends import dynamodb, in_process
from tests.harness import HARNESSES, T0, TELEGRAM, Harness

CODE_TTL, COOLDOWN, DAY = 300, 120, 86_400
USERS = st.sampled_from(["1", "2", "3", "12", "21", "11"])
PRESENT = {State.NONE, State.REVOKED, State.EXPIRED}


class Person(Struct):
    """What the model knows of one contact."""

    state: State = State.NONE
    expires_at: int = 0
    next_at: int = 0
    # How long the last request had to wait for the next one, and how often in a row it was doubled.
    cooldown: int = COOLDOWN
    doublings: int = 0
    until: int = 0
    delivery: str = ""
    code: str = ""

    def standing(self, now: int) -> Standing:
        """Read the table of states in the design, in its own words."""
        if self.state in PRESENT or (self.state is State.PAIRED and 0 < self.until <= now):
            return Standing.NONE
        if self.state is State.PENDING and self.expires_at <= now:
            return Standing.OVERDUE
        return Standing(self.state)

    def come_to_nothing(self, at: int) -> None:
        """Wait twice as long from then on."""
        self.next_at = at + min(2 * self.cooldown, DAY)
        self.doublings += self.cooldown < DAY


class WaitingRoomMachine(RuleBasedStateMachine):
    """Does to a room what people do, and says beforehand what must come of it."""

    @initialize(max_pending=st.integers(1, 4))
    def open_the_harness(self, max_pending: int) -> None:
        """Begin with an empty table."""
        self.mock = in_process.aws()
        self.mock.__enter__()
        client = in_process.client("dynamodb")
        dynamodb.create_table(client, "doorcode")
        self.harness = Harness(
            dynamodb.Table(client, "doorcode"), code_ttl=CODE_TTL, code_cooldown=COOLDOWN, max_pending=max_pending
        )
        self.now = T0
        self.people: dict[str, Person] = {}
        self.codes: list[tuple[str, str]] = []
        self.deliveries = 0
        self.guessers = 0
        # The cap, or what was already held when it was lowered, as long as that is still held.
        self.bound = max_pending

    def teardown(self) -> None:
        """Leave nothing behind; what the other tests search afterwards, the invariants have searched all along."""
        HARNESSES.clear()
        if hasattr(self, "mock"):
            self.mock.__exit__(None, None, None)

    def person(self, user: str) -> Person:
        """Give the model's view of somebody."""
        return self.people.setdefault(user, Person())

    def waiting(self) -> int:
        """Count the requests that can be decided on."""
        return sum(person.standing(self.now) is Standing.PENDING for person in self.people.values())

    @rule(seconds=st.sampled_from([1, 2, 59, COOLDOWN - 1, COOLDOWN, CODE_TTL - 1, CODE_TTL, 2 * COOLDOWN, DAY]))
    def time_passes(self, seconds: int) -> None:
        """Let time pass."""
        self.now += seconds

    @rule(max_pending=st.integers(1, 5))
    def the_cap_is_changed(self, max_pending: int) -> None:
        """Deploy with another MAX_PENDING."""
        self.harness = self.harness.again(max_pending=max_pending)
        self.bound = max(max_pending, self.waiting())

    @rule(user=USERS, again=st.booleans())
    def somebody_writes(self, user: str, again: bool) -> None:
        """Ask, with a new delivery or the last one once more, from a function that remembers nothing."""
        person, harness = self.person(user), self.harness.again()
        self.deliveries += 1
        delivery = person.delivery if again and person.delivery else f"d{self.deliveries}"
        standing = person.standing(self.now)
        waits_since = person.next_at
        if standing is Standing.OVERDUE:
            waits_since = person.expires_at + min(2 * person.cooldown, DAY)
        room = self.waiting() < harness.settings.max_pending
        if not isinstance(MATRIX[standing, Operation.REQUEST], Move):
            expected = RequestVerdict.NOT_A_STRANGER
        elif delivery == person.delivery:
            expected = RequestVerdict.AGAIN if standing is Standing.PENDING else RequestVerdict.RATE_LIMITED
        elif self.now < waits_since:
            expected = RequestVerdict.RATE_LIMITED
        elif room:
            expected = RequestVerdict.NEW
        else:
            # Whoever waits goes on waiting.
            expected = RequestVerdict.RATE_LIMITED if standing is Standing.PENDING else RequestVerdict.FULL
        outcome = harness.request(user, self.now, delivery=delivery)
        assert outcome.verdict is expected
        if expected is RequestVerdict.NEW:
            code = harness.code(user)
            self.codes.append((user, code))
            if standing is Standing.OVERDUE:
                person.come_to_nothing(person.expires_at)
            doublings = max(0, person.doublings - max(0, self.now - person.next_at) // DAY)
            cooldown = min(COOLDOWN * 2**doublings, DAY)
            self.people[user] = Person(
                State.PENDING,
                self.now + CODE_TTL,
                self.now + cooldown,
                cooldown,
                doublings,
                delivery=delivery,
                code=code,
            )

    @rule(
        user=USERS,
        operation=st.sampled_from(
            [
                Operation.APPROVE,
                Operation.DENY,
                Operation.ADD,
                Operation.CHANGE,
                Operation.REVOKE,
                Operation.BLOCK,
                Operation.UNBLOCK,
            ]
        ),
        guest=st.sampled_from([0, 0, 1, 90]),
    )
    def an_owner_decides(self, user: str, operation: Operation, guest: int) -> None:
        """Decide on a person by id."""
        self.decide(
            user, operation, guest, lambda until: self.harness.decide(operation, self.now, user_id=user, until=until)
        )

    def decide(self, user: str, operation: Operation, guest: int, act) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
        """Compare what comes of a decision with the matrix."""
        person = self.person(user)
        cell = MATRIX[person.standing(self.now), operation]
        until = self.now + guest if guest and operation in {Operation.APPROVE, Operation.ADD, Operation.CHANGE} else 0
        if isinstance(cell, Refusal):
            with pytest.raises(RefusedError) as refused:
                act(until)
            expected = Refusal.EXPIRED if cell is Refusal.NOT_PENDING and person.state is State.EXPIRED else cell
            assert refused.value.reason == expected
            return
        contact: Contact = act(until)
        assert (contact.state, contact.paired_until) == (cell.to, until)
        person.state, person.until = cell.to, until
        if cell.cooldown is CooldownChange.CLEAR:
            person.next_at, person.doublings = 0, 0
        elif cell.cooldown is CooldownChange.DOUBLE:
            person.come_to_nothing(self.now)

    @precondition(lambda self: self.codes)
    @rule(data=st.data(), approve=st.booleans(), with_user=st.booleans())
    def a_code_is_entered(self, data: st.DataObject, approve: bool, with_user: bool) -> None:
        """Enter any code that ever was: it works once, in its time, for its own request, and never again."""
        user, code = data.draw(st.sampled_from(self.codes))
        operation = Operation.APPROVE if approve else Operation.DENY
        self.guessers += 1
        actor = Actor(via=Via.API, id=f"guesser {self.guessers}")
        given = {"code": code} | ({"user_id": user} if with_user else {})
        person = self.person(user)
        if person.code == code and person.standing(self.now) is Standing.PENDING:
            self.decide(user, operation, 0, lambda _: self.harness.decide(operation, self.now, actor, **given))
            return
        # Unknown once its seat was taken by another; until then it is told what became of it.
        with pytest.raises((RefusedError, UnknownCodeError)):
            self.harness.decide(operation, self.now, actor, **given)

    @rule()
    def the_sweep_runs(self) -> None:
        """Expire what is overdue: nobody else, and everybody who was not expired to make room before."""
        overdue = {user for user, person in self.people.items() if person.standing(self.now) is Standing.OVERDUE}
        still = {user for user in overdue if self.harness.room.get(TELEGRAM, user).state is State.PENDING}
        swept = self.harness.room.expire_overdue(TELEGRAM, self.now)
        assert ({contact.user_id for contact in swept.expired}, swept.failed) == (still, 0)
        for user in overdue:
            self.people[user].state = State.EXPIRED
            self.people[user].come_to_nothing(self.people[user].expires_at)

    @rule()
    def everything_is_cleared(self) -> None:
        """Revoke all who are paired now."""
        paired = {user for user, person in self.people.items() if person.standing(self.now) is Standing.PAIRED}
        listed = {
            contact.user_id for contact in self.harness.directory.listed(TELEGRAM, State.PAIRED, self.now).contacts
        }
        assert listed == paired
        for user in paired:
            self.decide(
                user,
                Operation.REVOKE,
                0,
                lambda _, user=user: self.harness.decide(Operation.REVOKE, self.now, user_id=user),
            )

    @invariant()
    def seats_and_contacts_agree(self) -> None:
        """Hold that a seat belongs to one contact, that a contact has at most one seat and only while pending, and that the cap holds."""
        if not hasattr(self, "harness"):
            return
        items = self.harness.items()
        held = [item for item in items if item["pk"]["S"].startswith("seats#") and "freed_at" not in item]
        holders = [seat["user_id"]["S"] for seat in held]
        pending = {
            item["pk"]["S"].partition("#")[2]: item["seat"]["S"]
            for item in items
            if item["sk"]["S"] == "contact" and item["state"]["S"] == State.PENDING
        }
        assert len(holders) == len(set(holders))
        assert {seat["user_id"]["S"]: seat["sk"]["S"] for seat in held} == pending
        assert not [item for item in items if "seat" in item and item["state"]["S"] != State.PENDING]
        # Security 8: no code stands anywhere in the table.
        everything = str(items)
        assert not [code for _, code in self.codes if code in everything]
        live = sum(int(seat["expires_at"]["N"]) > self.now for seat in held)
        assert live == self.waiting() == len(self.harness.directory.pending(TELEGRAM, self.now))
        self.bound = max(self.harness.settings.max_pending, min(self.bound, live))
        assert live <= self.bound


def test_the_room_does_what_the_matrix_says() -> None:
    """Security 11, 14, 17, 18, 22, 24: no sequence of operations and time leads where the matrix does not."""
    run_state_machine_as_test(
        WaitingRoomMachine,
        settings=settings(
            max_examples=25,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
            print_blob=True,
        ),
    )

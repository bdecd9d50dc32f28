"""The one place where anything is decided: who may, which request is meant, and what a wrong code costs."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import pytest
from msgspec import structs

from doorcode.errors import (
    ForbiddenError,
    InputError,
    InvalidUserIdError,
    LockedOutError,
    MalformedCodeError,
    NotTheirsError,
    RefusedError,
    SecretError,
    UnavailableError,
    UnknownCodeError,
)
from doorcode.pairing.callbacks import id_in_button
from doorcode.pairing.codes import code_for, fits
from doorcode.pairing.contact import Contact, ContactRole, Platform, State, Via
from doorcode.pairing.decisions import ORDERS, TAKES_A_CODE, Actor, Desk, Order
from doorcode.pairing.keyring import Keyring, key_id
from doorcode.pairing.ports import Secrets, code_of, fitting
from doorcode.pairing.settings import Settings
from doorcode.pairing.tickets import Ticket
from doorcode.pairing.transitions import Decision, Operation, Refusal, moved, refused
from tests.cases import each
from tests.unit.pairing.people import DISCORD, NOW, SLACK, TELEGRAM, contact

SECRET, OTHER_SECRET = b"the gateway secret", b"the next gateway secret"
STRANGER = contact(State.PENDING, user_id="555", nonce="aaaa", key_id=key_id(SECRET), seat="00", decided_by="")
SLACK_STRANGER = structs.replace(STRANGER, platform=SLACK, user_id="U555", nonce="bbbb")
CODE = code_for(SECRET, TELEGRAM, "555", "aaaa")
WRONG = "WRQNGXYZ"

OWNER = Actor(via=Via.BUTTON, id="1", platform=TELEGRAM)
OPERATOR = Actor(via=Via.CLI, id="alice")


class FakeRoom:
    """Contacts in a dictionary; ``trouble`` is raised instead of reading a request."""

    def __init__(self, people: Iterable[Contact] = (STRANGER, SLACK_STRANGER)) -> None:
        """Let these people be known."""
        self.people = {(person.platform, person.user_id): person for person in people}
        self.trouble: Exception | None = None
        self.moves = 0
        self.read: set[tuple[Platform, str]] = set()

    def get(self, platform: Platform, user_id: str) -> Contact:
        """Return the contact."""
        self.read.add((platform, user_id))
        if self.trouble:
            raise self.trouble
        return self.people.get((platform, user_id), Contact(platform=platform, user_id=user_id))

    def id_of_hash(self, platform: Platform, hashed: str) -> str:
        """Look through everybody on that platform."""
        known = [user_id for where, user_id in self.people if where is platform]
        return next((one for one in known if id_in_button(platform, one) == hashed), hashed)

    def find_by_code(self, platform: Platform, code: str, secrets: Secrets, now: int) -> Contact | None:
        """Try everybody on that platform."""
        if self.trouble:
            raise self.trouble
        waiting = [person for (where, _), person in self.people.items() if where is platform and person.nonce]

        def attempt(keyring: Keyring) -> Contact | None:
            for person in waiting:
                secret = keyring.find(person.key_id)
                if secret and fits(code, secret, person.platform, person.user_id, person.nonce):
                    return person
            return None

        return fitting(secrets, "gateway-secret", now, attempt)

    def move(
        self, contact: Contact, operation: Operation, now: int, decision: Decision, *, nonce: str | None = None
    ) -> Contact:
        """Move the contact as it really is."""
        real = self.get(contact.platform, contact.user_id)
        if nonce is not None and real.nonce != nonce:
            raise refused(real, Refusal.SUPERSEDED)
        after = moved(real, operation, now, decision)
        return self._moved(after)

    def redeem(self, contact: Contact, operation: Operation, now: int, decision: Decision, ticket: Ticket) -> Contact:
        """Move the contact as it really is; the ticket is the table's affair."""
        assert ticket.created_by == decision.by
        return self._moved(moved(self.get(contact.platform, contact.user_id), operation, now, decision))

    def _moved(self, after: Contact) -> Contact:
        self.people[after.platform, after.user_id] = after
        self.moves += 1
        return after


class FakeGuesses:
    """Counts guesses; the sixth is locked out."""

    def __init__(self) -> None:
        """Start with none."""
        self.open: Counter[tuple[str, str]] = Counter()
        self.counted = 0
        self.unforgiving = False

    def count(self, surface: str, caller: str, now: int) -> None:
        """Count one more."""
        if self.open[surface, caller] >= 5:
            raise LockedOutError(now + 300)
        self.open[surface, caller] += 1
        self.counted += 1

    def forgive(self, surface: str, caller: str, now: int) -> None:
        """Take one back."""
        if self.unforgiving:
            raise UnavailableError("forgive", f"not at {now}")
        self.open[surface, caller] -= 1


class FakeSecrets:
    """A cached ring, and perhaps a fresh one."""

    def __init__(self, *secrets: bytes) -> None:
        """Have these in the cache."""
        self.cached: Keyring | None = Keyring(secrets)
        self.fresh: Keyring | None = None
        self.reread_count = 0

    def keyring(self, name: str, now: int) -> Keyring:
        """Return what is cached."""
        assert (name, now) == ("gateway-secret", NOW)
        if self.cached is None:
            raise SecretError("gateway-secret is missing")
        return self.cached

    def reread(self, name: str, now: int) -> Keyring | None:
        """Return what is there really, if that is something else."""
        assert (name, now) == ("gateway-secret", NOW)
        self.reread_count += 1
        return self.fresh


class Harness:
    """A desk, with all that it stands on."""

    def __init__(self, *people: Contact) -> None:
        """Have an owner on Telegram and one on Slack; strangers wait on both."""
        self.room = FakeRoom(people or (STRANGER, SLACK_STRANGER))
        self.guesses = FakeGuesses()
        self.secrets = FakeSecrets(SECRET)
        settings = Settings(owners=((TELEGRAM, "1"), (SLACK, "U1")))
        self.desk = Desk(self.room, self.guesses, self.secrets, settings)

    def decide(self, actor: Actor, operation: Operation = Operation.APPROVE, **order: Any) -> Contact:
        """Give one order, about Telegram unless it says otherwise."""
        return self.desk.decide(actor, Order(**{"operation": operation, "platform": TELEGRAM, **order}), NOW)

    @property
    def stranger(self) -> Contact:
        """The stranger on Telegram, as they are now."""
        return self.room.people[TELEGRAM, "555"]

    @property
    def guesses_held(self) -> int:
        """How many guesses count against somebody."""
        return self.guesses.open.total()


@pytest.fixture
def harness() -> Harness:
    """Give a new harness."""
    return Harness()


class TestWho:
    """Security 15: who presses must be an owner there."""

    @pytest.mark.parametrize(
        ("operation", "state"),
        [(Operation.APPROVE, State.PAIRED), (Operation.DENY, State.DENIED), (Operation.BLOCK, State.BLOCKED)],
    )
    def test_an_owner_presses(self, harness: Harness, operation: Operation, state: State) -> None:
        """An owner's button does what it says, and the contact keeps who, how and when."""
        after = harness.decide(OWNER, operation, user_id="555", code=CODE)
        assert after == harness.stranger
        assert (after.state, after.decided_by, after.decided_via, after.decided_at) == (state, "1", "button", NOW)

    @each(
        "actor",
        [
            Actor(via=Via.BUTTON, id="2", platform=TELEGRAM),
            Actor(via=Via.BUTTON, id="U1", platform=TELEGRAM),
            Actor(via=Via.BUTTON, id="1", platform=SLACK),
            Actor(via=Via.BUTTON, id="1", platform=DISCORD),
            Actor(via=Via.BUTTON, id="1", platform=None),
            Actor(via=Via.BUTTON, id="11", platform=TELEGRAM),
            Actor(via=Via.BUTTON, id="*", platform=TELEGRAM),
            Actor(via=Via.BUTTON, id="555", platform=TELEGRAM),
        ],
        ids=[
            "somebody",
            "owner elsewhere",
            "same id on slack",
            "same id on discord",
            "nowhere",
            "longer",
            "star",
            "requester",
        ],
    )
    @each("operation", sorted(TAKES_A_CODE))
    def test_anybody_else_presses(self, actor: Actor, operation: Operation) -> None:
        """Security 7 and 15: whoever is no owner on the platform pressed is refused; nothing but who presses is read, or moved."""
        harness = Harness()
        with pytest.raises(ForbiddenError, match=r"^Only the owner can do this\.$"):
            harness.decide(actor, operation, user_id="555", code=CODE)
        assert harness.stranger == STRANGER
        assert harness.room.read <= {(actor.platform, actor.id)}

    @pytest.mark.parametrize("role", [ContactRole.OWNER, ""])
    def test_an_owner_by_claim_presses(self, role: str) -> None:
        """Security 15: an owner by claim decides where they are one; whoever is only paired does not."""
        claimer = contact(State.PAIRED, user_id="2", role=role)
        harness = Harness(claimer, STRANGER)
        presser = Actor(via=Via.BUTTON, id="2", platform=TELEGRAM)
        for actor, may in ((structs.replace(presser, platform=SLACK), False), (presser, bool(role))):
            if may:
                assert harness.decide(actor, user_id="555", code=CODE).state is State.PAIRED
                continue
            with pytest.raises(ForbiddenError):
                harness.decide(actor, user_id="555", code=CODE)

    def test_removing_owners(self) -> None:
        """An owner by claim is removed from the command or the page; no token does that, and none of OWNER_USER_IDS is."""
        harness = Harness(contact(State.PAIRED, user_id="2", role=ContactRole.OWNER))
        remove = Operation.REMOVE_OWNER
        with pytest.raises(ForbiddenError, match="A token neither makes nor removes owners"):
            harness.decide(Actor(via=Via.API, id="token ci"), remove, user_id="2")
        for via in (Via.BUTTON, Via.CLAIM, Via.INVITE):
            with pytest.raises((ForbiddenError, InputError)):
                harness.decide(Actor(via=via, id="2", platform=TELEGRAM), remove, user_id="2")
        for user_id, reason in (("1", Refusal.OWNER_BY_SETTING), ("3", Refusal.NOT_OWNER)):
            with pytest.raises(RefusedError) as refusal:
                harness.decide(OPERATOR, remove, user_id=user_id)
            assert refusal.value.reason == reason
        after = harness.decide(Actor(via=Via.WEB, id="alice"), remove, user_id="2")
        assert (after.state, after.role, after.decided_via) == (State.REVOKED, "", Via.WEB)

    def test_an_owner_elsewhere_decides(self, harness: Harness) -> None:
        """An owner who was asked on another platform decides there about this one."""
        slack_owner = Actor(via=Via.BUTTON, id="U1", platform=SLACK)
        assert harness.decide(slack_owner, user_id="555", code=CODE).state is State.PAIRED

    @pytest.mark.parametrize("operation", sorted(TAKES_A_CODE))
    def test_nobody_decides_on_himself(self, operation: Operation) -> None:
        """Security 15: the requester cannot approve himself, even if he became an owner meanwhile."""
        asked = structs.replace(STRANGER, user_id="1")
        harness = Harness(asked)
        with pytest.raises(ForbiddenError):
            harness.decide(OWNER, operation, user_id="1", code=code_for(SECRET, TELEGRAM, "1", "aaaa"))
        assert harness.room.people[TELEGRAM, "1"] == asked

    def test_a_namesake_elsewhere(self) -> None:
        """Security 7: the owner's id on another platform is somebody else, whom the owner may decide on."""
        harness = Harness(structs.replace(STRANGER, platform=SLACK, user_id="1"))
        code = code_for(SECRET, SLACK, "1", "aaaa")
        assert harness.decide(OWNER, platform=SLACK, user_id="1", code=code).state is State.PAIRED

    @each("via", Via)
    def test_nobody(self, via: Via) -> None:
        """Security 5: an actor without an id decides nothing."""
        harness = Harness()
        with pytest.raises(ForbiddenError):
            harness.decide(Actor(via=via, id="", platform=TELEGRAM), user_id="555", code=CODE)
        assert harness.room.moves == 0

    @pytest.mark.parametrize("operation", [Operation.REQUEST, Operation.EXPIRE, Operation.CLAIM, Operation.ADMIT])
    def test_nothing_to_decide(self, harness: Harness, operation: Operation) -> None:
        """Requests and expiries are nobody's decision; claims and invites are redeemed, never ordered."""
        with pytest.raises(InputError):
            harness.decide(OPERATOR, operation, user_id="555")
        assert harness.room.moves == 0

    def test_orders(self) -> None:
        """Everything else can be ordered."""
        unordered = {Operation.REQUEST, Operation.EXPIRE, Operation.CLAIM, Operation.ADMIT}
        assert frozenset(Operation) - unordered == ORDERS


class TestButtons:
    """Security 16: a button of an old request never acts on a new one."""

    @pytest.mark.parametrize("operation", sorted(TAKES_A_CODE))
    def test_an_old_button(self, operation: Operation) -> None:
        """Security 16: a button whose code is that of an older request is refused, and is no guess."""
        harness = Harness(structs.replace(STRANGER, nonce="cccc"))
        with pytest.raises(RefusedError) as refusal:
            harness.decide(OWNER, operation, user_id="555", code=CODE)
        assert refusal.value.reason == Refusal.SUPERSEDED
        assert harness.stranger.state is State.PENDING
        assert harness.guesses.counted == 0

    def test_a_button_about_a_stranger(self) -> None:
        """A button for somebody whose item is gone finds no request."""
        harness = Harness(SLACK_STRANGER)
        with pytest.raises(RefusedError) as refusal:
            harness.decide(OWNER, user_id="555", code=CODE)
        assert refusal.value.reason == Refusal.NOT_PENDING

    def test_replaced_while_pressed(self, harness: Harness) -> None:
        """Security 17: a request that is replaced between reading and moving is not decided on."""
        get = harness.room.get

        def get_then_replace(platform: Platform, user_id: str) -> Contact:
            found = get(platform, user_id)
            harness.room.people[TELEGRAM, "555"] = structs.replace(STRANGER, nonce="cccc", rev=8)
            return found

        harness.room.get = get_then_replace
        with pytest.raises(RefusedError) as refusal:
            harness.decide(OWNER, user_id="555", code=CODE)
        assert refusal.value.reason == Refusal.SUPERSEDED
        assert harness.room.moves == 0

    @pytest.mark.parametrize("operation", sorted(TAKES_A_CODE))
    def test_a_button_without_a_code(self, harness: Harness, operation: Operation) -> None:
        """Security 16: without the code of its request, a button acts on none."""
        with pytest.raises(InputError):
            harness.decide(OWNER, operation, user_id="555")
        assert harness.stranger == STRANGER

    def test_pressed_twice(self, harness: Harness) -> None:
        """Security 17: the second press is told the real state."""
        harness.decide(OWNER, Operation.DENY, user_id="555", code=CODE)
        with pytest.raises(RefusedError, match=r"^Already denied by 1 \(button\)\.$") as refusal:
            harness.decide(OWNER, user_id="555", code=CODE)
        assert refusal.value.state == State.DENIED

    def test_pressed_after_a_revocation(self, harness: Harness) -> None:
        """Security 18: a replayed press after a revocation does not pair again."""
        harness.decide(OWNER, user_id="555", code=CODE)
        harness.decide(OPERATOR, Operation.REVOKE, user_id="555")
        with pytest.raises(RefusedError):
            harness.decide(OWNER, user_id="555", code=CODE)
        assert harness.stranger.state is State.REVOKED

    def test_blocked_after_a_denial(self, harness: Harness) -> None:
        """The button under a denial blocks."""
        harness.decide(OWNER, Operation.DENY, user_id="555", code=CODE)
        assert harness.decide(OWNER, Operation.BLOCK, user_id="555", code=CODE).state is State.BLOCKED

    def test_too_late(self) -> None:
        """Security 14: a button pressed at the second at which the request expires is refused."""
        harness = Harness(structs.replace(STRANGER, code_expires_at=NOW))
        with pytest.raises(RefusedError) as refusal:
            harness.decide(OWNER, user_id="555", code=CODE)
        assert (refusal.value.reason, refusal.value.state) == (Refusal.EXPIRED, State.EXPIRED)

    @pytest.mark.parametrize("user_id", ["", "*", "5 5"])
    def test_a_bad_id(self, harness: Harness, user_id: str) -> None:
        """Security 5: a button without a proper id is refused."""
        with pytest.raises(InvalidUserIdError):
            harness.decide(OWNER, user_id=user_id, code=CODE)


class TestByCode:
    """What the command, the API and the page do with a code."""

    @each("user_id", ["", "555"], ids=["code", "code and id"])
    @each("via", [Via.CLI, Via.API, Via.WEB])
    @each(("operation", "state"), [(Operation.APPROVE, State.PAIRED), (Operation.DENY, State.DENIED)])
    def test_right(self, via: Via, user_id: str, operation: Operation, state: State) -> None:
        """Security 9: the right code decides on the very person that it was made for, and costs nothing."""
        harness = Harness()
        after = harness.decide(Actor(via=via, id="alice"), operation, user_id=user_id, code=CODE)
        assert (after.user_id, after.state, after.decided_via) == ("555", state, via)
        assert (harness.guesses.counted, harness.guesses_held) == (1, 0)

    def test_as_typed(self, harness: Harness) -> None:
        """Security 10: case, spaces and hyphens do not matter."""
        assert harness.decide(OPERATOR, code=f" {CODE[:4].lower()}-{CODE[4:]} ").state is State.PAIRED

    def test_label_and_end(self, harness: Harness) -> None:
        """An approval brings a label and an end."""
        after = harness.decide(OPERATOR, code=CODE, label="bob", until=NOW + 60)
        assert (after.label, after.paired_until) == ("bob", NOW + 60)

    @pytest.mark.parametrize(
        "order",
        [
            {"code": WRONG},
            {"code": WRONG, "user_id": "555"},
            {"code": CODE, "platform": SLACK},
            {"code": CODE, "platform": SLACK, "user_id": "U555"},
        ],
        ids=["unknown", "unknown for id", "other platform", "other person"],
    )
    def test_wrong(self, harness: Harness, order: dict[str, Any]) -> None:
        """Security 11 and 12: a code that does not belong costs a guess, says one thing, and consumes no request."""
        with pytest.raises(UnknownCodeError) as refusal:
            harness.decide(OPERATOR, **order)
        assert str(refusal.value) == (
            "No pending request has that code. See what is waiting with: doorcode pairing list --pending"
        )
        assert harness.guesses_held == 1
        assert harness.stranger == STRANGER
        assert harness.decide(OPERATOR, code=CODE).state is State.PAIRED

    def test_a_press_is_kept_with_its_pressers_name(self, harness: Harness) -> None:
        """Security 28: who pressed is kept by id and name; the name claims no other id, and the next decision has its own."""
        presser = structs.replace(OWNER, name="Olivia (111, button)")
        contact = harness.decide(presser, user_id="555", code=CODE)
        assert (contact.decided_by, contact.decided_by_name) == (OWNER.id, "Olivia 111, button")
        assert not harness.decide(OPERATOR, Operation.REVOKE, user_id="555").decided_by_name

    def test_not_theirs(self, harness: Harness) -> None:
        """Security 9 and 11: a right code with the wrong id is told apart, costs a guess, and consumes no request."""
        with pytest.raises(NotTheirsError, match=r"^That code is not theirs\.$"):
            harness.decide(OPERATOR, code=CODE, user_id="556")
        assert (harness.guesses_held, harness.stranger) == (1, STRANGER)

    def test_a_code_that_is_over_is_nobodys(self) -> None:
        """Security 12: with another's id, a code that has expired looks like one that never was."""
        harness = Harness(structs.replace(STRANGER, code_expires_at=NOW))
        with pytest.raises(UnknownCodeError):
            harness.decide(OPERATOR, code=CODE, user_id="556")

    @each("actor", [OPERATOR, OWNER], ids=["command", "button"])
    @each("code", ["ABCD234", "ABCD2340", "ABCD234I", "----", "x" * 1000, "\u0410BCD2345"])
    def test_malformed(self, actor: Actor, code: str) -> None:
        """Security 10: a malformed code is refused without counting."""
        harness = Harness()
        with pytest.raises(MalformedCodeError):
            harness.decide(actor, code=code, user_id="555")
        assert harness.guesses.counted == 0

    @pytest.mark.parametrize("order", [{"user_id": "*"}, {"user_id": "@bo2"}, {"platform": SLACK, "user_id": "555"}])
    def test_a_bad_id_is_no_guess(self, harness: Harness, order: dict[str, Any]) -> None:
        """Security 5: an id that cannot be one there is refused before anything is counted."""
        with pytest.raises(InvalidUserIdError):
            harness.decide(OPERATOR, code=CODE, **order)
        assert harness.guesses.counted == 0

    def test_expired(self) -> None:
        """Security 14: the right code, at the second at which it expires, is told as expired and is no wrong guess."""
        harness = Harness(structs.replace(STRANGER, code_expires_at=NOW))
        with pytest.raises(RefusedError) as refusal:
            harness.decide(OPERATOR, code=CODE)
        assert refusal.value.reason == Refusal.EXPIRED
        assert harness.guesses_held == 0

    def test_used(self, harness: Harness) -> None:
        """Security 17: a code that was used is told what became of it."""
        harness.decide(OPERATOR, code=CODE)
        with pytest.raises(RefusedError, match=r"^Already approved by alice \(cli\)\.$"):
            harness.decide(OPERATOR, code=CODE)

    @each("operation", [Operation.ADD, Operation.CHANGE, Operation.REVOKE, Operation.UNBLOCK])
    @each("actor", [OPERATOR, OWNER], ids=["command", "button"])
    def test_no_code_for_that(self, actor: Actor, operation: Operation) -> None:
        """What needs no request takes no code."""
        harness = Harness()
        with pytest.raises(InputError):
            harness.decide(actor, operation, user_id="555", code=CODE)
        assert (harness.guesses.counted, harness.room.moves) == (0, 0)


class TestLockout:
    """Security 13: wrong codes lock their caller."""

    def test_locked(self, harness: Harness) -> None:
        """Security 13: after five wrong codes, a right one is refused, and no other caller or surface is locked."""
        for _ in range(5):
            with pytest.raises(UnknownCodeError):
                harness.decide(OPERATOR, code=WRONG)
        with pytest.raises(LockedOutError) as refusal:
            harness.decide(OPERATOR, code=CODE)
        assert refusal.value.until == NOW + 300
        assert harness.stranger == STRANGER
        assert harness.decide(Actor(via=Via.WEB, id="alice"), Operation.DENY, code=CODE).state is State.DENIED

    def test_somebody_else(self, harness: Harness) -> None:
        """Security 13: nobody else is locked."""
        for _ in range(5):
            with pytest.raises(UnknownCodeError):
                harness.decide(OPERATOR, code=WRONG)
        assert harness.decide(Actor(via=Via.CLI, id="bob"), code=CODE).state is State.PAIRED

    def test_two_who_are_shown_alike(self, harness: Harness) -> None:
        """Security 13: wrong codes count for the verified session or token, not for the name that it is shown under."""
        first, second = (Actor(via=Via.API, id="token ci", caller=caller) for caller in ("one", "two"))
        for _ in range(5):
            with pytest.raises(UnknownCodeError):
                harness.decide(first, code=WRONG)
        with pytest.raises(LockedOutError):
            harness.decide(first, code=CODE)
        decided = harness.decide(second, code=CODE)
        assert (decided.state, decided.decided_by) == (State.PAIRED, "token ci")
        assert {caller for (_, caller), held in harness.guesses.open.items() if held} == {"one"}

    def test_right_codes_do_not_lock(self) -> None:
        """Many right codes in a row are no guesses."""
        people = [structs.replace(STRANGER, user_id=str(number)) for number in range(20)]
        harness = Harness(*people)
        for person in people:
            harness.decide(OPERATOR, code=code_for(SECRET, TELEGRAM, person.user_id, "aaaa"))
        assert harness.room.moves == 20

    def test_counted_before_compared(self, harness: Harness) -> None:
        """Security 13: a guess is counted before anything is read, so that parallel guesses are counted too."""
        held = []
        find = harness.room.find_by_code
        harness.room.find_by_code = lambda *arguments: held.append(harness.guesses_held) or find(*arguments)
        harness.decide(OPERATOR, code=CODE)
        assert held == [1]

    def test_locked_buttons_work(self, harness: Harness) -> None:
        """Buttons and user ids are no guesses: a locked caller may still use them."""
        harness.guesses.open[Via.CLI, "alice"] = harness.guesses.open[Via.BUTTON, "1"] = 5
        harness.decide(OWNER, Operation.DENY, user_id="555", code=CODE)
        assert harness.decide(OPERATOR, Operation.ADD, user_id="555").state is State.PAIRED

    @each("trouble", [UnavailableError("read the seats", "throttled"), SecretError("missing")])
    @each("user_id", ["", "555"], ids=["code", "code and id"])
    @each("unforgiving", [False, True], ids=["forgiven", "not even forgiven"])
    def test_trouble_is_no_guess(self, trouble: Exception, user_id: str, unforgiving: bool) -> None:
        """Security 1 and 11: trouble is told as what it was, is no wrong guess, and consumes nothing."""
        harness = Harness()
        harness.room.trouble = trouble
        harness.guesses.unforgiving = unforgiving
        with pytest.raises(type(trouble)) as raised:
            harness.decide(OPERATOR, code=CODE, user_id=user_id)
        assert raised.value is trouble
        assert harness.guesses_held == int(unforgiving)
        assert harness.stranger == STRANGER

    @pytest.mark.parametrize("user_id", ["", "555"], ids=["code", "code and id"])
    def test_without_a_secret(self, harness: Harness, user_id: str) -> None:
        """Security 1: without the secret nobody gets in, by no code."""
        harness.secrets.cached = None
        with pytest.raises(SecretError):
            harness.decide(OPERATOR, code=CODE, user_id=user_id)
        assert (harness.guesses_held, harness.room.moves) == (0, 0)


class TestByUserId:
    """Orders that name the person."""

    @each(
        ("operation", "before", "after"),
        [
            (Operation.APPROVE, State.PENDING, State.PAIRED),
            (Operation.DENY, State.PENDING, State.DENIED),
            (Operation.BLOCK, State.PENDING, State.BLOCKED),
            (Operation.ADD, State.NONE, State.PAIRED),
            (Operation.CHANGE, State.PAIRED, State.PAIRED),
            (Operation.REVOKE, State.PAIRED, State.REVOKED),
            (Operation.UNBLOCK, State.BLOCKED, State.REVOKED),
        ],
    )
    def test_moves(self, operation: Operation, before: State, after: State) -> None:
        """Every order works by user id, and is no guess."""
        harness = Harness(structs.replace(STRANGER, state=before))
        assert harness.decide(OPERATOR, operation, user_id="555").state is after
        assert harness.guesses.counted == 0

    def test_somebody_new(self, harness: Harness) -> None:
        """Somebody who never wrote can be added."""
        after = harness.decide(OPERATOR, Operation.ADD, user_id="777", label="carol")
        assert (after.state, after.label, after.rev) == (State.PAIRED, "carol", 1)

    @each("user_id", ["", "*", " 555", "555\n"])
    @each("operation", sorted(ORDERS))
    def test_a_bad_id(self, operation: Operation, user_id: str) -> None:
        """Security 5: an empty id, a wildcard or a decorated id is nobody."""
        harness = Harness()
        with pytest.raises(InvalidUserIdError):
            harness.decide(OPERATOR, operation, user_id=user_id)
        assert harness.room.moves == 0

    @pytest.mark.parametrize("user_id", ["55", "5555"])
    def test_nearly(self, harness: Harness, user_id: str) -> None:
        """Security 5: a shorter or longer id is somebody else, who has no request."""
        with pytest.raises(RefusedError) as refusal:
            harness.decide(OPERATOR, user_id=user_id)
        assert refusal.value.reason == Refusal.NOT_PENDING

    def test_the_same_id_elsewhere(self, harness: Harness) -> None:
        """Security 7: an approval on one platform pairs nobody on another."""
        with pytest.raises(RefusedError):
            harness.decide(OPERATOR, platform=DISCORD, user_id="200000000000000555")
        assert harness.stranger == STRANGER

    @pytest.mark.parametrize("operation", [Operation.ADD, Operation.BLOCK])
    def test_nobody_new_without_an_id_of_that_platform(self, harness: Harness, operation: Operation) -> None:
        """Security 5: who is let in or blocked is somebody: what is no id on that platform makes no contact."""
        for platform, user_id in ((TELEGRAM, "@bo2"), (SLACK, "<@U1234ABCD>"), (DISCORD, "1.23e+17"), (DISCORD, "555")):
            with pytest.raises(InvalidUserIdError):
                harness.decide(OPERATOR, operation, platform=platform, user_id=user_id)
        assert harness.room.moves == 0

    @pytest.mark.parametrize(
        ("state", "operation"), [(State.PAIRED, Operation.REVOKE), (State.BLOCKED, Operation.UNBLOCK)]
    )
    def test_what_stands_there_under_an_odd_id(self, harness: Harness, state: State, operation: Operation) -> None:
        """What was let in or blocked when more was taken for an id can be taken out, and not put in again."""
        harness.room.people[TELEGRAM, "@bo2"] = contact(state, user_id="@bo2")
        assert harness.decide(OPERATOR, operation, user_id="@bo2").state is State.REVOKED
        with pytest.raises(InvalidUserIdError):
            harness.decide(OPERATOR, Operation.ADD, user_id="@bo2")
        with pytest.raises(InvalidUserIdError):
            harness.decide(OPERATOR, operation, user_id="@bo3")

    def test_whoever_was_quicker(self, harness: Harness) -> None:
        """Security 17: without a code, the contact is moved from whatever state it really is in."""
        harness.decide(OPERATOR, Operation.DENY, user_id="555")
        with pytest.raises(RefusedError, match="Already denied by alice"):
            harness.decide(OPERATOR, user_id="555")


class TestRotation:
    """Security 30: new and previous secret overlap."""

    PRESS = (OWNER, {"user_id": "555", "code": CODE})
    TYPED = (OPERATOR, {"code": CODE})
    TYPED_WITH_ID = (OPERATOR, {"user_id": "555", "code": CODE})
    by_surface = each(("actor", "order"), [PRESS, TYPED, TYPED_WITH_ID], ids=["press", "code", "code and id"])

    @by_surface
    def test_the_old_secret_works(self, actor: Actor, order: dict[str, Any]) -> None:
        """Security 30: a code of the old secret works while that is on the ring, without another read."""
        harness = Harness()
        harness.secrets.cached = Keyring((OTHER_SECRET, SECRET))
        assert harness.decide(actor, **order).state is State.PAIRED
        assert harness.secrets.reread_count == 0

    @by_surface
    def test_a_newer_secret_is_read(self, actor: Actor, order: dict[str, Any]) -> None:
        """Security 30: a code of a secret that the cache does not know yet makes the secrets be read again."""
        harness = Harness()
        harness.secrets.cached, harness.secrets.fresh = Keyring((OTHER_SECRET,)), Keyring((SECRET, OTHER_SECRET))
        assert harness.decide(actor, **order).state is State.PAIRED
        assert harness.secrets.reread_count == 1

    @by_surface
    @each("fresh", [None, Keyring((b"a third",))], ids=["unchanged", "changed"])
    def test_dropped(self, actor: Actor, order: dict[str, Any], fresh: Keyring | None) -> None:
        """Security 30: once its secret is dropped, a code fits nothing."""
        harness = Harness()
        harness.secrets.cached, harness.secrets.fresh = Keyring((OTHER_SECRET,)), fresh
        with pytest.raises((UnknownCodeError, RefusedError)):
            harness.decide(actor, **order)
        assert harness.stranger == STRANGER

    def test_an_old_button_reads_nothing_again(self, harness: Harness) -> None:
        """An old button's code for a known secret costs no second read of the secrets."""
        with pytest.raises(RefusedError):
            harness.decide(OWNER, user_id="555", code=WRONG)
        assert (harness.secrets.reread_count, harness.guesses_held) == (0, 0)


class TestCodeOf:
    """The code of a request, made once more for whoever may see it."""

    def test_works(self, harness: Harness) -> None:
        """Whoever holds the secret can show a code that works."""
        code = code_of(STRANGER, harness.secrets, NOW)
        assert code == CODE
        assert harness.decide(OPERATOR, code=code).user_id == "555"

    def test_a_newer_secret_is_read(self, harness: Harness) -> None:
        """Security 30: a secret that the cache does not know yet is read again."""
        harness.secrets.cached, harness.secrets.fresh = Keyring((OTHER_SECRET,)), Keyring((SECRET, OTHER_SECRET))
        assert code_of(STRANGER, harness.secrets, NOW) == CODE

    def test_dropped(self, harness: Harness) -> None:
        """Security 30: once its secret is dropped, there is no code to show, and none is made with another secret."""
        harness.secrets.cached = Keyring((OTHER_SECRET,))
        with pytest.raises(SecretError):
            code_of(STRANGER, harness.secrets, NOW)

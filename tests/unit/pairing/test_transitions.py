"""The whole matrix of states and operations, written out once more, and what each move does to every field."""

import pytest
from msgspec import structs

from doorcode.errors import InvalidLabelError, InvalidTimeError, RefusedError
from doorcode.pairing.contact import END_OF_TIME, Contact, Standing, State, Via
from doorcode.pairing.cooldown import DAY, doublings_left, forgotten_at
from doorcode.pairing.transitions import (
    MATRIX,
    Asked,
    Decision,
    Operation,
    Refusal,
    RequestVerdict,
    allowed,
    assess_request,
    moved,
    refused,
    requested,
)
from tests.cases import each
from tests.unit.pairing.people import EVERYONE, NOW, TELEGRAM, contact

# A cell is "state/seat/cooldown", and "/owners" where the list of owners by claim changes, where the move is allowed, else the refusal.
TABLE = """
who       request             approve            deny                expire
stranger  pending/take/start  not_pending        not_pending         not_overdue
expired   pending/take/start  expired            expired             not_overdue
revoked   pending/take/start  not_pending        not_pending         not_overdue
ended     pending/take/start  not_pending        not_pending         not_overdue
pending   pending/take/start  paired/free/clear  denied/free/double  not_overdue
overdue   pending/take/start  expired            expired             expired/free/double
denied    pending/take/start  already_denied     already_denied      not_overdue
paired    already_paired      already_paired     already_paired      not_overdue
owner     already_paired      already_paired     already_paired      not_overdue
guest     already_paired      already_paired     already_paired      not_overdue
blocked   blocked             blocked            blocked             not_overdue

who       add                     revoke                  block                   unblock
stranger  paired/untouched/clear  not_paired              blocked/untouched/keep  not_blocked
expired   paired/untouched/clear  not_paired              blocked/untouched/keep  not_blocked
revoked   paired/untouched/clear  not_paired              blocked/untouched/keep  not_blocked
ended     paired/untouched/clear  not_paired              blocked/untouched/keep  not_blocked
pending   paired/free/clear       not_paired              blocked/free/keep       not_blocked
overdue   paired/free/clear       not_paired              blocked/free/keep       not_blocked
denied    paired/untouched/clear  not_paired              blocked/untouched/keep  not_blocked
paired    paired/untouched/clear  revoked/untouched/keep  blocked/untouched/keep  not_blocked
owner     paired/untouched/clear  owner                   owner                   not_blocked
guest     paired/untouched/clear  revoked/untouched/keep  blocked/untouched/keep  not_blocked
blocked   blocked                 not_paired              already_blocked         revoked/untouched/keep

who       claim                         admit                   remove_owner                   change
stranger  paired/untouched/clear/comes  paired/untouched/clear  not_owner                      not_paired
expired   paired/untouched/clear/comes  paired/untouched/clear  not_owner                      not_paired
revoked   paired/untouched/clear/comes  paired/untouched/clear  not_owner                      not_paired
ended     paired/untouched/clear/comes  paired/untouched/clear  not_owner                      not_paired
pending   paired/free/clear/comes       paired/free/clear       not_owner                      not_paired
overdue   paired/free/clear/comes       paired/free/clear       not_owner                      not_paired
denied    paired/untouched/clear/comes  paired/untouched/clear  not_owner                      not_paired
paired    paired/untouched/clear/comes  already_paired          not_owner                      paired/untouched/clear
owner     already_owner                 already_paired          revoked/untouched/keep/goes    paired/untouched/clear
guest     paired/untouched/clear/comes  already_paired          not_owner                      paired/untouched/clear
blocked   blocked                       blocked                 not_owner                      not_paired
"""
# The state that a refusal tells: what has lapsed counts as expired.
TOLD = {"stranger": "none", "ended": "expired", "overdue": "expired", "guest": "paired", "owner": "paired"}


def _cells() -> list[tuple[str, Operation, str]]:
    cells = []
    for block in TABLE.strip().split("\n\n"):
        head, *rows = (line.split() for line in block.splitlines())
        cells += [
            (who, Operation(name), cell)
            for who, *row in rows
            for name, cell in zip(head[1:], row, strict=True)
        ]  # fmt: skip
    return cells


CELLS = _cells()
MOVES = [cell for cell in CELLS if "/" in cell[2]]
REFUSALS = [cell for cell in CELLS if "/" not in cell[2]]
DECISIONS = [cell for cell in MOVES if cell[1] is not Operation.REQUEST]
by_cell = each(("who", "operation", "cell"), CELLS, ids=[f"{who}-{operation}" for who, operation, _ in CELLS])
by_move = each(("who", "operation", "cell"), DECISIONS, ids=[f"{who}-{operation}" for who, operation, _ in DECISIONS])
by_refusal = each(("who", "operation", "cell"), REFUSALS, ids=[f"{who}-{operation}" for who, operation, _ in REFUSALS])


def _answer(person: Contact, operation: Operation) -> str:
    try:
        move = allowed(person, operation, NOW)
    except RefusedError as refusal:
        return refusal.reason
    return f"{move.to}/{move.seat}/{move.cooldown}" + (f"/{move.owners}" if move.owners != "none" else "")


class TestMatrix:
    """Every standing and every operation."""

    def test_the_table_here_is_complete(self) -> None:
        """Each kind of contact meets each operation once."""
        assert {(who, operation) for who, operation, _ in CELLS} == {(who, op) for who in EVERYONE for op in Operation}
        assert len(CELLS) == len(EVERYONE) * len(Operation)

    def test_the_matrix_is_complete(self) -> None:
        """Every standing has an answer to every operation."""
        assert set(MATRIX) == {(standing, operation) for standing in Standing for operation in Operation}

    @by_cell
    def test_cell(self, who: str, operation: Operation, cell: str) -> None:
        """A pair of standing and operation gives the state and the seat of the table, or its refusal."""
        assert _answer(EVERYONE[who], operation) == cell

    @by_refusal
    def test_a_refusal_says_what_holds(self, who: str, operation: Operation, cell: str) -> None:
        """Security 17: a refusal carries the contact, the state that really holds, who decided, how and when, and when it expired."""
        person = EVERYONE[who]
        with pytest.raises(RefusedError) as refusal:
            allowed(person, operation, NOW)
        assert {name: value for name, value in vars(refusal.value).items() if not name.startswith("_")} == {
            "reason": cell,
            "platform": "telegram",
            "user_id": "987654321",
            "state": TOLD.get(who, who),
            "decided_by": person.decided_by,
            "decided_by_name": person.decided_by_name,
            "decided_via": person.decided_via,
            "decided_at": person.decided_at,
            "expired_at": person.code_expires_at if cell == "expired" else 0,
        }

    @by_refusal
    def test_nothing_moves_what_is_refused(self, who: str, operation: Operation, cell: str) -> None:
        """Security 24: what the matrix refuses makes no contact, whatever is decided."""
        with pytest.raises(RefusedError) as refusal:
            moved(EVERYONE[who], operation, NOW, Decision(by="1", via=Via.CLI, label="x", until=NOW + 1))
        assert refusal.value.reason == cell

    @each(
        ("refusal", "sentence"),
        [
            (Refusal.ALREADY_PAIRED, "Already approved by 42 (button)."),
            (Refusal.ALREADY_DENIED, "Already denied by 42 (button)."),
            (Refusal.ALREADY_BLOCKED, "Already blocked by 42 (button)."),
            (Refusal.BLOCKED, "telegram 987654321 is blocked by 42 (button): unblock first."),
            (
                Refusal.EXPIRED,
                "The request of telegram 987654321 has expired. They can ask again by writing to the bot.",
            ),
            (Refusal.NOT_PENDING, "telegram 987654321 has no pending request (state: denied)."),
            (Refusal.NOT_PAIRED, "telegram 987654321 is not paired (state: denied)."),
            (Refusal.NOT_BLOCKED, "telegram 987654321 is not blocked (state: denied)."),
            (Refusal.NOT_OVERDUE, "telegram 987654321 has no overdue request (state: denied)."),
            (Refusal.OWNER, "telegram 987654321 is an owner by claim, and has to be removed as one first."),
            (Refusal.ALREADY_OWNER, "telegram 987654321 is an owner already."),
            (Refusal.NOT_OWNER, "telegram 987654321 is no owner by claim (state: denied)."),
            (
                Refusal.LAST_OWNER,
                "telegram 987654321 is the last owner: without one nobody is asked who may talk to the bot.",
            ),
            (
                Refusal.OWNER_BY_SETTING,
                "telegram 987654321 is an owner by OWNER_USER_IDS: take the id out of that setting.",
            ),
            (Refusal.SUPERSEDED, "A newer request of telegram 987654321 has replaced this one."),
            (Refusal.REPEATED, "That press has had its effect. telegram 987654321 is denied now."),
        ],
        ids=list(Refusal),
    )
    def test_sentence(self, refusal: Refusal, sentence: str) -> None:
        """Each refusal is said in one sentence that names who decided, or whom it is about."""
        assert str(refused(EVERYONE["denied"], refusal)) == sentence

    def test_a_decision_by_nobody_names_nobody(self) -> None:
        """Where nobody is known to have decided, the sentence ends early."""
        assert str(refused(contact(State.PAIRED, decided_by=""), Refusal.ALREADY_PAIRED)) == "Already approved."

    def test_an_ended_guest_is_told_as_expired(self) -> None:
        """A refusal never says that somebody who is paired is not paired."""
        with pytest.raises(RefusedError, match=r"is not paired \(state: expired\)"):
            allowed(EVERYONE["ended"], Operation.REVOKE, NOW)


class TestExpiry:
    """Expiry is a matter of the time, not of tidying up."""

    @each(("second", "possible"), [(-1, True), (0, False), (1, False)], ids=["before", "at", "after"])
    @each("operation", [Operation.APPROVE, Operation.DENY])
    def test_the_last_second(self, operation: Operation, second: int, possible: bool) -> None:
        """Security 14: a request can be decided on until the second before it expires, and not at that second."""
        person = contact(State.PENDING, code_expires_at=NOW)
        if possible:
            assert moved(person, operation, NOW + second, Decision()).rev == 8
        else:
            with pytest.raises(RefusedError) as refusal:
                moved(person, operation, NOW + second, Decision())
            assert refusal.value.reason == Refusal.EXPIRED

    @pytest.mark.parametrize("second", [-1, 0], ids=["before", "at"])
    def test_the_sweep_waits(self, second: int) -> None:
        """Security 14: a request is swept from the second at which it expires, never before."""
        person = contact(State.PENDING, code_expires_at=NOW)
        if second == 0:
            assert moved(person, Operation.EXPIRE, NOW, Decision()).state is State.EXPIRED
        else:
            with pytest.raises(RefusedError):
                moved(person, Operation.EXPIRE, NOW + second, Decision())


class TestMoved:
    """A contact after a decision, field by field."""

    @by_move
    def test_every_field(self, who: str, operation: Operation, cell: str) -> None:
        """A move changes the state, the revision, the seat, the cooldown, the grant and who decided; and nothing else."""
        before = EVERYONE[who]
        state, seat, cooldown, *owners = cell.split("/")
        role = {"comes": "owner", "goes": ""}.get("".join(owners), before.role)
        # An owner has no end: see below.
        until = 0 if role else NOW + 60
        # Its cooldown was 600 s: twice that, from now, which is also the moment at which the overdue one has expired.
        again_at = {"clear": (0, 0), "double": (NOW + 1200, 3), "keep": (before.next_code_at, before.doublings)}[
            cooldown
        ]
        grants = state == "paired"
        expected = structs.asdict(before) | {
            "state": State(state),
            "rev": before.rev + 1,
            "seat": "" if seat == "free" else before.seat,
            "role": role,
            "paired_at": NOW if grants and who not in {"paired", "guest", "owner"} else before.paired_at,
            "paired_until": until if grants else 0,
            "next_code_at": again_at[0],
            "doublings": again_at[1],
            "decided_by": "7",
            "decided_via": "web",
            "decided_at": NOW,
        }
        after = moved(before, operation, NOW, Decision(by="7", via=Via.WEB, until=until))
        assert structs.asdict(after) == expected

    def test_no_owner_for_a_while(self) -> None:
        """An owner by claim has no end, whoever would give one; any other is relabelled and stays one."""
        for who, operation in (("stranger", Operation.CLAIM), ("owner", Operation.ADD)):
            with pytest.raises(RefusedError) as refusal:
                moved(EVERYONE[who], operation, NOW, Decision(until=NOW + 60))
            assert refusal.value.reason == Refusal.OWNER
        after = moved(EVERYONE["owner"], Operation.ADD, NOW, Decision(label="bob"))
        assert (after.standing(NOW), after.label) == (Standing.OWNER, "bob")

    def test_what_comes_with_a_ticket(self) -> None:
        """Security 4: who sent it, where to answer and which delivery it was are kept; that delivery moves nobody again."""
        asked = Asked(delivery_id="delivery-9", name="@new", full_name="New", reply="chat 9")
        after = moved(EVERYONE["pending"], Operation.ADMIT, NOW, Decision(by="alice", via=Via.INVITE, asked=asked))
        assert (after.name, after.full_name, after.reply) == ("@new", "New", "chat 9")
        assert after.former_deliveries == "delivery-9 delivery-0"
        nameless = moved(EVERYONE["pending"], Operation.ADMIT, NOW, Decision(asked=Asked(delivery_id="delivery-9")))
        assert nameless.name == "@stranger"
        revoked = moved(after, Operation.REVOKE, NOW, Decision())
        for operation in (Operation.ADMIT, Operation.CLAIM):
            with pytest.raises(RefusedError) as refusal:
                moved(revoked, operation, NOW, Decision(asked=asked))
            assert refusal.value.reason == Refusal.REPEATED

    @pytest.mark.parametrize("operation", [Operation.DENY, Operation.BLOCK, Operation.EXPIRE, Operation.REVOKE])
    def test_only_a_grant_gives_an_end(self, operation: Operation) -> None:
        """Security 24: an end that comes with anything but a grant is not kept."""
        who = {Operation.EXPIRE: "overdue", Operation.REVOKE: "guest"}.get(operation, "pending")
        assert moved(EVERYONE[who], operation, NOW, Decision(until=NOW + 60)).paired_until == 0

    @each(
        ("given", "kept"), [(None, "alice"), ("bob", "bob"), ("", ""), ("  bob   b. ", "bob b.")],
        ids=["none keeps", "replaces", "empty clears", "tidied"],
    )  # fmt: skip
    @each(("who", "operation"), [("pending", Operation.APPROVE), ("paired", Operation.ADD)])
    def test_label(self, who: str, operation: Operation, given: str | None, kept: str) -> None:
        """A label is kept unless another is given."""
        assert moved(EVERYONE[who], operation, NOW, Decision(label=given)).label == kept

    def test_a_bad_label_is_refused(self) -> None:
        """Security 28: a label that could not be shown as it is moves nothing."""
        with pytest.raises(InvalidLabelError):
            moved(EVERYONE["pending"], Operation.APPROVE, NOW, Decision(label="a\u202eb"))

    @each("until", [NOW, NOW - 1, -1, 1, END_OF_TIME + 1])
    def test_a_bad_end_is_refused(self, until: int) -> None:
        """An end in the past, or beyond all calendars, moves nothing."""
        with pytest.raises(InvalidTimeError):
            moved(EVERYONE["pending"], Operation.APPROVE, NOW, Decision(until=until))

    def test_for_ever(self) -> None:
        """A grant without an end replaces one that had an end."""
        assert moved(EVERYONE["guest"], Operation.ADD, NOW, Decision()).paired_until == 0

    def test_an_end_is_kept(self) -> None:
        """A change that names no end keeps the one of whoever is in; one that is over gives nobody an end."""
        change = Decision(label="bob", until=None)
        for who in ("guest", "paired", "owner"):
            after = moved(EVERYONE[who], Operation.CHANGE, NOW, change)
            assert (after.label, after.paired_until) == ("bob", EVERYONE[who].paired_until)
        assert moved(EVERYONE["guest"], Operation.CHANGE, NOW, Decision()).paired_until == 0
        assert moved(EVERYONE["ended"], Operation.ADD, NOW, change).paired_until == 0

    def test_nobody_decides_on_an_expiry(self) -> None:
        """An expired request names nobody, whoever decided on the contact before."""
        after = moved(EVERYONE["overdue"], Operation.EXPIRE, NOW, Decision())
        assert (after.decided_by, after.decided_via, after.decided_at) == ("", "", NOW)

    def test_the_old_contact_stays(self) -> None:
        """A move makes a new contact and leaves the one it was worked out from."""
        before = structs.asdict(EVERYONE["pending"])
        moved(EVERYONE["pending"], Operation.APPROVE, NOW, Decision(by="1"))
        assert structs.asdict(EVERYONE["pending"]) == before


def _requested(person: Contact, now: int = NOW, *, delivery: str = "delivery-2", cooldown: int = 600) -> Contact:
    asked = Asked(delivery_id=delivery, name="@new", reply="chat 2")
    return requested(
        person, asked, now, nonce="fedcba", key_id="beef4567", seat="03", ttl_seconds=3600, cooldown_seconds=cooldown
    )


class TestRequested:
    """A contact after a request."""

    @each("who", [who for who, operation, _ in MOVES if operation is Operation.REQUEST and who != "overdue"])
    def test_every_field(self, who: str) -> None:
        """A request replaces all but who it is, how often they moved, and what was delivered: no grant, no decision."""
        assert _requested(EVERYONE[who]) == Contact(
            platform=TELEGRAM,
            user_id="987654321",
            state=State.PENDING,
            rev=EVERYONE[who].rev + 1,
            name="@new",
            reply="chat 2",
            delivery_id="delivery-2",
            former_deliveries="" if who == "stranger" else "delivery-1 delivery-0",
            nonce="fedcba",
            key_id="beef4567",
            seat="03",
            requested_at=NOW,
            code_expires_at=NOW + 3600,
            next_code_at=NOW + (600 if who == "stranger" else 2400),
            doublings=0 if who == "stranger" else 2,
        )

    def test_an_overdue_request_has_expired_first(self) -> None:
        """Security 26: whoever asks before the sweep came by has the same before them as whoever is swept."""
        overdue = EVERYONE["overdue"]
        swept = moved(overdue, Operation.EXPIRE, NOW + 250, Decision())
        assert swept.next_code_at == NOW + 1200
        for person in (overdue, swept):
            assert assess_request(person, "delivery-2", NOW + 1199) is LIMITED
            assert assess_request(person, "delivery-2", NOW + 1200) is NEW
            again = _requested(person, NOW + 1200)
            assert (again.doublings, again.next_code_at) == (3, NOW + 1200 + 4800)

    @pytest.mark.parametrize("who", ["paired", "owner", "guest", "blocked"])
    def test_no_stranger_no_request(self, who: str) -> None:
        """Whoever is paired or blocked cannot ask."""
        with pytest.raises(RefusedError):
            _requested(EVERYONE[who])


NEW, AGAIN, LIMITED, NO_STRANGER = (
    RequestVerdict.NEW,
    RequestVerdict.AGAIN,
    RequestVerdict.RATE_LIMITED,
    RequestVerdict.NOT_A_STRANGER,
)


class TestAssessRequest:
    """What a contact alone tells about another message."""

    @each(
        ("who", "same", "cooling", "over"),
        [
            # the delivery of the last request once more; another one within the cooldown; another one after it
            ("expired", LIMITED, LIMITED, NEW),
            ("revoked", LIMITED, LIMITED, NEW),
            ("ended", LIMITED, LIMITED, NEW),
            ("pending", AGAIN, LIMITED, NEW),
            ("overdue", LIMITED, LIMITED, LIMITED),  # expired this very second: the wait counts from there
            ("denied", LIMITED, LIMITED, NEW),
            ("paired", NO_STRANGER, NO_STRANGER, NO_STRANGER),
            ("owner", NO_STRANGER, NO_STRANGER, NO_STRANGER),
            ("guest", NO_STRANGER, NO_STRANGER, NO_STRANGER),
            ("blocked", NO_STRANGER, NO_STRANGER, NO_STRANGER),
        ],
    )
    def test_verdict(self, who: str, same: RequestVerdict, cooling: RequestVerdict, over: RequestVerdict) -> None:
        """Security 4 and 25: one request for one delivery, and one in the cooldown; however late it comes again."""
        waits = structs.replace(EVERYONE[who], next_code_at=NOW + 1)
        free = structs.replace(EVERYONE[who], next_code_at=NOW)
        assert assess_request(waits, "delivery-1", NOW) is same
        assert assess_request(free, "delivery-1", NOW) is same
        assert assess_request(waits, "delivery-2", NOW) is cooling
        assert assess_request(free, "delivery-2", NOW) is over

    @each("who", ["expired", "revoked", "ended", "pending", "overdue", "denied"])
    def test_a_former_delivery(self, who: str) -> None:
        """Security 4: the delivery of an earlier request, replayed once the cooldown is over, asks for nothing."""
        assert assess_request(EVERYONE[who], "delivery-0", NOW) is LIMITED

    def test_every_delivery_that_can_be_replayed(self) -> None:
        """Security 4: with the shortest cooldown, all deliveries of the longest window, 900 s, are known."""
        person = EVERYONE["stranger"]
        for number in range(32):
            now = NOW + 60 * number
            asked = Asked(delivery_id=f"slack:{number}")
            person = requested(
                person, asked, now, nonce="a", key_id="b", seat="00", ttl_seconds=3600, cooldown_seconds=60
            )
            assert assess_request(person, f"slack:{number + 1}", now + 60) is NEW
            for earlier in range(max(0, number - 15), number):
                assert assess_request(person, f"slack:{earlier}", now + 60) is LIMITED
        assert len(person.former_deliveries.split()) == 15

    def test_a_press_has_one_effect(self) -> None:
        """Security 4: what a press did, and somebody took back, it does not do again; the next press does."""
        press = Decision(by="42", via=Via.BUTTON, delivery_id="press-1")
        person = moved(EVERYONE["pending"], Operation.BLOCK, NOW, press)
        person = moved(moved(person, Operation.UNBLOCK, NOW, Decision()), Operation.ADD, NOW, Decision())
        with pytest.raises(RefusedError, match=r"has had its effect.*is paired now") as refusal:
            moved(person, Operation.BLOCK, NOW, press)
        assert refusal.value.reason == Refusal.REPEATED
        for number in range(2, 34):
            person = moved(person, Operation.ADD, NOW, structs.replace(press, delivery_id=f"press-{number}"))
        assert len(person.presses.split()) == 32

    def test_a_new_request_forgets_the_presses_of_the_old(self) -> None:
        """What was pressed on an earlier request can act on no newer one, so nobody has to remember it."""
        person = moved(EVERYONE["pending"], Operation.DENY, NOW, Decision(delivery_id="press-1"))
        assert person.presses == "press-1"
        assert not _requested(person).presses

    @pytest.mark.parametrize("delivery_id", ["delivery", "elivery-0", "delivery-00", "delivery-1 delivery-0"])
    def test_part_of_a_delivery(self, delivery_id: str) -> None:
        """Security 5: a part of a delivery's id, or several, is another delivery."""
        assert assess_request(EVERYONE["denied"], delivery_id, NOW) is NEW

    def test_a_stranger_may_ask(self) -> None:
        """Whoever was never seen may ask at once."""
        assert assess_request(EVERYONE["stranger"], "delivery-1", NOW) is NEW

    def test_an_ended_guest_may_ask_at_once(self) -> None:
        """The grant has cleared the cooldown, so that it cannot hold up a guest whose time is up."""
        guest = moved(_requested(EVERYONE["stranger"]), Operation.APPROVE, NOW + 1, Decision(until=NOW + 2))
        assert assess_request(guest, "delivery-3", NOW + 2) is NEW

    def test_a_lifted_block_keeps_the_cooldown(self) -> None:
        """Security 25: a block that was lifted gives no new request before the cooldown is over."""
        person = moved(_requested(EVERYONE["stranger"]), Operation.BLOCK, NOW + 1, Decision())
        person = moved(person, Operation.UNBLOCK, NOW + 2, Decision())
        assert assess_request(person, "delivery-3", NOW + 599) is LIMITED
        assert assess_request(person, "delivery-3", NOW + 600) is NEW


class TestCooldown:
    """Who comes to nothing again and again waits longer and longer, and not for ever."""

    @each("ending", [Operation.DENY, Operation.EXPIRE])
    @each(
        ("first", "waits"),
        [
            (60, [120, 240, 480, 960, 1920, 3840, 7680, 15_360, 30_720, 61_440, 86_400, 86_400, 86_400]),
            (600, [1200, 2400, 4800, 9600, 19_200, 38_400, 76_800, 86_400, 86_400, 86_400]),
            (86_400, [86_400, 86_400]),
        ],
    )
    def test_it_doubles_up_to_a_day(self, ending: Operation, first: int, waits: list[int]) -> None:
        """Security 26: each request that was denied or expired doubles it, from its end on, a day at most."""
        person, now, seen = EVERYONE["stranger"], NOW, []
        for number in range(len(waits)):
            person = _requested(person, now, cooldown=first, delivery=f"delivery-{number}")
            now = person.requested_at + 5 if ending is Operation.DENY else person.code_expires_at
            person = moved(person, ending, now, Decision())
            seen.append(person.next_code_at - now)
            assert assess_request(person, "another", person.next_code_at - 1) is LIMITED
            assert assess_request(person, "another", person.next_code_at) is NEW
            now = person.next_code_at
        assert seen == waits

    def test_a_renewal_doubles_nothing(self) -> None:
        """Whoever waits and asks again has not come to nothing."""
        first = _requested(EVERYONE["stranger"])
        again = _requested(first, NOW + 600)
        assert (again.doublings, again.next_code_at) == (0, NOW + 1200)

    @each(
        ("quiet", "cooldown"),
        [(0, 4800), (DAY - 1, 4800), (DAY, 2400), (2 * DAY, 1200), (3 * DAY - 1, 1200), (3 * DAY, 600), (9 * DAY, 600)],
    )
    def test_it_halves_with_each_quiet_day(self, quiet: int, cooldown: int) -> None:
        """A day in which they could have asked, and did not, takes one doubling back, down to the first cooldown."""
        person = contact(State.DENIED, doublings=3, next_code_at=NOW)
        again = _requested(person, NOW + quiet)
        assert again.next_code_at - again.requested_at == cooldown

    def test_it_is_forgotten_only_when_nothing_is_left_of_it(self) -> None:
        """What TTL may delete says nothing more: at that time the cooldown is the first one again."""
        person = contact(State.DENIED, doublings=3, next_code_at=NOW)
        assert doublings_left(person, forgotten_at(person) - 1) == 1
        assert doublings_left(person, forgotten_at(person)) == 0

    @pytest.mark.parametrize("operation", [Operation.APPROVE, Operation.ADD])
    def test_a_grant_forgives(self, operation: Operation) -> None:
        """Whoever is let in starts anew."""
        person = moved(EVERYONE["pending"], operation, NOW, Decision(until=NOW + 1))
        assert (person.doublings, person.next_code_at) == (0, 0)
        again = _requested(person, NOW + 1)
        assert (again.doublings, again.next_code_at) == (0, NOW + 601)

"""What the waiting room promises, on every DynamoDB there is."""

from typing import Any

import pytest

from doorcode.aws.budget import MessageBudget
from doorcode.aws.items import DAY, contact_pk
from doorcode.aws.table import Table
from doorcode.errors import (
    LockedOutError,
    MalformedCodeError,
    NotTheirsError,
    RefusedError,
    UnavailableError,
    UnknownCodeError,
)
from doorcode.pairing.contact import Contact, Platform, State, Via
from doorcode.pairing.decisions import Actor
from doorcode.pairing.keyring import Keyring
from doorcode.pairing.transitions import Asked, Decision, Operation, Refusal, RequestVerdict
from tests.backends import dynamodb
from tests.house import COOLDOWN, KEYS, OWNER, T0, TELEGRAM, TTL, House

NEW, AGAIN, LIMITED, FULL = (
    RequestVerdict.NEW,
    RequestVerdict.AGAIN,
    RequestVerdict.RATE_LIMITED,
    RequestVerdict.FULL,
)


@pytest.fixture
def house(table: dynamodb.Table) -> House:
    """Give a room with its defaults."""
    return House(table)


def item_of(house: House, user_id: str) -> dict[str, Any]:
    """Read a contact's item as it lies in the table."""
    key = {"pk": {"S": contact_pk(TELEGRAM, user_id)}, "sk": {"S": "contact"}}
    item: dict[str, Any] = house.raw.get_item(TableName=house.name, Key=key, ConsistentRead=True)["Item"]
    return item


class TestRequest:
    """A stranger asks."""

    def test_a_stranger_gets_a_code_and_a_seat(self, house: House) -> None:
        """A first request is pending, has a nonce, and holds one seat until the code ends."""
        outcome = house.request("1")
        assert outcome.verdict is NEW
        assert outcome.contact == house.room.get(TELEGRAM, "1")
        assert outcome.contact.state is State.PENDING
        assert outcome.contact.code_expires_at == T0 + TTL
        assert outcome.contact.next_code_at == T0 + COOLDOWN
        assert outcome.contact.name == "@stranger"
        [seat] = house.held_seats()
        assert seat["user_id"]["S"] == "1"
        assert seat["sk"]["S"] == outcome.contact.seat
        assert int(seat["expires_at"]["N"]) == T0 + TTL

    def test_within_the_cooldown_nothing_is_new(self, house: House) -> None:
        """Security 25: one request per person in the cooldown; the second is refused without a write."""
        first = house.request("1").contact
        with house.client.counting() as calls:
            outcome = house.request("1", T0 + COOLDOWN - 1)
        assert (outcome.verdict, outcome.contact) == (LIMITED, first)
        assert calls == ["get_item"]

    @pytest.mark.parametrize(
        ("attribute", "value"),
        [("rev", {"N": "7"}), ("delivery_id", {"S": "new"}), ("next_code_at", {"N": str(T0 * 2)})],
    )
    def test_each_condition_of_a_request_holds_alone(self, house: House, attribute: str, value: dict[str, str]) -> None:
        """Security 4, 25: moved, the same delivery, or cooling down since it was read: each alone forbids the write."""
        house.request("1")
        key = {"pk": {"S": "telegram#1"}, "sk": {"S": "contact"}}

        def meanwhile(call: str) -> None:
            if call == "transact_write_items":
                house.raw.update_item(
                    TableName=house.name, Key=key, UpdateExpression="SET #attribute = :value",
                    ExpressionAttributeNames={"#attribute": attribute}, ExpressionAttributeValues={":value": value},
                )  # fmt: skip

        house.client.before = meanwhile
        house.request("1", T0 + COOLDOWN, delivery="new")
        contact = house.room.get(TELEGRAM, "1")
        # A revision alone forbids only that write: asked again, there is nothing against it.
        assert contact.rev == (8 if attribute == "rev" else 1)
        assert (contact.requested_at == T0) is (attribute != "rev")

    def test_after_the_cooldown_a_new_code_on_the_same_seat(self, house: House) -> None:
        """A pending person who asks again after the cooldown gets a new code and keeps the seat."""
        first = house.request("1").contact
        second = house.request("1", T0 + COOLDOWN)
        assert second.verdict is NEW
        assert second.contact.seat == first.seat
        assert second.contact.nonce != first.nonce
        assert second.contact.rev == first.rev + 1
        assert len(house.held_seats()) == 1

    def test_the_same_delivery_gets_the_same_answer(self, house: House) -> None:
        """Security 4: a delivery that arrives again finds its own request, and changes nothing."""
        first = house.request("1", delivery="d1").contact
        outcome = house.request("1", T0 + 5, delivery="d1")
        assert (outcome.verdict, outcome.contact) == (AGAIN, first)

    def test_an_older_delivery_starts_nothing_within_the_signature_s_window(self, table: dynamodb.Table) -> None:
        """Security 4: with the shortest cooldown, none of the requests of the last 900 s can be replayed."""
        house = House(table, code_cooldown=60)
        for n in range(16):
            assert house.request("1", T0 + 60 * n, delivery=f"d{n}").verdict is NEW
        for n in range(16):
            assert house.request("1", T0 + 960, delivery=f"d{n}").verdict is not NEW
        assert house.request("1", T0 + 960, delivery="d16").verdict is NEW

    @pytest.mark.parametrize("later", [1, 2 * COOLDOWN, 10 * DAY])
    def test_a_late_redelivery_after_a_denial_starts_nothing(self, house: House, later: int) -> None:
        """Security 4: the delivery of a request that was denied since asks for nothing new, however late it comes."""
        house.request("1", delivery="d1")
        denied = house.decide(Operation.DENY, user_id="1")
        outcome = house.request("1", T0 + 1 + later, delivery="d1")
        assert (outcome.verdict, outcome.contact) == (LIMITED, denied)

    @pytest.mark.parametrize("ending", [Operation.REVOKE, Operation.BLOCK])
    def test_a_redelivery_after_it_ended_starts_nothing(self, house: House, ending: Operation) -> None:
        """Security 4, 18: nor does it after an approval that was taken back."""
        house.request("1", delivery="d1")
        house.approve("1")
        house.decide(ending, user_id="1")
        assert house.request("1", T0 + 5, delivery="d1").verdict is not NEW

    @pytest.mark.parametrize(
        ("operation", "verdict"),
        [(Operation.ADD, RequestVerdict.NOT_A_STRANGER), (Operation.BLOCK, RequestVerdict.NOT_A_STRANGER)],
    )
    def test_someone_decided_between_read_and_request(
        self, house: House, operation: Operation, verdict: RequestVerdict
    ) -> None:
        """A decision that came between the gate's read and the request wins, and the request is told."""
        stale = house.room.get(TELEGRAM, "1")
        decided = house.decide(operation, user_id="1")
        with house.client.counting() as calls:
            outcome = house.room.request(stale, _asked("d1"), KEYS, T0 + 2)
        assert (outcome.verdict, outcome.contact) == (verdict, decided)
        assert calls == ["query", "transact_write_items"]

    def test_a_full_room_refuses(self, table: dynamodb.Table) -> None:
        """Security 26: beyond the seats nobody gets in, and whoever was in before stays."""
        house = House(table, max_pending=2)
        before = [house.request("1").contact, house.request("2").contact]
        assert house.request("3").verdict is FULL
        assert [house.room.get(TELEGRAM, user) for user in "12"] == before
        assert house.room.get(TELEGRAM, "3") == Contact(platform=TELEGRAM, user_id="3")

    def test_a_full_room_is_not_asked_again_at_once(self, table: dynamodb.Table) -> None:
        """An environment that saw the room full does not look again for two seconds; then it does."""
        house = House(table, max_pending=1)
        house.request("1")
        house.request("2")
        with house.client.counting() as calls:
            assert house.request("3", T0 + 1).verdict is FULL
        assert calls == ["get_item"]
        house.again().decide(Operation.DENY, user_id="1")
        assert house.request("3", T0 + 2).verdict is NEW

    def test_a_decision_here_frees_the_seat_at_once(self, table: dynamodb.Table) -> None:
        """A seat that this environment freed itself is free without a wait."""
        house = House(table, max_pending=1)
        house.request("1")
        assert house.request("2").verdict is FULL
        house.decide(Operation.DENY, now=T0, user_id="1")
        assert house.request("2").verdict is NEW

    def test_a_full_room_renews_nobody(self, table: dynamodb.Table) -> None:
        """Security 26: in a full room whoever waits goes on waiting, with the code they have; once there is room, they renew."""
        house = House(table, max_pending=2)
        first, _ = house.request("1").contact, house.request("2")
        outcome = house.request("1", T0 + COOLDOWN)
        assert (outcome.verdict, outcome.contact) == (LIMITED, first)
        assert house.room.get(TELEGRAM, "1") == first
        house.decide(Operation.DENY, T0 + COOLDOWN, user_id="2")
        assert house.request("1", T0 + COOLDOWN).verdict is NEW

    def test_an_overdue_seat_is_room_for_a_renewal(self, table: dynamodb.Table) -> None:
        """Security 14, 26: what only looks full is tidied up first, and then those inside renew."""
        house = House(table, max_pending=2)
        house.request("1")
        house.request("2", T0 + TTL - 1)
        assert house.request("2", T0 + TTL - 1 + COOLDOWN).verdict is NEW
        assert house.room.get(TELEGRAM, "1").state is State.EXPIRED
        assert [seat["user_id"]["S"] for seat in house.held_seats()] == ["2"]

    def test_the_last_to_hold_an_overdue_seat_may_take_it_again(self, table: dynamodb.Table) -> None:
        """Without a sweep and in a room of one, a seat is free once its code is over and its holder has waited."""
        house = House(table, max_pending=1)
        house.request("1")
        assert house.request("1", T0 + TTL + 2 * COOLDOWN - 1).verdict is LIMITED
        assert house.request("1", T0 + TTL + 2 * COOLDOWN).verdict is NEW

    def test_an_overdue_seat_makes_room(self, table: dynamodb.Table) -> None:
        """Security 14: an overdue request, although its items still exist, is expired to make room."""
        house = House(table, max_pending=1)
        house.request("1")
        assert house.request("2", T0 + TTL).verdict is NEW
        assert house.room.get(TELEGRAM, "1").state is State.EXPIRED
        assert [seat["user_id"]["S"] for seat in house.held_seats()] == ["2"]

    def test_an_unreadable_holder_does_not_wedge_the_room(self, table: dynamodb.Table) -> None:
        """One overdue seat whose holder cannot be read costs a seat, not the room."""
        house = House(table, max_pending=2)
        house.request("1")
        house.request("2")
        _set(house, "1", "state", {"S": "of a version to come"})
        assert house.request("3", T0 + TTL).verdict is NEW
        assert house.room.get(TELEGRAM, "2").state is State.EXPIRED

    def test_after_the_cap_was_lowered_nobody_new_until_it_fits(self, table: dynamodb.Table) -> None:
        """The cap holds for what comes, also when more seats than it are still held."""
        house = House(table, max_pending=4)
        for user in "1234":
            house.request(user)
        lowered = house.again(max_pending=2)
        assert lowered.request("5").verdict is FULL
        for user in "12":
            lowered.decide(Operation.DENY, user_id=user)
        assert lowered.request("5", T0 + 1).verdict is FULL
        lowered.decide(Operation.DENY, user_id="3")
        assert lowered.request("5", T0 + 1).verdict is NEW
        assert len(lowered.held_seats()) == 2

    def test_after_the_cap_was_lowered_overdue_people_do_not_all_come_back(self, table: dynamodb.Table) -> None:
        """Renewing an overdue request is a new request: it too must fit under the lowered cap."""
        house = House(table, max_pending=3)
        for user in "123":
            house.request(user)
        lowered = house.again(max_pending=1)
        verdicts = [lowered.request(user, T0 + TTL + 2 * COOLDOWN + 10 * n).verdict for n, user in enumerate("123")]
        assert verdicts.count(NEW) == 1
        assert len(lowered.held_seats()) == 1

    def test_a_lost_seat_is_replaced(self, house: House) -> None:
        """A pending person whose seat is gone (a restored backup) gets another with the next request."""
        first = house.request("1").contact
        house.raw.delete_item(TableName=house.name, Key={"pk": {"S": "seats#telegram"}, "sk": {"S": first.seat}})
        assert house.request("1", T0 + COOLDOWN).verdict is NEW
        assert len(house.held_seats()) == 1

    def test_platforms_have_rooms_of_their_own(self, table: dynamodb.Table) -> None:
        """Security 7: the same number on another platform is another person, in another room."""
        house = House(table, max_pending=1)
        house.request("1")
        assert house.request("1", platform=Platform.DISCORD).verdict is NEW
        assert house.code("1") != house.code("1", Platform.DISCORD)

    @pytest.mark.parametrize("user_id", ["a#b", "a|b", "a:b", "#", "x" * 64])
    def test_odd_ids_stay_themselves(self, house: House, user_id: str) -> None:
        """Security 5: an id may hold our separators, and stays exactly itself."""
        house.request(user_id)
        assert house.room.get(TELEGRAM, user_id).user_id == user_id
        assert house.room.get(TELEGRAM, user_id[:-1] or "x").state is State.NONE
        code = house.code(user_id)
        assert house.decide(Operation.APPROVE, code=code).user_id == user_id


class TestDecisions:
    """An owner decides."""

    def test_approve_by_code(self, house: House) -> None:
        """An approval pairs, frees the seat and says who did it, with one transaction."""
        house.request("1")
        code = house.code("1")
        contact = house.decide(Operation.APPROVE, code=code, label="bob")
        assert contact == house.room.get(TELEGRAM, "1")
        assert contact.state is State.PAIRED
        assert (contact.label, contact.paired_at, contact.paired_until) == ("bob", T0 + 1, 0)
        assert (contact.decided_by, contact.decided_via) == ("alice", "cli")
        assert house.held_seats() == []

    @pytest.mark.parametrize("entry", ["{low}", " {code} ", "{head}-{tail}", "{head} {tail}"])
    def test_codes_are_taken_as_people_type_them(self, house: House, entry: str) -> None:
        """Security 10: any case, spaces and hyphens."""
        house.request("1")
        code = house.code("1")
        typed = entry.format(code=code, low=code.lower(), head=code[:4], tail=code[4:])
        assert house.decide(Operation.APPROVE, code=typed).state is State.PAIRED

    def test_a_wrong_user_with_a_right_code_is_refused_and_the_code_still_works(self, house: House) -> None:
        """Security 9, 11: a code is bound to its person, and a failed approval consumes nothing."""
        house.request("1")
        house.request("2")
        code = house.code("1")
        with pytest.raises(NotTheirsError):
            house.decide(Operation.APPROVE, code=code, user_id="2")
        assert house.decide(Operation.APPROVE, code=code, user_id="1").user_id == "1"

    def test_a_code_of_another_platform_is_unknown(self, house: House) -> None:
        """Security 7, 12: a code works on its own platform only."""
        house.request("1")
        with pytest.raises(UnknownCodeError):
            house.decide(Operation.APPROVE, platform=Platform.SLACK, code=house.code("1"))

    def test_a_code_works_once(self, house: House) -> None:
        """A used code is told what became of the request, also without the user id."""
        house.request("1")
        code = house.code("1")
        house.decide(Operation.APPROVE, code=code)
        with pytest.raises(RefusedError) as refusal:
            house.decide(Operation.APPROVE, code=code, actor=Actor(via=Via.API, id="bob"))
        assert refusal.value.reason == Refusal.ALREADY_PAIRED
        assert str(refusal.value) == "Already approved by alice (cli)."

    @pytest.mark.parametrize("swept", [False, True])
    def test_an_expired_code_says_so(self, house: House, swept: bool) -> None:
        """Security 14: expired means now >= expires_at, although the items exist, before and after the sweep."""
        house.request("1")
        code = house.code("1")
        if swept:
            house.room.expire_overdue(TELEGRAM, T0 + TTL)
        with pytest.raises(RefusedError) as refusal:
            house.decide(Operation.APPROVE, T0 + TTL, code=code)
        assert refusal.value.reason == Refusal.EXPIRED

    def test_a_code_works_in_its_last_second(self, house: House) -> None:
        """One second before its end a code still works."""
        house.request("1")
        assert house.decide(Operation.APPROVE, T0 + TTL - 1, code=house.code("1")).state is State.PAIRED

    def test_an_old_code_does_not_act_on_a_new_request(self, house: House) -> None:
        """Security 16: after a new request the former code is nobody's."""
        house.request("1")
        old = house.code("1")
        house.request("1", T0 + COOLDOWN)
        with pytest.raises(UnknownCodeError):
            house.decide(Operation.APPROVE, T0 + COOLDOWN, code=old)
        assert house.room.get(TELEGRAM, "1").state is State.PENDING

    def test_a_denial_is_final_and_grants_nothing(self, house: House) -> None:
        """Security 24: a denied request leaves no grant, and its code is gone."""
        house.request("1")
        code = house.code("1")
        denied = house.decide(Operation.DENY, code=code)
        assert (denied.state, denied.paired_at, denied.paired_until) == (State.DENIED, 0, 0)
        assert "listing" not in item_of(house, "1")
        with pytest.raises(RefusedError) as refusal:
            house.decide(Operation.APPROVE, code=code)
        assert refusal.value.reason == Refusal.ALREADY_DENIED
        assert house.request("1", T0 + 1 + 2 * COOLDOWN - 1).verdict is LIMITED
        assert house.request("1", T0 + 1 + 2 * COOLDOWN).verdict is NEW

    def test_a_lost_seat_means_expired(self, house: House) -> None:
        """A decision on a request whose seat was lost is refused as expired."""
        seat = house.request("1").contact.seat
        house.raw.delete_item(TableName=house.name, Key={"pk": {"S": "seats#telegram"}, "sk": {"S": seat}})
        with pytest.raises(RefusedError) as refusal:
            house.approve("1")
        assert (refusal.value.reason, refusal.value.state) == (Refusal.EXPIRED, State.EXPIRED)
        assert house.decide(Operation.BLOCK, user_id="1").state is State.BLOCKED

    @pytest.mark.parametrize(
        "change", ["freed_at = :v", "user_id = :v", "nonce = :v"], ids=["freed", "other user", "other request"]
    )
    def test_a_seat_that_is_not_its_own_means_expired(self, house: House, change: str) -> None:
        """A decision needs the seat to be held, by this contact, for this request."""
        seat = house.request("1").contact.seat
        house.raw.update_item(
            TableName=house.name,
            Key={"pk": {"S": "seats#telegram"}, "sk": {"S": seat}},
            UpdateExpression=f"SET {change}",
            ExpressionAttributeValues={":v": {"N": str(T0)} if "freed" in change else {"S": "another"}},
        )
        with pytest.raises(RefusedError) as refusal:
            house.approve("1")
        assert refusal.value.reason == Refusal.EXPIRED
        assert house.room.get(TELEGRAM, "1").state is State.PENDING

    def test_revocation_holds_and_the_old_code_does_not_pair_again(self, house: House) -> None:
        """Security 18, 23: after a revocation nothing of before pairs again."""
        house.request("1")
        code = house.code("1")
        house.decide(Operation.APPROVE, code=code)
        house.decide(Operation.REVOKE, user_id="1")
        for order in ({"code": code}, {"code": code, "user_id": "1"}, {"user_id": "1"}):
            with pytest.raises(RefusedError) as refusal:
                house.decide(Operation.APPROVE, **order)
            assert refusal.value.state == State.REVOKED

    def test_an_ended_guest_can_ask_again_at_once(self, house: House) -> None:
        """A guest's time ends by itself, and the person may ask anew in the same second."""
        house.request("1")
        house.approve("1", until=T0 + 61)
        assert house.request("1", T0 + 60).verdict is RequestVerdict.NOT_A_STRANGER
        assert house.request("1", T0 + 61).verdict is NEW

    def test_add_needs_no_request_and_frees_the_seat_of_one(self, house: House) -> None:
        """An owner may let somebody in who never asked, or who waits."""
        assert house.decide(Operation.ADD, user_id="1", label="carol").state is State.PAIRED
        house.request("2")
        assert house.decide(Operation.ADD, user_id="2").state is State.PAIRED
        assert house.held_seats() == []

    def test_a_block_beats_everything(self, house: House) -> None:
        """Security 22: a blocked person is not added, not approved, and cannot ask, until unblocked."""
        house.request("1")
        house.decide(Operation.BLOCK, user_id="1")
        assert house.held_seats() == []
        assert house.request("1", T0 + COOLDOWN).verdict is RequestVerdict.NOT_A_STRANGER
        with pytest.raises(RefusedError, match="unblock first"):
            house.decide(Operation.ADD, user_id="1")
        assert house.decide(Operation.UNBLOCK, user_id="1").state is State.REVOKED

    def test_who_lost_is_told_without_another_read(self, house: House) -> None:
        """Security 17: the final state comes with the refusal of the write."""
        house.request("1")
        stale = house.room.get(TELEGRAM, "1")
        house.decide(Operation.DENY, user_id="1")
        with house.client.counting() as calls, pytest.raises(RefusedError) as refusal:
            house.room.move(stale, Operation.APPROVE, T0 + 2, Decision(by="bob", via=Via.API), nonce=stale.nonce)
        assert refusal.value.reason == Refusal.ALREADY_DENIED
        assert refusal.value.decided_by == "alice"
        assert calls == ["transact_write_items"]

    def test_rotation_keeps_pending_codes_working(self, house: House) -> None:
        """Security 30: a code made under the former secret works while that secret is on the ring, and not after."""
        house.request("1")
        code = house.code("1")
        house.secrets.ring = Keyring((b"new", *KEYS.secrets))
        house.request("2")
        assert house.decide(Operation.APPROVE, code=code).user_id == "1"
        house.request("3")
        house.secrets.ring = Keyring((b"newer",))
        with pytest.raises(UnknownCodeError):
            house.decide(Operation.APPROVE, code=code)
        assert house.decide(Operation.APPROVE, user_id="3").state is State.PAIRED


class TestSweep:
    """Time passes."""

    def test_the_sweep_expires_the_overdue_and_nobody_else(self, house: House) -> None:
        """Only what is overdue is moved; its seat is free, and it says when."""
        house.request("1")
        house.request("2", T0 + 10)
        swept = house.room.expire_overdue(TELEGRAM, T0 + TTL)
        assert [(contact.user_id, contact.state, contact.decided_at) for contact in swept.expired] == [
            ("1", State.EXPIRED, T0 + TTL)
        ]
        assert swept.failed == 0
        assert house.room.get(TELEGRAM, "2").state is State.PENDING
        assert house.room.expire_overdue(TELEGRAM, T0 + TTL).expired == []

    @pytest.mark.parametrize("swept_by", ["nobody", "the sweep", "the next one"])
    def test_an_expired_request_doubles_the_cooldown(self, table: dynamodb.Table, swept_by: str) -> None:
        """Security 26: whoever expired waits twice as long, from the end of the code on, whoever noticed it and when."""
        house = House(table, max_pending=2)
        house.request("1")
        if swept_by == "the sweep":
            house.room.expire_overdue(TELEGRAM, T0 + TTL + 250)
        elif swept_by == "the next one":
            house.request("2", T0 + TTL - 1)
            house.request("3", T0 + TTL + 10)
            assert house.room.get(TELEGRAM, "1").state is State.EXPIRED
        assert house.request("1", T0 + TTL + 2 * COOLDOWN - 1).verdict is LIMITED
        if swept_by == "the next one":
            house.decide(Operation.DENY, T0 + TTL + 20, user_id="3")
        again = house.request("1", T0 + TTL + 2 * COOLDOWN)
        assert again.verdict is NEW
        assert again.contact.next_code_at == again.contact.requested_at + 2 * COOLDOWN

    def test_a_seat_whose_holder_is_gone_is_freed(self, house: House) -> None:
        """A seat that nobody waits on (the contact was deleted, or restored to another time) is freed when due."""
        house.request("1")
        house.raw.delete_item(TableName=house.name, Key={"pk": {"S": "telegram#1"}, "sk": {"S": "contact"}})
        house.request("2")
        _set(house, "2", "nonce", {"S": "of another time"})
        assert house.room.expire_overdue(TELEGRAM, T0 + TTL).expired == []
        assert house.held_seats() == []

    def test_one_unreadable_contact_holds_up_nobody(self, house: House) -> None:
        """An item of a version to come is counted as failed, and the others are swept."""
        for user in "123":
            house.request(user)
        _set(house, "2", "state", {"S": "hovering"})
        swept = house.room.expire_overdue(TELEGRAM, T0 + TTL)
        assert sorted(contact.user_id for contact in swept.expired) == ["1", "3"]
        assert swept.failed == 1

    @pytest.mark.parametrize(
        ("moves", "ttl"),
        [
            ([], T0 + TTL + DAY),
            # It waits from the denial on, and for another day before the doubling is forgotten.
            ([(Operation.DENY, {})], T0 + 1 + 2 * COOLDOWN + DAY + DAY),
            ([(Operation.APPROVE, {})], None),
            ([(Operation.APPROVE, {"until": T0 + 10 * DAY})], T0 + 11 * DAY),
            ([(Operation.BLOCK, {})], None),
            ([(Operation.ADD, {}), (Operation.REVOKE, {})], T0 + TTL + DAY),
        ],
        ids=["pending", "denied", "paired", "guest", "blocked", "revoked"],
    )
    def test_ttl_is_a_day_after_everything(
        self, house: House, moves: list[tuple[Operation, dict[str, Any]]], ttl: int | None
    ) -> None:
        """TTL only tidies up: it lies a day past every time that means something; paired and blocked have none."""
        house.request("1")
        for operation, order in moves:
            house.decide(operation, user_id="1", **order)
        assert item_of(house, "1").get("ttl") == (None if ttl is None else {"N": str(ttl)})


class TestLists:
    """Who is in, who waits, who is out."""

    def test_pending_lists_what_can_be_decided_oldest_first(self, house: House) -> None:
        """Only requests that can still be decided are listed."""
        for n, user in enumerate("123"):
            house.request(user, T0 + n)
        house.decide(Operation.DENY, T0 + 3, user_id="2")
        _set(house, "3", "state", {"S": "of a version to come"})
        assert [contact.user_id for contact in house.directory.pending(TELEGRAM, T0 + 10)] == ["1"]
        assert house.directory.pending(TELEGRAM, T0 + TTL) == []

    def test_paired_pages_newest_first(self, house: House) -> None:
        """Pages hold each contact once, newest first, and end."""
        for n in range(7):
            house.decide(Operation.ADD, T0 + n, user_id=str(n + 1))
        seen: list[str] = []
        cursor = ""
        for _ in range(4):
            page = house.directory.listed(TELEGRAM, State.PAIRED, T0 + 10, cursor=cursor, limit=2)
            seen += [contact.user_id for contact in page.contacts]
            cursor = page.cursor
            if not cursor:
                break
        assert seen == ["7", "6", "5", "4", "3", "2", "1"]
        assert cursor == ""

    def test_guests_whose_time_is_up_are_not_listed(self, house: House) -> None:
        """An ended guest is not paired, although the item is still in the index; pages stay full."""
        for n in range(6):
            house.decide(Operation.ADD, T0 + n, user_id=str(n + 1), until=T0 + 50 if n % 2 else 0)
        page = house.directory.listed(TELEGRAM, State.PAIRED, T0 + 50, limit=3)
        assert [contact.user_id for contact in page.contacts] == ["5", "3", "1"]

    def test_blocked_are_listed_apart(self, house: House) -> None:
        """A blocked person is in the list of the blocked, and in no other."""
        house.decide(Operation.ADD, user_id="1")
        house.decide(Operation.BLOCK, user_id="1")
        assert house.directory.listed(TELEGRAM, State.PAIRED, T0 + 9).contacts == []
        assert [c.user_id for c in house.directory.listed(TELEGRAM, State.BLOCKED, T0 + 9).contacts] == ["1"]

    @pytest.mark.parametrize("platform", [TELEGRAM, Platform.SLACK])
    def test_clear_revokes_one_platform(self, house: House, platform: Platform) -> None:
        """Clearing goes page by page through one platform and leaves the others, the pending and the blocked."""
        head = "U123" if platform is Platform.SLACK else "123"
        paired, waiting, blocked = [f"{head}{n}" for n in range(5)], f"{head}8", f"{head}9"
        for user_id in paired:
            house.decide(Operation.ADD, platform=platform, user_id=user_id)
        other, elsewhere = Platform.DISCORD, "200000000000000001"
        house.decide(Operation.ADD, platform=other, user_id=elsewhere)
        house.request(waiting, platform=platform)
        house.decide(Operation.BLOCK, platform=platform, user_id=blocked)
        revoked, cursor = [], ""
        while True:
            cleared = house.directory.clear(
                house.room, platform, T0 + 9, Decision(by="alice", via=Via.CLI), cursor=cursor
            )
            revoked += [contact.user_id for contact in cleared.revoked]
            assert cleared.failed == []
            cursor = cleared.cursor
            if not cursor:
                break
        assert sorted(revoked) == paired
        assert house.room.get(other, elsewhere).state is State.PAIRED
        assert house.room.get(platform, waiting).state is State.PENDING
        assert house.room.get(platform, blocked).state is State.BLOCKED

    def test_clear_says_whom_it_could_not_revoke(self, table: dynamodb.Table) -> None:
        """What fails is named, what somebody else ended is passed over, and the rest is done."""
        house = House(table, patience=0.05)
        for user in "123":
            house.decide(Operation.ADD, user_id=user)
        house.client.before = lambda _: _one_trouble_each(house)
        cleared = house.directory.clear(house.room, TELEGRAM, T0 + 9, Decision(by="alice", via=Via.CLI))
        assert [contact.user_id for contact in cleared.revoked] == ["1"]
        assert [contact.user_id for contact in cleared.failed] == ["2"]


class TestLockout:
    """Wrong codes are counted."""

    def wrong(self, house: House, times: int, now: int = T0, actor: Actor = OWNER) -> None:
        """Enter that many wrong codes."""
        for _ in range(times):
            with pytest.raises(UnknownCodeError):
                house.decide(Operation.APPROVE, now, actor, code="AAAAAAAA")

    def test_five_wrong_codes_lock_even_a_right_one(self, house: House) -> None:
        """Security 13: after five wrong codes a right one is refused for 300 s, and then works."""
        house.request("1")
        code = house.code("1")
        self.wrong(house, 5)
        for now in (T0, T0 + 299):
            with pytest.raises(LockedOutError) as lock:
                house.decide(Operation.APPROVE, now, code=code)
            assert lock.value.until == T0 + 300
        assert house.decide(Operation.APPROVE, T0 + 300, code=code).state is State.PAIRED

    def test_it_holds_across_functions(self, house: House) -> None:
        """Security 13: the count is in the table, so that another function refuses too."""
        for n in range(5):
            self.wrong(house.again(), 1, T0 + n)
        with pytest.raises(LockedOutError):
            house.again().decide(Operation.APPROVE, T0 + 5, code="AAAAAAAA")

    def test_a_guess_that_came_between_is_counted_too(self, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
        """Security 13: another function that counts between our reading and our writing loses nothing, and nor do we."""
        self.wrong(house, 3)
        update, between = Table.update, [1]

        def late(table: Table, *key: str, **how: Any) -> Any:
            if between:
                between.clear()
                self.wrong(house.again(), 1)
            return update(table, *key, **how)

        monkeypatch.setattr(Table, "update", late)
        self.wrong(house, 1)
        with pytest.raises(LockedOutError):
            house.decide(Operation.APPROVE, T0, code="AAAAAAAA")

    @pytest.mark.parametrize("other", [Actor(via=Via.CLI, id="bob"), Actor(via=Via.API, id="alice")])
    def test_nobody_else_is_locked(self, house: House, other: Actor) -> None:
        """Security 13: another caller, or the same name on another surface, is not affected."""
        house.request("1")
        self.wrong(house, 5)
        assert house.decide(Operation.APPROVE, actor=other, code=house.code("1")).state is State.PAIRED

    def test_the_window_slides(self, house: House) -> None:
        """Five within any 60 seconds lock, wherever they began; four a minute never do."""
        self.wrong(house, 3, T0)
        self.wrong(house, 1, T0 + 59)
        self.wrong(house, 3, T0 + 60)
        self.wrong(house, 1, T0 + 118)
        with pytest.raises(LockedOutError):
            house.decide(Operation.APPROVE, T0 + 118, code="AAAAAAAA")

    def test_right_and_malformed_codes_do_not_count(self, house: House) -> None:
        """Security 10: neither a right code nor what cannot be one uses up a guess."""
        self.wrong(house, 4)
        for n in range(6):
            with pytest.raises(MalformedCodeError):
                house.decide(Operation.APPROVE, T0, code="0000")
            house.request(f"u{n}")
            house.decide(Operation.APPROVE, T0, code=house.code(f"u{n}"))
        self.wrong(house, 1)

    def test_a_right_code_can_be_the_fifth(self, house: House) -> None:
        """Four wrong guesses do not spoil a right fifth one, nor what comes after."""
        house.request("1")
        self.wrong(house, 4)
        house.decide(Operation.APPROVE, T0, code=house.code("1"))
        self.wrong(house, 1)
        with pytest.raises(LockedOutError):
            house.decide(Operation.APPROVE, T0, code="AAAAAAAA")

    @pytest.mark.parametrize("caller", ["alice", None])
    def test_unlock(self, house: House, caller: str | None) -> None:
        """Unlocking frees a caller, or all of a surface, and says how many."""
        house.request("1")
        self.wrong(house, 5)
        assert house.lockout.unlock("cli", caller) == 1
        assert house.decide(Operation.APPROVE, T0, code=house.code("1")).state is State.PAIRED
        assert house.lockout.unlock("cli", "alice") in {0, 1}
        assert house.lockout.unlock("api") == 0

    def test_an_overlong_caller_is_still_one(self, house: House) -> None:
        """A caller that gives itself a name of 5 kB is counted like any other."""
        actor = Actor(via=Via.CLI, id="x" * 5000)
        self.wrong(house, 5, actor=actor)
        with pytest.raises(LockedOutError):
            house.decide(Operation.APPROVE, T0, actor, code="AAAAAAAA")


class TestBudget:
    """Messages under the policy allow."""

    def test_the_budget_is_spent_by_minute_and_sender(self, house: House) -> None:
        """Within a minute the limit holds; the next minute, another sender and another platform have their own."""
        budget = MessageBudget(house.table, 2)
        minute = T0 // 60 * 60
        assert [budget.spend(TELEGRAM, "1", f"d{n}", minute + n) for n in (0, 1, 59)] == [True, True, False]
        assert budget.spend(TELEGRAM, "1", "d60", minute + 60)
        assert budget.spend(TELEGRAM, "2", "d0", minute)
        assert budget.spend(Platform.SLACK, "1", "d0", minute)

    def test_a_delivery_that_comes_again_is_counted_once(self, house: House) -> None:
        """A message whose hand-off failed is delivered again, and is still within the budget that it was counted in."""
        budget = MessageBudget(house.table, 2)
        assert [budget.spend(TELEGRAM, "1", delivery, T0) for delivery in ("a", "b", "b", "c")] == [
            True,
            True,
            True,
            False,
        ]

    def test_no_limit_asks_nobody(self, house: House) -> None:
        """A budget of 0 is none: nothing is counted."""
        with house.client.counting() as calls:
            assert all(MessageBudget(house.table, 0).spend(TELEGRAM, "1", "d", T0) for _ in range(50))
        assert calls == []


class TestCalls:
    """What each operation costs, so that nobody adds a call by accident."""

    def test_gate(self, house: House) -> None:
        """The gate makes one consistent GetItem."""
        with house.client.counting() as calls:
            house.room.get(TELEGRAM, "1")
        assert calls == ["get_item"]
        assert house.client.arguments[-1]["ConsistentRead"] is True

    def test_request(self, house: House) -> None:
        """A new request is GetItem, Query and one transaction of two updates."""
        with house.client.counting() as calls:
            house.request("1")
        assert calls == ["get_item", "query", "transact_write_items"]
        assert [list(part) for part in house.client.arguments[-1]["TransactItems"]] == [["Update"], ["Update"]]

    @pytest.mark.parametrize("operation", [Operation.APPROVE, Operation.DENY])
    def test_press(self, house: House, operation: Operation) -> None:
        """A press is GetItem and one transaction of two updates."""
        house = house.again(owners=((TELEGRAM, "9"),))
        house.request("1")
        code = house.code("1")
        presser = Actor(via=Via.BUTTON, id="9", platform=TELEGRAM)
        with house.client.counting() as calls:
            house.decide(operation, actor=presser, user_id="1", code=code)
        assert calls == ["get_item", "transact_write_items"]
        assert len(house.client.arguments[-1]["TransactItems"]) == 2

    def test_by_user_id(self, house: House) -> None:
        """Every other move is GetItem and one transaction of one update."""
        for operation in (Operation.ADD, Operation.REVOKE, Operation.BLOCK, Operation.UNBLOCK):
            with house.client.counting() as calls:
                house.decide(operation, user_id="1")
            assert calls == ["get_item", "transact_write_items"]
            assert len(house.client.arguments[-1]["TransactItems"]) == 1

    def test_every_transaction_has_its_own_token(self, house: House) -> None:
        """A token makes retries one write, so two writes never share one."""
        for user in "12":
            house.request(user)
            house.approve(user)
        tokens = [call["ClientRequestToken"] for call in house.client.arguments if "ClientRequestToken" in call]
        assert len(tokens) == len(set(tokens)) == 4


class TestBadItems:
    """What lies in the table is not always ours."""

    @pytest.mark.parametrize(
        "fields", [{}, {"user_id": {"S": "1"}}, {"expires_at": {"N": "1"}}], ids=["bare", "half", "other half"]
    )
    def test_a_malformed_seat_costs_a_place_not_the_room(self, table: dynamodb.Table, fields: dict[str, Any]) -> None:
        """A seat of an unknown form is held by nobody and had by nobody; requests, lists and sweeps go on."""
        house = House(table, max_pending=2)
        house.raw.put_item(TableName=house.name, Item={"pk": {"S": "seats#telegram"}, "sk": {"S": "00"}} | fields)
        assert house.request("1").verdict is NEW
        assert house.request("2").verdict is FULL
        assert [contact.user_id for contact in house.directory.pending(TELEGRAM, T0)] == ["1"]
        assert house.room.expire_overdue(TELEGRAM, T0 + TTL).failed == 0

    @pytest.mark.parametrize(
        "item",
        [{}, {"state": {"S": "hovering"}}, {"state": {"N": "1"}}, {"state": {"S": "paired"}, "rev": {"S": "x"}}],
        ids=["nothing", "unknown state", "wrong type", "rev no number"],
    )
    def test_an_unreadable_contact_is_nobody_s_friend(self, house: House, item: dict[str, Any]) -> None:
        """Security 1: an item of an unknown form is never guessed at; the read fails."""
        key = {"pk": {"S": "telegram#1"}, "sk": {"S": "contact"}}
        house.raw.put_item(TableName=house.name, Item=key | item)
        with pytest.raises(UnavailableError):
            house.room.get(TELEGRAM, "1")

    def test_attributes_of_a_version_to_come_survive(self, house: House) -> None:
        """A move leaves alone what it does not know."""
        house.request("1")
        _set(house, "1", "mood", {"S": "sunny"})
        house.approve("1")
        assert item_of(house, "1")["mood"] == {"S": "sunny"}


def _one_trouble_each(house: House) -> None:
    """Before the write of contact 2, lose the connection; before that of contact 3, let another operator be first."""
    parts = house.client.arguments[-1].get("TransactItems")
    user_id = parts[0]["Update"]["Key"]["pk"]["S"].partition("#")[2] if parts else ""
    if user_id == "2":
        raise ConnectionResetError
    if user_id == "3" and house.room.get(TELEGRAM, "3").state is State.PAIRED:
        house.again().decide(Operation.REVOKE, user_id="3")


def _asked(delivery: str) -> Asked:
    return Asked(delivery_id=delivery)


def _set(house: House, user_id: str, field: str, value: dict[str, str]) -> None:
    house.raw.update_item(
        TableName=house.name,
        Key={"pk": {"S": contact_pk(TELEGRAM, user_id)}, "sk": {"S": "contact"}},
        UpdateExpression="SET #field = :value",
        ExpressionAttributeNames={"#field": field},
        ExpressionAttributeValues={":value": value},
    )

"""What the waiting room promises; what it asks of a DynamoDB, on every one there is."""

from typing import Any

import pytest

from doorcode.aws.budget import MessageBudget
from doorcode.aws.items import contact_pk
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
from doorcode.pairing.cooldown import DAY
from doorcode.pairing.decisions import Actor
from doorcode.pairing.keyring import Keyring
from doorcode.pairing.transitions import Asked, Decision, Operation, Refusal, RequestVerdict
from tests.backends import dynamodb
from tests.harness import COOLDOWN, KEYS, OWNER, T0, TELEGRAM, TTL, Harness

NEW, AGAIN, LIMITED, FULL = (
    RequestVerdict.NEW,
    RequestVerdict.AGAIN,
    RequestVerdict.RATE_LIMITED,
    RequestVerdict.FULL,
)


@pytest.fixture
def harness(table: dynamodb.Table) -> Harness:
    """Give a room with its defaults."""
    return Harness(table)


def item_of(harness: Harness, user_id: str) -> dict[str, Any]:
    """Read a contact's item as it lies in the table."""
    key = {"pk": {"S": contact_pk(TELEGRAM, user_id)}, "sk": {"S": "contact"}}
    item: dict[str, Any] = harness.raw.get_item(TableName=harness.name, Key=key, ConsistentRead=True)["Item"]
    return item


@dynamodb.EVERYWHERE
class TestRequest:
    """A stranger asks, and the table holds them to its conditions."""

    def test_a_stranger_gets_a_code_and_a_seat(self, harness: Harness) -> None:
        """A first request is pending, has a nonce, and holds one seat until the code ends."""
        outcome = harness.request("1")
        assert outcome.verdict is NEW
        assert outcome.contact == harness.room.get(TELEGRAM, "1")
        assert outcome.contact.state is State.PENDING
        assert outcome.contact.code_expires_at == T0 + TTL
        assert outcome.contact.next_code_at == T0 + COOLDOWN
        assert outcome.contact.name == "@stranger"
        [seat] = harness.held_seats()
        assert seat["user_id"]["S"] == "1"
        assert seat["sk"]["S"] == outcome.contact.seat
        assert int(seat["expires_at"]["N"]) == T0 + TTL

    @pytest.mark.parametrize(
        ("attribute", "value"),
        [("rev", {"N": "7"}), ("delivery_id", {"S": "new"}), ("next_code_at", {"N": str(T0 * 2)})],
    )
    def test_each_condition_of_a_request_holds_alone(
        self, harness: Harness, attribute: str, value: dict[str, str]
    ) -> None:
        """Security 4, 25: moved, the same delivery, or cooling down since it was read: each alone forbids the write."""
        harness.request("1")
        key = {"pk": {"S": "telegram#1"}, "sk": {"S": "contact"}}

        def meanwhile(call: str) -> None:
            if call == "transact_write_items":
                harness.raw.update_item(
                    TableName=harness.name, Key=key, UpdateExpression="SET #attribute = :value",
                    ExpressionAttributeNames={"#attribute": attribute}, ExpressionAttributeValues={":value": value},
                )  # fmt: skip

        harness.client.before = meanwhile
        harness.request("1", T0 + COOLDOWN, delivery="new")
        contact = harness.room.get(TELEGRAM, "1")
        # A revision alone forbids only that write: asked again, there is nothing against it.
        assert contact.rev == (8 if attribute == "rev" else 1)
        assert (contact.requested_at == T0) is (attribute != "rev")

    def test_someone_decided_between_read_and_request(self, harness: Harness) -> None:
        """A decision that came between the gate's read and the request wins, and the request is told."""
        for user_id, operation in (("1", Operation.ADD), ("2", Operation.BLOCK)):
            stale = harness.room.get(TELEGRAM, user_id)
            decided = harness.decide(operation, user_id=user_id)
            with harness.client.counting() as calls:
                outcome = harness.room.request(stale, _asked("d1"), KEYS, T0 + 2)
            assert (outcome.verdict, outcome.contact) == (RequestVerdict.NOT_A_STRANGER, decided)
            assert calls == ["query", "transact_write_items"]

    def test_an_overdue_seat_makes_room(self, table: dynamodb.Table) -> None:
        """Security 14: an overdue request, although its items still exist, is expired to make room."""
        harness = Harness(table, max_pending=1)
        harness.request("1")
        assert harness.request("2", T0 + TTL).verdict is NEW
        assert harness.room.get(TELEGRAM, "1").state is State.EXPIRED
        assert [seat["user_id"]["S"] for seat in harness.held_seats()] == ["2"]

    def test_a_lost_seat_is_replaced(self, harness: Harness) -> None:
        """A pending person whose seat is gone (a restored backup) gets another with the next request."""
        first = harness.request("1").contact
        harness.raw.delete_item(TableName=harness.name, Key={"pk": {"S": "seats#telegram"}, "sk": {"S": first.seat}})
        assert harness.request("1", T0 + COOLDOWN).verdict is NEW
        assert len(harness.held_seats()) == 1

    def test_odd_ids_stay_themselves(self, harness: Harness) -> None:
        """Security 5: an id may hold our separators, and stays exactly itself."""
        for user_id in ("a#b", "a|b", "a:b", "#", "x" * 64):
            harness.request(user_id)
            assert harness.room.get(TELEGRAM, user_id).user_id == user_id
            assert harness.room.get(TELEGRAM, user_id[:-1] or "x").state is State.NONE
            code = harness.code(user_id)
            assert harness.decide(Operation.APPROVE, code=code).user_id == user_id


@dynamodb.AT_THE_EDGE
class TestRequests:
    """One delivery after the other, of one person and of many."""

    def test_within_the_cooldown_nothing_is_new(self, harness: Harness) -> None:
        """Security 25: one request per person in the cooldown; the second is refused without a write."""
        first = harness.request("1").contact
        with harness.client.counting() as calls:
            outcome = harness.request("1", T0 + COOLDOWN - 1)
        assert (outcome.verdict, outcome.contact) == (LIMITED, first)
        assert calls == ["get_item"]

    def test_after_the_cooldown_a_new_code_on_the_same_seat(self, harness: Harness) -> None:
        """A pending person who asks again after the cooldown gets a new code and keeps the seat."""
        first = harness.request("1").contact
        second = harness.request("1", T0 + COOLDOWN)
        assert second.verdict is NEW
        assert second.contact.seat == first.seat
        assert second.contact.nonce != first.nonce
        assert second.contact.rev == first.rev + 1
        assert len(harness.held_seats()) == 1

    def test_the_same_delivery_gets_the_same_answer(self, harness: Harness) -> None:
        """Security 4: a delivery that arrives again finds its own request, and changes nothing."""
        first = harness.request("1", delivery="d1").contact
        outcome = harness.request("1", T0 + 5, delivery="d1")
        assert (outcome.verdict, outcome.contact) == (AGAIN, first)

    def test_an_older_delivery_starts_nothing_within_the_signature_s_window(self, table: dynamodb.Table) -> None:
        """Security 4: with the shortest cooldown, none of the requests of the last 900 s can be replayed."""
        harness = Harness(table, code_cooldown=60)
        for n in range(16):
            assert harness.request("1", T0 + 60 * n, delivery=f"d{n}").verdict is NEW
        for n in range(16):
            assert harness.request("1", T0 + 960, delivery=f"d{n}").verdict is not NEW
        assert harness.request("1", T0 + 960, delivery="d16").verdict is NEW

    @pytest.mark.parametrize("later", [1, 2 * COOLDOWN, 10 * DAY])
    def test_a_late_redelivery_after_a_denial_starts_nothing(self, harness: Harness, later: int) -> None:
        """Security 4: the delivery of a request that was denied since asks for nothing new, however late it comes."""
        harness.request("1", delivery="d1")
        denied = harness.decide(Operation.DENY, user_id="1")
        outcome = harness.request("1", T0 + 1 + later, delivery="d1")
        assert (outcome.verdict, outcome.contact) == (LIMITED, denied)

    @pytest.mark.parametrize("ending", [Operation.REVOKE, Operation.BLOCK])
    def test_a_redelivery_after_it_ended_starts_nothing(self, harness: Harness, ending: Operation) -> None:
        """Security 4, 18: nor does it after an approval that was taken back."""
        harness.request("1", delivery="d1")
        harness.approve("1")
        harness.decide(ending, user_id="1")
        assert harness.request("1", T0 + 5, delivery="d1").verdict is not NEW

    def test_a_full_room_refuses(self, table: dynamodb.Table) -> None:
        """Security 26: beyond the seats nobody gets in, and whoever was in before stays."""
        harness = Harness(table, max_pending=2)
        before = [harness.request("1").contact, harness.request("2").contact]
        assert harness.request("3").verdict is FULL
        assert [harness.room.get(TELEGRAM, user) for user in "12"] == before
        assert harness.room.get(TELEGRAM, "3") == Contact(platform=TELEGRAM, user_id="3")

    def test_a_full_room_is_not_asked_again_at_once(self, table: dynamodb.Table) -> None:
        """An environment that saw the room full does not look again for two seconds; then it does."""
        harness = Harness(table, max_pending=1)
        harness.request("1")
        harness.request("2")
        with harness.client.counting() as calls:
            assert harness.request("3", T0 + 1).verdict is FULL
        assert calls == ["get_item"]
        harness.again().decide(Operation.DENY, user_id="1")
        assert harness.request("3", T0 + 2).verdict is NEW

    def test_a_decision_here_frees_the_seat_at_once(self, table: dynamodb.Table) -> None:
        """A seat that this environment freed itself is free without a wait."""
        harness = Harness(table, max_pending=1)
        harness.request("1")
        assert harness.request("2").verdict is FULL
        harness.decide(Operation.DENY, now=T0, user_id="1")
        assert harness.request("2").verdict is NEW

    def test_a_full_room_renews_nobody(self, table: dynamodb.Table) -> None:
        """Security 26: in a full room whoever waits goes on waiting, with the code they have; once there is room, they renew."""
        harness = Harness(table, max_pending=2)
        first, _ = harness.request("1").contact, harness.request("2")
        outcome = harness.request("1", T0 + COOLDOWN)
        assert (outcome.verdict, outcome.contact) == (LIMITED, first)
        assert harness.room.get(TELEGRAM, "1") == first
        harness.decide(Operation.DENY, T0 + COOLDOWN, user_id="2")
        assert harness.request("1", T0 + COOLDOWN).verdict is NEW

    def test_an_overdue_seat_is_room_for_a_renewal(self, table: dynamodb.Table) -> None:
        """Security 14, 26: what only looks full is tidied up first, and then those inside renew."""
        harness = Harness(table, max_pending=2)
        harness.request("1")
        harness.request("2", T0 + TTL - 1)
        assert harness.request("2", T0 + TTL - 1 + COOLDOWN).verdict is NEW
        assert harness.room.get(TELEGRAM, "1").state is State.EXPIRED
        assert [seat["user_id"]["S"] for seat in harness.held_seats()] == ["2"]

    def test_the_last_to_hold_an_overdue_seat_may_take_it_again(self, table: dynamodb.Table) -> None:
        """Without a sweep and in a room of one, a seat is free once its code is over and its holder has waited."""
        harness = Harness(table, max_pending=1)
        harness.request("1")
        assert harness.request("1", T0 + TTL + 2 * COOLDOWN - 1).verdict is LIMITED
        assert harness.request("1", T0 + TTL + 2 * COOLDOWN).verdict is NEW

    def test_an_unreadable_holder_does_not_wedge_the_room(self, table: dynamodb.Table) -> None:
        """One overdue seat whose holder cannot be read costs a seat, not the room."""
        harness = Harness(table, max_pending=2)
        harness.request("1")
        harness.request("2")
        _set(harness, "1", "state", {"S": "of a version to come"})
        assert harness.request("3", T0 + TTL).verdict is NEW
        assert harness.room.get(TELEGRAM, "2").state is State.EXPIRED

    def test_after_the_cap_was_lowered_nobody_new_until_it_fits(self, table: dynamodb.Table) -> None:
        """The cap holds for what comes, also when more seats than it are still held."""
        harness = Harness(table, max_pending=4)
        for user in "1234":
            harness.request(user)
        lowered = harness.again(max_pending=2)
        assert lowered.request("5").verdict is FULL
        for user in "12":
            lowered.decide(Operation.DENY, user_id=user)
        assert lowered.request("5", T0 + 1).verdict is FULL
        lowered.decide(Operation.DENY, user_id="3")
        assert lowered.request("5", T0 + 1).verdict is NEW
        assert len(lowered.held_seats()) == 2

    def test_after_the_cap_was_lowered_overdue_people_do_not_all_come_back(self, table: dynamodb.Table) -> None:
        """Renewing an overdue request is a new request: it too must fit under the lowered cap."""
        harness = Harness(table, max_pending=3)
        for user in "123":
            harness.request(user)
        lowered = harness.again(max_pending=1)
        verdicts = [lowered.request(user, T0 + TTL + 2 * COOLDOWN + 10 * n).verdict for n, user in enumerate("123")]
        assert verdicts.count(NEW) == 1
        assert len(lowered.held_seats()) == 1

    def test_platforms_have_rooms_of_their_own(self, table: dynamodb.Table) -> None:
        """Security 7: the same number on another platform is another person, in another room."""
        harness = Harness(table, max_pending=1)
        harness.request("1")
        assert harness.request("1", platform=Platform.DISCORD).verdict is NEW
        assert harness.code("1") != harness.code("1", Platform.DISCORD)


class TestDecisions:
    """An owner decides."""

    def test_approve_by_code(self, harness: Harness) -> None:
        """An approval pairs, frees the seat and says who did it, with one transaction."""
        harness.request("1")
        code = harness.code("1")
        contact = harness.decide(Operation.APPROVE, code=code, label="bob")
        assert contact == harness.room.get(TELEGRAM, "1")
        assert contact.state is State.PAIRED
        assert (contact.label, contact.paired_at, contact.paired_until) == ("bob", T0 + 1, 0)
        assert (contact.decided_by, contact.decided_via) == ("alice", "cli")
        assert harness.held_seats() == []

    @pytest.mark.parametrize("entry", ["{low}", " {code} ", "{head}-{tail}", "{head} {tail}"])
    def test_codes_are_taken_as_people_type_them(self, harness: Harness, entry: str) -> None:
        """Security 10: any case, spaces and hyphens."""
        harness.request("1")
        code = harness.code("1")
        typed = entry.format(code=code, low=code.lower(), head=code[:4], tail=code[4:])
        assert harness.decide(Operation.APPROVE, code=typed).state is State.PAIRED

    def test_a_wrong_user_with_a_right_code_is_refused_and_the_code_still_works(self, harness: Harness) -> None:
        """Security 9, 11: a code is bound to its person, and a failed approval consumes nothing."""
        harness.request("1")
        harness.request("2")
        code = harness.code("1")
        with pytest.raises(NotTheirsError):
            harness.decide(Operation.APPROVE, code=code, user_id="2")
        assert harness.decide(Operation.APPROVE, code=code, user_id="1").user_id == "1"

    def test_a_code_of_another_platform_is_unknown(self, harness: Harness) -> None:
        """Security 7, 12: a code works on its own platform only."""
        harness.request("1")
        with pytest.raises(UnknownCodeError):
            harness.decide(Operation.APPROVE, platform=Platform.SLACK, code=harness.code("1"))

    def test_a_code_works_once(self, harness: Harness) -> None:
        """A used code is told what became of the request, also without the user id."""
        harness.request("1")
        code = harness.code("1")
        harness.decide(Operation.APPROVE, code=code)
        with pytest.raises(RefusedError) as refusal:
            harness.decide(Operation.APPROVE, code=code, actor=Actor(via=Via.API, id="bob"))
        assert refusal.value.reason == Refusal.ALREADY_PAIRED
        assert str(refusal.value) == "Already approved by alice (cli)."

    @pytest.mark.parametrize("swept", [False, True])
    def test_an_expired_code_says_so(self, harness: Harness, swept: bool) -> None:
        """Security 14: expired means now >= expires_at, although the items exist, before and after the sweep."""
        harness.request("1")
        code = harness.code("1")
        if swept:
            harness.room.expire_overdue(TELEGRAM, T0 + TTL)
        with pytest.raises(RefusedError) as refusal:
            harness.decide(Operation.APPROVE, T0 + TTL, code=code)
        assert refusal.value.reason == Refusal.EXPIRED

    def test_a_code_works_in_its_last_second(self, harness: Harness) -> None:
        """One second before its end a code still works."""
        harness.request("1")
        assert harness.decide(Operation.APPROVE, T0 + TTL - 1, code=harness.code("1")).state is State.PAIRED

    def test_an_old_code_does_not_act_on_a_new_request(self, harness: Harness) -> None:
        """Security 16: after a new request the former code is nobody's."""
        harness.request("1")
        old = harness.code("1")
        harness.request("1", T0 + COOLDOWN)
        with pytest.raises(UnknownCodeError):
            harness.decide(Operation.APPROVE, T0 + COOLDOWN, code=old)
        assert harness.room.get(TELEGRAM, "1").state is State.PENDING

    def test_a_denial_is_final_and_grants_nothing(self, harness: Harness) -> None:
        """Security 24: a denied request leaves no grant, and its code is gone."""
        harness.request("1")
        code = harness.code("1")
        denied = harness.decide(Operation.DENY, code=code)
        assert (denied.state, denied.paired_at, denied.paired_until) == (State.DENIED, 0, 0)
        assert "listing" not in item_of(harness, "1")
        with pytest.raises(RefusedError) as refusal:
            harness.decide(Operation.APPROVE, code=code)
        assert refusal.value.reason == Refusal.ALREADY_DENIED
        assert harness.request("1", T0 + 1 + 2 * COOLDOWN - 1).verdict is LIMITED
        assert harness.request("1", T0 + 1 + 2 * COOLDOWN).verdict is NEW

    def test_a_lost_seat_means_expired(self, harness: Harness) -> None:
        """A decision on a request whose seat was lost is refused as expired."""
        seat = harness.request("1").contact.seat
        harness.raw.delete_item(TableName=harness.name, Key={"pk": {"S": "seats#telegram"}, "sk": {"S": seat}})
        with pytest.raises(RefusedError) as refusal:
            harness.approve("1")
        assert (refusal.value.reason, refusal.value.state) == (Refusal.EXPIRED, State.EXPIRED)
        assert harness.decide(Operation.BLOCK, user_id="1").state is State.BLOCKED

    @pytest.mark.parametrize(
        "change", ["freed_at = :v", "user_id = :v", "nonce = :v"], ids=["freed", "other user", "other request"]
    )
    def test_a_seat_that_is_not_its_own_means_expired(self, harness: Harness, change: str) -> None:
        """A decision needs the seat to be held, by this contact, for this request."""
        seat = harness.request("1").contact.seat
        harness.raw.update_item(
            TableName=harness.name,
            Key={"pk": {"S": "seats#telegram"}, "sk": {"S": seat}},
            UpdateExpression=f"SET {change}",
            ExpressionAttributeValues={":v": {"N": str(T0)} if "freed" in change else {"S": "another"}},
        )
        with pytest.raises(RefusedError) as refusal:
            harness.approve("1")
        assert refusal.value.reason == Refusal.EXPIRED
        assert harness.room.get(TELEGRAM, "1").state is State.PENDING

    def test_revocation_holds_and_the_old_code_does_not_pair_again(self, harness: Harness) -> None:
        """Security 18, 23: after a revocation nothing of before pairs again."""
        harness.request("1")
        code = harness.code("1")
        harness.decide(Operation.APPROVE, code=code)
        harness.decide(Operation.REVOKE, user_id="1")
        orders: list[dict[str, Any]] = [{"code": code}, {"code": code, "user_id": "1"}, {"user_id": "1"}]
        for order in orders:
            with pytest.raises(RefusedError) as refusal:
                harness.decide(Operation.APPROVE, **order)
            assert refusal.value.state == State.REVOKED

    def test_an_ended_guest_can_ask_again_at_once(self, harness: Harness) -> None:
        """A guest's time ends by itself, and the person may ask anew in the same second."""
        harness.request("1")
        harness.approve("1", until=T0 + 61)
        assert harness.request("1", T0 + 60).verdict is RequestVerdict.NOT_A_STRANGER
        assert harness.request("1", T0 + 61).verdict is NEW

    def test_add_needs_no_request_and_frees_the_seat_of_one(self, harness: Harness) -> None:
        """An owner may let somebody in who never asked, or who waits."""
        assert harness.decide(Operation.ADD, user_id="1", label="carol").state is State.PAIRED
        harness.request("2")
        assert harness.decide(Operation.ADD, user_id="2").state is State.PAIRED
        assert harness.held_seats() == []

    def test_a_block_beats_everything(self, harness: Harness) -> None:
        """Security 22: a blocked person is not added, not approved, and cannot ask, until unblocked."""
        harness.request("1")
        harness.decide(Operation.BLOCK, user_id="1")
        assert harness.held_seats() == []
        assert harness.request("1", T0 + COOLDOWN).verdict is RequestVerdict.NOT_A_STRANGER
        with pytest.raises(RefusedError, match="unblock first"):
            harness.decide(Operation.ADD, user_id="1")
        assert harness.decide(Operation.UNBLOCK, user_id="1").state is State.REVOKED

    def test_who_lost_is_told_without_another_read(self, harness: Harness) -> None:
        """Security 17: the final state comes with the refusal of the write."""
        harness.request("1")
        stale = harness.room.get(TELEGRAM, "1")
        harness.decide(Operation.DENY, user_id="1")
        with harness.client.counting() as calls, pytest.raises(RefusedError) as refusal:
            harness.room.move(stale, Operation.APPROVE, T0 + 2, Decision(by="bob", via=Via.API), nonce=stale.nonce)
        assert refusal.value.reason == Refusal.ALREADY_DENIED
        assert refusal.value.decided_by == "alice"
        assert calls == ["transact_write_items"]

    def test_rotation_keeps_pending_codes_working(self, harness: Harness) -> None:
        """Security 30: a code made under the former secret works while that secret is on the ring, and not after."""
        harness.request("1")
        code = harness.code("1")
        harness.secrets.ring = Keyring((b"new", *KEYS.secrets))
        harness.request("2")
        assert harness.decide(Operation.APPROVE, code=code).user_id == "1"
        harness.request("3")
        harness.secrets.ring = Keyring((b"newer",))
        with pytest.raises(UnknownCodeError):
            harness.decide(Operation.APPROVE, code=code)
        assert harness.decide(Operation.APPROVE, user_id="3").state is State.PAIRED


class TestSweep:
    """Time passes."""

    def test_the_sweep_expires_the_overdue_and_nobody_else(self, harness: Harness) -> None:
        """Only what is overdue is moved; its seat is free, and it says when."""
        harness.request("1")
        harness.request("2", T0 + 10)
        swept = harness.room.expire_overdue(TELEGRAM, T0 + TTL)
        assert [(contact.user_id, contact.state, contact.decided_at) for contact in swept.expired] == [
            ("1", State.EXPIRED, T0 + TTL)
        ]
        assert swept.failed == 0
        assert harness.room.get(TELEGRAM, "2").state is State.PENDING
        assert harness.room.expire_overdue(TELEGRAM, T0 + TTL).expired == []

    @pytest.mark.parametrize("swept_by", ["nobody", "the sweep", "the next one"])
    def test_an_expired_request_doubles_the_cooldown(self, table: dynamodb.Table, swept_by: str) -> None:
        """Security 26: whoever expired waits twice as long, from the end of the code on, whoever noticed it and when."""
        harness = Harness(table, max_pending=2)
        harness.request("1")
        if swept_by == "the sweep":
            harness.room.expire_overdue(TELEGRAM, T0 + TTL + 250)
        elif swept_by == "the next one":
            harness.request("2", T0 + TTL - 1)
            harness.request("3", T0 + TTL + 10)
            assert harness.room.get(TELEGRAM, "1").state is State.EXPIRED
        assert harness.request("1", T0 + TTL + 2 * COOLDOWN - 1).verdict is LIMITED
        if swept_by == "the next one":
            harness.decide(Operation.DENY, T0 + TTL + 20, user_id="3")
        again = harness.request("1", T0 + TTL + 2 * COOLDOWN)
        assert again.verdict is NEW
        assert again.contact.next_code_at == again.contact.requested_at + 2 * COOLDOWN

    def test_a_seat_whose_holder_is_gone_is_freed(self, harness: Harness) -> None:
        """A seat that nobody waits on (the contact was deleted, or restored to another time) is freed when due."""
        harness.request("1")
        harness.raw.delete_item(TableName=harness.name, Key={"pk": {"S": "telegram#1"}, "sk": {"S": "contact"}})
        harness.request("2")
        _set(harness, "2", "nonce", {"S": "of another time"})
        assert harness.room.expire_overdue(TELEGRAM, T0 + TTL).expired == []
        assert harness.held_seats() == []

    def test_one_unreadable_contact_holds_up_nobody(self, harness: Harness) -> None:
        """An item of a version to come is counted as failed, and the others are swept."""
        for user in "123":
            harness.request(user)
        _set(harness, "2", "state", {"S": "hovering"})
        swept = harness.room.expire_overdue(TELEGRAM, T0 + TTL)
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
        self, harness: Harness, moves: list[tuple[Operation, dict[str, Any]]], ttl: int | None
    ) -> None:
        """TTL only tidies up: it lies a day past every time that means something; paired and blocked have none."""
        harness.request("1")
        for operation, order in moves:
            harness.decide(operation, user_id="1", **order)
        assert item_of(harness, "1").get("ttl") == (None if ttl is None else {"N": str(ttl)})


class TestLists:
    """Who is in, who waits, who is out."""

    def test_pending_lists_what_can_be_decided_oldest_first(self, harness: Harness) -> None:
        """Only requests that can still be decided are listed."""
        for n, user in enumerate("123"):
            harness.request(user, T0 + n)
        harness.decide(Operation.DENY, T0 + 3, user_id="2")
        _set(harness, "3", "state", {"S": "of a version to come"})
        assert [contact.user_id for contact in harness.directory.pending(TELEGRAM, T0 + 10)] == ["1"]
        assert harness.directory.pending(TELEGRAM, T0 + TTL) == []

    def test_paired_pages_newest_first(self, harness: Harness) -> None:
        """Pages hold each contact once, newest first, and end."""
        for n in range(7):
            harness.decide(Operation.ADD, T0 + n, user_id=str(n + 1))
        seen: list[str] = []
        cursor = ""
        for _ in range(4):
            page = harness.directory.listed(TELEGRAM, State.PAIRED, T0 + 10, cursor=cursor, limit=2)
            seen += [contact.user_id for contact in page.contacts]
            cursor = page.cursor
            if not cursor:
                break
        assert seen == ["7", "6", "5", "4", "3", "2", "1"]
        assert cursor == ""

    def test_guests_whose_time_is_up_are_not_listed(self, harness: Harness) -> None:
        """An ended guest is not paired, although the item is still in the index; pages stay full."""
        for n in range(6):
            harness.decide(Operation.ADD, T0 + n, user_id=str(n + 1), until=T0 + 50 if n % 2 else 0)
        page = harness.directory.listed(TELEGRAM, State.PAIRED, T0 + 50, limit=3)
        assert [contact.user_id for contact in page.contacts] == ["5", "3", "1"]

    def test_blocked_are_listed_apart(self, harness: Harness) -> None:
        """A blocked person is in the list of the blocked, and in no other."""
        harness.decide(Operation.ADD, user_id="1")
        harness.decide(Operation.BLOCK, user_id="1")
        assert harness.directory.listed(TELEGRAM, State.PAIRED, T0 + 9).contacts == []
        assert [c.user_id for c in harness.directory.listed(TELEGRAM, State.BLOCKED, T0 + 9).contacts] == ["1"]

    @pytest.mark.parametrize("platform", [TELEGRAM, Platform.SLACK])
    def test_clear_revokes_one_platform(self, harness: Harness, platform: Platform) -> None:
        """Clearing goes page by page through one platform and leaves the others, the pending and the blocked."""
        head = "U123" if platform is Platform.SLACK else "123"
        paired, waiting, blocked = [f"{head}{n}" for n in range(5)], f"{head}8", f"{head}9"
        for user_id in paired:
            harness.decide(Operation.ADD, platform=platform, user_id=user_id)
        other, elsewhere = Platform.DISCORD, "200000000000000001"
        harness.decide(Operation.ADD, platform=other, user_id=elsewhere)
        harness.request(waiting, platform=platform)
        harness.decide(Operation.BLOCK, platform=platform, user_id=blocked)
        revoked, cursor = [], ""
        while True:
            cleared = harness.directory.clear(
                harness.room, platform, T0 + 9, Decision(by="alice", via=Via.CLI), cursor=cursor
            )
            revoked += [contact.user_id for contact in cleared.revoked]
            assert cleared.failed == []
            cursor = cleared.cursor
            if not cursor:
                break
        assert sorted(revoked) == paired
        assert harness.room.get(other, elsewhere).state is State.PAIRED
        assert harness.room.get(platform, waiting).state is State.PENDING
        assert harness.room.get(platform, blocked).state is State.BLOCKED

    def test_clear_says_whom_it_could_not_revoke(self, table: dynamodb.Table) -> None:
        """What fails is named, what somebody else ended is passed over, and the rest is done."""
        harness = Harness(table, patience=0.05)
        for user in "123":
            harness.decide(Operation.ADD, user_id=user)
        harness.client.before = lambda _: _one_trouble_each(harness)
        cleared = harness.directory.clear(harness.room, TELEGRAM, T0 + 9, Decision(by="alice", via=Via.CLI))
        assert [contact.user_id for contact in cleared.revoked] == ["1"]
        assert [contact.user_id for contact in cleared.failed] == ["2"]


class TestLockout:
    """Wrong codes are counted."""

    def wrong(self, harness: Harness, times: int, now: int = T0, actor: Actor = OWNER) -> None:
        """Enter that many wrong codes."""
        for _ in range(times):
            with pytest.raises(UnknownCodeError):
                harness.decide(Operation.APPROVE, now, actor, code="AAAAAAAA")

    def test_five_wrong_codes_lock_even_a_right_one(self, harness: Harness) -> None:
        """Security 13: after five wrong codes a right one is refused for 300 s, and then works."""
        harness.request("1")
        code = harness.code("1")
        self.wrong(harness, 5)
        for now in (T0, T0 + 299):
            with pytest.raises(LockedOutError) as lock:
                harness.decide(Operation.APPROVE, now, code=code)
            assert lock.value.until == T0 + 300
        assert harness.decide(Operation.APPROVE, T0 + 300, code=code).state is State.PAIRED

    def test_it_holds_across_functions(self, harness: Harness) -> None:
        """Security 13: the count is in the table, so that another function refuses too."""
        for n in range(5):
            self.wrong(harness.again(), 1, T0 + n)
        with pytest.raises(LockedOutError):
            harness.again().decide(Operation.APPROVE, T0 + 5, code="AAAAAAAA")

    def test_a_guess_that_came_between_is_counted_too(self, harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
        """Security 13: another function that counts between our reading and our writing loses nothing, and nor do we."""
        self.wrong(harness, 3)
        update, between = Table.update, [1]

        def late(table: Table, *key: str, **how: Any) -> Any:
            if between:
                between.clear()
                self.wrong(harness.again(), 1)
            return update(table, *key, **how)

        monkeypatch.setattr(Table, "update", late)
        self.wrong(harness, 1)
        with pytest.raises(LockedOutError):
            harness.decide(Operation.APPROVE, T0, code="AAAAAAAA")

    @pytest.mark.parametrize("other", [Actor(via=Via.CLI, id="bob"), Actor(via=Via.API, id="alice")])
    def test_nobody_else_is_locked(self, harness: Harness, other: Actor) -> None:
        """Security 13: another caller, or the same name on another surface, is not affected."""
        harness.request("1")
        self.wrong(harness, 5)
        assert harness.decide(Operation.APPROVE, actor=other, code=harness.code("1")).state is State.PAIRED

    def test_the_window_slides(self, harness: Harness) -> None:
        """Five within any 60 seconds lock, wherever they began; four a minute never do."""
        self.wrong(harness, 3, T0)
        self.wrong(harness, 1, T0 + 59)
        self.wrong(harness, 3, T0 + 60)
        self.wrong(harness, 1, T0 + 118)
        with pytest.raises(LockedOutError):
            harness.decide(Operation.APPROVE, T0 + 118, code="AAAAAAAA")

    def test_right_and_malformed_codes_do_not_count(self, harness: Harness) -> None:
        """Security 10: neither a right code nor what cannot be one uses up a guess."""
        self.wrong(harness, 4)
        for n in range(6):
            with pytest.raises(MalformedCodeError):
                harness.decide(Operation.APPROVE, T0, code="0000")
            harness.request(f"u{n}")
            harness.decide(Operation.APPROVE, T0, code=harness.code(f"u{n}"))
        self.wrong(harness, 1)

    def test_a_right_code_can_be_the_fifth(self, harness: Harness) -> None:
        """Four wrong guesses do not spoil a right fifth one, nor what comes after."""
        harness.request("1")
        self.wrong(harness, 4)
        harness.decide(Operation.APPROVE, T0, code=harness.code("1"))
        self.wrong(harness, 1)
        with pytest.raises(LockedOutError):
            harness.decide(Operation.APPROVE, T0, code="AAAAAAAA")

    @pytest.mark.parametrize("caller", ["alice", None])
    def test_unlock(self, harness: Harness, caller: str | None) -> None:
        """Unlocking frees a caller, or all of a surface, and says how many."""
        harness.request("1")
        self.wrong(harness, 5)
        assert harness.lockout.unlock("cli", caller) == 1
        assert harness.decide(Operation.APPROVE, T0, code=harness.code("1")).state is State.PAIRED
        assert harness.lockout.unlock("cli", "alice") in {0, 1}
        assert harness.lockout.unlock("api") == 0

    def test_an_overlong_caller_is_still_one(self, harness: Harness) -> None:
        """A caller that gives itself a name of 5 kB is counted like any other."""
        actor = Actor(via=Via.CLI, id="x" * 5000)
        self.wrong(harness, 5, actor=actor)
        with pytest.raises(LockedOutError):
            harness.decide(Operation.APPROVE, T0, actor, code="AAAAAAAA")


class TestBudget:
    """Messages under the policy allow."""

    @dynamodb.EVERYWHERE
    def test_the_budget_is_spent_by_minute_and_sender(self, harness: Harness) -> None:
        """Within a minute the limit holds; the next minute, another sender and another platform have their own."""
        budget = MessageBudget(harness.table, 2)
        minute = T0 // 60 * 60
        assert [budget.spend(TELEGRAM, "1", f"d{n}", minute + n) for n in (0, 1, 59)] == [True, True, False]
        assert budget.spend(TELEGRAM, "1", "d60", minute + 60)
        assert budget.spend(TELEGRAM, "2", "d0", minute)
        assert budget.spend(Platform.SLACK, "1", "d0", minute)

    @dynamodb.AT_THE_EDGE
    def test_a_delivery_that_comes_again_is_counted_once(self, harness: Harness) -> None:
        """A message whose hand-off failed is delivered again, and is still within the budget that it was counted in."""
        budget = MessageBudget(harness.table, 2)
        assert [budget.spend(TELEGRAM, "1", delivery, T0) for delivery in ("a", "b", "b", "c")] == [
            True,
            True,
            True,
            False,
        ]

    @dynamodb.AT_THE_EDGE
    def test_no_limit_asks_nobody(self, harness: Harness) -> None:
        """A budget of 0 is none: nothing is counted."""
        with harness.client.counting() as calls:
            assert all(MessageBudget(harness.table, 0).spend(TELEGRAM, "1", "d", T0) for _ in range(50))
        assert calls == []


class TestCalls:
    """What each operation costs, so that nobody adds a call by accident."""

    def test_gate(self, harness: Harness) -> None:
        """The gate makes one consistent GetItem."""
        with harness.client.counting() as calls:
            harness.room.get(TELEGRAM, "1")
        assert calls == ["get_item"]
        assert harness.client.arguments[-1]["ConsistentRead"] is True

    def test_request(self, harness: Harness) -> None:
        """A new request is GetItem, Query and one transaction of two updates."""
        with harness.client.counting() as calls:
            harness.request("1")
        assert calls == ["get_item", "query", "transact_write_items"]
        assert [list(part) for part in harness.client.arguments[-1]["TransactItems"]] == [["Update"], ["Update"]]

    @pytest.mark.parametrize("operation", [Operation.APPROVE, Operation.DENY])
    def test_press(self, harness: Harness, operation: Operation) -> None:
        """A press is GetItem and one transaction of two updates."""
        harness = harness.again(owners=((TELEGRAM, "9"),))
        harness.request("1")
        code = harness.code("1")
        presser = Actor(via=Via.BUTTON, id="9", platform=TELEGRAM)
        with harness.client.counting() as calls:
            harness.decide(operation, actor=presser, user_id="1", code=code)
        assert calls == ["get_item", "transact_write_items"]
        assert len(harness.client.arguments[-1]["TransactItems"]) == 2

    def test_by_user_id(self, harness: Harness) -> None:
        """Every other move is GetItem and one transaction of one update."""
        for operation in (Operation.ADD, Operation.REVOKE, Operation.BLOCK, Operation.UNBLOCK):
            with harness.client.counting() as calls:
                harness.decide(operation, user_id="1")
            assert calls == ["get_item", "transact_write_items"]
            assert len(harness.client.arguments[-1]["TransactItems"]) == 1

    def test_every_transaction_has_its_own_token(self, harness: Harness) -> None:
        """A token makes retries one write, so two writes never share one."""
        for user in "12":
            harness.request(user)
            harness.approve(user)
        tokens = [call["ClientRequestToken"] for call in harness.client.arguments if "ClientRequestToken" in call]
        assert len(tokens) == len(set(tokens)) == 4


class TestBadItems:
    """What lies in the table is not always ours."""

    @pytest.mark.parametrize(
        "fields", [{}, {"user_id": {"S": "1"}}, {"expires_at": {"N": "1"}}], ids=["bare", "half", "other half"]
    )
    def test_a_malformed_seat_costs_a_place_not_the_room(self, table: dynamodb.Table, fields: dict[str, Any]) -> None:
        """A seat of an unknown form is held by nobody and had by nobody; requests, lists and sweeps go on."""
        harness = Harness(table, max_pending=2)
        harness.raw.put_item(TableName=harness.name, Item={"pk": {"S": "seats#telegram"}, "sk": {"S": "00"}} | fields)
        assert harness.request("1").verdict is NEW
        assert harness.request("2").verdict is FULL
        assert [contact.user_id for contact in harness.directory.pending(TELEGRAM, T0)] == ["1"]
        assert harness.room.expire_overdue(TELEGRAM, T0 + TTL).failed == 0

    @pytest.mark.parametrize(
        "item",
        [{}, {"state": {"S": "hovering"}}, {"state": {"N": "1"}}, {"state": {"S": "paired"}, "rev": {"S": "x"}}],
        ids=["nothing", "unknown state", "wrong type", "rev no number"],
    )
    def test_an_unreadable_contact_is_nobody_s_friend(self, harness: Harness, item: dict[str, Any]) -> None:
        """Security 1: an item of an unknown form is never guessed at; the read fails."""
        key = {"pk": {"S": "telegram#1"}, "sk": {"S": "contact"}}
        harness.raw.put_item(TableName=harness.name, Item=key | item)
        with pytest.raises(UnavailableError):
            harness.room.get(TELEGRAM, "1")

    def test_attributes_of_a_version_to_come_survive(self, harness: Harness) -> None:
        """A move leaves alone what it does not know."""
        harness.request("1")
        _set(harness, "1", "mood", {"S": "sunny"})
        harness.approve("1")
        assert item_of(harness, "1")["mood"] == {"S": "sunny"}


def _one_trouble_each(harness: Harness) -> None:
    """Before the write of contact 2, lose the connection; before that of contact 3, let another operator be first."""
    parts = harness.client.arguments[-1].get("TransactItems")
    user_id = parts[0]["Update"]["Key"]["pk"]["S"].partition("#")[2] if parts else ""
    if user_id == "2":
        raise ConnectionResetError
    if user_id == "3" and harness.room.get(TELEGRAM, "3").state is State.PAIRED:
        harness.again().decide(Operation.REVOKE, user_id="3")


def _asked(delivery: str) -> Asked:
    return Asked(delivery_id=delivery)


def _set(harness: Harness, user_id: str, field: str, value: dict[str, str]) -> None:
    harness.raw.update_item(
        TableName=harness.name,
        Key={"pk": {"S": contact_pk(TELEGRAM, user_id)}, "sk": {"S": "contact"}},
        UpdateExpression="SET #field = :value",
        ExpressionAttributeNames={"#field": field},
        ExpressionAttributeValues={":value": value},
    )

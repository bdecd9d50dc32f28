"""Claims and invites on every DynamoDB: what is kept of them; and with real threads, that exactly as many get in as may."""

from collections.abc import Callable
from typing import Any

import pytest

from doorcode.aws.lockout import MAX_GUESSES, TICKET, Lockout
from doorcode.aws.tickets import Tickets
from doorcode.errors import LockedOutError, RefusedError, SpentTicketError
from doorcode.pairing.contact import Contact, ContactRole, Platform, State
from doorcode.pairing.tickets import CLAIM_SECONDS, Entered, InviteOrder, Ticket, TicketKind
from doorcode.pairing.transitions import Asked, Operation, Refusal
from tests.backends.dynamodb import Table
from tests.contract.racers import RACERS, Racers
from tests.contract.test_races import consistent, decides, losers, winners
from tests.harness import T0, TELEGRAM, Harness

ROUNDS = 2


def redeems(ticket: Ticket, user: str, now: int = T0, delivery: str = "") -> Callable[[Harness], Contact]:
    """Make an act: somebody sends a ticket, as the office found it."""

    def act(harness: Harness) -> Contact:
        contact = harness.room.get(TELEGRAM, user)
        asked = Asked(delivery_id=delivery or f"{user}-ticket", name="@somebody", reply="{}")
        return harness.desk.redeem(ticket, contact, asked, now)

    return act


def removes(user: str, *, last: bool = False) -> Callable[[Harness], Contact]:
    """Make an act: the operator removes an owner."""
    return lambda harness: harness.decide(Operation.REMOVE_OWNER, user_id=user, last=last)


def a_claim(harness: Harness, now: int = T0) -> Ticket:
    """Make a claim."""
    return Tickets(harness.table).claim("", "alice", now)[1]


def an_invite(harness: Harness, now: int = T0, **order: Any) -> Ticket:
    """Make an invite."""
    return Tickets(harness.table).invite(InviteOrder(**order), "alice", now)[1]


def left(harness: Harness, ticket: Ticket) -> int:
    """Tell how often a ticket can still be used."""
    [item] = [item for item in harness.items() if item["sk"]["S"] == ticket.digest]
    return int(item["uses_left"]["N"])


def owning(harness: Harness) -> dict[str, str]:
    """Return the roles of all contacts, by user; and see that the list of owners is those."""
    roles = {
        item["pk"]["S"].partition("#")[2]: item["role"]["S"]
        for item in harness.items()
        if item["sk"]["S"] == "contact" and "role" in item
    }
    assert sorted(harness.room.owners()) == sorted((TELEGRAM, user) for user in roles)
    return roles


# On every table


def test_what_is_kept(table: Table) -> None:
    """Security 44: a ticket is found by its code, with all that was said of it; the code itself is nowhere."""
    harness = Harness(table)
    tickets = Tickets(harness.table)
    order = InviteOrder(platform="slack", uses=3, label="bob", for_seconds=60, expires_seconds=600)
    for kind, (code, made) in (
        (TicketKind.CLAIM, tickets.claim("telegram", "alice", T0)),
        (TicketKind.INVITE, tickets.invite(order, "alice", T0)),
        (TicketKind.INVITE, tickets.invite(InviteOrder(), "alice", T0)),
    ):
        found = tickets.find(Entered(kind, code))
        assert found == made
        assert found.kind is kind
        assert code not in str(harness.items())
        assert tickets.find(Entered(kind, f"{code[:-1]}{'A' if code[-1] != 'A' else 'B'}")) is None
    assert {int(item["ttl"]["N"]) - int(item["expires_at"]["N"]) for item in harness.items()} == {86_400}


def test_the_list_of_invites(table: Table) -> None:
    """The list has the invites that work; one is taken back once, by its id, and then lets nobody in."""
    harness = Harness(table)
    tickets = Tickets(harness.table)
    first, second, late = (
        an_invite(harness, T0 + number, label=str(number), expires_seconds=60) for number in range(3)
    )
    assert tickets.invites(T0 + 59) == [first, second, late]
    assert tickets.invites(T0 + 61) == [late]
    assert tickets.revoke(second.id, T0 + 5) == second
    assert tickets.revoke(second.id, T0 + 5) is None
    assert tickets.revoke("00000000", T0 + 5) is None
    with pytest.raises(SpentTicketError):
        redeems(second, "1", T0 + 6)(harness)
    redeems(first, "1", T0 + 6)(harness)
    assert tickets.invites(T0 + 6) == [late]
    assert harness.room.get(TELEGRAM, "1").label == "0"


def test_what_is_over_lets_nobody_in_although_it_exists(table: Table) -> None:
    """Security 14, 44: TTL deletes late; the transaction itself compares the time, at its very second."""
    harness = Harness(table)
    claim, invite = a_claim(harness), an_invite(harness, expires_seconds=CLAIM_SECONDS)
    for ticket in (claim, invite):
        with pytest.raises(SpentTicketError):
            redeems(ticket, "1", T0 + CLAIM_SECONDS)(harness)
        assert harness.room.get(TELEGRAM, "1").rev == 0
        assert left(harness, ticket) == 1
        redeems(ticket, str(ticket.kind), T0 + CLAIM_SECONDS - 1)(harness)
    assert owning(harness) == {"claim": ContactRole.OWNER}


def test_a_right_one_is_refused_to_whoever_is_locked_out(table: Table) -> None:
    """Security 13, 44: the lock counts in the transaction itself, until its very end; others are not locked."""
    harness = Harness(table)
    invite, lockout = an_invite(harness, uses=2), Lockout(harness.table)
    for _ in range(MAX_GUESSES):
        lockout.count(TICKET, "telegram#1", T0)
    for now in (T0, T0 + 299):
        with pytest.raises(LockedOutError) as locked:
            redeems(invite, "1", now)(harness)
        assert locked.value.until == T0 + 300
    assert left(harness, invite) == 2
    assert redeems(invite, "2")(harness).state is State.PAIRED
    assert redeems(invite, "1", T0 + 300)(harness).state is State.PAIRED


def test_the_last_owner(table: Table) -> None:
    """The last owner by claim goes only where that is meant, or where OWNER_USER_IDS names one."""
    harness = Harness(table)
    for user in "12":
        redeems(a_claim(harness), user)(harness)
    assert harness.decide(Operation.REMOVE_OWNER, user_id="2").state is State.REVOKED
    with pytest.raises(RefusedError) as refusal:
        harness.decide(Operation.REMOVE_OWNER, user_id="1")
    assert refusal.value.reason == Refusal.LAST_OWNER
    assert owning(harness) == {"1": ContactRole.OWNER}
    assert harness.decide(Operation.REMOVE_OWNER, user_id="1", last=True).role == ""
    assert owning(harness) == {}
    redeems(a_claim(harness), "3")(harness)
    named = harness.again(owners=((Platform.SLACK, "U1"),))
    assert named.room.owners() == ((Platform.SLACK, "U1"), (TELEGRAM, "3"))
    named.decide(Operation.REMOVE_OWNER, user_id="3")
    assert owning(harness) == {}


# Races


def test_many_people_with_one_claim(racers: Racers) -> None:
    """Security 44: of 16 who send one claim at once, exactly one owns the bot; the others are told nothing of it."""
    for n in range(ROUNDS):
        claim = a_claim(racers.harness)
        results = racers.all_at_once([redeems(claim, f"{1000 * n + k}") for k in range(RACERS)])
        [winner] = winners(results)
        assert winner.role == ContactRole.OWNER
        assert sum(isinstance(result, SpentTicketError) for result in results) == RACERS - 1
        assert left(racers.harness, claim) == 0
        assert len(owning(racers.harness)) == n + 1


def test_many_people_with_one_invite(racers: Racers) -> None:
    """Security 44: of 16 who send an invite of five uses at once, exactly five are let in; those who wait among them free their seats."""
    for n in range(ROUNDS):
        invite = an_invite(racers.harness, uses=5)
        users = [f"{1000 * n + k}" for k in range(RACERS)]
        for user in users[::2]:
            racers.harness.request(user)
        results = racers.all_at_once([redeems(invite, user, T0 + 1) for user in users])
        assert len(winners(results)) == 5
        assert sum(isinstance(result, SpentTicketError) for result in results) == RACERS - 5
        assert left(racers.harness, invite) == 0
        assert {user for user in users if racers.harness.room.get(TELEGRAM, user).state is State.PAIRED} == {
            winner.user_id for winner in winners(results)
        }
        consistent(racers.harness)


def test_one_message_delivered_many_times(racers: Racers) -> None:
    """Security 4, 44: a message with an invite of five uses that arrives many times at once uses one."""
    for n in range(ROUNDS):
        invite = an_invite(racers.harness, uses=5)
        results = racers.all_at_once([redeems(invite, str(n))] * RACERS)
        assert len(winners(results)) == 1
        assert {error.reason for error in losers(results)} == {Refusal.REPEATED}
        assert left(racers.harness, invite) == 4


def test_a_claim_against_its_end(racers: Racers) -> None:
    """Security 14, 44: in the last second it works once, and never for whoever comes a second later."""
    for n in range(ROUNDS):
        claim = a_claim(racers.harness)
        end = T0 + CLAIM_SECONDS
        acts = [redeems(claim, f"{1000 * n + k}", end - (k % 2)) for k in range(RACERS)]
        [winner] = winners(racers.all_at_once(acts))
        assert int(winner.user_id) % 2 == 1


def test_an_invite_against_its_revocation(racers: Racers) -> None:
    """Security 23, 44: whoever was let in before it was taken back has used it; after that nobody gets in."""
    for n in range(ROUNDS):
        invite = an_invite(racers.harness, uses=RACERS)
        acts: list[Callable[[Harness], Any]] = [redeems(invite, f"{1000 * n + k}") for k in range(RACERS - 1)]

        def revoke(harness: Harness, invite: Ticket = invite) -> Any:
            return Tickets(harness.table).revoke(invite.id, T0)

        results = racers.all_at_once([*acts, revoke])
        assert left(racers.harness, invite) == RACERS - len(winners(results[:-1]))
        with pytest.raises(SpentTicketError):
            redeems(invite, f"{1000 * n + RACERS}")(racers.harness)


def test_an_invite_against_a_block(racers: Racers) -> None:
    """Security 22, 44: whoever is first, they are blocked in the end; the invite is used only if it let them in before."""
    for n in range(ROUNDS * 2):
        user, invite = f"{100 + n}", an_invite(racers.harness)
        racers.harness.request(user)
        entered, blocked = racers.all_at_once([redeems(invite, user, T0 + 1), decides(Operation.BLOCK, user)])
        assert racers.harness.room.get(TELEGRAM, user) == blocked
        assert blocked.state is State.BLOCKED
        if isinstance(entered, RefusedError):
            assert entered.reason == Refusal.BLOCKED
        assert left(racers.harness, invite) == int(isinstance(entered, RefusedError))
    consistent(racers.harness)


def test_an_invite_against_an_approval(racers: Racers) -> None:
    """Security 17, 44: exactly one lets them in, and the other is told so; the invite is used only if it did."""
    for n in range(ROUNDS * 2):
        user, invite = f"{100 + n}", an_invite(racers.harness)
        racers.harness.request(user)
        results = racers.all_at_once([redeems(invite, user, T0 + 1), decides(Operation.APPROVE, user)])
        [winner], [loser] = winners(results), losers(results)
        assert loser.reason == Refusal.ALREADY_PAIRED
        assert racers.harness.room.get(TELEGRAM, user) == winner
        assert left(racers.harness, invite) == int(winner.decided_via != "invite")
    consistent(racers.harness)


def test_the_last_owners_removed_at_once(racers: Racers) -> None:
    """Two removals at once leave one owner, and whoever came second is told why; nobody is left only where that is meant."""
    for n in range(ROUNDS):
        pair = [f"{10 * n + 10}", f"{10 * n + 11}"]
        for user in pair:
            redeems(a_claim(racers.harness), user)(racers.harness)
        results = racers.all_at_once([removes(user) for user in pair])
        [_], [loser] = winners(results), losers(results)
        assert loser.reason == Refusal.LAST_OWNER
        assert list(owning(racers.harness)) == [loser.user_id]
        results = racers.all_at_once([removes(loser.user_id, last=True)] * RACERS)
        assert len(winners(results)) == 1
        assert {error.reason for error in losers(results)} == {Refusal.NOT_OWNER}
        assert owning(racers.harness) == {}


def test_one_person_claims_and_is_removed_at_once(racers: Racers) -> None:
    """The list of owners and the roles stay the same people, whatever comes and goes at once."""
    redeems(a_claim(racers.harness), "1")(racers.harness)
    claims = [a_claim(racers.harness) for _ in range(RACERS // 2)]
    acts: list[Callable[[Harness], Any]] = [
        redeems(claim, "1", delivery=f"d{number}") for number, claim in enumerate(claims)
    ]
    racers.all_at_once([*acts, *[removes("1", last=True)] * (RACERS // 2)])
    assert set(owning(racers.harness)) <= {"1"}

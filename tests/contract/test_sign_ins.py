"""Links and sessions of the owner's page."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from doorcode.aws.sign_ins import LINK_SECONDS, SESSION_SECONDS, SignIns
from doorcode.errors import SignInError, UnavailableError, UnreadableItemError
from doorcode.pairing.access import Principal, Scope
from doorcode.pairing.contact import Via
from doorcode.pairing.cooldown import DAY
from tests.backends import dynamodb
from tests.harness import T0, TELEGRAM, Harness

NEVER_MADE = f"{'0' * 16}.{'A' * 43}"


@pytest.fixture
def harness(table: dynamodb.Table) -> Harness:
    """Give an empty table."""
    return Harness(table)


@pytest.fixture
def sign_ins(harness: Harness) -> SignIns:
    """Give the links and sessions of an empty table."""
    return SignIns(harness.table)


def refused(act: Callable[[], Any]) -> str:
    """Check that something is refused because nobody is signed in; return what is said."""
    with pytest.raises(SignInError) as error:
        act()
    return str(error.value)


def test_a_link_signs_in(sign_ins: SignIns) -> None:
    """Whoever opens a link is signed in as whom it was made for, for twelve hours, with everything that decides."""
    cookie, principal = sign_ins.redeem(sign_ins.link("alice@laptop", T0), T0 + 10)
    assert principal == Principal(
        id=cookie.partition(".")[0],
        actor="alice@laptop",
        scopes=frozenset({Scope.PAIRING}),
        via=Via.WEB,
        expires_at=T0 + 10 + SESSION_SECONDS,
    )
    assert sign_ins.principal(cookie, T0 + 11) == principal


def test_a_link_works_once(sign_ins: SignIns) -> None:
    """Security 20: a link that was used is like one that never was; the session that it became goes on."""
    token = sign_ins.link("alice", T0)
    cookie, principal = sign_ins.redeem(token, T0)
    assert refused(lambda: sign_ins.redeem(token, T0)) == refused(lambda: sign_ins.redeem(NEVER_MADE, T0))
    assert sign_ins.principal(cookie, T0) == principal


def test_a_link_ends(sign_ins: SignIns) -> None:
    """Security 14: a link works before its five minutes are over, and not at their end, although it is still there."""
    early, late = sign_ins.link("alice", T0), sign_ins.link("alice", T0)
    sign_ins.redeem(early, T0 + LINK_SECONDS - 1)
    refused(lambda: sign_ins.redeem(late, T0 + LINK_SECONDS))


def test_a_session_ends(sign_ins: SignIns) -> None:
    """Security 14: a session holds for twelve hours and not at their end, although its item is still there."""
    cookie, _ = sign_ins.redeem(sign_ins.link("alice", T0), T0)
    sign_ins.principal(cookie, T0 + SESSION_SECONDS - 1)
    refused(lambda: sign_ins.principal(cookie, T0 + SESSION_SECONDS))


def test_links_and_sessions_are_not_each_other(sign_ins: SignIns) -> None:
    """Security 20: a link's token is no cookie, a cookie is no link, and a right id needs its own secret."""
    link = sign_ins.link("alice", T0)
    refused(lambda: sign_ins.principal(link, T0))
    cookie, _ = sign_ins.redeem(link, T0)
    refused(lambda: sign_ins.redeem(cookie, T0))
    other, _ = sign_ins.redeem(sign_ins.link("bob", T0), T0)
    refused(lambda: sign_ins.principal(f"{cookie.partition('.')[0]}.{other.partition('.')[2]}", T0))
    fresh, own = sign_ins.link("alice", T0), sign_ins.link("alice", T0)
    refused(lambda: sign_ins.redeem(f"{fresh.partition('.')[0]}.{own.partition('.')[2]}", T0))
    # A wrong secret uses nothing up.
    sign_ins.redeem(fresh, T0)


def test_the_table_has_no_secret(harness: Harness, sign_ins: SignIns) -> None:
    """Security 2, 20: no item holds what signs in; all of them go by themselves a day after they stopped working."""
    used, unused = sign_ins.link("alice", T0), sign_ins.link("alice", T0)
    cookie, _ = sign_ins.redeem(used, T0)
    everything = str(harness.items())
    assert not [text for text in (used, unused, cookie) if text.partition(".")[2] in everything]
    kept = {(item["pk"]["S"], int(item["ttl"]["N"]) - T0) for item in harness.items()}
    assert kept == {("links", LINK_SECONDS + DAY), ("sessions", SESSION_SECONDS + DAY)}


def test_signing_out(sign_ins: SignIns) -> None:
    """A session that was ended is over from the next request on, and only that one."""
    mine, me = sign_ins.redeem(sign_ins.link("alice", T0), T0)
    other, _ = sign_ins.redeem(sign_ins.link("alice", T0), T0)
    assert sign_ins.end(me.id)
    assert not sign_ins.end(me.id)
    refused(lambda: sign_ins.principal(mine, T0))
    sign_ins.principal(other, T0)


def test_signing_everybody_out(harness: Harness, sign_ins: SignIns) -> None:
    """Every session and every unused link is over at once; counted are those that still worked."""
    used, unused = sign_ins.link("alice", T0), sign_ins.link("bob", T0)
    cookie, _ = sign_ins.redeem(used, T0)
    sign_ins.link("carol", T0 - LINK_SECONDS)
    sign_ins.redeem(sign_ins.link("dave", T0 - SESSION_SECONDS), T0 - SESSION_SECONDS)
    harness.approve(harness.request("1").contact.user_id)
    assert sign_ins.end_all(T0) == 2
    refused(lambda: sign_ins.principal(cookie, T0))
    refused(lambda: sign_ins.redeem(unused, T0))
    assert not {item["pk"]["S"] for item in harness.items()} & {"links", "sessions"}
    assert sign_ins.end_all(T0) == 0
    assert harness.room.get(TELEGRAM, "1").rev == 2


def test_a_link_taken_back_meanwhile(harness: Harness, sign_ins: SignIns) -> None:
    """A link that is taken back between being read and being used signs nobody in, and does not come back."""
    token = sign_ins.link("alice", T0)

    def take_back(name: str) -> None:
        if name == "transact_write_items":
            SignIns(harness.again().table).end_all(T0)

    harness.client.before = take_back
    refused(lambda: sign_ins.redeem(token, T0))
    assert harness.items() == []


def test_a_lost_answer_still_signs_in(harness: Harness, sign_ins: SignIns) -> None:
    """When the answer to the one write is lost, asking again finds the same session: no link is burnt for nothing."""
    token = sign_ins.link("alice", T0)
    lost = iter([ReadTimeoutError(endpoint_url="http://127.0.0.1")])
    harness.client.after = lambda name: _lose(name, lost)
    cookie, principal = sign_ins.redeem(token, T0)
    assert sign_ins.principal(cookie, T0) == principal
    assert sum(item["pk"]["S"] == "sessions" for item in harness.items()) == 1


def test_a_lost_answer_that_is_not_repeated_signs_in_too(harness: Harness, sign_ins: SignIns) -> None:
    """Also where the database has forgotten the transaction's token, our own use of the link is told from another's."""
    token = sign_ins.link("alice", T0)
    lost = iter([ReadTimeoutError(endpoint_url="http://127.0.0.1")])

    def forget(name: str) -> None:
        if name == "transact_write_items":
            harness.client.arguments[-1]["ClientRequestToken"] = uuid.uuid4().hex

    harness.client.before = forget
    harness.client.after = lambda name: _lose(name, lost)
    cookie, principal = sign_ins.redeem(token, T0)
    assert sign_ins.principal(cookie, T0) == principal


def test_another_s_use_is_not_ours(harness: Harness, sign_ins: SignIns) -> None:
    """A try that was lost on its way does not make the winner of the race out of the loser."""
    token = sign_ins.link("alice", T0)

    def overtake(name: str) -> None:
        if name == "transact_write_items":
            harness.client.before = lambda _: None
            SignIns(harness.again().table).redeem(token, T0)
            raise ReadTimeoutError(endpoint_url="http://127.0.0.1")

    harness.client.before = overtake
    refused(lambda: sign_ins.redeem(token, T0))
    assert sum(item["pk"]["S"] == "sessions" for item in harness.items()) == 1


def test_a_table_that_does_not_answer(table: dynamodb.Table) -> None:
    """Nobody is signed in, or told that he is not, because the table does not answer; later the link still works."""
    harness = Harness(table, patience=0)
    sign_ins = SignIns(harness.table)
    token = sign_ins.link("alice", T0)
    for call in ("get_item", "transact_write_items"):

        def lose(name: str, call: str = call) -> None:
            _lose(name, for_ever(), call)

        harness.client.before = lose
        with pytest.raises(UnavailableError):
            sign_ins.redeem(token, T0)
    harness.client.before = lambda _: None
    cookie, _ = sign_ins.redeem(token, T0)
    harness.client.before = lambda name: _lose(name, for_ever(), "get_item")
    with pytest.raises(UnavailableError):
        sign_ins.principal(cookie, T0)


def test_an_answer_that_never_comes(table: dynamodb.Table) -> None:
    """Where nobody can tell whether a link was used, that is said; opening it again is refused, and a new one works."""
    harness = Harness(table, patience=0)
    sign_ins = SignIns(harness.table)
    token = sign_ins.link("alice", T0)
    harness.client.after = lambda name: _lose(name, for_ever())
    with pytest.raises(UnavailableError) as error:
        sign_ins.redeem(token, T0)
    assert error.value.in_doubt
    harness.client.after = lambda _: None
    refused(lambda: sign_ins.redeem(token, T0))
    sign_ins.redeem(sign_ins.link("alice", T0), T0)


@pytest.mark.parametrize("changed", ["digest", "actor", "expires_at"])
def test_an_item_of_another_form(harness: Harness, sign_ins: SignIns, changed: str) -> None:
    """An item that is not ours to read signs nobody in, and is not taken for a missing one."""
    cookie, principal = sign_ins.redeem(sign_ins.link("alice", T0), T0)
    harness.raw.update_item(
        TableName=harness.name,
        Key={"pk": {"S": "sessions"}, "sk": {"S": principal.id}},
        UpdateExpression="SET #it = :other",
        ExpressionAttributeNames={"#it": changed},
        ExpressionAttributeValues={":other": {"BOOL": True}},
    )
    with pytest.raises(UnreadableItemError):
        sign_ins.principal(cookie, T0)


def for_ever() -> Any:
    """Fail again and again."""
    while True:
        yield ReadTimeoutError(endpoint_url="http://127.0.0.1")


def _lose(name: str, errors: Any, call: str = "transact_write_items") -> None:
    if name == call and (error := next(errors, None)):
        raise error

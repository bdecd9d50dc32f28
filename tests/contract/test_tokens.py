"""Tokens for programs."""

from typing import Any

import pytest

from doorcode.aws.sign_ins import SignIns
from doorcode.aws.tokens import Token, Tokens
from doorcode.errors import SignInError, UnavailableError, UnreadableItemError
from doorcode.pairing.access import Principal, Scope
from doorcode.pairing.contact import Via
from doorcode.pairing.cooldown import DAY
from tests.backends import dynamodb
from tests.harness import T0, Harness

NEVER_MADE = f"dc_{'0' * 16}.{'A' * 43}"


@pytest.fixture
def harness(table: dynamodb.Table) -> Harness:
    """Give an empty table."""
    return Harness(table)


@pytest.fixture
def tokens(harness: Harness) -> Tokens:
    """Give the tokens of an empty table."""
    return Tokens(harness.table)


def refused(tokens: Tokens, bearer: Any, now: int = T0) -> str:
    """Check that a token signs nobody in; return what is said."""
    with pytest.raises(SignInError) as error:
        tokens.principal(bearer, now)
    return str(error.value)


@pytest.mark.parametrize("scopes", [*({scope} for scope in Scope), {Scope.GATE, Scope.PRESSES}, set(Scope)])
def test_a_token_signs_in(tokens: Tokens, scopes: frozenset[Scope]) -> None:
    """Security 20: whoever shows a token is signed in with its scopes and no other, under its name."""
    bearer, token = tokens.create("ci", scopes, "alice", T0, T0 + 100)
    assert token == Token(
        id=token.id, name="ci", scopes=frozenset(scopes), created_at=T0, created_by="alice", expires_at=T0 + 100
    )
    assert bearer.startswith(f"dc_{token.id}.")
    assert tokens.principal(bearer, T0) == Principal(
        id=token.id, actor="token ci", scopes=frozenset(scopes), via=Via.API, expires_at=T0 + 100
    )


def test_a_token_without_a_name_goes_by_its_id(tokens: Tokens) -> None:
    """What a nameless token decides can be traced to it."""
    bearer, token = tokens.create("", {Scope.READ}, "alice", T0)
    assert tokens.principal(bearer, T0).actor == f"token {token.id}"


def test_a_token_ends(tokens: Tokens) -> None:
    """Security 14: a token works before its end and not at it; without an end it works for ever."""
    bearer, ending = tokens.create("ci", {Scope.READ}, "alice", T0, T0 + 100)
    endless, token = tokens.create("cron", {Scope.READ}, "alice", T0 + 1)
    tokens.principal(bearer, T0 + 99)
    assert tokens.listed(T0 + 99) == [ending, token]
    refused(tokens, bearer, T0 + 100)
    assert tokens.listed(T0 + 100) == [token]
    assert tokens.principal(endless, T0 + 10**9).expires_at == 0


def test_revoked(tokens: Tokens) -> None:
    """Security 20, 23: a revoked token is, from the next request on, like one that never was."""
    bearer, token = tokens.create("ci", {Scope.READ}, "alice", T0)
    other, _ = tokens.create("ci", {Scope.READ}, "alice", T0)
    assert tokens.revoke(token.id)
    assert not tokens.revoke(token.id)
    assert refused(tokens, bearer) == refused(tokens, NEVER_MADE)
    tokens.principal(other, T0)


def test_each_secret_is_its_own(harness: Harness, tokens: Tokens) -> None:
    """Security 20: a token is no cookie, a cookie with the prefix is no token, and an id needs its own secret."""
    one, token = tokens.create("one", {Scope.PAIRING}, "alice", T0)
    two, _ = tokens.create("two", {Scope.READ}, "alice", T0)
    refused(tokens, f"dc_{token.id}.{two.partition('.')[2]}")
    sign_ins = SignIns(harness.table)
    cookie, _ = sign_ins.redeem(sign_ins.link("alice", T0), T0)
    refused(tokens, f"dc_{cookie}")
    for shown in (one, one.removeprefix("dc_")):
        with pytest.raises(SignInError):
            sign_ins.principal(shown, T0)


def test_the_table_has_no_secret(harness: Harness, tokens: Tokens) -> None:
    """Security 2, 20: no item holds what signs in; what has an end goes by itself a day later."""
    ending, _ = tokens.create("ending", {Scope.READ}, "alice", T0, T0 + 100)
    endless, _ = tokens.create("endless", {Scope.READ}, "alice", T0)
    assert not [text for text in (ending, endless) if text.partition(".")[2] in str(harness.items())]
    kept = {item["name"]["S"]: int(item.get("ttl", {"N": "0"})["N"]) for item in harness.items()}
    assert kept == {"ending": T0 + 100 + DAY, "endless": 0}


def test_a_scope_to_come(harness: Harness, tokens: Tokens) -> None:
    """Security 1: a scope that this version does not know lets nobody in, and hides no other token."""
    bearer, token = tokens.create("new", {Scope.READ}, "alice", T0)
    _, other = tokens.create("old", {Scope.READ}, "alice", T0)
    harness.raw.update_item(
        TableName=harness.name,
        Key={"pk": {"S": "tokens"}, "sk": {"S": token.id}},
        UpdateExpression="SET #scope = :other",
        ExpressionAttributeNames={"#scope": "scope"},
        ExpressionAttributeValues={":other": {"S": "everything"}},
    )
    with pytest.raises(UnreadableItemError):
        tokens.principal(bearer, T0)
    assert tokens.listed(T0) == [other]


def test_a_table_that_does_not_answer(table: dynamodb.Table) -> None:
    """Nobody is signed in, or told that he is not, because the table does not answer."""
    harness = Harness(table, patience=0)
    tokens = Tokens(harness.table)
    bearer, _ = tokens.create("ci", {Scope.READ}, "alice", T0)

    def fail(name: str) -> None:
        raise TimeoutError(name)

    harness.client.before = fail
    with pytest.raises(UnavailableError):
        tokens.principal(bearer, T0)

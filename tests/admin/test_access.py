"""The commands about links, sessions and tokens."""

import json

import pytest

from doorcode.asking.callback_keys import callback_secret
from doorcode.aws.sign_ins import LINK_SECONDS
from doorcode.errors import SignInError
from doorcode.pairing.access import Scope
from tests.admin.harness import NOW, PAGE, AdminHarness
from tests.harness import KEYS, T0


def test_a_link_for_whoever_asks(harness: AdminHarness) -> None:
    """A link signs in, once, as the one who has asked for it; the answer says where and until when."""
    answer = harness.done("web")
    assert answer == {"token": answer["token"], "url": PAGE, "expires_at": "2027-01-15T08:05:01Z"}
    _, principal = harness.sign_ins.redeem(answer["token"], NOW + LINK_SECONDS - 1)
    assert (principal.actor, principal.scope) == ("alice@laptop", "pairing")
    with pytest.raises(SignInError):
        harness.sign_ins.redeem(answer["token"], NOW + LINK_SECONDS - 1)


def test_everybody_is_signed_out(harness: AdminHarness) -> None:
    """Sessions and links of everybody are over, and tokens work on."""
    cookie, _ = harness.sign_ins.redeem(harness.done("web", actor="bob@desk")["token"], NOW)
    link = harness.done("web")["token"]
    bearer = harness.done("token_create", scope="read")["token"]
    assert harness.done("sign_out") == {"signed_out": 2}
    with pytest.raises(SignInError):
        harness.sign_ins.principal(cookie, NOW)
    with pytest.raises(SignInError):
        harness.sign_ins.redeem(link, NOW)
    assert harness.tokens.principal(bearer, NOW).scope == "read"
    assert harness.done("sign_out") == {"signed_out": 0}


def test_a_token_is_made_once_and_listed_without_its_secret(harness: AdminHarness) -> None:
    """Security 20: a token has the scope that was asked for; its secret stands in the one answer that made it."""
    for scope in (*Scope, "gate presses"):
        made = harness.done("token_create", scope=scope, name="ci", for_seconds=60)
        bearer = made.pop("token")
        # A18: of one that asks, what its callbacks are signed with, which is no other's.
        secret = made.pop("callback_secret", "")
        assert secret == (callback_secret(made["id"], KEYS) if scope == Scope.ASKS else ""), scope
        assert made == {
            "id": made["id"], "name": "ci", "scope": scope, "created_at": "2027-01-15T08:00:01Z",
            "created_by": "alice@laptop", "expires_at": "2027-01-15T08:01:01Z",
        }, scope  # fmt: skip
        endless = harness.done("token_create", scope="read", now=T0 + 5)
        assert endless["expires_at"] is None, scope
        listed = harness.done("token_list")
        assert [token["id"] for token in listed["tokens"]] == [made["id"], endless["id"]], scope
        assert listed["tokens"][0] == made, scope
        assert not [text for text in (bearer, endless["token"]) if text.partition(".")[2] in json.dumps(listed)], scope
        assert harness.tokens.principal(bearer, NOW).actor == "token ci", scope
        assert [token["id"] for token in harness.done("token_list", now=T0 + 61)["tokens"]] == [endless["id"]], scope
        for token in (made, endless):
            harness.done("token_revoke", id=token["id"])


def test_a_token_is_revoked_by_its_id(harness: AdminHarness) -> None:
    """Security 20: a revoked token is over from its next request on; to revoke it again is refused, and so is its secret."""
    made = harness.done("token_create", scope="pairing")
    assert harness.refused("token_revoke", id=made["token"])["reason"] == "unknown_token"
    assert harness.done("token_revoke", id=made["id"]) == {"id": made["id"]}
    with pytest.raises(SignInError):
        harness.tokens.principal(made["token"], NOW)
    assert harness.refused("token_revoke", id=made["id"])["reason"] == "unknown_token"


def test_the_log_has_no_secret_and_no_name(harness: AdminHarness, caplog: pytest.LogCaptureFixture) -> None:
    """Security 8, 20, 34: the log says who did what and to which token, and nothing that signs in."""
    link = harness.done("web")["token"]
    made = harness.done("token_create", scope="read", name="my program")
    harness.refused("token_revoke", id=made["token"])
    harness.refused("token_create", scope="read", name="\x1b[2J")
    harness.done("token_list")
    harness.done("token_revoke", id=made["id"])
    harness.done("sign_out")
    fields = ("operation", "actor", "token_id", "scope", "outcome", "reason", "count")
    logged = [
        {field: getattr(record, field) for field in fields if hasattr(record, field)}
        for record in caplog.records
        if record.name.startswith("doorcode")
    ]
    who, which = {"actor": "alice@laptop"}, {"token_id": made["id"]}
    assert logged == [
        {**who, "operation": "web", "outcome": "linked"},
        {**who, **which, "operation": "token_create", "scope": "read", "outcome": "created"},
        {**who, "operation": "token_revoke", "outcome": "refused", "reason": "unknown_token"},
        {**who, "operation": "token_create", "outcome": "refused", "reason": "invalid_token_name"},
        {**who, "operation": "token_list", "outcome": "listed", "count": "1"},
        {**who, **which, "operation": "token_revoke", "outcome": "revoked"},
        {**who, "operation": "sign_out", "outcome": "signed_out", "count": "1"},
    ]
    written = " ".join(str(record.__dict__) for record in caplog.records)
    secrets = [text.partition(".")[2] for text in (link, made["token"])]
    assert not [text for text in (*secrets, "my program") if text in written]

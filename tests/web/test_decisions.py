"""Deciding over HTTP: the reference's answers, and every refusal's status."""

from typing import Any

import pytest

from doorcode.errors import ForbiddenError
from doorcode.pairing.access import Scope
from doorcode.pairing.contact import Platform, State
from doorcode.pairing.decisions import Desk
from doorcode.pairing.transitions import Operation
from doorcode.web import decisions
from doorcode.web.routes import Route
from tests.harness import COOLDOWN, T0, TTL
from tests.web.harness import Caller, WebHarness

PERSON = {"channel": "telegram", "user_id": "987654321"}


@pytest.fixture
def owner(web: WebHarness) -> Caller:
    """Give the owner at the page, and a stranger who has asked."""
    web.request(PERSON["user_id"])
    return web.session()


def test_a_request_is_listed_approved_and_revoked(web: WebHarness, owner: Caller) -> None:
    """The reference's way: pending with its code, approve by code, paired, revoke; every field by its name."""
    [pending] = owner.get("/api/pairing/pending").body["pending"]
    assert {name: pending[name] for name in ("platform", "user_id", "code", "name", "state")} == {
        "platform": "telegram",
        "user_id": "987654321",
        "code": web.code("987654321"),
        "name": "@stranger",
        "state": "pending",
    }
    approved = owner.post("/api/pairing/approve", channel="telegram", code=pending["code"], label="my friend")
    assert approved.status == 200
    assert approved.body == {"approved": True, **PERSON, "code": pending["code"]}
    [paired] = owner.get("/api/pairing/paired").body["paired"]
    assert (paired["label"], paired["decided_by"], paired["decided_via"]) == ("my friend", "alice@laptop", "web")
    assert owner.get("/api/pairing/pending").body["pending"] == []
    assert owner.post("/api/pairing/revoke", **PERSON).body == {"revoked": True, **PERSON}
    assert owner.get("/api/pairing/paired").body == {"paired": [], "cursor": ""}


def test_somebody_is_let_in_who_has_not_asked(web: WebHarness, owner: Caller) -> None:
    """Add takes a label and an end; a blocked person is unblocked first. It needs the scope pairing."""
    new = {"channel": "slack", "user_id": "U1234ABCD"}
    assert web.token(Scope.READ).post("/api/pairing/add", **new).refusal == (403, "forbidden")
    reply = owner.post("/api/pairing/add", **new, label="bob", **{"for": 60})
    assert (reply.status, reply.body) == (200, {"added": True, **new})
    contact = web.room.get(Platform.SLACK, "U1234ABCD")
    assert (contact.label, contact.paired_until, contact.decided_by) == ("bob", web.now + 60, "alice@laptop")
    # As with the command: without an end, for ever.
    assert owner.post("/api/pairing/add", **new).status == 200
    contact = web.room.get(Platform.SLACK, "U1234ABCD")
    assert (contact.label, contact.paired_until) == ("bob", 0)
    owner.post("/api/pairing/block", **new)
    assert owner.post("/api/pairing/add", **new).refusal == (409, "blocked")


def test_a_guest_is_approved(web: WebHarness, owner: Caller) -> None:
    """Approve takes an end, too."""
    assert owner.post("/api/pairing/approve", **PERSON, **{"for": 7 * 86_400}).status == 200
    [guest] = owner.get("/api/pairing/paired").body["paired"]
    assert guest["paired_until"] == "2027-01-22T08:00:01Z"
    assert web.room.get(Platform.TELEGRAM, "987654321").paired_until == web.now + 7 * 86_400


def test_a_label_or_an_end_is_changed(web: WebHarness, owner: Caller) -> None:
    """What is not given stays: a new label makes nobody's end another one, nor the other way round."""
    owner.post("/api/pairing/approve", **PERSON, label="ann", **{"for": 60})
    paired_at = web.room.get(Platform.TELEGRAM, "987654321").paired_at
    web.now += 10
    for given, label, until in (
        ({"label": "my friend"}, "my friend", web.now + 50), ({"for": 5}, "my friend", web.now + 5),
        ({"label": ""}, "", web.now + 5), ({"label": "ann", "for": 0}, "ann", 0),
    ):  # fmt: skip
        assert owner.post("/api/pairing/change", **PERSON, **given).body == {"changed": True, **PERSON}
        contact = web.room.get(Platform.TELEGRAM, "987654321")
        assert (contact.label, contact.paired_until, contact.paired_at) == (label, until, paired_at)
    assert owner.post("/api/pairing/change", **PERSON).refusal == (400, "invalid_input")


@pytest.mark.parametrize("before", [Operation.REVOKE, Operation.BLOCK])
def test_a_change_lets_nobody_in(web: WebHarness, owner: Caller, before: Operation) -> None:
    """Security 17, 23: whoever was revoked or blocked meanwhile stays out, whatever they are called from now on."""
    owner.post("/api/pairing/approve", **PERSON)
    web.decide(before, web.now, user_id=PERSON["user_id"])
    held = web.room.get(Platform.TELEGRAM, "987654321")
    assert owner.post("/api/pairing/change", **PERSON, label="ann").refusal == (404, "not_paired")
    assert web.room.get(Platform.TELEGRAM, "987654321") == held


@pytest.mark.parametrize("route", decisions.ROUTES, ids=lambda route: route.name)
def test_with_a_closed_desk_nothing_is_decided(
    web: WebHarness, owner: Caller, route: Route, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Security 19: every route that decides asks the desk; when that refuses, nothing has moved."""

    def closed(*_: object) -> None:
        raise ForbiddenError("The desk is closed.")

    web.decide(Operation.ADD, user_id="100200300")
    web.decide(Operation.BLOCK, user_id="100200301")
    monkeypatch.setattr(Desk, "decide", closed)
    before = web.items()
    for user_id in (PERSON["user_id"], "100200300", "100200301"):
        more = {"label": "ann"} if route.name == Operation.CHANGE else {}
        assert owner.post(route.path, channel="telegram", user_id=user_id, **more).refusal == (403, "forbidden")
    assert web.items() == before


@pytest.mark.parametrize("verb", ["approve", "deny"])
@pytest.mark.parametrize("by", ["code", "user_id", "both"])
def test_a_request_is_decided_by_code_or_by_user_id(web: WebHarness, owner: Caller, verb: str, by: str) -> None:
    """Either names the request; the code is echoed as it was made, where it was given."""
    code = web.code("987654321")
    given = {"code": f"{code[:4].lower()} - {code[4:]}", "user_id": "987654321"}
    if by != "both":
        given = {by: given[by]}
    reply = owner.post(f"/api/pairing/{verb}", channel="telegram", **given)
    done = {"approve": "approved", "deny": "denied"}[verb]
    assert reply.body == {done: True, **PERSON} | ({"code": code} if "code" in given else {})
    contact = web.room.get(Platform.TELEGRAM, "987654321")
    assert contact.state == {"approve": State.PAIRED, "deny": State.DENIED}[verb]


def test_blocking_and_unblocking(owner: Caller) -> None:
    """Anybody can be blocked, and is a stranger again after it."""
    assert owner.post("/api/pairing/block", **PERSON).body == {"blocked": True, **PERSON}
    [blocked] = owner.get("/api/pairing/blocked").body["blocked"]
    assert blocked["user_id"] == "987654321"
    assert owner.post("/api/pairing/unblock", **PERSON).body == {"unblocked": True, **PERSON}
    assert owner.get("/api/pairing/blocked").body == {"blocked": [], "cursor": ""}


def test_a_token_decides_in_its_own_name(web: WebHarness, owner: Caller) -> None:
    """What a program decided says so: its name, and the surface api."""
    assert owner
    assert web.token(name="ci").post("/api/pairing/approve", **PERSON).status == 200
    contact = web.room.get(Platform.TELEGRAM, "987654321")
    assert (contact.decided_by, contact.decided_via) == ("token ci", "api")


@pytest.mark.parametrize("first", ["approve", "deny", "block"])
@pytest.mark.parametrize("second", ["approve", "deny"])
@pytest.mark.parametrize("by_code", [False, True])
def test_whoever_comes_second_is_told_what_holds(
    web: WebHarness, owner: Caller, first: str, second: str, by_code: bool
) -> None:
    """Security 17: 409, with the real state, and who decided, how and when."""
    given = {"channel": "telegram", "code": web.code("987654321")} if by_code else PERSON
    assert web.token(name="ci").post(f"/api/pairing/{first}", **PERSON).status == 200
    reply = owner.post(f"/api/pairing/{second}", **given)
    state = {"approve": "paired", "deny": "denied", "block": "blocked"}[first]
    assert reply.status == 409
    assert reply.body.items() >= {
        "state": state, "decided_by": "token ci", "decided_by_name": "", "decided_via": "api", "decided_at": "2027-01-15T08:00:01Z",
    }.items()  # fmt: skip
    assert "token ci (api)" in reply.body["error"]


def test_blocking_twice_is_told_too(owner: Caller) -> None:
    """A second block is 409 like any second decision."""
    assert owner.post("/api/pairing/block", **PERSON).status == 200
    assert owner.post("/api/pairing/block", **PERSON).refusal == (409, "already_blocked")


@pytest.mark.parametrize("kind", ["unknown", "expired", "used and revoked", "replaced", "another platform's"])
@pytest.mark.parametrize("verb", ["approve", "deny"])
def test_a_code_that_does_not_work_is_unknown_whatever_it_was(
    web: WebHarness, owner: Caller, kind: str, verb: str
) -> None:
    """Security 12: unknown, expired, used and wrong-platform codes are the same 404; nothing moves."""
    code, channel = web.code("987654321"), "telegram"
    if kind == "unknown":
        code = "AAAA2222"
    elif kind == "expired":
        web.now = T0 + TTL
        owner = web.session()
    elif kind == "used and revoked":
        web.approve("987654321")
        web.decide(Operation.REVOKE, user_id="987654321")
    elif kind == "replaced":
        web.now = T0 + COOLDOWN
        web.request("987654321", web.now)
    else:
        channel = "slack"
    before = web.room.get(Platform.TELEGRAM, "987654321")
    reply = owner.post(f"/api/pairing/{verb}", channel=channel, code=code)
    assert reply.refusal == (404, "unknown_code")
    assert reply.body == {"error": "No pending request has that code.", "reason": "unknown_code"}
    assert web.room.get(Platform.TELEGRAM, "987654321") == before


def test_a_code_and_another_persons_id_do_not_belong_together(web: WebHarness, owner: Caller) -> None:
    """Security 9: a code is bound to a person, and pairs nobody else."""
    web.request("555001")
    reply = owner.post("/api/pairing/approve", channel="telegram", code=web.code("987654321"), user_id="555001")
    assert reply.refusal == (404, "not_theirs")
    assert reply.body["error"] == "That code is not theirs."


@pytest.mark.parametrize(
    ("verb", "reason"),
    [
        ("approve", "not_pending"),
        ("deny", "not_pending"),
        ("revoke", "not_paired"),
        ("change", "not_paired"),
        ("unblock", "not_blocked"),
    ],
)
def test_nobody_there_is_not_found(web: WebHarness, verb: str, reason: str) -> None:
    """404 for whoever has no request, is not paired, is not blocked."""
    more = {"label": "ann"} if verb == "change" else {}
    reply = web.session().post(f"/api/pairing/{verb}", **PERSON, **more)
    assert reply.refusal == (404, reason)


def test_an_expired_request_is_not_found(web: WebHarness, owner: Caller) -> None:
    """By user id it is told that it expired, to whoever is signed in."""
    assert owner
    web.now = T0 + TTL
    assert web.session().post("/api/pairing/approve", **PERSON).refusal == (404, "expired")


@pytest.mark.parametrize(
    ("verb", "body", "reason"),
    [
        ("approve", {"channel": "telegram"}, "invalid_input"),
        ("approve", {"user_id": "1"}, "invalid_input"),
        ("approve", {"channel": "signal", "user_id": "1"}, "invalid_input"),
        ("approve", {"channel": "Telegram", "user_id": "1"}, "invalid_input"),
        ("approve", {"channel": "telegram", "code": ""}, "malformed_code"),
        ("approve", {"channel": "telegram", "code": "", "user_id": "987654321"}, "malformed_code"),
        ("approve", {"channel": "telegram", "code": "ABCD1234"}, "malformed_code"),
        ("approve", {"channel": "telegram", "code": "A" * 65}, "malformed_code"),
        ("approve", {"channel": "telegram", "code": "AAAA2222", "user_id": ""}, "invalid_user_id"),
        ("approve", {"channel": "telegram", "user_id": "*"}, "invalid_user_id"),
        ("approve", {"channel": "telegram", "user_id": " 987654321"}, "invalid_user_id"),
        ("approve", {"channel": "telegram", "user_id": "9" * 65}, "invalid_user_id"),
        ("approve", {"channel": "telegram", "user_id": "987654321", "label": "\u202e"}, "invalid_label"),
        ("approve", {"channel": "telegram", "user_id": "987654321", "label": "a" * 65}, "invalid_label"),
        ("approve", {"channel": "telegram", "user_id": "987654321", "until": 1}, "invalid_input"),
        ("approve", {"channel": "telegram", "user_id": "987654321", "for": -1}, "invalid_input"),
        ("approve", {"channel": "telegram", "user_id": "987654321", "for": 10**15}, "invalid_time"),
        ("add", {"channel": "telegram", "user_id": "@ann"}, "invalid_user_id"),
        ("add", {"channel": "telegram", "code": "AAAA2222"}, "invalid_input"),
        ("deny", {"channel": "telegram", "user_id": "987654321", "label": "x"}, "invalid_input"),
        ("revoke", {"channel": "telegram", "code": "AAAA2222"}, "invalid_input"),
        ("block", {"channel": "telegram", "user_id": "", "code": "AAAA2222"}, "invalid_input"),
        ("block", {"channel": "telegram", "user_id": ""}, "invalid_user_id"),
    ],
)
def test_what_cannot_be_meant_is_refused_and_not_counted(
    web: WebHarness, owner: Caller, verb: str, body: dict[str, Any], reason: str
) -> None:
    """Security 5, 10: a bad id or code is 400, moves nobody, and is no guess."""
    assert owner.post(f"/api/pairing/{verb}", **body).refusal == (400, reason)
    assert web.room.get(Platform.TELEGRAM, "987654321").state is State.PENDING
    assert not [item for item in web.items() if item["pk"]["S"].startswith("lockout#")]


def test_an_answer_that_was_lost_is_told_as_a_doubt(web: WebHarness, owner: Caller) -> None:
    """Whoever changes something and gets no answer is told that it may have been done; whoever looks is not."""

    def lost(name: str) -> None:
        if name in {"transact_write_items", "query"}:
            raise TimeoutError

    web.clients["dynamodb"].after = lost
    reply = owner.post("/api/pairing/approve", **PERSON)
    assert reply.refusal == (503, "unavailable")
    assert "may have been done" in reply.body["error"]
    assert "may have been done" not in owner.get("/api/pairing/pending").body["error"]

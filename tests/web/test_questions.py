"""Questions to the owner over HTTP: who may ask, look, use and decide, and what is answered."""

import re
from typing import Any

import pytest

from doorcode.aws.question_store import MAX_WAITING, QuestionStore
from doorcode.pairing.access import Scope
from doorcode.pairing.reply_address import ReplyAddress, seal
from tests.harness import KEYS, TELEGRAM
from tests.web.harness import Caller, Reply, WebHarness

ASKED = {"title": "Delete 3 files?", "arguments": {"path": "x.txt"}}
NOWHERE = "A" * 16


@pytest.fixture
def asker(web: WebHarness) -> Caller:
    """Give a program that may ask."""
    return web.token(Scope.ASKS)


def one(reply: Reply, status: int = 200) -> dict[str, Any]:
    """Return the question of an answer."""
    assert reply.status == status, reply.text
    found: dict[str, Any] = reply.body
    return found


def asked(asker: Caller, **form: Any) -> dict[str, Any]:
    """Ask."""
    return one(asker.ask("POST", "/api/asks", ASKED | form), 201)


def decide(who: Caller, question: dict[str, Any], what: str = "approve", **more: Any) -> Reply:
    """Decide about exactly what was asked."""
    return who.ask("POST", f"/api/asks/{question['id']}/{what}", {"digest": question["digest"]} | more)


def test_from_end_to_end(web: WebHarness, asker: Caller, caplog: pytest.LogCaptureFixture) -> None:
    """Security 47, A1, A3, A20: asked by a token, approved on the page, used once; no word of it in the log."""
    question = asked(asker, details="d-secret", on_behalf_of={"platform": "telegram", "user_id": "123"}, key="k1")
    assert re.fullmatch(r"[A-HJ-NP-Z2-9]{16}", question["id"])
    assert {name: question[name] for name in ("state", "arguments", "on_behalf_of", "asker", "approvals_left", "reached", "reason")} == {
        "state": "pending", "arguments": {"path": "x.txt"}, "on_behalf_of": "telegram:123", "asker": "token ci", "approvals_left": 1,
        "reached": None, "reason": None,
    }  # fmt: skip
    assert (
        asked(asker, details="d-secret", on_behalf_of={"platform": "telegram", "user_id": "123"}, key="k1") == question
    )
    page = web.session()
    assert page.get("/api/asks").body["asks"] == asker.get("/api/asks").body["asks"] == [question]
    assert decide(asker, question, "use").refusal == (409, "not_approved")
    yes = one(decide(page, question, reason="w-secret"))
    assert (yes["state"], yes["decided_by"], yes["decided_via"], yes["reason"]) == (
        "approved",
        "alice@laptop",
        "web",
        "w-secret",
    )
    assert one(decide(page, question)) == yes
    contrary = decide(page, question, "deny")
    assert (contrary.refusal, contrary.body["state"]) == ((409, "already_decided"), "approved")
    path = f"/api/asks/{question['id']}/use"
    body = {"digest": question["digest"]}
    used = one(asker.ask("POST", path, body, {"idempotency-key": "u1"}))
    assert used == one(asker.ask("POST", path, body, {"idempotency-key": "u1"}))
    assert used["used_at"]
    for headers in ({}, {"idempotency-key": "u2"}):
        assert asker.ask("POST", path, body, headers).refusal == (409, "already_used")
    assert asker.ask("POST", path, body, {"idempotency-key": "a b"}).refusal == (422, "invalid_question")
    assert asker.get("/api/asks").body["asks"] == []
    assert asker.get("/api/asks?state=used").body["asks"] == page.get("/api/asks?state=ended").body["asks"] == [used]
    logged = [record.__dict__ for record in caplog.records]
    assert "secret" not in str(logged)
    assert "Delete" not in str(logged)
    assert {record.get("ask") for record in logged} >= {question["id"]}


def test_another_token_s_question_is_not_there(web: WebHarness, asker: Caller) -> None:
    """A19: nobody else reads, lists, uses or takes it back; the answer is that of one that never was, word for word, after the same calls."""
    question, other = asked(asker), web.token(Scope.ASKS, name="other")
    assert other.get("/api/asks").body["asks"] == []
    for method, path, body in (
        ("GET", "", None), ("GET", "?wait=5", None), ("POST", "/cancel", None), ("POST", "/use", {"digest": question["digest"]}),
    ):  # fmt: skip
        with web.clients["dynamodb"].counting() as made:
            theirs = other.ask(method, f"/api/asks/{question['id']}{path}", body)
        with web.clients["dynamodb"].counting() as made_for_nothing:
            nobodys = other.ask(method, f"/api/asks/{NOWHERE}{path}", body)
        assert theirs.refusal == (404, "unknown_question")
        assert (theirs.text, theirs.headers) == (nobodys.text, nobodys.headers)
        # So that not even the time tells: the token, and the question, once.
        assert made == made_for_nothing == ["get_item", "get_item"]
    assert one(asker.get(f"/api/asks/{question['id']}"))["state"] == "pending"


def test_who_asks_does_not_decide(web: WebHarness, asker: Caller) -> None:
    """Security 49, A8: a token that may ask decides nothing; one that may do both not its own; a decider asks nothing."""
    question = asked(asker)
    for what in ("approve", "deny"):
        assert decide(asker, question, what).refusal == (403, "forbidden")
    assert asker.post("/api/asks/mute", asker="0" * 16, muted=True).refusal == (403, "forbidden")
    decider = web.token(Scope.PAIRING)
    assert decider.ask("POST", "/api/asks", ASKED).refusal == (403, "forbidden")
    assert decide(decider, question, "use").refusal == (403, "forbidden")
    both = web.token(Scope.ASKS, Scope.PAIRING)
    own = asked(both)
    for what in ("approve", "deny"):
        assert decide(both, own, what).refusal == (403, "own_question")
    assert one(decide(both, question, "deny"))["state"] == "denied"
    assert one(decide(decider, own))["decided_by"] == "token ci"
    for reader in (web.token(Scope.READ), web.token(Scope.GATE)):
        assert reader.get("/api/asks").refusal == (403, "forbidden")


def test_a_page_by_the_bot_s_link_is_its_owner(web: WebHarness, asker: Caller) -> None:
    """A7: who signed in by /door decides as that account, if it owns the bot; a page of a command is no person of a quorum."""
    question = asked(asker)
    assert decide(web.session("telegram:999"), question).refusal == (403, "not_an_owner")
    assert asker.ask("POST", "/api/asks", ASKED | {"owners": ["telegram:999"]}).refusal == (422, "invalid_question")
    assert asker.ask("POST", "/api/asks", ASKED | {"approvals": 2}).refusal == (422, "invalid_question")


def test_another_digest(web: WebHarness, asker: Caller) -> None:
    """Security 48, A4: what is decided or used names exactly what was shown; else nothing changes."""
    question, page = asked(asker), web.session()
    other = question | {"digest": "sha256:" + "0" * 64}
    for what in ("approve", "deny"):
        assert decide(page, other, what).refusal == (422, "digest_mismatch")
    assert decide(page, question | {"digest": "sha256:0"}).refusal == (422, "invalid_question")
    assert decide(page, question, choice=1).refusal == (422, "unknown_choice")
    one(decide(page, question))
    assert decide(asker, other, "use").refusal == (422, "digest_mismatch")
    assert one(decide(asker, question, "use"))["state"] == "used"


def test_choices(web: WebHarness, asker: Caller) -> None:
    """The owner takes one of the choices, which the asker gets by its words."""
    question = asked(asker, choices=["Staging", "Production"])
    page = web.session()
    assert decide(page, question).refusal == (422, "unknown_choice")
    assert one(decide(page, question, choice=2))["choice"] == "Production"


def test_what_cannot_be_asked(asker: Caller) -> None:
    """A mistyped field never asks for less: 422, with a sentence; what is no JSON is 400; nobody is asked."""
    for form in (
        {"approval": 2},
        {"title": 1},
        {"title": " "},
        {"arguments": {"n": 0.5}},
        {"callback_url": "http://example.com"},
        {"approvals": 9},
    ):
        reply = asker.ask("POST", "/api/asks", ASKED | form)
        assert reply.refusal == (422, "invalid_question"), form
    assert asker.ask("POST", "/api/asks", b"{").refusal == (400, "invalid_input")
    assert asker.ask("POST", "/api/asks", ASKED | {"reply_to": "nonsense"}).refusal == (400, "bad_reply_address")
    assert asker.ask("POST", "/api/asks", ASKED | {"details": "x" * 300_000}).refusal == (413, "body_too_large")
    assert asker.get("/api/asks").body["asks"] == []


def test_a_reply_address_is_this_stack_s(web: WebHarness, asker: Caller) -> None:
    """Where the decision is to be told has to be an address that leads somewhere when it is asked."""
    address = ReplyAddress(
        platform=TELEGRAM, user_id="1", conversation="1", reply="{}", delivery="m", issued_at=web.now,
    )  # fmt: skip
    assert asked(asker, reply_to=seal(address, KEYS))["state"] == "pending"


def test_a_number_to_match(web: WebHarness, asker: Caller) -> None:
    """The asker alone is told which of the three it is; by its own token, one question at a time. A wrong one is 409, and a denial."""
    question, page = asked(asker, match=True), web.session()
    number, path = question["match"], f"/api/asks/{question['id']}"
    assert number in question["numbers"]
    assert asker.get(path).body["match"] == number
    for shown in (page.get(path).body, *page.get("/api/asks").body["asks"], *asker.get("/api/asks").body["asks"]):
        assert (shown["numbers"], shown["match"]) == (question["numbers"], None)
    assert web.token(Scope.ASKS).get(path).status == 404
    assert decide(page, question).refusal == (422, "number_needed")
    assert decide(page, question, match=100).status in {400, 422}
    wrong = decide(page, question, match=next(one for one in question["numbers"] if one != number), reason="Fine")
    assert (wrong.refusal, wrong.body["state"]) == ((409, "wrong_number"), "denied")
    told = one(asker.get(path))
    assert (told["state"], told["reason"]) == ("denied", "Another number was picked than the one that the asker shows.")
    assert decide(page, question, match=number).refusal == (409, "already_decided")
    more = asked(asker, title="Another?", match=True)
    assert one(decide(page, more, match=more["match"]))["state"] == "approved"
    assert one(decide(asker, more, "use"))["state"] == "used"
    plain = asked(asker, title="Plain?")
    assert (plain["numbers"], plain["match"]) == ([], None)
    assert decide(page, plain, match=47).refusal == (422, "no_number")
    assert asker.ask("POST", "/api/asks", ASKED | {"match": True, "choices": ["a", "b"]}).refusal == (
        422,
        "invalid_question",
    )


def test_what_is_paused(web: WebHarness, asker: Caller) -> None:
    """A20: refused where the stack resumes nothing, naming the parameter; else taken, in the two forms alone, and never given back."""
    forms: tuple[dict[str, str], ...] = (
        {"kind": "durable", "callback_id": "Zm9v" * 256},
        {"kind": "task", "token": "t0ken+/=" * 256},
    )
    for form in forms:
        reply = asker.ask("POST", "/api/asks", ASKED | {"resume": form})
        assert reply.refusal == (422, "invalid_question")
        assert "parameter ResumeAsks is off" in reply.text
    web.restart(RESUME_ASKS="both")
    for form in forms:
        question = asked(asker, title=form["kind"], resume=form)
        shown = asker.get("/api/asks").text + web.session().get(f"/api/asks/{question['id']}").text + str(question)
        assert not [word for word in form.values() if len(word) > 9 and word[:16] in shown]
        assert "resume" not in question
    bad: tuple[Any, ...] = (
        "task", {"kind": "task"}, {"kind": "other", "token": "t"}, {"kind": "task", "token": "t" * 2049}, {"kind": "task", "token": "a b"},
        {"kind": "durable", "callback_id": "a" * 1025}, {"kind": "durable", "callback_id": "a-b"}, {"kind": "durable", "token": "a"},
        {"kind": "task", "token": "t", "more": 1},
    )  # fmt: skip
    for resume in bad:
        reply = asker.ask("POST", "/api/asks", ASKED | {"resume": resume})
        assert reply.refusal == (422, "invalid_question"), resume


def test_limits(web: WebHarness, asker: Caller) -> None:
    """A15: too many, and a muted asker, are 429 with the time to wait; mute approves nothing; the owner sees who is muted."""
    question = asked(asker)
    page = web.session()
    muted = {"asker": question["asker_id"], "muted": True}
    assert page.post("/api/asks/mute", **muted).body == muted
    assert page.get("/api/asks").body["muted"] == [{"asker_id": question["asker_id"], "asker": "token ci"}]
    assert asker.get("/api/asks").body["muted"] == []
    reply = asker.ask("POST", "/api/asks", {"title": "More"})
    assert reply.refusal == (429, "muted")
    assert reply.headers["retry-after"] == str(reply.body["retry_after_seconds"]) == "3600"
    assert one(asker.get(f"/api/asks/{question['id']}"))["state"] == "pending"
    assert page.post("/api/asks/mute", **muted | {"muted": False}).body["muted"] is False
    for number in range(19):
        asked(asker, title=f"{number}")
    assert asker.ask("POST", "/api/asks", {"title": "More"}).refusal == (429, "too_many_pending")
    assert one(asker.ask("POST", f"/api/asks/{question['id']}/cancel"))["state"] == "cancelled"
    asked(asker, title="More")
    assert page.post("/api/asks/mute", asker="alice", muted=True).refusal == (422, "invalid_question")


def test_waiting(web: WebHarness, asker: Caller) -> None:
    """A2, fault 8: a poll ends with the decision, or in its time, or at the question's end, and changes nothing."""
    question = asked(asker, expires_in=60)
    path = f"/api/asks/{question['id']}"
    began = web.now
    assert one(asker.get(f"{path}?wait=25")) == question
    assert web.now - began in range(25, 28)

    def decided_meanwhile() -> None:
        web.meanwhile = lambda: None
        one(decide(web.session(), question))

    web.meanwhile = decided_meanwhile
    began = web.now
    assert one(asker.get(f"{path}?wait=25"))["state"] == "approved"
    assert web.now - began < 3
    assert one(asker.get(f"{path}?wait=25"))["state"] == "approved"
    late = asked(asker, title="late", expires_in=60)
    web.now += 58
    assert one(asker.get(f"/api/asks/{late['id']}?wait=25"))["state"] == "expired"
    for wait in ("26", "-1", "x"):
        assert asker.get(f"{path}?wait={wait}").status == 400


def test_only_so_many_wait_at_once(web: WebHarness, asker: Caller) -> None:
    """However many wait, most functions are free for the webhooks: further ones are answered at once; places come back."""
    path = f"/api/asks/{asked(asker)['id']}?wait=5"
    store = QuestionStore(web.table, web.table, web.settings)

    def waited() -> float:
        began = web.now
        reply = asker.get(path)
        assert ("retry-after" in reply.headers) is (web.now == began)
        return web.now - began

    *places, none = [store.take_waiting_place(web.now, 25) for _ in range(MAX_WAITING + 1)]
    assert all(places)
    assert not none
    assert waited() == 0
    store.leave_waiting_place(places[0])
    for _ in range(2):
        assert waited() >= 5
    assert store.take_waiting_place(web.now, 25)
    assert waited() == 0
    # Those that died give theirs back in their time.
    web.now += 60
    assert waited() >= 5

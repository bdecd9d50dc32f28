"""Looking: who is waiting, paired and blocked."""

import base64
import json
from typing import Any

import pytest

from doorcode.aws.directory import PAGE_SIZE
from doorcode.pairing.access import Scope
from doorcode.pairing.contact import Platform, State
from doorcode.web.lists import MAX_PAGES
from tests.harness import T0, TTL
from tests.web.gateway import request_event
from tests.web.harness import Caller, WebHarness

SLACK, DISCORD, TELEGRAM = Platform.SLACK, Platform.DISCORD, Platform.TELEGRAM


def _all(caller: Caller, kind: str, query: str = "") -> list[dict[str, Any]]:
    """Follow the cursors from the first page to the last."""
    records: list[dict[str, Any]] = []
    cursor = ""
    while True:
        reply = caller.get(f"/api/pairing/{kind}?cursor={cursor}{query}")
        assert reply.status == 200, reply
        records += reply.body[kind]
        cursor = reply.body["cursor"]
        if not cursor:
            return records


def test_pending_requests_of_all_platforms_oldest_first(web: WebHarness) -> None:
    """One list, with the time to compare with; what is overdue is not in it."""
    web.request("3", T0 - TTL)
    web.request("1", T0, platform=SLACK)
    web.request("2", T0 - 1, platform=DISCORD)
    body = web.session().get("/api/pairing/pending").body
    assert body["now"] == "2027-01-15T08:00:01Z"
    assert [(record["platform"], record["user_id"]) for record in body["pending"]] == [("discord", "2"), ("slack", "1")]
    assert body["pending"][1] == {
        "platform": "slack", "user_id": "1", "name": "@stranger", "full_name": "", "state": "pending", "label": "",
        "requested_at": "2027-01-15T08:00:00Z", "expires_at": "2027-01-15T09:00:00Z", "paired_at": None,
        "paired_until": None, "decided_by": "", "decided_by_name": "", "decided_via": "", "code": web.code("1", SLACK),
    }  # fmt: skip


def test_the_scope_read_never_sees_a_code(web: WebHarness) -> None:
    """Security 8, 20: no answer that a reader can get has a code in it, and no field for one."""
    web.request("1")
    code = web.code("1")
    reader = web.token(Scope.READ)
    answers = [
        reader.get(path)
        for path in (
            "/api/pairing/pending",
            "/api/pairing/paired",
            "/api/pairing/blocked",
            "/api/pairing/contacts/telegram/1",
            "/api/session",
            "/api/openapi.json",
        )
    ]
    assert {answer.status for answer in answers} == {200}
    assert not [answer for answer in answers if code in answer.text or '"code":' in answer.text.partition('"paths"')[0]]
    assert [record["user_id"] for record in answers[0].body["pending"]] == ["1"]


def test_a_code_that_cannot_be_shown_hides_no_request(web: WebHarness, caplog: pytest.LogCaptureFixture) -> None:
    """The secret that made it is gone: the request is there, without its code."""
    web.request("1")
    web.put_secret("another")
    [record] = web.session().get("/api/pairing/pending").body["pending"]
    assert (record["user_id"], record["code"]) == ("1", "")
    assert "gateway secret" in caplog.text


def test_names_with_markup_are_plain_text_in_json(web: WebHarness) -> None:
    """Security 28: whatever a stranger calls himself is a JSON string, which no browser takes for anything else."""
    name = '</script><img src=x onerror="alert(1)">\u2028'
    web.request("1", name=name)
    reply = web.session().get("/api/pairing/pending")
    assert reply.body["pending"][0]["name"] == name
    assert reply.headers["content-type"] == "application/json"
    assert reply.headers["x-content-type-options"] == "nosniff"


def test_paired_and_blocked_contacts_of_all_platforms_page_by_page(web: WebHarness) -> None:
    """Everybody is listed once, over all pages and platforms; a cursor never points beyond the end."""
    web.put_listed(PAGE_SIZE + 5)
    web.put_listed(3, platform=SLACK)
    web.put_listed(2, State.BLOCKED, DISCORD)
    reader = web.token(Scope.READ)
    assert len(reader.get("/api/pairing/paired").body["paired"]) < 2 * PAGE_SIZE
    paired = _all(reader, "paired")
    assert len(paired) == len({(one["platform"], one["user_id"]) for one in paired}) == PAGE_SIZE + 8
    assert [one["platform"] for one in _all(reader, "blocked")] == ["discord", "discord"]
    assert [one["platform"] for one in _all(reader, "paired", "&platform=slack")] == ["slack"] * 3
    assert {one["state"] for one in paired} == {"paired"}


def test_a_search_finds_parts_of_name_label_and_id(web: WebHarness) -> None:
    """In any case; a search that finds little reads a bounded number of pages, and says where to go on."""
    web.put_listed(1, label="Straße", name="@one")
    web.put_listed(1, platform=SLACK, name="@TWO")
    session = web.session()
    assert [one["platform"] for one in _all(session, "paired", "&search=STRASSE")] == ["telegram"]
    assert [one["platform"] for one in _all(session, "paired", "&search=two")] == ["slack"]
    assert len(_all(session, "paired", "&search=0")) == 2
    assert _all(session, "paired", "&search=nobody") == []


def test_a_search_reads_a_bounded_number_of_pages(web: WebHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many contacts there are, one request asks the index a few times."""
    monkeypatch.setattr(type(web.directory).listed, "__kwdefaults__", {"cursor": "", "limit": 2})
    web.put_listed(2 * MAX_PAGES + 3)
    session = web.session()
    with web.clients["dynamodb"].counting() as calls:
        reply = session.get("/api/pairing/paired?search=nobody")
    assert calls.count("query") == MAX_PAGES
    assert reply.body["paired"] == []
    assert reply.body["cursor"]
    assert len(_all(session, "paired")) == 2 * MAX_PAGES + 3


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("cursor=x", "invalid_cursor"),
        ("cursor=telegram.x", "invalid_cursor"),
        ("cursor=telegram.%C3%A9", "invalid_cursor"),
        ("cursor=signal.", "invalid_cursor"),
        ("cursor=telegram.&platform=slack", "invalid_cursor"),
        ("cursor=" + "a" * 8000, "invalid_cursor"),
        ("cursor=telegram.WzEsIjEiXQ", None),
        ("cursor=telegram.", None),
        ("platform=signal", "invalid_input"),
        ("platform=", "invalid_input"),
        ("search=" + "a" * 65, "invalid_input"),
        ("search=%ff", "invalid_input"),
        ("search=%00", None),
        # What an event can hold, and no URL.
        ("search=\ud800", "invalid_input"),
        ("platform=\ud800", "invalid_input"),
    ],
)
def test_cursors_and_searches_of_all_kinds(web: WebHarness, query: str, reason: str | None) -> None:
    """What the list did not give out, or cannot search for, is 400 and never an error of ours."""
    reply = web.session().get(f"/api/pairing/paired?{query}")
    assert reply.status == 200 if reason is None else reply.refusal == (400, reason)


@pytest.mark.parametrize(
    "position",
    [
        *map(json.dumps, [[], ["1", "1"], [-1, "1"], [10**40, "1"], [1, "*"], [1, ""], [1, "1", "1"]]),
        pytest.param('[1,"1",' + "[" * 3000, id="deep"),
    ],
)
def test_cursors_that_nobody_gave_out_but_can_be_decoded(web: WebHarness, position: str) -> None:
    """A position that is none, beyond all numbers or nested beyond all depth is refused, and is no error of ours."""
    cursor = base64.urlsafe_b64encode(position.encode()).decode().rstrip("=")
    assert web.session().get(f"/api/pairing/paired?cursor=telegram.{cursor}").status == 400


@pytest.mark.parametrize(
    ("now", "state"), [(T0 + 1, "pending"), (T0 + TTL, "expired")], ids=["while it can be decided", "after"]
)
def test_what_became_of_somebody(web: WebHarness, now: int, state: str) -> None:
    """One contact as it counts now, never with a code; whoever never wrote is in the state none."""
    web.request("1")
    web.now = now
    session = web.session()
    record = session.get("/api/pairing/contacts/telegram/1").body["contact"]
    assert (record["state"], "code" in record) == (state, False)
    assert session.get("/api/pairing/contacts/slack/1").body["contact"]["state"] == "none"


def test_a_pairing_whose_time_is_up_has_expired(web: WebHarness) -> None:
    """It is shown as what it counts as."""
    web.put_listed(1, paired_until=T0 + 1)
    assert web.session().get("/api/pairing/contacts/telegram/0").body["contact"]["state"] == "expired"
    assert web.session().get("/api/pairing/paired").body["paired"] == []


@pytest.mark.parametrize(
    ("path", "refusal"),
    [
        ("signal/1", (400, "unknown_platform")),
        ("telegram/*", (400, "invalid_user_id")),
        ("telegram/\u0663", (400, "invalid_user_id")),
        ("telegram/" + "1" * 132, (400, "invalid_user_id")),
        ("telegram/1 2", (400, "invalid_user_id")),
        ("telegram/1\n", (400, "invalid_user_id")),
    ],
)
def test_ids_in_paths_are_taken_exactly(web: WebHarness, path: str, refusal: tuple[int, str]) -> None:
    """Security 5: what is no id is nobody's."""
    event = request_event("GET", "/", web.session().headers)
    event["rawPath"] = f"/api/pairing/contacts/{path}"
    assert web.send(event).refusal == refusal


def test_the_largest_page_fits_an_answer(web: WebHarness) -> None:
    """As many contacts as a request can list, with the longest names, stay far below the 6 MB of an answer."""
    wide = "\U0001f600" * 64
    web.put_listed(PAGE_SIZE - 1, name=wide, label=wide, decided_by=wide)
    web.put_listed(PAGE_SIZE, name=wide, label=wide, decided_by=wide, platform=SLACK)
    reply = web.session().get("/api/pairing/paired")
    assert len(reply.body["paired"]) > PAGE_SIZE
    assert len(json.dumps(reply.text)) < 1024 * 1024

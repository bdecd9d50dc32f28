"""Everybody of a platform at once, over HTTP."""

import pytest

from doorcode.errors import ForbiddenError, UnavailableError
from doorcode.pairing.contact import Contact, Platform, State
from doorcode.pairing.decisions import Desk, Order
from doorcode.pairing.transitions import Operation
from tests.harness import TELEGRAM
from tests.web.harness import WebHarness

PATH = "/api/pairing/clear-pending"


@pytest.fixture
def crowd(web: WebHarness) -> WebHarness:
    """Have three people wait on Telegram, and one on Slack."""
    for user_id in "123":
        web.request(user_id)
    web.request("U1234ABCD", platform=Platform.SLACK)
    return web


@pytest.mark.parametrize(("given", "state"), [({}, State.DENIED), ({"block": True}, State.BLOCKED)])
def test_everybody_who_waits_on_a_platform(crowd: WebHarness, given: dict[str, bool], state: State) -> None:
    """Each is denied, and blocked if wished, in the owner's name; other platforms and paired people stay."""
    crowd.decide(Operation.ADD, user_id="4")
    reply = crowd.session().post(PATH, channel="telegram", **given)
    assert reply.body == {"channel": "telegram", "cleared": ["1", "2", "3"], "failed": []}
    contacts = [crowd.room.get(TELEGRAM, user_id) for user_id in "123"]
    assert {(one.state, one.decided_by, one.decided_via) for one in contacts} == {(state, "alice@laptop", "web")}
    assert crowd.room.get(Platform.SLACK, "U1234ABCD").state is State.PENDING
    assert crowd.room.get(TELEGRAM, "4").state is State.PAIRED
    assert crowd.held_seats() == []


def test_whoever_is_let_in_meanwhile_is_not_blocked(crowd: WebHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    """Security 17: an approval that came between the list and the clearing holds; what fails is named, the rest is done."""
    decide = Desk.decide

    def meanwhile(desk: Desk, actor: object, order: Order, now: int) -> Contact:
        if order.operation is Operation.DENY and order.user_id == "2":
            decide(desk, actor, Order(operation=Operation.APPROVE, platform=TELEGRAM, user_id="2"), now)  # type: ignore[arg-type]
        if order.user_id == "3":
            raise UnavailableError("write the table", "Throttling")
        return decide(desk, actor, order, now)  # type: ignore[arg-type]

    monkeypatch.setattr(Desk, "decide", meanwhile)
    reply = crowd.session().post(PATH, channel="telegram", block=True)
    assert reply.body == {"channel": "telegram", "cleared": ["1"], "failed": ["3"]}
    assert [crowd.room.get(TELEGRAM, user_id).state for user_id in "123"] == ["blocked", "paired", "pending"]


def test_with_a_closed_desk_nobody_is_turned_away(crowd: WebHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    """Security 19: it asks the desk; when that refuses, nothing has moved."""

    def closed(*_: object) -> None:
        raise ForbiddenError("The desk is closed.")

    session = crowd.session()
    before = crowd.items()
    monkeypatch.setattr(Desk, "decide", closed)
    assert session.post(PATH, channel="telegram").refusal == (403, "forbidden")
    assert crowd.items() == before


def test_everybody_who_is_paired_on_a_platform(crowd: WebHarness) -> None:
    """A page is revoked with each request, in the owner's name; other platforms, the blocked and those who wait stay."""
    crowd.decide(Operation.ADD, user_id="7")
    crowd.decide(Operation.ADD, user_id="8", until=crowd.now + 60)
    crowd.decide(Operation.ADD, platform=Platform.SLACK, user_id="U1234ABCE")
    crowd.decide(Operation.BLOCK, user_id="3")
    session = crowd.session()
    reply = session.post("/api/pairing/clear", channel="telegram")
    assert (reply.status, sorted(reply.body["revoked"])) == (200, ["7", "8"])
    assert (reply.body["failed"], reply.body["cursor"]) == ([], "")
    contact = crowd.room.get(TELEGRAM, "7")
    assert (contact.state, contact.decided_by, contact.decided_via) == (State.REVOKED, "alice@laptop", "web")
    assert [crowd.room.get(TELEGRAM, user_id).state for user_id in "123"] == ["pending", "pending", "blocked"]
    assert crowd.room.get(Platform.SLACK, "U1234ABCE").state is State.PAIRED
    # Where it goes on is what the page before gave.
    assert session.post("/api/pairing/clear", channel="telegram", cursor="x").refusal == (400, "invalid_cursor")

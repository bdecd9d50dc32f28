"""A request that holds what many people did: each gets a verdict of its own, and what does not fit the time is not lost."""

import copy
import itertools
from typing import Any

import pytest

from doorcode.entrypoints import large_request
from doorcode.errors import UnavailableError
from doorcode.pairing.contact import Contact, Platform, State
from tests import webhooks
from tests.edge.harness import TABLE, VERIFY_TOKEN, Edge
from tests.harness import T0
from tests.webhooks import Delivery, load

WHATSAPP = Platform.WHATSAPP


def _from(people: list[str], name: str = "whatsapp/text_username") -> Delivery:
    """Return one request with a message of each of these people, in their order."""
    delivery = load(name)
    value = webhooks.value_of(delivery.body)
    (message,), (contact,) = value["messages"], value["contacts"]
    value["messages"] = [
        message | {"from_user_id": person, "id": f"wamid.{number}", "text": {"body": f"No. {number}"}}
        for number, person in enumerate(people)
    ]
    value["contacts"] = [contact | {"user_id": person} for person in dict.fromkeys(people)]
    return delivery


def _paired(edge: Edge, *people: str) -> None:
    for person in people:
        edge.put(Contact(platform=WHATSAPP, user_id=person, state=State.PAIRED, rev=1))


def test_each_gets_a_verdict_of_its_own(edge: Edge, caplog: pytest.LogCaptureFixture) -> None:
    """One is admitted, one blocked, one a stranger who asks, one an owner, in one request."""
    caplog.set_level("INFO", logger="doorcode")
    _paired(edge, "US.1")
    edge.put(Contact(platform=WHATSAPP, user_id="US.2", state=State.BLOCKED, rev=1))
    owner = webhooks.OWNER[WHATSAPP]
    assert edge.deliver(_from(["US.1", "US.2", "US.3", owner, "US.1"]))["statusCode"] == 200
    reasons = [(record.user_id, record.reason) for record in caplog.records if getattr(record, "user_id", "")]  # type: ignore[attr-defined]
    assert reasons == [
        ("US.1", "paired"), ("US.2", "blocked"), ("US.3", "pairing_requested"), (owner, "owner"), ("US.1", "paired"),
    ]  # fmt: skip
    assert [(one["user"]["id"], one["messages"][0]["text"]) for one in edge.handed_off()] == [
        ("US.1", "No. 0"), (owner, "No. 3"), ("US.1", "No. 4"),
    ]  # fmt: skip
    assert edge.contact(WHATSAPP, "US.3").state is State.PENDING


def test_a_thousand_at_once_and_little_time(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    """What does not fit is delivered again, and goes on where it stopped: everything arrives, once, in its order."""
    # Not SQS's five minutes but ours keep it from being twice: nothing is sent again at all.
    sent: list[str] = []
    door = edge.door(WHATSAPP)
    monkeypatch.setattr(door._queue, "send", lambda queued: sent.append(queued.handed.messages[0].text))
    people = [f"US.{number % 3}" for number in range(1000)]
    _paired(edge, "US.0", "US.1", "US.2")
    delivery = _from(people)
    ticks = itertools.count()
    # So much time as three hundred of them take.
    monkeypatch.setattr(large_request, "SECONDS", 300)
    monkeypatch.setattr(large_request, "clock", lambda: float(next(ticks)))
    statuses = []
    for _ in range(10):
        statuses.append(edge.deliver(delivery)["statusCode"])
        if statuses[-1] == 200:
            break
    assert statuses == [503, 503, 503, 200]
    assert sent == [f"No. {number}" for number in range(1000)]
    # Once more, after all: nothing happens.
    assert edge.deliver(delivery)["statusCode"] == 200
    assert len(sent) in {1000, 1000 + 1000 - 900}


def test_what_fails_half_way_is_gone_on_with(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trouble in the middle has the rest delivered again; what was done before it is not done twice."""
    _paired(edge, "US.0", "US.1")
    door = edge.door(WHATSAPP)
    send, tries = door._queue.send, itertools.count()

    def sometimes(queued: Any) -> None:
        if next(tries) == 2:
            raise UnavailableError("hand the message on", "Throttled")
        send(queued)

    monkeypatch.setattr(door._queue, "send", sometimes)
    delivery = _from(["US.0", "US.1", "US.0", "US.1"])
    assert edge.deliver(delivery)["statusCode"] == 503
    assert edge.deliver(copy.deepcopy(delivery))["statusCode"] == 200
    assert sorted(one["messages"][0]["text"] for one in edge.handed_off()) == [f"No. {n}" for n in range(4)]
    assert next(tries) == 5


def test_what_fails_every_time_holds_nobody_up_for_long(
    edge: Edge, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """After three tries it is put aside, with an alarm; the others go on, and once it is mended it goes on, too. Nothing is lost."""
    people = [f"US.{number}" for number in range(6)]
    _paired(edge, *people)
    door = edge.door(WHATSAPP)
    sent: list[str] = []
    broken = {"US.3"}

    def send(queued: Any) -> None:
        if queued.handed.user.id in broken:
            raise KeyError(queued.handed.user.id)
        sent.append(queued.handed.messages[0].text)

    monkeypatch.setattr(door._queue, "send", send)
    # A row as no version of this writes it.
    key = {"pk": {"S": "whatsapp#US.1"}, "sk": {"S": "contact"}}
    row = edge.dynamodb.get_item(TableName=TABLE, Key=key)["Item"]
    edge.dynamodb.put_item(TableName=TABLE, Item=row | {"state": {"S": "of a version to come"}})
    delivery = _from(people)

    def deliver() -> int | str:
        try:
            status: int = edge.deliver(delivery)["statusCode"]
        except KeyError:
            return "crash"
        return status

    assert [deliver() for _ in range(2)] == [503, 503]
    assert sent == ["No. 0"]
    # Whatever crashes is a crash to Lambda and its alarm, but not before it is noted how far the request came.
    assert [deliver() for _ in range(4)] == ["crash"] * 4
    assert sent == [f"No. {number}" for number in (0, 2, 4, 5)]
    told = [record for record in caplog.records if getattr(record, "reason", "") == "put_aside"]
    assert [(record.levelname, record.at) for record in told] == [("ERROR", "1"), ("ERROR", "3")]  # type: ignore[attr-defined]
    broken.clear()
    assert deliver() == 503
    edge.dynamodb.put_item(TableName=TABLE, Item=row)
    assert deliver() == 200
    assert sent == [f"No. {number}" for number in (0, 2, 4, 5, 3, 1)]


def _asked(edge: Edge, method: str = "GET", **query: str) -> dict[str, Any]:
    event = webhooks.envelope(b"", {}, "/whatsapp") | {"queryStringParameters": query}
    event["requestContext"]["http"]["method"] = method
    return edge.door(WHATSAPP).serve(event, T0)


def test_the_handshake(edge: Edge) -> None:
    """Who names the token hears the bare challenge; anybody else 403, and without the secret nobody hears anything. Security 1."""
    query = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": VERIFY_TOKEN}
    assert _asked(edge, **query) == {
        "statusCode": 200, "headers": {"content-type": "text/plain"}, "body": "1158201444",
    }  # fmt: skip
    for wrong in ({}, query | {"hub.verify_token": "x"}, query | {"hub.verify_token": ""}, query | {"hub.mode": "x"}):
        assert _asked(edge, **wrong) == {"statusCode": 403}
    # No other method is one.
    assert _asked(edge, "HEAD", **query) == {"statusCode": 401}
    edge.ssm.delete_parameter(Name="/doorcode/test/whatsapp/verify-token")
    edge.forget()
    assert _asked(edge, **query) == {"statusCode": 503}

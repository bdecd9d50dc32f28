"""AWS failing, in each call of each path: the status that the platform needs, nothing half done, and then one effect."""

import itertools
from typing import Any

import pytest

from doorcode.aws.client.errors import NoAnswerError, ServiceError
from doorcode.entrypoints import follow_up
from doorcode.pairing.contact import Contact, Platform, State
from doorcode.pairing.texts import WENT_WRONG
from doorcode.wiring import edge as wiring
from tests.edge.harness import Edge, body_of
from tests.harness import T0
from tests.webhooks import HELLO, STRANGER, Delivery, load

EACH = pytest.mark.parametrize("platform", list(Platform))
FAILURES: dict[str, Exception] = {
    "throttled": ServiceError("Operation", {"Error": {"Code": "ThrottlingException"}}),
    "timing out": NoAnswerError("TimeoutError", sent=True),
    "refusing": ServiceError("Operation", {"Error": {"Code": "AccessDeniedException"}}),
}
PAIRED, ALLOWED, STRANGERS, PRESSED = "paired", "allowed", "stranger", "press"


def _failing(*ways: tuple[str, ...]) -> list[Any]:
    """Fail in each of these ways on every platform, and in every manner: its manner is nothing that a platform's code sees."""
    return [
        pytest.param(*way, platform, FAILURES[manner], id="-".join([*way, platform, manner]))
        for turn, way in enumerate(ways or [()])
        for platform, manner in zip(Platform, itertools.islice(itertools.cycle(FAILURES), turn % 3, None), strict=False)
    ]


EACH_FAILING = pytest.mark.parametrize(("platform", "failure"), _failing())


def scene(edge: Edge, platform: Platform, path: str) -> tuple[Delivery, dict[str, str]]:
    """Prepare a path through the edge; return the delivery that takes it, and the settings."""
    if path == PAIRED:
        edge.put(Contact(platform=platform, user_id=STRANGER[platform], state=State.PAIRED, rev=1))
    if path == PRESSED:
        edge.deliver(load(HELLO[platform]))
        return edge.press(edge.contact(platform)), {}
    return load(HELLO[platform]), {"UNKNOWN_USER_POLICY": "allow"} if path == ALLOWED else {}


def breaks(edge: Edge, service: str, call: str, failure: Exception) -> None:
    """Let one call fail for ever; pauses between retries take no time."""

    def hook(name: str) -> None:
        if name == call:
            raise failure

    edge.clients[service].before = hook


def mends(edge: Edge) -> None:
    """Let everything work again."""
    for client in edge.clients.values():
        client.before = client.after = lambda _: None


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give up after a few tries instead of a second of them."""
    monkeypatch.setattr("doorcode.aws.retrying.FIRST_PAUSE_SECONDS", 0.001)
    monkeypatch.setattr("doorcode.wiring.edge.EDGE_PATIENCE_SECONDS", 0.1)


def failed(platform: Platform, response: dict[str, Any]) -> bool:
    """Tell whether the platform was told to deliver again, or, on Discord, the person to try again."""
    if platform is Platform.DISCORD:
        return bool(response["statusCode"] == 200 and body_of(response)["data"].get("content") == WENT_WRONG)
    return bool(response["statusCode"] == 503)


@pytest.mark.parametrize(
    ("path", "service", "call", "platform", "failure"),
    _failing(
        (STRANGERS, "dynamodb", "get_item"),
        (PAIRED, "dynamodb", "get_item"),
        (PAIRED, "sqs", "send_message"),
        (ALLOWED, "dynamodb", "update_item"),
        (ALLOWED, "sqs", "send_message"),
        (PRESSED, "dynamodb", "get_item"),
        (PRESSED, "dynamodb", "transact_write_items"),
    ),
)
def test_what_must_not_be_lost_is_delivered_again(  # noqa: PLR0913, PLR0917 (one scene, in each of its ways)
    edge: Edge, platform: Platform, path: str, service: str, call: str, failure: Exception
) -> None:
    """When the contact cannot be read or the hand-off fails, the platform delivers again, and then it has one effect."""
    delivery, settings = scene(edge, platform, path)
    before = edge.items()
    breaks(edge, service, call, failure)
    assert failed(platform, edge.deliver(delivery, **settings))
    if call != "send_message" or path != ALLOWED:  # the budget counts what was tried
        assert edge.items() == before
    assert edge.handed_off() == []
    mends(edge)
    assert not failed(platform, edge.deliver(delivery, **settings))
    if path == PRESSED:
        assert (edge.contact(platform).state, edge.contact(platform).rev) == (State.PAIRED, 2)
    elif path == STRANGERS:
        assert edge.contact(platform).rev == 1
    else:
        assert len(edge.handed_off()) == 1


@pytest.mark.parametrize(("call", "platform", "failure"), _failing(("query",), ("transact_write_items",)))
def test_trouble_with_the_seats_is_a_full_room(
    edge: Edge, platform: Platform, call: str, failure: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    """Security 26: a waiting room that cannot be asked turns strangers away with 200, and paired people do not notice."""
    breaks(edge, "dynamodb", call, failure)
    assert edge.deliver(load(HELLO[platform]))["statusCode"] == 200
    assert getattr(caplog.records[-1], "reason", "") == "waiting_room_full"
    assert edge.items() == []
    edge.put(Contact(platform=platform, user_id=STRANGER[platform], state=State.PAIRED, rev=1))
    edge.deliver(load(HELLO[platform]).another(1))
    assert len(edge.handed_off()) == 1


@EACH_FAILING
def test_the_next_delivery_after_trouble_gets_its_seat(edge: Edge, platform: Platform, failure: Exception) -> None:
    """Two seconds after the trouble the same delivery makes its request, once."""
    breaks(edge, "dynamodb", "transact_write_items", failure)
    edge.deliver(load(HELLO[platform]))
    mends(edge)
    edge.deliver(load(HELLO[platform]), T0 + 2)
    assert (edge.contact(platform).state, edge.contact(platform).rev) == (State.PENDING, 1)


@EACH_FAILING
def test_without_its_secrets_a_cold_door_is_closed(edge: Edge, platform: Platform, failure: Exception) -> None:
    """Security 1: when the secrets cannot be read nothing is accepted: 503, and the next delivery succeeds."""
    breaks(edge, "ssm", "get_parameters", failure)
    assert edge.deliver(load(HELLO[platform])) == {"statusCode": 503}
    assert edge.items() == []
    mends(edge)
    assert edge.deliver(load(HELLO[platform]), T0 + 2)["statusCode"] == 200


@EACH_FAILING
def test_a_warm_door_goes_on_without_parameter_store(edge: Edge, platform: Platform, failure: Exception) -> None:
    """Security 30: a failed refresh keeps the secrets that were read, for an hour past their age; then it is closed."""
    edge.deliver(load(HELLO[platform]))
    breaks(edge, "ssm", "get_parameters", failure)
    assert edge.deliver(load(HELLO[platform]).another(1), T0 + 900)["statusCode"] == 200
    assert edge.contact(platform).rev == 2
    before = edge.items()
    assert edge.deliver(load(HELLO[platform]).another(2), T0 + 300 + 3600) == {"statusCode": 503}
    assert edge.items() == before


@EACH
def test_a_lost_answer_to_a_request_is_answered_as_if_it_had_come(edge: Edge, platform: Platform) -> None:
    """A request that was written although its answer was lost is one request, and the person is told."""
    expected = edge.deliver(load(HELLO[platform]))
    edge.clear()
    lose_once(edge, "dynamodb", "transact_write_items")
    assert edge.deliver(load(HELLO[platform])) == expected
    assert edge.contact(platform).rev == 1


@EACH
def test_a_lost_answer_to_a_press_is_still_a_decision(edge: Edge, platform: Platform) -> None:
    """Security 17: the owner whose own write was retried is not told that somebody else was first."""
    edge.deliver(load(HELLO[platform]))
    press = edge.press(edge.contact(platform))
    lose_once(edge, "dynamodb", "transact_write_items")
    response = edge.deliver(press)
    assert edge.contact(platform).state is State.PAIRED
    assert "Already" not in str(response)
    assert edge.calls_made == []


@EACH
def test_an_answer_lost_for_good_is_not_a_full_room(edge: Edge, platform: Platform) -> None:
    """A request that was written, while every answer was lost, is answered as a request: the contact tells it was ours."""
    expected = edge.deliver(load(HELLO[platform]))
    edge.clear()

    def lose(name: str) -> None:
        if name == "transact_write_items":
            edge.clients["dynamodb"].before = lose_before
            raise FAILURES["timing out"]

    def lose_before(name: str) -> None:
        if name == "transact_write_items":
            raise FAILURES["timing out"]

    edge.clients["dynamodb"].after = lose
    assert edge.deliver(load(HELLO[platform])) == expected
    assert edge.contact(platform).rev == 1


@EACH
def test_a_doubt_that_cannot_be_cleared_is_delivered_again(edge: Edge, platform: Platform) -> None:
    """When it cannot even be read whether the request was written, the platform delivers again, and gets the answer."""
    expected = edge.deliver(load(HELLO[platform]))
    edge.clear()
    reads = 0

    def hook(name: str) -> None:
        nonlocal reads
        reads += name == "get_item"
        if name == "transact_write_items" or reads > 1:
            raise FAILURES["timing out"]

    edge.clients["dynamodb"].before = hook
    assert failed(platform, edge.deliver(load(HELLO[platform])))
    mends(edge)
    assert edge.deliver(load(HELLO[platform]), T0 + 2) == expected


@EACH
def test_a_code_whose_secret_was_dropped_is_not_told(edge: Edge, platform: Platform) -> None:
    """Security 30: with no owner, and the secret of the pending code dropped, the answer is silence, never 503 for hours."""
    edge.deliver(load(HELLO[platform]), OWNER_USER_IDS="")
    edge.put_secret("gateway-secret", "another")
    edge.forget()
    for delivery in (load(HELLO[platform]), load(HELLO[platform]).another(1)):
        response = edge.deliver(delivery, T0 + 5, OWNER_USER_IDS="")
        assert response["statusCode"] == 200
        assert "pairing code" not in str(response)
        if response.get("body"):
            assert not failed(platform, response)


@EACH
def test_a_request_whose_time_is_over_asks_nothing_more(
    edge: Edge, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every request begins a deadline for all its calls of AWS together: cold secrets, slow tables and the queue."""
    edge.put(Contact(platform=platform, user_id=STRANGER[platform], state=State.PAIRED, rev=1))
    edge.deliver(load(HELLO[platform]))
    assert len(edge.handed_off()) == 1
    monkeypatch.setattr("doorcode.wiring.edge.REQUEST_SECONDS", 0.0)
    edge.forget()
    assert edge.deliver(load(HELLO[platform])) == {"statusCode": 503}
    monkeypatch.setattr("doorcode.wiring.edge.REQUEST_SECONDS", 60.0)
    edge.forget()
    edge.deliver(load(HELLO[platform]).another(1))
    assert len(edge.handed_off()) == 1


def test_three_seconds_are_enough_for_everything() -> None:
    """What AWS and the one call to a platform may take together is less than the platforms wait for."""
    assert wiring.REQUEST_SECONDS + follow_up.TIMEOUT_SECONDS < 3


def lose_once(edge: Edge, service: str, call: str) -> None:
    """Let one call succeed while its answer is lost."""

    def hook(name: str) -> None:
        if name == call:
            edge.clients[service].after = lambda _: None
            raise FAILURES["timing out"]

    edge.clients[service].after = hook


def test_a_bug_is_raised(edge: Edge) -> None:
    """What no service said is a bug: it is not answered with 200."""
    edge.put(Contact(platform=Platform.TELEGRAM, user_id=STRANGER[Platform.TELEGRAM], state=State.PAIRED, rev=1))
    breaks(edge, "sqs", "send_message", KeyError("bug"))
    with pytest.raises(KeyError):
        edge.deliver(load(HELLO[Platform.TELEGRAM]))

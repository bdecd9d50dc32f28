"""Whether something may have been done although nobody said so: from the first lost answer on, whatever follows."""

from typing import Any

import pytest

from doorcode.aws.client.dynamodb import DynamoDB
from doorcode.aws.client.errors import TransportError
from doorcode.aws.retrying import FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, Retrying
from doorcode.aws.table import ConditionError, Table
from doorcode.errors import UnavailableError
from tests.unit.aws.client.peer import Peer, Script, Talk, answering, refusal, serving

LOST = refusal("ConditionalCheckFailedException", Item={"pk": {"S": "1"}})


def hangs_up(talk: Talk) -> None:
    """Carry out the request, as far as anybody knows, and end."""
    talk.hear()


def write(peer: Peer, seconds: float = 30.0) -> None:
    """Write conditionally, and lose no time by asking again."""
    client: Any = DynamoDB(peer.service())
    table = Table(client, "t", transport_errors=(TransportError,), patience=seconds, deadline=peer.deadline)
    table._retrying.sleep = lambda _: None
    table.update("1", "contact", UpdateExpression="SET a = :a")


@pytest.mark.parametrize(
    "scripts",
    [
        [answering(refusal("InternalServerError", 500), LOST)],
        [answering(refusal("Whatever", 503), refusal("ThrottlingException"), LOST)],
        [hangs_up, answering(refusal("ThrottlingException"), LOST)],
    ],
    ids=["broken", "broken, then throttled", "hung up, then throttled"],
)
def test_what_a_service_does_not_know_it_may_have_done(scripts: list[Script]) -> None:
    """Security 17: an error of the service's own leaves the doubt that a lost answer leaves, and neither is forgotten."""
    with serving(*scripts) as peer, pytest.raises(ConditionError) as lost:
        write(peer)
    assert lost.value.in_doubt


def test_doubt_outlives_a_service_that_nobody_reaches_any_more() -> None:
    """That the last try was never sent does not take back the first."""
    tries = 0

    def call() -> None:
        nonlocal tries
        tries += 1
        raise TransportError("broken", sent=tries == 1)

    pauses = iter([0.0, 0.0, 100.0])
    now = 0.0

    def sleep(_: float) -> None:
        nonlocal now
        now += next(pauses)

    retrying = Retrying(10, transport_errors=(TransportError,), sleep=sleep)
    retrying.deadline.clock = lambda: now
    with pytest.raises(UnavailableError) as refused:
        retrying.ask("write", call)
    assert refused.value.in_doubt
    assert tries == 4


def test_pauses_are_spread() -> None:
    """Full jitter: anything from nothing to a bound that doubles up to half a second, so that a crowd comes apart."""
    pauses: list[float] = []
    retrying = Retrying(1e9, sleep=pauses.append)
    bounds = [min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2**number) for number in range(60)]
    assert all(retrying.pause(number, 1e9) for number in range(1, 61))
    shares = [pause / bound for pause, bound in zip(pauses, bounds, strict=True)]
    assert 0 <= min(shares) < 0.5 < max(shares) <= 1

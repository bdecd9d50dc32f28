"""Signatures and the time: refused for it once, right from then on, and never sent again for anything else."""

import calendar
import time
from email.utils import formatdate

import pytest

from doorcode.aws.client.clock import ServiceClock
from doorcode.aws.client.errors import ServiceError
from tests.cases import each
from tests.unit.aws.client.peer import Request, Talk, answer, answering, faithful, refusal, serving

NOW = 1_800_000_000


def signed_at(request: Request) -> int:
    """Return when a request was signed."""
    return calendar.timegm(time.strptime(request.headers["x-amz-date"], "%Y%m%dT%H%M%SZ"))


def date(seconds: float) -> dict[str, str]:
    """Return the header of an answer given at that time."""
    return {"Date": formatdate(seconds, usegmt=True)}


@each("skew", [-86400, -600, -301, 301, 900, 400 * 86400])
def test_a_wrong_clock_is_corrected_by_the_service_s(skew: int) -> None:
    """A request refused for its time is signed anew, once; those that follow are right at once."""
    late = refusal("InvalidSignatureException", headers=date(NOW))
    with serving(answering(late, answer(), answer())) as peer:
        service = peer.service(clock=ServiceClock(lambda: NOW + skew))
        service.call("UpdateItem", {"a": 1})
        service.call("GetItem", {})
        assert [signed_at(request) - NOW for request in peer.requests] == [skew, 0, 0]
        assert [request.body for request in peer.requests] == [{"a": 1}, {"a": 1}, {}]


def test_a_clock_that_stood_still_was_right() -> None:
    """Frozen between signing and sending: the time was right, and is right again."""
    now = float(NOW - 3600)

    def thaws(talk: Talk) -> None:
        nonlocal now
        talk.hear()
        now = NOW
        talk.say(refusal("InvalidSignatureException", headers=date(NOW)))
        faithful(talk)

    with serving(thaws) as peer:
        peer.service(clock=ServiceClock(lambda: now)).call("GetItem", {})
        assert [signed_at(request) - NOW for request in peer.requests] == [-3600, 0]


@each(
    "said",
    [
        refusal("InvalidSignatureException", headers=date(NOW)),
        refusal("InvalidSignatureException", headers=date(NOW + 200)),
        refusal("InvalidSignatureException"),
        refusal("InvalidSignatureException", headers={"Date": "yesterday"}),
        refusal("InvalidSignatureException", headers={"Date": "Mon, 99 Jan 9999999999 00:00:00 GMT"}),
        refusal("ConditionalCheckFailedException", headers=date(NOW + 3600)),
        refusal("InternalServerError", 500, headers=date(NOW + 3600)),
        refusal("ExpiredTokenException", headers=date(NOW + 3600)),
    ],
    ids=["wrong key", "nearly right", "no date", "not a date", "absurd date", "condition", "broken", "expired token"],
)
def test_whatever_else_is_refused_is_not_sent_again(said: bytes) -> None:
    """Only a signature that was made at another time than the service's is worth another one."""
    with serving(answering(said, answer())) as peer:
        with pytest.raises(ServiceError):
            peer.service(clock=ServiceClock(lambda: NOW)).call("UpdateItem", {})
        assert len(peer.requests) == 1


def test_a_service_whose_clock_runs_away_is_not_followed_for_ever() -> None:
    """Refused a second time, it is refused."""
    says = [refusal("InvalidSignatureException", headers=date(NOW + n * 3600)) for n in range(1, 9)]
    with serving(answering(*says)) as peer:
        with pytest.raises(ServiceError):
            peer.service(clock=ServiceClock(lambda: NOW)).call("UpdateItem", {})
        assert len(peer.requests) == 2

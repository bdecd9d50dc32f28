"""The client and the retrying together: what breaks is asked again, by the same words, and never done twice."""

from typing import Any

import pytest

from doorcode.aws.agent_queue import AgentQueue
from doorcode.aws.client.dynamodb import DynamoDB
from doorcode.aws.client.errors import TransportError
from doorcode.aws.client.sqs import Sqs
from doorcode.aws.client.ssm import Ssm
from doorcode.aws.retrying import Retrying
from doorcode.aws.secrets import SecretStore
from doorcode.aws.table import ConditionError, Table
from doorcode.errors import UnavailableError, UnreadableSecretError
from doorcode.pairing.contact import Platform
from doorcode.pairing.gate import Reason
from doorcode.pairing.hand_off import hand_off, queued
from doorcode.pairing.messages import ChatType, Message
from tests.cases import each
from tests.unit.aws.client.peer import HASTY, Peer, Script, Talk, answer, answering, faithful, refusal, serving

MESSAGE = Message(
    platform=Platform.TELEGRAM, user_id="1", delivery_id="1", chat_type=ChatType.DIRECT, chat="1", reply="{}"
)
PART = ("Update", {"Key": {"pk": {"S": "1"}}})


def hangs_up(talk: Talk) -> None:
    """Carry out the request, as far as anybody knows, and end."""
    talk.hear()


def says_nonsense(talk: Talk) -> None:
    """Carry out the request and answer something else."""
    talk.hear()
    talk.say(answer(b"<html>"))


def cancelled(*codes: str) -> bytes:
    """Write the refusal of a transaction for these reasons."""
    return refusal("TransactionCanceledException", CancellationReasons=[{"Code": code} for code in codes])


PASSING: dict[str, Script] = {
    "hung up": hangs_up,
    "nonsense": says_nonsense,
    "throttled": answering(refusal("ThrottlingException")),
    "broken": answering(refusal("InternalServerError", 500)),
    "broken, in HTML": answering(answer(b"<html>", 502)),
    "too many": answering(answer({}, 429)),
    "conflict": answering(cancelled("None", "TransactionConflict")),
    "throttled transaction": answering(cancelled("ThrottlingError", "TransactionConflict")),
}
FINAL: dict[str, bytes] = {
    "expired token": refusal("ExpiredTokenException"),
    "wrong key": refusal("InvalidSignatureException"),
    "forbidden": refusal("AccessDeniedException"),
    "redirect": answer({}, 301, {"Location": "https://example.com/"}),
    "invalid transaction": cancelled("ValidationError", "TransactionConflict"),
}


def retrying(peer: Peer, seconds: float = 30.0) -> Retrying:
    """Be patient, and lose no time by it."""
    return Retrying(seconds, transport_errors=(TransportError,), deadline=peer.deadline, sleep=lambda _: None)


def table(peer: Peer, seconds: float = 30.0) -> Table:
    """Give a table at that peer."""
    client: Any = DynamoDB(peer.service())
    made = Table(client, "t", transport_errors=(TransportError,), patience=seconds, deadline=peer.deadline)
    made._retrying.sleep = lambda _: None
    return made


@each("script", PASSING.values(), ids=PASSING)
def test_a_transaction_is_asked_again_with_its_token(script: Script) -> None:
    """However often it is sent: one token, so one write."""
    with serving(script, script, faithful) as peer:
        table(peer).transact([PART], "the token")
        assert [request.body for request in peer.requests] == [peer.requests[0].body] * 3
        assert peer.requests[0].body["ClientRequestToken"] == "the token"


@each("script", PASSING.values(), ids=PASSING)
def test_a_message_is_sent_again_with_its_id(script: Script) -> None:
    """However often it is sent: one deduplication id, so one message."""
    with serving(script, script, faithful) as peer:
        AgentQueue(Sqs(peer.service()), "http://q", retrying(peer)).send(
            queued(MESSAGE, hand_off(MESSAGE, Reason.PAIRED, ""))
        )
        assert [request.body for request in peer.requests] == [peer.requests[0].body] * 3
        assert peer.requests[0].body["MessageDeduplicationId"] == "telegram#1"


@each("script", PASSING.values(), ids=PASSING)
def test_secrets_are_read_again(script: Script) -> None:
    """A cold start in a crowd of them is throttled, and opens all the same."""
    found = {"Parameters": [{"Name": "/d/gateway-secret", "Value": "s"}]}
    with serving(script, answering(answer(found))) as peer:
        store = SecretStore(Ssm(peer.service()), "/d", ["gateway-secret"], max_age=300, retrying=retrying(peer))
        assert store.keyring("gateway-secret", 1).secrets == (b"s",)
        assert len(peer.requests) == 2


@each("said", FINAL.values(), ids=FINAL)
def test_what_does_not_pass_is_asked_once(said: bytes) -> None:
    """A refusal is final, whoever is asked: nothing is sent again, and nothing is in doubt."""
    with serving(answering(said), faithful) as peer:
        with pytest.raises(UnavailableError) as refused:
            table(peer).transact([PART], "the token")
        assert not refused.value.in_doubt
        assert len(peer.requests) == 1


LOST = refusal("ConditionalCheckFailedException", Item={"pk": {"S": "1"}})


@pytest.mark.parametrize(
    ("scripts", "in_doubt"),
    [
        ([hangs_up, answering(LOST)], True),
        ([says_nonsense, answering(LOST)], True),
        ([answering(refusal("ThrottlingException"), LOST)], False),
    ],
    ids=["hung up", "nonsense", "throttled"],
)
def test_a_lost_condition_knows_whether_it_may_have_been_lost_to_itself(scripts: list[Script], in_doubt: bool) -> None:
    """Security 17: only after an answer that was lost can a condition's own write stand in its way."""
    with serving(*scripts) as peer:
        with pytest.raises(ConditionError) as condition:
            table(peer).update("1", "contact", UpdateExpression="SET a = :a")
        assert condition.value.in_doubt is in_doubt
        assert condition.value.lost == {0: {"pk": {"S": "1"}}}


def test_nothing_is_in_doubt_that_was_never_sent() -> None:
    """A service that nobody reaches has done nothing."""
    with serving(faithful) as peer:
        unreachable = table(peer, 0)
    with pytest.raises(UnavailableError) as refused:
        unreachable.transact([PART], "the token")
    assert not refused.value.in_doubt


def test_a_request_s_calls_have_one_deadline() -> None:
    """Slow secrets leave less for a slow table: what is not over in time is told, and nothing is asked after it."""

    def is_silent(talk: Talk) -> None:
        talk.hear()
        talk.over.wait()

    with serving(is_silent) as slow, serving(faithful) as quick:
        quick.deadline = slow.deadline
        store = SecretStore(Ssm(slow.service()), "/d", ["gateway-secret"], max_age=300, retrying=retrying(slow))
        slow.deadline.start(HASTY)
        with pytest.raises(UnreadableSecretError, match="NoAnswerError"):
            store.keyring("gateway-secret", 1)
        with pytest.raises(UnavailableError, match="ConnectError") as refused:
            table(quick).transact([PART], "the token")
        assert not refused.value.in_doubt
        assert quick.requests == []

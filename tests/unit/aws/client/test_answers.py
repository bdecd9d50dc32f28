"""What a service may say, and what the client makes of it."""

from typing import Any

import pytest

from doorcode.aws.client import answer as answer_module
from doorcode.aws.client.errors import BadAnswerError, ServiceError, TransportError
from tests.cases import each
from tests.unit.aws.client.peer import Script, Talk, answer, answering, faithful, refusal, serving

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


def endless(talk: Talk) -> None:
    """Send chunks until nobody listens."""
    talk.hear()
    talk.say(CHUNKED)
    while True:
        talk.say(b"10000\r\n" + b" " * 0x10000 + b"\r\n")


UNUSABLE: dict[str, Script] = {
    "not JSON": answering(answer(b"<html>")),
    "empty": answering(answer(b"")),
    "a list": answering(answer([])),
    "a number": answering(answer(1)),
    "cut off": answering(answer(b'{"Item": {"pk"')),
    "two in one": answering(answer(b"{}{}")),
    "not UTF-8": answering(answer(b'{"a": "\xff"}')),
    "very deep": answering(answer(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}")),
    "damaged": answering(answer({"Item": {}}, headers={"x-amz-crc32": "1"})),
    "a checksum that is none": answering(answer({"Item": {}}, headers={"x-amz-crc32": "²"})),
    "of unknown length": answering(HEAD + b"\r\n{}"),
    "of negative length": answering(answer({}, headers={"Content-Length": "-1"})),
    "of a length that is no number": answering(answer({}, headers={"Content-Length": "2, 2"})),
    "too short a length": answering(answer({"Item": {}}, headers={"Content-Length": "3"})),
    "whole to look at, and not to its end": answering(HEAD + b"Content-Length: 3\r\n\r\n{}"),
    "too long to begin with": answering(answer({}, headers={"Content-Length": str(1 << 40)})),
    "a bad chunk": answering(CHUNKED + b"zz\r\n{}\r\n0\r\n\r\n"),
    "too many headers": answering(HEAD + b"".join(b"X-%d: 1\r\n" % n for n in range(200)) + b"\r\n{}"),
    "a header without end": answering(HEAD + b"X: " + b"x" * 100_000 + b"\r\n\r\n{}"),
    "another protocol": answering(b"HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\n{}"),
    "two lengths": answering(HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} "),
    "two ways of its length": answering(
        HEAD + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
    ),
    "a coding that is unknown": answering(HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"),
    "a header without a name": answering(HEAD + b": 1\r\nContent-Length: 2\r\n\r\n{}"),
    "a folded header": answering(HEAD + b"X: 1\r\n 2: 3\r\nContent-Length: 2\r\n\r\n{}"),
    "a line that ends otherwise": answering(HEAD + b"Content-Length: 2\n\r\n{}"),
    "a line that ends otherwise, and others as they should": answering(
        HEAD + b"X: 1\nY: 2\r\nContent-Length: 2\r\n\r\n{}"
    ),
    "a chunk longer than it says": answering(CHUNKED + b"2\r\n{} \r\n0\r\n\r\n"),
    "a chunk of negative length": answering(CHUNKED + b"-2\r\n{}\r\n0\r\n\r\n"),
    "a length with a sign": answering(HEAD + b"Content-Length: +2\r\n\r\n{}"),
    "a length of many digits": answering(HEAD + b"Content-Length: " + b"0" * 5000 + b"2\r\n\r\n{}"),
    "switching": answering(b"HTTP/1.1 101 Switching Protocols\r\n\r\n" + answer({})),
    "a status that is none": answering(b"HTTP/1.1 abc OK\r\nContent-Length: 2\r\n\r\n{}"),
}


@each("script", UNUSABLE.values(), ids=UNUSABLE)
def test_what_cannot_be_used_is_no_answer(script: Script) -> None:
    """It is reported as an answer that did not come, with the doubt that leaves; the next request is not harmed by it."""
    with serving(script, faithful) as peer:
        service = peer.service()
        with pytest.raises(TransportError) as bad:
            service.call("GetItem", {})
        assert bad.value.sent
        assert len(peer.requests) == 1
        assert service.call("GetItem", {"Key": 1}) == {"Heard": {"Key": 1}}


def test_an_answer_without_end_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """No more is kept of an answer than anybody asked for."""
    monkeypatch.setattr(answer_module, "LONGEST_BODY", 1 << 20)
    with serving(endless) as peer, pytest.raises(BadAnswerError, match="too long"):
        peer.service().call("GetItem", {})


@each(
    "said",
    [
        CHUNKED + b'b\r\n{"Item": {}\r\n1\r\n}\r\n0\r\n\r\n',
        answer({"Item": {}}),
        answer({"Item": {}}, headers={"x-amz-crc32": ""}),
        b"HTTP/1.1 100 Continue\r\n\r\n" + answer({"Item": {}}),
        CHUNKED + b'C;a=b\r\n{"Item": {}}\r\n000\r\nX-Late: 1\r\n\r\n',
        HEAD.replace(b" OK", b"") + b'content-LENGTH:12\r\n\r\n{"Item": {}}',
    ],
    ids=["chunked", "with its checksum", "without a checksum", "announced", "with all that chunks may have", "terse"],
)
def test_what_can_be_used_is_an_answer(said: bytes) -> None:
    """Every form that HTTP allows a whole answer in."""
    with serving(answering(said, said)) as peer:
        service = peer.service()
        assert [service.call("GetItem", {}) for _ in range(2)] == [{"Item": {}}] * 2
        assert peer.connections == 1


def test_the_longest_answer_is_read() -> None:
    """A page of a megabyte, and more, is an answer."""
    page = {"Items": ["x" * 1000] * 2000}
    with serving(answering(answer(page))) as peer:
        assert peer.service().call("Query", {}) == page


REASONS = [{"Code": "None"}, {"Code": "ConditionalCheckFailed", "Item": {"pk": {"S": "1"}}}]
REFUSALS: dict[str, tuple[bytes, str, int, dict[str, Any]]] = {
    "throttled": (refusal("ThrottlingException"), "ThrottlingException", 400, {}),
    "expired": (refusal("ExpiredTokenException"), "ExpiredTokenException", 400, {}),
    "condition": (
        refusal("ConditionalCheckFailedException", Item={"pk": {"S": "1"}}),
        "ConditionalCheckFailedException",
        400,
        {"Item": {"pk": {"S": "1"}}},
    ),
    "cancelled": (
        refusal("TransactionCanceledException", CancellationReasons=REASONS),
        "TransactionCanceledException",
        400,
        {"CancellationReasons": REASONS},
    ),
    "broken": (refusal("InternalServerError", 500), "InternalServerError", 500, {}),
    "broken, wordless": (answer(b"", 503), "503", 503, {}),
    "broken, in HTML": (answer(b"<html>", 502), "502", 502, {}),
    "too many": (answer({}, 429), "429", 429, {}),
    "elsewhere": (answer({}, 307, {"Location": "https://example.com/"}), "307", 307, {}),
    "a list": (answer([], 400), "400", 400, {}),
    "by its header": (answer({}, 400, {"x-amzn-ErrorType": "SomeException:http://x/"}), "SomeException", 400, {}),
    "in its older words": (
        refusal("QueueDoesNotExist", headers={"x-amzn-query-error": "AWS.SimpleQueueService.NonExistentQueue;Sender"}),
        "AWS.SimpleQueueService.NonExistentQueue",
        400,
        {},
    ),
    "of no use as a code": (answer({"__type": ["x"], "message": 1}, 400), "['x']", 400, {}),
}


@each(("said", "code", "status", "more"), REFUSALS.values(), ids=REFUSALS)
def test_a_refusal_has_boto3_s_shape(said: bytes, code: str, status: int, more: dict[str, Any]) -> None:
    """Code, status, and what the waiting room reads of conditions; it is asked once, and the connection is kept."""
    with serving(answering(said, answer({"Item": {}}))) as peer:
        service = peer.service()
        with pytest.raises(ServiceError) as refused:
            service.call("GetItem", {})
        response = refused.value.response
        assert response["Error"]["Code"] == code
        assert response["ResponseMetadata"]["HTTPStatusCode"] == status
        assert {name: response[name] for name in ("Item", "CancellationReasons") if name in response} == more
        assert service.call("GetItem", {}) == {"Item": {}}
        assert (len(peer.requests), peer.connections) == (2, 1)


def test_nothing_that_was_sent_or_received_stands_in_an_error() -> None:
    """Errors are logged: they hold codes and names, and nothing of a request or an answer."""
    with serving(answering(refusal("SomeException", secret="the secret"), answer(b"the secret"))) as peer:
        service = peer.service()
        for kind in (ServiceError, BadAnswerError):
            with pytest.raises(kind) as error:
                service.call("GetItem", {"Key": "the secret"})
            assert "secret" not in str(error.value)
            assert "SECRET" not in str(error.value).upper()


def test_a_request_is_what_the_protocol_says() -> None:
    """One POST with the operation, the token and the length; the host as it is reached."""
    with serving(faithful) as peer:
        peer.service().call("GetItem", {"Key": {"pk": {"S": "ä"}}})
        [request] = peer.requests
    assert request.line == "POST / HTTP/1.1"
    assert request.body == {"Key": {"pk": {"S": "ä"}}}
    assert request.headers["host"] == f"127.0.0.1:{peer.port}"
    assert request.headers["x-amz-target"] == "DynamoDB_20120810.GetItem"
    assert request.headers["content-type"] == "application/x-amz-json-1.0"
    assert request.headers["x-amz-security-token"] == "token"
    signed = "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target,"
    assert signed in request.headers["authorization"]

"""Agents that AWS runs, a Lambda function and an AgentCore runtime: asked by boto3's own clients, over HTTP, on this machine."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote

import pytest
from botocore.config import Config

from doorcode.agent import agentcore, answers, function
from doorcode.pairing.agents import ARN_EXAMPLES, AgentKind
from doorcode.pairing.contact import Contact, Platform, State
from doorcode.pairing.reply_address import unseal
from doorcode.pairing.texts import GAVE_UP, TOO_LONG
from doorcode.wiring import sdk
from tests.behind.harness import Behind, PatientSqs
from tests.edge.harness import GATEWAY
from tests.edge.loopback_bot import LoopbackBot, Received, loopback_bot
from tests.webhooks import HELLO, STRANGER, load

TELEGRAM = Platform.TELEGRAM
SECRET_WORDS = "Hello, may I come in?"
INVOKED = (AgentKind.FUNCTION, AgentKind.AGENTCORE)
EACH = pytest.mark.parametrize("kind", INVOKED)
REAL_CLIENT = sdk.client
JSON = "application/json"
STREAM = "text/event-stream"


def http(body: bytes | str, status: str = "200 OK", kind: str = JSON, **headers: str) -> bytes:
    """Return an HTTP answer."""
    lines = {"content-type": kind, **{name.replace("_", "-"): value for name, value in headers.items()}}
    body = body.encode() if isinstance(body, str) else body
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 {status}\r\n{head}content-length: {len(body)}\r\n\r\n".encode() + body


def refusal(status: str, code: str, message: str = SECRET_WORDS, **headers: str) -> bytes:
    """Return an error of the service."""
    return http(json.dumps({"message": message, "Type": "User"}), status, x_amzn_errortype=code, **headers)


@pytest.fixture
def aws() -> Iterator[LoopbackBot]:
    """Run what answers for Lambda and AgentCore."""
    with loopback_bot() as server:
        yield server


@pytest.fixture
def invoking(behind: Behind, aws: LoopbackBot, monkeypatch: pytest.MonkeyPatch) -> Callable[[AgentKind], Behind]:
    """Give a stack whose agent is one of that kind, for a stranger who is let in."""
    endpoint = aws.url.partition("/hook")[0]
    for service in ("LAMBDA", "BEDROCK_AGENTCORE"):
        monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", endpoint)
    known = dict(behind.clients)
    monkeypatch.setattr(
        sdk, "client", lambda service, config: known[service] if service in known else REAL_CLIENT(service, config)
    )
    behind.edge.put(Contact(platform=TELEGRAM, user_id=STRANGER[TELEGRAM], state=State.PAIRED, rev=1))

    def start(kind: AgentKind) -> Behind:
        behind.cold(AGENT=kind, AGENT_ARN=ARN_EXAMPLES[kind])
        return behind

    return start


def remembering(event: Mapping[str, Any], _context: None) -> dict[str, str]:
    """Answer as a function of somebody's does, which remembers what it is told again."""
    (said,) = event["messages"]
    before = [turn["text"] for turn in event["history"] if turn["role"] == "user"]
    return {"text": f"{said['text']} after {len(before)}: {before[-1:]}"}


def run(handler: Callable[[Any, None], Any]) -> Callable[[Received], bytes]:
    """Run a handler as Lambda does: what it raises is 200, too."""

    def answer(request: Received) -> bytes:
        try:
            return http(json.dumps(handler(json.loads(request.body), None)))
        except Exception as error:  # noqa: BLE001 (as Lambda)
            told = {"errorMessage": str(error), "errorType": type(error).__name__, "stackTrace": []}
            return http(json.dumps(told), x_amz_function_error="Unhandled")

    return answer


@EACH
def test_a_conversation_of_three_turns(
    invoking: Callable[[AgentKind], Behind], aws: LoopbackBot, kind: AgentKind
) -> None:
    """It is given what was said before, by the name of one conversation, and never the platform's own address."""
    behind = invoking(kind)
    aws.answer = run(remembering)
    event = load(HELLO[TELEGRAM])
    for number, text in enumerate(("one", "two", "three")):
        behind.deliver(event.another(number).replaced(SECRET_WORDS, text))
        behind.answer()
    assert behind.heard(TELEGRAM) == ["one after 0: []", "two after 1: ['one']", "three after 2: ['two']"]
    assert behind.parked() == 0
    bodies = [json.loads(request.body) for request in aws.received]
    assert len({body["conversation"] for body in bodies}) == 1
    assert len({body["id"] for body in bodies}) == 3
    assert [body["version"] for body in bodies] == [2] * 3
    assert not [body for body in bodies if "reply" in body]
    assert unseal(bodies[0]["reply_to"], GATEWAY, behind.now()).user_id == STRANGER[TELEGRAM]
    line = unquote(aws.received[0].line)
    assert ARN_EXAMPLES[kind] in line
    if kind is AgentKind.AGENTCORE:
        sessions = {request.header("x-amzn-bedrock-agentcore-runtime-session-id") for request in aws.received}
        assert sessions == {bodies[0]["conversation"]}
        assert [body["prompt"] for body in bodies] == ["one", "two", "three"]
        assert aws.received[0].header("x-amzn-bedrock-agentcore-runtime-user-id") is None
    else:
        assert aws.received[0].header("x-amz-invocation-type") == "RequestResponse"
    # Signed for the region that its name says, wherever the stack is.
    assert "/eu-central-1/" in (aws.received[0].header("authorization") or "")


STREAMED: tuple[Any, ...] = (
    {"init_event_loop": True},
    {"event": {"messageStart": {"role": "assistant"}}},
    {"event": {"contentBlockDelta": {"delta": {"text": "Good "}}}},
    "{'data': 'Good ', 'agent': <strands.agent.agent.Agent object at 0x7f>}",
    {"data": "Good "},
    {"event": {"contentBlockDelta": {"delta": {"text": "day"}}}},
    {"data": "day"},
    {"event": {"metadata": {"usage": {}}}},
    {"message": {"role": "assistant", "content": [{"text": "Good day"}]}},
)
EVENTS = "".join(f"data: {json.dumps(event)}\n\n" for event in STREAMED)
GOOD_DAY: dict[AgentKind, list[bytes]] = {
    AgentKind.FUNCTION: [
        http('{"text": "Good day"}'),
        http('{"texts": ["Good day", " "]}'),
        http('"Good day"'),
        http('{"statusCode": 200, "body": "{\\"text\\": \\"Good day\\"}"}'),
        http('{"statusCode": 200, "body": "\\"Good day\\""}'),
        http('{"statusCode": "200", "headers": {"Content-Type": "text/plain; charset=utf-8"}, "body": "Good day"}'),
        http('{"statusCode": 200, "body": "Ikdvb2QgZGF5Ig==", "isBase64Encoded": true}'),
    ],
    AgentKind.AGENTCORE: [
        http('"Good day"'),
        http('{"result": "Good day"}'),
        http('{"result": {"role": "assistant", "content": [{"text": "Good day"}, {"toolUse": {}}]}}'),
        http('{"output": {"message": {"role": "assistant", "content": [{"text": "Good day"}]}}}'),
        http('{"text": "Good day"}'),
        http("Good day", kind="text/plain"),
        http('data: "Good "\n\ndata: "day"\n\n', kind=STREAM),
        http(
            'data: {"data": "Good "}\r\n\r\n: ping\r\n\r\ndata: {"data": "day"}\r\n\r\n',
            kind=f"{STREAM}; charset=utf-8",
        ),
        http('data: {"result": "Good day"}\n\n', kind=STREAM),
        http('data: {"message": {"role": "assistant", "content": [{"text": "Good day"}]}}\n\n', kind=STREAM),
        http("data: Good day\n\n", kind=STREAM),
        http(EVENTS, kind=STREAM),
    ],
}
NONE = {
    AgentKind.FUNCTION: [
        http("null"),
        http(""),
        http('{"statusCode": 204}'),
        http('{"statusCode": 202, "body": "ok"}'),
    ],
    AgentKind.AGENTCORE: [http("null"), http('{"result": null}'), http('""'), http("", kind=STREAM)],
}


@EACH
def test_every_form_of_an_answer(invoking: Callable[[AgentKind], Behind], aws: LoopbackBot, kind: AgentKind) -> None:
    """Whatever such agents return is read as what they say; who says nothing is asked once, and answers nothing."""
    behind = invoking(kind)
    for number, form in enumerate([*GOOD_DAY[kind], *NONE[kind]]):
        aws.answer = lambda _, form=form: form  # type: ignore[misc]
        before = behind.heard(TELEGRAM)
        behind.hello(TELEGRAM, number)
        behind.answer()
        assert behind.heard(TELEGRAM)[len(before) :] == ["Good day"] * (form in GOOD_DAY[kind]), form
        assert len(aws.received) == number + 1
    assert behind.parked() == 0


FAILED = json.dumps({"errorMessage": SECRET_WORDS, "errorType": "ValueError", "stackTrace": [SECRET_WORDS]})
TIMED_OUT = json.dumps({"errorMessage": "2026-11-28T06:00:00Z 1234 Task timed out after 3.00 seconds"})
BROKEN = json.dumps({"error": SECRET_WORDS, "error_type": "ValueError", "message": SECRET_WORDS})
# The answer, what is to be in the log, and for how long it waits (0: as the queue says).
LATER: dict[AgentKind, list[tuple[bytes | None, str, int]]] = {
    AgentKind.FUNCTION: [
        (http(FAILED, x_amz_function_error="Unhandled"), "ValueError", 0),
        (http(TIMED_OUT, x_amz_function_error="Unhandled"), "Task timed out after 3.00 seconds", 0),
        (http(json.dumps(SECRET_WORDS), x_amz_function_error="Handled"), "an error", 0),
        (http('{"statusCode": 503, "headers": {"Retry-After": "7"}}'), "503 Service Unavailable", 7),
        (http('{"statusCode": 429, "headers": {"Retry-After": "99999999999999"}}'), "429 Too Many Requests", 900),
        (refusal("429 Too Many Requests", "TooManyRequestsException", retry_after="9"), "TooManyRequestsException", 9),
        (refusal("409 Conflict", "ResourceConflictException"), "ResourceConflictException", 0),
        (refusal("500 Internal Server Error", "ServiceException"), "ServiceException", 0),
        (None, "ConnectionClosedError", 0),
    ],
    AgentKind.AGENTCORE: [
        (refusal("409 Conflict", "RetryableConflictException"), "RetryableConflictException", 0),
        (refusal("424 Failed Dependency", "RuntimeClientError"), "RuntimeClientError", 0),
        (refusal("429 Too Many Requests", "ThrottlingException", retry_after="7"), "ThrottlingException", 7),
        (refusal("500 Internal Server Error", "InternalServerException"), "InternalServerException", 0),
        (http("", "504 Gateway Timeout"), "HTTP 504", 0),
        (http(f'data: "Good "\n\ndata: {BROKEN}\n\n', kind=STREAM), "ValueError", 0),
        (http(json.dumps({"error": SECRET_WORDS, "error_type": SECRET_WORDS})), "an error", 0),
        (None, "ConnectionClosedError", 0),
    ],
}  # fmt: skip
PARKED: dict[AgentKind, list[tuple[bytes, str]]] = {
    AgentKind.FUNCTION: [
        (refusal("404 Not Found", "ResourceNotFoundException"), "ResourceNotFoundException"),
        (refusal("403 Forbidden", "AccessDeniedException"), "AccessDeniedException"),
        (refusal("400 Bad Request", "RecursiveInvocationException"), "RecursiveInvocationException"),
        (http(json.dumps({"answer": SECRET_WORDS})), "JSON"),
        (http('{"texts": [1]}'), "JSON"),
        (http(json.dumps("x" * 4096)), "more than 4 KiB"),
        (http('{"statusCode": 404}'), "404 Not Found"),
        (http('{"statusCode": 302, "headers": {"Location": "https://elsewhere.example"}}'), "302 Found"),
        (http('{"statusCode": "fine"}'), "API Gateway"),
        (http(json.dumps({"statusCode": 200, "body": f"<p>{SECRET_WORDS}</p>", "headers": {"content-type": "text/html"}})), "text/html"),
    ],
    AgentKind.AGENTCORE: [
        (refusal("400 Bad Request", "ValidationException"), "ValidationException"),
        (refusal("402 Payment Required", "ServiceQuotaExceededException"), "ServiceQuotaExceededException"),
        (refusal("403 Forbidden", "AccessDeniedException"), "AccessDeniedException"),
        (refusal("404 Not Found", "ResourceNotFoundException"), "ResourceNotFoundException"),
        (http(json.dumps({"answer": SECRET_WORDS})), "JSON"),
        (http('{"result": [1]}'), "JSON"),
        (http('{"result": ' * 300 + "1" + "}" * 300), "JSON"),
        (http("<p>", kind="text/html"), "JSON that cannot be read"),
        (http(b"x" * 4097, kind="text/plain"), "more than 4 KiB"),
    ],
}  # fmt: skip


@EACH
def test_every_fault(
    invoking: Callable[[AgentKind], Behind],
    aws: LoopbackBot,
    kind: AgentKind,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What may pass is asked again, once more; what will not is parked, and the person told. Nobody's words are logged."""
    assert {vars(module)["MAX_ANSWER_BYTES"] for module in (answers, function, agentcore)} == {1 << 20}
    for module in (answers, function, agentcore):
        monkeypatch.setattr(module, "MAX_ANSWER_BYTES", 4096)
    behind = invoking(kind)
    sqs = behind.clients["sqs"]
    assert isinstance(sqs, PatientSqs)
    for number, (fault, told, delay) in enumerate(LATER[kind]):
        given = iter([fault, http('"at last"')])
        aws.answer = lambda _, given=given: next(given)  # type: ignore[misc]
        delays = len(sqs.delays)
        behind.hello(TELEGRAM, number)
        behind.answer()
        assert behind.heard(TELEGRAM)[number:] == ["at last"], told
        (waited,) = sqs.delays[delays:]
        assert waited == (delay or 2), told
        assert told in caplog.text
        assert len(aws.received) == 2 * number + 2
        caplog.clear()
    assert behind.parked() == 0
    for number, (refused, told) in enumerate(PARKED[kind], 100):
        aws.answer = lambda _, refused=refused: refused  # type: ignore[misc]
        behind.hello(TELEGRAM, number)
        behind.answer()
        assert behind.heard(TELEGRAM)[-1] == GAVE_UP, told
        assert behind.parked() == number - 99
        assert told in caplog.text
        assert SECRET_WORDS not in caplog.text
        assert SECRET_WORDS not in str([vars(record) for record in caplog.records])
        caplog.clear()
    assert len(aws.received) == 2 * len(LATER[kind]) + len(PARKED[kind])


@EACH
def test_who_is_too_slow_is_not_run_twice_in_silence(
    invoking: Callable[[AgentKind], Behind],
    aws: LoopbackBot,
    kind: AgentKind,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """After a minute, here a moment, it is asked again by the queue alone; a stream that drips is late as well."""
    assert sdk.MODEL.read_timeout == agentcore.TIMEOUT_SECONDS == 60
    monkeypatch.setattr(sdk, "MODEL", sdk.MODEL.merge(Config(read_timeout=0.3)))
    monkeypatch.setattr(agentcore, "TIMEOUT_SECONDS", 0.3)
    behind = invoking(kind)

    def late(_: Received) -> bytes:
        if len(aws.received) > 1:
            return http('"at last"')
        time.sleep(0.8)
        return http('"too late"')

    aws.answer = late
    behind.hello(TELEGRAM)
    behind.answer()
    assert behind.heard(TELEGRAM) == ["at last"]
    assert len(aws.received) == 2
    assert "ReadTimeoutError" in caplog.text


def test_a_stream_that_drips_is_late(
    invoking: Callable[[AgentKind], Behind], aws: LoopbackBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An agent that goes on and on is not waited for, although no read of it takes long."""
    monkeypatch.setattr(agentcore, "TIMEOUT_SECONDS", 0.0)
    behind = invoking(AgentKind.AGENTCORE)

    def dripping(_: Received) -> bytes:
        # The first one's time is over already.
        monkeypatch.setattr(agentcore, "TIMEOUT_SECONDS", 60.0)
        return http('data: "drip"\n\n', kind=STREAM)

    aws.answer = dripping
    behind.hello(TELEGRAM)
    behind.answer()
    assert behind.heard(TELEGRAM) == ["drip"]
    assert len(aws.received) == 2


def test_a_function_that_takes_no_more_is_told_less(invoking: Callable[[AgentKind], Behind], aws: LoopbackBot) -> None:
    """What Lambda refuses as too large is tried again with the later part of the conversation."""
    behind = invoking(AgentKind.FUNCTION)
    aws.answer = run(remembering)
    for number in range(3):
        behind.hello(TELEGRAM, number)
        behind.answer()

    def narrow(request: Received) -> bytes:
        small = len(json.loads(request.body)["history"]) <= 2
        return run(remembering)(request) if small else refusal("413 Too Large", "RequestTooLargeException")

    aws.answer = narrow
    behind.hello(TELEGRAM, 3)
    behind.answer()
    assert "after 1" in behind.heard(TELEGRAM)[-1]
    aws.answer = lambda _: refusal("413 Too Large", "RequestTooLargeException")
    behind.hello(TELEGRAM, 4)
    behind.answer()
    assert behind.heard(TELEGRAM)[-1] == TOO_LONG

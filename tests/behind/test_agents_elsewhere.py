"""An agent at an address of the operator's: what it is sent, what may go wrong there, and what becomes of the message.

Everything goes through the agent's handler to a server on this machine, which answers byte by byte as it is told to.
"""

import json
import logging
import ssl
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import certifi
import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from doorcode.agent import http
from doorcode.agent.answers import LONGEST_RETRY_SECONDS, MAX_ANSWER_BYTES
from doorcode.entrypoints.agent import GIVEN_UP_AFTER_SECONDS, MAX_SAID_BYTES
from doorcode.pairing.contact import Contact, Platform, State
from doorcode.pairing.reply_address import unseal
from doorcode.pairing.texts import GAVE_UP, TOO_LONG
from tests.behind.faults import Fault, begin_again, calls_of, writes
from tests.behind.harness import Behind, PatientSqs
from tests.certificates import self_signed
from tests.edge.harness import GATEWAY
from tests.edge.loopback_bot import LoopbackBot, Received, loopback_bot
from tests.webhooks import HELLO, STRANGER, load

OLD, NEW = "whsec_b2xkb2xkb2xkb2xkb2xkb2xkb2xkb2xk", "whsec_bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3"
SAID = "Hello, may I come in?"
ANSWER = "Good day."
KEY = "sk-a-key-of-somebody"
TELEGRAM = Platform.TELEGRAM
KINDS = ("webhook", "openai")
COMPLETION = {"choices": [{"index": 0, "message": {"role": "assistant", "content": ANSWER}, "finish_reason": "stop"}]}

CHUNKED = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    b'4\r\n{"te\r\nc\r\nxt":"Three"}\r\n0\r\n\r\n'
)


@pytest.fixture
def harness(behind: Behind) -> Behind:
    """Give a harness in which the strangers are paired, and every kind has its secrets."""
    for platform in Platform:
        behind.edge.put(Contact(platform=platform, user_id=STRANGER[platform], state=State.PAIRED, rev=1))
    behind.edge.put_secret("agent/webhook-secret", f"{NEW}\n{OLD}\n")
    behind.edge.put_secret("agent/api-key", KEY)
    return behind


@pytest.fixture
def server() -> Iterator[LoopbackBot]:
    """Run an agent's server."""
    with loopback_bot() as running:
        yield running


def attach(harness: Behind, kind: str, url: str) -> None:
    """Have that kind of agent answer, at that address."""
    harness.cold(AGENT=kind, AGENT_URL=url, AGENT_MODEL="a-model" if kind == "openai" else "")


def well(kind: str) -> bytes:
    """Return what that kind of agent answers with ``ANSWER``."""
    return response(json.dumps({"text": ANSWER} if kind == "webhook" else COMPLETION).encode())


def response(body: bytes, status: str = "200 OK", content_type: str = "application/json", *headers: str) -> bytes:
    """Return an answer's bytes."""
    lines = "".join(
        f"{line}\r\n" for line in (*headers, f"Content-Type: {content_type}", f"Content-Length: {len(body)}")
    )
    return f"HTTP/1.1 {status}\r\n{lines}\r\n".encode() + body


def once(harness: Behind) -> None:
    """Let the agent take one batch."""
    assert harness._batch(harness.environment["AGENT_QUEUE_URL"], harness.agent.handle)


def delays(harness: Behind) -> list[int]:
    """Return for how long messages were handed back."""
    sqs = harness.clients["sqs"]
    assert isinstance(sqs, PatientSqs)
    return sqs.delays


def test_a_webhook_gets_the_hand_off_signed(harness: Behind, server: LoopbackBot) -> None:
    """Security 41, 42: it gets JSON of version 2 under each secret of the ring, and an address to answer later, not the platform's."""
    server.answer = lambda _: well("webhook")
    attach(harness, "webhook", server.url)
    for number in range(2):
        harness.hello(TELEGRAM, number)
        harness.answer()
    assert harness.heard(TELEGRAM) == [ANSWER, ANSWER]
    first, second = server.received
    assert first.line == "POST /hook/s3cret?x=1&y=%2F HTTP/1.1"
    assert (first.header("content-type"), first.header("accept-encoding")) == ("application/json", "identity")
    for secret in (OLD, NEW):
        Webhook(secret).verify(first.body, dict(first.headers))
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(first.body + b" ", dict(first.headers))
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_" + "c29t" * 8).verify(first.body, dict(first.headers))
    told = json.loads(first.body)
    assert (told["version"], told["type"], told["id"]) == (2, "message", first.header("webhook-id"))
    assert (told["user"]["id"], told["messages"][0]["text"], told["history"]) == (STRANGER[TELEGRAM], SAID, [])
    assert "reply" not in told
    assert unseal(told["reply_to"], GATEWAY, int(time.time())).user_id == STRANGER[TELEGRAM]
    told = json.loads(second.body)
    assert told["history"] == [{"role": "user", "text": SAID}, {"role": "assistant", "text": ANSWER}]
    assert first.header("webhook-id") != second.header("webhook-id")


def test_a_webhook_may_say_much_little_or_nothing_yet(harness: Behind, server: LoopbackBot) -> None:
    """Several texts are several messages; text is text; 204 and 202 say nothing, and nothing is asked again."""
    attach(harness, "webhook", server.url)
    for number, answer in enumerate(
        (
            response(b'{"texts": ["One", "Two"]}'),
            response("*Grüß* <b>dich</b>".encode(), "200 OK", "text/plain; charset=utf-8"),
            b"HTTP/1.1 204 No Content\r\n\r\n",
            response(b"{}", "202 Accepted"),
            CHUNKED,
        )
    ):
        server.answer = lambda _, answer=answer: answer  # type: ignore[misc]
        harness.hello(TELEGRAM, number)
        harness.answer()
    assert harness.heard(TELEGRAM) == ["One", "Two", "*Grüß* <b>dich</b>", "Three"]
    assert (len(server.received), harness.parked(), delays(harness)) == (5, 0, [])


class Row(NamedTuple):
    """A fault: what the server does, and what becomes of the message: handed back for so long, or put aside."""

    name: str
    answer: Callable[[Received], bytes | Iterable[bytes] | None] | None
    # Words of the one line in the log.
    words: str
    # None: put aside.
    delay: int | None = 2
    kinds: tuple[str, ...] = KINDS
    # What the person sees at once.
    hears: str = ""


def _hang(begin: bytes) -> Callable[[Received], Iterable[bytes]]:
    def answer(_: Received) -> Iterator[bytes]:
        yield begin
        # A byte now and then is no answer either.
        for _again in range(100):
            time.sleep(0.05)
            yield b" "

    return answer


def _says(body: bytes, status: str = "200 OK", content_type: str = "application/json", *headers: str) -> Any:
    said = response(body, status, content_type, *headers)
    return lambda _: said


SECRET_WORDS = b"secret words"
OPENAI_ERROR = json.dumps(
    {"error": {"message": "secret words", "type": "requests", "code": "rate_limit_exceeded"}}
).encode()
NOTHING_OPENAI = json.dumps({"choices": [{"message": {"role": "assistant", "content": None}}]}).encode()
ROWS = (
    Row("refused", None, "the connection was refused"),
    Row("hangs up", lambda _: None, "RemoteProtocolError"),
    Row("no HTTP", lambda _: b"secret words\r\n\r\n", "RemoteProtocolError"),
    Row("late", _hang(b"HTTP/1.1 200 "), "did not answer within"),
    Row("late in its headers", _hang(b"HTTP/1.1 200 OK\r\nX: "), "did not answer within"),
    Row("late after its headers", _hang(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n"), "did not answer within"),
    Row("429", _says(b"", "429 Too Many Requests", "text/plain", "Retry-After: 7"), "429 Too Many Requests", 7),
    Row("429, a day", _says(OPENAI_ERROR, "429 Too Many Requests", "application/json", "Retry-After: 86400"), "429", LONGEST_RETRY_SECONDS),
    Row("429, by code", _says(OPENAI_ERROR, "429 Too Many Requests"), "429 Too Many Requests: rate_limit_exceeded", kinds=("openai",)),
    Row("408", _says(SECRET_WORDS, "408 Request Timeout", "text/plain"), "408 Request Timeout"),
    Row("500", _says(SECRET_WORDS, "500 Internal Server Error", "text/html"), "500 Internal Server Error"),
    Row("503", _says(SECRET_WORDS, "503 Service Unavailable", "text/html", "Retry-After: 3"), "503 Service Unavailable", 3),
    Row("an error that says 200", _says(OPENAI_ERROR), "answered with an error: rate_limit_exceeded", kinds=("openai",)),
    Row("401", _says(SECRET_WORDS, "401 Unauthorized"), "401 Unauthorized", None),
    Row("404", _says(SECRET_WORDS, "404 Not Found", "text/html"), "404 Not Found", None),
    Row("410", _says(SECRET_WORDS, "410 Gone"), "410 Gone", None),
    Row("301", _says(b"", "301 Moved Permanently", "text/html", "Location: {url}"), "Redirects are not followed", None),
    Row("307", _says(b"", "307 Temporary Redirect", "text/html", "Location: {url}"), "Redirects are not followed", None),
    Row("2 MiB", _says(b'"' + b"x" * 2 * MAX_ANSWER_BYTES + b'"'), "more than 1024 KiB", None),
    Row("too much text", _says(b'"' + b"x" * MAX_SAID_BYTES + b'"'), "more than 250,000 bytes of text", None, ("webhook",)),
    Row("packed", _says(b"\x1f\x8b", "200 OK", "application/json", "Content-Encoding: gzip"), "packed", None),
    Row("no JSON", _says(b'{"text": "secret words'), "JSON that cannot be read", None),
    Row("another form", _says(b'{"message": {"secret": "words"}}'), "JSON with neither", None, ("webhook",)),
    Row("another form", _says(b'{"choices": []}'), "JSON of another form", None, ("openai",)),
    Row("HTML", _says(b"<h1>secret words</h1>", "200 OK", "text/html"), "with text/html", None, ("webhook",)),
    Row("HTML", _says(b"<h1>secret words</h1>", "200 OK", "text/html"), "without being application/json", None, ("openai",)),
    Row("empty", _says(b""), "", -1, ("webhook",)),
    Row("empty", _says(b""), "JSON that cannot be read", None, ("openai",)),
    Row("says nothing", _says(NOTHING_OPENAI), "", -1, ("openai",), "I have nothing to say to that."),
    Row("too long", _says(SECRET_WORDS, "413 Payload Too Large"), "takes no conversation that long", -1, ("openai",), TOO_LONG),
)  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_faults(harness: Behind, kind: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """Security 34, 42: what may pass is tried again, unseen; the rest is put aside and the person told; one reason in the log, no words."""
    for number, row in enumerate(row for row in ROWS if kind in row.kinds):
        begin_again(harness, TELEGRAM)
        delays(harness).clear()
        caplog.clear()
        harness.edge.put(Contact(platform=TELEGRAM, user_id=STRANGER[TELEGRAM], state=State.PAIRED, rev=1))
        parked = harness.parked()
        with loopback_bot() as server, loopback_bot() as elsewhere:
            attach(harness, kind, server.url)
            if row.answer is None:
                attach(harness, kind, _nobody_there())
            else:
                fault = row.answer
                server.answer = lambda asked, fault=fault, url=elsewhere.url: _at(fault(asked), url)  # type: ignore[misc]
            with monkeypatch.context() as short:
                if "late" in row.name:
                    short.setattr(http, "ANSWER_SECONDS", 0.5)
                harness.hello(TELEGRAM, number)
                once(harness)
            told = [record for record in caplog.records if record.levelno >= logging.WARNING]
            about = f"{row.name}: {caplog.text}"
            assert not elsewhere.received, about
            if row.delay is None:
                assert (delays(harness), harness.parked() - parked) == ([], 1), about
                assert harness.heard(TELEGRAM) == [GAVE_UP], about
                assert len(server.received) == 1, about
            elif row.delay < 0:
                assert (delays(harness), harness.parked() - parked) == ([], 0), about
                assert harness.heard(TELEGRAM) == ([row.hears] if row.hears else []), about
            else:
                assert (delays(harness), harness.parked() - parked) == ([row.delay], 0), about
                assert harness.heard(TELEGRAM) == [], about
            if row.words:
                assert [row.words in record.getMessage() for record in told] == [True], about
            assert "secret" not in caplog.text.replace("s3cret", ""), about
            assert server.url not in caplog.text, about
            if row.delay is not None and row.delay > 0:
                # The queue brings it again, and this time all is well.
                server.answer = lambda _: well(kind)
                attach(harness, kind, server.url)
                harness.answer()
                assert harness.heard(TELEGRAM) == [ANSWER], about
                assert len({asked.header("webhook-id") for asked in server.received}) == 1, about


def _at(answer: Any, url: str) -> Any:
    return answer.replace(b"{url}", url.encode()) if isinstance(answer, bytes) else answer


def _nobody_there() -> str:
    with loopback_bot() as gone:
        return gone.url


@pytest.mark.parametrize("kind", KINDS)
def test_what_fails_for_long_is_given_up_on(harness: Behind, server: LoopbackBot, kind: str) -> None:
    """After a quarter of an hour the person is told that no answer will come, and the message is put aside."""
    server.answer = _says(b"", "503 Service Unavailable", "text/plain", "Retry-After: 3600")
    attach(harness, kind, server.url)
    harness.hello(TELEGRAM)
    once(harness)
    harness.agent._clock = lambda: harness.now() + GIVEN_UP_AFTER_SECONDS
    harness.answer()
    assert harness.heard(TELEGRAM) == [GAVE_UP]
    assert (harness.parked(), len(server.received)) == (1, 2)


@pytest.mark.parametrize("kind", KINDS)
def test_a_server_has_to_prove_who_it_is(
    harness: Behind, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Security 42: a certificate of an unknown authority is refused before anything is sent; one of a known authority serves."""
    certificate = self_signed(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    http._trusted.cache_clear()
    with loopback_bot(tls) as server:
        server.answer = lambda _: well(kind)
        attach(harness, kind, server.url)
        harness.hello(TELEGRAM)
        once(harness)
        assert "its certificate is not to be trusted" in caplog.text
        assert (server.received, harness.heard(TELEGRAM)) == ([], [])
        monkeypatch.setattr(certifi, "where", lambda: str(certificate))
        http._trusted.cache_clear()
        harness.answer()
        assert harness.heard(TELEGRAM) == [ANSWER]
        assert len(server.received) == 1
    http._trusted.cache_clear()


def test_what_was_asked_once_is_asked_again_as_it_was(harness: Behind, server: LoopbackBot) -> None:
    """Under one id goes one content: what is written while an agent fails or its asker dies comes after it, on its own."""
    attach(harness, "webhook", server.url)
    server.answer = _says(b"", "503 Service Unavailable")
    harness.deliver(load(HELLO[TELEGRAM]).another(0))
    once(harness)
    harness.deliver(load(HELLO[TELEGRAM]).another(1))
    server.answer = lambda _: well("webhook")
    harness.answer()
    asked = [(request.header("webhook-id"), json.loads(request.body)) for request in server.received]
    ids = [webhook_id for webhook_id, _ in asked]
    assert ids[0] == ids[1] != ids[2]
    assert [len(told["messages"]) for _, told in asked] == [1, 1, 1]
    assert asked[0] == asked[1]
    assert harness.heard(TELEGRAM) == [ANSWER, ANSWER]


def test_a_crash_at_any_step(harness: Behind, server: LoopbackBot) -> None:
    """Whoever dies while it answers asks again under the same id, and the person is answered once where that can be told."""
    server.answer = lambda _: well("webhook")
    harness.settings |= {"AGENT": "webhook", "AGENT_URL": server.url}

    def story() -> None:
        harness.edge.put(
            Contact(platform=Platform.DISCORD, user_id=STRANGER[Platform.DISCORD], state=State.PAIRED, rev=1)
        )
        harness.hello(Platform.DISCORD)
        harness.answer()

    calls = calls_of(harness, Platform.DISCORD, story)
    assert "sender.send_text" in calls
    for at in [at for at, call in enumerate(calls, 1) if writes(call)]:
        begin_again(harness, Platform.DISCORD)
        server.received.clear()
        fault = Fault(harness, Platform.DISCORD, "dies after", at)
        story()
        where = f"dies after call {at}, {fault.hit}"
        assert fault.hit == calls[at - 1], where
        assert len({request.header("webhook-id") for request in server.received}) == 1, where
        assert sum(ANSWER in text for text in harness.heard(Platform.DISCORD)) == 1, where
    assert harness.parked() == 0


def test_without_a_usable_secret_nothing_leaves(harness: Behind, server: LoopbackBot) -> None:
    """Security 1, 42: nothing is sent unsigned; it waits until the secret is there."""
    attach(harness, "webhook", server.url)
    server.answer = lambda _: well("webhook")
    harness.edge.ssm.delete_parameter(Name="/doorcode/test/agent/webhook-secret")
    harness.hello(TELEGRAM)
    once(harness)
    harness.edge.put_secret("agent/webhook-secret", "not of that form")
    attach(harness, "webhook", server.url)
    once(harness)
    assert (server.received, harness.heard(TELEGRAM)) == ([], [])
    harness.edge.put_secret("agent/webhook-secret", NEW)
    attach(harness, "webhook", server.url)
    harness.answer()
    assert harness.heard(TELEGRAM) == [ANSWER]

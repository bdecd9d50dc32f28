"""``doorcode attach``: a program on somebody's own machine answers what waits in the queue, and nothing is lost."""

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Iterator, Sequence

import pytest

from doorcode.agent.answers import check_status
from doorcode.pairing.access import Scope
from doorcode.pairing.contact import Contact, Platform, State
from doorcode.pairing.hand_off import HandOff
from doorcode.pairing.keyring import Keyring
from doorcode_cli import queue_consumer
from doorcode_cli.attach import asking
from doorcode_cli.queue_consumer import GAVE_UP, QueueConsumer
from tests.behind.harness import Behind
from tests.edge.loopback_bot import LoopbackBot, Received, loopback_bot
from tests.webhooks import HELLO, STRANGER, load

TELEGRAM, SLACK = Platform.TELEGRAM, Platform.SLACK
SAID = "Hello, may I come in?"
KEY = bytes(range(32))
RING = Keyring((b"whsec_" + base64.b64encode(KEY),))


@pytest.fixture
def agent() -> Iterator[LoopbackBot]:
    """Run somebody's agent, which remembers what it is told again."""
    with loopback_bot() as server:

        def answer(request: Received) -> bytes:
            event = json.loads(request.body)
            before = [turn["text"] for turn in event["history"] if turn["role"] == "user"]
            return answered(json.dumps({"text": f"{event['messages'][0]['text']} after {before}"}))

        server.answer = answer
        yield server


def answered(body: str, status: str = "200 OK", more: str = "") -> bytes:
    """Return an HTTP answer."""
    return f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\n{more}content-length: {len(body)}\r\n\r\n{body}".encode()


Attached = Callable[..., list[str]]


@pytest.fixture
def attached(behind: Behind, agent: LoopbackBot, monkeypatch: pytest.MonkeyPatch) -> Attached:
    """Attach it until so many messages were told of, and return what was told."""
    # Only when a wait is over is it seen that it is to end.
    monkeypatch.setattr(queue_consumer, "WAIT_SECONDS", 1)
    behind.cold(AGENT="queue")
    for platform in (TELEGRAM, SLACK):
        behind.edge.put(Contact(platform=platform, user_id=STRANGER[platform], state=State.PAIRED, rev=1))
    say = behind.program(Scope.MESSAGES)

    def send(message: HandOff, text: str, key: str) -> None:
        status, _ = say("/api/messages", reply_to=message.reply_to, text=text, key=key)
        check_status(status, {}, 0)

    def run(messages: int, ring: Keyring | None = RING, requests: int = 1 << 30) -> list[str]:
        told: list[str] = []

        def tell(message: HandOff, texts: Sequence[str], why: str) -> None:
            told.append(why or f"{message.platform}: {len(texts)}")

        class Enough(threading.Event):
            def is_set(self) -> bool:
                return super().is_set() or len(told) >= messages or len(agent.received) >= requests

        url = agent.url.replace("/hook/s3cret", "/hook")
        sqs = behind.edge.sqs
        queue = behind.environment["AGENT_QUEUE_URL"]
        ended = Enough()
        patience = threading.Timer(20, ended.set)
        patience.start()
        QueueConsumer(sqs, queue, behind.agent_dead, respond=asking(url, ring), send=send, tell=tell).run(ended)
        patience.cancel()
        behind.settle()
        return told

    return run


def waiting(behind: Behind) -> list[str]:
    """Return the texts of what can be taken from the queue at this moment, and leave it there."""
    received = behind.edge.sqs.receive_message(
        QueueUrl=behind.environment["AGENT_QUEUE_URL"], MaxNumberOfMessages=10, VisibilityTimeout=0
    )
    return [json.loads(message["Body"])["messages"][0]["text"] for message in received.get("Messages", [])]


def test_a_conversation_of_three_turns(behind: Behind, agent: LoopbackBot, attached: Attached) -> None:
    """Each in its order, signed, with what was said before; answered where it was written, without any bot's token here."""
    for number, text in enumerate(("one", "two", "three")):
        behind.deliver(load(HELLO[TELEGRAM]).another(number).replaced(SAID, text))
    behind.hello(SLACK)
    assert sorted(attached(4)) == ["slack: 1", "telegram: 1", "telegram: 1", "telegram: 1"]
    assert behind.heard(TELEGRAM) == ["one after []", "two after ['one']", "three after ['one', 'two']"]
    assert behind.heard(SLACK)[-1] == f"{SAID} after []"
    assert waiting(behind) == []
    for request in agent.received:
        identity, when = request.header("webhook-id"), request.header("webhook-timestamp")
        content = f"{identity}.{when}.".encode() + request.body
        mark = base64.b64encode(hmac.digest(KEY, content, hashlib.sha256)).decode()
        assert request.header("webhook-signature") == f"v1,{mark}"
        assert "reply" not in json.loads(request.body)
    behind.hello(SLACK, 9)
    assert attached(1, None) == ["slack: 1"]
    assert agent.received[-1].header("webhook-signature") is None


def test_whoever_fails_is_asked_again_and_whoever_refuses_is_not(
    behind: Behind, agent: LoopbackBot, attached: Attached
) -> None:
    """503 waits as long as it says, and in front of what came after it; 400 is put aside, and the person told."""
    right, failures = agent.answer, [answered("", "503 Service Unavailable", "retry-after: 1\r\n")]
    agent.answer = lambda request: failures.pop() if failures else right(request)
    for number, text in enumerate(("one", "two")):
        behind.deliver(load(HELLO[TELEGRAM]).another(number).replaced(SAID, text))
    told = attached(3)
    assert told[0].startswith("again later: The agent answered 503")
    assert told[1:] == ["telegram: 1"] * 2
    assert behind.heard(TELEGRAM) == ["one after []", "two after ['one']"]
    agent.answer = lambda _: answered("", "400 Bad Request")
    behind.hello(TELEGRAM, 5)
    assert attached(1)[0].startswith("parked: The agent answered 400")
    assert (behind.parked(), behind.heard(TELEGRAM)[-1], waiting(behind)) == (1, GAVE_UP, [])


def test_an_end_loses_nothing(behind: Behind, agent: LoopbackBot, attached: Attached) -> None:
    """What was being answered when it ended can be taken at once, and so can what stood behind it; nothing was said."""
    right = agent.answer
    go = threading.Event()
    agent.answer = lambda request: (go.wait(20), right(request))[1]
    for number, text in enumerate(("one", "two")):
        behind.deliver(load(HELLO[TELEGRAM]).another(number).replaced(SAID, text))
    # Ended as soon as the agent was asked.
    assert attached(2, requests=1) == []
    assert waiting(behind) == ["one", "two"]
    go.set()
    assert behind.heard(TELEGRAM) == []
    agent.answer = right
    assert attached(2) == ["telegram: 1"] * 2
    # Each once. (What was given back, moto hands out in any order.)
    assert len(behind.heard(TELEGRAM)) == 2
    assert waiting(behind) == []

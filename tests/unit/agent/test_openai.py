"""What servers with OpenAI's API really answer, and what is made of it; a server on this machine says it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from doorcode.agent.openai import completing_at, endpoint
from doorcode.agent.responder import AgentRefusedError, Responder, TooLongError
from doorcode.pairing.gate import Reason
from doorcode.pairing.hand_off import Turn, hand_off
from doorcode.pairing.messages import ChatType, Message
from doorcode.pairing.platform import Platform
from doorcode.pairing.texts import NOTHING_SAID, ONLY_TEXT
from tests.edge.loopback_bot import LoopbackBot, loopback_bot

JSON = "Content-Type: application/json"
SAID = Message(
    platform=Platform.TELEGRAM, user_id="1", delivery_id="1", chat_type=ChatType.DIRECT, chat="1", text="Hello", reply="{}"
)  # fmt: skip
HANDED = hand_off(SAID, Reason.PAIRED, "")


@pytest.fixture
def server() -> Iterator[LoopbackBot]:
    """Run a server."""
    with loopback_bot() as running:
        yield running


def asking(server: LoopbackBot, key: str = "", instructions: str = "") -> Responder:
    """Return what asks it."""
    base = server.url.partition("/hook")[0] + "/v1"
    return completing_at(base, "a-model", key=lambda: key, instructions=lambda: instructions, clock=lambda: 0)


def message(content: Any, **more: Any) -> bytes:
    """Return a completion."""
    return json.dumps(
        {"choices": [{"index": 0, "message": {"role": "assistant", "content": content, **more}}]}
    ).encode()


def test_what_is_asked(server: LoopbackBot) -> None:
    """The instructions, the turns before and what was said; a key only where there is one."""
    server.answers("200 OK", message("Hi"), JSON)
    handed = replace(HANDED, history=(Turn("user", "a"), Turn("assistant", "b")))
    assert asking(server, "sk-1", "Be brief.")(handed) == ("Hi",)
    assert asking(server)(HANDED) == ("Hi",)
    first, second = server.received
    assert first.line == "POST /v1/chat/completions HTTP/1.1"
    assert (first.header("authorization"), second.header("authorization")) == ("Bearer sk-1", None)
    assert json.loads(first.body) == {
        "model": "a-model",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "a"},
            {"role": "assistant", "content": "b"},
            {"role": "user", "content": "Hello"},
        ],
        "stream": False,
        "user": HANDED.conversation,
    }
    assert [said["role"] for said in json.loads(second.body)["messages"]] == ["user"]


def test_the_address() -> None:
    """A base, with or without a slash or a query, or the whole address."""
    for base, asked in (
        ("https://h/v1", "https://h/v1/chat/completions"),
        ("https://h/api/", "https://h/api/chat/completions"),
        ("https://h/v1/chat/completions", "https://h/v1/chat/completions"),
        ("https://h/d/x?api-version=2", "https://h/d/x/chat/completions?api-version=2"),
    ):
        assert endpoint(base) == asked


def test_answers_of_every_form(server: LoopbackBot) -> None:
    """Texts, parts, refusals and nothing; what was thought before is not said."""
    for body, said in (
        (message("Hi"), "Hi"),
        (message(None, tool_calls=[{"id": "1"}]), NOTHING_SAID),
        (message(""), NOTHING_SAID),
        (message(None, refusal="I won't."), "I won't."),
        (
            message([{"type": "text", "text": "One "}, {"type": "text", "text": "two"}, {"type": "image_url"}]),
            "One two",
        ),
        (message("<think>\nsecret\n</think>\n\nHi"), "Hi"),
        (message("<Reasoning>a</Reasoning>Hi <think>b</think>there"), "Hi there"),
        (message("it began before</think>Hi"), "Hi"),
        (message("<think>cut off"), NOTHING_SAID),
        (message("The tag <think> opens it."), "The tag <think> opens it."),
    ):
        server.answers("200 OK", body, JSON)
        assert asking(server)(HANDED) == (said,)
    assert asking(server)(hand_off(replace(SAID, text=""), Reason.PAIRED, "")) == (ONLY_TEXT,)


def test_a_stream_that_nobody_asked_for(server: LoopbackBot) -> None:
    """It is put together; an error in it is one."""
    parts = [
        {"choices": [{"delta": delta}]}
        for delta in ({"role": "assistant"}, {"content": "<think>x</think>Good "}, {"content": "day."})
    ]
    lines = [
        ": ping",
        *(f"data: {json.dumps(part)}" for part in parts),
        'data: {"choices": [], "usage": {}}',
        "data: [DONE]",
    ]
    server.answers("200 OK", "\n\n".join(lines).encode(), "Content-Type: text/event-stream; charset=utf-8")
    assert asking(server)(HANDED) == ("Good day.",)
    server.answers(
        "200 OK", b'data: {"error": {"code": 400, "message": "secret"}}\n\n', "Content-Type: text/event-stream"
    )
    with pytest.raises(AgentRefusedError, match="400"):
        asking(server)(HANDED)


def test_what_is_too_long(server: LoopbackBot) -> None:
    """By code or type, or in the words of those who have none; whatever else is refused is not."""
    for status, error in (
        ("400 Bad Request", {"code": "context_length_exceeded", "message": "This model's maximum"}),
        ("400 Bad Request", {"code": 400, "type": "exceed_context_size_error", "message": "x"}),
        (
            "400 Bad Request",
            {"message": "This model's maximum context length is 4096 tokens. However, you requested 5000"},
        ),
        (
            "400 Bad Request",
            {"message": "The decoder prompt (length 5000) is longer than the maximum model length of 4096."},
        ),
        ("500 Internal Server Error", {"message": "the request exceeds the available context size. try increasing it"}),
        (
            "429 Too Many Requests",
            {"code": "rate_limit_exceeded", "message": "Request too large for gpt-x on tokens per min"},
        ),
        ("200 OK", {"code": "context_length_exceeded", "message": "x"}),
    ):
        server.answers(status, json.dumps({"error": error}).encode(), JSON)
        with pytest.raises(TooLongError):
            asking(server)(HANDED)
    server.answers("400 Bad Request", b'{"error": {"code": "model_not_found", "message": "no secret words"}}', JSON)
    with pytest.raises(AgentRefusedError, match="400 Bad Request: model_not_found") as caught:
        asking(server)(HANDED)
    assert "secret" not in str(caught.value)


def test_a_server_that_takes_no_user(server: LoopbackBot) -> None:
    """It is asked again without that field, and from then on never with it."""
    refusal = json.dumps({"object": "error", "message": {"detail": [
        {"type": "extra_forbidden", "loc": ["body", "user"], "msg": "Extra inputs are not permitted"},
    ]}}).encode()  # fmt: skip
    said = b"HTTP/1.1 200 OK\r\n%s\r\nContent-Length: %d\r\n\r\n%s" % (JSON.encode(), len(message("Hi")), message("Hi"))
    no = b"HTTP/1.1 422 Unprocessable Entity\r\n%s\r\nContent-Length: %d\r\n\r\n%s" % (
        JSON.encode(),
        len(refusal),
        refusal,
    )
    server.answer = lambda asked: no if b'"user":"' in asked.body else said
    respond = asking(server)
    assert [respond(HANDED), respond(HANDED)] == [("Hi",), ("Hi",)]
    assert len(server.received) == 3

"""Answers with a runtime on Amazon Bedrock AgentCore: one session for each conversation.

Such an agent answers JSON of any form, or a stream of events, each of which is JSON of what its handler yielded.
https://docs.aws.amazon.com/bedrock-agentcore/latest/APIReference/API_InvokeAgentRuntime.html
https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/runtime-http-protocol-contract.html
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Protocol

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from doorcode.agent.answers import MAX_ANSWER_BYTES, check_size, content_type, decoded_json, texts_of
from doorcode.agent.invocation import failure, named
from doorcode.agent.responder import AgentUnavailableError, Responder
from doorcode.pairing.hand_off import HandOff, leaving

TIMEOUT_SECONDS = 60.0
STREAM = "text/event-stream"
# How Python writes an event that its library could not write as JSON. Its text comes in other events.
UNWRITABLE = ("{'", '{"')
# Where the answer is in what agents return, from the outside in.
HOLDERS = ("result", "output", "message", "content")


class InvokeAgentRuntimeClient(Protocol):
    """What is used of a bedrock-agentcore client, as boto3 documents it."""

    def invoke_agent_runtime(self, **kwargs: Any) -> Any: ...  # noqa: D102


def running_in(client: InvokeAgentRuntimeClient, arn: str, clock: Callable[[], int]) -> Responder:
    """Return a responder that asks that runtime. ``client`` tries once: another try is another run."""

    def respond(message: HandOff) -> Sequence[str]:
        deadline = time.monotonic() + TIMEOUT_SECONDS
        # The prompt is what such agents look for; who wants more has all of it.
        payload = {"prompt": message.said, **msgspec.to_builtins(leaving(message))}
        try:
            answer = client.invoke_agent_runtime(
                agentRuntimeArn=arn,
                runtimeSessionId=message.conversation,
                contentType="application/json",
                accept=f"application/json, {STREAM}",
                payload=msgspec.json.encode(payload),
            )
            body = _read(answer["response"], deadline)
        except (BotoCoreError, ClientError) as error:
            raise failure(error, "runtime", clock()) from None
        kind, _ = content_type({"content-type": str(answer.get("contentType", ""))})
        if kind == STREAM:
            return texts_of(_streamed(_events(body)))
        if kind == "text/plain":
            return texts_of(body.decode(errors="replace"))
        return texts_of(_text(decoded_json(body or b"null")))

    return respond


def _read(stream: Any, deadline: float) -> bytes:
    """Read all that comes, for no longer than anybody waits: a stream may drip."""
    found = bytearray()
    # Whatever is asked for is waited for.
    for byte in stream.iter_chunks(1):
        found += byte
        if len(found) > MAX_ANSWER_BYTES:
            break
        if time.monotonic() > deadline:
            raise AgentUnavailableError(f"The runtime was not done within {TIMEOUT_SECONDS:.0f} seconds.")
    body = bytes(found)
    check_size(body)
    return body


def _text(value: Any) -> Any:
    """Find what is said in JSON of any form: what is known to hold the answer is looked into."""
    while isinstance(value, dict):
        if value.get("error"):
            raise AgentUnavailableError(f"The agent failed: {named(value.get('error_type'))}. Its own log says more.")
        inner = next((name for name in HOLDERS if name in value), None)
        if inner is None:
            return value
        value = value[inner]
        if inner == "content" and isinstance(value, list):
            parts = (part.get("text") for part in value if isinstance(part, dict))
            return "\n".join(text for text in parts if isinstance(text, str))
    return value


def _events(body: bytes) -> Iterator[Any]:
    """Yield the data of each server-sent event, as JSON where it is that."""
    for event in body.decode(errors="replace").replace("\r\n", "\n").replace("\r", "\n").split("\n\n"):
        lines = [line[5:].removeprefix(" ") for line in event.split("\n") if line.startswith("data:")]
        if not lines:
            continue
        data = "\n".join(lines)
        try:
            yield msgspec.json.decode(data)
        except (ValueError, RecursionError):
            yield data


def _streamed(events: Iterable[Any]) -> Any:
    """Put together what a stream says; the same words may come in more than one form, of which one is taken."""
    deltas: list[str] = []
    pieces: list[str] = []
    whole: Any = None
    for event in events:
        if isinstance(event, str):
            pieces += [] if event.startswith(UNWRITABLE) else [event]
        elif isinstance(event, dict):
            if isinstance(event.get("data"), str):
                pieces.append(event["data"])
            elif isinstance(event.get("event"), dict):
                deltas += _delta(event["event"])
            elif event.keys() & {"error", "text", "texts", *HOLDERS}:
                whole = _text(event)
    return "".join(deltas) or "".join(pieces) or whole


def _delta(event: dict[str, Any]) -> list[str]:
    try:
        text = event["contentBlockDelta"]["delta"]["text"]
    except (KeyError, TypeError):
        return []
    return [text] if isinstance(text, str) else []

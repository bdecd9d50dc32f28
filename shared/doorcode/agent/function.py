"""Answers with another Lambda function, which is given the hand-off and answers as a webhook does.

https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Any, Protocol

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from doorcode.agent.answers import MAX_ANSWER_BYTES, check_size, decoded_json, read_answer, texts_of
from doorcode.agent.invocation import failure, named
from doorcode.agent.responder import AgentRefusedError, AgentUnavailableError, Responder, TooLongError
from doorcode.pairing.hand_off import HandOff, leaving

# Lambda says so itself, and nothing that anybody wrote.
TIMED_OUT = re.compile(r"Task timed out after [0-9.]+ seconds")


class InvokeClient(Protocol):
    """What is used of a lambda client, as boto3 documents it."""

    def invoke(self, **kwargs: Any) -> Any: ...  # noqa: D102


def invoking(client: InvokeClient, arn: str, clock: Callable[[], int]) -> Responder:
    """Return a responder that invokes that function. ``client`` tries once: another try is another run."""

    def respond(message: HandOff) -> Sequence[str]:
        try:
            answer = client.invoke(
                FunctionName=arn, InvocationType="RequestResponse", Payload=msgspec.json.encode(leaving(message))
            )
            body = answer["Payload"].read(MAX_ANSWER_BYTES + 1)
        except ClientError as error:
            if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
                raise TooLongError("The function takes no conversation that long.") from None
            raise failure(error, "function", clock()) from None
        except BotoCoreError as error:
            raise failure(error, "function", clock()) from None
        # It is 200 all the same.
        if answer.get("FunctionError"):
            raise AgentUnavailableError(f"The function failed: {_why(body)}. Its own log says more.")
        check_size(body)
        said = decoded_json(body or b"null")
        return _http(said, clock()) if isinstance(said, dict) and "statusCode" in said else texts_of(said)

    return respond


def _why(body: bytes) -> str:
    try:
        told = msgspec.json.decode(body, type=dict[str, Any])
    except (ValueError, RecursionError):
        return "an error"
    found = TIMED_OUT.search(str(told.get("errorMessage")))
    return found[0] if found else named(told.get("errorType"))


def _http(answer: dict[str, Any], now: int) -> Sequence[str]:
    """Read what a function answers that is made for API Gateway or a function URL, where JSON is what is not said."""
    try:
        status = int(answer["statusCode"])
        given = {str(name).lower(): str(value) for name, value in (answer.get("headers") or {}).items()}
        body = str(answer.get("body") or "").encode()
        if answer.get("isBase64Encoded"):
            body = base64.b64decode(body, validate=True)
    except (TypeError, ValueError, AttributeError):
        raise AgentRefusedError("The function answered with a statusCode, but not as API Gateway takes it.") from None
    return read_answer(status, {"content-type": "application/json", **given}, body, now)

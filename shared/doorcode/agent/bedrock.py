"""Answers from a model on Amazon Bedrock, with the Converse API.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from botocore.exceptions import ClientError

from doorcode.agent.responder import TOO_LONG, Responder, TooLongError, reading_text
from doorcode.pairing.hand_off import HandOff, Turn
from doorcode.pairing.texts import NOTHING_SAID

MAX_TOKENS = 1024
# It has one error for whatever a model refuses.
REFUSED = "ValidationException"


class ConverseClient(Protocol):
    """What is used of a bedrock-runtime client, as boto3 documents it."""

    def converse(self, **kwargs: Any) -> Any: ...  # noqa: D102


def converse_with(client: ConverseClient, model_id: str, instructions: Callable[[], str]) -> Responder:
    """Return a responder that asks that model, with the instructions as they are at the time."""

    def respond(message: HandOff) -> tuple[str]:
        system = instructions()
        turns = (*message.history, Turn("user", message.text))
        try:
            answer = client.converse(
                modelId=model_id,
                messages=[{"role": turn.role, "content": [{"text": turn.text}]} for turn in turns],
                inferenceConfig={"maxTokens": MAX_TOKENS},
                **({"system": [{"text": system}]} if system else {}),
            )
        except ClientError as error:
            told = error.response.get("Error", {})
            if told.get("Code") == REFUSED and TOO_LONG.search(told.get("Message", "")):
                raise TooLongError("The model takes no conversation that long.") from None
            raise
        said = [part["text"] for part in answer["output"]["message"]["content"] if part.get("text")]
        return ("\n".join(said).strip() or NOTHING_SAID,)

    return reading_text(respond)

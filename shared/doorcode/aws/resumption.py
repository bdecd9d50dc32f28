"""Lets what is paused go on with an answer: a Lambda durable function, or a task of a Step Functions state machine.

Whatever the answer, it is sent as a success with the state in it: a failure would raise where it arrives, and be tried again.

https://docs.aws.amazon.com/lambda/latest/api/API_SendDurableExecutionCallbackSuccess.html
https://docs.aws.amazon.com/step-functions/latest/apireference/API_SendTaskSuccess.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from doorcode.asking.question import Resume, ResumeKind
from doorcode.errors import UnavailableError

# It waits no more, or never did: no other try would find it.
GONE = frozenset(
    {
        *("CallbackTimeoutException", "ResourceNotFoundException", "InvalidParameterValueException"),
        *("TaskTimedOut", "TaskDoesNotExist", "InvalidToken"),
    }
)


class Resumption:
    """Tells AWS. Its clients are built when the first answer of their kind comes: few stacks resume anything."""

    def __init__(self, client: Callable[[str], Any], *, transport_errors: tuple[type[Exception], ...] = ()) -> None:
        """Build clients, as boto3 documents them, with ``client``; ``transport_errors`` are what they raise when no answer came."""
        self._client = client
        self._transport_errors = transport_errors
        self._clients: dict[ResumeKind, Any] = {}

    def tell(self, resume: Resume, result: bytes) -> bool:
        """Let it go on with ``result``, which is JSON; tell whether it still waited. Raises UnavailableError, without its token."""
        try:
            if resume.kind is ResumeKind.DURABLE:
                client = self._client_of(resume.kind, "lambda")
                client.send_durable_execution_callback_success(CallbackId=resume.token, Result=result)
            else:
                client = self._client_of(resume.kind, "stepfunctions")
                client.send_task_success(taskToken=resume.token, output=result.decode())
        except self._transport_errors as error:
            raise UnavailableError("resume what is paused", type(error).__name__) from None
        except Exception as error:
            response = getattr(error, "response", None)
            if not isinstance(response, Mapping):
                raise
            code = str(response.get("Error", {}).get("Code", "unknown"))
            if code in GONE:
                return False
            raise UnavailableError("resume what is paused", code) from None
        return True

    def _client_of(self, kind: ResumeKind, service: str) -> Any:
        if kind not in self._clients:
            self._clients[kind] = self._client(service)
        return self._clients[kind]

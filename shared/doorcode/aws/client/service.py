"""AWS's JSON protocols: an operation and its arguments in, its answer or a ServiceError out.

https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html
"""

from __future__ import annotations

import binascii
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from doorcode.aws.client.answer import HttpAnswer
from doorcode.aws.client.clock import ServiceClock, moment_of
from doorcode.aws.client.connection import Connection
from doorcode.aws.client.errors import BadAnswerError, ServiceError
from doorcode.aws.client.signature import DATE, Credentials, RequestForm, Signer

# The errors of a signature that has expired or is not yet valid, among other things that are wrong with one.
OF_TIME = frozenset(
    {
        "InvalidSignatureException",
        "RequestExpired",
        "RequestInTheFuture",
        "RequestTimeTooSkewed",
        "SignatureDoesNotMatch",
    }
)
OK = 200
# What of an error's body is more than its code and message, and read by anybody.
DETAILS = ("CancellationReasons", "Item")


class Api(Struct, frozen=True):
    """What a service goes by: in endpoints and signatures, before the names of its operations, its JSON's version."""

    name: str
    target: str
    json: str


class Service:
    """One service in one region."""

    def __init__(  # noqa: PLR0913 (what a request is made of)
        self,
        api: Api,
        connection: Connection,
        *,
        credentials: Credentials,
        region: str,
        clock: ServiceClock,
        seconds: float,
    ) -> None:
        """Speak to a service by ``connection``; an answer takes ``seconds`` at most."""
        self._connection = connection
        self._signer = Signer(credentials, region, api.name)
        self._clock = clock
        self._target = api.target
        self._seconds = seconds
        self._headers = {"content-type": f"application/x-amz-json-{api.json}", "host": connection.endpoint.authority}
        if credentials.session_token:
            self._headers["x-amz-security-token"] = credentials.session_token
        self._operations: dict[str, tuple[str, RequestForm]] = {}

    def call(self, operation: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Carry out an operation. Raises ServiceError, and TransportError where no usable answer came."""
        body = msgspec.json.encode(arguments)
        answer, signed_at = self._post(operation, body)
        if (
            answer.status != OK
            and _code(answer, _content(answer)) in OF_TIME
            and self._clock.corrects(signed_at, answer.headers.get("date", ""))
        ):
            # Refused for its time before anything else was looked at: the same again is no second request.
            answer, _ = self._post(operation, body)
        content = _content(answer)
        if answer.status != OK:
            raise _error(operation, answer, content)
        if content is None:
            raise self._distrusted("not a JSON object")
        return content

    def close(self) -> None:
        """Hang up; the next call connects anew."""
        self._connection.close()

    def _post(self, operation: str, body: bytes) -> tuple[HttpAnswer, float]:
        signed_at = 0.0
        lines, form = self._prepared(operation)

        def request() -> bytes:
            nonlocal signed_at
            signed_at = self._clock.now()
            moment = moment_of(signed_at)
            head = (
                f"{lines}{DATE}: {moment}\r\nauthorization: {form.authorization(body, moment)}\r\n"
                f"content-length: {len(body)}\r\n\r\n"
            )
            return head.encode("ascii") + body

        answer = self._connection.post(request, self._seconds)
        checksum = answer.headers.get("x-amz-crc32")
        if checksum is not None and checksum != str(binascii.crc32(answer.body)):
            raise self._distrusted("wrong checksum")
        return answer, signed_at

    def _prepared(self, operation: str) -> tuple[str, RequestForm]:
        """Return how each request for an operation begins, and the form of its signature; made once."""
        if operation not in self._operations:
            headers = {**self._headers, "x-amz-target": f"{self._target}.{operation}"}
            unsigned = {"accept-encoding": "identity"}
            lines = "".join(f"{name}: {value}\r\n" for name, value in (headers | unsigned).items())
            self._operations[operation] = f"POST / HTTP/1.1\r\n{lines}", self._signer.form(headers)
        return self._operations[operation]

    def _distrusted(self, detail: str) -> BadAnswerError:
        """Hang up on whoever says such things."""
        self.close()
        return BadAnswerError(detail, sent=True)


def _content(answer: HttpAnswer) -> dict[str, Any] | None:
    try:
        content = msgspec.json.decode(answer.body)
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def _code(answer: HttpAnswer, content: Mapping[str, Any] | None) -> str:
    """Return an error's code, without the namespace and address that it may come with."""
    # As SQS called its errors before it spoke JSON, which is what boto3 calls them still.
    older = answer.headers.get("x-amzn-query-error", "").partition(";")[0]
    code = older or (content or {}).get("__type") or answer.headers.get("x-amzn-errortype") or answer.status
    return str(code).partition(":")[0].rpartition("#")[2]


def _error(operation: str, answer: HttpAnswer, content: Mapping[str, Any] | None) -> ServiceError:
    known = content or {}
    return ServiceError(
        operation,
        {
            "Error": {"Code": _code(answer, content), "Message": known.get("message") or known.get("Message") or ""},
            "ResponseMetadata": {
                "HTTPStatusCode": answer.status,
                "RequestId": answer.headers.get("x-amzn-requestid", ""),
            },
            **{name: known[name] for name in DETAILS if name in known},
        },
    )

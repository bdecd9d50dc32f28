"""The whole stack on this machine: built for it, deployed onto ministack, reached over HTTP.

Everything is uploaded once, as the sandbox does it; each stack, and each change of one, is made of that. ministack enforces each
function's role here; its gaps are told in doorcode_sandbox.deployment.
"""

import contextlib
import functools
import http.client
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from doorcode_sandbox import deployment
from doorcode_sandbox.emulator_guard import FRONT_HEADER, front_word
from tests.backends import dynamodb, emulators
from tests.infra.build import build_local, local_build_held
from tests.infra.template import group_of

# What is let through to the stack's API: see doorcode_sandbox.emulator_guard.
FRONT_WORD = front_word(emulators.KEYS)
Headers = Mapping[str, str] | Sequence[tuple[str, str]]


class Reply(NamedTuple):
    """An HTTP response."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, parsed; None where there is none."""
        return json.loads(self.body) if self.body else None


@dataclass(eq=False)
class Cloud:
    """A running ministack, and the build that is deployed onto it."""

    url: str
    _template: str = ""

    @functools.cache  # noqa: B019 (lives as long as the session)
    def client(self, service: str) -> Any:
        """Return a low-level client with an administrator's credentials. It is safe to share between threads."""
        return dynamodb.client(service, self.url)

    def deploy(self, name: str = "doorcode", **parameters: object) -> "Stack":
        """Deploy the stack under that name, or update it, with these template parameters; the others as they were."""
        if not self._template:
            with local_build_held() as built:
                self._template = deployment.package(self.client, built, "doorcode-tests")
        deployment.deploy(self.client, name, self._template, parameters)
        deployment.make_good(self.client, name)
        return Stack(self, name)

    def delete(self, name: str) -> None:
        """Delete a stack and wait until it is gone."""
        self.client("cloudformation").delete_stack(StackName=name)
        deployment.wait(self.client("cloudformation"), "stack_delete_complete", name)


@dataclass(eq=False)
class Stack:
    """A deployed stack. ``outputs`` are the template's."""

    cloud: Cloud
    name: str
    outputs: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.outputs = deployment.outputs(self.client, self.name)

    def client(self, service: str) -> Any:
        """Return a low-level client with an administrator's credentials."""
        return self.cloud.client(service)

    def redeploy(self, **parameters: object) -> None:
        """Change these template parameters, and leave the others as they were."""
        self.cloud.deploy(self.name, **parameters)

    def resource(self, logical_id: str) -> str:
        """Return the physical id of one of the template's resources, such as the name of ``TelegramFunction``."""
        return deployment.resource(self.client, self.name, logical_id)

    # The front door

    @property
    def host(self) -> str:
        """What a request names as its Host: ministack finds the API by it."""
        return urlsplit(self.outputs["TelegramWebhookUrl"]).netloc

    def post(self, function: str, body: bytes, headers: Headers = ()) -> Reply:
        """Send a webhook. A sequence of headers may name one twice."""
        pairs = headers.items() if isinstance(headers, Mapping) else headers
        return self.request("POST", f"/{function}", body, pairs)

    def request(self, method: str, path: str, body: bytes = b"", headers: Iterable[tuple[str, str]] = ()) -> Reply:
        """Send any request to the API."""
        connection = http.client.HTTPConnection(urlsplit(self.cloud.url).netloc, timeout=60)
        with contextlib.closing(connection):
            connection.putrequest(method, path, skip_host=True)
            for name, value in (
                ("Host", self.host),
                (FRONT_HEADER, FRONT_WORD),
                ("Content-Length", str(len(body))),
                *headers,
            ):
                connection.putheader(name, value)
            connection.endheaders(body)
            response = connection.getresponse()
            return Reply(
                response.status, {name.lower(): value for name, value in response.headers.items()}, response.read()
            )

    # What lies behind it

    @property
    def table(self) -> str:
        """The table's name."""
        return self.outputs["TableName"]

    def items(self) -> list[dict[str, Any]]:
        """Return everything in the table, in DynamoDB's form."""
        pages = self.client("dynamodb").get_paginator("scan").paginate(TableName=self.table, ConsistentRead=True)
        return [item for page in pages for item in page["Items"]]

    def clear(self) -> None:
        """Empty the table and the queues."""
        for item in self.items():
            self.client("dynamodb").delete_item(TableName=self.table, Key={key: item[key] for key in ("pk", "sk")})
        for queue in ("AgentQueue", "AgentDeadLetters", "EffectsQueue", "EffectsDeadLetters"):
            self.client("sqs").purge_queue(QueueUrl=self.resource(queue))

    def rest(self) -> None:
        """Have nothing start relay, courier and agent: what they would take stays to be seen."""
        functions = self.client("lambda")
        for source in ("RelaySource", "CourierSource", "AgentSource"):
            functions.update_event_source_mapping(UUID=self.resource(source), Enabled=False)

    def invoke(self, function: str, event: object) -> Any:
        """Invoke a function directly and return what it returns. Raises AssertionError if it fails."""
        answer = self.client("lambda").invoke(
            FunctionName=self.resource(f"{function.capitalize()}Function"), Payload=json.dumps(event)
        )
        body = answer["Payload"].read()
        assert "FunctionError" not in answer, body
        return json.loads(body)

    def admitted(self, wait: int = 0) -> list[dict[str, Any]]:
        """Take what was handed to the agent off its queue, in order; ``wait`` is in seconds."""
        return self.taken("AgentQueue", wait)

    def taken(self, queue_id: str, wait: int = 0) -> list[dict[str, Any]]:
        """Take what is in a queue of the template, in order; ``wait`` is in seconds."""
        queue = self.resource(queue_id)
        messages: list[dict[str, Any]] = []
        while True:
            answer = self.client("sqs").receive_message(
                QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=wait, MessageSystemAttributeNames=["All"]
            )
            if not answer.get("Messages"):
                return messages
            for message in answer["Messages"]:
                self.client("sqs").delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
                messages.append(message)

    def secret(self, name: str) -> str:
        """Read one of the stack's secrets."""
        path = f"{self.outputs['ParameterPrefix']}/{name}"
        value: str = self.client("ssm").get_parameter(Name=path, WithDecryption=True)["Parameter"]["Value"]
        return value

    def set_secret(self, name: str, value: str) -> None:
        """Set one of the stack's secrets, whatever it was. Functions that are running keep what they have read."""
        path = f"{self.outputs['ParameterPrefix']}/{name}"
        self.client("ssm").put_parameter(Name=path, Value=value, Type="SecureString", Overwrite=True)

    def log(self, function: str) -> list[dict[str, Any]]:
        """Return what a function has logged: its records, and under ``message`` alone what is none.

        A stream is one function's; lines that do not say whose they are belong to it.
        """
        pages = (
            self.client("logs")
            .get_paginator("filter_log_events")
            .paginate(logGroupName=f"/doorcode/{self.name}/{group_of(function)}")
        )
        lines = [
            (event["logStreamName"], _record(event["message"]))
            for page in pages
            for event in page["events"]
            if not event["message"].startswith(("START ", "END ", "REPORT "))
        ]
        its = {stream for stream, record in lines if record.get("logger") == f"doorcode.{function}"}
        return [record for stream, record in lines if stream in its]


@contextlib.contextmanager
def start() -> Iterator[Cloud]:
    """Run a ministack that enforces roles, with the build that fits it at hand. Raises EmulatorError."""
    build_local()
    with emulators.ministack({"AUTH": "true"}) as url:
        yield Cloud(url)


def _record(line: str) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except ValueError:
        return {"message": line}
    return record if isinstance(record, dict) else {"message": line}

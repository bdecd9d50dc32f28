"""What a function asks of AWS, recorded as it asks, and put into IAM's terms."""

import copy
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest

from tests.harness import RecordingClient
from tests.infra.policy import Call
from tests.infra.template import PSEUDO

REGION_AND_ACCOUNT = f"{PSEUDO['AWS::Region']}:{PSEUDO['AWS::AccountId']}"
PROFILE_KEY = "bedrock:InferenceProfileArn"
# The parts of a transaction are authorised like the calls that they stand for.
TRANSACTION_PARTS = {
    "Update": "UpdateItem",
    "ConditionCheck": "ConditionCheckItem",
    "Put": "PutItem",
    "Delete": "DeleteItem",
    "Get": "GetItem",
}


class Asked(NamedTuple):
    """One call as a client was asked to make it."""

    function: str
    service: str
    operation: str
    arguments: Mapping[str, Any]


class Recorder:
    """Notes the calls of every client of a session, while some function is at work; all others are the tests' own."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self._at_work = ""

    def listen(self, session: Any) -> None:
        """Listen to all clients that this session will build."""
        session.events.register("provide-client-params", self._note)

    def overhear(self, client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """Listen to a client of boto3's that was built before, and tells no session of what takes the short way."""
        call = client._make_api_call

        def heard(operation: str, params: Mapping[str, Any]) -> Any:
            self._take(client.meta.service_model.signing_name, operation, params)
            return call(operation, params)

        monkeypatch.setattr(client, "_make_api_call", heard, raising=False)

    def hear(self, service: str, client: RecordingClient) -> None:
        """Listen to a client that is not boto3's."""

        def note(method: str) -> None:
            operation = method.title().replace("_", "")
            self._take(service, operation, client.arguments[-1])

        client.before = note

    def _note(self, params: Mapping[str, Any], model: Any, **_: Any) -> None:
        self._take(model.service_model.signing_name, model.name, params)

    def _take(self, service: str, operation: str, arguments: Mapping[str, Any]) -> None:
        if self._at_work:
            self.asked.append(Asked(self._at_work, service, operation, copy.deepcopy(arguments)))

    @contextmanager
    def at_work(self, function: str) -> Iterator[None]:
        """Take what is asked inside the block for that function's."""
        assert not self._at_work, "one function never runs another"
        self._at_work = function
        try:
            yield
        finally:
            self._at_work = ""

    def watched(self, method: Callable[..., Any], name: Callable[[Any], str]) -> Callable[..., Any]:
        """Return that method of a function's own object; ``name`` tells whose it is."""

        def work(itself: Any, *args: Any, **kwargs: Any) -> Any:
            with self.at_work(name(itself)):
                return method(itself, *args, **kwargs)

        return work


class Names(NamedTuple):
    """What a function was run with here, and what the template gives to it under the same names."""

    here: Mapping[str, str]
    template: Mapping[str, str]

    def given(self, value: str) -> str:
        """Return what the template gives for a value of here."""
        (variable,) = (name for name, known in self.here.items() if known == value)
        return self.template[variable]


def in_terms_of_iam(asked: Asked, names: Names) -> list[Call]:
    """Return what IAM is asked for a call, on the template's resources. A call that is not known here fails."""
    return _SERVICES[asked.service](asked.operation, asked.arguments, names)


def arn(service: str, rest: str) -> str:
    """Return the ARN of a resource of this account and region."""
    return f"arn:{PSEUDO['AWS::Partition']}:{service}:{REGION_AND_ACCOUNT}:{rest}"


def keyed(action: str, table: str, *partitions: str, index: str = "") -> Call:
    """Return a call about partitions of a table or its index. Whoever it is about, it is user 1."""
    resource = arn("dynamodb", f"table/{table}" + (f"/index/{index}" if index else ""))
    # Whoever it is, and however many of them in one batch.
    anybody = dict.fromkeys(
        re.sub(r"((?:^|#)(?:telegram|slack|discord|whatsapp)|^asks?)#.+", r"\1#1", partition)
        for partition in partitions
    )
    return Call(f"dynamodb:{action}", resource, (("dynamodb:LeadingKeys", tuple(anybody)),))


def _dynamodb(operation: str, arguments: Mapping[str, Any], names: Names) -> list[Call]:
    if operation in {"TransactWriteItems", "TransactGetItems"}:
        parts = [next(iter(part.items())) for part in arguments["TransactItems"]]
        return [_item(TRANSACTION_PARTS[kind], part, names) for kind, part in parts]
    if operation == "BatchGetItem":
        return [
            keyed("BatchGetItem", names.given(table), *sorted({key["pk"]["S"] for key in asked["Keys"]}))
            for table, asked in arguments["RequestItems"].items()
        ]
    if operation == "Query":
        column = "listing" if "IndexName" in arguments else "pk"
        expression, values = arguments["KeyConditionExpression"], arguments["ExpressionAttributeValues"]
        # What narrows the sort key as well is no matter of IAM.
        assert expression.split(" AND ")[0] == f"{column} = :{column}", expression
        partition = values[f":{column}"]["S"]
        return [keyed("Query", names.given(arguments["TableName"]), partition, index=arguments.get("IndexName", ""))]
    assert operation in TRANSACTION_PARTS.values(), operation
    return [_item(operation, arguments, names)]


def _item(operation: str, arguments: Mapping[str, Any], names: Names) -> Call:
    key = arguments["Item" if operation == "PutItem" else "Key"]
    return keyed(operation, names.given(arguments["TableName"]), key["pk"]["S"])


def _ssm(operation: str, arguments: Mapping[str, Any], names: Names) -> list[Call]:
    def parameter(path: str) -> str:
        prefix = names.here["PARAMETER_PREFIX"]
        assert path.startswith(f"{prefix}/")
        return arn("ssm", f"parameter{names.given(prefix)}{path.removeprefix(prefix)}")

    if operation == "PutParameter":
        overwrites = str(arguments.get("Overwrite", False)).lower()
        return [Call("ssm:PutParameter", parameter(arguments["Name"]), (("ssm:Overwrite", (overwrites,)),))]
    # Each name is authorised on its own, and one that is refused fails them all.
    assert operation == "GetParameters", operation
    return [Call("ssm:GetParameters", parameter(path)) for path in arguments["Names"]]


def _sqs(operation: str, arguments: Mapping[str, Any], names: Names) -> list[Call]:
    action = {
        "SendMessage": "SendMessage",
        "SendMessageBatch": "SendMessage",
        "ChangeMessageVisibility": "ChangeMessageVisibility",
    }[operation]
    return [Call(f"sqs:{action}", arn("sqs", names.given(arguments["QueueUrl"])))]


def _events(operation: str, arguments: Mapping[str, Any], _: Names) -> list[Call]:
    assert operation == "PutEvents", operation
    return [
        Call(
            "events:PutEvents",
            arn("events", f"event-bus/{entry.get('EventBusName', 'default')}"),
            (("events:source", (entry["Source"],)),),
        )
        for entry in arguments["Entries"]
    ]


def _bedrock(operation: str, arguments: Mapping[str, Any], names: Names) -> list[Call]:
    # Converse has no action of its own. A profile is named by where it answers from, before the model's own name.
    assert operation == "Converse", operation
    model = names.template["AGENT_MODEL"]
    if len(arguments["modelId"].split(".")) == 2:
        return [Call("bedrock:InvokeModel", f"arn:aws:bedrock:{PSEUDO['AWS::Region']}::foundation-model/{model}")]
    profile = arn("bedrock", f"inference-profile/{model}")
    return [
        Call("bedrock:InvokeModel", profile),
        # In each region that the profile stands for.
        *(
            Call(
                "bedrock:InvokeModel",
                f"arn:aws:bedrock:{region}::foundation-model/{model}",
                ((PROFILE_KEY, (profile,)),),
            )
            for region in (PSEUDO["AWS::Region"], "eu-west-1")
        ),
    ]


def _lambda(operation: str, _: Mapping[str, Any], names: Names) -> list[Call]:
    if operation == "SendDurableExecutionCallbackSuccess":
        # It is authorised against the execution, which the callback's id alone tells.
        return [Call(f"lambda:{operation}", arn("lambda", "function:f:1/durable-execution/e/1"))]
    assert operation == "Invoke", operation
    return [Call("lambda:InvokeFunction", names.template["AGENT_ARN"])]


def _states(operation: str, _: Mapping[str, Any], __: Names) -> list[Call]:
    # It is authorised against the state machine, which the task's token alone tells.
    assert operation == "SendTaskSuccess", operation
    return [Call("states:SendTaskSuccess", arn("states", "stateMachine:m"))]


def _agentcore(operation: str, arguments: Mapping[str, Any], names: Names) -> list[Call]:
    # Without a qualifier it is the runtime's DEFAULT endpoint; to send a user's id would be another right.
    assert operation == "InvokeAgentRuntime", operation
    assert not arguments.keys() & {"runtimeUserId", "qualifier"}
    runtime = names.template["AGENT_ARN"]
    return [
        Call("bedrock-agentcore:InvokeAgentRuntime", place)
        for place in (runtime, f"{runtime}/runtime-endpoint/DEFAULT")
    ]


def _cloudwatch(operation: str, _: Mapping[str, Any], __: Names) -> list[Call]:
    # Not about any resource, and no condition key tells which metrics are meant.
    assert operation == "GetMetricData", operation
    return [Call("cloudwatch:GetMetricData", "*")]


_SERVICES: dict[str, Callable[[str, Mapping[str, Any], Names], list[Call]]] = {
    "dynamodb": _dynamodb,
    "ssm": _ssm,
    "sqs": _sqs,
    "events": _events,
    "bedrock": _bedrock,
    "lambda": _lambda,
    "bedrock-agentcore": _agentcore,
    "states": _states,
    "monitoring": _cloudwatch,
}

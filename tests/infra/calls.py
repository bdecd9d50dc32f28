"""What a function asks of AWS, recorded as it asks, and put into IAM's terms."""

import copy
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from tests.infra.policy import Call
from tests.infra.template import PSEUDO, functions

REGION_AND_ACCOUNT = f"{PSEUDO['AWS::Region']}:{PSEUDO['AWS::AccountId']}"
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

    def _note(self, params: Mapping[str, Any], model: Any, **_: Any) -> None:
        if self._at_work:
            service = model.service_model.signing_name
            self.asked.append(Asked(self._at_work, service, model.name, copy.deepcopy(params)))

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


def in_terms_of_iam(asked: Asked, environment: Mapping[str, str]) -> list[Call]:
    """Return what IAM is asked for a call.

    ``environment`` is what the function was run with: each name in it that the call uses stands for the resource that
    the template gives to the function under the same name. A call that is not known here fails.
    """

    def given(value: str) -> str:
        (variable,) = (name for name, known in environment.items() if known == value)
        resource: str = functions()[asked.function]["Environment"]["Variables"][variable]
        return resource

    return _SERVICES[asked.service](asked.operation, asked.arguments, given, environment)


def arn(service: str, rest: str) -> str:
    """Return the ARN of a resource of this account and region."""
    return f"arn:{PSEUDO['AWS::Partition']}:{service}:{REGION_AND_ACCOUNT}:{rest}"


def keyed(action: str, table: str, *partitions: str, index: str = "") -> Call:
    """Return a call about partitions of a table or its index."""
    resource = arn("dynamodb", f"table/{table}" + (f"/index/{index}" if index else ""))
    return Call(f"dynamodb:{action}", resource, (("dynamodb:LeadingKeys", partitions),))


Given = Callable[[str], str]


def _dynamodb(operation: str, arguments: Mapping[str, Any], given: Given, _: Mapping[str, str]) -> list[Call]:
    if operation in {"TransactWriteItems", "TransactGetItems"}:
        parts = [next(iter(part.items())) for part in arguments["TransactItems"]]
        return [_item(TRANSACTION_PARTS[kind], part, given) for kind, part in parts]
    if operation == "BatchGetItem":
        return [
            keyed("BatchGetItem", given(table), *sorted({key["pk"]["S"] for key in asked["Keys"]}))
            for table, asked in arguments["RequestItems"].items()
        ]
    if operation == "Query":
        column = "listing" if "IndexName" in arguments else "pk"
        expression, values = arguments["KeyConditionExpression"], arguments["ExpressionAttributeValues"]
        assert expression == f"{column} = :{column}", expression
        partition = values[f":{column}"]["S"]
        return [keyed("Query", given(arguments["TableName"]), partition, index=arguments.get("IndexName", ""))]
    assert operation in TRANSACTION_PARTS.values(), operation
    return [_item(operation, arguments, given)]


def _item(operation: str, arguments: Mapping[str, Any], given: Given) -> Call:
    key = arguments["Item" if operation == "PutItem" else "Key"]
    return keyed(operation, given(arguments["TableName"]), key["pk"]["S"])


def _ssm(operation: str, arguments: Mapping[str, Any], given: Given, environment: Mapping[str, str]) -> list[Call]:
    def parameter(path: str) -> str:
        prefix = environment["PARAMETER_PREFIX"]
        assert path.startswith(f"{prefix}/")
        return arn("ssm", f"parameter{given(prefix)}{path.removeprefix(prefix)}")

    if operation == "PutParameter":
        overwrites = str(arguments.get("Overwrite", False)).lower()
        return [Call("ssm:PutParameter", parameter(arguments["Name"]), (("ssm:Overwrite", (overwrites,)),))]
    # Each name is authorised on its own, and one that is refused fails them all.
    assert operation == "GetParameters", operation
    return [Call("ssm:GetParameters", parameter(path)) for path in arguments["Names"]]


def _sqs(operation: str, arguments: Mapping[str, Any], given: Given, _: Mapping[str, str]) -> list[Call]:
    action = {
        "SendMessage": "SendMessage",
        "SendMessageBatch": "SendMessage",
        "ChangeMessageVisibility": "ChangeMessageVisibility",
    }[operation]
    return [Call(f"sqs:{action}", arn("sqs", given(arguments["QueueUrl"])))]


def _events(operation: str, arguments: Mapping[str, Any], _: Given, __: Mapping[str, str]) -> list[Call]:
    assert operation == "PutEvents", operation
    return [
        Call(
            "events:PutEvents",
            arn("events", f"event-bus/{entry.get('EventBusName', 'default')}"),
            (("events:source", (entry["Source"],)), ("events:detail-type", (entry["DetailType"],))),
        )
        for entry in arguments["Entries"]
    ]


def _bedrock(operation: str, arguments: Mapping[str, Any], given: Given, _: Mapping[str, str]) -> list[Call]:
    # Converse has no action of its own.
    assert operation == "Converse", operation
    model = f"foundation-model/{given(arguments['modelId'])}"
    return [Call("bedrock:InvokeModel", f"arn:{PSEUDO['AWS::Partition']}:bedrock:{PSEUDO['AWS::Region']}::{model}")]


_SERVICES: dict[str, Callable[[str, Mapping[str, Any], Given, Mapping[str, str]], list[Call]]] = {
    "dynamodb": _dynamodb,
    "ssm": _ssm,
    "sqs": _sqs,
    "events": _events,
    "bedrock": _bedrock,
}

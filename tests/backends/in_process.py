"""AWS in process: moto, without what it does over and over for nothing.

What is asked all the time goes straight to moto's own code for it, and past the web that it pretends to be: past boto3's
request and moto's reading of it, and the same back again. What it refuses takes the whole way, which says so as AWS does.
Whatever else it is asked, it looks for the service among those alone that the tests use, in one region, and Parameter Store
comes without the machines of EC2, whose images it would list. Expressions are read once. A table's stream, of which every
transaction keeps a copy to go back to, is copied without the records in it, which nobody changes, and their sizes are not
told; nor is an item's whose attributes are few and short. What is worked out from a name alone is worked out once.
"""

import contextlib
import copy
import datetime as dt
import functools
import importlib
import json
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import boto3
import jsonpath_ng.ext
import moto.core.responses
import moto.core.serialize
import moto.dynamodb.comparisons
import moto.dynamodb.models
import moto.dynamodb.models.table
import moto.sqs.models
from botocore import useragent
from botocore.client import BaseClient
from botocore.validate import validate_parameters
from moto import backend_index, mock_aws
from moto.backends import get_backend
from moto.core.base_backend import AccountSpecificBackend
from moto.core.botocore_stubber import BotocoreStubber
from moto.core.common_types import TYPE_RESPONSE
from moto.core.exceptions import ServiceException
from moto.core.models import DEFAULT_ACCOUNT_ID, botocore_stubber
from moto.core.responses import ActionResult, BaseResponse
from moto.core.utils import camelcase_to_underscores
from moto.dynamodb.models.dynamo_type import DynamoType, LimitedSizeDict
from moto.dynamodb.models.table import StreamShard
from moto.dynamodb.models.utilities import dynamo_to_dict
from werkzeug.exceptions import HTTPException

from tests.backends import expressions

REGION = "us-east-1"
SERVICES = ("cloudwatch", "dynamodb", "events", "logs", "sqs", "ssm")
"""What is mocked. A call to another service is answered as one that is not there."""


@contextlib.contextmanager
def aws(*empty: str) -> Iterator[None]:
    """Mock AWS. Where it is mocked already, moto keeps what it holds, save of the services named here."""
    with mock_aws():
        for service in empty:
            backend: Any = get_backend(service)  # type: ignore[call-overload]
            backend[DEFAULT_ACCOUNT_ID][REGION].reset()
        yield


def put_secret(name: str, value: str, *, kind: str = "SecureString") -> None:
    """Lay a parameter down where Parameter Store finds it, as its own call would: nothing is tried by that call itself."""
    store: Any = get_backend("ssm")[DEFAULT_ACCOUNT_ID][REGION]
    store.put_parameter(name, None, value, kind, None, None, True, None, "text", tier=None, policies=None)


def table(name: str) -> Any:
    """Give a table as moto keeps it."""
    tables: Any = get_backend("dynamodb")[DEFAULT_ACCOUNT_ID][REGION]
    return tables.get_table(name)


def secrets() -> dict[str, str]:
    """Return every SecureString as it stands there now."""
    store: Any = get_backend("ssm")[DEFAULT_ACCOUNT_ID][REGION]
    found = map(store.get_parameter, store._parameters.get_keys_beginning_with("/", recursive=True))
    return {one.name: one.decrypt(one.value) for one in found if one.parameter_type == "SecureString"}


@functools.cache
def client(service: str) -> Any:
    """Give the one client of a service in process: it holds nothing, so that every test and thread may have it."""
    made = boto3.session.Session("made", "up", region_name=REGION).client(service)
    if service in STRAIGHT:
        made._make_api_call = functools.partial(_asked, made, service)
    return made


STRAIGHT = {
    "dynamodb": {
        *("GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan", "BatchGetItem", "BatchWriteItem"),
        *("TransactWriteItems", "TransactGetItems", "CreateTable", "DescribeTable", "UpdateTimeToLive"),
    },
    "events": {"PutEvents", "PutRule", "PutTargets"},
    "sqs": {
        *("CreateQueue", "DeleteQueue", "GetQueueAttributes", "SendMessage", "SendMessageBatch", "ReceiveMessage"),
        *("ChangeMessageVisibility", "DeleteMessage", "DeleteMessageBatch", "PurgeQueue"),
    },
    "ssm": {"GetParameters", "PutParameter", "DeleteParameter"},
}
"""What is asked all the time."""
DATED = {"CreateTable", "DescribeTable", "GetParameters"}
"""Where there are dates in the answers, which are read as boto3 reads them."""
APIS = {"DynamoDB_20120810": "dynamodb", "AWSEvents": "events", "AmazonSQS": "sqs", "AmazonSSM": "ssm"}
"""The services by what their requests call them."""


@functools.cache
def _handler(service: str) -> Any:
    responses = importlib.import_module(f"moto.{service}.responses")
    (handler,) = (
        made
        for made in vars(responses).values()
        if isinstance(made, type) and issubclass(made, BaseResponse) and made.__module__ == responses.__name__
    )
    return handler


def _straight(service: str, operation: str, body: str) -> str | None:
    """Give the JSON that moto answers to a request; None where it refuses, which has had no effect."""
    handler = _handler(service)()
    handler.current_account, handler.region, handler.partition = DEFAULT_ACCOUNT_ID, REGION, "aws"
    handler.uri, handler.uri_match = f"https://{service}.{REGION}.amazonaws.com/", {}
    handler.querystring, handler.response_headers = {}, {}
    handler.params = json.loads(body)
    handler.body = handler.params if service == "dynamodb" else body
    try:
        answer = getattr(handler, _method(operation))()
    except (ServiceException, HTTPException):
        return None
    if isinstance(answer, ActionResult):
        result: Any = answer.result or {}
        # What moto says of what it has not got, and what only its own parts read.
        return json.dumps({name: value for name, value in result.items() if value is not None}, default=_in_seconds)
    return str(answer if isinstance(answer, str) else answer[0])


_method = functools.cache(camelcase_to_underscores)


def _in_seconds(date: dt.datetime) -> float:
    return date.replace(tzinfo=dt.UTC).timestamp()


def _asked(client: Any, service: str, operation: str, params: dict[str, Any]) -> Any:
    if botocore_stubber.enabled and operation in STRAIGHT[service]:
        model = client.meta.service_model.operation_model(operation)
        validate_parameters(params, model.input_shape)
        answer = _straight(service, operation, json.dumps(params, default=_in_seconds))
        if answer is not None:
            read = client._response_parser.parse if operation in DATED else _read
            response = {"status_code": 200, "headers": {}, "body": answer.encode()}
            return {
                **read(response, model.output_shape),
                "ResponseMetadata": {"HTTPStatusCode": 200, "HTTPHeaders": {}},
            }
    return BaseClient._make_api_call(client, operation, params)


def _read(response: dict[str, Any], _: Any) -> Any:
    return json.loads(response["body"] or "{}")


def _processed(stubber: BotocoreStubber, request: Any) -> TYPE_RESPONSE | None:
    target = request.headers.get("X-Amz-Target", "")
    api, _, operation = (target.decode() if isinstance(target, bytes) else target).partition(".")
    service = APIS.get(api, "")
    if operation in STRAIGHT.get(service, ()) and request.url == f"https://{service}.{REGION}.amazonaws.com/":
        answer = _straight(service, operation, request.body)
        if answer is not None:
            return 200, {"Content-Type": "application/x-amz-json-1.0"}, answer
    return _processed_whole(stubber, request)


_processed_whole = BotocoreStubber.process_request


def _twin(shard: StreamShard, memo: dict[int, Any]) -> StreamShard:
    twin = memo[id(shard)] = copy.copy(shard)
    twin.items = [*shard.items]
    twin.table = copy.deepcopy(shard.table, memo)
    return twin


def _twin_value(value: DynamoType, memo: dict[int, Any]) -> DynamoType:
    # A plain one is never changed, but replaced.
    return value if type(value.value) is str else _twin_value_whole(value, memo)


def _put(attributes: LimitedSizeDict, name: str, value: Any) -> None:
    if len(attributes) < SHORT and all(map(_is_short, (*attributes.values(), value))):
        dict.__setitem__(attributes, name, value)
    else:
        _put_whole(attributes, name, value)


def _is_short(value: Any) -> bool:
    return type(value) is DynamoType and type(value.value) is str and len(value.value) < LITTLE


SHORT, LITTLE = 100, 900
"""So many attributes of so many characters are less than an item may be, whatever their names and characters."""
_twin_value_whole, _put_whole = DynamoType.__deepcopy__, LimitedSizeDict.__setitem__


def _plain(value: Any) -> Any:
    kind = type(value)
    if kind is str:
        return value
    if kind is DynamoType and type(value.value) is str and value.type != "B":
        return {value.type: value.value}
    if kind is dict or kind is LimitedSizeDict:
        return {name: _plain(part) for name, part in value.items()}
    if kind is list:
        return [*map(_plain, value)]
    return _plain_whole(value)


_plain_whole: Callable[[Any], Any] = dynamo_to_dict
# Where Parameter Store would look for machines' images: all that moto has of EC2 takes a second to load.
sys.modules.setdefault("moto.ec2", ModuleType("moto.ec2")).__dict__.setdefault("ec2_backends", {})
backend_index.backend_url_patterns[:] = [
    (service, pattern) for service, pattern in backend_index.backend_url_patterns if service in SERVICES
]
_updates: Any = importlib.import_module("moto.dynamodb.parsing.expressions")  # without types
for _owner, _name in (
    (moto.core.responses, "method_names_from_class"),
    (moto.core.responses, "camelcase_to_underscores"),
    (moto.sqs.models, "camelcase_to_underscores"),
    (moto.core.serialize, "xform_name"),
    (_updates.UpdateExpressionParser, "make"),
    (useragent, "sanitize_user_agent_string_component"),
    (jsonpath_ng.ext, "parse"),
):
    setattr(_owner, _name, functools.cache(getattr(_owner, _name)))
_instead: tuple[tuple[Any, str, Any], ...] = (
    (BotocoreStubber, "process_request", _processed),
    (moto.dynamodb.models, "UpdateExpressionValidator", expressions.Update),
    (moto.dynamodb.comparisons, "ConditionExpressionParser", expressions.Condition),
    (importlib.import_module("moto.dynamodb.responses"), "dynamo_to_dict", _plain),
    (StreamShard, "__deepcopy__", _twin),
    (DynamoType, "__deepcopy__", _twin_value),
    # An item's size would be worked out with each of its attributes.
    (LimitedSizeDict, "__setitem__", _put),
    # Each record would be written out whole, for its size.
    (moto.dynamodb.models.table, "dynamo_json_dump", lambda _: ""),
    # For each service they would be listed again.
    (AccountSpecificBackend, "_generate_regions", lambda *_: [REGION]),
)
for _owner, _name, _other in _instead:
    setattr(_owner, _name, _other)

"""AWS in process: moto, without what it does over and over for nothing.

What is asked of items goes straight to moto's own code for it, and past the web that it pretends to be: past boto3's request
and moto's reading of it, and the same back again. What it refuses takes the whole way, which says so as AWS does. Whatever else it is asked, it looks for the service among those alone that the tests use. A table's stream, of which every
transaction keeps a copy to go back to, is copied without the records in it, which nobody changes. Who sees to a part of an
expression is looked up by the part's type, once. An item whose attributes
are plain goes out as it is, and not looked for by every name that each of its attributes might go by. What is worked out
from a name alone is worked out once.
"""

import contextlib
import copy
import functools
import importlib
import json
from collections.abc import Iterator, MutableMapping
from typing import Any

import boto3
import jsonpath_ng.ext
import moto.core.responses
import moto.core.serialize
import moto.sqs.models
from botocore import useragent
from botocore.client import BaseClient
from botocore.validate import validate_parameters
from moto import backend_index, mock_aws
from moto.backends import get_backend
from moto.core.botocore_stubber import BotocoreStubber
from moto.core.common_types import TYPE_RESPONSE
from moto.core.exceptions import ServiceException
from moto.core.models import DEFAULT_ACCOUNT_ID, botocore_stubber
from moto.core.serialize import BaseJSONSerializer
from moto.dynamodb.models.table import StreamShard
from moto.dynamodb.responses import DynamoHandler
from werkzeug.exceptions import HTTPException

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


def put_secret(name: str, value: str) -> None:
    """Lay a SecureString down where Parameter Store finds it, as its own call would: nothing is tried by that call itself."""
    store: Any = get_backend("ssm")[DEFAULT_ACCOUNT_ID][REGION]
    store.put_parameter(name, None, value, "SecureString", None, None, True, None, "text", tier=None, policies=None)


@functools.cache
def client(service: str) -> Any:
    """Give the one client of a service in process: it holds nothing, so that every test and thread may have it."""
    made = boto3.session.Session("made", "up", region_name=REGION).client(service)
    if service == "dynamodb":
        made._make_api_call = functools.partial(_asked_of_items, made)
    return made


OF_ITEMS = {
    "GetItem": "get_item",
    "PutItem": "put_item",
    "UpdateItem": "update_item",
    "DeleteItem": "delete_item",
    "Query": "query",
    "Scan": "scan",
    "TransactWriteItems": "transact_write_items",
    "TransactGetItems": "transact_get_items",
    "BatchGetItem": "batch_get_item",
}
"""What is asked of DynamoDB all the time, and moto's names for it."""


def _straight(operation: str, body: str) -> dict[str, Any] | None:
    """Give what moto answers to a request for items; None where it refuses, which has had no effect."""
    handler: Any = DynamoHandler()
    handler.current_account, handler.region = DEFAULT_ACCOUNT_ID, REGION
    handler.body = handler.params = json.loads(body)
    try:
        result = getattr(handler, OF_ITEMS[operation])().result
    except (ServiceException, HTTPException):
        return None
    # What moto says of what it has not got, and what only its own parts read.
    return {name: value for name, value in result.items() if value is not None}


def _asked_of_items(client: Any, operation: str, params: dict[str, Any]) -> Any:
    if botocore_stubber.enabled and operation in OF_ITEMS:
        validate_parameters(params, client.meta.service_model.operation_model(operation).input_shape)
        answer = _straight(operation, json.dumps(params))
        if answer is not None:
            # Nobody holds on to a part of moto's own.
            return {**json.loads(json.dumps(answer)), "ResponseMetadata": {"HTTPStatusCode": 200, "HTTPHeaders": {}}}
    return BaseClient._make_api_call(client, operation, params)


def _processed(stubber: BotocoreStubber, request: Any) -> TYPE_RESPONSE | None:
    target = request.headers.get("X-Amz-Target", "")
    api, _, operation = (target.decode() if isinstance(target, bytes) else target).partition(".")
    if (
        api == "DynamoDB_20120810"
        and operation in OF_ITEMS
        and request.url == f"https://dynamodb.{REGION}.amazonaws.com/"
    ):
        answer = _straight(operation, request.body)
        if answer is not None:
            return 200, {"Content-Type": "application/x-amz-json-1.0"}, json.dumps(answer)
    return _processed_whole(stubber, request)


_processed_whole = BotocoreStubber.process_request
setattr(BotocoreStubber, "process_request", _processed)  # noqa: B010 (mypy takes a method of that name for bound)


def _twin(shard: StreamShard, memo: dict[int, Any]) -> StreamShard:
    twin = memo[id(shard)] = copy.copy(shard)
    twin.items = [*shard.items]
    twin.table = copy.deepcopy(shard.table, memo)
    return twin


StreamShard.__deepcopy__ = _twin  # type: ignore[attr-defined]


_parts: Any = importlib.import_module("moto.dynamodb.parsing.ast_nodes")  # without types


def _traversed(self: Any, node: Any, child_id: int = -1) -> Any:
    kind: Any = type(node)
    if not _is_part(kind):
        return node
    parent = node.parent
    for number, child in enumerate(node.children or ()):
        self.pre_processing_of_child(node, number)
        self.traverse_node_recursively(child, number)
    if _is_processed(self.__class__, kind):
        node = self.process(node)
        node.parent = parent
        if parent:
            parent.children[child_id] = node
    return node


@functools.cache
def _is_part(kind: Any) -> bool:
    return issubclass(kind, _parts.Node)


@functools.cache
def _is_processed(traverser: Any, kind: Any) -> bool:
    # Which types these are depends on the traverser's class alone.
    return issubclass(kind, traverser.__new__(traverser).nodes_to_be_processed())


_parts.DepthFirstTraverser.traverse_node_recursively = _traversed


def _part_again(node: Any, memo: dict[int, Any]) -> Any:
    twin = memo[id(node)] = copy.copy(node)
    if node.children is not None:
        twin.children = [copy.deepcopy(child, memo) for child in node.children]
        for child in twin.children:
            if isinstance(child, _parts.Node):
                child.parent = twin
    return twin


_parts.Node.__deepcopy__ = _part_again
# An expression is read once, however often it is used: whoever changes what was read makes a copy first.
_reader: Any = importlib.import_module("moto.dynamodb.parsing.expressions").UpdateExpressionParser  # without types
_reader.make = functools.cache(_reader.make)


def _map_at_once(
    self: BaseJSONSerializer, serialized: MutableMapping[str, Any], value: Any, shape: Any, key: str
) -> None:
    if shape.value.name == "AttributeValue" and all(map(_is_plain, value.values())):
        serialized[self.get_serialized_name(shape, key)] = dict(value)
    else:
        _map_by_shape(self, serialized, value, shape, key)


def _is_plain(attribute: Any) -> bool:
    return type(attribute) is dict and len(attribute) == 1 and all(type(one) is str for one in attribute.values())


_map_by_shape = BaseJSONSerializer._serialize_type_map
BaseJSONSerializer._serialize_type_map = _map_at_once
backend_index.backend_url_patterns[:] = [
    (service, pattern) for service, pattern in backend_index.backend_url_patterns if service in SERVICES
]
for _owner, _name in (
    (moto.core.responses, "method_names_from_class"),
    (moto.core.responses, "camelcase_to_underscores"),
    (moto.sqs.models, "camelcase_to_underscores"),
    (moto.core.serialize, "xform_name"),
    (useragent, "sanitize_user_agent_string_component"),
    (jsonpath_ng.ext, "parse"),
):
    setattr(_owner, _name, functools.cache(getattr(_owner, _name)))

"""AWS in process: moto, without what it does over and over for nothing.

Whatever it is asked, it looks for the service among those alone that the tests use. A table's stream, of which every
transaction keeps a copy to go back to, is copied without the records in it, which nobody changes. An item whose attributes
are plain goes out as it is, and not looked for by every name that each of its attributes might go by.
"""

import contextlib
import copy
import functools
from collections.abc import Iterator
from typing import Any

import boto3
from moto import backend_index, mock_aws
from moto.backends import get_backend
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.core.serialize import BaseJSONSerializer
from moto.dynamodb.models.table import StreamShard

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


@functools.cache
def client(service: str) -> Any:
    """Give the one client of a service in process: it holds nothing, so that every test and thread may have it."""
    return boto3.session.Session("made", "up", region_name=REGION).client(service)


def _twin(shard: StreamShard, memo: dict[int, Any]) -> StreamShard:
    twin = memo[id(shard)] = copy.copy(shard)
    twin.items = [*shard.items]
    twin.table = copy.deepcopy(shard.table, memo)
    return twin


StreamShard.__deepcopy__ = _twin  # type: ignore[attr-defined]


def _map_at_once(self: BaseJSONSerializer, serialized: dict[str, Any], value: Any, shape: Any, key: str) -> None:
    if shape.value.name == "AttributeValue" and all(map(_is_plain, value.values())):
        serialized[self.get_serialized_name(shape, key)] = dict(value)
    else:
        _map_by_shape(self, serialized, value, shape, key)


def _is_plain(attribute: Any) -> bool:
    return type(attribute) is dict and len(attribute) == 1 and all(type(one) is str for one in attribute.values())


_map_by_shape = BaseJSONSerializer._serialize_type_map
BaseJSONSerializer._serialize_type_map = _map_at_once  # type: ignore[method-assign,assignment]
backend_index.backend_url_patterns[:] = [
    (service, pattern) for service, pattern in backend_index.backend_url_patterns if service in SERVICES
]

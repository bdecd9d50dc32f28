"""One face for every DynamoDB that the tests use, and the table that the product keeps in it."""

import contextlib
import functools
import os
import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import boto3
import pytest
from botocore.config import Config

from doorcode.wiring.edge_clients import edge_clients
from doorcode_sandbox.deployment import environment
from tests.backends import emulators, in_process
from tests.backends.in_process import REGION
from tests.eventually import PATIENCE_SECONDS

EDGE = " by the edge's client"
"""After a backend's name: reached by the edge's own client, wherever that knows the call, else by boto3."""
ALL = ("moto", "ministack", "dynamodb-local", f"ministack{EDGE}", f"dynamodb-local{EDGE}")
STRICT = "dynamodb-local" if emulators.dynamodb_local_archive() or os.environ.get("CI") == "true" else "ministack"
"""Amazon's own where it is installed: what holds there holds. moto takes no locks: never prove a race with it."""

EVERYWHERE = pytest.mark.parametrize("backend", ALL, indirect=True)
"""Runs the tests that have a ``table`` on each DynamoDB in turn: what is asked of it in a way of its own."""
AT_THE_EDGE = pytest.mark.parametrize("backend", [f"{STRICT}{EDGE}"], indirect=True)
"""Runs them on the strictest, as the edge reaches it: what is worked out of the same answers."""

CREDENTIALS = environment(emulators.KEYS)
EDGE_ENVIRONMENT = {**CREDENTIALS, "AWS_REGION": REGION}

_CONFIG = Config(
    region_name=REGION,
    retries={"total_max_attempts": 1},  # retrying is the product's own doing
    connect_timeout=PATIENCE_SECONDS,
    read_timeout=PATIENCE_SECONDS,
    tcp_keepalive=True,
    max_pool_connections=64,
)
CROWD = 16
_session = functools.cache(boto3.session.Session)  # makes what clients of one service share once
_building = threading.Lock()  # a session builds clients in one thread at a time; the clients themselves are safe


class Table(NamedTuple):
    """A fresh table, and a client that reaches it."""

    client: Any
    name: str


@dataclass(frozen=True)
class Backend:
    """A running DynamoDB. `connect` gives a new low-level client on every call; `client` is one that all may use."""

    name: str
    connect: Callable[[], Any]
    url: str = ""

    @functools.cached_property
    def client(self) -> Any:
        """The client of every table made here."""
        return self.connect()

    @functools.cached_property
    def crowd(self) -> tuple[Any, ...]:
        """Clients for many who ask at once, each with connections of its own."""
        return tuple(self.connect() for _ in range(CROWD))

    def new_table(self) -> Table:
        """Make the product's table under a name of its own, without its stream and its TTL: nothing here follows a write."""
        name = f"doorcode-{uuid.uuid4().hex}"
        _create_table(self.client, name)
        return Table(self.client, name)

    def close(self) -> None:
        """Let the connections go."""
        for client in (self.client, *self.__dict__.get("crowd", ())):
            client.close()


class EdgeClient:
    """The edge's own client, and boto3's for what the edge never asks."""

    def __init__(self, url: str) -> None:
        """Reach a database at that URL."""
        self._boto3 = client("dynamodb", url)
        self._own = edge_clients(EDGE_ENVIRONMENT | {"AWS_ENDPOINT_URL": url}, seconds=PATIENCE_SECONDS).dynamodb

    def __getattr__(self, name: str) -> Any:
        """Return a method of the one or the other."""
        return getattr(self._own, name, None) or getattr(self._boto3, name)

    def close(self) -> None:
        """Let the connections go."""
        self._own.close()
        self._boto3.close()


@contextlib.contextmanager
def moto() -> Iterator[Backend]:
    """Run moto, in process."""
    with in_process.aws():
        yield Backend("moto", lambda: in_process.client("dynamodb"))


def at(url: str, name: str) -> Backend:
    """Give the backend of that name, which answers there."""
    if name.endswith(EDGE):
        return Backend(name, lambda: EdgeClient(url), url)
    return Backend(name, lambda: client("dynamodb", url), url)


def client(service: str, url: str) -> Any:
    """Build a new low-level client of an emulator, with the credentials that it was made with."""
    with _building:
        return _session().client(
            service,
            endpoint_url=url,
            config=_CONFIG,
            aws_access_key_id=emulators.KEYS.key,
            aws_secret_access_key=emulators.KEYS.secret,
        )


def create_table(client: Any, name: str) -> None:
    """Make the product's table as template.yaml does, save point-in-time recovery."""
    _create_table(client, name, StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"})
    client.update_time_to_live(TableName=name, TimeToLiveSpecification={"Enabled": True, "AttributeName": "ttl"})


def _create_table(client: Any, name: str, **more: Any) -> None:
    made = client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
            {"AttributeName": "listing", "AttributeType": "S"},
            {"AttributeName": "listed_at", "AttributeType": "N"},
        ],
        KeySchema=_keys("pk", "sk"),
        GlobalSecondaryIndexes=[
            {
                "IndexName": "listing",
                "KeySchema": _keys("listing", "listed_at"),
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
        **more,
    )
    # None of them keeps anybody waiting, as AWS does.
    assert made["TableDescription"]["TableStatus"] == "ACTIVE"


def _keys(partition: str, order: str) -> list[dict[str, str]]:
    return [
        {"AttributeName": partition, "KeyType": "HASH"},
        {"AttributeName": order, "KeyType": "RANGE"},
    ]

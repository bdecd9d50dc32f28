"""Builds the edge's AWS clients from what Lambda, and for the sandbox its operator, put into the environment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from doorcode.aws.client import dynamodb, sqs, ssm
from doorcode.aws.client.clock import ServiceClock
from doorcode.aws.client.connection import Connection
from doorcode.aws.client.endpoint import Endpoint, at, regional
from doorcode.aws.client.service import Api, Service
from doorcode.aws.client.signature import Credentials
from doorcode.aws.client.trust import Trust
from doorcode.aws.deadline import Deadline
from doorcode.errors import SettingsError

# How long one answer may take. DynamoDB's takes some milliseconds, so that after half a second it is worth another try.
DYNAMODB_SECONDS = 0.5
SECONDS = 1.0


class EdgeClients(Struct, frozen=True):
    """The edge's clients, with boto3's names, and the deadline that they keep."""

    dynamodb: Any
    ssm: Any
    sqs: Any
    deadline: Deadline


def edge_clients(environment: Mapping[str, str], *, seconds: float | None = None) -> EdgeClients:
    """Build the clients; none connects before it is used. Raises SettingsError.

    With ``seconds`` every answer may take so long.
    """
    access_key, secret_key, region = _set_by_lambda(
        environment, "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"
    )
    credentials = Credentials(access_key, secret_key, environment.get("AWS_SESSION_TOKEN", ""))
    _check_sendable(environment, "AWS_ACCESS_KEY_ID", "AWS_SESSION_TOKEN", "AWS_REGION")
    deadline, trust, clock = Deadline(), Trust(), ServiceClock()
    connections: dict[Endpoint, Connection] = {}

    def service(api: Api, seconds: float) -> Service:
        endpoint = _endpoint(environment, api.name, region)
        if endpoint not in connections:
            connections[endpoint] = Connection(endpoint, deadline, trust)
        connection = connections[endpoint]
        return Service(api, connection, credentials=credentials, region=region, clock=clock, seconds=seconds)

    return EdgeClients(
        dynamodb=dynamodb.DynamoDB(service(dynamodb.API, seconds or DYNAMODB_SECONDS)),
        ssm=ssm.Ssm(service(ssm.API, seconds or SECONDS)),
        sqs=sqs.Sqs(service(sqs.API, seconds or SECONDS)),
        deadline=deadline,
    )


def _set_by_lambda(environment: Mapping[str, str], *names: str) -> list[str]:
    missing = tuple(f"{name} is not set: Lambda sets it." for name in names if not environment.get(name))
    if missing:
        raise SettingsError(missing)
    return [environment[name] for name in names]


def _check_sendable(environment: Mapping[str, str], *names: str) -> None:
    """Refuse what would end a header or begin another one."""
    values = {name: environment.get(name, "") for name in names}
    odd = [name for name, value in values.items() if not (value.isascii() and value.isprintable()) or " " in value]
    if odd:
        raise SettingsError(tuple(f"{name} holds what cannot be sent." for name in odd))


def _endpoint(environment: Mapping[str, str], service: str, region: str) -> Endpoint:
    for name in (f"AWS_ENDPOINT_URL_{service.upper()}", "AWS_ENDPOINT_URL"):
        if url := environment.get(name):
            try:
                return at(url)
            except ValueError as error:
                raise SettingsError((f"{name}: {error}.",)) from None
    try:
        return regional(service, region, environment.get("URL_SUFFIX", ""))
    except ValueError as error:
        raise SettingsError((f"AWS_REGION, URL_SUFFIX: {error}. Set AWS_ENDPOINT_URL_{service.upper()}.",)) from None

"""Wires up the HTTP API and the owner's page."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Protocol

import boto3
from msgspec import Struct

from doorcode.aws.activity import Activity
from doorcode.aws.deadline import Deadline
from doorcode.aws.directory import Directory
from doorcode.aws.lockout import Lockout
from doorcode.aws.retrying import Patience
from doorcode.aws.secrets import SecretStore
from doorcode.aws.sign_ins import SignIns
from doorcode.aws.table import Table
from doorcode.aws.tokens import Tokens
from doorcode.aws.waiting_room import WaitingRoom
from doorcode.entrypoints import log
from doorcode.entrypoints.ping import answers_ping
from doorcode.pairing.decisions import Desk
from doorcode.pairing.ports import GATEWAY_SECRET, Secrets
from doorcode.pairing.settings import parse_settings
from doorcode.wiring.environment import required
from doorcode.wiring.sdk import ONE_TRY, TRANSPORT_ERRORS

# A person or a program waits for the answer, and the function is stopped after 10 seconds. Each try is made again until
# all that a request asks for has had its time: the last one begins before that, and takes four more at most.
REQUEST_SECONDS = 5.0


class Services(Struct, frozen=True, kw_only=True):
    """What the routes work with."""

    desk: Desk
    room: WaitingRoom
    directory: Directory
    secrets: Secrets
    sign_ins: SignIns
    tokens: Tokens
    activity: Activity


class Surface(Protocol):
    """What answers requests."""

    def serve(self, event: Mapping[str, Any], now: int) -> dict[str, Any]:
        """Answer one HTTP API event (payload format 2.0) at ``now``."""


def web_handler(surface: Callable[[Callable[[], Services]], Surface]) -> Callable[[Mapping[str, Any], object], Any]:
    """Return the Lambda handler of a surface. Its services are built when a request first needs them."""
    deadline = Deadline()

    @cache
    def services() -> Services:
        return build_services(os.environ, deadline)

    built = surface(services)

    @answers_ping(services)
    def handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:
        log.begin(context, "web")
        deadline.start(REQUEST_SECONDS)
        return built.serve(event, int(time.time()))

    return handler


def build_services(environment: Mapping[str, str], deadline: Deadline | None = None) -> Services:
    """Wire up the web function; ``deadline`` ends what one request asks of AWS. Raises SettingsError."""
    settings = parse_settings(environment)
    table_name, prefix = required(environment, "TABLE_NAME", "PARAMETER_PREFIX")
    # Empty where the stack counts nothing.
    namespace = environment.get("METRICS_NAMESPACE", "")
    waits: Any = {"transport_errors": TRANSPORT_ERRORS, "deadline": deadline}
    patience = Patience(REQUEST_SECONDS, **waits)
    table = Table(_client("dynamodb"), table_name, patience=REQUEST_SECONDS, **waits)
    secrets = SecretStore(
        _client("ssm"), prefix, (GATEWAY_SECRET,), max_age=settings.secrets_max_age, patience=patience
    )
    room = WaitingRoom(table, settings)
    return Services(
        desk=Desk(room, Lockout(table), secrets, settings),
        room=room,
        directory=Directory(table),
        secrets=secrets,
        sign_ins=SignIns(table),
        tokens=Tokens(table),
        activity=Activity(_client("cloudwatch"), namespace, patience),
    )


def _client(service: str) -> Any:
    return boto3.client(service, config=ONE_TRY)

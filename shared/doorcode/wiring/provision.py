"""Wires up CloudFormation's custom resource."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

from doorcode.aws.provisioning import PutParameterClient
from doorcode.entrypoints import log
from doorcode.entrypoints.ping import answers_ping
from doorcode.entrypoints.provision import provision
from doorcode.wiring.environment import required


def provision_handler() -> Callable[[Mapping[str, Any], object], None]:
    """Return the Lambda handler of the custom resource."""

    @answers_ping(lambda: None)
    def handler(event: Mapping[str, Any], context: object) -> None:
        log.begin(context, "provision")
        provision(event, connect_to_parameter_store)

    return handler


def connect_to_parameter_store() -> tuple[PutParameterClient, str]:
    """Return a client of Parameter Store and the prefix of the stack's parameters. Raises SettingsError."""
    # Imported here, so that not even this can keep CloudFormation waiting.
    from doorcode.wiring import sdk  # noqa: PLC0415

    (prefix,) = required(os.environ, "PARAMETER_PREFIX")
    return sdk.client("ssm", sdk.PROVISION), prefix

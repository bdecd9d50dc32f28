"""Creates the secrets that are missing, when CloudFormation deploys the stack."""

from typing import Any

from doorcode.entrypoints import log
from doorcode.entrypoints.ping import answers_ping
from doorcode.entrypoints.provision import provision


@answers_ping(lambda: None)
def handler(event: dict[str, Any], context: object) -> None:
    """Carry out one of CloudFormation's requests, and answer it."""
    log.begin(context, "provision")
    provision(event)

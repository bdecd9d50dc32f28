"""Creates the secrets that are missing, when CloudFormation deploys the stack."""

from typing import Any

from doorcode.entrypoints.provision import provision


def handler(event: dict[str, Any], context: object) -> None:  # noqa: ARG001 (Lambda's signature)
    """Carry out one of CloudFormation's requests, and answer it."""
    provision(event)

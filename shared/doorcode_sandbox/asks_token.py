"""The token with which the sandbox's agent asks the owner: made once, as an operator would make it."""

from __future__ import annotations

import json

from doorcode.pairing.access import Scope
from doorcode.pairing.agents import ASKS_TOKEN
from doorcode_cli.admin_client import VERSION
from doorcode_sandbox.credentials import fill, read
from doorcode_sandbox.deployment import Clients
from doorcode_sandbox.trouble import SandboxError

NAME = "the agent"


def have_one(client: Clients, stack: str, prefix: str) -> None:
    """Make the agent's token, unless there is one. Raises SandboxError."""
    if read(client("ssm"), prefix, [ASKS_TOKEN]):
        return
    order = {"version": VERSION, "command": "token_create", "actor": "the sandbox", "scope": Scope.ASKS, "name": NAME, "for_seconds": 0}  # fmt: skip
    answer = client("lambda").invoke(FunctionName=f"{stack}-admin", Payload=json.dumps(order).encode())
    made = json.loads(answer["Payload"].read())
    if "token" not in made:
        raise SandboxError("The admin function makes no token for the agent. Its log says why.")
    fill(client("ssm"), prefix, {ASKS_TOKEN: made["token"]})

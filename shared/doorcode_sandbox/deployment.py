"""Deploying the build onto ministack with ``sam deploy``, and doing what the template asks for and ministack does not.

ministack enforces each function's role (``AUTH``), with three gaps: it knows no ``dynamodb:LeadingKeys``, checks
``ssm:GetParameters`` on ``*`` instead of the parameters, and takes ``SendMessageBatch`` and ``Converse`` for actions of
their own, where AWS has ``sqs:SendMessage`` and ``bedrock:InvokeModel``. So the functions are given that much more.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from doorcode.pairing.contact import Platform
from doorcode_cli.checkout import Checkout
from doorcode_sandbox.build import sam
from doorcode_sandbox.emulator_guard import Keys

REGION = "us-east-1"
# What ministack checks where AWS does not, by function.
CHECKED_HERE = {
    **{name: ["ssm:GetParameters"] for name in (*Platform, "courier", "admin", "web")},
    "relay": ["sqs:SendMessageBatch"],
    "agent": ["ssm:GetParameters", "bedrock:Converse"],
}

Clients = Callable[[str], Any]


def deploy(  # noqa: PLR0913 (each is one thing that sam has to know)
    checkout: Checkout,
    built: Path,
    name: str,
    parameters: Mapping[str, object],
    *,
    url: str,
    keys: Keys,
    bucket: str = "",
) -> None:
    """Deploy a build under that name, or update it, with these template parameters; the others as they were.

    ``url`` and ``keys`` are the emulator's. Code goes through ``bucket``, or one that sam makes. Raises SandboxError.
    """
    command = [
        *("deploy", "--template-file", str(built / "template.yaml"), "--stack-name", name),
        *(("--s3-bucket", bucket, "--s3-prefix", name) if bucket else ("--resolve-s3",)),
        *("--capabilities", "CAPABILITY_IAM"),
        *("--no-confirm-changeset", "--no-fail-on-empty-changeset", "--no-progressbar"),
    ]
    if parameters:
        command += ["--parameter-overrides", *(f'{key}="{value}"' for key, value in parameters.items())]
    with tempfile.TemporaryDirectory() as home:
        told = {"AWS_ENDPOINT_URL": url, "AWS_DEFAULT_REGION": REGION, **environment(keys)}
        sam(checkout, command, {"PATH": os.environ["PATH"], "HOME": home, **told})


def environment(keys: Keys) -> dict[str, str]:
    """Return a pair of keys as AWS's tools take it."""
    return {"AWS_ACCESS_KEY_ID": keys.key, "AWS_SECRET_ACCESS_KEY": keys.secret}


def outputs(client: Clients, name: str) -> dict[str, str]:
    """Return a stack's outputs."""
    (found,) = client("cloudformation").describe_stacks(StackName=name)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}


def resource(client: Clients, name: str, logical_id: str) -> str:
    """Return the physical id of one of the template's resources, such as the name of ``CourierFunction``."""
    answer = client("cloudformation").describe_stack_resource(StackName=name, LogicalResourceId=logical_id)
    physical: str = answer["StackResourceDetail"]["PhysicalResourceId"]
    return physical


def make_good(client: Clients, name: str) -> None:
    """Do what the template asks for and ministack does not: expiry of items, and what roles lack only there."""
    tables = client("dynamodb")
    for table in (outputs(client, name)["TableName"], resource(client, name, "AgentTable")):
        ttl = tables.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
        if ttl["TimeToLiveStatus"] == "DISABLED":
            tables.update_time_to_live(
                TableName=table, TimeToLiveSpecification={"Enabled": True, "AttributeName": "ttl"}
            )
    for function, actions in CHECKED_HERE.items():
        statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
        client("iam").put_role_policy(
            RoleName=resource(client, name, f"{function.capitalize()}Role"),
            PolicyName="what-ministack-checks",
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
        )

"""Deploying the build onto ministack through its CloudFormation, and doing what the template asks for and ministack does not.

ministack enforces each function's role (``AUTH``), with three gaps: it knows no ``dynamodb:LeadingKeys``, checks
``ssm:GetParameters`` on ``*`` instead of the parameters, and takes ``SendMessageBatch`` and ``Converse`` for actions of
their own, where AWS has ``sqs:SendMessage`` and ``bedrock:InvokeModel``. So the functions are given that much more.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError, WaiterError

from doorcode.pairing.contact import Platform
from doorcode_sandbox.build import FOLDER, TEMPLATE
from doorcode_sandbox.emulator_guard import Keys
from doorcode_sandbox.process import TAIL
from doorcode_sandbox.trouble import SandboxError

REGION = "us-east-1"
UNCHANGED = "No updates are to be performed"
SOON = {"Delay": 0.1, "MaxAttempts": 1200}
# What ministack checks where AWS does not, by function.
CHECKED_HERE = {
    **{name: ["ssm:GetParameters"] for name in (*Platform, "courier", "admin", "web")},
    "relay": ["sqs:SendMessageBatch"],
    "agent": ["ssm:GetParameters", "bedrock:Converse"],
}

Clients = Callable[[str], Any]


def package(client: Clients, built: Path, name: str) -> str:
    """Upload what a build's template points at, and the template, into a bucket of that name; return where that is.

    As ``sam package`` does it, in a fraction of the time: content that was uploaded before keeps its name, and so no change.
    """
    files = client("s3")
    files.create_bucket(Bucket=name)

    def uploaded(found: re.Match[str]) -> str:
        content = zipped(built / found["folder"])
        key = hashlib.sha256(content).hexdigest()
        files.put_object(Bucket=name, Key=key, Body=content)
        return f"{found['property']}: s3://{name}/{key}"

    template = FOLDER.sub(uploaded, (built / TEMPLATE).read_text())
    files.put_object(Bucket=name, Key=TEMPLATE, Body=template.encode())
    return f"{files.meta.endpoint_url}/{name}/{TEMPLATE}"


def deploy(client: Clients, name: str, template: str, parameters: Mapping[str, object]) -> None:
    """Deploy a template that lies there under that name, or update it, with these parameters; the others as they were.

    Raises SandboxError, and ClientError where the emulator takes none of it.
    """
    cloudformation = client("cloudformation")
    try:
        (found,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
    except ClientError:
        do, done, kept = cloudformation.create_stack, "stack_create_complete", []
    else:
        do, done = cloudformation.update_stack, "stack_update_complete"
        kept = [one["ParameterKey"] for one in found["Parameters"] if one["ParameterKey"] not in parameters]
    try:
        do(
            StackName=name,
            TemplateURL=template,
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
            Parameters=[
                *({"ParameterKey": key, "ParameterValue": str(value)} for key, value in parameters.items()),
                *({"ParameterKey": key, "UsePreviousValue": True} for key in kept),
            ],
        )
    except ClientError as error:
        if UNCHANGED in str(error):
            return
        raise
    wait(cloudformation, done, name)


def wait(cloudformation: Any, done: str, name: str) -> None:
    """Wait until a stack is there, changed or gone, as botocore's waiters call it. Raises SandboxError with what went wrong."""
    try:
        cloudformation.get_waiter(done).wait(StackName=name, WaiterConfig=SOON)
    except WaiterError as error:
        events = cloudformation.describe_stack_events(StackName=name)["StackEvents"]
        said = [
            f"{one['LogicalResourceId']} {one['ResourceStatus']}: {one['ResourceStatusReason']}"
            for one in reversed(events)
            if one.get("ResourceStatusReason")
        ]
        raise SandboxError(f"template.yaml could not be deployed: {error}.", "\n".join(said)[-TAIL:]) from None


def zipped(folder: Path) -> bytes:
    """Return a folder as a zip, the same for the same content. It stays on this machine, and so it is not packed."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.writestr(zipfile.ZipInfo(path.relative_to(folder).as_posix()), path.read_bytes())
    return content.getvalue()


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

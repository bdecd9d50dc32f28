"""``doorcode deploy``: what ``make deploy`` does once everything is built.

Asks what has to be known the first time, refuses in words what AWS would refuse half way, clears away a stack that
never came up, and leaves the rest to ``sam deploy``.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import typer
from botocore.exceptions import BotoCoreError, ClientError, WaiterError
from msgspec import Struct

from doorcode.errors import SettingsError
from doorcode.pairing.settings import parse_settings
from doorcode_cli.checkout import Checkout
from doorcode_cli.examples import examples
from doorcode_cli.exit_codes import CommandError, Exit
from doorcode_cli.program import as_called, work_on
from doorcode_cli.target import CONFIG, DEFAULT_STACK, unreachable

ANSWERS = "samconfig.local.toml"
STACK_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
# The admin function's and the schedule's names are this one with -admin and -sweep, and end at 64.
LONGEST_NAME = 58
MAIL = re.compile(r"[^@ ]+@[^@ ]+[.][^@ ]+")
# What AWS can only delete: nothing ever ran under it.
NEVER_UP = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED")
TABLE = "AWS::DynamoDB::Table"
PATIENCE = {"Delay": 5, "MaxAttempts": 120}

EPILOG = examples("doorcode deploy")


class DeployPlan(Struct, frozen=True):
    """What is deployed where."""

    stack: str
    region: str | None
    profile: str | None


def deploy() -> None:
    """Deploy what was built to your AWS account; asks what it needs to know the first time.

    For a checkout of Doorcode: make deploy builds, and runs it. Answers are kept in samconfig.local.toml.
    """
    checkout = Checkout()
    config = checkout.root / ANSWERS
    if not _answered(config):
        ask(checkout.root, config)
    plan = read(config)
    check_name(plan.stack)
    try:
        clear(plan, typer.echo)
    except (BotoCoreError, ClientError) as error:
        raise unreachable(error, f"the stack {plan.stack!r}") from None
    command = [str(checkout.sam), "deploy", "--config-file", str(config)]
    ended = subprocess.run(command, cwd=checkout.root, check=False)  # noqa: S603 (our own sam)
    if ended.returncode:
        raise CommandError(
            "Nothing was deployed: see what sam and AWS said above. A stack that never came up is cleared away by: make deploy",
            Exit.REFUSED,
        )
    if plan.stack != DEFAULT_STACK:
        work_on("--stack", plan.stack)
    typer.echo(as_called("Deployed. What comes next: doorcode doctor"))


def _answered(config: Path) -> bool:
    return config.exists() and "parameter_overrides" in config.read_text()


def ask(root: Path, config: Path) -> None:
    """Ask what has to be known, and keep it where sam reads it. Raises CommandError where nobody can answer."""
    if not sys.stdin.isatty():
        raise CommandError(
            f"The first deployment asks a few things: run make deploy at a terminal, or write {ANSWERS} beside samconfig.toml."
        )
    typer.echo(
        f"The first deployment. Enter takes what is in brackets; {ANSWERS} keeps the answers, and any other setting."
    )
    stack = _asked("The stack's name", DEFAULT_STACK, check_name)
    region = _asked("The AWS region", boto3.Session().region_name or "us-east-1", _check_region)
    policy = _asked(
        "What happens to strangers: pair (they may ask), deny or allow", "pair", _setting("UNKNOWN_USER_POLICY")
    )
    owners = _asked("Who is asked and may approve, such as telegram:123456789", "", _setting("OWNER_USER_IDS"))
    mail = _asked("Who hears of trouble, by e-mail (has to be confirmed once)", "", _check_mail)
    overrides = {"UnknownUserPolicy": policy, "OwnerUserIds": owners, "AlarmEmail": mail}
    given = " ".join(f'{name}="{value}"' for name, value in overrides.items() if value)
    base = "".join(
        line
        for line in (root / "samconfig.toml").read_text().splitlines(keepends=True)
        if not line.startswith("stack_name")
    )
    lines = {"stack_name": stack, "region": region, "parameter_overrides": given}
    config.write_text(
        base.rstrip() + "\n" + "".join(f"{name} = {json.dumps(value)}\n" for name, value in lines.items())
    )


def _asked(question: str, default: str, check: Callable[[str], None]) -> str:
    while True:
        answer = str(typer.prompt(question, default=default, show_default=bool(default))).strip()
        try:
            check(answer)
        except CommandError as error:
            typer.echo(f"  {error}")
        else:
            return answer


def check_name(name: str) -> None:
    """Refuse a stack's name that AWS would only refuse half way. Raises CommandError."""
    if not STACK_NAME.fullmatch(name):
        raise CommandError(f"{name!r} is no name for a stack: a letter, then letters, digits and hyphens.")
    if len(name) > LONGEST_NAME:
        raise CommandError(
            f"A stack's name has at most {LONGEST_NAME} characters here, for functions are named after it; this one has {len(name)}."
        )


def _check_region(region: str) -> None:
    session = boto3.Session()
    known = {
        name for part in session.get_available_partitions() for name in session.get_available_regions("lambda", part)
    }
    if region not in known:
        raise CommandError(f"{region!r} is no region with AWS Lambda, such as eu-central-1.")


def _check_mail(mail: str) -> None:
    if mail and not MAIL.fullmatch(mail):
        raise CommandError(f"{mail!r} is no e-mail address.")


def _setting(name: str) -> Callable[[str], None]:
    def check(value: str) -> None:
        try:
            parse_settings({name: value})
        except SettingsError as error:
            raise CommandError(str(error)) from None

    return check


def read(config: Path) -> DeployPlan:
    """Read what sam will read. Raises CommandError for a file that cannot be read."""
    try:
        parameters = dict[str, Any](tomllib.loads(config.read_text())["default"]["deploy"]["parameters"])
    except (OSError, KeyError, TypeError, tomllib.TOMLDecodeError) as error:
        raise CommandError(
            f"{ANSWERS} cannot be read ({type(error).__name__}). Mend it, or delete it and start anew."
        ) from None
    return DeployPlan(parameters.get("stack_name", DEFAULT_STACK), parameters.get("region"), parameters.get("profile"))


def clear(plan: DeployPlan, say: Callable[[str], None]) -> None:
    """Clear away a stack that never came up, for AWS does not update it; refuse where it has to be waited for."""
    session = boto3.Session(region_name=plan.region, profile_name=plan.profile)
    client = session.client("cloudformation", config=CONFIG)
    try:
        (stack,) = client.describe_stacks(StackName=plan.stack)["Stacks"]
    except ClientError as error:
        if "does not exist" in str(error):
            return
        raise
    state = stack["StackStatus"]
    if state in NEVER_UP:
        say(f"The first deployment of {plan.stack} failed ({state}): what is left of it is cleared away.")
        kept = _clear_tables(session.client("dynamodb", config=CONFIG), client, stack["StackId"])
        client.delete_stack(StackName=stack["StackId"])
        try:
            client.get_waiter("stack_delete_complete").wait(StackName=stack["StackId"], WaiterConfig=PATIENCE)
        except WaiterError:
            raise CommandError(
                f"{plan.stack} cannot be deleted: see why under its events in CloudFormation's console, and delete it there."
            ) from None
        for table in kept:
            say(f"Kept the table {table}, for something is in it: ExistingTableName adopts it (docs/operations.md).")
    elif state == "UPDATE_ROLLBACK_FAILED":
        raise CommandError(
            f"{plan.stack} is {state}: AWS could not go back. When the cause is mended: "
            f"aws cloudformation continue-update-rollback --stack-name {plan.stack}, then make deploy."
        )
    elif state.endswith("_IN_PROGRESS") and state != "REVIEW_IN_PROGRESS":
        raise CommandError(f"{plan.stack} is {state}: wait until that is done, then make deploy.")


def _clear_tables(dynamodb: Any, cloudformation: Any, stack_id: str) -> list[str]:
    """Delete the stack's empty tables, which DynamoDB's protection has kept, and return those that are not empty."""
    kept = []
    for one in cloudformation.describe_stack_resources(StackName=stack_id)["StackResources"]:
        table = one.get("PhysicalResourceId")
        if one["ResourceType"] != TABLE or not table or one["ResourceStatus"] == "DELETE_COMPLETE":
            continue
        try:
            if dynamodb.scan(TableName=table, Limit=1, ConsistentRead=True)["Items"]:
                kept.append(table)
                continue
            dynamodb.update_table(TableName=table, DeletionProtectionEnabled=False)
            dynamodb.get_waiter("table_exists").wait(TableName=table)
            dynamodb.delete_table(TableName=table)
        except dynamodb.exceptions.ResourceNotFoundException:
            continue
    return kept

"""Building the stack and deploying it to AWS with sam, and telling in words what AWS would only refuse half way."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, WaiterError

from doorcode_cli.checkout import Checkout
from doorcode_cli.exit_codes import CommandError, Exit
from doorcode_cli.progress import Progress
from doorcode_cli.shown import shown
from doorcode_cli.target import Target, unreachable

STACK_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
# The admin function's and the schedule's names are this one with -admin and -sweep, and end at 64.
LONGEST_NAME = 58
# What AWS can only delete: nothing ever ran under it.
NEVER_UP = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED")
TABLE = "AWS::DynamoDB::Table"
# What every stack of Doorcode tells.
OUR_OUTPUT = "AdminFunctionName"
PATIENCE = {"Delay": 5, "MaxAttempts": 120}
LOOK_SECONDS, LONGEST_WAIT_SECONDS = 5.0, 1800.0
AGAIN = "Then go on from there with: doorcode init"
# How much of what sam said is shown when it failed.
TAIL_LINES = 25
# What sam prints of each resource that is done, and of one that is the cause of a failure.
RESOURCE_DONE = re.compile(r"^(CREATE|UPDATE|DELETE)_COMPLETE\s")
RESOURCE_FAILED = re.compile(r"^(CREATE|UPDATE)_FAILED\s")


def check_name(name: str) -> None:
    """Refuse a stack's name that AWS would only refuse half way. Raises CommandError."""
    if not STACK_NAME.fullmatch(name):
        raise CommandError(f"{name!r} is no name for a stack: a letter, then letters, digits and hyphens.")
    if len(name) > LONGEST_NAME:
        raise CommandError(
            f"A stack's name has at most {LONGEST_NAME} characters here, for functions are named after it; this one has {len(name)}."
        )


def check_region(region: str) -> None:
    """Refuse a region that there is not, or where no function runs. Raises CommandError."""
    import boto3  # noqa: PLC0415 (loaded by whoever asks AWS, and not before)

    session = boto3.Session()
    known = {
        name for part in session.get_available_partitions() for name in session.get_available_regions("lambda", part)
    }
    if region not in known:
        raise CommandError(f"{region!r} is no region with AWS Lambda, such as eu-central-1.")


def configured_region(profile: str | None) -> str:
    """Return the region that the AWS CLI is configured with; empty if there is none. Raises CommandError."""
    import boto3  # noqa: PLC0415 (as above)

    try:
        return boto3.Session(profile_name=profile).region_name or ""
    except BotoCoreError as error:
        raise unreachable(error) from None


class Account:
    """The stack in its account, as it is before it is deployed."""

    def __init__(self, target: Target, progress: Progress) -> None:
        """Aim at the stack; nothing is called yet."""
        self._target = target
        self._progress = progress

    def parameters(self) -> dict[str, str]:
        """Return what the stack was deployed with; nothing if it is not there. Raises CommandError without access."""
        stack = self._described()
        if not stack or stack["StackStatus"] in {*NEVER_UP, "REVIEW_IN_PROGRESS"}:
            return {}
        outputs = {one["OutputKey"] for one in stack.get("Outputs", [])}
        if not _under_way(stack) and OUR_OUTPUT not in outputs:
            raise CommandError(
                f"The stack {self._target.stack!r} is none of Doorcode's, and deploying to it would delete what it has. Choose "
                "another name with --stack"
            )
        return {one["ParameterKey"]: one["ParameterValue"] for one in stack.get("Parameters", [])}

    def make_ready(self) -> None:
        """Wait for a deployment that is under way, and clear away a stack that never came up. Raises CommandError.

        AWS does not update such a stack. Tables with anything in them are kept.
        """
        stack = self._rested()
        state = stack["StackStatus"] if stack else ""
        if state == "UPDATE_ROLLBACK_FAILED":
            raise CommandError(
                f"{self._target.stack} is {state}: AWS could not go back. When the cause is mended: "
                f"aws cloudformation continue-update-rollback --stack-name {self._target.stack}. {AGAIN}"
            )
        if stack and state in NEVER_UP:
            with self._progress.step(f"Clearing away what a failed deployment left ({state})", "Cleared away"):
                kept = self._clear(stack["StackId"])
            for table in kept:
                self._progress.say(
                    f"⚠️  Kept the table {table}, for something is in it: ExistingTableName adopts it (docs/operations.md)."
                )

    def _rested(self) -> dict[str, Any] | None:
        stack = self._described()
        if not stack or not _under_way(stack):
            return stack
        state = stack["StackStatus"]
        with self._progress.step(f"Waiting for what is under way ({state})", "That is over"):
            deadline = time.monotonic() + LONGEST_WAIT_SECONDS
            while stack and _under_way(stack):
                if time.monotonic() > deadline:
                    raise CommandError(
                        f"{self._target.stack} is still {state}: see what it waits for in CloudFormation's console. {AGAIN}"
                    )
                time.sleep(LOOK_SECONDS)
                stack = self._described()
        return stack

    def _clear(self, stack_id: str) -> list[str]:
        cloudformation = self._target.client("cloudformation")
        try:
            kept = _clear_tables(self._target.client("dynamodb"), cloudformation, stack_id)
            cloudformation.delete_stack(StackName=stack_id)
            cloudformation.get_waiter("stack_delete_complete").wait(StackName=stack_id, WaiterConfig=PATIENCE)
        except WaiterError:
            raise CommandError(
                f"{self._target.stack} cannot be deleted: see why under its events in CloudFormation's console, and delete "
                f"it there. {AGAIN}"
            ) from None
        except (BotoCoreError, ClientError) as error:
            raise unreachable(error, f"the stack {self._target.stack!r}") from None
        return kept

    def _described(self) -> dict[str, Any] | None:
        try:
            (stack,) = self._target.client("cloudformation").describe_stacks(StackName=self._target.stack)["Stacks"]
        except ClientError as error:
            if "does not exist" in str(error):
                return None
            raise unreachable(error, f"the stack {self._target.stack!r}") from None
        except NoCredentialsError:
            raise CommandError(
                "No AWS credentials were found. Sign in (aws configure, or aws sso login), or name a profile with --profile. "
                "To try all of it without an account: doorcode init --local",
                Exit.UNREACHABLE,
            ) from None
        except BotoCoreError as error:
            raise unreachable(error, f"the stack {self._target.stack!r}") from None
        found: dict[str, Any] = stack
        return found


def _under_way(stack: dict[str, Any]) -> bool:
    state = str(stack["StackStatus"])
    # In review is what was never begun: sam begins it.
    return state.endswith("_IN_PROGRESS") and state != "REVIEW_IN_PROGRESS"


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


def check_checkout(checkout: Checkout) -> None:
    """Refuse to deploy from where there is nothing to deploy. Raises CommandError."""
    if not checkout.template.exists():
        raise CommandError(
            f"This deploys a checkout of Doorcode, and {checkout.root} is none. Clone the repository, and there run: make deploy"
        )


def build(checkout: Checkout, progress: Progress) -> None:
    """Build for Lambda, without Docker. Raises CommandError with the end of what was said."""
    if not checkout.sam.exists():
        with progress.step("Installing the AWS SAM command", "Installed the AWS SAM command"):
            tool = str(checkout.sam.parents[1].relative_to(checkout.root) / ".run")
            _run(checkout, ["make", "--silent", tool], "Installing the AWS SAM command failed")
    for cache in checkout.root.glob("functions/**/__pycache__"):
        shutil.rmtree(cache, ignore_errors=True)
    with progress.step("Building for Lambda", "Built"):
        said = _run(checkout, [str(checkout.sam), "build"], "Building failed")
    for line in said:
        if line.lstrip().startswith("WARNING:"):
            progress.say(f"⚠️  {shown(line.partition('WARNING:')[2])}")


def deploy(checkout: Checkout, answers: Path, target: Target, progress: Progress) -> None:
    """Deploy what was built as the answers have it. Raises CommandError with the end of what was said."""
    command = [
        *(str(checkout.sam), "deploy", "--config-file", str(answers), "--stack-name", target.stack),
        *("--no-confirm-changeset", "--no-fail-on-empty-changeset", "--no-progressbar"),
    ]
    done = 0
    with progress.step("Deploying; the first time takes a few minutes", "Deployed") as tell:
        with _started(checkout, command) as lines:
            said = []
            for line in lines:
                said.append(line)
                if RESOURCE_DONE.match(line):
                    done += 1
                    tell(f"{done} resources")
        _check_ended(lines, said, "Nothing was deployed")


class _Lines:
    """What a program says, line by line, and how it ended."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def __iter__(self) -> Iterator[str]:
        for line in self._process.stdout or ():
            yield line.rstrip("\n")

    @property
    def code(self) -> int:
        return self._process.wait()


@contextlib.contextmanager
def _started(checkout: Checkout, command: Sequence[str]) -> Iterator[_Lines]:
    # What is meant for us, tokens among it, is none of theirs.
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DOORCODE_")}
    environment = {**kept, "SAM_CLI_TELEMETRY": "0"}
    # Without bytecode it takes two to three times as long.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    with subprocess.Popen(  # noqa: S603 (our own sam)
        command,
        cwd=checkout.root,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        try:
            yield _Lines(process)
        except BaseException:
            # Ctrl-C reaches it as well; whatever else ended us does not.
            process.terminate()
            raise


def _run(checkout: Checkout, command: Sequence[str], failed: str) -> list[str]:
    with _started(checkout, command) as lines:
        said = list(lines)
    _check_ended(lines, said, failed)
    return said


def _check_ended(lines: _Lines, said: Sequence[str], failed: str) -> None:
    if not lines.code:
        return
    # The first that failed is the cause; what follows was only cancelled.
    causes = [line for line in said if RESOURCE_FAILED.match(line)][:3]
    told = [shown(line, 300) for line in (*causes, *said[-TAIL_LINES:]) if line.strip()]
    for line in told:
        print(f"   {line}")  # noqa: T201 (the command's own output)
    raise CommandError(f"{failed}: see above what was said, and mend that. {AGAIN}")

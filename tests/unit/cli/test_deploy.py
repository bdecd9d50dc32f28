"""``doorcode deploy``: what is asked, refused and cleared away before sam is let at the account."""

import io
import tomllib
from pathlib import Path
from typing import Any

import boto3
import pytest

from doorcode_cli import deploy
from doorcode_cli.checkout import Checkout
from doorcode_cli.deploy import LONGEST_NAME, DeployPlan, ask, check_name, clear, read
from doorcode_cli.exit_codes import CommandError
from tests.backends import in_process
from tests.infra.template import ROOT, template
from tests.unit.cli.setup_fixtures import refusal

REGION = "us-east-1"
PLAN = DeployPlan("doorcode", REGION, None)
ID = "arn:aws:cloudformation:us-east-1:1:stack/doorcode/1"


class CloudFormation:
    """Has one stack, of which a table is left."""

    def __init__(self, state: str, table: str = "left") -> None:
        self.state, self.table, self.did = state, table, list[str]()

    def describe_stacks(self, **_: Any) -> dict[str, Any]:
        """Tell the state, or that there is no such stack."""
        if not self.state:
            raise refusal("ValidationError", "Stack with id doorcode does not exist")
        return {"Stacks": [{"StackId": ID, "StackStatus": self.state}]}

    def describe_stack_resources(self, **_: Any) -> dict[str, Any]:
        """Tell what is left, and what is gone or never was."""
        return {
            "StackResources": [
                {"ResourceType": deploy.TABLE, "PhysicalResourceId": self.table, "ResourceStatus": "DELETE_FAILED"},
                {"ResourceType": deploy.TABLE, "PhysicalResourceId": "gone", "ResourceStatus": "DELETE_FAILED"},
                {"ResourceType": deploy.TABLE, "ResourceStatus": "CREATE_FAILED"},
                {"ResourceType": "AWS::SQS::Queue", "PhysicalResourceId": "q", "ResourceStatus": "DELETE_FAILED"},
            ]
        }

    def delete_stack(self, StackName: str) -> None:  # noqa: N803 (boto3's)
        """Remember it."""
        self.did.append(f"delete {StackName}")

    def get_waiter(self, name: str) -> "CloudFormation":
        """Give the only one."""
        self.did.append(name)
        return self

    def wait(self, **_: Any) -> None:
        """Be done."""


@pytest.fixture
def aws() -> Any:
    """Give DynamoDB with a protected, empty table, and have CloudFormation be what a test wants."""
    with in_process.aws():
        dynamodb = in_process.client("dynamodb")
        dynamodb.create_table(
            TableName="left",
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
            DeletionProtectionEnabled=True,
        )
        yield dynamodb
        for name in dynamodb.list_tables()["TableNames"]:
            dynamodb.update_table(TableName=name, DeletionProtectionEnabled=False)
            dynamodb.delete_table(TableName=name)


def having(monkeypatch: pytest.MonkeyPatch, stack: CloudFormation) -> None:
    """Have the account's CloudFormation be this one."""
    real = boto3.Session.client
    monkeypatch.setattr(
        boto3.Session,
        "client",
        lambda self, name, **options: stack if name == "cloudformation" else real(self, name, **options),
    )


@pytest.mark.parametrize("state", deploy.NEVER_UP)
def test_a_stack_that_never_came_up_is_cleared_away(aws: Any, monkeypatch: pytest.MonkeyPatch, state: str) -> None:
    """With the empty table that its protection kept: AWS would refuse each further deployment, and keep one more each time."""
    stack = CloudFormation(state)
    having(monkeypatch, stack)
    said: list[str] = []
    clear(PLAN, said.append)
    assert stack.did == [f"delete {ID}", "stack_delete_complete"]
    assert aws.list_tables()["TableNames"] == []
    assert state in said[0]


def test_a_table_with_anything_in_it_is_kept(aws: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is let in is never deleted, and the operator hears how to use it again."""
    aws.put_item(TableName="left", Item={"pk": {"S": "telegram#1"}})
    having(monkeypatch, CloudFormation("ROLLBACK_FAILED"))
    said: list[str] = []
    clear(PLAN, said.append)
    assert aws.describe_table(TableName="left")["Table"]["DeletionProtectionEnabled"] is True
    assert "ExistingTableName" in said[1]


@pytest.mark.parametrize(
    "state", ["CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "REVIEW_IN_PROGRESS"]
)
def test_a_stack_that_can_be_deployed_to_is_left_alone(aws: Any, monkeypatch: pytest.MonkeyPatch, state: str) -> None:
    """Only what never ran is ever deleted."""
    stack = CloudFormation(state)
    having(monkeypatch, stack)
    clear(PLAN, pytest.fail)
    assert stack.did == []
    assert aws.list_tables()["TableNames"] == ["left"]


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ("UPDATE_IN_PROGRESS", "wait until that is done"),
        ("ROLLBACK_IN_PROGRESS", "wait until that is done"),
        ("UPDATE_ROLLBACK_FAILED", "continue-update-rollback --stack-name doorcode"),
    ],
)
def test_a_stack_that_cannot_be_deployed_to_is_told(
    aws: Any, monkeypatch: pytest.MonkeyPatch, state: str, told: str
) -> None:
    """With what to do, and nothing is touched."""
    stack = CloudFormation(state)
    having(monkeypatch, stack)
    with pytest.raises(CommandError, match=told):
        clear(PLAN, pytest.fail)
    assert stack.did == []
    assert aws.list_tables()["TableNames"] == ["left"]


def test_a_first_deployment_has_nothing_to_clear(aws: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no such stack, as AWS says in these words."""
    having(monkeypatch, CloudFormation(""))
    clear(PLAN, pytest.fail)
    assert aws.list_tables()["TableNames"] == ["left"]


@pytest.mark.parametrize(
    ("name", "told"),
    [("a" * (LONGEST_NAME + 1), "at most 58 characters"), ("my_bot", "no name"), ("1bot", "no name"), ("", "no name")],
)
def test_a_name_that_aws_would_refuse_half_way(name: str, told: str) -> None:
    """In words, before anything is made."""
    with pytest.raises(CommandError, match=told):
        check_name(name)


def test_the_longest_name_fits_every_resource() -> None:
    """What the template names after the stack has at most the 64 characters that Lambda and the scheduler take."""
    check_name("a" * LONGEST_NAME)
    named = [
        one["Properties"][key]["Fn::Sub"]
        for one in template()["Resources"].values()
        for key in ("FunctionName", "Name")
        if one["Type"] in {"AWS::Serverless::Function", "AWS::Scheduler::Schedule"}
        and isinstance(one["Properties"].get(key), dict)
        and "Fn::Sub" in one["Properties"][key]
    ]
    assert len(named) >= 2
    assert max(len(name.replace("${AWS::StackName}", "a" * LONGEST_NAME)) for name in named) == 64


def test_what_is_asked_is_kept_for_sam(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who hears alarms among it; what cannot be meant is asked for again, and everything else stays as it was."""
    answers = [
        "my_bot",
        "my-bot",
        "moon-1",
        "eu-central-1",
        "sometimes",
        "pair",
        "telegram:@me",
        "telegram:1",
        "x",
        "a@b.example",
    ]

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr("sys.stdin", Terminal("\n".join(answers) + "\n"))
    config = tmp_path / deploy.ANSWERS
    ask(ROOT, config)
    assert read(config) == DeployPlan("my-bot", "eu-central-1", None)
    kept = tomllib.loads(config.read_text())["default"]
    given = kept["deploy"]["parameters"]["parameter_overrides"]
    assert given == 'UnknownUserPolicy="pair" OwnerUserIds="telegram:1" AlarmEmail="a@b.example"'
    assert kept["deploy"]["parameters"]["resolve_s3"] is True
    assert kept["build"] == tomllib.loads((ROOT / "samconfig.toml").read_text())["default"]["build"]


def test_nobody_is_asked_where_nobody_sits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipeline is told what to write."""
    monkeypatch.setattr("sys.stdin", io.StringIO())
    with pytest.raises(CommandError, match=deploy.ANSWERS):
        ask(ROOT, tmp_path / deploy.ANSWERS)


@pytest.mark.parametrize("text", ["[default", "", "[default.deploy]\nparameters = 1"])
def test_answers_that_cannot_be_read(tmp_path: Path, text: str) -> None:
    """One line, and no traceback."""
    config = tmp_path / deploy.ANSWERS
    config.write_text(text)
    with pytest.raises(CommandError, match="cannot be read"):
        read(config)


@pytest.mark.parametrize("code", [0, 1])
def test_sam_is_run_with_the_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], code: int
) -> None:
    """From beginning to end, with a sam that only says what it was told, and the way it ended."""
    sam = tmp_path / ".tools/sam/bin/sam"
    sam.parent.mkdir(parents=True)
    sam.write_text(f'#!/bin/sh\necho "$@" > told\nexit {code}\n')
    sam.chmod(0o700)
    config = tmp_path / deploy.ANSWERS
    config.write_text(
        '[default.deploy.parameters]\nstack_name = "bot"\nregion = "us-east-1"\nparameter_overrides = ""\n'
    )
    monkeypatch.setattr(deploy, "Checkout", lambda: Checkout(tmp_path))
    having(monkeypatch, CloudFormation(""))
    if code:
        with pytest.raises(CommandError, match="Nothing was deployed"):
            deploy.deploy()
    else:
        deploy.deploy()
        assert "doorcode doctor" in capsys.readouterr().out
    assert (tmp_path / "told").read_text().split() == ["deploy", "--config-file", str(config)]

"""A deployed stack as the set-up commands see it, in process, with the platforms' stand-ins beside it.

Parameter Store, SQS and DynamoDB are moto's; CloudFormation, Lambda and the logs are as small as what is asked of them.
The commands run through their real entry point.
"""

import io
import json
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, NamedTuple
from unittest.mock import patch

import pytest
from botocore.exceptions import ClientError

from doorcode.aws.items import CONTACT, attribute, contact_attributes, contact_pk
from doorcode.pairing.contact import Contact, Platform, State
from doorcode.pairing.keyring import Keyring, parse_keyring
from doorcode_cli.app import main
from doorcode_cli.doctor import CHECKS
from doorcode_cli.target import Target
from doorcode_sandbox.platforms.discord.stand_in import DiscordStandIn
from doorcode_sandbox.platforms.slack.stand_in import SlackStandIn
from doorcode_sandbox.platforms.telegram.stand_in import TelegramStandIn
from doorcode_sandbox.platforms.whatsapp.stand_in import WhatsAppStandIn
from tests.backends import dynamodb, in_process
from tests.infra.template import group_of

API = "https://abc123.execute-api.us-east-1.amazonaws.com"
TABLE = "doorcode-table"
PREFIX = "/doorcode/doorcode"
VERIFY_KEY = "ab" * 32
TELEGRAM_TOKEN = "7000000001:stand-in"
SLACK_TOKEN = "xoxb-stand-in"
DISCORD_TOKEN = "stand-in.discord.token"
WHATSAPP_TOKEN = "EAAstandin"
OWN = {
    "gateway-secret": "gateway-first-0123456789",
    "callback-secret": "callback-first-0123456789",
    "telegram/webhook-secret": "webhook-first-0123456789",
    "whatsapp/verify-token": "verify-first-0123456789",
    "agent/webhook-secret": "whsec_Zmlyc3RmaXJzdGZpcnN0Zmlyc3RmaXJzdA==",
}
KEPT = ("telegram/bot", "slack/team", "whatsapp/bot")
FOR_ALL_EYES = ("/discord/public-key", "/texts")
FUNCTIONS = ("Telegram", "Slack", "Discord", "Whatsapp", "Relay", "Courier", "Agent", "Admin")


class Ended(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def all(self) -> str:
        """Everything that it showed."""
        return self.out + self.err

    @property
    def json(self) -> Any:
        """What it printed, parsed."""
        return json.loads(self.out)


class CloudFormation:
    """Describes one stack."""

    def __init__(self, harness: "Harness") -> None:
        self._harness = harness

    def describe_stacks(self, StackName: str) -> dict[str, Any]:  # noqa: N803 (boto3's)
        """Tell of the stack, or that there is none."""
        if StackName != "doorcode":
            raise refusal("ValidationError", f"Stack with id {StackName} does not exist")
        outputs = [{"OutputKey": name, "OutputValue": value} for name, value in self._harness.outputs.items()]
        return {
            "Stacks": [
                {
                    "StackName": StackName,
                    "StackStatus": self._harness.status,
                    "Outputs": outputs,
                    "Parameters": [
                        {"ParameterKey": name, "ParameterValue": value}
                        for name, value in self._harness.parameters.items()
                    ],
                }
            ],
            "ResponseMetadata": {"HTTPHeaders": self._harness.headers},
        }

    def get_paginator(self, _name: str) -> "CloudFormation":
        """Give the only one."""
        return self

    def paginate(self, StackName: str) -> list[dict[str, Any]]:  # noqa: N803, ARG002 (boto3's)
        """List the resources, on two pages."""
        if self._harness.resources_refused:
            raise self._harness.resources_refused
        found = [
            {"LogicalResourceId": name, "ResourceType": kind, "PhysicalResourceId": physical}
            for name, (kind, physical) in self._harness.resources.items()
        ]
        return [{"StackResourceSummaries": found[:3]}, {"StackResourceSummaries": found[3:]}]


class Lambda:
    """Tells of functions."""

    def __init__(self, harness: "Harness") -> None:
        self._harness = harness

    def get_function_configuration(self, FunctionName: str) -> dict[str, Any]:  # noqa: N803 (boto3's)
        """Tell a function's state and environment."""
        if self._harness.lambda_refused:
            raise self._harness.lambda_refused
        logical = next(name for name, (_, physical) in self._harness.resources.items() if physical == FunctionName)
        state = self._harness.states.get(logical, {"State": "Active", "LastUpdateStatus": "Successful"})
        return {**state, "Environment": {"Variables": self._harness.environment.get(logical, {})}}

    def invoke(self, FunctionName: str, Payload: str) -> dict[str, Any]:  # noqa: N803 (boto3's)
        """Answer whether a function can start."""
        if isinstance(self._harness.starts, Exception):
            raise self._harness.starts
        assert json.loads(Payload) == {"doorcode": "ping"}
        said = self._harness.starts.get(FunctionName, {"doorcode": "ok"})
        failed = {"FunctionError": "Unhandled"} if "errorType" in said else {}
        return {"Payload": io.BytesIO(json.dumps(said).encode()), **failed}

    def get_account_settings(self) -> dict[str, Any]:
        """Tell how many functions may run at once."""
        if isinstance(self._harness.concurrency, Exception):
            raise self._harness.concurrency
        return {"AccountLimit": {"UnreservedConcurrentExecutions": self._harness.concurrency}}


class Bedrock:
    """Tells of models."""

    def __init__(self, harness: "Harness") -> None:
        self._harness = harness

    def get_foundation_model_availability(self, modelId: str) -> dict[str, Any]:  # noqa: N803 (boto3's)
        """Tell whether the account may use a model."""
        if modelId not in self._harness.models:
            raise refusal("ResourceNotFoundException", "no such model")
        return {
            "modelId": modelId,
            "agreementAvailability": {"status": "AVAILABLE"},
            "authorizationStatus": "AUTHORIZED",
            "entitlementAvailability": "AVAILABLE",
            "regionAvailability": "AVAILABLE",
            **self._harness.models[modelId],
        }


class Topics:
    """Tells who hears alarms, one on a page."""

    def __init__(self, harness: "Harness") -> None:
        self._harness = harness

    def get_paginator(self, _name: str) -> "Topics":
        """Give the only one."""
        return self

    def paginate(self, TopicArn: str) -> list[dict[str, Any]]:  # noqa: N803 (boto3's)
        """List the subscriptions."""
        assert TopicArn == self._harness.outputs["AlarmTopicArn"]
        return [{"Subscriptions": [{"SubscriptionArn": one}]} for one in self._harness.subscriptions]


class Logs:
    """Gives what the functions logged, two records on a page."""

    def __init__(self, harness: "Harness") -> None:
        self._harness = harness

    def get_paginator(self, _name: str) -> "Logs":
        """Give the only one."""
        return self

    def paginate(self, logGroupName: str, startTime: int, filterPattern: str) -> Iterator[dict[str, Any]]:  # noqa: N803
        """Give the records since then whose reason and function the pattern names."""
        if self._harness.logs_refused:
            raise self._harness.logs_refused
        records = [
            {"timestamp": int(at * 1000), "message": message}
            for at, message in self._harness.logs.get(logGroupName, [])
            if at * 1000 >= startTime and (not message.startswith("{") or _matches(message, filterPattern))
        ]
        for start in range(0, len(records) or 1, 2):
            yield {"events": records[start : start + 2]}


def _matches(message: str, pattern: str) -> bool:
    try:
        record = json.loads(message)
    except ValueError:
        return False
    named = [field for field in ("reason", "logger") if f"$.{field}" in pattern]
    return all(f'($.{field} = "{record.get(field)}")' in pattern for field in named)


def refusal(code: str, message: str) -> ClientError:
    """Make the error that boto3 raises for a refusal."""
    return ClientError({"Error": {"Code": code, "Message": message}}, "Call")


class Harness:
    """The stack, and a terminal."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch = monkeypatch
        self._capsys = capsys
        self.ssm = in_process.client("ssm")
        self.sqs = in_process.client("sqs")
        self.dynamodb = in_process.client("dynamodb")
        dynamodb.create_table(self.dynamodb, TABLE)
        self.telegram, self.slack, self.discord = TelegramStandIn(), SlackStandIn(), DiscordStandIn()
        self.discord.application["verify_key"] = VERIFY_KEY
        self.whatsapp = WhatsAppStandIn()
        # Behind the made-up address nobody answers; who knows the word is taken for the stack.
        self.whatsapp.handshake = lambda _, word: "" if word == self.value("whatsapp/verify-token") else "HTTP 403"
        self.status = "UPDATE_COMPLETE"
        self.headers = {"date": format_datetime(datetime.now(UTC), usegmt=True)}
        self.outputs = {
            "TelegramWebhookUrl": f"{API}/telegram",
            "SlackWebhookUrl": f"{API}/slack",
            "DiscordWebhookUrl": f"{API}/discord",
            "WhatsappWebhookUrl": f"{API}/whatsapp",
            "TableName": TABLE,
            "AlarmTopicArn": "arn:aws:sns:us-east-1:123456789012:doorcode-AlarmTopic",
        }
        self.parameters = {"AgentConcurrency": "3", "CourierConcurrency": "2", "Monitoring": "full"}
        self.concurrency: int | Exception = 1000
        self.starts: Any = {}
        self.models: dict[str, dict[str, Any]] = {}
        self.subscriptions = [f"{self.outputs['AlarmTopicArn']}:1"]
        self.resources = {f"{name}Function": ("AWS::Lambda::Function", f"doorcode-{name}-X1") for name in FUNCTIONS}
        fifo = {"FifoQueue": "true"}
        for queue in ("AgentQueue", "EffectsQueue", "AgentDeadLetters", "EffectsDeadLetters"):
            url = self.sqs.create_queue(QueueName=f"{queue}.fifo", Attributes=fifo)["QueueUrl"]
            self.resources[queue] = ("AWS::SQS::Queue", url)
        self.states: dict[str, dict[str, str]] = {}
        self.environment: dict[str, dict[str, str]] = {}
        self.resources_refused: Exception | None = None
        self.lambda_refused: Exception | None = None
        self.logs_refused: Exception | None = None
        self.logs: dict[str, list[tuple[float, str]]] = {}
        self.slept: list[float] = []
        for name, value in OWN.items():
            self.put(name, value)

        clients = {"ssm": self.ssm, "sqs": self.sqs, "dynamodb": self.dynamodb}
        clients |= {"cloudformation": CloudFormation(self), "lambda": Lambda(self), "logs": Logs(self)}
        clients |= {"bedrock": Bedrock(self), "sns": Topics(self)}

        def client(_target: Target, service: str) -> Any:
            return clients[service]

        monkeypatch.setattr(Target, "client", client)
        monkeypatch.setattr("doorcode_cli.secrets.time.sleep", self.slept.append)

    def configure(self, **settings: str) -> None:
        """Deploy with those settings."""
        urls = {
            "TELEGRAM_API_URL": self.telegram.api_url,
            "SLACK_API_URL": self.slack.api_url,
            "DISCORD_API_URL": self.discord.api_url,
            "WHATSAPP_API_URL": self.whatsapp.api_url,
        }
        for name in FUNCTIONS:
            self.environment[f"{name}Function"] = {"SECRETS_MAX_AGE_SECONDS": "300", **urls, **settings}

    def put(self, name: str, value: str) -> None:
        """Set a secret behind the command's back."""
        in_process.put_secret(f"{PREFIX}/{name}", value)

    def note(self, name: str, value: str) -> None:
        """Have a command keep what is no secret."""
        in_process.put_secret(f"{PREFIX}/{name}", value, kind="String")

    def put_tokens(self) -> None:
        """Set up every platform, as far as tokens go."""
        for name, value in (
            ("telegram/bot-token", TELEGRAM_TOKEN),
            ("slack/bot-token", SLACK_TOKEN),
            ("slack/signing-secret", "0123456789abcdef" * 2),
            ("discord/bot-token", DISCORD_TOKEN),
            ("discord/public-key", VERIFY_KEY),
            ("whatsapp/bot-token", WHATSAPP_TOKEN),
            ("whatsapp/app-secret", self.whatsapp.app_secret),
        ):
            self.put(name, value)

    def parameter(self, name: str) -> dict[str, Any]:
        """Return a parameter as it is."""
        answer = self.ssm.get_parameter(Name=f"{PREFIX}/{name}", WithDecryption=True)
        found: dict[str, Any] = answer["Parameter"]
        return found

    def value(self, name: str) -> str:
        """Return a secret as it is."""
        return str(self.parameter(name)["Value"])

    def ring(self, name: str) -> Keyring:
        """Return a ring, as the functions read it."""
        return parse_keyring(self.value(name))

    def has(self, name: str) -> bool:
        """Tell whether there is such a parameter."""
        return bool(self.ssm.get_parameters(Names=[f"{PREFIX}/{name}"])["Parameters"])

    def seat(self, platform: str, name: str, *, key: str = "aaaaaaaa", **changes: int) -> None:
        """Have somebody sit in a waiting room."""
        numbers = {"expires_at": int(time.time()) + 600, **changes}
        item = {
            "pk": {"S": f"seats#{platform}"}, "sk": {"S": name}, "user_id": {"S": f"9{name}"}, "nonce": {"S": "n"},
            "key_id": {"S": key}, **{field: {"N": str(value)} for field, value in numbers.items()},
        }  # fmt: skip
        self.dynamodb.put_item(TableName=TABLE, Item=item)

    def contact(self, platform: str, user_id: str, state: str) -> None:
        """Have somebody in the table in that state; ``overdue`` and ``ended`` are those whose time is up."""
        now = int(time.time())
        contact = Contact(
            platform=Platform(platform),
            user_id=user_id,
            state=State({"overdue": "pending", "ended": "paired"}.get(state, state)),
            rev=1,
            code_expires_at=now + (-1 if state == "overdue" else 600),
            paired_at=now - 60,
            paired_until=now - 1 if state == "ended" else 0,
            decided_at=now - 60,
        )
        item = {"pk": attribute(contact_pk(contact.platform, user_id)), "sk": attribute(CONTACT)}
        self.dynamodb.put_item(TableName=TABLE, Item=item | contact_attributes(contact))

    def set_up(self) -> None:
        """Leave every platform as its own command does."""
        self.put_tokens()
        self.telegram.register(f"{API}/telegram", OWN["telegram/webhook-secret"])
        self.discord.register(f"{API}/discord", "")
        self.whatsapp.register(f"{API}/whatsapp", "")
        for stand_in in (self.telegram, self.slack, self.whatsapp):
            for name, value in stand_in.credentials().items():
                if name in KEPT:
                    self.note(name, value)

    def log(self, function: str, ago: float, **record: str) -> None:
        """Have a function log a record, some seconds ago."""
        line = json.dumps({**record, "logger": f"doorcode.{function}"})
        self.logs.setdefault(f"/doorcode/doorcode/{group_of(function)}", []).append((time.time() - ago, line))

    def examine(self, *checks: str, options: tuple[str, ...] = ()) -> tuple[Ended, list[dict[str, Any]]]:
        """Run ``doorcode doctor``, with these of its checks alone if any are named; return how it ended and what it found."""
        chosen = {name: CHECKS[name] for name in checks} or CHECKS
        with patch.dict(CHECKS, chosen, clear=True):
            ended = self.run("doctor", "--json", *options)
        return ended, ended.json["checks"]

    def run(self, *arguments: str, stdin: bytes | None = b"", environment: Mapping[str, str] | None = None) -> Ended:
        """Run ``doorcode`` with these arguments."""
        given = io.TextIOWrapper(io.BytesIO(stdin or b""), encoding="utf-8")
        self._capsys.readouterr()
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(sys, "argv", ["doorcode", *arguments])
            patched.setattr(sys, "stdin", given)
            for name, value in (environment or {}).items():
                patched.setenv(name, value)
            with pytest.raises(SystemExit) as ended:
                main()
        out, err = self._capsys.readouterr()
        ended_with = Ended(int(ended.value.code or 0), out, err)
        self.check_silence(ended_with)
        return ended_with

    def check_silence(self, ended: Ended) -> None:
        """Nothing secret is ever shown, whatever the command."""
        for name, value in in_process.secrets().items():
            if not name.endswith(FOR_ALL_EYES):
                for line in value.splitlines():
                    assert line not in ended.all, f"{name} was shown"
        assert "Traceback" not in ended.all


@pytest.fixture
def harness(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Harness]:
    """Give a deployed stack with its own secrets, no tokens, and stand-ins that listen."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.delenv("DOORCODE_STACK", raising=False)
    monkeypatch.delenv("DOORCODE_STORE_DIR", raising=False)
    with in_process.aws("ssm", "sqs", "dynamodb"), ExitStack() as running:
        harness = Harness(monkeypatch, capsys)
        for stand_in in (harness.telegram, harness.slack, harness.discord, harness.whatsapp):
            running.enter_context(stand_in)
        harness.configure()
        yield harness

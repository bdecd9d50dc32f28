"""``doorcode init``: what is asked and kept, what is done, and that it goes on from wherever it was ended.

AWS and the platforms are as small here as in the other commands' tests; a whole run on a deployed stack is in
``tests/integration``.
"""

import json
import time
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from doorcode_cli.checkout import Checkout
from doorcode_cli.exit_codes import CommandError
from doorcode_cli.progress import Progress
from doorcode_cli.setting_up import owning, steps
from doorcode_cli.setting_up.account import LONGEST_NAME, NEVER_UP, TABLE, Account, check_name
from doorcode_cli.setting_up.answers_file import NAME, AnswersFile
from doorcode_cli.setting_up.questions import Questions
from doorcode_cli.target import Target
from tests.backends import in_process
from tests.infra.template import ROOT, template
from tests.unit.cli.setup_fixtures import (
    API,
    DISCORD_TOKEN,
    PREFIX,
    SLACK_TOKEN,
    WHATSAPP_TOKEN,
    Ended,
    Harness,
    refusal,
)

ID = "arn:aws:cloudformation:us-east-1:1:stack/doorcode/1"
TOKEN = "7000000001:stand-in"
SIGNING = "0123456789abcdef" * 2
ANSWERED = (
    *("--platform", "telegram", "--policy", "pair", "--agent", "python", "--alarm-email", "a@b.example"),
    *("--region", "us-east-1"),
)
# It says what it was told, and deploys nothing.
SAM = '#!/bin/sh\necho "$@" >> told\nenv > given\necho "CREATE_COMPLETE  AWS::SQS::Queue  Q  -"\nexit $(cat fails 2>/dev/null || echo 0)\n'


# The account


class CloudFormation:
    """Has one stack, of which a table is left."""

    def __init__(self, *states: str, table: str = "left", outputs: tuple[str, ...] = ("AdminFunctionName",)) -> None:
        self.states, self.table, self.did = list(states), table, list[str]()
        self.outputs = outputs

    def describe_stacks(self, **_: Any) -> dict[str, Any]:
        """Tell the state, or that there is no such stack."""
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        if not state:
            raise refusal("ValidationError", "Stack with id doorcode does not exist")
        outputs = [{"OutputKey": name, "OutputValue": "x"} for name in self.outputs]
        return {"Stacks": [{"StackId": ID, "StackStatus": state, "Outputs": outputs}]}

    def describe_stack_resources(self, **_: Any) -> dict[str, Any]:
        """Tell what is left, and what is gone or never was."""
        return {
            "StackResources": [
                {"ResourceType": TABLE, "PhysicalResourceId": self.table, "ResourceStatus": "DELETE_FAILED"},
                {"ResourceType": TABLE, "PhysicalResourceId": "gone", "ResourceStatus": "DELETE_FAILED"},
                {"ResourceType": TABLE, "ResourceStatus": "CREATE_FAILED"},
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
def tables() -> Iterator[Any]:
    """Give DynamoDB with a protected, empty table."""
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


def made_ready(monkeypatch: pytest.MonkeyPatch, stack: CloudFormation, dynamodb: Any) -> list[str]:
    """Have an account made ready that has such a stack; return what was said."""
    monkeypatch.setattr(
        Target, "client", lambda _self, service: stack if service == "cloudformation" else dynamodb
    )  # fmt: skip
    monkeypatch.setattr(time, "sleep", lambda _: None)
    target = Target(stack="doorcode", region="us-east-1", profile=None, local=False, store_dir=None)
    said: list[str] = []
    progress = Progress()
    monkeypatch.setattr(progress, "say", said.append)
    Account(target, progress).make_ready()
    return said


def test_a_stack_that_never_came_up_is_cleared_away(tables: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the empty table that its protection kept; a table with anything in it is kept, and its operator hears of it."""
    for state in NEVER_UP[1:]:
        tables.put_item(TableName="left", Item={"pk": {"S": "telegram#1"}})
        stack = CloudFormation(state)
        said = made_ready(monkeypatch, stack, tables)
        assert stack.did == [f"delete {ID}", "stack_delete_complete"]
        assert tables.describe_table(TableName="left")["Table"]["DeletionProtectionEnabled"] is True
        assert "ExistingTableName" in said[-1]
    tables.delete_item(TableName="left", Key={"pk": {"S": "telegram#1"}})
    stack = CloudFormation(NEVER_UP[0])
    assert NEVER_UP[0] in made_ready(monkeypatch, stack, tables)[0]
    assert stack.did == [f"delete {ID}", "stack_delete_complete"]
    assert tables.list_tables()["TableNames"] == []


def test_a_stack_that_runs_is_left_alone(tables: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what never ran is ever deleted; what is under way is waited for; what AWS cannot go on with is told."""
    for state in ("", "CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "REVIEW_IN_PROGRESS"):
        stack = CloudFormation(state)
        assert made_ready(monkeypatch, stack, tables) == []
        assert stack.did == []
    waited = CloudFormation("CREATE_IN_PROGRESS", "CREATE_IN_PROGRESS", "CREATE_COMPLETE")
    assert "CREATE_IN_PROGRESS" in made_ready(monkeypatch, waited, tables)[0]
    stuck = CloudFormation("UPDATE_ROLLBACK_FAILED")
    with pytest.raises(CommandError, match="continue-update-rollback --stack-name doorcode"):
        made_ready(monkeypatch, stuck, tables)
    assert tables.list_tables()["TableNames"] == ["left"]


def test_a_stack_of_somebody_elses_is_no_stack_to_deploy_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """Deploying to it would delete all that it has."""
    monkeypatch.setattr(Target, "client", lambda *_: CloudFormation("UPDATE_COMPLETE", outputs=("Shop",)))
    target = Target(stack="shop", region="us-east-1", profile=None, local=False, store_dir=None)
    with pytest.raises(CommandError, match="'shop' is none of Doorcode's"):
        Account(target, Progress()).parameters()


def test_a_name_that_aws_would_refuse_half_way() -> None:
    """In words, before anything is made; the longest one fits every resource that is named after the stack."""
    for name, told in (
        ("a" * (LONGEST_NAME + 1), "at most 58"),
        ("my_bot", "no name"),
        ("1bot", "no name"),
        ("", "no"),
    ):
        with pytest.raises(CommandError, match=told):
            check_name(name)
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


# The answers


def test_what_is_not_asked_to_be_changed_stays(tmp_path: Path) -> None:
    """Comments, keys of other tools and parameters that nobody asked about, in either form that sam takes."""
    text = (
        "# mine\nversion = 0.1\n\n[default.deploy.parameters]\n"
        'stack_name = "bot" # the old one\nregion = "eu-west-1"\ntags = "team=a"\n'
        'parameter_overrides = {}\n\n[prod.deploy.parameters]\nstack_name = "prod"\n'
    )  # fmt: skip
    flat = '"UnknownUserPolicy=deny AllowedUsers=\\"telegram:1, telegram:2\\" ParameterKey=MaxPending,ParameterValue=7"'
    listed = (
        '[\n  "UnknownUserPolicy=deny", # for now\n  "AllowedUsers=\\"telegram:1, telegram:2\\"", "MaxPending=7",\n]'
    )
    for form in (flat, listed):
        path = tmp_path / NAME
        path.write_text(text.format(form))
        path.chmod(0o600)
        file = AnswersFile(tmp_path)
        assert (file.stack, file.region, file.profile, file.platforms) == ("bot", "eu-west-1", "", ())
        file.place("bot", "eu-west-1", None)
        file.set({"UnknownUserPolicy": "deny"})
        assert not file.write()
        file.set({"UnknownUserPolicy": "pair", "FirstMessage": "keep"})
        assert file.write()
        written = path.read_text()
        assert path.stat().st_mode & 0o777 == 0o600
        for kept in ("# mine", "# the old one", 'tags = "team=a"', '[prod.deploy.parameters]\nstack_name = "prod"'):
            assert kept in written
        assert form is flat or "# for now" in written
        assert AnswersFile(tmp_path).parameters == {
            "UnknownUserPolicy": "pair",
            "AllowedUsers": "telegram:1, telegram:2",
            "MaxPending": "7",
            "FirstMessage": "keep",
        }


def test_answers_that_cannot_be_read(tmp_path: Path) -> None:
    """One line, and no traceback."""
    for text in ("[default", "[default.deploy]\nparameters = 1", 'default = "x"', "\xff"):
        (tmp_path / NAME).write_text(text, encoding="latin-1")
        with pytest.raises(CommandError, match="cannot be read"):
            AnswersFile(tmp_path)


# The way through


class Site:
    """A checkout beside a stack, and whoever sets it up."""

    def __init__(self, harness: Harness, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.harness, self.root = harness, root
        self._monkeypatch = monkeypatch
        self.owners: list[tuple[str, str]] = []
        # How many claims were made; and whether whoever reads one sends it to the bot.
        self.claims, self.sent = 0, True
        for name in ("template.yaml", "samconfig.toml"):
            (root / name).write_text((ROOT / name).read_text())
        sam = root / ".tools/sam/bin/sam"
        sam.parent.mkdir(parents=True)
        sam.write_text(SAM)
        sam.chmod(0o700)
        monkeypatch.setattr(steps, "Checkout", lambda: Checkout(root))
        monkeypatch.setattr("doorcode_cli.admin_client.AdminClient._invoke", lambda _, event: self._admin(event))
        monkeypatch.setattr(owning, "LOOK_SECONDS", 0)
        for module in ("slack.set_up", "discord.commands", "whatsapp.commands"):
            monkeypatch.setattr(f"doorcode_cli.platforms.{module}.time.sleep", lambda _: None)
        harness.outputs["AdminFunctionName"] = "doorcode-admin"
        harness.parameters |= {
            f"{platform}ApiUrl": stand_in.api_url
            for platform, stand_in in (
                ("Telegram", harness.telegram),
                ("Slack", harness.slack),
                ("Discord", harness.discord),
                ("Whatsapp", harness.whatsapp),
            )
        }

    def _admin(self, event: dict[str, Any]) -> bytes:
        if event["command"] == "owner_claim":
            self.claims += 1
            way = {"platform": "telegram", "text": "AAAA", "link": "https://t.me/doorcode_bot?start=AAAA"}
            if self.sent:
                self.owners.append((event["platform"] or "telegram", "1"))
            return json.dumps({"code": "AAAA", "ways": [way], "expires_at": "2999-01-01T00:00:00Z"}).encode()
        assert event["command"] == "owner_list"
        nobody = {"name": "@me", "full_name": "", "label": "", "by_setting": False, "by_claim": True, "paired_at": None}
        owners = [{"platform": platform, "user_id": user_id, **nobody} for platform, user_id in self.owners]
        return json.dumps({"owners": owners}).encode()

    @property
    def told(self) -> list[str]:
        """What sam was told since this was last asked."""
        path = self.root / "told"
        lines = path.read_text().splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return lines

    @property
    def answers(self) -> dict[str, str]:
        """The parameters that were kept."""
        return AnswersFile(self.root).parameters

    def run(self, *options: str, stdin: bytes = b"", **environment: str) -> Ended:
        """Run it as a pipeline does."""
        return self.harness.run("init", *options, stdin=stdin, environment=environment)

    def answering(self, *answers: object) -> list[str]:
        """Sit at the terminal, and answer with these what is asked; what was asked is in the list that is returned."""
        asked: list[str] = []
        left = list(answers)

        def prompt(question: str, *, default: str, **_: Any) -> str:
            asked.append(question.strip())
            assert len(asked) < 30, asked
            answer = left.pop(0) if left else None
            if isinstance(answer, BaseException):
                raise answer
            return default if answer is None else str(answer)

        self._monkeypatch.setattr(typer, "prompt", prompt)
        self._monkeypatch.setattr(typer, "confirm", lambda question, **_: asked.append(question.strip()) or left.pop(0))
        self._monkeypatch.setattr(Questions, "__init__", _at_terminal)
        return asked


def _at_terminal(self: Any) -> None:
    self.at_terminal, self.missing = True, []


@pytest.fixture
def site(harness: Harness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """Give a stack that was just deployed, and a checkout in which nothing was answered yet."""
    return Site(harness, tmp_path, monkeypatch)


def test_a_pipeline_sets_everything_up(site: Site) -> None:
    """Each answer is an option, tokens come from the environment, and nobody is asked to claim anything in a log."""
    ended = site.run(*ANSWERED, "--set", "FirstMessage=keep", DOORCODE_TELEGRAM_BOT_TOKEN=TOKEN)
    assert ended.code == 0, ended
    assert site.told == [
        "build",
        (
            f"deploy --config-file {site.root / NAME} --stack-name doorcode --no-confirm-changeset "
            "--no-fail-on-empty-changeset --no-progressbar"
        ),
    ]
    assert site.answers == {
        "UnknownUserPolicy": "pair", "Agent": "python", "AlarmEmail": "a@b.example", "FirstMessage": "keep",
    }  # fmt: skip
    assert TOKEN not in (site.root / "given").read_text()
    telegram = site.harness.telegram
    assert site.harness.value("telegram/bot-token") == TOKEN
    assert telegram.hook.url == f"{API}/telegram"
    assert "" not in {telegram.description, telegram.short_description}
    assert [one["command"] for one in telegram.commands] == ["start", "door"]
    assert (site.claims, "doorcode owner claim" in ended.err) == (0, True)
    assert "0 wrong" in ended.out
    kept = tomllib.loads((site.root / NAME).read_text())["default"]
    assert kept["deploy"]["parameters"]["resolve_s3"] is True
    assert kept["build"] == tomllib.loads((ROOT / "samconfig.toml").read_text())["default"]["build"]


def test_again_it_changes_what_it_is_asked_to_change(site: Site) -> None:
    """And nothing else: no answer, no token, no word of the bot's own; and asks nothing that is known."""
    assert site.run(*ANSWERED, DOORCODE_TELEGRAM_BOT_TOKEN=TOKEN).code == 0
    telegram = site.harness.telegram
    telegram.commands, telegram.description = [{"command": "menu", "description": "Mine"}], "Mine"
    before, versions = (site.root / NAME).read_bytes(), site.harness.parameter("telegram/bot-token")["Version"]
    assert site.run().code == 0
    assert (site.root / NAME).read_bytes() == before
    assert site.harness.parameter("telegram/bot-token")["Version"] == versions
    assert (telegram.commands[0]["command"], telegram.description) == ("menu", "Mine")
    assert site.run("--policy", "deny").code == 0
    assert site.answers == {"UnknownUserPolicy": "deny", "Agent": "python", "AlarmEmail": "a@b.example"}


def test_missing_answers_are_named(site: Site) -> None:
    """All of them in one line, and nothing is done."""
    ended = site.run("--region", "us-east-1")
    assert (ended.code, site.told, (site.root / NAME).exists()) == (2, [], False)
    for option in ("--platform", "--policy", "--agent", "--alarm-email"):
        assert option in ended.err
    ended = site.run(*ANSWERED)
    assert (ended.code, site.told, (site.root / NAME).exists()) == (2, [], False)
    assert "DOORCODE_TELEGRAM_BOT_TOKEN" in ended.err


def test_what_cannot_be_meant_is_refused_before_anything_is_done(site: Site) -> None:
    """In the words of the options."""
    for options, told in (
        (("--policy", "sometimes"), "--policy"),
        (("--agent", "bedrock"), "--agent-model"),
        (("--agent", "bot", "--agent-url", "ftp://x"), "--agent-url"),
        (("--set", "Colour=red"), "no parameter Colour"),
        (("--set", "Colour"), "NAME=VALUE"),
        (("--alarm-email", "me"), "e-mail"),
        (("--region", "moon-1"), "no region"),
        (("--stack", "my_bot"), "no name"),
        (("--profile", "nobody"), "(nobody) could not be found"),
    ):
        ended = site.run(*ANSWERED, *options, DOORCODE_TELEGRAM_BOT_TOKEN=TOKEN)
        assert (ended.code in {1, 2, 3}, told in ended.err, site.told) == (True, True, []), (options, ended)
        assert not (site.root / NAME).exists()
        assert not site.harness.has("telegram/bot-token")


def test_secrets_come_from_a_file_or_standard_input(site: Site) -> None:
    """What is wrong in them is told by its line, and never repeated; a token that its platform refuses goes nowhere."""
    lines = f"# tokens\ntelegram/bot-token={TOKEN}\n\ndiscord/bot-token = {DISCORD_TOKEN}\n".encode()
    ended = site.run(*ANSWERED, "--platform", "discord", "--secrets", "-", stdin=lines)
    assert ended.code == 0, ended
    assert site.harness.value("discord/bot-token") == DISCORD_TOKEN
    assert site.harness.discord.application["interactions_endpoint_url"] == f"{API}/discord"
    assert AnswersFile(site.root).platforms == ("telegram", "discord")
    file = site.root / "secrets"
    for text, told in (("telegram/bot-token", "line 1"), ("\nother=s3cr3t-value", "line 2"), ("\xff", "no text")):
        file.write_text(text, encoding="latin-1")
        ended = site.run("--secrets", str(file))
        assert (ended.code, told in ended.err, "s3cr3t" in ended.all) == (2, True, False)
    file.write_text("telegram/bot-token=7000000001:another-one")
    ended = site.run("--secrets", str(file))
    assert (ended.code, "not accepted" in ended.err, "another-one" in ended.all) == (1, True, False)
    assert site.harness.value("telegram/bot-token") == TOKEN


def test_what_sends_elsewhere_is_not_taken_over_unasked(site: Site) -> None:
    """A bot that somebody runs already: by option, or asked; else it is left as it is, and the rest goes on."""
    telegram, discord = site.harness.telegram, site.harness.discord
    telegram.hook.url = "https://elsewhere.example/hook"
    discord.commands = [{"id": "1", "name": "menu"}]
    tokens: dict[str, Any] = {"DOORCODE_TELEGRAM_BOT_TOKEN": TOKEN, "DOORCODE_DISCORD_BOT_TOKEN": DISCORD_TOKEN}
    ended = site.run(*ANSWERED, "--platform", "discord", **tokens)
    assert (ended.code, ended.out.count("--take-over"), site.claims) == (1, 2, 0)
    assert telegram.hook.url == "https://elsewhere.example/hook"
    assert [one["name"] for one in discord.commands] == ["menu"]
    assert site.run("--take-over").code == 0
    assert telegram.hook.url == f"{API}/telegram"
    assert [one["name"] for one in discord.commands] == ["chat", "door"]
    telegram.hook.url = "https://elsewhere.example/hook"
    asked = site.answering(False)
    assert site.run().code == 1
    assert (asked, telegram.hook.url) == (["Have it sent here instead?"], "https://elsewhere.example/hook")


def test_slack_is_set_up_by_a_link_or_by_itself(site: Site) -> None:
    """The link has the whole manifest; with a configuration token the app is made, and its secret taken from it."""
    # The app's configuration token: none, so by the link; then the two secrets that the app has.
    site.answering(None, "slack", None, None, None, "", SIGNING, SLACK_TOKEN)
    ended = site.run("--region", "us-east-1")
    assert ended.code == 0, ended
    link = next(line.strip() for line in ended.out.splitlines() if "new_app=1" in line)
    assert link.startswith("https://api.slack.com/apps?new_app=1&manifest_json=%7B%22display_information%22")
    assert f"{API}/slack".replace(":", "%3A").replace("/", "%2F") in link
    assert site.harness.value("slack/signing-secret") == SIGNING
    assert site.harness.value("slack/team") == "T0WORKSPACE:"
    for name in ("slack/signing-secret", "slack/bot-token"):
        site.harness.ssm.delete_parameter(Name=f"{PREFIX}/{name}")
    site.answering(SLACK_TOKEN)
    ended = site.run(DOORCODE_SLACK_CONFIGURATION_TOKEN=site.harness.slack.configuration_token)
    assert ended.code == 0, ended
    (made,) = site.harness.slack.apps.values()
    assert made["settings"]["event_subscriptions"]["request_url"] == f"{API}/slack"
    assert [call.name for call in site.harness.slack.calls].count("apps.manifest.update") == 1
    assert site.harness.value("slack/signing-secret") == site.harness.slack.signing_secret
    assert not site.harness.has("slack/configuration-token")


def test_whatsapp_is_set_up_by_its_token(site: Site) -> None:
    """The token and the app's secret are all that is asked; every answer is an option, and nobody else's webhook is taken."""
    whatsapp = site.harness.whatsapp
    asked = site.answering(None, "whatsapp", WHATSAPP_TOKEN, "pair,whatsapp=pair", None, "", whatsapp.app_secret)
    ended = site.run("--region", "us-east-1")
    assert ended.code == 0, ended
    assert [one for one in asked if one.startswith("whatsapp/")] == ["whatsapp/bot-token", "whatsapp/app-secret"]
    assert "On WhatsApp they are denied unless it is named" in ended.out
    assert (whatsapp.callback, whatsapp.subscribed) == (f"{API}/whatsapp", True)
    assert site.harness.value("whatsapp/bot") == f"{whatsapp.PHONE_NUMBER_ID}:15550783881"
    # All of it can be given, the number, too; and whatever sends elsewhere is asked about.
    whatsapp.callback = "https://elsewhere.example/hook"
    given = {
        "DOORCODE_WHATSAPP_BOT_TOKEN": WHATSAPP_TOKEN,
        "DOORCODE_WHATSAPP_APP_SECRET": whatsapp.app_secret,
        "DOORCODE_WHATSAPP_ACCOUNT_ID": whatsapp.WABA,
        "DOORCODE_WHATSAPP_PHONE_NUMBER_ID": whatsapp.PHONE_NUMBER_ID,
    }
    site.owners.append(("whatsapp", "US.1"))
    asked = site.answering(False)
    ended = site.harness.run("init", environment=given)
    assert (asked, "doorcode whatsapp webhook set has it" in ended.err) == (["Have it sent here instead?"], True)
    assert whatsapp.callback == "https://elsewhere.example/hook"
    assert site.harness.run("init", "--take-over", environment=given).code == 0
    assert whatsapp.callback == f"{API}/whatsapp"


def test_it_goes_on_from_wherever_it_was_ended(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ended at each question and at each step in turn, it asks and does only what is left; in the end all is done."""
    for answers in ([], ["doorcode"], ["doorcode", "us-east-1"], ["telegram"], [TOKEN], ["pair"], ["python"]):
        asked = site.answering(*answers, KeyboardInterrupt())
        ended = site.run()
        assert (ended.code, "Stopped while asking" in ended.err) == (1, True), (answers, ended)
        assert len(asked) == len(answers) + 1, (answers, asked)
        assert site.told == []
    site.answering("")
    for name in ("build", "deploy", "have_owned", "examine"):
        step = vars(steps)[name]
        for before in (True, False):

            def ended_there(*arguments: Any, step: Any = step, before: bool = before, **options: Any) -> None:
                if not before:
                    step(*arguments, **options)
                raise KeyboardInterrupt

            with monkeypatch.context() as patch:
                patch.setattr(steps, name, ended_there)
                ended = site.run()
            assert (ended.code, "Stopped while" in ended.err) == (1, True), (name, ended)
    asked = site.answering()
    ended = site.run()
    assert (ended.code, asked) == (0, []), ended
    assert (site.claims, "Owned by @me (telegram 1)" in ended.out) == (1, True)
    assert site.harness.telegram.hook.url == f"{API}/telegram"


def test_outside_a_checkout_there_is_nothing_to_deploy(site: Site) -> None:
    """Said before anything is asked."""
    (site.root / "template.yaml").unlink()
    ended = site.run(*ANSWERED)
    assert (ended.code, "Clone the repository" in ended.err, ended.out) == (1, True, "")


def test_a_failure_says_what_was_said_and_how_to_go_on(site: Site) -> None:
    """Of building and of deploying; once its cause is gone it goes on, and asks nothing again."""
    (site.root / "fails").write_text("1")
    ended = site.run(*ANSWERED, DOORCODE_TELEGRAM_BOT_TOKEN=TOKEN)
    assert (ended.code, site.told) == (1, ["build"])
    assert "Building failed" in ended.err
    assert "Then go on from there with: doorcode init" in ended.err
    assert "AWS::SQS::Queue" in ended.out
    (site.root / "fails").unlink()
    assert site.run().code == 0


def test_waiting_for_the_claim_can_be_left(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C goes on without an owner, and says how to get one."""
    site.answering("doorcode", "us-east-1", None, TOKEN, None, None, None)
    site.sent = False
    monkeypatch.setattr(time, "sleep", interrupt)
    ended = site.run()
    assert ended.code == 0, ended
    assert "Nobody has claimed it yet" in ended.err
    assert "0 wrong" in ended.out


def interrupt(_: float) -> None:
    """Press Ctrl-C."""
    raise KeyboardInterrupt


def test_an_agent_elsewhere_is_asked_what_it_needs(site: Site) -> None:
    """Its address, its model and its key, each only for the kinds that have one; Enter is no answer where there must be one."""
    asked = site.answering(
        *("doorcode", "us-east-1", "telegram", TOKEN, "pair", "openai"),
        *("", "https://api.example.com/v1", "gpt-5-mini", "", "sk-0123456789"),
    )
    ended = site.run()
    assert ended.code == 0, ended
    assert [question.partition(",")[0] for question in asked[6:]] == [
        "Its address", "Its address", "The model's name", "An e-mail address", "agent/api-key",
    ]  # fmt: skip
    assert site.answers["AgentUrl"] == "https://api.example.com/v1"
    assert site.answers["AgentModel"] == "gpt-5-mini"
    assert site.harness.value("agent/api-key") == "sk-0123456789"
    # All of it anew: what there is stands in the brackets, and Enter keeps it.
    before = site.answers
    asked = site.answering()
    assert site.run("--ask").code == 0
    assert (len(asked), site.answers) == (8, before)


def test_on_this_machine_without_a_token_the_platform_is_played(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sandbox is started as it was answered, set up once it is up, and stays; nothing is deployed, and no file written."""
    store = tmp_path / "store"
    wanted: list[Any] = []

    def runs(stack: Any, secrets: Any, then: Callable[[], None]) -> None:
        wanted.append((stack, dict(secrets)))
        store.mkdir(exist_ok=True)
        facts = {"endpoint": "http://127.0.0.1:8788", "stack": "doorcode", "url": "http://127.0.0.1:8787"}
        (store / "sandbox.json").write_text(json.dumps(facts))
        then()

    monkeypatch.setattr(steps, "_sandbox", [runs])
    site.harness.put_tokens()
    local = ("--store-dir", str(store), "--platform", "telegram", "--policy", "pair", "--agent", "python")
    ended = site.run(*local, "--claim", "--set", "FirstMessage=keep")
    assert ended.code == 0, ended
    ((stack, secrets),) = wanted
    assert (stack.platforms, stack.policy, secrets) == (("telegram",), "pair", {})
    assert stack.settings == {"Agent": "python", "FirstMessage": "keep"}
    assert "Telegram is played: http://127.0.0.1:8787/" in ended.out
    assert "send the code there" in ended.err
    assert (site.told, (site.root / NAME).exists(), site.harness.telegram.hook.url) == ([], False, "")
    # It runs now: the same command sets up what runs, and does not change how.
    again = site.run("--store-dir", str(store), "--platform", "telegram")
    assert (again.code, len(wanted), "Owned by" in again.out) == (0, 1, True), again
    assert "end it with Ctrl-C" in site.run(*local).err
    (store / "sandbox.json").unlink()
    missing = site.run("--store-dir", str(store), "--platform", "telegram")
    assert (missing.code, "--policy, --agent" in missing.err) == (2, True)


def test_on_this_machine_a_real_bot_needs_a_tunnel(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    """Its token is tried first, and handed to the sandbox; without the tunnel's address nothing is started."""
    wanted: list[Any] = []
    monkeypatch.setattr(steps, "_sandbox", [lambda stack, secrets, _: wanted.append((stack, dict(secrets)))])
    near: dict[str, Any] = {"TELEGRAM_API_URL": site.harness.telegram.api_url, "DOORCODE_TELEGRAM_BOT_TOKEN": TOKEN}
    local = ("--store-dir", str(tmp_path / "s"), "--platform", "telegram", "--policy", "pair", "--agent", "python")
    ended = site.run(*local, **near)
    assert (ended.code, "--public-url" in ended.err, wanted) == (2, True, [])
    ended = site.run(*local, "--public-url", "https://tunnel.example", **near)
    assert ended.code == 0, ended
    ((stack, secrets),) = wanted
    assert (stack.public_url, secrets) == ("https://tunnel.example", {"telegram/bot-token": TOKEN})

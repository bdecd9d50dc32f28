"""A sandbox from within: what people send reaches the deployed stack, changed sources are taken up, and what is set stays."""

import io
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx
import pytest
from msgspec.structs import replace
from rich.console import Console

from doorcode.pairing.contact import Platform
from doorcode.pairing.texts import REQUEST_SENT
from doorcode_cli.progress import Progress
from doorcode_sandbox.build import local
from doorcode_sandbox.credentials import read
from doorcode_sandbox.deployment import resource
from doorcode_sandbox.infrastructure import PREFIX, STACK
from doorcode_sandbox.plan import Plan
from doorcode_sandbox.platforms.registry import OWNERS
from doorcode_sandbox.run import Running, running
from doorcode_sandbox.trouble import SandboxError
from tests.e2e.sandbox_process import Machine, copied, first_port, give_build
from tests.eventually import eventually

TOKEN = "telegram/bot-token"
REAL_TOKEN = "7000000002:" + "abcdefghijklmnopqrstuvwxyz123456789"

# Slack where nobody is, and no way to the real Telegram.
ELSEWHERE = {"SLACK_API_URL": "http://127.0.0.1:9/api", "HTTPS_PROXY": "http://127.0.0.1:9"}


class Harness:
    """A machine whose sandbox runs in this process."""

    def __init__(self, machine: Machine, store: Path, port: int) -> None:
        self.machine = machine
        self.plan = Plan(store=store, owners=OWNERS, port=port)
        self.environment = {
            name: value for name, value in os.environ.items() if name != "NO_PROXY" and not name.startswith("AWS_")
        }
        self._told = io.StringIO()
        self._context: AbstractContextManager[Running] | None = None
        self._updates = 0
        self.sandbox: Running

    def start(self, **environment: str) -> str:
        """Start it; return what it said."""
        self._told.seek(0)
        self._told.truncate()
        progress = Progress(Console(file=self._told, highlight=False, markup=False, emoji=False, soft_wrap=True))
        context = running(self.plan, progress, {**self.environment, **environment}, self.machine.checkout)
        self.sandbox = context.__enter__()
        self._context = context
        return self._told.getvalue()

    def stop(self) -> None:
        """End it."""
        if self._context:
            self._context.__exit__(None, None, None)
            self._context = None

    def client(self, service: str) -> Any:
        """Return a client of the emulator."""
        return self.sandbox.infrastructure.clients(service)

    def telegram(self, user_id: int, text: str = "Hello!") -> httpx.Response:
        """Have somebody write to the bot on Telegram."""
        self._updates += 1
        who = {"id": user_id, "is_bot": False, "first_name": "Sam"}
        chat = {"id": user_id, "type": "private"}
        message = {"message_id": self._updates, "date": 1, "chat": chat, "from": who, "text": text}
        secret = read(self.client("ssm"), PREFIX, ["telegram/webhook-secret"])["telegram/webhook-secret"].split()[0]
        return httpx.post(
            f"{self.sandbox.url}/telegram",
            json={"update_id": self._updates, "message": message},
            headers={"X-Telegram-Bot-Api-Secret-Token": secret},
            timeout=60,
        )

    def asked(self, user_id: int) -> bool:
        """Tell whether the owner was asked about somebody on Telegram, in the chat that the playground draws."""
        scene = httpx.get(f"{self.sandbox.url}/playground/scene", timeout=60).json()
        return any(
            message["from"] == "bot" and str(user_id) in json.dumps(message["shown"])
            for chat in scene["chats"]
            if (chat["platform"], chat["id"]) == ("telegram", *OWNERS[Platform.TELEGRAM])
            for message in chat["messages"]
        )

    def waiting(self, queue: str) -> int:
        """Return how many messages nobody has taken from a queue."""
        url, name = resource(self.client, STACK, queue), "ApproximateNumberOfMessages"
        told = self.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=[name])
        return int(told["Attributes"][name])

    def settings(self, function: str) -> dict[str, str]:
        """Return a function's environment."""
        name = resource(self.client, STACK, f"{function}Function")
        found: dict[str, str] = self.client("lambda").get_function_configuration(FunctionName=name)["Environment"][
            "Variables"
        ]
        return found


@pytest.fixture(scope="module")
def harness(kept: Path, machine: Machine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    """Give a machine with a sandbox that is up, from what another one kept; its sources are its own."""
    folder = tmp_path_factory.mktemp("harness")
    store = shutil.copytree(kept, folder / "store")
    made = Harness(Machine(folder, copied(folder / "checkout", built=True)), store, machine.port)
    assert "Nothing has changed" in made.start()
    yield made
    made.stop()
    made.machine.close()


def test_a_stranger_asks_through_the_front(harness: Harness) -> None:
    """The deployed function answers inside its response, and its reason is in its log with its fields."""
    answer = harness.telegram(987654321)
    assert (answer.status_code, answer.json()["text"]) == (200, REQUEST_SENT)
    events = harness.client("logs").filter_log_events(logGroupName=f"/doorcode/{STACK}/edge")["events"]
    records = [json.loads(event["message"]) for event in events if event["message"].startswith("{")]
    (record,) = [record for record in records if record.get("user_id") == "987654321"]
    assert (record["level"], record["reason"]) == ("INFO", "pairing_requested")


def test_the_owner_is_asked_at_the_stand_in(harness: Harness) -> None:
    """What follows from a request arrives where the owner would see it."""
    harness.telegram(987654322)
    assert eventually(lambda: harness.asked(987654322))


def test_items_expire(harness: Harness) -> None:
    """Both tables have their TTL on, which the emulator does not do by itself."""
    for table in ("Table", "AgentTable"):
        name = resource(harness.client, STACK, table)
        told = harness.client("dynamodb").describe_time_to_live(TableName=name)["TimeToLiveDescription"]
        assert told == {"TimeToLiveStatus": "ENABLED", "AttributeName": "ttl"}


def test_the_set_up_commands_work_on_it(harness: Harness) -> None:
    """Each as an operator types it: nothing is wrong, and the webhooks are the sandbox's own."""
    told = ("--local", "--store-dir", str(harness.plan.store))
    for words in (("telegram", "webhook", "set"), ("discord", "register")):
        ended = harness.machine.command(*words, *told)
        assert ended.code == 0, ended
    hook = harness.machine.command("telegram", "webhook", "info", "--json", *told)
    assert (json.loads(hook.out)["url"], json.loads(hook.out)["ours"]) == (f"{harness.sandbox.url}/telegram", True)
    assert harness.telegram(987654323).status_code == 200
    found = harness.machine.command("doctor", "--json", *told)
    assert [one for one in json.loads(found.out)["checks"] if one["level"] == "wrong"] == []
    assert found.code == 0


def test_a_restart_follows_what_waited_or_tells_that_it_cannot(harness: Harness) -> None:
    """A move that the courier had not taken yet is in its queue after the restart, and the owner is asked.

    Where what was kept cannot be gone on with, that is said at once, with what to do.
    """
    (source,) = harness.client("lambda").list_event_source_mappings(
        FunctionName=resource(harness.client, STACK, "CourierFunction")
    )["EventSourceMappings"]
    harness.client("lambda").update_event_source_mapping(UUID=source["UUID"], Enabled=False)
    assert harness.telegram(987654328).status_code == 200
    assert eventually(lambda: harness.waiting("EffectsQueue"))
    harness.stop()
    state: Path = harness.plan.store / "emulator/kept/cloudformation.json"
    whole = state.read_text()
    state.unlink()
    with pytest.raises(SandboxError, match="doorcode run --fresh"):
        harness.start()
    # That start was never complete, so what was kept is as it was.
    state.write_text(whole)
    assert "Nothing has changed" in harness.start()
    assert (harness.waiting("EffectsQueue"), harness.asked(987654328)) == (1, False)
    harness.client("lambda").update_event_source_mapping(UUID=source["UUID"], Enabled=True)
    assert eventually(lambda: harness.asked(987654328))


def test_changed_sources_are_taken_up(harness: Harness) -> None:
    """The package's, and a function's own; a mistake changes nothing."""
    texts = harness.machine.checkout.root / "shared/doorcode/pairing/texts.py"
    before = texts.read_text()
    assert harness.sandbox.reload.changed() == ()
    texts.write_text(before.replace(REQUEST_SENT, "Patience."))
    changed = harness.sandbox.reload.changed()
    assert changed == ("shared/doorcode/pairing/texts.py",)
    assert harness.sandbox.deploy(changed) == ["shared/doorcode"]
    assert harness.telegram(987654324).json()["text"] == "Patience."

    texts.write_text("This is no Python")
    with pytest.raises(SandboxError, match="Building DoorcodeLayer failed") as raised:
        harness.sandbox.deploy(harness.sandbox.reload.changed())
    assert "SyntaxError" in raised.value.tail
    assert harness.telegram(987654325).json()["text"] == "Patience."

    function = harness.machine.checkout.root / "functions/telegram/app.py"
    code = function.read_text()
    function.write_text(f"{code}\n\ndef handler(event, context):\n    return {{'statusCode': 418}}\n")
    of_functions = [name for name in harness.sandbox.reload.changed() if name.startswith("functions/")]
    assert harness.sandbox.deploy(of_functions) == ["functions/telegram"]
    assert harness.telegram(987654326).status_code == 418
    texts.write_text(before)
    function.write_text(code)
    # The mistake took the build with it; making the same once more takes as long as all of this.
    shutil.rmtree(local(harness.machine.checkout), ignore_errors=True)
    give_build(harness.machine.checkout)


def test_a_restart_keeps_people_and_follows_the_sources(harness: Harness) -> None:
    """Sources that went back are deployed, real tokens are kept and call real platforms, and the environment has its way.

    At other ports, too: what was deployed keeps the ones that it was first reached at.
    """
    ssm, name = harness.client("ssm"), f"{PREFIX}/{TOKEN}"
    ssm.put_parameter(Name=name, Value=REAL_TOKEN, Type="SecureString", Overwrite=True)
    requests = harness.client("dynamodb").scan(TableName=resource(harness.client, STACK, "Table"))["Count"]
    harness.stop()
    harness.plan = replace(harness.plan, port=first_port())
    said = harness.start(**ELSEWHERE)
    assert "Deploying template.yaml" in said
    assert harness.telegram(987654327).json()["text"] == REQUEST_SENT
    assert harness.sandbox.real == {Platform.TELEGRAM, Platform.SLACK}
    assert read(harness.client("ssm"), PREFIX, [TOKEN]) == {TOKEN: REAL_TOKEN}
    settings = harness.settings("Courier")
    assert settings["TELEGRAM_API_URL"] == "https://api.telegram.org"
    assert settings["SLACK_API_URL"] == ELSEWHERE["SLACK_API_URL"]
    assert settings["DISCORD_API_URL"].startswith("http://127.0.0.1:")
    assert harness.client("dynamodb").scan(TableName=resource(harness.client, STACK, "Table"))["Count"] >= requests


def test_one_platform_alone(harness: Harness) -> None:
    """Begun afresh for Slack alone, nobody is paired, the other platforms have no token, and strangers meet the policy."""
    harness.stop()
    owners = {Platform.SLACK: OWNERS[Platform.SLACK]}
    plan, harness.plan = (
        harness.plan,
        replace(harness.plan, fresh=True, policy="deny", platforms=(Platform.SLACK,), owners=owners),
    )
    try:
        harness.start()
        tokens = read(harness.client("ssm"), PREFIX, [f"{platform}/bot-token" for platform in Platform])
        assert list(tokens) == ["slack/bot-token"]
        settings = harness.settings("Slack")
        assert (settings["UNKNOWN_USER_POLICY"], settings["OWNER_USER_IDS"]) == (
            "deny",
            f"slack:{OWNERS[Platform.SLACK][0]}",
        )
        scene = httpx.get(f"{harness.sandbox.url}/playground/scene", timeout=60).json()
        assert {chat["platform"] for chat in scene["chats"]} == {"slack"}
        items = harness.client("dynamodb").scan(TableName=resource(harness.client, STACK, "Table"))["Items"]
        # What the agent asks the owner with is the sandbox's own.
        assert {item["pk"]["S"].partition("#")[0] for item in items} <= {"tokens"}
    finally:
        harness.plan = plan

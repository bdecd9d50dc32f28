"""``doorcode run`` as it is asked for: its options, and how it ends."""

import contextlib
import os
import re
import signal
import webbrowser
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from doorcode.pairing.contact import Platform
from doorcode_cli.exit_codes import CommandError, Exit
from doorcode_cli.setting_up.local_stack import LocalStack
from doorcode_cli.target import DEFAULT_STORE
from doorcode_sandbox import command
from doorcode_sandbox import run as sandbox
from doorcode_sandbox.plan import Plan
from doorcode_sandbox.platforms.registry import OWNERS
from doorcode_sandbox.trouble import SandboxError

TELEGRAM, SLACK, DISCORD, _ = Platform


class Fake:
    """A sandbox that is up at once, and does what it is told at each look."""

    def __init__(self) -> None:
        """Be nothing yet."""
        self.plan: Plan | None = None
        self.url = "http://127.0.0.1:8787"
        self.real: frozenset[Platform] = frozenset()
        self.looks: list[Callable[[], Any]] = []
        self.closed = False
        self.changes: list[tuple[str, ...]] = []
        self.deployed: list[list[str]] = []
        self.agent_changes: list[tuple[str, ...]] = []
        self.reload = SimpleNamespace(
            changed=lambda: self.changes.pop(0) if self.changes else (),
            agent_changed=lambda: self.agent_changes.pop(0) if self.agent_changes else (),
        )
        self.failed: list[str] = []
        self.failures = SimpleNamespace(fresh=self.fresh)
        self.metrics = SimpleNamespace(apply=lambda: None)
        self.starting: Callable[[], Any] = lambda: None
        self.closing: Callable[[], Any] = lambda: None

    @contextlib.contextmanager
    def running(
        self, plan: Plan, progress: Any, environment: Mapping[str, str], *, secrets: Mapping[str, str]
    ) -> Iterator["Fake"]:
        """Stand in for the real thing."""
        assert environment is os.environ
        self.secrets = secrets
        self.plan, self.progress = plan, progress
        try:
            self.starting()
            yield self
        finally:
            self.closing()
            self.closed = True

    def check(self) -> None:
        """Do what comes next; at the end, be ended from outside."""
        (self.looks.pop(0) if self.looks else lambda: signal.raise_signal(signal.SIGTERM))()

    def fresh(self) -> list[str]:
        """Tell what has failed, once."""
        told, self.failed = self.failed, []
        return told

    def deploy(self, changed: list[str]) -> None:
        """Note what was deployed."""
        if "functions/broken/app.py" in changed:
            raise SandboxError("sam build failed.", "line 1 is wrong")
        self.deployed.append(changed)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Fake:
    """Give a sandbox that only seems to be one."""
    made = Fake()
    monkeypatch.setattr(sandbox, "running", made.running)
    monkeypatch.setattr(command, "LOOK_SECONDS", 0)
    return made


def test_the_defaults(fake: Fake, capsys: pytest.CaptureFixture[str]) -> None:
    """Everybody may ask, the playground's owners decide, and the addresses are told; being ended is no error."""
    command.run()
    assert fake.plan == Plan(store=Path("~/.doorcode").expanduser(), owners=OWNERS)
    assert (fake.plan.policy, fake.plan.port, fake.plan.fresh) == ("pair,whatsapp=pair", 8787, False)
    said = capsys.readouterr().out
    assert re.search(r"Playground +http://127.0.0.1:8787/\n", said)
    assert "doorcode pairing list --local\n" in said
    assert "Real" not in said
    assert said.endswith("Ended. Who is paired stays so, until the next time: doorcode run\n")
    assert fake.closed


def test_one_that_init_wants(fake: Fake, tmp_path: Path) -> None:
    """As it was answered, by the parameters' names; nobody owns the bot, for somebody is to claim it. Then it stays."""
    mine = tmp_path / "mine.py"
    mine.write_text("")
    wanted = LocalStack(
        store=tmp_path, port=9000, platforms=(TELEGRAM,), policy="deny", agent_file=str(mine),
        settings={"Agent": str(mine), "FirstMessage": "keep"}, public_url="https://tunnel.example/",
    )  # fmt: skip
    called: list[bool] = []
    command.run_for(wanted, {"telegram/bot-token": "1:a"}, lambda: called.append(fake.closed))
    assert (called, fake.closed, fake.secrets) == ([False], True, {"telegram/bot-token": "1:a"})
    assert fake.plan == Plan(
        store=tmp_path, owners={TELEGRAM: ()}, policy="deny", platforms=(TELEGRAM,), port=9000, my_agent=mine,
        settings={"AGENT": "python", "FIRST_MESSAGE": "keep"}, public_url="https://tunnel.example",
    )  # fmt: skip


def test_what_fails_is_told(fake: Fake, capsys: pytest.CaptureFixture[str]) -> None:
    """An agent of one's own that fails is seen in the terminal."""
    fake.failed = ["⚠️  agent: A chat is answered later: KeyError at agent/responder.py:24:greet"]
    fake.looks = [lambda: None, lambda: None]
    command.run()
    assert capsys.readouterr().out.count("KeyError at agent/responder.py:24:greet\n") == 1


def test_the_options(fake: Fake, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Owners, platforms, store and port are taken; what is real is told."""
    fake.real = frozenset({SLACK})
    command.run(
        owner=["telegram:1", "slack:U0OWNER001", "telegram:2"], platform=[TELEGRAM, SLACK, SLACK], policy="deny,slack=allow",
        store_dir=tmp_path, port=9000, fresh=True,
    )  # fmt: skip
    assert fake.plan == Plan(
        store=tmp_path, owners={TELEGRAM: ("1", "2"), SLACK: ("U0OWNER001",)}, policy="deny,slack=allow",
        platforms=(TELEGRAM, SLACK), port=9000, fresh=True,
    )  # fmt: skip
    said = capsys.readouterr().out
    assert f"doorcode pairing list --store-dir {tmp_path}\n" in said
    assert "/discord" not in said
    assert re.search(r"Real +slack\n", said)


def test_only_a_platform_s_own_owners_are_asked(fake: Fake) -> None:
    """With one platform, its default owner alone."""
    command.run(platform=[DISCORD])
    assert fake.plan
    assert fake.plan.owners == {DISCORD: OWNERS[DISCORD]}


@pytest.mark.parametrize(
    ("options", "told"),
    [({"policy": "perhaps"}, "--policy"), ({"owner": ["telegram:*"]}, "--owner"), ({"owner": ["bob"]}, "--owner")],
)
def test_what_cannot_be_meant_is_refused(fake: Fake, options: dict[str, Any], told: str) -> None:
    """With the option's name, before anything starts."""
    with pytest.raises(CommandError, match=told) as raised:
        command.run(**options)
    assert raised.value.code == Exit.USAGE
    assert fake.plan is None


def test_what_fails_is_quoted(fake: Fake, capsys: pytest.CaptureFixture[str]) -> None:
    """The tool's last words on standard error, then one line, and exit code 3."""
    fake.looks = [lambda: (_ for _ in ()).throw(SandboxError("ministack ended.", "out of memory"))]
    with pytest.raises(CommandError, match=r"^ministack ended\.$") as raised:
        command.run()
    assert raised.value.code == Exit.UNREACHABLE
    assert capsys.readouterr().err == "out of memory\n"
    assert fake.closed


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_end_before_it_is_up(fake: Fake, number: signal.Signals) -> None:
    """Everything is taken down, and it is not called success; a second signal changes nothing."""
    before = signal.getsignal(number)
    fake.starting = lambda: signal.raise_signal(number)
    fake.closing = lambda: signal.raise_signal(signal.SIGINT)
    with pytest.raises(CommandError, match="before it was up") as raised:
        command.run()
    assert raised.value.code == Exit.REFUSED
    assert fake.closed
    assert signal.getsignal(number) is before


def test_what_the_shell_switched_off_stays_off(fake: Fake) -> None:
    """A sandbox started with nohup outlives its terminal."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        fake.looks = [lambda: signal.raise_signal(signal.SIGHUP)]
        command.run()
        assert fake.looks == []
    finally:
        signal.signal(signal.SIGHUP, before)


def test_changes_are_deployed_as_they_come(fake: Fake, capsys: pytest.CaptureFixture[str]) -> None:
    """Functions and package at once; a mistake is shown and nothing ends; the template takes a restart."""
    fake.changes = [(), ("functions/slack/app.py",), ("functions/broken/app.py",), ("layers/edge/Makefile",)]
    fake.looks = [lambda: None] * 4
    command.run(reload=True)
    assert fake.deployed == [["functions/slack/app.py"]]
    said = capsys.readouterr().out
    assert "✅ Deployed functions/slack/app.py (" in said
    assert "line 1 is wrong\n❌ sam build failed. What was deployed before stays.\n" in said
    assert "⚠️  layers/edge/Makefile has changed: end the sandbox and start it again" in said


def test_changes_are_left_alone_without_the_option(fake: Fake) -> None:
    """Nothing is looked at but the agent, which is somebody's own."""
    fake.changes = [("functions/slack/app.py",)]
    fake.agent_changes = [(), ("functions/agent/my_agent.py",)]
    fake.looks = [lambda: None] * 2
    command.run()
    assert fake.deployed == [["functions/agent/my_agent.py"]]


def test_the_browser_is_opened_when_asked(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the playground, once it is up."""
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    command.run()
    command.run(open_=True)
    assert opened == [fake.url]


def test_a_tunnel(fake: Fake, capsys: pytest.CaptureFixture[str]) -> None:
    """Webhooks can be taken through a tunnel: its address is kept for the commands that tell the platforms."""
    command.run(public_url="https://tunnel.example/")
    assert fake.plan is not None
    assert (fake.plan.public_url, fake.plan.public_page) == ("https://tunnel.example", False)
    assert "https://tunnel.example/telegram" in capsys.readouterr().out
    command.run(public_url="https://tunnel.example", public_page=True)
    assert fake.plan.public_page


def test_what_is_no_tunnel(fake: Fake) -> None:
    """An address that no platform would take is refused before anything starts."""
    for url in (
        "http://tunnel.example",
        "https://",
        "https://a/b",
        "https://a?b",
        "https://a@b",
        "tunnel.example",
        "https://a\nb",
        "",
    ):
        with pytest.raises(CommandError, match="--public-url") as ended:
            command.run(public_url=url, public_page=not url)
        assert (ended.value.code, fake.plan) == (Exit.USAGE, None), url


def test_how_the_command_finds_a_sandbox() -> None:
    """The usual one by --local, another by its folder, whatever signs that has."""
    assert Plan(store=DEFAULT_STORE.expanduser().absolute(), owners={}).where == "--local"
    assert Plan(store=Path("/tmp/my box"), owners={}).where == "--store-dir '/tmp/my box'"  # noqa: S108 (only a name)


def test_settings(fake: Fake) -> None:
    """Each of the functions' can be set, so that groups and expiry can be tried; nothing else is."""
    command.run(set_=["GROUP_POLICY=mention_only", "CODE_TTL_SECONDS=60", "AGENT_MODEL="])
    assert fake.plan is not None
    assert fake.plan.settings == {"GROUP_POLICY": "mention_only", "CODE_TTL_SECONDS": "60", "AGENT_MODEL": ""}
    # A bot that runs on this machine, behind the sandbox's door.
    command.run(set_=["AGENT=slack=bot", "AGENT_URL=slack=http://127.0.0.1:3000/slack/events?x=1"])
    assert fake.plan.settings == {"AGENT": "slack=bot", "AGENT_URL": "slack=http://127.0.0.1:3000/slack/events?x=1"}


def test_what_cannot_be_set(fake: Fake) -> None:
    """It is refused before anything starts, with what would be right."""
    for given, says in (
        ("GROUP_POLICY", "NAME is one of .*, GROUP_POLICY, "),
        ("NOTHING=1", "NAME is one of "),
        ("GROUP_POLICY=mention-only", "Use mention_only"),
        ("CODE_TTL_SECONDS=1", "Use CODE_TTL_SECONDS=60"),
        ("UNKNOWN_USER_POLICY=deny", "set with --policy"),
        ("OWNER_USER_IDS=telegram:1", "set with --owner"),
        ("SLACK_API_URL=http://localhost", "the environment variable SLACK_API_URL"),
    ):
        with pytest.raises(CommandError, match=says) as ended:
            command.run(set_=[given])
        assert (ended.value.code, fake.plan) == (Exit.USAGE, None), given


def test_an_agent(fake: Fake, tmp_path: Path) -> None:
    """Each kind is set by its options, a file of one's own by its name."""
    command.run(agent="webhook", agent_url="http://127.0.0.1:9000", set_=["GROUP_POLICY=off"])
    assert fake.plan is not None
    assert fake.plan.settings == {"AGENT": "webhook", "AGENT_URL": "http://127.0.0.1:9000", "GROUP_POLICY": "off"}
    command.run(agent="queue")
    assert (fake.plan.settings, fake.plan.my_agent) == ({"AGENT": "queue"}, None)
    mine = tmp_path / "mine.py"
    mine.touch()
    command.run(agent=str(mine))
    assert (fake.plan.settings, fake.plan.my_agent) == ({"AGENT": "python"}, mine)


def test_what_is_no_agent(fake: Fake) -> None:
    """It is refused before anything starts, by the options' own names."""
    refused: tuple[tuple[dict[str, Any], str], ...] = (
        ({"agent": "nobody"}, r"^--agent"),
        ({"agent": "./nowhere.py"}, "there is no file /.*nowhere.py"),
        ({"agent": "webhook"}, "--agent-url says no address"),
        ({"agent": "openai", "agent_url": "https://host.example/v1"}, "--agent-model is empty"),
        ({"agent": "webhook", "agent_url": "http://host.example"}, r"^--agent-url"),
    )
    for given, says in refused:
        with pytest.raises(CommandError, match=says) as ended:
            command.run(**given)
        assert (ended.value.code, fake.plan) == (Exit.USAGE, None), given

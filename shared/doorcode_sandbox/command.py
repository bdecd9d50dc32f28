"""``doorcode run``: the whole stack on this machine, with stand-ins for the platforms and a playground."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import time
import webbrowser
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import FrameType, MappingProxyType
from typing import TYPE_CHECKING, Annotated

import typer

from doorcode.errors import SettingsError
from doorcode.pairing.agents import AgentKind
from doorcode.pairing.contact import Platform
from doorcode.pairing.settings import parse_settings
from doorcode_cli.checkout import Checkout
from doorcode_cli.deployment import API_URLS
from doorcode_cli.examples import examples
from doorcode_cli.exit_codes import CommandError, Exit
from doorcode_cli.program import program
from doorcode_cli.progress import Progress
from doorcode_cli.setting_up.local_stack import LocalStack
from doorcode_cli.target import DEFAULT_STORE
from doorcode_cli.template import settings
from doorcode_sandbox.plan import FIRST_PORT, POLICY, PORTS, RESTART, Plan
from doorcode_sandbox.trouble import SandboxError

if TYPE_CHECKING:
    from doorcode_sandbox.run import Running

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# What has an option of its own, and where the platforms are: with a sandbox, those are its stand-ins.
OPTIONS = {
    "UNKNOWN_USER_POLICY": "--policy",
    "OWNER_USER_IDS": "--owner",
    **{name: f"the environment variable {name}" for name in API_URLS.values()},
}
LOOK_SECONDS = 1.0
PUBLIC_URL = re.compile(r"https://[A-Za-z0-9.-]+(:[0-9]{1,5})?/?")

EPILOG = examples(
    "doorcode run",
    "doorcode run --owner telegram:987654321 --policy pair,slack=deny",
    "doorcode run --set GROUP_POLICY=mention_only --set CODE_TTL_SECONDS=60",
    "doorcode run --agent ./my_agent.py",
    "doorcode run --agent webhook --agent-url http://127.0.0.1:9000",
    "doorcode run --port 8887 --store-dir ./sandbox --reload",
    "doorcode run --owner telegram:987654321 --public-url https://doorcode.example.org",
)

PolicyOption = Annotated[
    str, typer.Option("--policy", help="What happens to strangers: deny, pair or allow; per platform after commas.")
]
OwnerOption = Annotated[
    list[str] | None,
    typer.Option(
        "--owner",
        metavar="PLATFORM:ID",
        help="Who is asked. May be given several times. The playground's, if not given.",
    ),
]
PlatformOption = Annotated[
    list[Platform] | None, typer.Option("--platform", help="Only this platform. May be given several times.")
]
StoreOption = Annotated[
    Path, typer.Option("--store-dir", envvar="DOORCODE_STORE_DIR", help="Where the sandbox keeps its state.")
]
FreshOption = Annotated[
    bool, typer.Option("--fresh", help="Start afresh: forget who was paired, and every secret of the sandbox.")
]
PortOption = Annotated[
    int,
    typer.Option(
        "--port", min=1, max=65_536 - PORTS, help=f"Where it answers; the next {PORTS - 1} ports are used, too."
    ),
]
ReloadOption = Annotated[bool, typer.Option("--reload", help="Deploy functions again when their sources change.")]
PublicOption = Annotated[
    str,
    typer.Option("--public-url", metavar="URL", help="Where a tunnel takes webhooks for here: https, without a path."),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="A setting of the functions, such as GROUP_POLICY=mention_only. May be given several times.",
    ),
]
AgentOption = Annotated[
    str,
    typer.Option(
        "--agent",
        metavar="AGENT|FILE.py",
        help="Who answers: a kind of agent, per platform after commas, or a file with respond(message, history).",
    ),
]
AgentUrlOption = Annotated[str, typer.Option("--agent-url", metavar="URL", help="Where openai, webhook or bot is.")]
AgentModelOption = Annotated[str, typer.Option("--agent-model", metavar="MODEL", help="The model of openai.")]
PublicPageOption = Annotated[
    bool, typer.Option("--public-page", help="Have the owner's page and the API there through the tunnel, too.")
]
OpenOption = Annotated[bool, typer.Option("--open", help="Open the playground in the browser.")]


class _Ended(BaseException):
    """Somebody ended the sandbox: no error, and nothing that an `except Exception` may keep."""


def run(  # noqa: PLR0913 (each is an option of the command)
    *,
    policy: PolicyOption = POLICY,
    owner: OwnerOption = None,
    platform: PlatformOption = None,
    agent: AgentOption = "",
    agent_url: AgentUrlOption = "",
    agent_model: AgentModelOption = "",
    set_: SetOption = None,
    store_dir: StoreOption = DEFAULT_STORE,
    fresh: FreshOption = False,
    port: PortOption = FIRST_PORT,
    reload: ReloadOption = False,
    open_: OpenOption = False,
    public_url: PublicOption = "",
    public_page: PublicPageOption = False,
) -> None:
    """Run the whole stack on this machine: no account, no tokens, and a playground to try it in.

    Ends with Ctrl-C, and keeps who is paired for the next time.
    """
    # Half of the sandbox is servers, which no other command should wait for.
    from doorcode_sandbox.platforms.registry import OWNERS  # noqa: PLC0415

    platforms = tuple(dict.fromkeys(platform or Platform))
    plan = Plan(
        store=store_dir.expanduser().absolute(),
        policy=policy,
        owners=_owners(policy, owner, {platform: OWNERS[platform] for platform in platforms}),
        platforms=platforms,
        port=port,
        fresh=fresh,
        public_url=_public(public_url, page=public_page),
        public_page=public_page,
        settings=_settings(set_ or []) | _agent(agent, agent_url, agent_model),
        my_agent=_my_agent(agent),
    )
    _run(plan, reload=reload, then=webbrowser.open if open_ else None)


def run_for(wanted: LocalStack, secrets: Mapping[str, str], then: Callable[[], None]) -> None:
    """Run a sandbox for ``doorcode init``: nobody owns the bot there, so that somebody can claim it."""
    known = settings(Checkout().template.read_text())
    by_parameter = {one.parameter: name for name, one in known.items()}
    named = {by_parameter[name]: value for name, value in wanted.settings.items() if name in by_parameter}
    plan = Plan(
        store=wanted.store.absolute(),
        policy=wanted.policy,
        owners=dict.fromkeys(wanted.platforms, ()),
        platforms=wanted.platforms,
        port=wanted.port or FIRST_PORT,
        public_url=_public(wanted.public_url, page=False),
        settings={**named, **({"AGENT": AgentKind.PYTHON} if wanted.agent_file else {})},
        my_agent=_my_agent(wanted.agent_file),
    )
    _run(plan, reload=False, secrets=secrets, then=lambda _: then())


def _run(
    plan: Plan,
    *,
    reload: bool,
    then: Callable[[str], object] | None,
    secrets: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Run a sandbox until it is ended; ``then`` is given its address once it is up."""
    from doorcode_sandbox.run import running  # noqa: PLC0415

    progress = Progress()
    is_up = False
    try:
        with _ending(), running(plan, progress, os.environ, secrets=secrets) as sandbox:
            _greet(progress, plan, sandbox)
            is_up = True
            if then:
                then(sandbox.url)
            _stay(progress, sandbox, reload=reload)
    except _Ended:
        if not is_up:
            raise CommandError("Ended before it was up. Nothing is left running.") from None
        progress.say(f"Ended. Who is paired stays so, until the next time: {program()} run")
    except SandboxError as error:
        if error.tail:
            typer.echo(error.tail, err=True)
        raise CommandError(error.message, Exit.UNREACHABLE) from None


def _settings(given: list[str]) -> dict[str, str]:
    """Return what was set, by name. Raises CommandError where the functions would not start with it."""
    known = settings(Checkout().template.read_text()) if given and Checkout().template.exists() else {}
    found = {}
    for line in given:
        name, equals, value = line.partition("=")
        if name in OPTIONS:
            raise CommandError(f"{name} is set with {OPTIONS[name]}", Exit.USAGE)
        if not equals or name not in known:
            names = ", ".join(sorted(known.keys() - OPTIONS.keys()))
            raise CommandError(f"--set takes NAME=VALUE, where NAME is one of {names}", Exit.USAGE)
        found[name] = value
    try:
        parse_settings(found)
    except SettingsError as error:
        raise CommandError(f"--set {error}", Exit.USAGE) from None
    # As templates take it: empty is not the default there.
    return {name: value or known[name].default for name, value in found.items()}


def _agent(agent: str, url: str, model: str) -> dict[str, str]:
    """Return the settings of an agent, as options give it. Raises CommandError where it could not answer."""
    given = {"AGENT": AgentKind.PYTHON if agent.endswith(".py") else agent, "AGENT_URL": url, "AGENT_MODEL": model}
    given = {name: value for name, value in given.items() if value}
    try:
        problems = "; ".join(parse_settings(given).agents.problems(AgentKind))
    except SettingsError as error:
        problems = str(error)
    if problems:
        for name in ("AGENT_URL", "AGENT_MODEL", "AGENT"):
            problems = re.sub(rf"\b{name}\b", f"--{name.lower().replace('_', '-')}", problems)
        raise CommandError(problems, Exit.USAGE)
    return given


def _my_agent(agent: str) -> Path | None:
    if not agent.endswith(".py"):
        return None
    path = Path(agent).expanduser().absolute()
    if not path.is_file():
        raise CommandError(f"--agent: there is no file {path}", Exit.USAGE)
    return path


def _public(url: str, *, page: bool) -> str:
    if page and not url:
        raise CommandError("--public-page is for a tunnel: say where it is, with --public-url", Exit.USAGE)
    if url and not PUBLIC_URL.fullmatch(url):
        raise CommandError(
            "--public-url is the https address of a tunnel, without a path, such as https://doorcode.example.org",
            Exit.USAGE,
        )
    return url.rstrip("/")


def _owners(
    policy: str, given: list[str] | None, default: dict[Platform, tuple[str, ...]]
) -> dict[Platform, tuple[str, ...]]:
    try:
        settings = parse_settings({"UNKNOWN_USER_POLICY": policy, "OWNER_USER_IDS": ",".join(given or [])})
    except SettingsError as error:
        line = str(error).replace("UNKNOWN_USER_POLICY", "--policy").replace("OWNER_USER_IDS", "--owner")
        raise CommandError(line, Exit.USAGE) from None
    if given is None:
        return default
    owners: dict[Platform, tuple[str, ...]] = {}
    for platform, user_id in settings.owners:
        owners[platform] = (*owners.get(platform, ()), user_id)
    return owners


@contextlib.contextmanager
def _ending() -> Iterator[None]:
    """Have the first signal that asks for an end bring it about, and the others wait for it."""

    def end(_number: int, _frame: FrameType | None) -> None:
        for number in SIGNALS:
            signal.signal(number, lambda *_: None)
        raise _Ended

    # What the shell has switched off for us, as nohup does, stays off; Ctrl-C always works.
    before = {
        number: signal.signal(number, end)
        for number in SIGNALS
        if number == signal.SIGINT or signal.getsignal(number) != signal.SIG_IGN
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _greet(progress: Progress, plan: Plan, sandbox: Running) -> None:
    progress.say()
    for name, value in (
        ("Playground", f"{sandbox.url}/"),
        ("Webhooks", " ".join(f"{plan.public_url or sandbox.url}/{platform}" for platform in plan.platforms)),
        ("Command", f"{program()} pairing list {plan.where}"),
        ("State", str(plan.store)),
        ("Real", ", ".join(sorted(sandbox.real))),
    ):
        if value:
            progress.say(f"  {name:<12}{value}")
    progress.say()
    progress.say("Ctrl-C ends it.")


def _stay(progress: Progress, sandbox: Running, *, reload: bool) -> None:
    while True:
        time.sleep(LOOK_SECONDS)
        sandbox.check()
        sandbox.metrics.apply()
        for line in sandbox.failures.fresh():
            progress.say(line)
        changed = sandbox.reload.changed() if reload else sandbox.reload.agent_changed()
        for name in changed:
            if name.startswith(RESTART):
                progress.say(f"⚠️  {name} has changed: end the sandbox and start it again to deploy it.")
        sources = [name for name in changed if not name.startswith(RESTART)]
        if sources:
            _deploy_again(progress, sandbox, sources)


def _deploy_again(progress: Progress, sandbox: Running, sources: list[str]) -> None:
    try:
        with progress.step("Deploying what has changed", f"Deployed {', '.join(sources[:3])}"):
            sandbox.deploy(sources)
    except SandboxError as error:
        progress.say(error.tail)
        progress.say(f"❌ {error.message} What was deployed before stays.")

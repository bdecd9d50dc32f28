"""``doorcode init``: from a checkout to a bot that works and is somebody's. Run again, it goes on from where it was."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated

import boto3
import typer

from doorcode.aws.provisioning import MADE_HERE
from doorcode.pairing.agents import API_KEY, AgentKind
from doorcode.pairing.contact import Platform
from doorcode.pairing.settings import Settings, parse_settings
from doorcode_cli.checkout import Checkout
from doorcode_cli.deployment import API_URLS, Deployment
from doorcode_cli.doctor import examine
from doorcode_cli.examples import examples
from doorcode_cli.exit_codes import CommandError, Exit
from doorcode_cli.known_secrets import FORMS
from doorcode_cli.output import say
from doorcode_cli.parameter_store import Shelf
from doorcode_cli.platform_api import PlatformApi
from doorcode_cli.platforms.port import OperatorPlatform, SettingUp
from doorcode_cli.platforms.registry import PLATFORMS
from doorcode_cli.program import as_called, work_on
from doorcode_cli.progress import Progress
from doorcode_cli.secret_forms import Form
from doorcode_cli.setting_up.account import Account, build, check_checkout, deploy
from doorcode_cli.setting_up.answers import Given, Interview, check_parameters
from doorcode_cli.setting_up.answers_file import NAME, AnswersFile
from doorcode_cli.setting_up.local_stack import LocalStack, RunSandbox
from doorcode_cli.setting_up.owning import have_owned
from doorcode_cli.setting_up.questions import Questions
from doorcode_cli.setting_up.secret_desk import SecretDesk, given_secrets, variable
from doorcode_cli.target import (
    DEFAULT_STACK,
    DEFAULT_STORE,
    SANDBOX_FILE,
    LocalOption,
    ProfileOption,
    StoreOption,
    Target,
)

PUBLIC_URL = re.compile(r"https://[A-Za-z0-9.-]+(:[0-9]{1,5})?/?")
# What can be given: all that is not made here.
GIVEN = tuple(
    form
    for form in (*FORMS.values(), *(form for parts in PLATFORMS.values() for form in parts.used_once))
    if form.name not in MADE_HERE and not form.set_by
)

SOME_TOKEN = next(iter(PLATFORMS.values())).api.token

EPILOG = examples(
    "doorcode init",
    "doorcode init --local",
    "doorcode init --ask",
    "doorcode init --platform discord",
    "doorcode init --policy pair,slack=deny --set FirstMessage=keep",
    "doorcode init --agent openai --agent-url https://api.example.com/v1 --agent-model gpt-5-mini",
    "doorcode init --stack my-bot --region eu-central-1 --platform telegram --policy pair --agent python "
    "--alarm-email ops@example.com --secrets - < secrets.txt",
)

_sandbox: list[RunSandbox] = []

StackOption = Annotated[
    str | None, typer.Option("--stack", envvar="DOORCODE_STACK", help="The stack's name.", show_default=False)
]
RegionOption = Annotated[str | None, typer.Option("--region", help="The AWS region, such as eu-central-1.")]
PlatformOption = Annotated[
    list[Platform] | None,
    typer.Option(
        "--platform",
        metavar="PLATFORM",
        help="Where people write to the bot. May be given several times, and adds one.",
    ),
]
SecretsOption = Annotated[
    Path | None,
    typer.Option(
        "--secrets",
        metavar="FILE",
        help=f"A file of lines NAME=VALUE, such as {SOME_TOKEN.name}=…; - is standard input. "
        f"The environment does, too: {variable(SOME_TOKEN)} and so on. Never an argument.",
    ),
]
PolicyOption = Annotated[
    str | None,
    typer.Option("--policy", help="When a stranger writes: pair, deny or allow; per platform after commas."),
]
AgentOption = Annotated[
    str | None,
    typer.Option("--agent", help=f"Who answers: {', '.join(AgentKind)}; per platform after commas."),
]
AgentUrlOption = Annotated[
    str | None, typer.Option("--agent-url", metavar="URL", help="Where openai, webhook or bot is.")
]
AgentModelOption = Annotated[
    str | None, typer.Option("--agent-model", metavar="MODEL", help="The model of bedrock or openai.")
]
AgentArnOption = Annotated[
    str | None, typer.Option("--agent-arn", metavar="ARN", help="The function, or the AgentCore runtime.")
]
MailOption = Annotated[
    str | None, typer.Option("--alarm-email", metavar="ADDRESS", help="Who hears of trouble; '' for nobody.")
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="NAME=VALUE", help="Any other parameter of template.yaml. May be given several times."
    ),
]
AskOption = Annotated[bool, typer.Option("--ask", help="Ask everything again; Enter keeps what there is.")]
TakeOverOption = Annotated[
    bool, typer.Option("--take-over", help="Do not ask before a platform that sends elsewhere is made to send here.")
]
ClaimOption = Annotated[
    bool | None,
    typer.Option(
        "--claim/--no-claim",
        help="Print what makes somebody the owner, and wait for it; by default at a terminal, while there is no owner.",
        show_default=False,
    ),
]
PortOption = Annotated[
    int | None, typer.Option("--port", help="With --local: where the sandbox answers.", show_default=False)
]
PublicOption = Annotated[
    str | None,
    typer.Option(
        "--public-url", metavar="URL", help="With --local and a real bot: where a tunnel leads here; https, no path."
    ),
]


def offer_sandbox(run: RunSandbox) -> None:
    """Have ``--local`` start sandboxes with this."""
    _sandbox[:] = [run]


def init(  # noqa: PLR0913 (each is an option of the command)
    *,
    stack: StackOption = None,
    region: RegionOption = None,
    profile: ProfileOption = None,
    platform: PlatformOption = None,
    secrets: SecretsOption = None,
    policy: PolicyOption = None,
    agent: AgentOption = None,
    agent_url: AgentUrlOption = None,
    agent_model: AgentModelOption = None,
    agent_arn: AgentArnOption = None,
    alarm_email: MailOption = None,
    set_: SetOption = None,
    ask: AskOption = False,
    take_over: TakeOverOption = False,
    claim: ClaimOption = None,
    local: LocalOption = False,
    store_dir: StoreOption = None,
    port: PortOption = None,
    public_url: PublicOption = None,
) -> None:
    """Set everything up: answer five questions, and have a bot that works and is yours.

    Builds, deploys to your AWS account, gives the platforms' tokens where they belong and has the platforms send here, makes
    you the owner, and ends with doorcode doctor. With --local all of it on this machine, without an account.

    Run it again whenever you like, also after Ctrl-C or an error: it looks at what is there, does what is missing, asks what is
    not known yet, and changes nothing else but what an option says. Answers are kept in samconfig.local.toml, except for
    tokens: those go to Parameter Store, tried first and never shown. Where nobody is at a terminal, options answer.
    """
    named = {
        "UnknownUserPolicy": policy,
        "Agent": agent,
        "AgentUrl": agent_url,
        "AgentModel": agent_model,
        "AgentArn": agent_arn,
        "AlarmEmail": alarm_email,
    }
    parameters = {name: value for name, value in named.items() if value is not None} | _pairs(set_ or [])
    given = Given(
        stack=stack,
        region=region,
        profile=profile,
        platforms=tuple(platform) if platform else None,
        parameters=parameters,
    )
    way = Setup(given, given_secrets(GIVEN, secrets, os.environ), anew=ask, take_over=take_over, claim=claim)
    try:
        if local or store_dir:
            way.on_this_machine(store_dir, port, public_url)
        else:
            way.in_account()
    except (KeyboardInterrupt, typer.Abort):
        raise CommandError(
            f"Stopped while {way.doing}. What is done stays done. To go on from there: doorcode init"
        ) from None


class Setup:
    """The way through; ``doing`` is where it is."""

    def __init__(
        self, given: Given, secrets: Mapping[str, str], *, anew: bool, take_over: bool, claim: bool | None
    ) -> None:  # fmt: skip
        """Begin it."""
        self.doing = "looking at what is there"
        self._given = given
        self._secrets = secrets
        self._anew = anew
        self._take_over = take_over
        self._questions = Questions()
        self._claim = self._questions.at_terminal if claim is None else claim
        self._progress = Progress()

    # In an AWS account

    def in_account(self) -> None:
        """Deploy, and set up. Raises CommandError."""
        checkout = Checkout()
        check_checkout(checkout)
        file = AnswersFile(checkout.root)
        self._greet(
            "This sets up the door of your bot, in five questions; all else is done for you. Enter takes what is in brackets.",
            f"Ctrl-C leaves at any time: doorcode init goes on from there. {NAME} keeps the answers.",
        )
        self.doing = "asking"
        asked = Interview(self._questions, self._given, count=5, anew=self._anew)
        target = self._place(asked, file)
        account = Account(target, self._progress)
        deployed = account.parameters()
        self._questions_but_the_place(asked, file, target, deployed, checkout)
        self.doing = "building"
        build(checkout, self._progress)
        self.doing = "deploying"
        account.make_ready()
        deploy(checkout, file.path, target, self._progress)
        self._set_up(target, file.platforms)

    def _place(self, asked: Interview, file: AnswersFile) -> Target:
        stack, region = asked.place(file.stack, file.region)
        profile = self._given.profile or file.profile or None
        file.place(stack, region, profile)
        self._keep(file)
        shown = [*(["--stack", stack] if stack not in {DEFAULT_STACK, os.environ.get("DOORCODE_STACK")} else [])]
        if region != boto3.Session(profile_name=profile).region_name:
            shown += ["--region", region]
        work_on(*shown, *(["--profile", profile] if profile else []))
        return Target(stack=stack, region=region, profile=profile, local=False, store_dir=None)

    def _questions_but_the_place(
        self, asked: Interview, file: AnswersFile, target: Target, deployed: Mapping[str, str], checkout: Checkout
    ) -> None:
        known = {**deployed, **file.parameters}
        desk = SecretDesk(self._questions, self._secrets, Shelf(target.client("ssm"), target.prefix))
        platforms = asked.platforms(file.platforms or _in_use(desk))
        file.choose(platforms)
        self._keep(file)
        at_terminal = self._questions.at_terminal

        def api_url(platform: Platform) -> str:
            parameter = f"{platform.title()}ApiUrl"
            value = self._given.parameters.get(parameter) or known.get(parameter, "")
            return parse_settings({API_URLS[platform]: value}).api_url(platform)

        def keep(answers: Mapping[str, str]) -> None:
            check = {**changed, **answers}
            check_parameters(check, known, template)
            changed.update(answers)
            file.set(changed)
            self._keep(file)

        template = checkout.template.read_text(encoding="utf-8")
        changed: dict[str, str] = {}
        if at_terminal:
            self._tokens(desk, platforms, api_url)
        steps: tuple[Callable[[Mapping[str, str]], dict[str, str]], ...] = (asked.policy, asked.agent, asked.mail)
        for step in steps:
            answers = step(known)
            if at_terminal or not self._questions.missing:
                keep(answers)
        if not at_terminal:
            self._miss_tokens(desk, platforms)
            self._questions.refuse_missing()
        keep({name: value for name, value in self._given.parameters.items() if name not in changed})
        if file.write():
            say(f"✅ {NAME} has the answers")
        if not at_terminal:
            self._tokens(desk, platforms, api_url)
        self._agent_secrets(desk, {**known, **changed})

    def _keep(self, file: AnswersFile) -> None:
        """Write down what was just said, so that it need not be asked again; a pipeline says all of it at once."""
        if self._questions.at_terminal:
            file.write()

    def _tokens(
        self, desk: SecretDesk, platforms: tuple[Platform, ...], api_url: Callable[[Platform], str]
    ) -> None:  # fmt: skip
        for platform in platforms:
            parts = PLATFORMS[platform]
            form = parts.api.token
            if parts.token_needs_stack and not desk.is_given(form):
                if not desk.has(form):
                    self._questions.explain(parts.how_to_get_token)
                continue
            if not desk.has(form) and not desk.is_given(form):
                self._questions.explain(parts.how_to_get_token)
            desk.obtain(form, _trial(parts.api, api_url(platform)))

    def _miss_tokens(self, desk: SecretDesk, platforms: tuple[Platform, ...]) -> None:
        for platform in platforms:
            for form in _asked_of(PLATFORMS[platform]):
                if not desk.has(form) and not desk.is_given(form):
                    self._questions.missing.append(f"{variable(form)} in the environment (or --secrets)")

    def _agent_secrets(self, desk: SecretDesk, values: Mapping[str, str]) -> None:
        agents = parse_settings({"AGENT": values.get("Agent", "")})
        asks = AgentKind.OPENAI in set(map(agents.agent, Platform)) and self._questions.at_terminal
        key = FORMS[API_KEY]
        if asks and not desk.has(key) and not desk.is_given(key):
            self._questions.explain("The model's key, if it wants one; Enter for none.")
        of_platforms = {form.name for parts in PLATFORMS.values() for form in (*parts.forms, *parts.used_once)}
        for form in GIVEN:
            if form.name not in of_platforms:
                desk.obtain(form, optional=True, ask=asks and form is key)

    # On this machine

    def on_this_machine(self, store_dir: Path | None, port: int | None, public_url: str | None) -> None:
        """Do the same with a sandbox: with the one that runs, or one that is started and stays. Raises CommandError."""
        store = (store_dir or DEFAULT_STORE).expanduser()
        target = Target(stack=DEFAULT_STACK, region=None, profile=None, local=True, store_dir=store_dir)
        work_on(*(["--store-dir", str(store_dir)] if store_dir else ["--local"]))
        if (store / SANDBOX_FILE).exists():
            self._in_running_sandbox(target, public_url)
            return
        if not _sandbox:
            raise CommandError(
                "A sandbox runs in a checkout of Doorcode: clone the repository, and there run: make run"
            )
        self._greet(
            "This sets up the door of a bot on this machine, in three questions. Enter takes what is in brackets.",
            "Without a token, a stand-in in the playground takes the platform's place.",
        )
        self.doing = "asking"
        asked = Interview(self._questions, self._given, count=3, anew=self._anew)
        desk = SecretDesk(self._questions, self._secrets)
        platforms = asked.platforms(())
        if not self._questions.missing:
            public_url = self._real_tokens(desk, platforms, public_url)
        answers = {**self._given.parameters, **asked.policy({}), **asked.agent({})}
        self._questions.refuse_missing()
        file = answers.get("Agent", "") if answers.get("Agent", "").endswith(".py") else ""
        checkout = Checkout()
        if checkout.template.exists():
            template = checkout.template.read_text(encoding="utf-8")
            check_parameters(answers | ({"Agent": AgentKind.PYTHON} if file else {}), {}, template)
        wanted = LocalStack(
            store=store,
            port=port,
            platforms=platforms,
            policy=answers.pop("UnknownUserPolicy"),
            settings=answers,
            agent_file=file,
            public_url=public_url or "",
        )
        self.doing = "starting the sandbox"
        _sandbox[0](wanted, desk.held, lambda: self._set_up(target, platforms))

    def _in_running_sandbox(self, target: Target, public_url: str | None) -> None:
        if self._given.parameters or public_url:
            raise CommandError(
                "A sandbox runs already, with settings of its own: end it with Ctrl-C, and run this again.", Exit.USAGE
            )
        self._set_up(target, self._given.platforms or tuple(Platform))

    def _real_tokens(self, desk: SecretDesk, platforms: tuple[Platform, ...], public_url: str | None) -> str | None:
        for platform in platforms:
            parts = PLATFORMS[platform]
            form = parts.api.token
            url = os.environ.get(API_URLS[platform]) or Settings().api_url(platform)
            if self._questions.at_terminal and not desk.is_given(form):
                self._questions.explain(f"{platform.title()}: the token of a real bot, or Enter for the stand-in.")
            if desk.obtain(form, _trial(parts.api, url), optional=True):
                for other in _asked_of(parts):
                    desk.obtain(other)
        if desk.held and not public_url:
            public_url = self._questions.ask(
                "Where a tunnel leads to http://127.0.0.1:8787 (https://…)", "--public-url", judge=_judge_public
            )
        return public_url

    # Wherever it is

    def _set_up(self, target: Target, platforms: tuple[Platform, ...]) -> None:
        deployment = Deployment(target)
        desk = SecretDesk(self._questions, self._secrets, deployment.shelf)
        say()
        for platform in platforms:
            self.doing = f"setting up {platform.title()}"
            if deployment.plays(platform):
                say(f"✅ {platform.title()} is played: {deployment.target.local_url}/")
                continue
            try:
                PLATFORMS[platform].set_up(SettingUp(deployment=deployment, desk=desk, take_over=self._take_over))
            except CommandError as error:
                # The others are none the worse for it; doctor tells of it once more.
                say(as_called(f"❌ {platform.title()}: {error}"))
                self._questions.missing.clear()
        self.doing = "waiting for an owner"
        played = any(map(deployment.plays, platforms))
        have_owned(target, platforms, self._progress, claim=self._claim, played=played)
        self.doing = "looking whether all is right"
        say()
        well = examine(Deployment(target))
        say()
        if well:
            say(
                as_called(
                    "Done. Who waits and who is in: doorcode pairing list, or /door in the chat. A page for it: doorcode web"
                )
            )
        elif not target.local:
            raise CommandError(
                "Not all is right yet: see ❌ above, each with what mends it. Or run again: doorcode init"
            )

    def _greet(self, *lines: str) -> None:
        for line in lines if self._questions.at_terminal else ():
            say(as_called(line))


def _in_use(desk: SecretDesk) -> tuple[Platform, ...]:
    return tuple(platform for platform, parts in PLATFORMS.items() if desk.has(parts.api.token))


def _asked_of(parts: OperatorPlatform) -> list[Form]:
    return [form for form in parts.forms if form.name in parts.needed and not form.set_by]


def _trial(api: type[PlatformApi], url: str) -> Callable[[str], str]:
    return lambda token: api(token, url).identity()


def _pairs(lines: list[str]) -> dict[str, str]:
    found = {}
    for line in lines:
        name, equals, value = line.partition("=")
        if not equals or not re.fullmatch(r"[A-Za-z0-9]+", name):
            raise CommandError("--set takes NAME=VALUE, such as FirstMessage=keep.", Exit.USAGE)
        found[name] = value
    return found


def _judge_public(url: str) -> None:
    if not PUBLIC_URL.fullmatch(url):
        raise CommandError("That is no https address without a path, such as https://doorcode.example.org.")

"""The way through ``doorcode init``, step by step: in an AWS account, or with the sandbox on this machine."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from doorcode.aws.provisioning import MADE_HERE
from doorcode.pairing.agents import API_KEY, AgentKind
from doorcode.pairing.contact import Platform
from doorcode.pairing.settings import Settings, parse_settings
from doorcode_cli.checkout import Checkout
from doorcode_cli.deployment import API_URLS, Deployment
from doorcode_cli.doctor import examine
from doorcode_cli.exit_codes import CommandError, Exit
from doorcode_cli.known_secrets import FORMS
from doorcode_cli.output import say
from doorcode_cli.parameter_store import ParameterStore
from doorcode_cli.platform_api import PlatformApi
from doorcode_cli.platforms.port import OperatorPlatform, SettingUp
from doorcode_cli.platforms.registry import PLATFORMS
from doorcode_cli.program import as_called, work_on
from doorcode_cli.progress import Progress
from doorcode_cli.secret_forms import Form
from doorcode_cli.setting_up.account import Account, build, check_checkout, configured_region, deploy
from doorcode_cli.setting_up.answers import Given, Interview, check_parameters
from doorcode_cli.setting_up.answers_file import NAME, AnswersFile
from doorcode_cli.setting_up.local_stack import LocalStack, RunSandbox
from doorcode_cli.setting_up.owning import have_owned
from doorcode_cli.setting_up.questions import Questions
from doorcode_cli.setting_up.secret_desk import SecretDesk, variable
from doorcode_cli.target import DEFAULT_STACK, DEFAULT_STORE, SANDBOX_FILE, Target

PUBLIC_URL = re.compile(r"https://[A-Za-z0-9.-]+(:[0-9]{1,5})?/?")
# What can be given: all that is not made here.
GIVEN = tuple(
    form
    for form in (*FORMS.values(), *(form for parts in PLATFORMS.values() for form in parts.used_once))
    if form.name not in MADE_HERE and not form.set_by
)

_sandbox: list[RunSandbox] = []


def offer_sandbox(run: RunSandbox) -> None:
    """Have ``--local`` start sandboxes with this."""
    _sandbox[:] = [run]


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
        if region != configured_region(profile):
            shown += ["--region", region]
        work_on(*shown, *(["--profile", profile] if profile else []))
        return Target(stack=stack, region=region, profile=profile, local=False, store_dir=None)

    def _questions_but_the_place(
        self, asked: Interview, file: AnswersFile, target: Target, deployed: Mapping[str, str], checkout: Checkout
    ) -> None:
        known = {**deployed, **file.parameters}
        desk = SecretDesk(self._questions, self._secrets, ParameterStore(target.client("ssm"), target.prefix))
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
                self._questions.explain(f"{platform.brand}: the token of a real bot, or Enter for the stand-in.")
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
        desk = SecretDesk(self._questions, self._secrets, deployment.parameter_store)
        say()
        for platform in platforms:
            self.doing = f"setting up {platform.brand}"
            if deployment.plays(platform):
                say(f"✅ {platform.brand} is played: {deployment.target.local_url}/")
                continue
            try:
                PLATFORMS[platform].set_up(SettingUp(deployment=deployment, desk=desk, take_over=self._take_over))
            except CommandError as error:
                # The others are none the worse for it; doctor tells of it once more.
                say(as_called(f"❌ {platform.brand}: {error}"))
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


def _judge_public(url: str) -> None:
    if not PUBLIC_URL.fullmatch(url):
        raise CommandError("That is no https address without a path, such as https://doorcode.example.org.")

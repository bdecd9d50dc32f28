"""What ``doorcode init`` asks: five things, none of them again once it is known, unless that is asked for.

What is known stands in samconfig.local.toml, or in the stack that is there already. An option is an answer, and changes it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from msgspec import Struct

from doorcode.errors import SettingsError
from doorcode.pairing.agents import ARN_SERVICES, NEEDS_MODEL, NEEDS_URL, AgentKind
from doorcode.pairing.contact import Platform
from doorcode.pairing.platform import TRAITS
from doorcode.pairing.settings import parse_settings
from doorcode_cli.exit_codes import CommandError, Exit
from doorcode_cli.platforms.registry import PLATFORMS
from doorcode_cli.setting_up.account import check_name, check_region, configured_region
from doorcode_cli.setting_up.questions import Judge, Questions
from doorcode_cli.target import DEFAULT_STACK
from doorcode_cli.template import parameters, settings

MAIL = re.compile(r"[^@ ]+@[^@ ]+[.][^@ ]+")
POLICY, MAIL_PARAMETER = "UnknownUserPolicy", "AlarmEmail"
# The settings of an agent, and the options that give them.
AGENT_OPTIONS = {
    "Agent": "--agent",
    "AgentUrl": "--agent-url",
    "AgentModel": "--agent-model",
    "AgentArn": "--agent-arn",
}
AGENT_SETTINGS = {"Agent": "AGENT", "AgentUrl": "AGENT_URL", "AgentModel": "AGENT_MODEL", "AgentArn": "AGENT_ARN"}
KINDS = (
    "python      a function of yours, functions/agent/my_agent.py; as it comes, it greets",
    "bedrock     a model on Amazon Bedrock",
    "openai      a model behind OpenAI's API, whoever runs it",
    "webhook     an address of yours, which gets JSON and answers",
    "function    a Lambda function of yours; agentcore: a runtime on Bedrock AgentCore",
    "bot         the bot that you have, as it is; queue: a consumer of yours",
)


class Given(Struct, frozen=True, kw_only=True):
    """What options say; None where they say nothing."""

    stack: str | None = None
    region: str | None = None
    profile: str | None = None
    platforms: tuple[Platform, ...] | None = None
    # Parameters of the template, by their names there.
    parameters: Mapping[str, str] = {}


class Interview:
    """The questions, each asked where nothing is known, or ``anew`` with what is known as the answer that Enter gives."""

    def __init__(self, questions: Questions, given: Given, *, count: int, anew: bool = False) -> None:
        """Ask with ``questions``; there are ``count``."""
        self._questions = questions
        self._given = given
        self._count = count
        self._number = 0
        self._anew = anew and questions.at_terminal
        self._chosen: tuple[Platform, ...] = ()

    def place(self, stack: str, region: str) -> tuple[str, str]:
        """Ask for the stack's name and its region."""
        title, questions = self._titled("Where it is deployed"), self._questions
        configured = region or configured_region(self._given.profile)
        name = self._given.stack or stack
        where = self._given.region or region
        if not questions.at_terminal:
            # What the AWS CLI is configured with is an answer, too.
            name, where = name or DEFAULT_STACK, where or configured
        if not (name and where) or self._anew:
            questions.head(title)
        if not name or (self._anew and not self._given.stack):
            name = questions.ask("The stack's name", "--stack", default=name or DEFAULT_STACK, judge=check_name)
        if not where or (self._anew and not self._given.region):
            where = questions.ask("The AWS region", "--region", default=configured or "us-east-1", judge=check_region)
        check_name(name)
        check_region(where)
        return name, where

    def platforms(self, known: tuple[Platform, ...]) -> tuple[Platform, ...]:
        """Ask where the bot is. Those of an option come on top of what is known."""
        self._chosen = self._platforms(known)
        return self._chosen

    def _platforms(self, known: tuple[Platform, ...]) -> tuple[Platform, ...]:
        title = self._titled("Where people write to the bot")
        if self._given.platforms is not None:
            return tuple(dict.fromkeys([*known, *self._given.platforms]))
        if known and not self._anew:
            return known
        self._questions.head(title)
        default = ",".join(known) or next(iter(Platform))
        answer = self._questions.ask(
            f"Of {', '.join(Platform)}; several with commas", "--platform", default=default, judge=_judge_platforms
        )
        return _platforms(answer)

    def policy(self, known: Mapping[str, str]) -> dict[str, str]:
        """Ask what happens to strangers."""
        title = self._titled("When a stranger writes")
        if found := self._of_options([POLICY]):
            return found
        if POLICY in known and not self._anew:
            return {}
        self._questions.head(title)
        self._questions.explain(
            "pair        they may ask, and you are asked: Approve or Deny",
            "deny        nothing happens; only whom you add or invite gets in",
            "allow       everybody gets in, so many messages a minute",
            *(
                f"On {platform.brand} they are denied unless it is named: pair,{platform}=pair"
                for platform in self._chosen
                if TRAITS[platform].denies_unless_named
            ),
        )
        answer = self._questions.ask(
            "pair, deny or allow; per platform after commas",
            "--policy",
            default=known.get(POLICY, "pair"),
            judge=_setting("UNKNOWN_USER_POLICY"),
        )
        return {POLICY: answer}

    def agent(self, known: Mapping[str, str]) -> dict[str, str]:
        """Ask who answers those who are let in, and what that kind needs to be told."""
        title, questions = self._titled("Who answers those who are let in"), self._questions
        found = self._of_options(AGENT_OPTIONS)
        if not found and "Agent" in known and not self._anew:
            return {}
        asks = "Agent" not in found and ("Agent" not in known or self._anew)
        if asks:
            questions.head(title)
            questions.explain(*KINDS)
            found["Agent"] = questions.ask(
                "One of these; per platform after commas",
                "--agent",
                default=known.get("Agent", AgentKind.PYTHON),
                judge=_setting("AGENT"),
            )
        _setting("AGENT")(found.get("Agent", ""))
        kinds = set(map(parse_settings({"AGENT": found.get("Agent") or known.get("Agent", "")}).agent, Platform))
        for parameter, needed, question in (
            ("AgentUrl", NEEDS_URL, "Its address, https://…; per platform after commas"),
            ("AgentModel", NEEDS_MODEL, "The model's name"),
            ("AgentArn", set(ARN_SERVICES), "Its ARN"),
        ):
            if not kinds & needed or parameter in found or (known.get(parameter) and not asks):
                continue
            answer = questions.ask(
                question,
                AGENT_OPTIONS[parameter],
                default=known.get(parameter, ""),
                judge=_needed(AGENT_SETTINGS[parameter]),
            )
            found[parameter] = answer
        return found

    def mail(self, known: Mapping[str, str]) -> dict[str, str]:
        """Ask who hears of trouble."""
        title = self._titled("Who hears of trouble")
        if MAIL_PARAMETER in self._given.parameters:
            answer = self._given.parameters[MAIL_PARAMETER]
            _judge_mail(answer)
            return {MAIL_PARAMETER: answer}
        if MAIL_PARAMETER in known and not self._anew:
            return {}
        self._questions.head(title)
        answer = self._questions.ask(
            "An e-mail address, which AWS has confirm it once; Enter for none",
            "--alarm-email",
            default=known.get(MAIL_PARAMETER, ""),
            judge=_judge_mail,
        )
        return {MAIL_PARAMETER: answer}

    def _of_options(self, names: object) -> dict[str, str]:
        return {name: value for name, value in self._given.parameters.items() if name in names}  # type: ignore[operator]

    def _titled(self, title: str) -> str:
        self._number += 1
        return f"{self._number}/{self._count}  {title}"


def check_parameters(changed: Mapping[str, str], known: Mapping[str, str], template: str) -> None:
    """Refuse what the functions would not start with, and what the template has not. Raises CommandError."""
    there = parameters(template)
    for name in changed:
        if name not in there:
            raise CommandError(
                f"--set: there is no parameter {name}. Use one of: {', '.join(sorted(there))}.", Exit.USAGE
            )
    values = {**known, **changed}
    try:
        agents = parse_settings(
            {name: values.get(one.parameter, one.default) for name, one in settings(template).items()}
        ).agents
    except SettingsError as error:
        raise CommandError(_by_option(str(error)), Exit.USAGE) from None
    if problems := agents.problems(AgentKind):
        raise CommandError(_by_option("; ".join(problems)), Exit.USAGE)


def _by_option(text: str) -> str:
    for parameter, option in AGENT_OPTIONS.items():
        text = re.sub(rf"\b{AGENT_SETTINGS[parameter]}\b", option, text)
    return re.sub(r"\bUNKNOWN_USER_POLICY\b", "--policy", text)


def _platforms(text: str) -> tuple[Platform, ...]:
    return tuple(dict.fromkeys(Platform(word.strip().lower()) for word in text.split(",") if word.strip()))


def _judge_platforms(text: str) -> None:
    try:
        named = _platforms(text)
    except ValueError:
        named = ()
    if not named:
        raise CommandError(f"Name one or more of {', '.join(PLATFORMS)}.")


def _judge_mail(mail: str) -> None:
    if mail and not MAIL.fullmatch(mail):
        raise CommandError(f"{mail!r} is no e-mail address.")


def _setting(name: str) -> Judge:
    def judge(value: str) -> None:
        try:
            parse_settings({name: value})
        except SettingsError as error:
            raise CommandError(_by_option(str(error)), Exit.USAGE) from None

    return judge


def _needed(name: str) -> Callable[[str], None]:
    judge = _setting(name)

    def judge_needed(value: str) -> None:
        if not value:
            raise CommandError("That kind of agent needs it.")
        judge(value)

    return judge_needed

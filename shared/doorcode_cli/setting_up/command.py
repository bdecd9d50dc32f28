"""``doorcode init``: from a checkout to a bot that works and is somebody's. Run again, it goes on from where it was."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated

import typer

from doorcode.pairing.agents import AgentKind
from doorcode.pairing.contact import Platform
from doorcode_cli.examples import examples
from doorcode_cli.exit_codes import CommandError, Exit
from doorcode_cli.platforms.registry import PLATFORMS
from doorcode_cli.setting_up.answers import Given
from doorcode_cli.setting_up.secret_desk import given_secrets, variable
from doorcode_cli.setting_up.steps import GIVEN, Setup
from doorcode_cli.target import (
    LocalOption,
    ProfileOption,
    StoreOption,
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


def _pairs(lines: list[str]) -> dict[str, str]:
    found = {}
    for line in lines:
        name, equals, value = line.partition("=")
        if not equals or not re.fullmatch(r"[A-Za-z0-9]+", name):
            raise CommandError("--set takes NAME=VALUE, such as FirstMessage=keep.", Exit.USAGE)
        found[name] = value
    return found

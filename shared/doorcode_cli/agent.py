"""``doorcode agent``: what the agent that is set answers, or why it does not."""

from __future__ import annotations

import json
from typing import Annotated, Any

import msgspec
import typer
from botocore.exceptions import BotoCoreError, ClientError
from msgspec import Struct

from doorcode.entrypoints.agent_trial import SAY
from doorcode.pairing.agents import ANSWERED_HERE, AgentKind
from doorcode.pairing.platform import Platform
from doorcode.pairing.settings import parse_settings
from doorcode_cli.deployment import Deployment
from doorcode_cli.examples import examples
from doorcode_cli.exit_codes import CommandError, Exit
from doorcode_cli.output import note, say
from doorcode_cli.shown import shown
from doorcode_cli.target import Target, targeted, unreachable

FUNCTION = "AgentFunction"
# Longer than the function may take. Tried once: another try is another run.
CONFIG = {"connect_timeout": 5, "read_timeout": 130, "retries": {"total_max_attempts": 1}}
LONGEST_SHOWN = 40_000
ELSEWHERE = {
    AgentKind.BOT: "Agent is bot on {}: it is given only what a platform really sent, so nothing was said to it. "
    "Write to it there, as an owner, and see what becomes of that with: doorcode doctor",
    AgentKind.QUEUE: "Agent is queue on {}: nobody answers here. Have your program answer with: doorcode attach URL",
}

app = typer.Typer(help="Say something to the agent that is set.", no_args_is_help=True)


class _Tried(Struct, frozen=True):
    doorcode: str
    texts: tuple[str, ...] = ()
    error: str = ""
    detail: str = ""


@app.callback()
def agent() -> None:
    """Say something to the agent that is set."""


@app.command("test", epilog=examples('doorcode agent test "hello"', 'doorcode agent test "hello" --platform slack'))
@targeted
def say_something(
    target: Target,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What is said to it.")],
    *,
    platform: Annotated[
        Platform | None, typer.Option("--platform", help="The agent of this platform, if they differ.")
    ] = None,
) -> None:
    """Say something to the agent, and print what it answers. Nobody else hears of it, and nothing is remembered."""
    deployment = Deployment(target)
    agents = parse_settings({"AGENT": deployment.parameters.get("Agent", "")}).agents
    where = platform or next((one for one in Platform if agents.kind_on(one) in ANSWERED_HERE), next(iter(Platform)))
    if words := ELSEWHERE.get(agents.kind_on(where)):
        raise CommandError(words.format(where))
    answer = _said(deployment, {"doorcode": SAY, "text": text, "platform": where})
    if answer.doorcode != "said":
        raise CommandError(shown(f"The agent gave no answer ({answer.error}): {answer.detail}", LONGEST_SHOWN))
    for line in answer.texts:
        say("\n".join(shown(part, LONGEST_SHOWN) for part in line.split("\n")))
    if not answer.texts:
        note("It answered nothing, or will later: who only tries it out has nowhere to be answered.")


def _said(deployment: Deployment, event: dict[str, Any]) -> _Tried:
    name = deployment.physical(FUNCTION)
    try:
        answer = deployment.target.client("lambda", CONFIG).invoke(
            FunctionName=name, Payload=json.dumps(event).encode()
        )
        payload = answer["Payload"].read()
    except (BotoCoreError, ClientError) as error:
        raise unreachable(error, f"the function {name}") from None
    try:
        if "FunctionError" not in answer:
            return msgspec.json.decode(payload, type=_Tried)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        pass
    raise CommandError(
        f"The function {name} failed, and its log says how: {deployment.target.prefix}/agent. See: doorcode doctor",
        Exit.UNREACHABLE,
    )

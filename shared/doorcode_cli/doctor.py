"""``doorcode doctor``: what is right with a deployment, what is wrong, and the command that mends it."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.table import Table as Columns
from rich.text import Text

from doorcode.errors import DoorcodeError
from doorcode_cli import account_checks, agent_checks, arrivals, asking_checks, checks, drops, owner_checks
from doorcode_cli.deployment import Deployment
from doorcode_cli.examination import Check, Dropped, Examination, Finding, Level, wrong
from doorcode_cli.examples import examples
from doorcode_cli.exit_codes import CommandError, Exit
from doorcode_cli.known_secrets import FORMS
from doorcode_cli.options import JsonOption
from doorcode_cli.platforms.registry import PLATFORMS
from doorcode_cli.program import as_called
from doorcode_cli.shown import iso, moment
from doorcode_cli.target import Target, targeted, unreachable

CHECKS: dict[str, Check] = {
    "stack": checks.stack,
    "clock": checks.clock,
    "functions": checks.functions,
    "start": account_checks.start,
    "concurrency": account_checks.concurrency,
    "policy": checks.policy,
    "allowed users": account_checks.allowed_users,
    "secrets": checks.secrets,
    **{name: check for parts in PLATFORMS.values() for name, check in parts.checks.items()},
    "owners": owner_checks.owners,
    "asking": asking_checks.asking,
    "texts": checks.own_texts,
    "agent": agent_checks.agent,
    "model": account_checks.model,
    "alarms": account_checks.alarms,
    "dead letters": checks.dead_letters,
    "seats": checks.seats,
    "dropped": drops.drops,
    "delivered": arrivals.arrivals,
}
MARKS = {Level.OK: ("✅", ""), Level.WARN: ("⚠️ ", "yellow"), Level.WRONG: ("❌", "red")}
# Wide enough that nothing is cut where there is no terminal to fit in.
WIDE = 400

SendTestOption = Annotated[
    bool, typer.Option("--send-test", help="Write to every owner, for often only that tells whether they are reached.")
]


@targeted
def doctor(target: Target, *, send_test: SendTestOption = False, as_json: JsonOption = False) -> None:
    """Check a deployment from end to end, and say what mends what is wrong.

    Ends with 0 when nothing is wrong, with 1 when something is, and with 3 when the stack cannot be reached.
    """
    deployment = Deployment(target)
    try:
        _ = deployment.described
    except CommandError as error:
        # Without the stack there is nothing to look at. That the doctor tells more is for other commands to say.
        raise CommandError(_alone(error), error.code) from None
    if not examine(deployment, send_test=send_test, as_json=as_json):
        raise typer.Exit(Exit.REFUSED)


def examine(deployment: Deployment, *, send_test: bool = False, as_json: bool = False) -> bool:
    """Carry out every check, print what they found, and tell whether nothing is wrong."""
    examined = Examination(deployment, FORMS, send_test=send_test)
    findings = [finding for name, check in CHECKS.items() for finding in carried_out(name, check, examined)]
    bad = any(finding.level is Level.WRONG for finding in findings)
    if as_json:
        typer.echo(json.dumps(_as_json(deployment.target.stack, findings, examined.dropped, bad=bad), indent=2))
    else:
        _print(findings, examined.dropped)
    return not bad


EPILOG = examples("doorcode doctor", "doorcode doctor --send-test", "doorcode doctor --json --stack my-bot")


def carried_out(name: str, check: Check, examined: Examination) -> list[Finding]:
    """Return what a check finds, and if it breaks, what it had found and that it broke."""
    found: list[Finding] = []
    try:
        for finding in check(examined):
            found.append(finding)  # noqa: PERF402 (what was found before it breaks is kept)
    except CommandError as error:
        found.append(wrong(name, _alone(error)))
    except DoorcodeError as error:
        found.append(wrong(name, str(error)))
    except (BotoCoreError, ClientError) as error:
        found.append(wrong(name, _alone(unreachable(error, "AWS for this check"))))
    except Exception as error:  # noqa: BLE001
        # A check that breaks is a fault of ours, and no reason to hide what the others find.
        found.append(wrong(name, f"this check broke ({type(error).__name__}); nothing is known"))
    return found


def _alone(error: CommandError) -> str:
    return str(error).partition(" See: doorcode doctor")[0]


def _as_json(stack: str, findings: list[Finding], dropped: list[Dropped], *, bad: bool) -> dict[str, object]:
    return {
        "stack": stack,
        "ok": not bad,
        "checks": [
            {
                "check": one.check,
                "level": one.level,
                "text": as_called(one.text),
                "remedy": as_called(one.remedy) or None,
            }
            for one in findings
        ],
        "dropped": [
            {
                "at": iso(one.at),
                "platform": one.platform,
                "user_id": one.user_id,
                "reason": one.reason,
                "remedy": as_called(one.remedy),
            }
            for one in dropped
        ],
    }


def _print(findings: list[Finding], dropped: list[Dropped]) -> None:
    console = Console(highlight=False, emoji=False, width=None if sys.stdout.isatty() else WIDE)
    columns = Columns(box=None, pad_edge=False, show_header=False)
    columns.add_column(no_wrap=True)
    columns.add_column(no_wrap=True)
    columns.add_column(overflow="fold")
    for finding in findings:
        mark, style = MARKS[finding.level]
        columns.add_row(Text(mark), Text(finding.check), Text(as_called(finding.text), style=style))
        if finding.remedy:
            columns.add_row(
                "", "", Text(f"→ {as_called(finding.remedy)}", style="dim" if finding.level is Level.OK else "bold")
            )
    console.print(columns)
    if dropped:
        console.print("\nLast senders who were dropped, and what would let each in:")
        listed = Columns(box=None, pad_edge=False, show_header=False)
        for one in dropped:
            cells = (moment(one.at), one.platform, one.user_id, one.reason, f"→ {as_called(one.remedy)}")
            listed.add_row(*(Text(cell) for cell in cells))
        console.print(listed)
    count = {level: sum(finding.level is level for finding in findings) for level in Level}
    console.print(f"\n{count[Level.WRONG]} wrong, {count[Level.WARN]} to look at, {count[Level.OK]} right.")

"""The command's root: what there is, and how every command ends."""

from __future__ import annotations

import sys
from importlib.metadata import version
from importlib.util import find_spec
from typing import Annotated

import typer

from doorcode_cli import agent, attach, doctor, invite, owner, pairing, parked, secrets, streams, texts, token, web
from doorcode_cli.asking import ask, asks, mcp
from doorcode_cli.exit_codes import CommandError, Exit
from doorcode_cli.platforms.registry import PLATFORMS
from doorcode_cli.program import as_called, offer, program
from doorcode_cli.setting_up import command as init
from doorcode_cli.setting_up import steps
from doorcode_cli.shown import shown

# A sentence, and what to do.
LONGEST_LINE = 1000

app = typer.Typer(
    name="doorcode",
    help="Lets the right people into a chat bot, and nobody else.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command(epilog=init.EPILOG)(init.init)
app.add_typer(pairing.app, name="pairing")
app.add_typer(owner.app, name="owner")
app.add_typer(invite.app, name="invite")
app.add_typer(secrets.app, name="secrets")
app.add_typer(texts.app, name="texts")
app.command(epilog=ask.EPILOG)(ask.ask)
app.add_typer(asks.app, name="asks")
app.command(epilog=mcp.EPILOG)(mcp.mcp)
for platform, parts in PLATFORMS.items():
    app.add_typer(parts.commands, name=platform)
app.add_typer(token.app, name="token")
app.add_typer(parked.app, name="parked")
app.command(epilog=web.EPILOG)(web.web)
app.add_typer(agent.app, name="agent")
app.command(epilog=attach.EPILOG)(attach.attach)
app.command(epilog=doctor.EPILOG)(doctor.doctor)
if find_spec("doorcode_sandbox"):
    # A checkout has it; what is installed elsewhere has nothing to run.
    from doorcode_sandbox import command

    app.command(epilog=command.EPILOG)(command.run)
    steps.offer_sandbox(command.run_for)
offer(app)


def _version(*, wanted: bool) -> None:
    if wanted:
        typer.echo(f"doorcode {version('doorcode')}")
        raise typer.Exit


@app.callback()
def root(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=lambda value: _version(wanted=value), is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Lets the right people into a chat bot, and nobody else."""


def main() -> None:
    """Run the command, and end with the documented exit code and at most one line on standard error."""
    streams.prepare()
    code = _carried_out()
    unwritten = streams.failure()
    if unwritten and code == Exit.DONE:
        _complain(f"It is done, but not all that there is to say could be written: {unwritten}.")
        code = Exit.REFUSED
    sys.exit(code)


def _carried_out() -> int:
    try:
        return app(prog_name=program(), standalone_mode=False) or Exit.DONE
    except CommandError as error:
        _complain(str(error))
        return error.code
    except typer.TyperException as error:
        _complain_of_usage(error)
        return Exit.USAGE
    except typer.Abort:
        _complain("Nothing was done.")
        return Exit.REFUSED


def _complain_of_usage(error: typer.TyperException) -> None:
    message = error.format_message()
    if message.startswith("Usage:"):
        # No mistake: a group of commands without a command shows its help.
        print(message, file=sys.stderr)  # noqa: T201 (the command's own output)
        return
    context = getattr(error, "ctx", None)
    sentence = message.replace("Value error, ", "")
    sentence += "" if sentence.endswith((".", "?", "!")) else "."
    _complain(f"{sentence} Try: {context.command_path if context else program()} --help")


def _complain(line: str) -> None:
    print(as_called(shown(line, LONGEST_LINE)), file=sys.stderr)  # noqa: T201 (the command's own output)

"""The command's root: what there is, and how every command ends."""

from __future__ import annotations

import io
import sys

import typer

from doorcode.cli import deploy, discord, doctor, pairing, run, secrets, slack, telegram, token, web
from doorcode.cli.ending import CommandError, Exit
from doorcode.cli.shown import shown

# A sentence, and what to do.
LONGEST_LINE = 1000

app = typer.Typer(
    name="doorcode",
    help="Lets the right people into a chat bot, and nobody else.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.add_typer(pairing.app, name="pairing")
app.add_typer(secrets.app, name="secrets")
app.add_typer(telegram.app, name="telegram")
app.add_typer(slack.app, name="slack")
app.add_typer(discord.app, name="discord")
app.add_typer(token.app, name="token")
app.command(epilog=web.EPILOG)(web.web)
app.command(epilog=doctor.EPILOG)(doctor.doctor)
app.command(epilog=run.EPILOG)(run.run)
app.command(epilog=deploy.EPILOG)(deploy.deploy)


def main() -> None:
    """Run the command, and end with the documented exit code and at most one line on standard error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that cannot show a character shows another one, and nothing fails for it.
            stream.reconfigure(errors="replace")
    try:
        code = app(prog_name="doorcode", standalone_mode=False)
    except CommandError as error:
        _complain(str(error))
        sys.exit(error.code)
    except typer.TyperException as error:
        _complain_of_usage(error)
        sys.exit(Exit.USAGE)
    except typer.Abort:
        _complain("Nothing was done.")
        sys.exit(Exit.REFUSED)
    sys.exit(code or Exit.DONE)


def _complain_of_usage(error: typer.TyperException) -> None:
    message = error.format_message()
    if message.startswith("Usage:"):
        # No mistake: a group of commands without a command shows its help.
        print(message, file=sys.stderr)  # noqa: T201 (the command's own output)
        return
    context = getattr(error, "ctx", None)
    sentence = message.replace("Value error, ", "")
    sentence += "" if sentence.endswith((".", "?", "!")) else "."
    _complain(f"{sentence} Try: {context.command_path if context else 'doorcode'} --help")


def _complain(line: str) -> None:
    print(shown(line, LONGEST_LINE), file=sys.stderr)  # noqa: T201 (the command's own output)

"""The command's root: what there is, and how every command ends."""

from __future__ import annotations

import sys

import click
import typer

from doorcode.cli.ending import CommandError, Exit

app = typer.Typer(
    name="doorcode",
    help="Lets the right people into a chat bot, and nobody else.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def main() -> None:
    """Run the command, and end with the documented exit code and at most one line on standard error."""
    try:
        code = app(standalone_mode=False)
    except CommandError as error:
        print(error, file=sys.stderr)  # noqa: T201 (the command's own output)
        sys.exit(error.code)
    except click.ClickException as error:
        error.show()
        sys.exit(Exit.USAGE)
    except (click.Abort, KeyboardInterrupt):
        print("Nothing was done.", file=sys.stderr)  # noqa: T201 (the command's own output)
        sys.exit(Exit.REFUSED)
    sys.exit(code or Exit.DONE)

"""What the pairing commands print: texts, made harmless once more whatever the stack says, and JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime

import typer

from doorcode_cli.program import as_called
from doorcode_cli.shown import shown


def say(line: str = "") -> None:
    """Print a line of our own making; what is put into it has to be harmless."""
    typer.echo(line)


def note(line: str) -> None:
    """Print a line about what was printed, on standard error: whoever keeps the output keeps only that."""
    typer.echo(as_called(line), err=True)


def at(time: datetime) -> str:
    """Return a time as it is shown: UTC, to the second."""
    return time.strftime("%Y-%m-%d %H:%M:%S")


def say_fields(fields: Mapping[str, str | datetime | None]) -> None:
    """Print the fields of one thing, each on a line, after an empty one; what is empty is left out."""
    say()
    for name, value in fields.items():
        text = at(value) if isinstance(value, datetime) else shown(value or "")
        if text:
            say(f"{name + ':':<9} {text}")


def say_json(records: Iterable[object]) -> None:
    """Print a JSON array, element by element, as they come. Only ASCII: the rest is escaped."""
    say("[")
    before = ""
    for record in records:
        typer.echo(f"{before}  {json.dumps(record)}", nl=False)
        before = ",\n"
    say("\n]" if before else "]")

"""What the command is called at this terminal, for lines that are there to be copied.

Texts name commands as the documents do, ``doorcode pairing list``: also those of the domain and of the functions, which cannot
know the terminal. Where the command shows one, ``as_called`` makes of it what works here, on the stack that is worked on.
"""

from __future__ import annotations

import re
import shlex
import shutil
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import typer

NAME = "doorcode"
# Not where it is part of a path or of another word already.
CALLED = rf"(?<![\w./-]){NAME} "
# The option of every command that works on a stack.
ON_A_STACK = "--local"
# Matches nowhere.
NOTHING = r"(?!)"

_offered: list[typer.Typer] = []
_options: list[str] = []


def program() -> str:
    """Return ``doorcode`` where the shell finds it, and else the path of the one that runs, as short as it gets."""
    running = Path(sys.argv[0])
    if running.name != NAME or shutil.which(NAME):
        return NAME
    path, here = running.absolute(), Path.cwd()
    return shlex.quote(str(path.relative_to(here) if path.is_relative_to(here) else path))


def work_on(*options: str) -> None:
    """Have the commands that are shown from now on named with these options, which say which stack is worked on."""
    _options[:] = [shlex.quote(option) for option in options]


def offer(app: typer.Typer) -> None:
    """Have the commands of ``app`` be found in texts."""
    _offered[:] = [app]
    commands.cache_clear()
    shown_command.cache_clear()


@cache
def commands() -> dict[str, bool]:
    """Return what is offered, by its words, and whether it works on a stack."""
    return {words: on_a_stack for app in _offered for words, on_a_stack in _leaves(typer.main.get_command(app))}


def _leaves(command: Any, *path: str) -> Iterator[tuple[str, bool]]:
    inner = getattr(command, "commands", {})
    for name, child in inner.items():
        yield from _leaves(child, *path, name)
    if not inner:
        yield " ".join(path), any(ON_A_STACK in parameter.opts for parameter in command.params)


@cache
def shown_command() -> re.Pattern[str]:
    """Return what a command in a text looks like; ``on`` is one that works on a stack."""
    on, elsewhere = (
        "|".join(re.escape(words) for words, kind in commands().items() if kind is wanted) for wanted in (True, False)
    )
    return re.compile(rf"{CALLED}(?P<command>(?P<on>{on or NOTHING})|(?:{elsewhere or NOTHING}))\b")


def example(line: str) -> str:
    """Return a command line as it is called here, on whatever stack."""
    return re.sub(rf"{CALLED}(?=[a-z])", lambda _: f"{program()} ", line)


def as_called(text: str) -> str:
    """Return a text with the commands in it as they work here, with the options of ``work_on``."""

    def called(found: re.Match[str]) -> str:
        options = _options if found["on"] else ()
        return " ".join([program(), found["command"], *options])

    return shown_command().sub(called, text)

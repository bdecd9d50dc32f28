"""What the command is called at this terminal, for lines that are there to be copied.

Texts name commands as the documents do, ``doorcode pairing list``: also those of the domain and of the functions, which cannot
know the terminal. Where the command shows one, ``as_called`` makes of it what works here, on the stack that is worked on.
"""

from __future__ import annotations

import re
import shlex
import shutil
import sys
from pathlib import Path

NAME = "doorcode"
# What there is, with the words below each group. Those that stand for no one stack take no options that name one.
COMMANDS = {
    "pairing": "list approve deny add revoke block unblock clear unlock",
    "secrets": "set rotate status",
    "telegram webhook": "set info delete",
    "slack": "manifest workspace",
    "discord": "register",
    "token": "create list revoke",
    "parked": "list resend drop",
    "web": "",
    "doctor": "",
}
ANYWHERE = ("run", "deploy")


def _alternatives() -> str:
    on_a_stack = (f"{group} (?:{words.replace(' ', '|')})" if words else group for group, words in COMMANDS.items())
    return rf"(?P<on>{'|'.join(on_a_stack)})|(?:{'|'.join(ANYWHERE)})"


# Not where it is part of a path or of another word already.
SHOWN = re.compile(rf"(?<![\w./-]){NAME} (?P<command>{_alternatives()})\b")

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


def as_called(text: str, *, on_a_stack: bool = True) -> str:
    """Return a text with the commands in it as they work here; with the options of ``work_on`` if ``on_a_stack``."""

    def called(found: re.Match[str]) -> str:
        options = _options if on_a_stack and found["on"] else ()
        return " ".join([program(), found["command"], *options])

    return SHOWN.sub(called, text)

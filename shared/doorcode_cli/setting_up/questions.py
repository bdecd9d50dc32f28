"""Asking whoever sits at the terminal; and where nobody does, naming the options that answer instead."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import typer

from doorcode_cli.exit_codes import CommandError, Exit
from doorcode_cli.output import say
from doorcode_cli.program import as_called

# Refuses an answer by raising CommandError with a sentence.
Judge = Callable[[str], None]


def anything(_: str) -> None:
    """Take every answer."""


class Questions:
    """Asks; ``missing`` are the options that would have answered where nobody can."""

    def __init__(self, *, at_terminal: bool | None = None) -> None:
        """Find out whether anybody is there."""
        self.at_terminal = sys.stdin.isatty() if at_terminal is None else at_terminal
        self.missing: list[str] = []

    def head(self, line: str) -> None:
        """Begin a question with a line of its own."""
        if self.at_terminal:
            say()
            say(line)

    def explain(self, *lines: str) -> None:
        """Say what somebody needs to know to answer."""
        for line in lines if self.at_terminal else ():
            say(f"   {as_called(line)}")

    def ask(self, question: str, option: str, *, default: str = "", judge: Judge = anything) -> str:
        """Return an answer that ``judge`` takes; where nobody can answer, the default, and ``option`` is missing."""
        if not self.at_terminal:
            self.missing.append(option)
            return default
        return _answer(lambda: typer.prompt(f"   {question}", default=str(default), show_default=bool(default)), judge)

    def secret(self, name: str, judge: Judge, *, optional: bool = False) -> str:
        """Return a secret that ``judge`` takes, typed without being shown; empty where it is ``optional`` and not given."""

        def fits(answer: str) -> None:
            if answer or not optional:
                judge(answer)

        # With a default, so that Enter alone is an answer.
        return _answer(lambda: typer.prompt(f"   {name}", default="", show_default=False, hide_input=True), fits)

    def agree(self, fact: str, question: str, option: str) -> bool:
        """Ask whether to do what cannot be taken back. Raises CommandError where nobody can say so: ``option`` does."""
        if not self.at_terminal:
            raise CommandError(f"{fact} If that is meant, say so with {option}.")
        self.explain(fact)
        return typer.confirm(f"   {question}", default=False)

    def refuse_missing(self) -> None:
        """Raise CommandError if something was asked that nobody could answer."""
        if self.missing:
            named = ", ".join(dict.fromkeys(self.missing))
            raise CommandError(
                f"Nobody is at a terminal to be asked. Answer with: {named}. What each means: doorcode init --help",
                Exit.USAGE,
            )


def _answer(prompt: Callable[[], Any], judge: Judge) -> str:
    """Ask until ``judge`` takes the answer."""
    while True:
        answer = str(prompt()).strip()
        try:
            judge(answer)
        except CommandError as error:
            say(f"   {as_called(str(error))}")
        else:
            return answer

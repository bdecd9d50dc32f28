"""README, docs and the command's own help name the same commands and options."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from doorcode_cli.app import app

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
MENTION = re.compile(r"doorcode((?: [a-z]+)+)([^`\n|]*)")
OPTION = re.compile(r"--[a-z-]+")


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], frozenset[str]]]:
    """Give every command by its words, with its options."""
    children = getattr(group, "commands", None)
    if children:
        for name, child in children.items():
            yield from commands(child, (*path, name))
        return
    yield path, frozenset(option for parameter in group.params for option in parameter.opts if option.startswith("--"))


COMMANDS = dict(commands(typer.main.get_command(app)))
GROUPS = {path[:length] for path in COMMANDS for length in range(1, len(path))}


def mentions() -> list[tuple[str, tuple[str, ...], frozenset[str]]]:
    """Give every mention of the command in the pages: where, its words, and the options named with it."""
    found = []
    for page in PAGES:
        for line in page.read_text().splitlines():
            for words, rest in MENTION.findall(line.replace("doorcode pairing …", "")):
                found.append((page.name, tuple(words.split()), frozenset(OPTION.findall(rest))))
    return found


def known(words: tuple[str, ...]) -> tuple[str, ...] | None:
    """Return the command or group that these words begin with; what follows are arguments."""
    for length in range(len(words), 0, -1):
        if words[:length] in COMMANDS or words[:length] in GROUPS:
            return words[:length]
    return None


def test_what_the_pages_name_exists() -> None:
    """Every command that a page names is one, and takes the options that are named with it."""
    for page, words, options in mentions():
        command = known(words)
        assert command is not None, (page, words)
        assert options <= COMMANDS.get(command, options) | {"--help"}, (page, words)


def test_every_command_is_on_a_page() -> None:
    """Every command is named in the README or the docs."""
    table = (ROOT / "README.md").read_text().partition("| `doorcode pairing …` |")[2].partition("\n\n")[0]
    named = {known(words) for _, words, _ in mentions()}
    for command in COMMANDS.keys() - named:
        assert command[0] == "pairing", command
        assert re.search(rf"`(\w+`, `)*{command[1]}\b|\b{command[1]} PLATFORM", table), command


def test_every_command_says_how() -> None:
    """Every command's help has a sentence and examples, which name that command and options that it has."""
    for command, options in COMMANDS.items():
        group: Any = typer.main.get_command(app)
        for word in command:
            group = group.commands[word]
        text = f"{group.help}\n{group.epilog or ''}"
        assert group.help, command
        examples = [line for line in text.splitlines() if line.strip().startswith("doorcode")]
        assert examples, command
        for line in examples:
            assert " ".join(command) in line
            assert set(OPTION.findall(line)) <= options, line

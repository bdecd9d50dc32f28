"""README, docs and the command's own help name the same commands and options."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
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


@pytest.mark.parametrize("mention", mentions(), ids=lambda mention: f"{mention[0]}: {' '.join(mention[1])}")
def test_what_the_pages_name_exists(mention: tuple[str, tuple[str, ...], frozenset[str]]) -> None:
    """Every command that a page names is one, and takes the options that are named with it."""
    _, words, options = mention
    command = known(words)
    assert command is not None
    assert options <= COMMANDS.get(command, options) | {"--help"}


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_is_on_a_page(command: tuple[str, ...]) -> None:
    """Every command is named in the README or the docs."""
    table = (ROOT / "README.md").read_text().partition("| `doorcode pairing …` |")[2].partition("\n\n")[0]
    named = {known(words) for _, words, _ in mentions()}
    in_table = command[0] == "pairing" and re.search(rf"`(\w+`, `)*{command[1]}\b|\b{command[1]} PLATFORM", table)
    assert command in named or in_table


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_says_how(command: tuple[str, ...]) -> None:
    """Every command's help has a sentence and examples, which name that command and options that it has."""
    group: Any = typer.main.get_command(app)
    for word in command:
        group = group.commands[word]
    text = f"{group.help}\n{group.epilog or ''}"
    assert group.help
    examples = [line for line in text.splitlines() if line.strip().startswith("doorcode")]
    assert examples
    for line in examples:
        assert " ".join(command) in line
        assert set(OPTION.findall(line)) <= COMMANDS[command]

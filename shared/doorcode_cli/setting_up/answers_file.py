"""samconfig.local.toml: what the operator answered, where sam reads it. Whatever else stands in it stays as it is."""

from __future__ import annotations

import os
import re
import shlex
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from doorcode.pairing.contact import Platform
from doorcode_cli.exit_codes import CommandError

NAME = "samconfig.local.toml"
BASE = "samconfig.toml"
# Where sam looks; and where it does not, for what is ours.
SAM, OURS = ("default", "deploy", "parameters"), ("default", "doorcode", "parameters")
HEADER = (
    "Yours: what `doorcode init` was told. Any other parameter of template.yaml may stand in parameter_overrides, too;",
    "`doorcode init` takes it up, and leaves what it was not asked to change.",
)
LONG_FORM = re.compile(r"ParameterKey=([^,]+),ParameterValue=(.*)", re.DOTALL)


class AnswersFile:
    """The file, read; or what it will be, if there is none yet."""

    def __init__(self, root: Path) -> None:
        """Read the file of a checkout. Raises CommandError for one that cannot be read."""
        # Where it really is, if it is linked here.
        self.path = (root / NAME).resolve()
        self._base = root / BASE
        self.is_new = not self.path.exists()
        self._before = "" if self.is_new else self._read(self.path)
        try:
            self._document = tomlkit.parse(self._before) if self._before.strip() else self._new()
            # Whatever is no table on the way would only be noticed half way.
            self._sam = self._table(SAM)
            self._chosen = self._named()
            self.parameters = _parsed(self._sam.get("parameter_overrides", ""))
        except (TOMLKitError, ValueError, TypeError, AttributeError) as error:
            raise self._unreadable(error) from None

    @property
    def stack(self) -> str:
        """The stack's name; empty where the file names none."""
        return str(self._sam.get("stack_name", "")) if not self.is_new else ""

    @property
    def region(self) -> str:
        """The region; empty where the file names none."""
        return str(self._sam.get("region", ""))

    @property
    def profile(self) -> str:
        """The profile of the AWS CLI; empty where the file names none."""
        return str(self._sam.get("profile", ""))

    @property
    def platforms(self) -> tuple[Platform, ...]:
        """The platforms that were named; those that there are."""
        return tuple(platform for platform in Platform if platform in self._chosen)

    def place(self, stack: str, region: str, profile: str | None) -> None:
        """Keep which stack it is."""
        _put(self._sam, "stack_name", stack)
        _put(self._sam, "region", region)
        if profile:
            _put(self._sam, "profile", profile)

    def choose(self, platforms: Iterable[Platform]) -> None:
        """Keep where the bot is."""
        self._chosen = [str(platform) for platform in platforms]
        if self._named() != self._chosen:
            self._table(OURS)["platforms"] = self._chosen

    def set(self, parameters: Mapping[str, str]) -> None:
        """Keep these parameters of the template, beside those that are there."""
        if parameters.items() <= self.parameters.items():
            return
        self.parameters |= parameters
        pairs = [f"{name}={_quoted(value)}" for name, value in self.parameters.items()]
        former = self._sam.get("parameter_overrides")
        if isinstance(former, list):
            # Line by line, as it is, with its comments: only what differs is touched.
            _merge(former, pairs)
        else:
            _put(self._sam, "parameter_overrides", " ".join(pairs))

    def write(self) -> bool:
        """Write the file, if that changes it; tell whether it did."""
        text = tomlkit.dumps(self._document)
        if text == self._before:
            return False
        beside = self.path.with_name(f".{NAME}.{os.getpid()}")
        beside.write_text(text, encoding="utf-8")
        if not self.is_new:
            shutil.copymode(self.path, beside)
        beside.replace(self.path)
        self._before, self.is_new = text, False
        return True

    def _new(self) -> tomlkit.TOMLDocument:
        lines = self._read(self._base).splitlines(keepends=True)
        while lines and (lines[0].startswith("#") or not lines[0].strip()):
            # What it says of itself is not so of this one.
            lines.pop(0)
        return tomlkit.parse("".join(f"# {line}\n" for line in HEADER) + "".join(lines))

    def _named(self) -> list[str]:
        table: Any = self._document
        for name in OURS:
            table = table.get(name, {})
        return [str(platform) for platform in table.get("platforms", [])]

    def _table(self, path: tuple[str, ...]) -> Any:
        table: Any = self._document
        for name in path:
            if name not in table:
                table[name] = tomlkit.table(is_super_table=name != path[-1])
            table = table[name]
            if not isinstance(table, dict):
                raise TypeError(name)
        return table

    def _read(self, path: Path) -> str:
        try:
            return path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise self._unreadable(error) from None

    def _unreadable(self, error: Exception) -> CommandError:
        return CommandError(f"{NAME} cannot be read ({type(error).__name__}). Mend it, or delete it and start anew.")


def _put(table: Any, name: str, value: Any) -> None:
    if table.get(name) != value:
        table[name] = value


def _parsed(overrides: Any) -> dict[str, str]:
    """Read what sam takes: one text, or several. Raises ValueError."""
    found = {}
    for text in overrides if isinstance(overrides, list) else [overrides]:
        for word in shlex.split(str(text)):
            long = LONG_FORM.fullmatch(word)
            name, equals, value = (long[1], "=", long[2]) if long else word.partition("=")
            if not equals:
                raise ValueError(word)
            found[name] = value
    return found


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _merge(lines: Any, pairs: list[str]) -> None:
    places = {name: index for index, line in enumerate(lines) for name in _parsed(str(line))}
    for pair in pairs:
        ((name, value),) = _parsed(pair).items()
        if name not in places:
            lines.append(pair)
            continue
        there = _parsed(str(lines[places[name]]))
        if there[name] != value:
            lines[places[name]] = " ".join(f"{one}={_quoted(kept)}" for one, kept in (there | {name: value}).items())

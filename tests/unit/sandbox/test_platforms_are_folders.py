"""A platform of the sandbox is one folder and one row: nothing that is shared names one."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import doorcode_sandbox
from doorcode.pairing.contact import Platform
from doorcode_sandbox.platforms.chats import Side
from doorcode_sandbox.platforms.registry import OWNERS, PLATFORMS
from doorcode_sandbox.platforms.server import StandIn
from doorcode_sandbox.playground.page_files import SHARED, page_file

PACKAGE = Path(doorcode_sandbox.__file__).parent
FOLDERS = PACKAGE / "platforms"
NAME = re.compile("|".join(Platform), re.IGNORECASE)
# What may name platforms all the same, by file, and why.
ALLOWED = {
    "command.py": "examples of the command, to be copied: an id has to be some platform's",
    "platforms/registry.py": "the one row for each",
}


def named(source: str) -> Iterator[str]:
    """Give what Python's ``source`` says of a platform by name: in texts, docstrings too, and in identifiers."""
    for node in ast.walk(ast.parse(source)):
        for field, value in ast.iter_fields(node):
            for one in value if isinstance(value, list) else [value]:
                text = one.decode(errors="replace") if isinstance(one, bytes) else one
                if isinstance(text, str) and NAME.search(text):
                    yield f"line {getattr(node, 'lineno', '?')}: {type(node).__name__}.{field} {text!r}"


def _shared() -> Iterator[tuple[str, str]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        name = str(path.relative_to(PACKAGE))
        if not any(name.startswith(f"platforms/{platform}/") for platform in Platform):
            yield name, path.read_text()


@pytest.mark.parametrize(
    "line",
    [
        "x = 'the slack way'", "x = b'/telegram'", "Platform.DISCORD", "import doorcode.platforms.slack.inbound",
        "from doorcode.platforms.telegram import inbound", "from x import slack as y", "def in_telegram(): ...",
        "f(discord=1)", "def f(slack_token): ...", "x = f'a {1} Telegram'", "class SlackSide: ...", "'''Telegram.'''",
        "match x:\n  case {**telegram}: ...", "def f():\n  global slack",
    ],
)  # fmt: skip
def test_naming_is_noticed(line: str) -> None:
    """A platform's name is found wherever Python has room for one."""
    assert list(named(line))


def test_comments_may_say_what_they_want() -> None:
    """A comment does nothing."""
    assert not list(named("x = 1  # as Telegram does"))


def test_what_is_shared_names_no_platform() -> None:
    """Outside the platforms' folders no module speaks of one, save those that are allowed to, which do."""
    found = {name: list(named(source)) for name, source in _shared()}
    assert {name: said for name, said in found.items() if said and name not in ALLOWED} == {}
    assert {name for name, said in found.items() if said} == ALLOWED.keys()


def test_the_page_s_shared_files_name_no_platform() -> None:
    """Neither a script nor a style nor the document speaks of one, not even in a comment."""
    files = [path for path in SHARED.iterdir() if path.suffix in {".js", ".css", ".html"}]
    assert len(files) > 20
    assert {path.name: NAME.findall(path.read_text()) for path in files if NAME.search(path.read_text())} == {}


@pytest.mark.parametrize("platform", list(Platform))
def test_what_draws_a_platform_comes_from_its_folder(platform: Platform) -> None:
    """The page finds each platform's script and style under its name, and both are listed for it."""
    for kind, listed in (
        ("js", f'import * as {platform} from "./{platform}.js";'),
        ("css", f'@import url("{platform}.css");'),
    ):
        assert page_file(f"{platform}.{kind}") == (FOLDERS / platform / f"page.{kind}").read_bytes()
        assert listed in page_file(f"platforms.{kind}").decode().splitlines()


@pytest.mark.parametrize("platform", list(Platform))
def test_a_folder_keeps_to_itself(platform: Platform) -> None:
    """No platform's folder speaks of another platform."""
    others = [other for other in Platform if other is not platform]
    for path in (path for path in (FOLDERS / platform).rglob("*") if path.suffix in {".py", ".js", ".css"}):
        text = path.read_text().lower()
        assert [other for other in others if other in text] == [], path


def test_each_platform_has_its_row() -> None:
    """The registry's rows are the platforms, in their order, and each holds what is in that platform's folder."""
    assert list(PLATFORMS) == list(OWNERS) == list(Platform)
    folders = {path.name for path in FOLDERS.iterdir() if (path / "__init__.py").exists()}
    assert folders == set(Platform)
    for platform, parts in PLATFORMS.items():
        assert (parts.stand_in.NAME, parts.side.platform, parts.side.inbound.PLATFORM) == (platform,) * 3
        assert issubclass(parts.stand_in, StandIn)
        assert issubclass(parts.side, Side)
        assert {parts.stand_in.__module__, parts.side.__module__} == {
            f"doorcode_sandbox.platforms.{platform}.stand_in",
            f"doorcode_sandbox.platforms.{platform}.chats",
        }
        assert not set(parts.side.owners) & set(parts.side.strangers)

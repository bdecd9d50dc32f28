"""A platform is a folder and a row: what is shared asks the row, and names no platform itself."""

import ast
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

import pytest

from doorcode.pairing.platform import Platform
from tests.cases import each

SHARED = Path(__file__).parents[2] / "shared"
# Where platforms are named: the rows, and the rooms.
FOLDERS = tuple(f"platforms/{platform}/" for platform in Platform)
ROOMS = {
    "doorcode": ("pairing/platform.py", *FOLDERS),
    "doorcode_cli": ("platforms/registry.py", *FOLDERS),
    "doorcode_sandbox": ("platforms/registry.py", *FOLDERS),
}
# What may be named elsewhere, and why.
ALLOWED: Mapping[str, Mapping[str, str]] = {
    "doorcode": {},
    "doorcode_cli": {},
    "doorcode_sandbox": {},
}


def named(source: str, platforms: Collection[Platform] = tuple(Platform)) -> Iterator[str]:
    """Give every identifier and every text of a module that has the name of one of those platforms in it.

    Docstrings may, and so may examples of the command, which are there to be copied: an id in one is some platform's.
    """
    if not any(platform in source.lower() for platform in platforms):
        return
    tree = ast.parse(source)
    told = {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    } | {
        id(line)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "examples"
        for line in node.args
    }
    for node in (node for node in ast.walk(tree) if id(node) not in told):
        for _, value in ast.iter_fields(node):
            for part in value if isinstance(value, list) else [value]:
                word = part.decode(errors="replace") if isinstance(part, bytes) else part
                if isinstance(word, str) and any(platform in word.lower() for platform in platforms):
                    yield word


@each(
    "line",
    [
        "x = 'the slack way'", "x = b'/telegram'", "Platform.DISCORD", "import doorcode.platforms.slack.inbound",
        "from doorcode.platforms.telegram import inbound", "from x import slack as y", "def in_telegram(): ...",
        "async def in_telegram(): ...", "f(discord=1)", "def f(slack_token): ...", "x = f'a {1} Telegram'",
        "other('doorcode slack')", "examples('x')\nslack", "class SlackSide: ...", "match x:\n  case {**telegram}: ...", "def f():\n  global slack",
    ],
)  # fmt: skip
def test_naming_is_noticed(line: str) -> None:
    """A platform's name is found wherever Python has room for one, save in what does nothing."""
    assert list(named(line))
    assert not list(
        named("'Telegram.'\nx = 1  # as Slack does\ny = examples('doorcode pairing clear --platform slack')")
    )


@pytest.mark.parametrize("package", sorted(ROOMS))
def test_shared_code_names_no_platform(package: str) -> None:
    """Neither a name nor a text: whoever adds a platform has nothing to look for."""
    found = {
        f"{path.relative_to(SHARED / package).as_posix()}: {word[:60]}"
        for path in (SHARED / package).rglob("*.py")
        if not path.relative_to(SHARED / package).as_posix().startswith(ROOMS[package])
        for word in named(path.read_text(encoding="utf-8"))
    }
    assert found == set(ALLOWED[package])


@pytest.mark.parametrize("package", sorted(ROOMS))
def test_a_room_names_no_other_platform(package: str) -> None:
    """One can be taken away, or copied to begin a new one."""
    rooms = {platform: list((SHARED / package / "platforms" / platform).rglob("*.py")) for platform in Platform}
    assert all(len(modules) > 1 for modules in rooms.values())
    found = {
        f"{path.relative_to(SHARED)}: {word[:60]}"
        for platform, modules in rooms.items()
        for path in modules
        for word in named(path.read_text(encoding="utf-8"), set(Platform) - {platform})
    }
    assert found == set()

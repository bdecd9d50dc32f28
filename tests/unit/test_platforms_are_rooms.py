"""A platform is a folder and a row: what is shared asks the row, and names no platform itself."""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from doorcode.pairing.platform import Platform

SHARED = Path(__file__).parents[2] / "shared"
# Where platforms are named: the rows, and the rooms.
ROOMS = {"doorcode": ("pairing/platform.py", "platforms/telegram/", "platforms/slack/", "platforms/discord/")}
# What may be named elsewhere, and why.
ALLOWED: Mapping[str, Mapping[str, str]] = {"doorcode": {}}


def named(source: str) -> Iterator[str]:
    """Give every name, attribute and text of a module that has a platform's name in it; docstrings may."""
    tree = ast.parse(source)
    told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        words: list[str] = []
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told:
            words = [node.value]
        elif isinstance(node, ast.Name):
            words = [node.id]
        elif isinstance(node, ast.Attribute):
            words = [node.attr]
        elif isinstance(node, ast.arg | ast.keyword):
            words = [node.arg or ""]
        elif isinstance(node, ast.alias):
            words = [node.name, node.asname or ""]
        elif isinstance(node, ast.ImportFrom):
            words = [node.module or ""]
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            words = [node.name]
        yield from (word for word in words if any(platform in word.lower() for platform in Platform))


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

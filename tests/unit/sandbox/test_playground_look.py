"""Playground and owner's page look like one product."""

import re

import pytest

from doorcode.web.page import FOLDER
from doorcode_sandbox.playground.page_files import SHARED as PAGE

# What a colour is called in the playground, and on the owner's page.
COLOURS = {
    "back": "paper", "surface": "card", "raised": "card", "text": "ink", "muted": "soft", "line": "line",
    "accent": "brand", "accent-soft": "wash", "on-accent": "on-brand", "good": "brand", "good-soft": "wash",
    "bad": "danger", "bad-soft": "danger-wash", "warn": "warn", "warn-soft": "warn-wash", "code": "sunk",
    "shadow": "shadow",
}  # fmt: skip


def _palette(css: str, scheme: int) -> dict[str, str]:
    return dict(re.findall(r"--([a-z-]+): ([^;]+);", re.findall(r":root \{(.*?)\}", css, re.DOTALL)[scheme]))


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_one_palette(scheme: int) -> None:
    """Each colour of the playground's frame is one of the owner's page, by day and by night."""
    here = _palette((PAGE / "page.css").read_text(), scheme)
    there = _palette((FOLDER / "style/1-colours.css").read_text(), scheme)
    assert {name: here[name] for name in COLOURS} == {name: there[other] for name, other in COLOURS.items()}


def test_one_sign() -> None:
    """The same icon."""
    assert (PAGE / "icon.svg").read_bytes() == (FOLDER / "icon.svg").read_bytes()

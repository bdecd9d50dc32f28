"""In which words somebody is told something: the owner's own before what ships, their language before its base, then English.

An owner's text of no language (``*``) is for everybody for whom there is none of the owner's in their language.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from typing import cast

from doorcode.pairing.texts import ENGLISH, Say, filled

OwnTexts = Mapping[str, Mapping[str, str]]
"""What the owner has set: by key and language, ``{"approved": {"de": "…", "*": "…"}}``."""

EVERY_LANGUAGE = "*"
ENGLISH_TAG = "en"
# English stands in ``texts``.
SHIPPED = ("de", "es", "fr", "pt", "ru")
LONGEST_TAG = 16


def language_tag(text: str) -> str:
    """Return a language as a platform tells it, in lower case with hyphens (``pt-br``); empty for what is none."""
    tag = text.strip().lower().replace("_", "-")
    plain = tag.replace("-", "")
    known = bool(tag) and plain.isascii() and plain.isalnum() and tag[0].isalpha() and len(tag) <= LONGEST_TAG
    return tag if known else ""


def shipped(language: str) -> Mapping[str, str]:
    """Return the texts that ship in a language; imports them. Empty for one in which none do."""
    if language == ENGLISH_TAG:
        return ENGLISH
    if language not in SHIPPED:
        return {}
    return cast("Mapping[str, str]", import_module(f"doorcode.pairing.languages.{language}").TEXTS)


class Wording:
    """Finds the words. The owner's are asked for when somebody is told something."""

    def __init__(self, own: Callable[[int], OwnTexts]) -> None:
        """Prefer what ``own`` returns at a time; it raises nothing."""
        self._own = own

    def into(self, language: str, now: int) -> Say:
        """Return what says texts in that language, which may be empty."""
        return partial(self._say, language, now)

    def _say(self, language: str, now: int, key: str, **values: object) -> str:
        return filled(_found(key, language_tag(language), self._own(now).get(key, {})), values)


def _found(key: str, language: str, own: Mapping[str, str]) -> str:
    base = language.partition("-")[0]
    theirs = (language, base)
    for tag in (*theirs, EVERY_LANGUAGE):
        if own.get(tag):
            return own[tag]
    for tag in theirs:
        if text := shipped(tag).get(key):
            return text
    return own.get(ENGLISH_TAG) or ENGLISH[key]

"""What the values of settings may look like, and a sentence for each that does not: what it is, and what to write."""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import StrEnum
from typing import TypeVar

from doorcode.pairing.names import safe_name
from doorcode.pairing.platform import Platform

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)

LONGEST_SHOWN = 60
# Plain http only to this machine: everywhere else a token would travel in the open. No user, query or fragment.
URL = re.compile(
    r"(https://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])|http://(127\.0\.0\.1|localhost|\[::1\]))(:[0-9]{1,5})?"
    r"(/[A-Za-z0-9/._~%+-]*)?"
)


def shown(text: str) -> str:
    """Show a value in a sentence, made safe and short."""
    return repr(safe_name(text)[:LONGEST_SHOWN])


def choice(choices: type[E], text: str) -> E:
    """Return one of ``choices``. Raises ValueError, with the word that was meant where that is plain."""
    try:
        return choices(text)
    except ValueError:
        folded = text.strip().lower().replace("-", "_")
        hint = f" Use {folded}" if folded in set(choices) else ""
        raise ValueError(f"{shown(text)} is none of {', '.join(choices)}.{hint}") from None


def boolean(text: str) -> bool:
    """Return what ``true`` or ``false`` says. Raises ValueError."""
    folded = text.lower()
    if text in {"true", "false"}:
        return text == "true"
    meant = {"yes": "true", "1": "true", "on": "true", "no": "false", "0": "false", "off": "false"}.get(folded, folded)
    hint = f" Use {meant}" if meant in {"true", "false"} else ""
    raise ValueError(f"{shown(text)} is neither true nor false.{hint}")


def url(text: str) -> str:
    """Return an address without the slash at its end. Raises ValueError."""
    if not URL.fullmatch(text):
        raise ValueError(
            f"{shown(text)} is not an https:// address without query and user (http:// only to localhost)."
        )
    return text.rstrip("/")


def entries(text: str) -> list[str]:
    """Return what stands between commas."""
    return [entry.strip() for entry in text.split(",") if entry.strip()]


def per_platform(text: str, value: Callable[[str], T], things: str, example: str) -> tuple[T | None, dict[Platform, T]]:
    """Read ``value,platform=value,…`` or ``platform=value,…``: what holds everywhere, and what differs on a platform.

    ``things`` says what the values are; ``example`` is one of such a text. Raises ValueError.
    """
    default: T | None = None
    overrides: dict[Platform, T] = {}
    for index, entry in enumerate(entries(text)):
        name, equals, given = entry.partition("=")
        # In an address, an equals sign comes behind one of these.
        if equals and not re.search("[:/?]", name):
            platform, one = choice(Platform, name.strip()), value(given.strip())
            if overrides.setdefault(platform, one) != one:
                raise ValueError(f"{platform} is given two {things}, {overrides[platform]} and {one}. Use one")
        elif index == 0:
            default = value(entry)
        else:
            raise ValueError(f"{shown(entry)} names no platform. Use for example {example}")
    return default, overrides

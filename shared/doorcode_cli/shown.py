"""What others wrote, made harmless for the terminal, and times as they are shown."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime

from doorcode.pairing.names import INVISIBLE, JOINING, UNSHOWABLE_CATEGORIES

JOINERS = frozenset("\u200c\u200d\ufe0f")
LONGEST = 200


def shown(text: object, limit: int = LONGEST) -> str:
    """Return a text in one line, without what could move the cursor, hide or reorder; cut at ``limit``."""
    line = " ".join(str(text)[: limit * 8].split())
    kept = "".join(character for character in line if character in JOINERS or _is_visible(character))
    # Of the joiners, those that join something.
    last, parts = 0, []
    for joint in re.finditer(JOINING, kept):
        parts += [_visible(kept[last : joint.start()]), joint[0]]
        last = joint.end()
    kept = "".join([*parts, _visible(kept[last:])])
    return kept if len(kept) <= limit else f"{kept[: limit - 1]}…"


def moment(seconds: float) -> str:
    """Return a time (seconds since 1970) as people read it, in UTC."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError, OSError):
        return "at an unknown time"


def iso(seconds: float) -> str:
    """Return a time (seconds since 1970) as programs read it, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def duration(seconds: float) -> str:
    """Return how long something took or is, in its largest whole unit."""
    for unit, size in (("day", 86_400), ("hour", 3600), ("minute", 60)):
        if seconds >= size:
            return counted(int(seconds // size), unit)
    return counted(max(int(seconds), 0), "second")


def counted(number: int, what: str) -> str:
    """Return a number and what there is of it, in the singular or plural."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _visible(text: str) -> str:
    return "".join(filter(_is_visible, text))


def _is_visible(character: str) -> bool:
    return unicodedata.category(character) not in UNSHOWABLE_CATEGORIES and character not in INVISIBLE

"""An asker's words, made visible: nothing in them can hide, reorder, push away, or pass for something else.

Nothing is taken away, for an approval is of what was shown. What shows nothing, or moves what stands around it, is written
out (``⟨U+202E⟩``), runs of spaces and of blank lines are counted in words. So is the bracket itself, which keeps that apart
from what somebody only wrote. Letters that look alike stay: that is what the digest is for.
"""

from __future__ import annotations

import re
import unicodedata

from doorcode.pairing.names import INVISIBLE, MAX_MARKS_IN_A_ROW, UNSHOWABLE_CATEGORIES

OPENING = "\u27e8"
CLOSING = "\u27e9"
MAX_SPACES = 8
MAX_BLANK_LINES = 1
_SPACES = re.compile(rf" {{{MAX_SPACES + 1},}}")


def visible(text: str) -> str:
    """Return a text of several lines with all that it holds made visible."""
    shown: list[str] = []
    blank = 0
    for line in text.split("\n"):
        if line.strip(" "):
            shown += _blank_lines(blank)
            blank = 0
            shown.append(visible_line(line))
        else:
            blank += 1
    return "\n".join(shown + _blank_lines(blank))


def visible_line(text: str) -> str:
    """Return a text as one line with all that it holds made visible, line breaks too."""
    return _SPACES.sub(lambda run: f"{OPENING}{len(run[0])} spaces{CLOSING}", _escaped(text))


def _blank_lines(number: int) -> list[str]:
    if number > MAX_BLANK_LINES:
        return [f"{OPENING}{number} blank lines{CLOSING}"]
    return [""] * number


def _escaped(text: str) -> str:
    shown: list[str] = []
    marks = 0
    for character in text:
        category = unicodedata.category(character)
        marks = marks + 1 if category in {"Mn", "Me"} else 0
        hidden = (
            category in UNSHOWABLE_CATEGORIES
            or character in INVISIBLE
            or (category == "Zs" and character != " ")
            # A tower of marks covers the lines around it; one without a letter stands on ours.
            or marks > MAX_MARKS_IN_A_ROW
            or (marks and not shown)
            or character in {OPENING, CLOSING}
        )
        shown.append(f"{OPENING}U+{ord(character):04X}{CLOSING}" if hidden else character)
    return "".join(shown)

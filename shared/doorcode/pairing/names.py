"""Strangers' names, made harmless to show.

Names come from whoever writes. What is returned here cannot move a cursor, reorder the text around it, hide, or flood
a prompt. It can still look like another person's name: a name is never an identity, and the platform and the immutable
id always stand beside it. Each platform escapes its own markup on top of this.
"""

from __future__ import annotations

import re
import unicodedata

from msgspec import Struct

MAX_NAME_LENGTH = 64
# More marks than this on one letter are not a script but a tower that covers the lines around it.
MAX_MARKS_IN_A_ROW = 3
# Read no more of a name than this: 10 kB of invisible characters cost nothing to send.
MAX_READ = 1024

# Control, format (bidirectional and zero-width ones are here), surrogate, private, unassigned, line, paragraph.
UNSHOWABLE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# Letters and marks by category that show nothing: fillers, joiners, variation selectors, the blank braille pattern.
INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0") | frozenset(
    chr(point) for point in (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))
)

# What joins two letters, or keeps them apart, as Persian and emoji families are written; and what makes a heart red.
# Between what is visible they are harmless, and belong to what an owner writes. A stranger's name has none.
JOINING = r"(?<=[^\s\u200c\u200d\ufe0f])(?:\ufe0f?[\u200c\u200d](?=[^\s\u200c\u200d\ufe0f])|\ufe0f)"

# The full-width and small forms look the same in many fonts.
AT_SIGNS = ("@", "\uff20", "\ufe6b")
# So do these, of a parenthesis; a name that holds one could end the one that it stands in.
PARENTHESES = str.maketrans(
    dict.fromkeys("()\uff08\uff09\ufe59\ufe5a\u207d\u207e\u208d\u208e\u2768\u2769\u276a\u276b\u2985\u2986")
)


class Names(Struct, frozen=True):
    """What somebody is called, made safe: ``@username``, else the full name, else nothing; and the full name beside a username.

    ``language`` is the one that they use, as a platform tells it that is asked for names; empty where it does not.
    """

    name: str = ""
    full_name: str = ""
    language: str = ""


def safe_name(text: str) -> str:
    """Return ``text`` without what could harm where it is shown, in one line of at most 64 characters; maybe empty."""
    return safe_text(text, MAX_NAME_LENGTH)


def safe_text(text: str, longest: int) -> str:
    """Return ``text`` without what could harm where it is shown, in one line of at most ``longest``; maybe empty."""
    text = text[:MAX_READ]
    if text.isascii() and text.isprintable():
        # Most names are. Nothing in them does harm but spaces, and looking at each sign is a quarter of a warm message.
        return " ".join(text.split())[:longest].rstrip()
    return _harmless(text)[:longest].rstrip()


def _harmless(text: str) -> str:
    shown: list[str] = []
    marks = 0
    for character in text:
        category = unicodedata.category(character)
        if category == "Zs" or character in "\t\n\r\u2028\u2029":
            # Runs of white space become one space, and none leads.
            if shown and shown[-1] != " ":
                shown.append(" ")
            marks = 0
            continue
        if category in UNSHOWABLE_CATEGORIES or character in INVISIBLE:
            continue
        marks = marks + 1 if category in {"Mn", "Me"} else 0
        if marks > MAX_MARKS_IN_A_ROW or (marks and not shown):
            continue
        shown.append(character)
    return "".join(shown)


def unjoined(text: str) -> str:
    """Return ``text`` without what joins visible letters."""
    return re.sub(JOINING, "", text)


def display_name(username: str, full_name: str = "") -> str:
    """Return ``@username``, else the full name, else nothing (the id is shown then), made safe.

    Only a platform's username may begin with ``@``: a person who calls himself "@owner" is not shown as that user.
    """
    handle = safe_name(username).replace(" ", "").lstrip("@")[: MAX_NAME_LENGTH - 1]
    if handle:
        return f"@{handle}"
    name = safe_name(full_name)
    while name.startswith(AT_SIGNS):
        # Made safe again each time: a mark that stood on the sign must not lead now, nor hide another sign behind it.
        name = safe_name(name[1:])
    return name


def names_of(username: str, full_name: str = "") -> Names:
    """Return what to call somebody. A full name that only repeats the username says nothing beside it."""
    name = display_name(username, full_name)
    if not name.startswith("@"):
        return Names(name)
    beside = unparenthesised(display_name("", full_name))
    return Names(name, "" if beside.casefold() == name[1:].casefold() else beside)


def called(name: str, full_name: str) -> str:
    """Return ``@username (Full Name)``, or as much of it as there is, both as ``names_of`` gives them."""
    return f"{name} ({full_name})" if name and full_name else name


def unparenthesised(name: str) -> str:
    """Return a safe name without parentheses, so that it stands in ours, or before them, and cannot pass for what they say."""
    bare = safe_name(name.translate(PARENTHESES))
    # What a parenthesis has hidden must not lead now: only a username begins with the sign.
    return bare if name.startswith("@") else display_name("", bare)

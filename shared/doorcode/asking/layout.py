"""A question as whoever decides is shown it: plain text, in full, or saying that it is cut.

Each line of the asker's stands behind a bar, and none of ours does, so that nothing of theirs can pass for our words. What
does not fit is not cut in silence: the text says how much is missing, and ``whole`` tells that there must be no Approve
under it. Plain text is meant: no platform may read markup, mentions or links in it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct

from doorcode.asking.digest import canonical_json
from doorcode.asking.question import Substance
from doorcode.asking.visible import CLOSING, OPENING, visible, visible_line

BAR = "\u2502 "
CUT = "\u2702\ufe0f Cut here: {number} more characters. Open it to read all of it; it cannot be approved from here."
_PLAIN_KEY = re.compile(r"[A-Za-z0-9_.-]+")


class Layout(Struct, frozen=True):
    """What is shown, and whether that is all of it. Where it is not, there is nothing to approve with."""

    text: str
    whole: bool


def lay_out(
    substance: Substance, *, limit: int, expires_at: int = 0, measure: Callable[[str], int] = len, closing: str = ""
) -> Layout:
    """Lay a question out within ``limit``, as ``measure`` counts; ``closing`` is our own last line, such as what became of it.

    With ``expires_at`` 0, nothing is said of the time. Raises ValueError for a limit that not even our own lines keep.
    """
    head = [f"\U0001f510 {visible_line(substance.asker)} asks before doing this:"]
    foot = _foot(substance, expires_at, closing)
    theirs = _theirs(substance)
    text = "\n".join([*head, *theirs, *foot])
    if measure(text) <= limit:
        return Layout(text, whole=True)
    body = "\n".join(theirs)
    # The longest beginning that fits, with what it says of the rest. What is missing grows as it gets shorter, by digits.
    low, high = -1, len(body)
    while high - low > 1:
        middle = (low + high) // 2
        if measure(_cut(head, body, foot, middle)) <= limit:
            low = middle
        else:
            high = middle
    if low < 0:
        raise ValueError(f"a prompt does not fit {limit}")
    return Layout(_cut(head, body, foot, low), whole=False)


def _cut(head: list[str], body: str, foot: list[str], length: int) -> str:
    beginning = body[:length]
    # Not through an escape, of which half could pass for text.
    if beginning.rfind(OPENING) > beginning.rfind(CLOSING):
        beginning = beginning[: beginning.rfind(OPENING)]
    number = len(body) - len(beginning)
    return "\n".join([*head, beginning, CUT.format(number=f"{number:,}"), *foot])


def _theirs(substance: Substance) -> list[str]:
    lines = _barred(visible_line(substance.title))
    if substance.details:
        lines += ["", *_barred(visible(substance.details))]
    if substance.arguments:
        lines += ["With these arguments:", *argument_lines(substance.arguments)]
    if substance.choices:
        choices = [visible_line(choice) for choice in substance.choices]
        lines += ["One of:", *(f"{BAR}{number}. {choice}" for number, choice in enumerate(choices, 1))]
    return lines


def argument_lines(arguments: str) -> list[str]:
    """Return arguments, which are canonical JSON, as ``key: value`` lines behind bars; what is no object is one value."""
    value: Any = json.loads(arguments)
    if not isinstance(value, dict):
        return _barred(visible_line(canonical_json(value)))
    return [f"{BAR}{_key(key)}: {visible_line(canonical_json(one))}" for key, one in value.items()] or [f"{BAR}{{}}"]


def _key(key: str) -> str:
    return key if _PLAIN_KEY.fullmatch(key) else visible_line(canonical_json(key))


def _barred(text: str) -> list[str]:
    return [f"{BAR}{line}" for line in text.split("\n")]


def _foot(substance: Substance, expires_at: int, closing: str) -> list[str]:
    lines = []
    if substance.on_behalf_of:
        lines.append(f"It says it asks for {visible_line(substance.on_behalf_of)}.")
    if substance.approvals > 1:
        lines.append(f"Takes the approval of {substance.approvals} persons.")
    if expires_at:
        lines.append(f"Expires {datetime.fromtimestamp(expires_at, UTC):%Y-%m-%d %H:%M} UTC, not approved then.")
    return [*lines, *([closing] if closing else [])]

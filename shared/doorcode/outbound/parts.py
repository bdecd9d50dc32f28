"""Texts that are longer than a platform takes: split between words, and sent part by part."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from doorcode.outbound.errors import SendError

LAST_BASIC_CHARACTER = 0xFFFF


def utf16(character: str) -> int:
    """Return how many UTF-16 code units a character takes, which is what most platforms count."""
    return 2 if ord(character) > LAST_BASIC_CHARACTER else 1


def split(text: str, limit: int, width: Callable[[str], int] = utf16) -> list[str]:
    """Split a text into parts of at most ``limit``, between words where there are any; none for a blank text.

    ``width`` tells how much of the limit a character takes. No part is blank, for platforms refuse those.
    """
    # Half a character from somebody's JSON cannot be sent as UTF-8.
    rest = text.encode("utf-8", "replace").decode()
    parts: list[str] = []
    while rest.strip():
        end = _fitting(rest, limit, width)
        if end < len(rest):
            end = _word_end(rest, end)
        parts.append(rest[:end].rstrip())
        # The break itself goes, what is indented behind it stays so.
        rest = rest[end:]
        rest = rest[1:] if rest[:1].isspace() else rest
    return [part for part in parts if part]


def _fitting(text: str, limit: int, width: Callable[[str], int]) -> int:
    taken = 0
    for index, character in enumerate(text):
        taken += width(character)
        if taken > limit:
            # At least one character each time, whatever the limit.
            return max(index, 1)
    return len(text)


def _word_end(text: str, end: int) -> int:
    """Return the last break up to ``end``, or ``end`` itself within a word that is longer than a part."""
    for index in range(end, 0, -1):
        if text[index].isspace() and text[:index].strip():
            return index
    return end


def deliver(parts: Sequence[str], done: int, send: Callable[[int, str], None]) -> None:
    """Send the parts from number ``done`` on, in order; an error knows how many were sent before it."""
    for number in range(done, len(parts)):
        try:
            send(number, parts[number])
        except SendError as error:
            error.done = number
            raise

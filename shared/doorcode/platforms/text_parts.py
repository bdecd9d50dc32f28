"""Texts that are longer than a platform takes: split between words, and sent part by part, where they can be sent."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from doorcode.platforms.send_errors import PermanentRefusalError, SendError

Send = Callable[[int, str], None]
"""Sends a part of a text, by its number, from 0."""

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


def split_each(texts: Sequence[str], limit: int, width: Callable[[str], int] = utf16) -> list[str]:
    """Split several texts, each of which begins a part of its own."""
    return [part for text in texts for part in split(text, limit, width)]


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


def falling_back(*ways: Send) -> Send:
    """Return a way to send that goes on with the next of ``ways`` for good once the platform refuses one for good.

    What the last one raises is raised: nobody can be told.
    """
    left = list(ways)

    def send(number: int, part: str) -> None:
        while True:
            try:
                return left[0](number, part)
            except PermanentRefusalError:
                # Whatever was refused: platforms find new words for a topic that is closed, and may not like the text
                # there. Where it cannot be sent at all, the last way says so.
                if len(left) == 1:
                    raise
                del left[0]

    return send


def deliver(parts: Sequence[str], done: int, send: Send) -> None:
    """Send the parts from number ``done`` on, in order; an error knows how many were sent before it."""
    for number in range(done, len(parts)):
        try:
            send(number, parts[number])
        except SendError as error:
            error.done = number
            raise

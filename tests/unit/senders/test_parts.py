"""Splitting a text between words, and sending the parts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorcode.pairing.contact import Platform
from doorcode.platforms.send_errors import PassingError
from doorcode.platforms.text_parts import deliver, split, utf16
from tests.cases import each
from tests.unit.pairing.people import repeatable


@each(
    ("text", "limit", "parts"),
    [
        ("short", 10, ["short"]),
        ("one two three", 7, ["one two", "three"]),
        ("one two three", 8, ["one two", "three"]),
        ("one\n  two three", 9, ["one\n  two", "three"]),
        ("one two\n  three", 7, ["one two", "  three"]),
        ("unbreakable", 4, ["unbr", "eaka", "ble"]),
        ("   word", 5, ["   wo", "rd"]),
        ("😀😀😀", 4, ["😀😀", "😀"]),
        ("😀", 1, ["😀"]),
        ("", 5, []),
        (" \n\t ", 2, []),
        ("a" + " " * 20 + "b", 4, ["a", " b"]),
        ("half \ud83d emoji", 40, ["half ? emoji"]),
    ],
)
def test_split(text: str, limit: int, parts: list[str]) -> None:
    """A text breaks at the last space that fits, within a word only if that is longer than a part, and never blank."""
    assert split(text, limit) == parts


@given(st.text(alphabet="ab \n😀", max_size=200), st.integers(min_value=2, max_value=20))
@repeatable
def test_nothing_is_lost(text: str, limit: int) -> None:
    """No part is blank or too long, and together they say every word of the text."""
    parts = split(text, limit)
    assert all(part.strip() for part in parts)
    assert all(sum(map(utf16, part)) <= limit for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())


def test_width() -> None:
    """What a character takes of the limit is up to the platform."""
    assert split("&& &&", 10, lambda character: 5 if character == "&" else 1) == ["&&", "&&"]


def test_deliver() -> None:
    """A part that fails says how many were sent before it, and the next try goes on from there."""
    sent: list[str] = []

    def send(number: int, part: str) -> None:
        if number == 2 and len(sent) == 2:
            sent.append("failed")
            raise PassingError(Platform.SLACK, "send", "no luck")
        sent.append(part)

    with pytest.raises(PassingError) as caught:
        deliver(["a", "b", "c", "d"], 0, send)
    assert caught.value.done == 2
    deliver(["a", "b", "c", "d"], caught.value.done, send)
    assert sent == ["a", "b", "failed", "c", "d"]

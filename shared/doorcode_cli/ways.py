"""How a claim or an invite is used, as it is printed: a link or a text for each platform, and a picture of the first."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from doorcode.pairing.contact import Platform
from doorcode_cli.output import say, say_fields
from doorcode_cli.shown import shown


class PrintedWay(Struct, frozen=True, kw_only=True):
    """What is sent to the bot on a platform, and a link that does it; empty where there is none."""

    platform: str
    text: str
    link: str = ""

    @property
    def shortest(self) -> str:
        """The link where there is one, else the text."""
        return shown(self.link or self.text)


def say_ways(ways: Sequence[PrintedWay]) -> None:
    """Print each way: one alone on its line, several each by its platform. Whoever looks on sees a QR code of the first."""
    if len(ways) == 1:
        say(ways[0].shortest)
    else:
        say_fields({Platform(way.platform).brand: way.shortest for way in ways})
    if ways and looks_on():
        say()
        for line in drawn(ways[0].shortest):
            say(line)


def looks_on() -> bool:
    """Tell whether the output is read by somebody, and not by a program."""
    return sys.stdout.isatty()


def drawn(text: str) -> list[str]:
    """Return a text as a QR code, line by line, for a terminal."""
    # Only here: no other command draws.
    import segno  # noqa: PLC0415

    level: Literal["m"] = "m"
    lines = io.StringIO()
    segno.make_qr(text, error=level).terminal(out=lines, border=2, compact=True)
    return lines.getvalue().splitlines()

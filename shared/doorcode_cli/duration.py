"""How long something lasts, as it is typed: 30s, 5m, 12h, 7d, 2w."""

from __future__ import annotations

import re

import typer

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


def seconds(text: str) -> int:
    """Return a duration in seconds. Raises BadParameter, with what it would have to look like."""
    found = re.fullmatch(r"([1-9][0-9]{0,8})([smhdw])", text.strip().lower(), re.ASCII)
    if not found:
        raise typer.BadParameter(f"{text!r} is not a duration. Use for example 30s, 5m, 12h, 7d or 2w.")
    return int(found[1]) * UNITS[found[2]]

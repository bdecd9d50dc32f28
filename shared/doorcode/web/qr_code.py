"""A link as a QR code, for whoever holds a phone to the page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Annotated

from msgspec import Meta, Struct


class QrCode(Struct, frozen=True, kw_only=True):
    """A square of ``size`` by ``size`` modules, and its dark ones; around it belong four light ones on each side."""

    size: int
    path: Annotated[str, Meta(description="The `d` of an SVG path, a unit to a module.")]


def qr_code(text: str) -> QrCode:
    """Return a text as a QR code: https://www.w3.org/TR/SVG2/paths.html."""
    # Only here: nothing else that is answered needs it.
    import segno  # noqa: PLC0415

    matrix = segno.make_qr(text, error="m").matrix
    return QrCode(size=len(matrix), path="".join(_run(run, y) for y, row in enumerate(matrix) for run in _dark(row)))


def _dark(row: Iterable[int]) -> Iterator[list[int]]:
    """Give where dark modules lie side by side."""
    for dark, run in groupby(enumerate(row), key=lambda placed: bool(placed[1])):
        if dark:
            yield [x for x, _ in run]


def _run(run: list[int], y: int) -> str:
    return f"M{run[0]} {y}h{len(run)}v1h-{len(run)}z"

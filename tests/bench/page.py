"""docs/performance.md: blocks between markers are written here, all else by hand."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from tests.infra.template import ROOT

PAGE = ROOT / "docs/performance.md"


def write_block(name: str, text: str, page: Path = PAGE) -> None:
    """Replace what stands between the markers of a block. Raises ValueError if the page does not have them once."""
    before = page.read_text()
    marked = re.compile(rf"(<!-- begin {name} -->\n).*?(<!-- end {name} -->)", re.DOTALL)
    after, count = marked.subn(lambda found: f"{found[1]}\n{text.strip()}\n\n{found[2]}", before)
    if count != 1:
        raise ValueError(f"{page.name} does not have one block {name}")
    page.write_text(after)


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table whose columns after the first are numbers."""
    lines = [heads, ["---", *["---:"] * (len(heads) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)

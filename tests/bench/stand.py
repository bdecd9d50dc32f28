"""The test stand: the functions laid out, the servers around them, and the ways in which they are run."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

from msgspec import Struct

from tests.bench.authority import Authority, new_authority
from tests.bench.function import Start, started
from tests.bench.layout import Layout, lay_out
from tests.bench.loopback import OURS, Loopback, hurry, pin, unpin
from tests.bench.subjects import EDGE, Subject


class Way(StrEnum):
    """How a function is run: over TLS, as on AWS; over plain HTTP; and so without its bytecode."""

    TLS = "tls"
    PLAIN = "plain"
    SOURCE = "source"


class Stand(Struct, frozen=True):
    """Everything that a measurement needs."""

    layouts: dict[bool, Layout]
    loopback: Loopback
    authority: Authority

    @contextlib.contextmanager
    def start(self, subject: Subject, way: Way, **details: Path) -> Iterator[Start]:
        """Start a function and have it answer its first message."""
        layout = self.layouts[way is not Way.SOURCE]
        tls = self.authority.server if way is Way.TLS else None
        with started(subject, layout, self.loopback, tls=tls, **details) as function:
            yield function


@contextlib.contextmanager
def set_up() -> Iterator[Stand]:
    """Build everything anew, and take it away in the end."""
    authority = new_authority()
    with tempfile.TemporaryDirectory() as folder, Loopback(first=True).running() as loopback:
        layouts = lay_out(Path(folder), EDGE)
        for layout in layouts.values():
            layout.trust(authority.certificate)
        pin(OURS)
        hurry(first=True)
        try:
            yield Stand(layouts, loopback, authority)
        finally:
            hurry(first=False)
            unpin()

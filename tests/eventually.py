"""Waiting for what happens elsewhere: in another thread, process or function."""

import time
from collections.abc import Callable
from typing import TypeVar

PATIENCE_SECONDS = 60.0
"""For what takes a moment, on a machine that has much else to do."""

T = TypeVar("T")


def eventually(look: Callable[[], T], seconds: float = PATIENCE_SECONDS) -> T:
    """Look again until there is something to see; return it, or what there was at the end."""
    deadline = time.monotonic() + seconds
    while not (seen := look()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return seen

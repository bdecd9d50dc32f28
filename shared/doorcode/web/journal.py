"""What the log says of requests: who did what to whom, and why something was refused.

Nothing that was sent is in it, save platform and user id. Lists that are merely looked at are not in it either: a page
that is open asks every few seconds.
"""

from __future__ import annotations

from collections.abc import Mapping

from doorcode.entrypoints import log
from doorcode.errors import DoorcodeError


def done(facts: Mapping[str, str]) -> None:
    """Log what was done, if anything was: then it has an outcome."""
    if "outcome" in facts:
        log.info(f"Done: {facts['operation']}", **facts)


def refused(error: DoorcodeError, status: int, facts: Mapping[str, str]) -> None:
    """Log why something was refused, or could not be done."""
    known = {"operation": "unknown", **facts, "outcome": "refused", "status": str(int(status))}
    log.refused(error, f"Refused: {known['operation']}", **known)

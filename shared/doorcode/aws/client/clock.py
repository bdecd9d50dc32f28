"""The time that requests are signed at: this machine's, corrected by a service's once that has refused ours."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import lru_cache

# Services refuse what differs from their time by more than five minutes (DynamoDB) or fifteen.
TOLERANCE_SECONDS = 240


class ServiceClock:
    """One for all services, as they agree on the time."""

    def __init__(self, wall: Callable[[], float] = time.time) -> None:
        """Read ``wall``, in seconds since 1970."""
        self._wall = wall
        self._ahead = 0.0

    def now(self) -> float:
        """Return what time it is for the services, in seconds since 1970."""
        return self._wall() + self._ahead

    def corrects(self, signed_at: float, date: str) -> bool:
        """Tell whether a refused request was signed at the wrong time, by the refusal's Date header; if so, go by that.

        It may have been the right time when it was signed, and the environment frozen before it was sent.
        """
        # Imported here, for it is next to never needed.
        from email.utils import parsedate_to_datetime  # noqa: PLC0415

        try:
            theirs = parsedate_to_datetime(date).timestamp()
        except (ValueError, OverflowError):
            return False
        if abs(theirs - signed_at) <= TOLERANCE_SECONDS:
            return False
        self._ahead = theirs - self._wall()
        return True


def moment_of(seconds: float) -> str:
    """Return a time as signatures write it, such as ``20260422T114522Z``."""
    return _second_of(int(seconds))


@lru_cache(maxsize=1)
def _second_of(seconds: int) -> str:
    # The calls of one message mostly share a second.
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(seconds))

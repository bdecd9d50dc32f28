"""When the request at hand has to be answered: one moment for all that it asks of AWS, however many calls that takes."""

from __future__ import annotations

import time
from collections.abc import Callable


class Deadline:
    """A moment that is set anew for each request, as an environment serves one at a time; until then there is none."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Read ``clock``, in seconds since whenever."""
        self.clock = clock
        self.at = float("inf")

    def start(self, seconds: float) -> None:
        """Let what is asked from now on be over in that many seconds."""
        self.at = self.clock() + seconds

    def within(self, seconds: float) -> float:
        """Return the moment that many seconds from now, or the deadline where that is sooner."""
        return min(self.clock() + seconds, self.at)

"""How long a service is asked again: the one place where retries are made, whichever client makes the calls.

What passes (throttling, timeouts, conflicts) is tried again with full jitter until the deadline, and then surfaces as one
error, UnavailableError. So everything that is asked here may be asked twice: a read, a conditional write, a transaction
with its ClientRequestToken, a message with its deduplication id. A cancelled transaction is tried again only if every
one of its reasons passes.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from copy import copy
from typing import Any

from doorcode.aws.deadline import Deadline
from doorcode.errors import UnavailableError

FIRST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 0.5

PASSING = frozenset(
    {
        "InternalServerError",
        "LimitExceededException",
        "ProvisionedThroughputExceeded",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "RequestTimeout",
        "RequestTimeoutException",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "Throttling",
        "ThrottlingError",
        "ThrottlingException",
        "TransactionConflict",
        "TransactionConflictException",
        "TransactionInProgressException",
    },
)
TOO_MANY_REQUESTS = 429
SERVER_ERROR = 500

Refusal = Callable[[str, Mapping[str, Any], bool], Exception | None]
"""Makes the asker's own error of an error's code and response (and whether an earlier try is in doubt); None: it is none."""


class Retrying:
    """How patiently one kind of service is asked."""

    def __init__(
        self,
        seconds: float,
        *,
        transport_errors: tuple[type[Exception], ...] = (),
        deadline: Deadline | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Ask again for ``seconds``, and not past ``deadline``; ``transport_errors`` mean that no answer came.

        With 0 seconds everything is asked once. The seconds are for one call; ``started`` gives them to several together.
        """
        self.seconds = seconds
        self.deadline = deadline or Deadline()
        self.sleep = sleep
        self._transport_errors = transport_errors
        self._until: float | None = None

    def started(self) -> Retrying:
        """Return the same for one operation: all its calls together have one deadline, counted from now."""
        retrying = copy(self)
        retrying._until = self.until()  # noqa: SLF001 (our own copy)
        return retrying

    def until(self) -> float:
        """Return the moment after which nothing is tried again."""
        return self.deadline.within(self.seconds) if self._until is None else self._until

    def ask(self, doing: str, call: Callable[[], Any], refusal: Refusal = lambda *_: None) -> Any:
        """Make a call and return its answer. Raises what ``refusal`` makes of an error, else UnavailableError.

        An exception that is no answer of a service is raised as it is.
        """
        until = self.until()
        in_doubt = False
        tries = 0
        while True:
            tries += 1
            try:
                return call()
            except self._transport_errors as error:
                # Only what was sent can have been done; a client that cannot tell is taken to have sent it.
                detail, passes, in_doubt = type(error).__name__, True, in_doubt or getattr(error, "sent", True)
            except Exception as error:
                # Told by its shape, so that no particular client has to be imported here.
                response = getattr(error, "response", None)
                if not isinstance(response, Mapping):
                    raise
                detail = str(response.get("Error", {}).get("Code", "unknown"))
                refused = refusal(detail, response, in_doubt)
                if refused is not None:
                    raise refused from error
                passes = _passes(detail, response)
                in_doubt = in_doubt or _status(response) >= SERVER_ERROR
            if not passes or not self.pause(tries, until):
                raise UnavailableError(doing, detail, in_doubt=in_doubt) from None

    def pause(self, tries: int, until: float) -> bool:
        """Wait a random while that grows with each try; say no when that would go past ``until``."""
        longest = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** (tries - 1))
        pause = random.uniform(0, longest)  # noqa: S311 (spreads retries; nothing secret)
        if self.deadline.clock() + pause >= until:
            return False
        self.sleep(pause)
        return True


def _passes(code: str, response: Mapping[str, Any]) -> bool:
    reasons = {reason.get("Code") or "None" for reason in response.get("CancellationReasons") or []} - {"None"}
    if reasons:
        # Cancelled, and by no condition: again only if each reason is one that passes.
        return reasons <= PASSING
    return code in PASSING or _status(response) == TOO_MANY_REQUESTS or _status(response) >= SERVER_ERROR


def _status(response: Mapping[str, Any]) -> int:
    return int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))

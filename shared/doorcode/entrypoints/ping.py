"""A harmless event, which asks a function only whether it can start. Nothing but an invocation by IAM can send it."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from doorcode.errors import DoorcodeError

PING = {"doorcode": "ping"}
STARTED = {"doorcode": "ok"}

Handler = TypeVar("Handler", bound=Callable[[Any, Any], Any])


def answers_ping(build: Callable[[], object]) -> Callable[[Handler], Handler]:
    """Have a handler answer ``PING`` once everything that ``build`` wires up is there: settings read, clients built.

    What hinders it is the answer too: ``error`` names its kind, and ``detail`` what it says, or where it came from.
    """

    def wrapped(handler: Handler) -> Handler:
        @wraps(handler)
        def asked(event: Any, context: Any) -> Any:
            return started(build) if event == PING else handler(event, context)

        return asked  # type: ignore[return-value]

    return wrapped


def started(build: Callable[[], object]) -> dict[str, str]:
    """Return the answer to ``PING``."""
    try:
        build()
    except DoorcodeError as error:
        return {"doorcode": "failed", "error": error.reason, "detail": str(error)}
    except Exception as error:  # noqa: BLE001 (what it is, is the answer)
        # Imported here, for next to nobody needs it, and every cold start of the edge would wait for it.
        from doorcode.entrypoints.trace import traced  # noqa: PLC0415

        return {"doorcode": "failed", "error": type(error).__name__, "detail": traced(error)}
    return STARTED

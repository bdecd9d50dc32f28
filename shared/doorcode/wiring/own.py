"""Loads the agent, which people make their own: what is wrong with it is told, by the log and to whoever asks."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from doorcode.entrypoints import log
from doorcode.entrypoints.agent_trial import is_trial
from doorcode.entrypoints.ping import PING
from doorcode.entrypoints.trace import traced


def loaded(module: str, make: str) -> Callable[[Any, Any], Any]:
    """Return the handler that ``make`` of ``module`` gives; where it cannot be imported, one that says so each time."""
    try:
        handler: Callable[[Any, Any], Any] = getattr(import_module(module), make)()
    except Exception as error:  # noqa: BLE001 (the code is somebody else's)
        return _broken(error)
    return handler


def _broken(error: Exception) -> Callable[[Any, Any], Any]:
    name, trace = type(error).__name__, traced(error)

    def handler(event: Any, context: Any) -> Any:
        log.begin(context, "agent")
        if event == PING or is_trial(event):
            return {"doorcode": "failed", "error": name, "detail": trace}
        log.error("The agent cannot be loaded", reason=name, trace=trace)
        # The messages come again, and wait for a version that works.
        raise error

    return handler

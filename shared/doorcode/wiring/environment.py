"""What the stack's template sets in every function's environment."""

from __future__ import annotations

from collections.abc import Mapping

from doorcode.errors import SettingsError


def required(environment: Mapping[str, str], *names: str) -> list[str]:
    """Return what the stack's template sets. Raises SettingsError with every name that is missing."""
    missing = tuple(f"{name} is not set: the stack's template sets it." for name in names if not environment.get(name))
    if missing:
        raise SettingsError(missing)
    return [environment[name] for name in names]

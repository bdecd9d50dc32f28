"""What ``doorcode init --local`` wants of a sandbox. Whoever has one to run offers it: the command does without."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from doorcode.pairing.contact import Platform


class LocalStack(Struct, frozen=True, kw_only=True):
    """A sandbox that is to be: its settings by the functions' names for them."""

    store: Path
    port: int | None
    platforms: tuple[Platform, ...]
    policy: str
    settings: Mapping[str, str]
    # A file with one's own agent, if there is one.
    agent_file: str = ""
    public_url: str = ""


class RunSandbox(Protocol):
    """Runs a sandbox with those secrets, calls ``then`` once it is up, and stays until somebody ends it."""

    def __call__(self, wanted: LocalStack, secrets: Mapping[str, str], then: Callable[[], None]) -> None: ...  # noqa: D102

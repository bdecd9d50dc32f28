"""The platforms beside the sandbox's stack, and what the stack and they know of each other."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from functools import partial

from doorcode.pairing.contact import Platform
from doorcode_sandbox.front import webhook_path
from doorcode_sandbox.platforms.registry import PLATFORMS
from doorcode_sandbox.platforms.server import StandIn

TOKENS = {platform: f"{platform}/bot-token" for platform in Platform}


class StandIns:
    """The platforms' stand-ins. Use ``running`` to have them listen."""

    def __init__(self, ports: Mapping[Platform, int], seed: Callable[[Platform], bytes]) -> None:
        """Prepare them; ``seed`` gives 32 random bytes for a platform, the same ones in every run."""
        self.each: dict[Platform, StandIn] = {
            platform: parts.stand_in.in_sandbox(ports[platform], partial(seed, platform))
            for platform, parts in PLATFORMS.items()
        }

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Have them listen."""
        with contextlib.ExitStack() as up:
            for stand_in in self.each.values():
                up.enter_context(stand_in)
            yield

    def credentials(self) -> dict[Platform, dict[str, str]]:
        """Return everything that a stack is given to work with each."""
        return {
            platform: {TOKENS[platform]: stand_in.token, **stand_in.credentials()}
            for platform, stand_in in self.each.items()
        }

    def register(self, url: str, secrets: Mapping[Platform, str]) -> None:
        """Have them send to the sandbox, as the set-up commands do; ``secrets`` is what the stack verifies them by."""
        for platform, stand_in in self.each.items():
            stand_in.register(f"{url}{webhook_path(platform)}", secrets.get(platform, ""))

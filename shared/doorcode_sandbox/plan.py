"""The sandbox that somebody wants."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from doorcode.pairing.contact import Platform
from doorcode.pairing.platform import TRAITS
from doorcode_cli.program import program
from doorcode_cli.target import DEFAULT_STORE
from doorcode_sandbox.loopback import HOST

FIRST_PORT = 8787
# How many ports it takes: for the front, the emulator, and each platform's stand-in.
PORTS = 2 + len(Platform)
# What a sandbox that runs does not take up by itself.
RESTART = ("template.yaml", "layers/")
# Everybody is played here, so they may ask on each platform, also where that has to be said.
POLICY = ",".join(["pair", *(f"{platform}=pair" for platform in Platform if TRAITS[platform].denies_unless_named)])


class Plan(Struct, frozen=True, kw_only=True):
    """What it keeps where, whom it lets ask and be asked, and where it listens: from ``port`` on."""

    store: Path
    owners: Mapping[Platform, Sequence[str]]
    policy: str = POLICY
    platforms: tuple[Platform, ...] = tuple(Platform)
    port: int = FIRST_PORT
    fresh: bool = False
    # Where platforms reach this machine, through a tunnel; empty without one.
    public_url: str = ""
    # Whether the owner's page and the API are there for it, too.
    public_page: bool = False
    # Further settings of the functions, by their names.
    settings: Mapping[str, str] = {}
    # What stands in the place of functions/agent/my_agent.py, if anything does.
    my_agent: Path | None = None

    @property
    def page_url(self) -> str:
        """Where the owner's page is for whoever may see it."""
        return f"{self.public_url if self.public_page else f'http://{HOST}:{self.port}'}/owner"

    @property
    def command(self) -> str:
        """How the sign-in command is given here."""
        return f"{program()} web {self.where}"

    @property
    def where(self) -> str:
        """The option by which the command finds this sandbox."""
        usual = self.store == DEFAULT_STORE.expanduser().absolute()
        return "--local" if usual else f"--store-dir {shlex.quote(str(self.store))}"

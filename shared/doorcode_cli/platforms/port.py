"""What a platform has to have, for the operator to set it up and look after it: each folder beside this has one such row."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import ClassVar

import typer
from msgspec import Struct

from doorcode.aws.provisioning import MADE_HERE
from doorcode_cli.deployment import Deployment
from doorcode_cli.examination import Check
from doorcode_cli.platform_api import PlatformApi
from doorcode_cli.secret_forms import Form
from doorcode_cli.setting_up.secret_desk import SecretDesk


class SecretHolder(ABC):
    """A platform's side of a secret that is made here, and that it sends along with each webhook."""

    secret: ClassVar[Form]
    # Whether it sends its webhooks to this stack at all.
    ours: bool

    @abstractmethod
    def __init__(self, deployment: Deployment, token: str) -> None:
        """Ask where it sends to, by the bot's token. Raises PlatformError, and so before anything is changed."""

    @abstractmethod
    def give(self, secret: str) -> None:
        """Have it send this one from now on, if it sends here. Raises PlatformError."""


class Failure(Struct, frozen=True, kw_only=True):
    """Why a platform does not deliver what it took, and what mends that: for an owner, for anybody."""

    said: str
    for_owners: str = ""
    mends: str = ""
    # Nobody gets anything until it is mended.
    stops_all: bool = False


class SettingUp(Struct, frozen=True, kw_only=True):
    """A stack that is deployed, to which a platform is to send, and whoever sets it up: ``desk`` asks for secrets."""

    deployment: Deployment
    desk: SecretDesk
    # Whether the platform may be taken from where it sends to so far.
    take_over: bool = False

    def may_take_over(self, fact: str) -> bool:
        """Tell whether what is there may be replaced: ``fact`` says what. Raises CommandError where nobody can be asked."""
        return self.take_over or self.desk.questions.agree(fact, "Have it sent here instead?", "--take-over")


class OperatorPlatform(Struct, frozen=True, kw_only=True):
    """A platform, as the command has it."""

    api: type[PlatformApi]
    # ``doorcode <platform> …``
    commands: typer.Typer
    # All its secrets, the token among them, in the order in which they are listed.
    forms: tuple[Form, ...]
    # What doctor looks at, by name.
    checks: Mapping[str, Check]
    # What mends webhooks that are signed with another secret; empty where the platform sends such on purpose.
    mends_signatures: str = ""
    # Why something does not arrive, by the platform's own codes, where it tells of that.
    failures: Mapping[str, Failure] = MappingProxyType({})
    # Has the platform send to the stack, for ``doorcode init``. What is so already is left alone; says what was done.
    set_up: Callable[[SettingUp], None]
    # How somebody comes by the token, and whether that needs a stack that is deployed: its address belongs to the app.
    how_to_get_token: str
    token_needs_stack: bool = False
    # Secrets that help to set up, and are kept nowhere.
    used_once: tuple[Form, ...] = ()
    # Follows when the token has been set: keeps what the token tells, and notes it.
    token_was_set: Callable[[Deployment], None] | None = None
    holder: type[SecretHolder] | None = None

    @property
    def needed(self) -> tuple[str, ...]:
        """The secrets that the operator sets; the others are made here."""
        return tuple(form.name for form in self.forms if form.name not in MADE_HERE)

"""Invokes the stack's admin function, and tells its answers from everything that can be in the way.

What comes back is read strictly and never trusted: texts are made harmless where they are shown.
"""

from __future__ import annotations

import getpass
import json
import socket
from collections.abc import Iterator
from datetime import datetime
from typing import Any, TypeVar

import msgspec
from botocore.exceptions import BotoCoreError, ClientError
from msgspec import Struct

from doorcode.errors import (
    DoorcodeError,
    InputError,
    LockedOutError,
    MalformedCodeError,
    NotTheirsError,
    SecretError,
    SettingsError,
    UnavailableError,
)
from doorcode.pairing.contact import Platform
from doorcode.pairing.names import safe_name
from doorcode.pairing.transitions import Refusal
from doorcode_cli.exit_codes import CommandError, Exit
from doorcode_cli.output import at
from doorcode_cli.shown import shown
from doorcode_cli.target import Target, unreachable

VERSION = 1
# One try: a decision whose answer was lost may have been made, and asking again would be told "already approved". The
# function itself gives up after 60 seconds.
CONFIG = {"connect_timeout": 5, "read_timeout": 65, "retries": {"total_max_attempts": 1}}


def _reasons(*roots: type[DoorcodeError]) -> frozenset[str]:
    """Return the reasons of these errors and of all that are kinds of them."""
    return frozenset(error.reason for root in roots for error in (root, *root.__subclasses__()))


# A code that cannot be one is a code refused, whoever mistyped it.
USAGE = _reasons(InputError) - {MalformedCodeError.reason}
OUT_OF_ORDER = _reasons(SecretError, SettingsError, UnavailableError)

T = TypeVar("T")


class Listed(Struct, frozen=True, kw_only=True):
    """A contact as the stack shows it. ``code`` is empty for all but pending requests, and where it cannot be shown."""

    platform: str
    user_id: str
    name: str
    # This and who decided by name: of a stack that knows them.
    full_name: str = ""
    # Only where owners are shown it.
    first_message: str = ""
    state: str
    label: str
    requested_at: datetime | None
    expires_at: datetime | None
    paired_at: datetime | None
    paired_until: datetime | None
    decided_by: str
    decided_by_name: str = ""
    decided_via: str
    code: str = ""


class Page(Struct, frozen=True, kw_only=True):
    """Some contacts, and where to go on. ``total`` comes with the first page only."""

    contacts: list[Listed]
    cursor: str
    total: int = 0


class Cleared(Struct, frozen=True, kw_only=True):
    """One page of a clearing: the user ids that were revoked, and those that were not."""

    revoked: list[str]
    failed: list[str]
    cursor: str


class TurnedAway(Struct, frozen=True, kw_only=True):
    """The user ids whose requests were denied, and those whose were not."""

    done: list[str]
    failed: list[str]


class _Decided(Struct, frozen=True):
    contact: Listed


class _Unlocked(Struct, frozen=True):
    freed: int


class Told(Struct, frozen=True, kw_only=True):
    """An error as the admin function tells it."""

    reason: str
    message: str
    platform: str = ""
    user_id: str = ""
    expired_at: datetime | None = None
    until: datetime | None = None


class AdminClient:
    """The admin function of one stack, called in the name of whoever runs the command."""

    def __init__(self, target: Target, actor: str = "") -> None:
        """Aim at the stack. Nothing is called yet."""
        self._target = target
        self._actor = actor or whoever_runs_this()

    @property
    def actor(self) -> str:
        """Who acts, as it is reported."""
        return self._actor

    def decide(self, command: str, platform: Platform, **arguments: Any) -> Listed:
        """Have the stack decide, and return the contact as it is then."""
        return self.ask(_Decided, command=command, platform=str(platform), **arguments).contact

    def page(self, platform: Platform, state: str, cursor: str = "") -> Page:
        """Return a page of a platform's contacts in that state."""
        return self.ask(Page, command="list", platform=str(platform), state=state, cursor=cursor)

    def clear(self, platform: Platform) -> Iterator[Cleared]:
        """Revoke a platform's paired contacts, page by page."""
        cursor = ""
        while True:
            cleared = self.ask(Cleared, command="clear", platform=str(platform), cursor=cursor)
            yield cleared
            cursor = cleared.cursor
            if not cursor:
                return

    def turn_away(self, platform: Platform, *, block: bool) -> TurnedAway:
        """Deny all of a platform's pending requests, and block those who made them if wished."""
        return self.ask(TurnedAway, command="turn_away", platform=str(platform), block=block)

    def unlock(self, *, everybody: bool) -> int:
        """Forget wrong codes; return how many callers had entered codes."""
        return self.ask(_Unlocked, command="unlock", everybody=everybody).freed

    def ask(self, kind: type[T], **arguments: Any) -> T:
        """Give the function a command, and return its answer in that form. Raises CommandError."""
        payload = self._invoke({"version": VERSION, "actor": self._actor, **arguments})
        try:
            answer = msgspec.json.decode(payload)
            if "error" in answer:
                raise refusal(msgspec.convert(answer["error"], Told))
            return msgspec.convert(answer, kind)
        except (msgspec.MsgspecError, UnicodeDecodeError, TypeError):
            raise CommandError(
                f"The function {self._target.admin_function} answers in a way that this command does not know. "
                "Are stack and command of the same version?",
                Exit.UNREACHABLE,
            ) from None

    def _invoke(self, event: dict[str, Any]) -> bytes:
        name = self._target.admin_function
        function = self._target.client("lambda", CONFIG)
        try:
            answer = function.invoke(FunctionName=name, Payload=json.dumps(event).encode())
            payload: bytes = answer["Payload"].read()
        except (BotoCoreError, ClientError) as error:
            raise unreachable(error, f"the function {name}") from None
        if "FunctionError" in answer:
            raise CommandError(
                f"The function {name} failed: {_failure(payload)}. Whether anything was done is in its log, "
                f"{self._target.prefix}/behind. See: doorcode doctor",
                Exit.UNREACHABLE,
            )
        return payload


def whoever_runs_this() -> str:
    """Name the caller, as ``user@host``: what the system says, in at most 64 visible characters."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError):
        # No such entry, as in some containers.
        user = "somebody"
    return safe_name(f"{user}@{socket.gethostname()}")


def refusal(told: Told) -> CommandError:
    """Make the one line that says what was refused, why, and what to do."""
    if told.reason in USAGE:
        return CommandError(shown(told.message), Exit.USAGE)
    if told.reason in OUT_OF_ORDER:
        return CommandError(f"{shown(told.message)} See: doorcode doctor", Exit.UNREACHABLE)
    who = shown(f"{told.platform} {told.user_id}")
    if told.reason == Refusal.EXPIRED and told.expired_at:
        return CommandError(
            f"The request of {who} expired at {at(told.expired_at)} (UTC). They can ask again by writing to the bot."
        )
    if told.reason == LockedOutError.reason and told.until:
        return CommandError(
            f"Too many wrong codes: you are locked out until {at(told.until)} (UTC). Wait, or run: doorcode pairing unlock"
        )
    return CommandError(" ".join([shown(told.message), *_advice(told.reason, who)]))


def _advice(reason: str, who: str) -> list[str]:
    """Return what to do about a refusal, where its sentence does not say it."""
    advice: dict[str, str] = {
        Refusal.ALREADY_PAIRED: "See: doorcode pairing list --paired",
        Refusal.ALREADY_DENIED: f"To let them in: doorcode pairing add {who}",
        Refusal.ALREADY_BLOCKED: "See: doorcode pairing list --blocked",
        Refusal.BLOCKED: f"Run: doorcode pairing unblock {who}",
        Refusal.NOT_PENDING: "See: doorcode pairing list --pending",
        Refusal.NOT_PAIRED: "See: doorcode pairing list --paired",
        Refusal.NOT_BLOCKED: "See: doorcode pairing list --blocked",
        Refusal.OWNER: f"Run: doorcode owner remove {who}",
        Refusal.NOT_OWNER: "See: doorcode owner list",
        Refusal.LAST_OWNER: f"To remove them all the same: doorcode owner remove {who} --confirm",
        Refusal.OWNER_BY_SETTING: "Change it with: doorcode init --set OwnerUserIds=…",
        Refusal.SUPERSEDED: "See: doorcode pairing list --pending",
        NotTheirsError.reason: "See whose it is: doorcode pairing list --pending",
    }
    return [advice[reason]] if reason in advice else []


def _failure(payload: bytes) -> str:
    """Return what Lambda says of a function that failed, such as that it ran out of time."""
    try:
        said = msgspec.json.decode(payload)
        text = f"{said.get('errorType', '')}: {said.get('errorMessage', '')}".strip(": ")
    except (msgspec.MsgspecError, UnicodeDecodeError, AttributeError):
        text = ""
    return shown(text).rstrip(".") or "it says no more"

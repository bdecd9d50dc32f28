"""Who is signed in to the HTTP API and the owner's page, and what that lets them do."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

from msgspec import Struct

from doorcode.errors import InputError, InvalidTimeError, InvalidTokenNameError
from doorcode.pairing.contact import END_OF_TIME, Via
from doorcode.pairing.names import MAX_NAME_LENGTH, safe_name

TOKEN_PREFIX = "token "  # noqa: S105 (a word, not a secret)
# With the word before it, it is shown as whoever decided.
MAX_TOKEN_NAME_LENGTH = MAX_NAME_LENGTH - len(TOKEN_PREFIX)


class Scope(StrEnum):
    """What somebody who is signed in may do."""

    READ = "read"
    """See who is waiting, paired and blocked; no codes."""
    PAIRING = "pairing"
    """Decide as well, and see the codes."""
    MESSAGES = "messages"
    """Answer where a sealed reply address leads, and nothing else."""
    GATE = "gate"
    """Ask the gate about people who write to a bot of one's own, and nothing else."""
    ASKS = "asks"
    """Ask the owner, and use what was approved; nothing of others', and no decision."""
    PRESSES = "presses"
    """Say who pressed an owner's button there. Whoever is believed about that is as strong as an owner."""


class Principal(Struct, frozen=True, kw_only=True):
    """Who is signed in, verified.

    ``id`` is the session's or the token's public id, for which guesses are counted; ``actor`` is who decides, as shown
    (``alice@laptop``, ``token ci``); ``expires_at`` is in whole seconds since 1970, 0 for never.
    """

    id: str
    actor: str
    scopes: frozenset[Scope]
    via: Via
    expires_at: int

    @property
    def scope(self) -> str:
        """What they may do, in words."""
        return scope_words(self.scopes)


def scope_words(scopes: Collection[Scope]) -> str:
    """Return scopes as they are shown and kept: each once, in the order above, with spaces between (as OAuth has them)."""
    return " ".join(scope for scope in Scope if scope in scopes)


def scopes_named(text: str) -> frozenset[Scope]:
    """Read what ``scope_words`` returned, or somebody typed. Raises InputError."""
    try:
        scopes = frozenset(map(Scope, text.split()))
    except ValueError:
        scopes = frozenset()
    if not scopes:
        raise InputError(f"A token's scope is one or more of: {', '.join(Scope)}.")
    return scopes


def token_actor(name: str, token_id: str) -> str:
    """Return how a token is shown where it decided: by its name, or by its id if it has none."""
    return f"{TOKEN_PREFIX}{name or token_id}"


def checked_token_name(text: str) -> str:
    """Return a token's name unchanged (maybe empty), if it can be shown. Raises InvalidTokenNameError."""
    if len(text) > MAX_TOKEN_NAME_LENGTH or safe_name(text) != text:
        raise InvalidTokenNameError(
            f"A token's name has at most {MAX_TOKEN_NAME_LENGTH} characters, all of them visible, such as ci."
        )
    return text


def checked_token_end(until: int, now: int) -> int:
    """Return when a token ends (0: never). Raises InvalidTimeError unless it lies ahead and before the year 10000."""
    if until and not now < until <= END_OF_TIME:
        raise InvalidTimeError("The end of a token must lie in the future. Use for example --for 30d.")
    return until

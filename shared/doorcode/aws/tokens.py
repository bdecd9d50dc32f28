"""Tokens: what programs sign in to the HTTP API with, until they end or are revoked.

What is kept is the SHA-256 of each secret, never the secret. Every request reads the token's item, so that revoking
holds from the next one. Time is compared here; ``ttl`` only tidies up, a day later.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from msgspec import Struct

from doorcode.aws.credential_items import held, shown, writing
from doorcode.aws.items import expires_after
from doorcode.aws.table import Item, Table
from doorcode.errors import InputError
from doorcode.pairing.access import (
    Principal,
    Scope,
    checked_token_end,
    checked_token_name,
    scope_words,
    scopes_named,
    token_actor,
)
from doorcode.pairing.contact import Via
from doorcode.pairing.credentials import is_credential_id, new_credential

# So that whoever finds one in a file or a log, a scanner for example, can tell what it is.
PREFIX = "dc_"
TOKENS = "tokens"


class Token(Struct, frozen=True, kw_only=True):
    """What is known of a token: not its secret. Times are whole seconds since 1970; ``expires_at`` 0 is never."""

    id: str
    name: str
    scopes: frozenset[Scope]
    created_at: int
    created_by: str
    expires_at: int

    @property
    def actor(self) -> str:
        """Who decides when it is used, as shown."""
        return token_actor(self.name, self.id)

    @property
    def scope(self) -> str:
        """What it lets its holder do, in words."""
        return scope_words(self.scopes)


class Tokens:
    """The tokens of one table, under ``tokens``."""

    def __init__(self, table: Table) -> None:
        """Keep them in ``table``."""
        self._table = table

    def create(self, name: str, scopes: Collection[Scope], actor: str, now: int, until: int = 0) -> tuple[str, Token]:
        """Make a token; return what its holder shows, which nobody can read again, and what is kept of it.

        Raises InvalidTokenNameError, and InvalidTimeError for an end that does not lie ahead.
        """
        credential = new_credential()
        token = Token(
            id=credential.id,
            name=checked_token_name(name),
            scopes=frozenset(scopes),
            created_at=now,
            created_by=actor,
            expires_at=checked_token_end(until, now),
        )
        self._table.update(TOKENS, token.id, **writing(credential, _attributes(token)))
        return f"{PREFIX}{credential.text}", token

    def principal(self, bearer: str, now: int) -> Principal:
        """Return who is signed in with that token. Raises SignInError."""
        credential = shown(bearer, PREFIX)
        token = held(self._table.get(TOKENS, credential.id), credential, now, _token)
        return Principal(id=token.id, actor=token.actor, scopes=token.scopes, via=Via.API, expires_at=token.expires_at)

    def works(self, token_id: str, now: int) -> bool:
        """Tell whether there is such a token, and its time is not up."""
        item = self._table.get(TOKENS, token_id)
        try:
            return bool(item) and not 0 < _token(item).expires_at <= now
        except (KeyError, ValueError):
            return False

    def listed(self, now: int) -> list[Token]:
        """Return the tokens that work at ``now``, oldest first."""
        tokens = []
        for item in self._table.partition(TOKENS):
            try:
                token = _token(item)
            except (KeyError, ValueError):
                # Of a version to come. It signs nobody in here, and must not hide the others.
                continue
            if not token.expires_at or now < token.expires_at:
                tokens.append(token)
        return sorted(tokens, key=lambda token: (token.created_at, token.id))

    def revoke(self, token_id: str) -> bool:
        """Take a token back, from its next request on; tell whether there was one."""
        return is_credential_id(token_id) and self._table.delete(TOKENS, token_id)


def _attributes(token: Token) -> Mapping[str, str | int]:
    attributes: dict[str, str | int] = {
        "name": token.name,
        "scope": token.scope,
        "created_at": token.created_at,
        "created_by": token.created_by,
        "expires_at": token.expires_at,
    }
    # Without an end it stays until it is revoked.
    return attributes | ({"ttl": expires_after(token.expires_at)} if token.expires_at else {})


def _token(item: Item) -> Token:
    return Token(
        id=item["sk"]["S"],
        name=item["name"]["S"],
        scopes=_scopes(item["scope"]["S"]),
        created_at=int(item["created_at"]["N"]),
        created_by=item["created_by"]["S"],
        expires_at=int(item["expires_at"]["N"]),
    )


def _scopes(text: str) -> frozenset[Scope]:
    try:
        return scopes_named(text)
    except InputError as error:
        raise ValueError from error

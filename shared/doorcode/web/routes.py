"""What a route is: where it stands, who may use it, what it takes, gives and does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from msgspec import Struct

from doorcode.errors import DoorcodeError
from doorcode.pairing.access import Principal, Scope
from doorcode.web.refusals import UnreadableRequestError
from doorcode.web.request import MAX_BODY_BYTES, Request
from doorcode.web.services import Services


class Access(StrEnum):
    """Who may use a route. Nothing is the default: every route says it."""

    OPEN = "open"
    """Anybody. There is nothing of anybody's there."""
    SIGNED_IN = "signed_in"
    """Who is signed in, with whatever scope: there is nothing there but who they are."""
    SESSION = "session"
    """Who is signed in to the page, by its cookie."""
    READ = "read"
    """Who is signed in with the scope read, or with pairing."""
    PAIRING = "pairing"
    """Who is signed in with the scope pairing, as whoever is signed in to the page is."""
    MESSAGES = "messages"
    """A program with the scope messages."""
    GATE = "gate"
    """A program with the scope gate."""
    PRESSES = "presses"
    """A program with the scope presses."""
    ASKS = "asks"
    """A program with the scope asks."""
    ASKS_OR_PAIRING = "asks_or_pairing"
    """A program with the scope asks, for what is its own; or who is signed in with the scope pairing, for all."""


SCOPES: Mapping[Access, tuple[Scope, ...]] = MappingProxyType(
    {
        Access.READ: (Scope.READ, Scope.PAIRING),
        Access.PAIRING: (Scope.PAIRING,),
        Access.MESSAGES: (Scope.MESSAGES,),
        Access.GATE: (Scope.GATE,),
        Access.PRESSES: (Scope.PRESSES,),
        Access.ASKS: (Scope.ASKS,),
        Access.ASKS_OR_PAIRING: (Scope.ASKS, Scope.PAIRING),
    }
)
"""Which scopes let somebody use a route, where it takes one: any of these."""


class NoQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """No parameters: anything in a query string ends up in logs and histories, and a token must not."""


class Call(Struct, frozen=True, kw_only=True):
    """One call of a route, by somebody who may make it: what was sent is read and checked as to its form."""

    services: Callable[[], Services]
    now: int
    request: Request
    path: Mapping[str, str]
    query: Any
    body: Any
    principal: Principal | None
    # What the log says of this call: a handler adds whom it was about, and the outcome of whatever it did.
    facts: dict[str, str]

    @property
    def caller(self) -> Principal:
        """Whoever is signed in. Only on routes that ask for it."""
        if self.principal is None:
            raise TypeError("an open route asked who is signed in")
        return self.principal


class Answer(Struct, frozen=True, kw_only=True):
    """What is answered: a struct, which becomes JSON, or a file's bytes, or nothing."""

    status: int = 200
    body: Struct | Mapping[str, Any] | None = None
    content: bytes = b""
    headers: Mapping[str, str] = {}
    # Each as the header Set-Cookie writes it.
    cookies: tuple[str, ...] = ()


class Route(Struct, frozen=True, kw_only=True):
    """A row of the table of routes. Segments in braces are parameters, as OpenAPI writes them."""

    name: str
    method: str
    path: str
    access: Access
    handle: Callable[[Call], Answer]
    summary: str
    query: type[Struct] = NoQuery
    body: type[Struct] | None = None
    max_body_bytes: int = MAX_BODY_BYTES
    # What a body is that is JSON and not what the route takes.
    invalid: type[DoorcodeError] = UnreadableRequestError
    gives: type[Struct] | None = None
    status: int = 200
    # Beside those that every route can answer with.
    refuses: tuple[int, ...] = ()

    def parameters(self, path: str) -> dict[str, str] | None:
        """Return what stands in the path's parameters, None if this route is not the one at ``path``."""
        mine, theirs = self.path.split("/"), path.split("/")
        if len(mine) != len(theirs):
            return None
        found = {}
        for own, given in zip(mine, theirs, strict=True):
            if own.startswith("{") and given:
                found[own[1:-1]] = given
            elif own != given:
                return None
        return found

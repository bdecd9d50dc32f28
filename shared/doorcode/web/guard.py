"""Who may pass: the one place where it is found out who is signed in, from where, and what that lets them do.

A session is the page's: its cookie travels by itself, so whatever changes something must visibly come from the page.
A token is a program's, and travels only where it was put. Nobody is signed in by default, and nothing is let through
because something could not be read.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from doorcode.errors import ForbiddenError, SignInError
from doorcode.pairing.access import Principal
from doorcode.pairing.contact import Via
from doorcode.web.refusals import CrossSiteError, UnreadableRequestError
from doorcode.web.request import Request
from doorcode.web.routes import SCOPES, Access, Route
from doorcode.web.services import Services

COOKIE = "__Host-doorcode"
SAFE_METHODS = frozenset({"GET", "HEAD"})


class Guard:
    """Stands before every route."""

    def __init__(self, services: Callable[[], Services]) -> None:
        """Look up sessions and tokens in ``services``, once there is something to look up."""
        self._services = services

    def admit(self, route: Route, request: Request, now: int, facts: dict[str, str]) -> Principal | None:
        """Return who is signed in, None where anybody may pass. ``facts``, what the log says, learns who it is.

        Raises UnreadableRequestError for parameters that the route does not know, SignInError, CrossSiteError,
        ForbiddenError, UnavailableError.
        """
        if set(request.parameters()) - set(route.query.__struct_fields__):
            raise UnreadableRequestError("There is a parameter in the query that this route does not know.")
        if route.access is Access.OPEN:
            if request.method not in SAFE_METHODS:
                _check_origin(request)
            return None
        principal = self._principal(request, now)
        facts.update(actor=principal.actor, caller=principal.id, via=principal.via)
        needed = SCOPES.get(route.access, ())
        if needed and not set(needed) & set(principal.scopes):
            raise ForbiddenError(f"That takes the scope {' or '.join(needed)}, and this one has: {principal.scope}.")
        if route.access is Access.SESSION and principal.via is not Via.WEB:
            raise ForbiddenError("This is for whoever is signed in to the page, not for a token.")
        return principal

    def _principal(self, request: Request, now: int) -> Principal:
        cookies, authorization = request.cookie_values(COOKIE), request.header("authorization")
        if len(cookies) + (authorization is not None) > 1:
            raise UnreadableRequestError("Sign in one way: with the page's cookie or with a token.")
        if authorization is not None:
            scheme, _, token = authorization.strip().partition(" ")
            if scheme.lower() != "bearer":
                raise SignInError
            return self._services().tokens.principal(token.strip(), now)
        if not cookies:
            raise SignInError
        # Before anything is looked up: another site must not even make us read.
        if request.method not in SAFE_METHODS:
            _check_origin(request)
        return self._services().sign_ins.principal(cookies[0], now)


def _check_origin(request: Request) -> None:
    """Let pass what the page itself asks for. Raises CrossSiteError.

    Sources: https://www.w3.org/TR/fetch-metadata/ and, for browsers that do not send it, the Fetch standard's Origin.
    """
    site = request.header("sec-fetch-site")
    if site is not None:
        if site != "same-origin":
            raise CrossSiteError
        return
    host, origin = request.header("host") or "", request.header("origin") or ""
    try:
        split = urlsplit(origin)
    except ValueError:
        raise CrossSiteError from None
    if split.scheme not in {"http", "https"} or not host or split.netloc.lower() != host.lower():
        raise CrossSiteError

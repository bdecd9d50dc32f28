"""Signing in to the page and out of it. The cookie is the browser's alone: no script can read it."""

from __future__ import annotations

from http.cookies import SimpleCookie
from typing import Annotated

from msgspec import Meta, Struct

from doorcode.entrypoints.contact_record import iso
from doorcode.pairing.access import Principal
from doorcode.pairing.contact import Platform, Via
from doorcode.web.guard import COOKIE
from doorcode.web.refusals import DateTime
from doorcode.web.routes import Access, Answer, Call, Route


class Link(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What stood in the link."""

    token: Annotated[str, Meta(description="From a link that was made in the last five minutes, and not used yet.")]


class Session(Struct, frozen=True, kw_only=True):
    """Who is signed in, how, and until when (null: for ever). ``scope`` has a space between two of them.

    ``platforms`` are those from which people can write to this version of Doorcode.
    """

    actor: str
    scope: str
    via: Via
    expires_at: DateTime | None
    platforms: list[Platform]


class SignedOut(Struct, frozen=True, kw_only=True):
    """How many sessions and unused links were ended."""

    signed_out: int


def sign_in(call: Call) -> Answer:
    """Turn a link's token into a session."""
    body: Link = call.body
    value, principal = call.services().sign_ins.redeem(body.token, call.now)
    call.facts.update(actor=principal.actor, caller=principal.id, via=principal.via, outcome="signed_in")
    return Answer(body=_session(principal), cookies=(_cookie(value, principal.expires_at - call.now),))


def show(call: Call) -> Answer:
    """Tell who is signed in."""
    return Answer(body=_session(call.caller))


def sign_out(call: Call) -> Answer:
    """End this session."""
    call.services().sign_ins.end(call.caller.id)
    call.facts["outcome"] = "signed_out"
    return Answer(status=204, cookies=(_cookie("", 0),))


def sign_everybody_out(call: Call) -> Answer:
    """End every session and unused link. Tokens go on."""
    count = call.services().sign_ins.end_all(call.now)
    call.facts.update(outcome="signed_out", count=str(count))
    # Whoever asked with a token has no cookie to clear, and is not harmed by it.
    return Answer(body=SignedOut(signed_out=count), cookies=(_cookie("", 0),))


def _session(principal: Principal) -> Session:
    return Session(
        actor=principal.actor,
        scope=principal.scope,
        via=principal.via,
        expires_at=iso(principal.expires_at),
        platforms=list(Platform),
    )


def _cookie(value: str, seconds: int) -> str:
    """Return the page's cookie; the prefix of its name ties it to this very host, by HTTPS."""
    cookie = SimpleCookie({COOKIE: value})
    cookie[COOKIE].update(
        {"path": "/", "secure": "yes", "httponly": "yes", "max-age": str(seconds), "samesite": "Strict"}
    )
    return cookie[COOKIE].OutputString()


ROUTES = (
    Route(
        name="sign_in",
        method="POST",
        path="/api/session",
        access=Access.OPEN,
        handle=sign_in,
        summary="Sign in to the page, with the token of a link",
        body=Link,
        gives=Session,
        refuses=(401,),
    ),
    Route(
        name="session",
        method="GET",
        path="/api/session",
        access=Access.SIGNED_IN,
        handle=show,
        summary="Tell who is signed in",
        gives=Session,
    ),
    Route(
        name="sign_out",
        method="DELETE",
        path="/api/session",
        access=Access.SESSION,
        handle=sign_out,
        summary="Sign out",
        status=204,
    ),
    Route(
        name="sign_everybody_out",
        method="DELETE",
        path="/api/sessions",
        access=Access.PAIRING,
        handle=sign_everybody_out,
        summary="Sign everybody out, everywhere",
        gives=SignedOut,
    ),
)

"""Everybody of a platform at once: turning away all who wait, and revoking all who are in."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from msgspec import Meta, Struct

from doorcode.pairing.clearing import turn_away
from doorcode.pairing.contact import Platform
from doorcode.pairing.decisions import Actor
from doorcode.pairing.transitions import Decision
from doorcode.web.routes import Access, Answer, Call, Route


class ClearPending(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose requests are denied: all that wait on that platform."""

    channel: Platform
    block: Annotated[bool, Meta(description="Block whoever made them, too.")] = False


class ClearedPending(Struct, frozen=True, kw_only=True):
    """The user ids whose requests were denied, and those with whom that failed: ask again."""

    channel: Platform
    cleared: list[str]
    failed: list[str]


class ClearPaired(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who is revoked: all that are paired on that platform, a page of them with each request."""

    channel: Platform
    cursor: Annotated[str, Meta(description="What the page before gave; none for the first.")] = ""


class ClearedPaired(Struct, frozen=True, kw_only=True):
    """The user ids that were revoked, and those with whom that failed. Go on as long as ``cursor`` is not empty."""

    channel: Platform
    revoked: list[str]
    failed: list[str]
    cursor: str


def clear_pending(call: Call) -> Answer:
    """Deny everybody who waits on a platform."""
    body: ClearPending = call.body
    who = call.caller
    services = call.services()
    turned = turn_away(
        services.desk,
        Actor(via=who.via, id=who.actor, caller=who.id),
        services.directory.pending(body.channel, call.now),
        call.now,
        block=body.block,
    )
    call.facts.update(
        platform=body.channel, outcome="turned_away", count=str(len(turned.done)), failed=str(len(turned.failed))
    )
    return Answer(
        body=ClearedPending(
            channel=body.channel,
            cleared=[contact.user_id for contact in turned.done],
            failed=[contact.user_id for contact in turned.failed],
        )
    )


def clear_paired(call: Call) -> Answer:
    """Revoke a page of those who are paired on a platform."""
    body: ClearPaired = call.body
    services = call.services()
    decision = Decision(by=call.caller.actor, via=call.caller.via)
    cleared = services.directory.clear(services.room, body.channel, call.now, decision, cursor=body.cursor)
    call.facts.update(
        platform=body.channel, outcome="cleared", count=str(len(cleared.revoked)), failed=str(len(cleared.failed))
    )
    return Answer(
        body=ClearedPaired(
            channel=body.channel,
            revoked=[contact.user_id for contact in cleared.revoked],
            failed=[contact.user_id for contact in cleared.failed],
            cursor=cleared.cursor,
        )
    )


ROUTES = (
    Route(
        name="clear_pending",
        method="POST",
        path="/api/pairing/clear-pending",
        access=Access.PAIRING,
        handle=clear_pending,
        summary="Deny all pending requests of a platform",
        body=ClearPending,
        gives=ClearedPending,
        refuses=(HTTPStatus.SERVICE_UNAVAILABLE,),
    ),
    Route(
        name="clear_paired",
        method="POST",
        path="/api/pairing/clear",
        access=Access.PAIRING,
        handle=clear_paired,
        summary="Revoke everybody who is paired on a platform, page by page",
        body=ClearPaired,
        gives=ClearedPaired,
        refuses=(HTTPStatus.SERVICE_UNAVAILABLE,),
    ),
)

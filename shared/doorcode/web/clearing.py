"""Turning away everybody who waits on a platform, when there are too many to look at each."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from msgspec import Meta, Struct

from doorcode.pairing.clearing import turn_away
from doorcode.pairing.contact import Platform
from doorcode.pairing.decisions import Actor
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
)

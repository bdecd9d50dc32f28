"""Invites and owners: letting people in before they ask, and who is asked.

An invite lets in whoever sends it, which the scope pairing may do anyway. A claim makes an owner, and removing one unmakes
it: a token that could would be worth more than the one it was created as, so both are for whoever is signed in to the page.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from doorcode.entrypoints.ticket_record import invite_record, made_record, owner_records
from doorcode.errors import UnknownInviteError
from doorcode.pairing.contact import Platform
from doorcode.pairing.decisions import Actor, Order
from doorcode.pairing.tickets import DEFAULT_INVITE_SECONDS, LONGEST_INVITE_SECONDS, MAX_USES, InviteOrder, Ticket
from doorcode.pairing.transitions import Operation
from doorcode.web.decisions import Label, UserId
from doorcode.web.qr_code import QrCode, qr_code
from doorcode.web.refusals import DateTime
from doorcode.web.routes import Access, Answer, Call, Route

Where = Annotated[Platform | None, Meta(description="Where it holds; null for every platform.")]


class UseOnPlatform(Struct, frozen=True, kw_only=True):
    """What is sent to the bot on a platform, and a link that does it: empty, and without a QR code, where there is none."""

    platform: Platform
    text: str
    link: str
    qr: QrCode | None


class Invite(Struct, frozen=True, kw_only=True):
    """An invite: not its code. It works ``left`` times more, until ``expires_at``; whoever it lets in stays for ``for_seconds``, 0 for ever."""

    id: str
    platform: Platform | None
    uses: int
    left: int
    label: str
    for_seconds: int
    created_at: DateTime
    created_by: str
    expires_at: DateTime


class WorkingInvites(Struct, frozen=True, kw_only=True):
    """The invites that work, oldest first."""

    invites: list[Invite]


class CreateInvite(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the invite is to be. Durations are in seconds."""

    channel: Where = None
    uses: Annotated[int, Meta(ge=1, le=MAX_USES)] = 1
    label: Label = ""
    stay: Annotated[int, Meta(ge=0, description="How long whoever it lets in stays; 0 for ever.")] = msgspec.field(
        name="for", default=0
    )
    expires_in: Annotated[int, Meta(ge=1, le=LONGEST_INVITE_SECONDS)] = DEFAULT_INVITE_SECONDS


class CreatedInvite(Invite, frozen=True, kw_only=True):
    """An invite with its code, which is not shown again, and how it is used."""

    code: str
    ways: list[UseOnPlatform]


class RevokedInvite(Struct, frozen=True, kw_only=True):
    """It lets nobody in any more."""

    id: str
    revoked: Literal[True]


class Owner(Struct, frozen=True, kw_only=True):
    """An owner: by the setting OWNER_USER_IDS, by a claim, or by both."""

    platform: Platform
    user_id: str
    name: str
    full_name: str
    label: str
    by_setting: bool
    by_claim: bool
    paired_at: DateTime | None


class EveryOwner(Struct, frozen=True, kw_only=True):
    """Everybody who is asked."""

    owners: list[Owner]


class ClaimBot(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the claim holds."""

    channel: Where = None


class ClaimCode(Struct, frozen=True, kw_only=True):
    """A claim: whoever sends it to the bot owns it there. It works once."""

    code: str
    ways: list[UseOnPlatform]
    expires_at: DateTime


class RemoveOwner(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whom it is about, by user id."""

    channel: Platform
    user_id: UserId
    last: Annotated[bool, Meta(description="Even the last one, after whom nobody is asked.")] = False


class RemovedOwner(Struct, frozen=True, kw_only=True):
    """They own the bot no more, and are not let in either."""

    channel: Platform
    user_id: str
    removed: Literal[True]


def list_invites(call: Call) -> Answer:
    """List the invites that work."""
    invites = call.services().tickets.invites(call.now)
    return Answer(body=WorkingInvites(invites=[msgspec.convert(invite_record(invite), Invite) for invite in invites]))


def create_invite(call: Call) -> Answer:
    """Make an invite."""
    body: CreateInvite = call.body
    order = InviteOrder(
        platform=body.channel or "",
        uses=body.uses,
        label=body.label,
        for_seconds=body.stay,
        expires_seconds=body.expires_in,
    )
    services = call.services()
    code, invite = services.tickets.invite(order, call.caller.actor, call.now)
    call.facts.update(outcome="created", invite_id=invite.id)
    made = {**invite_record(invite), **_shown_once(call, code, invite)}
    return Answer(status=HTTPStatus.CREATED, body=msgspec.convert(made, CreatedInvite))


def _shown_once(call: Call, code: str, ticket: Ticket) -> dict[str, Any]:
    made = made_record(code, ticket, call.services().bots(call.now))
    # A code without a link is for typing: a camera that reads one would have it looked up on the web.
    ways = [way | {"qr": qr_code(way["link"]) if way["link"] else None} for way in made["ways"]]
    return made | {"ways": ways}


def revoke_invite(call: Call) -> Answer:
    """Take an invite back."""
    revoked = call.services().tickets.revoke(call.path["invite_id"], call.now)
    if revoked is None:
        raise UnknownInviteError("No invite with that id works.")
    call.facts.update(outcome="revoked", invite_id=revoked.id)
    return Answer(body=RevokedInvite(id=revoked.id, revoked=True))


def list_owners(call: Call) -> Answer:
    """List the owners."""
    services = call.services()
    records = owner_records(services.room, services.settings, call.now)
    return Answer(body=EveryOwner(owners=[msgspec.convert(record, Owner) for record in records]))


def claim_bot(call: Call) -> Answer:
    """Make a claim."""
    body: ClaimBot = call.body
    code, claim = call.services().tickets.claim(body.channel or "", call.caller.actor, call.now)
    call.facts.update(outcome="created")
    return Answer(status=HTTPStatus.CREATED, body=msgspec.convert(_shown_once(call, code, claim), ClaimCode))


def remove_owner(call: Call) -> Answer:
    """Make an owner by claim one no more."""
    body: RemoveOwner = call.body
    who = call.caller
    order = Order(operation=Operation.REMOVE_OWNER, platform=body.channel, user_id=body.user_id, last=body.last)
    call.facts["platform"] = body.channel
    contact = call.services().desk.decide(Actor(via=who.via, id=who.actor, caller=who.id), order, call.now)
    call.facts.update(user_id=contact.user_id, outcome=contact.state)
    return Answer(body=RemovedOwner(channel=contact.platform, user_id=contact.user_id, removed=True))


ROUTES = (
    Route(
        name="invites",
        method="GET",
        path="/api/invites",
        access=Access.READ,
        handle=list_invites,
        summary="List the invites that work",
        gives=WorkingInvites,
    ),
    Route(
        name="create_invite",
        method="POST",
        path="/api/invites",
        access=Access.PAIRING,
        handle=create_invite,
        summary="Make an invite: whoever sends it to the bot is paired at once",
        body=CreateInvite,
        gives=CreatedInvite,
        status=HTTPStatus.CREATED,
    ),
    Route(
        name="revoke_invite",
        method="DELETE",
        path="/api/invites/{invite_id}",
        access=Access.PAIRING,
        handle=revoke_invite,
        summary="Take an invite back",
        gives=RevokedInvite,
        refuses=(HTTPStatus.NOT_FOUND,),
    ),
    Route(
        name="owners",
        method="GET",
        path="/api/owners",
        access=Access.READ,
        handle=list_owners,
        summary="List the owners",
        gives=EveryOwner,
    ),
    Route(
        name="claim_bot",
        method="POST",
        path="/api/owners/claim",
        access=Access.SESSION,
        handle=claim_bot,
        summary="Make a claim: whoever sends it to the bot owns it there",
        body=ClaimBot,
        gives=ClaimCode,
        status=HTTPStatus.CREATED,
    ),
    Route(
        name="remove_owner",
        method="POST",
        path="/api/owners/remove",
        access=Access.SESSION,
        handle=remove_owner,
        summary="Remove an owner by claim",
        body=RemoveOwner,
        gives=RemovedOwner,
        refuses=(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
    ),
)

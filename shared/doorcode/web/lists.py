"""Looking: who is waiting, paired and blocked, and what became of somebody."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

from doorcode.aws.directory import PAGE_SIZE
from doorcode.entrypoints import log
from doorcode.entrypoints.contact_record import iso
from doorcode.errors import InvalidCursorError, SecretError
from doorcode.pairing.access import Scope
from doorcode.pairing.contact import Contact, Platform, State, platform_named, possible_user_id
from doorcode.pairing.names import MAX_NAME_LENGTH
from doorcode.pairing.ports import code_of
from doorcode.web.records import Record, record
from doorcode.web.refusals import DateTime
from doorcode.web.routes import Access, Answer, Call, Route

# A search reads no more pages than this in one request, and then says where to go on.
MAX_PAGES = 5
PLATFORMS = tuple(Platform)


class PendingList(Struct, frozen=True, kw_only=True):
    """The requests that can be decided on, oldest first, and what the time is."""

    pending: list[Record]
    now: DateTime


class Some(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which contacts, and where to go on."""

    cursor: Annotated[str, Meta(description="What the page before gave; none for the first.")] = ""
    search: Annotated[
        str, Meta(max_length=MAX_NAME_LENGTH, description="Part of a name, the label or the user id, in any case.")
    ] = ""
    platform: Annotated[Platform, Meta(description="Only this one.")] | UnsetType = UNSET


class PairedList(Struct, frozen=True, kw_only=True):
    """Some of the paired contacts, newest first by platform. More follow as long as ``cursor`` is not empty."""

    paired: list[Record]
    cursor: str


class BlockedList(Struct, frozen=True, kw_only=True):
    """Some of the blocked contacts, likewise."""

    blocked: list[Record]
    cursor: str


class Found(Struct, frozen=True, kw_only=True):
    """A contact as it is now. Whoever never wrote is in the state ``none``."""

    contact: Record


def pending(call: Call) -> Answer:
    """List every platform's pending requests, with their codes for whoever may use them."""
    directory, now = call.services().directory, call.now
    waiting = [contact for platform in PLATFORMS for contact in directory.pending(platform, now)]
    waiting.sort(key=lambda contact: (contact.requested_at, contact.platform, contact.user_id))
    with_codes = Scope.PAIRING in call.caller.scopes
    kept = call.services().kept_messages
    said = kept.beginnings(waiting) if kept else {}
    records = [
        record(contact, now, _code(call, contact) if with_codes else None, said.get(contact.nonce))
        for contact in waiting
    ]
    return Answer(body=PendingList(pending=records, now=iso(now) or ""))


def paired(call: Call) -> Answer:
    """List paired contacts."""
    records, cursor = _listed(call, State.PAIRED)
    return Answer(body=PairedList(paired=records, cursor=cursor))


def blocked(call: Call) -> Answer:
    """List blocked contacts."""
    records, cursor = _listed(call, State.BLOCKED)
    return Answer(body=BlockedList(blocked=records, cursor=cursor))


def contact(call: Call) -> Answer:
    """Show one contact."""
    platform, user_id = platform_named(call.path["channel"]), possible_user_id(call.path["user_id"])
    return Answer(body=Found(contact=record(call.services().room.get(platform, user_id), call.now)))


def _code(call: Call, contact: Contact) -> str:
    try:
        return code_of(contact, call.services().secrets, call.now)
    except SecretError as error:
        # The request is there all the same, and can be approved by its user id.
        log.refused(error, platform=contact.platform, user_id=contact.user_id)
        return ""


def _listed(call: Call, state: State) -> tuple[list[Record], str]:
    """Return some contacts, and a cursor: the platform, a full stop, and where its own list goes on."""
    query: Some = call.query
    platforms = list(PLATFORMS) if query.platform is UNSET else [query.platform]
    inner = ""
    if query.cursor:
        name, _, inner = query.cursor.partition(".")
        if name not in platforms:
            raise InvalidCursorError("That cursor is not one that the list gave out. Start again without it.")
        platforms = platforms[platforms.index(Platform(name)) :]
    found: list[Contact] = []
    for _ in range(MAX_PAGES):
        page = call.services().directory.listed(platforms[0], state, call.now, cursor=inner)
        found += _fitting(page.contacts, query.search)
        inner = page.cursor
        if not inner:
            platforms = platforms[1:]
        if not platforms or len(found) >= PAGE_SIZE:
            break
    cursor = f"{platforms[0]}.{inner}" if platforms else ""
    return [record(contact, call.now) for contact in found], cursor


def _fitting(contacts: Iterable[Contact], search: str) -> list[Contact]:
    wanted = search.casefold()
    return [
        contact
        for contact in contacts
        if any(wanted in text.casefold() for text in (contact.name, contact.full_name, contact.label, contact.user_id))
    ]


def _route(path: str, handle: Callable[[Call], Answer], gives: type[Struct], summary: str, **more: Any) -> Route:
    return Route(
        name=handle.__name__,
        method="GET",
        path=f"/api/pairing/{path}",
        access=Access.READ,
        handle=handle,
        summary=summary,
        gives=gives,
        **more,
    )


ROUTES = (
    _route("pending", pending, PendingList, "List the pending requests"),
    _route("paired", paired, PairedList, "List who is paired, page by page", query=Some),
    _route("blocked", blocked, BlockedList, "List who is blocked, page by page", query=Some),
    _route("contacts/{channel}/{user_id}", contact, Found, "Show one contact", refuses=(404,)),
)

"""Deciding: approve, deny, revoke, block, unblock. All of it goes through the desk."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated, ClassVar, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from doorcode.errors import MalformedCodeError, RefusedError, UnknownCodeError
from doorcode.pairing import codes
from doorcode.pairing.contact import Contact, Platform, id_pattern, ids_in_words, is_user_id, possible_user_id
from doorcode.pairing.decisions import Actor, Order
from doorcode.pairing.names import MAX_NAME_LENGTH
from doorcode.pairing.transitions import Operation, Refusal
from doorcode.web.refusals import REFUSALS, UNKNOWN_CODE, UnreadableRequestError
from doorcode.web.routes import Access, Answer, Call, Route

# For the document. The domain's own checks are what holds, and say more clearly what is wrong.
UserId = Annotated[
    str,
    Meta(
        description=f"The platform's immutable id, exactly. {ids_in_words()}",
        extra_json_schema={"pattern": id_pattern(), "examples": ["U1234ABCD", "987654321"]},
    ),
]
Code = Annotated[
    str,
    Meta(
        description="Any case, with or without spaces and hyphens.",
        extra_json_schema={
            "pattern": r"^[ -]*([A-HJ-NP-Za-hj-np-z2-9][ -]*){8}$",
            "maxLength": codes.MAX_ENTRY_LENGTH,
        },
    ),
]
Label = Annotated[
    str,
    Meta(description="What to call them: visible characters.", extra_json_schema={"maxLength": MAX_NAME_LENGTH}),
]


class Decide(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whom it is about: by a request's code, by user id, or by both, which then must belong together."""

    # One of these, at least.
    either: ClassVar[tuple[str, ...]] = ("code", "user_id")

    channel: Platform
    code: Code | UnsetType = UNSET
    user_id: UserId | UnsetType = UNSET


class Approve(Decide, frozen=True, kw_only=True):
    """Whom to let in, and what to call them."""

    label: Label | UnsetType = UNSET


class Whom(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whom it is about, by user id."""

    channel: Platform
    user_id: UserId


class Decided(Struct, frozen=True, kw_only=True):
    """Whom it was about."""

    channel: Platform
    user_id: str


class DecidedByCode(Decided, frozen=True, kw_only=True):
    """Whom it was about, and by which code, if one was given."""

    code: str | UnsetType = UNSET


class Approved(DecidedByCode, frozen=True, kw_only=True):
    """They are let in."""

    approved: Literal[True]


class Denied(DecidedByCode, frozen=True, kw_only=True):
    """They are not."""

    denied: Literal[True]


class Revoked(Decided, frozen=True, kw_only=True):
    """They are let in no more, from their next message on."""

    revoked: Literal[True]


class Blocked(Decided, frozen=True, kw_only=True):
    """They are dropped, whatever else holds."""

    blocked: Literal[True]


class Unblocked(Decided, frozen=True, kw_only=True):
    """They are strangers again."""

    unblocked: Literal[True]


def approve(call: Call) -> Answer:
    """Let in whoever asked."""
    body: Approve = call.body
    contact, code = _by_code(call, Operation.APPROVE, body, label=None if body.label is UNSET else body.label)
    return Answer(body=Approved(approved=True, channel=contact.platform, user_id=contact.user_id, code=code or UNSET))


def deny(call: Call) -> Answer:
    """Turn away whoever asked."""
    contact, code = _by_code(call, Operation.DENY, call.body)
    return Answer(body=Denied(denied=True, channel=contact.platform, user_id=contact.user_id, code=code or UNSET))


def revoke(call: Call) -> Answer:
    """Let somebody in no more."""
    contact = _by_user_id(call, Operation.REVOKE)
    return Answer(body=Revoked(revoked=True, channel=contact.platform, user_id=contact.user_id))


def block(call: Call) -> Answer:
    """Drop whatever somebody writes."""
    contact = _by_user_id(call, Operation.BLOCK)
    return Answer(body=Blocked(blocked=True, channel=contact.platform, user_id=contact.user_id))


def unblock(call: Call) -> Answer:
    """Make somebody who is blocked a stranger again."""
    contact = _by_user_id(call, Operation.UNBLOCK)
    return Answer(body=Unblocked(unblocked=True, channel=contact.platform, user_id=contact.user_id))


def _by_code(call: Call, operation: Operation, body: Decide, label: str | None = None) -> tuple[Contact, str]:
    if body.code is UNSET and body.user_id is UNSET:
        raise UnreadableRequestError("Say who is meant: by code, by user_id, or by both.")
    # What is given has to be one: to the desk, an empty text is the same as none.
    code = "" if body.code is UNSET else codes.normalise(body.code)
    user_id = "" if body.user_id is UNSET else possible_user_id(body.user_id)
    order = Order(operation=operation, platform=body.channel, user_id=user_id, code=code, label=label)
    try:
        return _decide(call, order), code
    except RefusedError as error:
        if code and REFUSALS[Refusal(error.reason)] is HTTPStatus.NOT_FOUND:
            # A code that is over looks like one that never was.
            raise UnknownCodeError(UNKNOWN_CODE) from None
        raise


def _by_user_id(call: Call, operation: Operation) -> Contact:
    body: Whom = call.body
    return _decide(call, Order(operation=operation, platform=body.channel, user_id=body.user_id))


def _decide(call: Call, order: Order) -> Contact:
    call.facts["platform"] = order.platform
    if _is_loggable(order.platform, order.user_id):
        call.facts["user_id"] = order.user_id
    who = call.caller
    actor = Actor(via=who.via, id=who.actor, caller=who.id)
    contact = call.services().desk.decide(actor, order, call.now)
    call.facts.update(user_id=contact.user_id, outcome=contact.state)
    return contact


def _is_loggable(platform: Platform, user_id: str) -> bool:
    """Tell whether this is an id, and not a name, or a code, that somebody put where an id belongs."""
    try:
        codes.normalise(user_id)
    except MalformedCodeError:
        return is_user_id(platform, user_id)
    return False


def _route(
    operation: Operation, handle: Callable[[Call], Answer], body: type[Struct], gives: type[Struct], summary: str
) -> Route:
    refuses = [HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT]
    if issubclass(body, Decide):
        refuses.append(HTTPStatus.TOO_MANY_REQUESTS)
    return Route(
        name=operation,
        method="POST",
        path=f"/api/pairing/{operation}",
        access=Access.PAIRING,
        handle=handle,
        summary=summary,
        body=body,
        gives=gives,
        refuses=tuple(refuses),
    )


ROUTES = (
    _route(Operation.APPROVE, approve, Approve, Approved, "Approve a pending request"),
    _route(Operation.DENY, deny, Decide, Denied, "Deny a pending request"),
    _route(Operation.REVOKE, revoke, Whom, Revoked, "Revoke somebody who is paired"),
    _route(Operation.BLOCK, block, Whom, Blocked, "Block anybody"),
    _route(Operation.UNBLOCK, unblock, Whom, Unblocked, "Unblock somebody who is blocked"),
)

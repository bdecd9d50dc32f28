"""Deciding: approve, deny, add, change, revoke, block, unblock. All of it goes through the desk."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated, ClassVar, Literal

import msgspec
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


Stay = Annotated[int, Meta(ge=0, description="How many seconds they are in; 0 for ever.")]


class Decide(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whom it is about: by a request's code, by user id, or by both, which then must belong together."""

    # One of these, at least.
    either: ClassVar[tuple[str, ...]] = ("code", "user_id")

    channel: Platform
    code: Code | UnsetType = UNSET
    user_id: UserId | UnsetType = UNSET


class Approve(Decide, frozen=True, kw_only=True):
    """Whom to let in, what to call them, and for how long."""

    label: Label | UnsetType = UNSET
    stay: Stay = msgspec.field(name="for", default=0)


class Whom(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whom it is about, by user id."""

    channel: Platform
    user_id: UserId


class AddPerson(Whom, frozen=True, kw_only=True):
    """Whom to let in, asked or not, what to call them, and for how long. It holds for whoever is in, too."""

    label: Label | UnsetType = UNSET
    stay: Stay = msgspec.field(name="for", default=0)


class ChangePerson(Whom, frozen=True, kw_only=True):
    """What is to be different about somebody who is in. What is not given stays as it is."""

    either: ClassVar[tuple[str, ...]] = ("label", "for")

    label: Label | UnsetType = UNSET
    stay: Stay | UnsetType = msgspec.field(name="for", default=UNSET)


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


class Added(Decided, frozen=True, kw_only=True):
    """They are let in."""

    added: Literal[True]


class Changed(Decided, frozen=True, kw_only=True):
    """They are in as before, with that label and that end."""

    changed: Literal[True]


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
    contact, code = _by_code(call, Operation.APPROVE, body, label=_given(body.label), until=_end(body.stay, call.now))
    return Answer(body=Approved(approved=True, channel=contact.platform, user_id=contact.user_id, code=code or UNSET))


def deny(call: Call) -> Answer:
    """Turn away whoever asked."""
    contact, code = _by_code(call, Operation.DENY, call.body)
    return Answer(body=Denied(denied=True, channel=contact.platform, user_id=contact.user_id, code=code or UNSET))


def add(call: Call) -> Answer:
    """Let in somebody who need not have asked."""
    body: AddPerson = call.body
    contact = _by_user_id(call, Operation.ADD, label=_given(body.label), until=_end(body.stay, call.now))
    return Answer(body=Added(added=True, channel=contact.platform, user_id=contact.user_id))


def change(call: Call) -> Answer:
    """Change what somebody who is in is called, or until when they are in."""
    body: ChangePerson = call.body
    if body.label is UNSET and body.stay is UNSET:
        raise UnreadableRequestError("Say what is to change: label, for, or both.")
    until = None if body.stay is UNSET else _end(body.stay, call.now)
    contact = _by_user_id(call, Operation.CHANGE, label=_given(body.label), until=until)
    return Answer(body=Changed(changed=True, channel=contact.platform, user_id=contact.user_id))


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


def _given(label: str | UnsetType) -> str | None:
    return None if label is UNSET else label


def _end(stay: int, now: int) -> int:
    return now + stay if stay else 0


def _by_code(
    call: Call, operation: Operation, body: Decide, *, label: str | None = None, until: int = 0
) -> tuple[Contact, str]:
    if body.code is UNSET and body.user_id is UNSET:
        raise UnreadableRequestError("Say who is meant: by code, by user_id, or by both.")
    # What is given has to be one: to the desk, an empty text is the same as none.
    code = "" if body.code is UNSET else codes.normalise(body.code)
    user_id = "" if body.user_id is UNSET else possible_user_id(body.user_id)
    order = Order(operation=operation, platform=body.channel, user_id=user_id, code=code, label=label, until=until)
    try:
        return _decide(call, order), code
    except RefusedError as error:
        if code and REFUSALS[Refusal(error.reason)] is HTTPStatus.NOT_FOUND:
            # A code that is over looks like one that never was.
            raise UnknownCodeError(UNKNOWN_CODE) from None
        raise


def _by_user_id(call: Call, operation: Operation, *, label: str | None = None, until: int | None = 0) -> Contact:
    body: Whom = call.body
    order = Order(operation=operation, platform=body.channel, user_id=body.user_id, label=label, until=until)
    return _decide(call, order)


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
    _route(Operation.ADD, add, AddPerson, Added, "Let somebody in who need not have asked"),
    _route(Operation.CHANGE, change, ChangePerson, Changed, "Change the label or the end of somebody who is in"),
    _route(Operation.REVOKE, revoke, Whom, Revoked, "Revoke somebody who is paired"),
    _route(Operation.BLOCK, block, Whom, Blocked, "Block anybody"),
    _route(Operation.UNBLOCK, unblock, Whom, Unblocked, "Unblock somebody who is blocked"),
)

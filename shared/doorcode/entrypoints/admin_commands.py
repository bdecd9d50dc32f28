"""The operator's commands, as events: what each one brings, read strictly."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

import msgspec
from msgspec import Meta, Struct

from doorcode.entrypoints.question_record import ListedState, QuestionForm
from doorcode.errors import InputError
from doorcode.pairing.names import safe_name
from doorcode.pairing.tickets import DEFAULT_INVITE_SECONDS
from doorcode.pairing.transitions import Operation

VERSION = 1


class Command(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="command"):
    """What every command brings. What it does not know it refuses: an option must not be ignored in silence."""

    version: Literal[1]
    actor: str


class List(Command, frozen=True, tag="list"):
    """One platform's pending requests, all of them, or one page of its paired or blocked contacts."""

    platform: str
    state: Literal["pending", "paired", "blocked"]
    cursor: str = ""


class DecideCommand(Command, frozen=True):
    """What every decision is about. ``for_seconds`` is how long a pairing lasts, 0 for ever."""

    operation: ClassVar[Operation]

    platform: str
    user_id: str = ""
    code: str = ""
    label: str | None = None
    for_seconds: Annotated[int, Meta(ge=0)] = 0


class ApproveCommand(DecideCommand, frozen=True, tag="approve"):
    """A pending request, by its code, by its user id, or by both."""

    operation = Operation.APPROVE


class Deny(DecideCommand, frozen=True, tag="deny"):
    """A pending request, likewise."""

    operation = Operation.DENY


class Add(DecideCommand, frozen=True, tag="add"):
    """Anybody, by user id."""

    operation = Operation.ADD


class Revoke(DecideCommand, frozen=True, tag="revoke"):
    """A paired contact, by user id."""

    operation = Operation.REVOKE


class Block(DecideCommand, frozen=True, tag="block"):
    """Anybody, by user id."""

    operation = Operation.BLOCK


class Unblock(DecideCommand, frozen=True, tag="unblock"):
    """A blocked contact, by user id."""

    operation = Operation.UNBLOCK


class Clear(Command, frozen=True, tag="clear"):
    """Revoke one page of a platform's paired contacts."""

    platform: str
    cursor: str = ""


class TurnAway(Command, frozen=True, tag="turn_away"):
    """Deny all of a platform's pending requests and, with ``block``, block those who made them."""

    platform: str
    block: bool = False


class Unlock(Command, frozen=True, tag="unlock"):
    """Forget the wrong codes of this caller, or of everybody on every surface."""

    everybody: bool = False


class WebLink(Command, frozen=True, tag="web"):
    """A link that signs in to the owner's page, once."""


class SignOut(Command, frozen=True, tag="sign_out"):
    """End every session and every link, whoever has them."""


class TokenCreate(Command, frozen=True, tag="token_create"):
    """A token for a program, for one or more scopes, with spaces between. ``for_seconds``: how long it works, 0 until it is revoked."""

    scope: str
    name: str = ""
    for_seconds: Annotated[int, Meta(ge=0)] = 0


class TokenList(Command, frozen=True, tag="token_list"):
    """The tokens that work, without their secrets."""


class TokenRevoke(Command, frozen=True, tag="token_revoke"):
    """A token, by its id."""

    id: str


class OwnerClaim(Command, frozen=True, tag="owner_claim"):
    """A claim: whoever sends it to the bot owns it, on that platform or, without one, on any."""

    platform: str = ""


class OwnerList(Command, frozen=True, tag="owner_list"):
    """Who owns the bot."""


class OwnerRemove(DecideCommand, frozen=True, tag="owner_remove"):
    """An owner by claim, by user id; the last one only with ``last``."""

    operation = Operation.REMOVE_OWNER

    last: bool = False


class InviteCreate(Command, frozen=True, tag="invite_create"):
    """An invite. ``for_seconds`` is how long whoever it lets in stays, 0 for ever."""

    platform: str = ""
    uses: int = 1
    label: str = ""
    for_seconds: Annotated[int, Meta(ge=0)] = 0
    expires_seconds: Annotated[int, Meta(ge=1)] = DEFAULT_INVITE_SECONDS


class InviteList(Command, frozen=True, tag="invite_list"):
    """The invites that work, without their codes."""


class InviteRevoke(Command, frozen=True, tag="invite_revoke"):
    """An invite, by its id."""

    id: str


class AskCommand(Command, frozen=True, tag="ask"):
    """A question to the owner, in the actor's name: as ``POST /api/asks`` takes it."""

    question: QuestionForm


class AskList(Command, frozen=True, tag="ask_list"):
    """Questions in a state, ``ended`` for all that are over; without one, those that are open."""

    state: ListedState | None = None


class AskShow(Command, frozen=True, tag="ask_show"):
    """One question; with ``wait``, once it is not pending any more or so many seconds are over."""

    id: str
    wait: Annotated[int, Meta(ge=0, le=25)] = 0


class AskApprove(Command, frozen=True, tag="ask_approve"):
    """Exactly what has this digest; with one of its choices, from 1 on, or the number that the asker shows, where it has any."""

    id: str
    digest: str
    choice: Annotated[int, Meta(ge=0)] = 0
    match: Annotated[int, Meta(ge=0, le=99)] = 0
    reason: str = ""


class AskDeny(Command, frozen=True, tag="ask_deny"):
    """Exactly what has this digest."""

    id: str
    digest: str
    reason: str = ""


class AskCancel(Command, frozen=True, tag="ask_cancel"):
    """A question that is pending, or approved and not used."""

    id: str


class AskUse(Command, frozen=True, tag="ask_use"):
    """An approval of what the actor has asked, right before it is done."""

    id: str
    digest: str
    idempotency_key: Annotated[str, Meta(max_length=128)] = ""


class AskMute(Command, frozen=True, tag="ask_mute"):
    """Who is refused from now on, or heard again: as a question's ``asker_id``."""

    asker: Annotated[str, Meta(min_length=1, max_length=96)]
    muted: bool


OnContacts = List | ApproveCommand | Deny | Add | Revoke | Block | Unblock | Clear | TurnAway | Unlock | OwnerRemove
OnAccess = WebLink | SignOut | TokenCreate | TokenList | TokenRevoke
OnTickets = OwnerClaim | OwnerList | InviteCreate | InviteList | InviteRevoke
OnQuestions = AskCommand | AskList | AskShow | AskApprove | AskDeny | AskCancel | AskUse | AskMute
AnyCommand = OnContacts | OnAccess | OnTickets | OnQuestions
ASKING = (AskCommand, AskShow, AskCancel, AskUse)
"""What may be done through the alias ``asking``, each about one's own."""


def named(command: Command) -> str:
    """Return a command's name, as it stands in its event."""
    return str(command.__struct_config__.tag)


def read_command(event: object) -> AnyCommand:
    """Read an event, strictly. Raises InputError."""
    if isinstance(event, Mapping) and event.get("version") != VERSION:
        raise InputError(
            f"This stack takes commands of version {VERSION}. Update the command, or deploy the stack anew."
        )
    try:
        command: AnyCommand = msgspec.convert(event, AnyCommand)
    except msgspec.ValidationError as error:
        raise InputError(f"That command cannot be read: {error}.") from None
    # It is shown to people and kept: as it is, or not at all.
    if not command.actor or safe_name(command.actor) != command.actor:
        raise InputError("Say who acts, in at most 64 visible characters, such as alice@laptop.")
    return command

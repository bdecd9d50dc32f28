"""How a contact is shown by the HTTP API: the fields of every surface, as a struct that the document describes."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from doorcode.entrypoints.contact_record import record_of
from doorcode.pairing.contact import Contact, Platform, Standing, State
from doorcode.web.refusals import DateTime


class Record(Struct, frozen=True, kw_only=True):
    """One person on one platform. Names come from strangers: show them as text, and the user id beside them.

    ``name`` is ``@username``, else the full name; ``full_name`` stands beside a username.
    """

    platform: Platform
    user_id: str
    name: str
    full_name: str
    state: State
    label: str
    requested_at: DateTime | None
    expires_at: DateTime | None
    paired_at: DateTime | None
    paired_until: DateTime | None
    decided_by: str
    decided_by_name: str
    decided_via: str
    code: (
        Annotated[str, Meta(description="Only for the scope pairing, and empty where it cannot be shown.")] | UnsetType
    ) = UNSET
    first_message: (
        Annotated[str, Meta(description="How they began, made safe, while they wait and `FirstMessage` is `show`.")]
        | UnsetType
    ) = UNSET


def record(contact: Contact, now: int, code: str | None = None, said: str | None = None) -> Record:
    """Return a contact as it counts at ``now``: what has lapsed is expired, whether or not it was tidied up."""
    lapsed = contact.standing(now) is Standing.OVERDUE or (
        contact.state is State.PAIRED and contact.standing(now) is Standing.NONE
    )
    shown = msgspec.structs.replace(contact, state=State.EXPIRED) if lapsed else contact
    return msgspec.convert(record_of(shown, code, said), Record)

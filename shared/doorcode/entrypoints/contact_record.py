"""How a contact is shown to an operator: the same fields in every answer and list, times in ISO 8601, UTC."""

from __future__ import annotations

from datetime import UTC, datetime

from doorcode.pairing.contact import Contact, State


def record_of(contact: Contact, code: str | None = None, said: str | None = None) -> dict[str, str | None]:
    """Return the fields of a contact, ready for JSON: times are None where there is none, ``code`` is absent if None.

    So is ``first_message``, how somebody who waits began. Neither where to answer nor what the code is made from is among them.
    """
    record = {
        "platform": str(contact.platform),
        "user_id": contact.user_id,
        "name": contact.name,
        "full_name": contact.full_name,
        "state": str(contact.state),
        "label": contact.label,
        "requested_at": iso(contact.requested_at),
        "expires_at": iso(contact.code_expires_at) if contact.state is State.PENDING else None,
        "paired_at": iso(contact.paired_at),
        "paired_until": iso(contact.paired_until),
        "decided_by": contact.decided_by,
        "decided_by_name": contact.decided_by_name,
        "decided_via": contact.decided_via,
    }
    more = {"code": code, "first_message": said}
    return record | {field: value for field, value in more.items() if value is not None}


def iso(at: int) -> str | None:
    """Return a time such as ``2026-04-22T11:45:22Z``, None for 0."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at else None

"""How claims, invites and owners are shown to an operator, in every answer and list; times in ISO 8601, UTC."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from doorcode.aws.waiting_room import WaitingRoom
from doorcode.entrypoints.contact_record import iso
from doorcode.pairing.contact import Platform, Standing
from doorcode.pairing.settings import Settings
from doorcode.pairing.tickets import Ticket, shown, ways


def made_record(code: str, ticket: Ticket, bots: Mapping[Platform, str]) -> dict[str, Any]:
    """Return what is shown of a ticket once, when it is made: its code, and how it is used where it holds."""
    found = [
        {"platform": str(way.platform), "text": way.text, "link": way.link} for way in ways(code, ticket.platform, bots)
    ]
    return {"code": shown(code), "ways": found, "expires_at": iso(ticket.expires_at)}


def invite_record(ticket: Ticket) -> dict[str, Any]:
    """Return what is shown of an invite: not its code. ``platform`` is None if it holds on every one."""
    return {
        "id": ticket.id,
        "platform": ticket.platform or None,
        "uses": ticket.uses,
        "left": ticket.left,
        "label": ticket.label,
        "for_seconds": ticket.for_seconds,
        "created_at": iso(ticket.created_at),
        "created_by": ticket.created_by,
        "expires_at": iso(ticket.expires_at),
    }


def owner_records(room: WaitingRoom, settings: Settings, now: int) -> list[dict[str, Any]]:
    """Return who owns the bot, and by what: the setting OWNER_USER_IDS, a claim, or both."""
    records = []
    for platform, user_id in room.owners():
        contact = room.get(platform, user_id)
        by_claim = contact.standing(now) is Standing.OWNER
        records.append(
            {
                "platform": str(platform),
                "user_id": user_id,
                "name": contact.name,
                "full_name": contact.full_name,
                "label": contact.label,
                "by_setting": settings.is_owner(platform, user_id),
                "by_claim": by_claim,
                "paired_at": iso(contact.paired_at) if by_claim else None,
            }
        )
    return records

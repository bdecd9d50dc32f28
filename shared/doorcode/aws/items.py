"""Items of the table: contacts and seats, to DynamoDB's form and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from doorcode.aws.table import Item
from doorcode.errors import UnreadableItemError
from doorcode.pairing.contact import END_OF_TIME, Contact, Platform, State
from doorcode.pairing.cooldown import DAY, forgotten_at
from doorcode.pairing.tickets import TicketKind

CONTACT = "contact"
# What is known of owners' prompts: long enough to close one after a guest of months; then the buttons are dead anyway.
PROMPTS_KEPT_SECONDS = 90 * 86_400
# In the partition of a hash that stands for a long id in buttons: that id.
ID = "id"
# The one item that lists all owners by claim, as ``telegram:123456789``: its partition and its sort key.
OWNERS = "owners"

_TEXTS = (
    "role", "name", "full_name", "language", "reply", "delivery_id", "former_deliveries", "presses", "receipt", "lost_receipt", "nonce", "key_id", "seat", "label",
    "decided_by", "decided_by_name", "decided_via",
)  # fmt: skip
_NUMBERS = (
    "rev", "requested_at", "code_expires_at", "next_code_at", "doublings", "paired_at", "paired_until", "decided_at",
)  # fmt: skip
_LISTED = {State.PAIRED: "paired_at", State.BLOCKED: "decided_at"}


class Seat(Struct, frozen=True):
    """A seat that was taken at least once. ``freed_at`` is 0 while it is held.

    A freed seat still names its last request, until the next one takes it: so whoever enters a code that was decided
    on can be told what became of it.
    """

    name: str
    user_id: str
    nonce: str
    key_id: str
    expires_at: int
    freed_at: int = 0


def contact_pk(platform: Platform, user_id: str) -> str:
    """Return the partition of one contact. Platforms hold no ``#``, so ids may."""
    return f"{platform}#{user_id}"


def seats_pk(platform: Platform) -> str:
    """Return the partition of one platform's waiting room."""
    return f"seats#{platform}"


def tickets_pk(kind: TicketKind) -> str:
    """Return the partition of all claims or of all invites, each under the hash of its code."""
    return f"{kind}s"


def listing(platform: Platform, state: State) -> str:
    """Return the partition of the index that lists one platform's paired or blocked contacts."""
    return f"{platform}#{state}"


def expires_after(*times: int) -> int:
    """Return a ``ttl``: a day past the latest of these times, for deletion is only ever tidying up."""
    return max(times) + DAY


def attribute(value: str | int) -> dict[str, str]:
    """Put a value in DynamoDB's form."""
    return {"S": value} if isinstance(value, str) else {"N": str(value)}


def contact_attributes(contact: Contact) -> dict[str, dict[str, str]]:
    """Return the attributes of a contact's item, without its key; what is empty is absent."""
    values: dict[str, str | int] = {"state": contact.state}
    values |= {field: getattr(contact, field) for field in (*_TEXTS, *_NUMBERS) if getattr(contact, field)}
    if contact.state in _LISTED:
        values |= {
            "listing": listing(contact.platform, contact.state),
            "listed_at": getattr(contact, _LISTED[contact.state]),
        }
    if contact.state not in _LISTED or contact.paired_until:
        values["ttl"] = expires_after(
            contact.code_expires_at, forgotten_at(contact), contact.paired_until, contact.decided_at,
        )  # fmt: skip
    return {field: attribute(value) for field, value in values.items()}


def contact_from_item(item: Item) -> Contact:
    """Read a contact's item. Raises UnreadableItemError for one that is not ours or of a version to come: never a guess."""
    try:
        platform, _, user_id = item["pk"]["S"].partition("#")
        texts: dict[str, Any] = {field: item[field]["S"] for field in _TEXTS if field in item}
        numbers: dict[str, Any] = {field: int(item[field]["N"]) for field in _NUMBERS if field in item}
        return Contact(
            platform=Platform(platform),
            user_id=user_id,
            state=State(item["state"]["S"]),
            **texts,
            **numbers,
        )
    except (KeyError, ValueError):
        raise UnreadableItemError("read a contact", "its item has an unknown form") from None


def owners_from_item(item: Item) -> tuple[tuple[Platform, str], ...]:
    """Read the list of owners by claim; empty if there is none. Whoever a version to come has on it is left out."""
    people = (who.partition(":") for who in sorted(item.get("people", {}).get("SS", [])))
    return tuple((Platform(platform), user_id) for platform, _, user_id in people if platform in set(Platform))


def seat_from_item(item: Item) -> Seat:
    """Read a seat's item. One of an unknown form is a seat that nobody can have: it costs a place, not the room."""
    name: str = item["sk"]["S"]
    try:
        return Seat(
            name=name,
            user_id=item["user_id"]["S"],
            nonce=item["nonce"]["S"],
            key_id=item["key_id"]["S"],
            expires_at=int(item["expires_at"]["N"]),
            freed_at=int(item.get("freed_at", {"N": "0"})["N"]),
        )
    except (KeyError, ValueError):
        return Seat(name=name, user_id="", nonce="", key_id="", expires_at=END_OF_TIME)


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, dict[str, str], dict[str, Any]]:
    """Return what turns one item into the other: update expression, attribute names, attribute values.

    Attributes that neither names stay as they are, so that a version to come may keep its own.
    """
    kept = {field: value for field, value in after.items() if before.get(field) != value}
    gone = [field for field in before if field not in after]
    names = {f"#{field}": field for field in (*kept, *gone)}
    expression = "SET " + ", ".join(f"#{field} = :{field}" for field in kept)
    if gone:
        expression += " REMOVE " + ", ".join(f"#{field}" for field in gone)
    return expression, names, {f":{field}": value for field, value in kept.items()}

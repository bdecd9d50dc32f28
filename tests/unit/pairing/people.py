"""What the tests of the domain share: one moment, one of each kind of contact, and repeatable properties."""

from typing import Any

from hypothesis import settings

from doorcode.pairing.contact import Contact, ContactRole, Platform, State

NOW = 1_800_000_000
TELEGRAM, SLACK, DISCORD, WHATSAPP = Platform

# The same examples in every run, so that a property fails for a change and never for luck.
repeatable = settings(derandomize=True, database=None, deadline=None, max_examples=100)


def contact(state: State = State.NONE, **fields: Any) -> Contact:
    """Return a contact that was let in, asked and was decided on before: every field says something."""
    past: dict[str, Any] = {
        "platform": TELEGRAM,
        "user_id": "987654321",
        "rev": 7,
        "name": "@stranger",
        "reply": "chat 987654321",
        "delivery_id": "delivery-1",
        "former_deliveries": "delivery-0",
        "nonce": "0123456789abcdef",
        "key_id": "cafe0123",
        "requested_at": NOW - 1000,
        "code_expires_at": NOW + 2600,
        "next_code_at": NOW - 400,
        "doublings": 2,
        "label": "alice",
        "paired_at": NOW - 5000,
        "decided_by": "42",
        "decided_via": "button",
        "decided_at": NOW - 900,
    }
    return Contact(**past | {"state": state} | fields)


# Everything that a contact can be at NOW, by what the design calls it.
EVERYONE = {
    "stranger": Contact(platform=TELEGRAM, user_id="987654321"),
    "expired": contact(State.EXPIRED, code_expires_at=NOW - 60),
    "revoked": contact(State.REVOKED),
    "ended": contact(State.PAIRED, paired_until=NOW),
    "pending": contact(State.PENDING, seat="07"),
    "overdue": contact(State.PENDING, seat="07", code_expires_at=NOW),
    "denied": contact(State.DENIED),
    "paired": contact(State.PAIRED),
    "owner": contact(State.PAIRED, role=ContactRole.OWNER),
    "guest": contact(State.PAIRED, paired_until=NOW + 1),
    "blocked": contact(State.BLOCKED),
}

"""What the domain asks of the world; ``aws`` has the real ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from doorcode.errors import SecretError
from doorcode.pairing.codes import code_for
from doorcode.pairing.contact import Contact, Platform
from doorcode.pairing.keyring import Keyring
from doorcode.pairing.tickets import Ticket
from doorcode.pairing.transitions import Decision, Operation

T = TypeVar("T")

GATEWAY_SECRET = "gateway-secret"  # noqa: S105 (a name, not a secret)
CALLBACK_SECRET = "callback-secret"  # noqa: S105 (a name, not a secret)


class Secrets(Protocol):
    """Keyrings by name. Both methods raise SecretError when there is none to be had."""

    def keyring(self, name: str, now: int) -> Keyring:
        """Return the keyring, from the cache where it is young enough."""

    def reread(self, name: str, now: int) -> Keyring | None:
        """Return the keyring as it is now, because nothing cached fits; None if it is unchanged or was just read."""


class Room(Protocol):
    """The waiting room, as far as decisions need it."""

    def get(self, platform: Platform, user_id: str) -> Contact:
        """Return the contact as it is now."""

    def id_of_hash(self, platform: Platform, hashed: str) -> str:
        """Return the id that a hash in a button stands for, or the hash if that is not known any more."""

    def find_by_code(self, platform: Platform, code: str, secrets: Secrets, now: int) -> Contact | None:
        """Return the contact whose latest request has that code, whatever became of it since."""

    def move(
        self,
        contact: Contact,
        operation: Operation,
        now: int,
        decision: Decision,
        *,
        nonce: str | None = None,
    ) -> Contact:
        """Move the contact, from whatever state it really is in; with ``nonce``, only that request of it."""

    def redeem(self, contact: Contact, operation: Operation, now: int, decision: Decision, ticket: Ticket) -> Contact:
        """Move the contact and use up the ticket once, both or neither."""


class Guesses(Protocol):
    """Counts the codes that a caller tries. The caller is named within a surface."""

    def count(self, surface: str, caller: str, now: int) -> None:
        """Count a guess before it is compared. Raises LockedOutError."""

    def forgive(self, surface: str, caller: str, now: int) -> None:
        """Take back a guess that was right."""


def fitting(secrets: Secrets, name: str, now: int, attempt: Callable[[Keyring], T | None]) -> T | None:
    """Return what ``attempt`` makes of the keyring; if nothing fits, try once more with a fresh one.

    A secret may have been rotated since it was cached, so a refusal is only final on a fresh read.
    """
    found = attempt(secrets.keyring(name, now))
    if found is not None:
        return found
    fresh = secrets.reread(name, now)
    return None if fresh is None else attempt(fresh)


def code_of(contact: Contact, secrets: Secrets, now: int) -> str:
    """Return the code of a contact's latest request. Raises SecretError if what made it is no longer on the ring."""
    secret = fitting(secrets, GATEWAY_SECRET, now, lambda keyring: keyring.find(contact.key_id))
    if secret is None:
        raise SecretError("The gateway secret that made a code is no longer there.")
    return code_for(secret, contact.platform, contact.user_id, contact.nonce)

"""Secrets, several at a time: the newest signs, all verify, so that rotation has an overlap."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

from msgspec import Struct

from doorcode.errors import SecretError

KEY_ID_LENGTH = 8


class Keyring(Struct, frozen=True):
    """The secrets of one purpose, newest first. Never empty."""

    secrets: tuple[bytes, ...]

    def __post_init__(self) -> None:
        """Refuse a ring that nothing could be signed with. Raises SecretError."""
        if not self.secrets or not all(self.secrets):
            raise SecretError("A secret is empty. Set it with: doorcode secrets set NAME")

    def __repr__(self) -> str:
        """Show how many there are and nothing of them."""
        return f"Keyring({len(self.secrets)} secrets)"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Show no more to rich either, which would ask the struct for its fields, in a traceback for example."""
        return [("secrets", len(self.secrets))]

    @property
    def newest(self) -> bytes:
        """The one that signs."""
        return self.secrets[0]

    def find(self, wanted: str) -> bytes | None:
        """Return the secret with that key id, or None if it is not (or no longer) on the ring."""
        for secret in self.secrets:
            if key_id(secret) == wanted:
                return secret
        return None


def parse_keyring(text: str) -> Keyring:
    """Read one secret per line, newest first; blank lines do not count. Raises SecretError when nothing is left."""
    return Keyring(tuple(line.strip().encode() for line in text.splitlines() if line.strip()))


def key_id(secret: bytes) -> str:
    """Name a secret without telling it: the first 8 hex characters of its SHA-256."""
    return hashlib.sha256(secret).hexdigest()[:KEY_ID_LENGTH]


def same(left: bytes, right: bytes) -> bool:
    """Compare two secrets in constant time, on digests of fixed length, so that not even a length leaks."""
    return hmac.compare_digest(hashlib.sha256(left).digest(), hashlib.sha256(right).digest())

"""What a sign-in link, a session and a token have in common: a public id, and a secret that only its holder has.

The holder has ``{id}.{secret}``, a token's with ``dc_`` before it. The table has the id and the secret's SHA-256: with
256 random bits nothing slower is needed, and whoever reads the table can sign in with none of it.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from typing import Any

from msgspec import Struct

from doorcode.pairing.keyring import same

ID_BYTES = 8
SECRET_BYTES = 32
# What token_urlsafe makes of that many bytes.
SECRET_LENGTH = 43
_FORM = re.compile(rf"([0-9a-f]{{{2 * ID_BYTES}}})\.([A-Za-z0-9_-]{{{SECRET_LENGTH}}})")
_ID = re.compile(rf"[0-9a-f]{{{2 * ID_BYTES}}}")


class Credential(Struct, frozen=True):
    """A public id and its secret."""

    id: str
    secret: str

    def __repr__(self) -> str:
        """Show whose it is and nothing of the secret."""
        return f"Credential({self.id})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Show no more to rich either, which would ask the struct for its fields, in a traceback for example."""
        return [("id", self.id)]

    @property
    def text(self) -> str:
        """What the holder is given."""
        return f"{self.id}.{self.secret}"

    @property
    def digest(self) -> str:
        """What the table is given: the secret's SHA-256, in hex."""
        return hashlib.sha256(self.secret.encode()).hexdigest()

    def fits(self, digest: str) -> bool:
        """Tell in constant time whether this is the secret with that digest."""
        return same(self.digest.encode(), digest.encode())


def new_credential() -> Credential:
    """Make one that nobody can guess."""
    return Credential(secrets.token_hex(ID_BYTES), secrets.token_urlsafe(SECRET_BYTES))


def read_credential(text: object, prefix: str = "") -> Credential | None:
    """Read what a holder shows, exactly as it was given; None for what cannot be one."""
    if not isinstance(text, str) or not text.startswith(prefix):
        return None
    form = _FORM.fullmatch(text, len(prefix))
    return Credential(*form.groups()) if form else None


def is_credential_id(text: object) -> bool:
    """Tell whether a text can be a public id."""
    return isinstance(text, str) and _ID.fullmatch(text) is not None

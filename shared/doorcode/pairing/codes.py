"""Pairing codes: 8 characters of 32, recomputed when they are needed and stored nowhere.

A code is bound to a platform and a user when it is made, by what is signed. Whoever reads the table has nonces, which
are worth nothing without the gateway secret. 40 bits are enough because guesses are counted (see the lockout) and a
code lives for an hour; they would not be enough for anything that can be tried off line.
"""

from __future__ import annotations

import hashlib
import hmac

from doorcode.errors import MalformedCodeError
from doorcode.pairing.contact import Platform
from doorcode.pairing.keyring import same

# No I, O, 0 or 1: none that look alike.
ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
CODE_LENGTH = 8
BITS_A_CHARACTER = 5
# Longer than anybody types a code, however spaced out.
MAX_ENTRY_LENGTH = 64
MALFORMED = (
    f"That is not a pairing code: it has {CODE_LENGTH} letters and digits, such as ABCD2345, without I, O, 0 and 1."
)


def code_for(secret: bytes, platform: Platform, user_id: str, nonce: str) -> str:
    """Make the code of one request: the HMAC-SHA256 of ``platform|user_id|nonce``, five bits a character."""
    digest = hmac.digest(secret, f"{platform}|{user_id}|{nonce}".encode(), hashlib.sha256)
    bits = int.from_bytes(digest[: CODE_LENGTH * BITS_A_CHARACTER // 8])
    shifts = range(BITS_A_CHARACTER * (CODE_LENGTH - 1), -1, -BITS_A_CHARACTER)
    return "".join(ALPHABET[bits >> shift & 31] for shift in shifts)


def normalise(entry: object) -> str:
    """Return a code as it was made, whatever case, spaces and hyphens it was entered with.

    Raises MalformedCodeError for what cannot be a code. That never counts as a guess.
    """
    if not isinstance(entry, str) or len(entry) > MAX_ENTRY_LENGTH:
        raise MalformedCodeError(MALFORMED)
    code = "".join(entry.replace("-", " ").split())
    # ASCII first: "ſ".upper() is "S".
    if not code.isascii():
        raise MalformedCodeError(MALFORMED)
    code = code.upper()
    if len(code) != CODE_LENGTH or not all(character in ALPHABET for character in code):
        raise MalformedCodeError(MALFORMED)
    return code


def fits(code: str, secret: bytes, platform: Platform, user_id: str, nonce: str) -> bool:
    """Tell in constant time whether ``code`` (normalised) is the one of that request."""
    return same(code.encode(), code_for(secret, platform, user_id, nonce).encode())

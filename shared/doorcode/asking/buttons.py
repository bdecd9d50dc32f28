"""What a question's button carries: ``ask:{action}:{id}:{sig}``, signed by us, with the digest under the signature.

So a button of one question, action or wording opens no other. It does not prove who pressed it: that comes from the
platform's verified payload. As the digest is not in the data, the question is read before the signature can be checked.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from enum import StrEnum

from msgspec import Struct

from doorcode.errors import CallbackError
from doorcode.pairing.codes import ALPHABET
from doorcode.pairing.keyring import Keyring, same

ASK_PREFIX = "ask"
ID_LENGTH = 16
ASK_SIGNATURE_LENGTH = 16
MAX_CHOICES = 5
NUMBERS = 3


class AskAction(StrEnum):
    """What a button does: decide, decide for one of the choices or with one of the numbers, or ask why it was denied."""

    APPROVE = "approve"
    DENY = "deny"
    FIRST = "c1"
    SECOND = "c2"
    THIRD = "c3"
    FOURTH = "c4"
    FIFTH = "c5"
    LOWEST = "n1"
    MIDDLE = "n2"
    HIGHEST = "n3"
    WHY = "why"

    @property
    def choice(self) -> int:
        """The number of the choice, from 1 on; 0 where it is none."""
        return int(self[1:]) if self[0] == "c" else 0

    @property
    def number(self) -> int:
        """Which of the numbers it picks, from 1 on; 0 where it picks none."""
        return int(self[1:]) if self[0] == "n" else 0


QUESTION_ID = re.compile(rf"[{ALPHABET}]{{{ID_LENGTH}}}")
_FORM = re.compile(
    rf"{ASK_PREFIX}:({'|'.join(AskAction)}):({QUESTION_ID.pattern}):([0-9a-f]{{{ASK_SIGNATURE_LENGTH}}})"
)


class AskButton(Struct, frozen=True):
    """What stands in a button, not yet verified: its signature is checked once the question's digest is known."""

    action: AskAction
    id: str
    signature: str


def actions(choices: int, numbers: int = 0) -> tuple[AskAction, ...]:
    """Return the actions that approve a question with so many choices, or numbers: Approve itself where there are neither."""
    named = [f"c{at}" for at in range(1, choices + 1)] or [f"n{at}" for at in range(1, numbers + 1)]
    return tuple(map(AskAction, named)) or (AskAction.APPROVE,)


def sign_button(action: AskAction, question_id: str, digest: str, keyring: Keyring) -> str:
    """Return a button's data, at most 45 bytes, signed with the newest secret."""
    return f"{ASK_PREFIX}:{action}:{question_id}:{_signature(keyring.newest, action, question_id, digest)}"


def is_ask_button(data: str) -> bool:
    """Tell whether a button's data has the form of a question's, whoever signed it."""
    return _FORM.fullmatch(data) is not None


def read_button(data: object) -> AskButton:
    """Read a button's data. Raises CallbackError, without its content."""
    form = _FORM.fullmatch(data) if isinstance(data, str) else None
    if form is None:
        raise CallbackError("The button's data is not a question's.")
    action, question_id, signature = form.groups()
    return AskButton(AskAction(action), question_id, signature)


def fits_button(button: AskButton, digest: str, keyring: Keyring) -> bool:
    """Tell whether one of our secrets signed exactly that button for a question with that digest."""
    given = button.signature.encode()
    # No early exit: every secret is tried, so that time does not tell which one it was.
    signatures = [_signature(secret, button.action, button.id, digest).encode() for secret in keyring.secrets]
    return any([same(given, one) for one in signatures])  # noqa: C419


def _signature(secret: bytes, action: AskAction, question_id: str, digest: str) -> str:
    body = f"{ASK_PREFIX}:{action}:{question_id}:{digest}"
    return hmac.digest(secret, body.encode(), hashlib.sha256).hex()[:ASK_SIGNATURE_LENGTH]

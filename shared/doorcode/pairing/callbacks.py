"""What a button carries: ``pair:{action}:{platform}:{user_id}:{code}:{sig}``, signed by us.

The signature proves that the button is ours and unchanged. It does not prove who pressed it: that comes from the
platform's verified payload, and must be an owner, whatever the button says.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from enum import StrEnum

from msgspec import Struct

from doorcode.errors import CallbackError, InvalidUserIdError, MalformedCodeError
from doorcode.pairing import codes
from doorcode.pairing.contact import Platform, possible_user_id
from doorcode.pairing.keyring import Keyring, same

PREFIX = "pair"
SIGNATURE_LENGTH = 8
# So much a button of Telegram's takes: https://core.telegram.org/bots/api#inlinekeyboardbutton
MAX_DATA = 64
# In an id's place, where that is too long. What it stands for is kept with the request, and the code must fit that contact.
HASH, HASH_LENGTH = "~", 20
HASH_OF_ID = re.compile(rf"{HASH}[0-9a-f]{{{HASH_LENGTH}}}")
# Room for the longest id that we accept; anything longer is not worth hashing.
MAX_READ = 256
FORM = re.compile(rf"{PREFIX}:[a-z]+:[a-z]+:[^\x00-\x1f]+:[^:]*:[0-9a-f]{{{SIGNATURE_LENGTH}}}")
# What the buttons of a question to the owner begin with; ``asking.buttons`` reads them.
QUESTION = "ask:"
QUESTION_FORM = re.compile(rf"{QUESTION}[a-z0-9]{{1,8}}:[A-Z2-9]{{16}}:[0-9a-f]{{16}}")


class Action(StrEnum):
    """What an owner's button can do."""

    APPROVE = "approve"
    DENY = "deny"
    BLOCK = "block"


class Callback(Struct, frozen=True):
    """The content of a button, verified."""

    action: Action
    platform: Platform
    user_id: str
    code: str


def sign(callback: Callback, keyring: Keyring) -> str:
    """Return the button's data, signed with the newest secret: at most MAX_DATA bytes with what ``id_in_button`` gives."""
    body = f"{PREFIX}:{callback.action}:{callback.platform}:{callback.user_id}:{callback.code}"
    return f"{body}:{_signature(keyring.newest, body)}"


def id_in_button(platform: Platform, user_id: str) -> str:
    """Return what names somebody in a button that every platform takes: their id, or a hash of it where that is too long."""
    rest = f"{PREFIX}:{max(Action, key=len)}:{platform}::{'x' * codes.CODE_LENGTH}:{'x' * SIGNATURE_LENGTH}"
    return user_id if len(rest) + len(user_id) <= MAX_DATA else _hash_of_id(user_id)


def stands_for_id(text: str) -> bool:
    """Tell whether it is a hash in an id's place."""
    return HASH_OF_ID.fullmatch(text) is not None


def is_ours(data: str) -> bool:
    """Tell whether a button's data has the form of ours, whoever signed it: nobody else's button is meant by that."""
    return len(data) <= MAX_READ and FORM.fullmatch(data) is not None


def is_question(data: str) -> bool:
    """Tell whether a button's data has the form of those under a question to the owner."""
    return QUESTION_FORM.fullmatch(data) is not None


def verify(data: object, keyring: Keyring) -> Callback:
    """Read a button's data, if one of our secrets signed exactly that. Raises CallbackError, without its content."""
    if not isinstance(data, str) or len(data) > MAX_READ:
        raise CallbackError("The button's data is not a text of ours.")
    body, _, signature = data.rpartition(":")
    given = signature.encode(errors="surrogatepass")
    # No early exit: every secret is tried, so that time does not tell which one it was.
    if not any([same(given, _signature(secret, body).encode()) for secret in keyring.secrets]):  # noqa: C419
        raise CallbackError("The button's signature does not fit.")
    return _parse(body)


def _parse(body: str) -> Callback:
    # From both ends: what is between them is the id, which may itself hold colons.
    try:
        prefix, action, platform, rest = body.split(":", 3)
        user_id, code = rest.rsplit(":", 1)
        if prefix != PREFIX or codes.normalise(code) != code:
            raise CallbackError("The button's data has another form.")
        return Callback(Action(action), Platform(platform), possible_user_id(user_id), code)
    except (ValueError, InvalidUserIdError, MalformedCodeError):
        raise CallbackError("The button's data has another form.") from None


def _hash_of_id(user_id: str) -> str:
    return f"{HASH}{hashlib.sha256(user_id.encode()).hexdigest()[:HASH_LENGTH]}"


def _signature(secret: bytes, body: str) -> str:
    mac = hmac.digest(secret, body.encode(errors="surrogatepass"), hashlib.sha256)
    return mac.hex()[:SIGNATURE_LENGTH]

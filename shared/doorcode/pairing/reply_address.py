"""A reply address that anybody may hold: it answers in its conversation, for a day, and tells and does nothing else.

Version 1 is base64url, without padding, of ``0x01 | nonce | box``: a NaCl secret box (XSalsa20-Poly1305) over the
address as JSON, under the HMAC-SHA256 of a text of its own under the gateway secret. So it is read and made by this
stack alone, no other use of that secret makes the same key, and one changed bit is no address at all. What is wrong
with a text is not told: there is one error, with one sentence.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

import msgspec
from msgspec import Struct

from doorcode.errors import BadReplyAddressError
from doorcode.pairing.contact import Platform
from doorcode.pairing.keyring import Keyring
from doorcode.pairing.messages import ChatType, Message

LIFETIME_SECONDS = 24 * 3600
# Functions have clocks of their own.
SKEW_SECONDS = 60
# Longer than any that is made: the longest address that a platform has is a few hundred characters.
MAX_LENGTH = 8192
# Enough for any platform's line above an answer.
MAX_QUOTE = 256
VERSION = b"\x01"
# No code is made of it: what is signed for those begins with a platform and a bar.
CONTEXT = b"doorcode reply address 1"


class ReplyAddress(Struct, frozen=True, kw_only=True):
    """Where one admitted message is answered.

    ``conversation`` is as ``Message`` has it, and so is ``reply``, the platform's own address; ``delivery`` is the
    message's id for this stack; ``issued_at`` is in whole seconds since 1970. ``quote`` is what is answered, for
    platforms that do not show it anyway; no more is kept of it than they show.
    """

    platform: Platform
    user_id: str
    conversation: str
    reply: str
    delivery: str
    issued_at: int
    quote: str = ""
    chat: ChatType = ChatType.DIRECT


def reply_address(message: Message, now: int) -> ReplyAddress:
    """Return where a message is answered."""
    return ReplyAddress(
        platform=message.platform,
        user_id=message.user_id,
        conversation=message.conversation,
        reply=message.reply,
        delivery=f"{message.platform}#{message.delivery_id}",
        issued_at=now,
        quote=message.text,
        chat=message.chat_type,
    )


def seal(address: ReplyAddress, keyring: Keyring) -> str:
    """Return the address as its holder is given it, under the newest secret."""
    quote = " ".join(address.quote.split())[:MAX_QUOTE]
    plain = msgspec.json.encode(msgspec.structs.replace(address, quote=quote))
    return _written(VERSION + _box(keyring.newest).encrypt(plain))


def unseal(text: object, keyring: Keyring, now: int) -> ReplyAddress:
    """Read what ``seal`` gave, under any secret of the ring. Raises BadReplyAddressError, alike for whatever is wrong."""
    for plain in _opened(text, keyring):
        try:
            address = msgspec.json.decode(plain, type=ReplyAddress)
        except msgspec.MsgspecError:
            # Ours, of a version to come.
            break
        if -SKEW_SECONDS <= now - address.issued_at < LIFETIME_SECONDS:
            return address
    raise BadReplyAddressError


def _opened(text: object, keyring: Keyring) -> list[bytes]:
    # Not imported with the module: it loads a C library, which an edge function does without.
    from nacl.exceptions import CryptoError  # noqa: PLC0415

    if not isinstance(text, str) or len(text) > MAX_LENGTH or not text.isascii():
        return []
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return []
    # The decoder passes over what is not of its alphabet, and over the last character's spare bits.
    if raw[:1] != VERSION or _written(raw) != text:
        return []
    opened = []
    for secret in keyring.secrets:
        try:
            opened.append(_box(secret).decrypt(raw[1:]))
        except (CryptoError, ValueError):
            continue
    return opened


def _box(secret: bytes):  # type: ignore[no-untyped-def] # noqa: ANN202 (its type is not imported either)
    from nacl.secret import SecretBox  # noqa: PLC0415

    return SecretBox(hmac.digest(secret, CONTEXT, hashlib.sha256))


def _written(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

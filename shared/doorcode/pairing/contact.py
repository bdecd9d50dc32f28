"""A contact: one person on one platform, named by the platform's immutable id, and where they stand."""

from __future__ import annotations

import re
from enum import StrEnum

from msgspec import Struct

from doorcode.errors import InvalidLabelError, InvalidTimeError, InvalidUserIdError, UnknownPlatformError
from doorcode.pairing.names import MAX_NAME_LENGTH, called, safe_name, unjoined
from doorcode.pairing.platform import TRAITS
from doorcode.pairing.platform import Platform as Platform  # noqa: PLC0414 (a contact is one person on one of them)

MAX_USER_ID_LENGTH = 131
# In the place of an address, of whoever asked by way of a bot that asks the gate: they write to it in its direct chat.
DIRECT = "direct"
# How the key of a receipt goes on after its request's nonce: what somebody is told who asks to be let in.
RECEIPT = "notice"
# Year 9999: later than that, tools that show times give up.
END_OF_TIME = 253_402_300_799


class State(StrEnum):
    """What the table says of a contact. Whether it still holds depends on the time: see ``Contact.standing``."""

    NONE = "none"
    PENDING = "pending"
    DENIED = "denied"
    PAIRED = "paired"
    BLOCKED = "blocked"
    REVOKED = "revoked"
    EXPIRED = "expired"


class Standing(StrEnum):
    """What a state counts as at one moment; the rows of the matrix in ``transitions``."""

    NONE = "none"
    PENDING = "pending"
    OVERDUE = "overdue"
    DENIED = "denied"
    PAIRED = "paired"
    OWNER = "owner"
    BLOCKED = "blocked"


class ContactRole(StrEnum):
    """What somebody who is paired is beside that."""

    OWNER = "owner"
    """An owner by claim. Those of OWNER_USER_IDS have no role: the setting says it of them."""


class Via(StrEnum):
    """The surface that a decision came from; or what the person held who was let in without one."""

    BUTTON = "button"
    CLI = "cli"
    API = "api"
    WEB = "web"
    CLAIM = "claim"
    INVITE = "invite"


class Contact(Struct, frozen=True, kw_only=True):
    """One person on one platform.

    Times are whole seconds since 1970, 0 where there is none; texts are empty where there is none.
    """

    platform: Platform
    user_id: str
    state: State = State.NONE
    # ``ContactRole``, for those who are paired. It moves with the list of all owners by claim, in one transaction.
    role: str = ""
    # Goes up with every move; every write is conditional on the one that was read. 0: there is no item yet.
    rev: int = 0
    # For showing only, made safe. Never an identity.
    name: str = ""
    # Likewise, where the name is a username.
    full_name: str = ""
    # The language that they are told things in, as the platform says it: a tag as ``wording.language_tag`` gives it.
    language: str = ""
    # Where to answer: that platform's own address, opaque outside its platform; or DIRECT. Empty: they have not written.
    reply: str = ""
    # The platform's id of the delivery that made the last request.
    delivery_id: str = ""
    # The deliveries of the requests before it, newest first, with spaces between: as many as fit in the time for which
    # a signed delivery can be replayed.
    former_deliveries: str = ""
    # The deliveries of the presses that moved this request, likewise: each has its effect once, however late it comes.
    presses: str = ""
    # The key of the last receipt, where it was told again, and that of one that did not arrive, as is known since.
    receipt: str = ""
    lost_receipt: str = ""
    # What the code is made from, and with which secret. Kept after the decision, so that an old button or code
    # can be told what became of it; the state is what keeps it from acting.
    nonce: str = ""
    key_id: str = ""
    seat: str = ""
    requested_at: int = 0
    code_expires_at: int = 0
    next_code_at: int = 0
    # How many requests in a row came to nothing, denied or expired, less one for each day of quiet since: so many times
    # the cooldown is doubled.
    doublings: int = 0
    label: str = ""
    paired_at: int = 0
    paired_until: int = 0
    decided_by: str = ""
    # What the platform calls whoever pressed the button, made safe. For showing only, and never without the id.
    decided_by_name: str = ""
    decided_via: str = ""
    decided_at: int = 0

    @property
    def called(self) -> str:
        """What to call them: ``@username (Full Name)``, or as much of it as is known."""
        return called(self.name, self.full_name)

    @property
    def receipt_key(self) -> str:
        """What names the last receipt of this request: what comes back with the news of one that did not arrive."""
        return self.receipt if self.receipt.startswith(f"{self.nonce}:") else f"{self.nonce}:{RECEIPT}"

    @property
    def untold(self) -> bool:
        """Whether the last receipt of this request did not arrive."""
        return bool(self.nonce) and self.lost_receipt == self.receipt_key

    def standing(self, now: int) -> Standing:
        """Tell what this contact counts as at ``now``, whether or not anything has tidied up behind it."""
        if self.state is State.PENDING:
            return Standing.OVERDUE if now >= self.code_expires_at else Standing.PENDING
        if self.state is State.PAIRED:
            if self.paired_until and now >= self.paired_until:
                return Standing.NONE
            return Standing.OWNER if self.role == ContactRole.OWNER else Standing.PAIRED
        if self.state is State.DENIED:
            return Standing.DENIED
        if self.state is State.BLOCKED:
            return Standing.BLOCKED
        return Standing.NONE


def platform_named(text: str) -> Platform:
    """Return the platform of that name, in any case. Raises UnknownPlatformError."""
    try:
        return Platform(text.strip().lower())
    except ValueError:
        known = ", ".join(Platform)
        raise UnknownPlatformError(f"There is no platform {safe_name(text)!r}. Use one of: {known}.") from None


def id_pattern() -> str:
    """Return the regular expression of all platforms' user ids, for a document."""
    return f"^({'|'.join(traits.id_pattern for traits in TRAITS.values())})$"


def ids_in_words() -> str:
    """Say what every platform's user ids look like, for a document."""
    return f"{'; '.join(f'{platform.brand}: {traits.id_words}' for platform, traits in TRAITS.items())}."


def is_user_id(platform: Platform, text: str) -> bool:
    """Tell whether that platform can have given this id to a person."""
    return bool(re.fullmatch(TRAITS[platform].id_pattern, text))


def checked_user_id(platform: Platform, text: str) -> str:
    """Return a user id unchanged, if that platform can have given it to a person. Raises InvalidUserIdError.

    Ids are compared exactly and never trimmed or folded: a shorter, longer or wildcard id is somebody else or nobody.
    """
    possible_user_id(text)
    if not is_user_id(platform, text):
        raise InvalidUserIdError(f"{safe_name(text)!r} is not a user id of {platform}: {how_ids_look(platform)}")
    return text


def possible_user_id(text: object) -> str:
    """Return a user id unchanged, if any row can be kept under it: 1 to 131 visible ASCII characters, not ``*``.

    For ids that come from a platform, from a button that we signed, or that may stand in the table already; what makes
    a new row out of what somebody typed asks ``checked_user_id``. Raises InvalidUserIdError.
    """
    if not isinstance(text, str) or not text:
        raise InvalidUserIdError("The user id is empty. Give the platform's immutable id, such as 987654321.")
    if len(text) > MAX_USER_ID_LENGTH or text == "*" or not all("!" <= character <= "~" for character in text):
        raise InvalidUserIdError(
            f"{safe_name(text)!r} is not a user id: use 1 to {MAX_USER_ID_LENGTH} visible ASCII characters without spaces.",
        )
    return text


def how_ids_look(platform: Platform) -> str:
    """Say what that platform's user ids look like, and where to find one."""
    traits = TRAITS[platform]
    return f"{traits.id_words}. Of whoever wrote to the bot, doorcode doctor shows it; {traits.id_found}."


def checked_label(text: str) -> str:
    """Return a label made safe for showing. Raises InvalidLabelError where that would change what it says."""
    label = " ".join(text.split())
    # As it would be without the joiners, for what they join must be harmless by itself.
    bare = unjoined(label)
    if safe_name(bare) != bare or len(label) > MAX_NAME_LENGTH:
        raise InvalidLabelError(
            f"A label has at most {MAX_NAME_LENGTH} characters, all of them visible. This one would read {safe_name(label)!r}.",
        )
    return label


def checked_end(until: int, now: int) -> int:
    """Return when a pairing ends (0: never). Raises InvalidTimeError unless it lies ahead and before the year 10000."""
    if until and not now < until <= END_OF_TIME:
        raise InvalidTimeError("The end of a pairing must lie in the future. Use for example --for 7d.")
    return until

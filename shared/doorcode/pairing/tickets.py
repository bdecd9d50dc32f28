"""Tickets: a claim makes its sender an owner, an invite lets its sender in, and nobody is asked.

A ticket is a code that whoever may use it sends to the bot, as a whole message. Codes are random (80 bits for a claim,
60 for an invite) and stored nowhere. What is stored is a slow hash, so that whoever reads the table cannot try all
invites off line; on line guesses are counted (see ``aws.lockout``).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from msgspec import Struct

from doorcode.errors import InputError, InvalidTimeError
from doorcode.pairing.codes import ALPHABET
from doorcode.pairing.contact import Platform, Via, checked_end, checked_label
from doorcode.pairing.platform import TRAITS
from doorcode.pairing.transitions import Operation

GROUP_LENGTH = 4
CLAIM_SECONDS = 15 * 60
DEFAULT_INVITE_SECONDS = 86_400
# So long the hash of 60 bits may have to keep its secret.
LONGEST_INVITE_SECONDS = 30 * 86_400
MAX_USES = 1000
# Some milliseconds, which only what looks like a ticket costs.
HASH_ROUNDS = 10_000
# Longer than a ticket is with whatever stands around it.
MAX_ENTRY_LENGTH = 64
# Keyboards and chats make others of a hyphen; copying takes along what marks a code.
DASHES = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2014", "-"))
AROUND = " \t\r\n`"


class TicketKind(StrEnum):
    """What a ticket is for."""

    CLAIM = "claim"
    INVITE = "invite"


LENGTHS: Mapping[TicketKind, int] = MappingProxyType({TicketKind.CLAIM: 16, TicketKind.INVITE: 12})
OPERATIONS: Mapping[TicketKind, Operation] = MappingProxyType(
    {TicketKind.CLAIM: Operation.CLAIM, TicketKind.INVITE: Operation.ADMIT}
)
VIAS: Mapping[TicketKind, Via] = MappingProxyType({TicketKind.CLAIM: Via.CLAIM, TicketKind.INVITE: Via.INVITE})
_KINDS = {length: kind for kind, length in LENGTHS.items()}
# In groups of four in any case, as it is shown; or in one piece and in capitals, which no word is likely to be.
_FORM = rf"(?i:[{ALPHABET}]{{4}}(?:-[{ALPHABET}]{{4}}){{2,3}})|[{ALPHABET}]{{12}}|[{ALPHABET}]{{16}}"


class Entered(Struct, frozen=True):
    """What looks like a ticket. Its code is a secret, if it is one."""

    kind: TicketKind
    code: str

    def __repr__(self) -> str:
        """Show nothing of the code."""
        return f"Entered({self.kind})"

    @property
    def digest(self) -> str:
        """What the table is given of the code."""
        return hashlib.pbkdf2_hmac("sha256", self.code.encode(), f"doorcode {self.kind}".encode(), HASH_ROUNDS).hex()


class Ticket(Struct, frozen=True, kw_only=True):
    """What is known of a ticket: not its code. Times are whole seconds since 1970.

    ``platform`` is empty where it holds on every one; ``left`` is how often it can still be used, of ``uses``;
    ``for_seconds`` is how long whoever it lets in stays, 0 for ever.
    """

    kind: TicketKind
    id: str
    digest: str
    platform: str = ""
    uses: int = 1
    left: int = 1
    label: str = ""
    for_seconds: int = 0
    created_by: str
    created_at: int
    expires_at: int
    revoked_at: int = 0

    def works(self, now: int) -> bool:
        """Tell whether anybody can use it at ``now``, although its item may still exist."""
        return bool(self.left > 0 and not self.revoked_at and now < self.expires_at)

    def works_on(self, platform: Platform, now: int) -> bool:
        """Tell whether somebody on that platform can."""
        return self.works(now) and self.platform in {"", platform}


class Way(Struct, frozen=True, kw_only=True):
    """How a ticket is used on a platform: what is sent to the bot, and a link that does it, empty where there is none."""

    platform: Platform
    text: str
    link: str = ""


def entered(text: str, platform: Platform) -> Entered | None:
    """Read a whole message as a ticket; None for what cannot be one, which is nearly everything."""
    if not LENGTHS[TicketKind.INVITE] <= len(text) <= MAX_ENTRY_LENGTH:
        return None
    start = TRAITS[platform].start_command
    bare = text.strip(AROUND)
    if start and bare.startswith(f"{start} "):
        bare = bare[len(start) :].strip(AROUND)
    bare = bare.translate(DASHES)
    # ASCII first: without case, "ſ" is an S. Compiled when it is first needed.
    if not bare.isascii() or not re.fullmatch(_FORM, bare):
        return None
    code = bare.replace("-", "").upper()
    return Entered(_KINDS[len(code)], code)


def shown(code: str) -> str:
    """Return a code as people are shown it, in groups of four."""
    return "-".join(code[at : at + GROUP_LENGTH] for at in range(0, len(code), GROUP_LENGTH))


def ways(code: str, platform: str, bots: Mapping[Platform, str]) -> list[Way]:
    """Say how a ticket is used, on its platform or on every one. ``bots`` has the bots' usernames, where they are known."""
    found = []
    for one in Platform:
        if platform in {"", one}:
            traits, bot = TRAITS[one], bots.get(one, "")
            link = traits.start_link.format(bot=bot, code=shown(code)) if traits.start_link and bot else ""
            found.append(Way(platform=one, text=f"{traits.command} {shown(code)}".strip(), link=link))
    return found


def new_claim(*, id: str, digest: str, platform: str, actor: str, now: int) -> Ticket:  # noqa: A002 (the ticket's)
    """Make a claim: it works once, for a quarter of an hour."""
    return Ticket(
        kind=TicketKind.CLAIM,
        id=id,
        digest=digest,
        platform=platform,
        created_by=actor,
        created_at=now,
        expires_at=now + CLAIM_SECONDS,
    )


class InviteOrder(Struct, frozen=True, kw_only=True):
    """What an invite is to be: where it holds, how often, for how long; and how long whoever it lets in stays, 0 for ever."""

    platform: str = ""
    uses: int = 1
    label: str = ""
    for_seconds: int = 0
    expires_seconds: int = DEFAULT_INVITE_SECONDS


def new_invite(order: InviteOrder, *, id: str, digest: str, actor: str, now: int) -> Ticket:  # noqa: A002 (likewise)
    """Make an invite. Raises InputError, InvalidTimeError and InvalidLabelError for what one cannot be."""
    if not 1 <= order.uses <= MAX_USES:
        raise InputError(f"An invite works 1 to {MAX_USES} times. Use for example --uses 5.")
    if not 0 < order.expires_seconds <= LONGEST_INVITE_SECONDS:
        raise InvalidTimeError(
            f"An invite works for at most {LONGEST_INVITE_SECONDS // 86_400} days. Use for example --expires 24h."
        )
    # A guest who comes at the last moment stays for so long.
    checked_end(now + order.expires_seconds + order.for_seconds, now)
    return Ticket(
        kind=TicketKind.INVITE,
        id=id,
        digest=digest,
        platform=order.platform,
        uses=order.uses,
        left=order.uses,
        label=checked_label(order.label),
        for_seconds=order.for_seconds,
        created_by=actor,
        created_at=now,
        expires_at=now + order.expires_seconds,
    )

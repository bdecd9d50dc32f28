"""What every platform's sender can do, in one form; what a platform cannot do is part of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

import msgspec
from msgspec import Struct

from doorcode.pairing.contact import Platform
from doorcode.pairing.names import Names
from doorcode.platforms.send_errors import AddressError

T = TypeVar("T")

# Nobody waits behind the edge, but a function's time is limited: one call takes no longer than this, in seconds.
CONNECT_TIMEOUT = 3.0
READ_TIMEOUT = 10.0
# For a refusal "for a while" that does not say for how long.
DEFAULT_DELAY_SECONDS = 5

# A prompt as ``platforms`` draws it: fields of that platform's own API.
Drawn = Mapping[str, Any]


class Abilities(Struct, frozen=True, kw_only=True):
    """What a platform lets a bot do."""

    # Messages can be changed once sent. Where they cannot, a prompt is closed by another message.
    edits: bool
    # A bot can show that an answer is on its way.
    types: bool
    # People's names can be looked up; elsewhere each message brings the name.
    names: bool
    # Who has not written for long can be written to by other means: see ``Reopens``.
    reopens: bool = False


class OutgoingText(Struct, frozen=True, kw_only=True):
    """What is to be sent to one person: a text, or several after one another."""

    # The address that ``platforms`` read from the message that is answered. Empty: a direct chat.
    reply: str = ""
    user_id: str
    text: str
    # What is said after it, each a message of its own.
    more: tuple[str, ...] = ()
    # Names what is sent, the same at every try, so that a platform that can tells a repetition.
    key: str
    # What is answered, shown where the platform does not show it anyway.
    quote: str = ""
    # How many parts an earlier try sent, as its error told: they are not sent again.
    done: int = 0
    # Something may have been answered to the same message already, and must not lose its place to this.
    further: bool = False


class Moves(Protocol):
    """Remembers which chats have become others. Ids are the platform's, as text."""

    def moved_to(self, platform: Platform, chat: str, now: int) -> str:
        """Return what a chat has become; empty if it is still itself, as far as is known."""

    def note_moved(self, platform: Platform, chat: str, to: str, now: int) -> None:
        """Remember that a chat has become another."""


class MovesOfThisProcess:
    """Remembers moves as long as the process lives. See ``Moves``."""

    def __init__(self) -> None:
        """Know of none."""
        self._known: dict[tuple[Platform, str], str] = {}

    def moved_to(self, platform: Platform, chat: str, now: int) -> str:  # noqa: ARG002 (the port's)
        """Return what a chat has become."""
        return self._known.get((platform, chat), "")

    def note_moved(self, platform: Platform, chat: str, to: str, now: int) -> None:  # noqa: ARG002 (the port's)
        """Remember a move."""
        self._known[platform, chat] = to


class Sender(Protocol):
    """Says things on one platform. Built once for a token, used from one thread at a time, closed at the end.

    Every method raises RateLimitedError, PassingError, PermanentRefusalError or BadTokenError, and AddressError for an
    address of another form. After a BadTokenError the sender calls the platform no more: build another one with
    another token.

    ``reply`` is the address that ``platforms`` read from the message that is answered; ``key`` is as ``OutgoingText`` has it;
    ``now`` is in whole seconds since 1970.
    """

    platform: Platform
    abilities: Abilities

    def send_text(self, outgoing: OutgoingText, now: int) -> None:
        """Answer where the message came from, in as many parts as the platform's limit makes of the text.

        Where the platform refuses that place for good, answer as near to it as it allows: outside the thread, in the chat
        that it has become, at last in a direct chat; never where more people see it. Only what is refused there, too,
        raises PermanentRefusalError.
        """

    def notify(self, outgoing: OutgoingText, now: int) -> None:
        """Tell a requester what became of the request, where they wrote. Nothing is quoted."""

    def send_prompt(self, owner_id: str, drawn: Drawn, *, key: str) -> str:
        """Ask an owner in a direct chat; return where the prompt stands, for ``edit_prompt`` alone."""

    def edit_prompt(self, location: str, drawn: Drawn) -> None:
        """Put ``drawn`` in a prompt's place. What stands there already is no error; a prompt that is gone is."""

    def typing(self, reply: str, now: int) -> None:
        """Show that an answer is on its way, where the platform does not show it anyway."""

    def lookup_names(self, user_id: str) -> Names:
        """Return what to call a person, made safe but not escaped; empty where the platform does not tell."""

    def close(self) -> None:
        """Close the connections."""


class Reopens(Protocol):
    """What a sender can do beside that whose ability it is to reopen a chat."""

    def reopen(self, owner_id: str, drawn: Drawn, *, key: str) -> str:
        """Ask an owner to whom a prompt could not be sent because they have not written for long; else as ``send_prompt``.

        It may cost more, so it is tried once nobody else can be asked. Raises what ``send_prompt`` does.
        """


MakeSender = Callable[..., Sender]
"""Makes a sender for a bot's token, the address of the platform's API, what remembers moved chats, and the values of
the parameters that the platform's row names."""


class Senders(Protocol):
    """The senders of the platforms whose token is set."""

    def on(self, platform: Platform, now: int) -> Sender:
        """Return the sender of a platform. Raises SecretError if it has no token."""


def read_address(text: str, form: type[T]) -> T:
    """Read an address or location of that form. Raises AddressError, which does not repeat it."""
    try:
        return msgspec.json.decode(text, type=form)
    except (ValueError, RecursionError):
        raise AddressError(f"A stored address is none of this platform's ({form.__name__}).") from None


def write_address(value: Any) -> str:
    """Write an address or location, for ``read_address``."""
    return msgspec.json.encode(value).decode()

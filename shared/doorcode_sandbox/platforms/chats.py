"""What every platform's ``chats`` offers: people, their chats, what is said there, and the webhooks that it becomes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, ClassVar

from msgspec import Struct

from doorcode.pairing.contact import Platform
from doorcode.pairing.keyring import Keyring
from doorcode_sandbox.platforms.server import Message

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


class Role(StrEnum):
    """What somebody is to the bot."""

    STRANGER = "stranger"
    OWNER = "owner"


class ChatKind(StrEnum):
    """Whether others are there."""

    DIRECT = "direct"
    GROUP = "group"


class Person(Struct, frozen=True, kw_only=True):
    """Somebody on one platform."""

    platform: Platform
    id: str
    name: str
    username: str
    role: Role
    # What their app says that they use.
    language: str = "en"


class Chat(Struct, frozen=True, kw_only=True):
    """A chat that the bot is in; ``members`` are ids of people."""

    platform: Platform
    id: str
    kind: ChatKind
    title: str
    members: tuple[str, ...]


class Button(Struct, frozen=True):
    """A button: ``id`` is where it stands, empty for a link; ``data`` is what it carries.

    ``asks`` labels the field whose ``words`` it sends, if there is one.
    """

    id: str
    text: str
    style: str = ""
    data: str = ""
    asks: str = ""
    words: str = ""


class Note(Struct, frozen=True, kw_only=True):
    """What passes before one person's eyes and is no message. ``at`` is in seconds since 1970."""

    chat: str
    to: str
    text: str
    alert: bool
    at: float


class Outgoing(Struct, frozen=True, kw_only=True):
    """A webhook before it is signed: exactly the bytes that travel, and how.

    ``interaction`` is the token that its response belongs to, where the platform has such; ``pressed`` says that it is
    about a button.
    """

    platform: Platform
    chat: str
    person: str
    headers: Mapping[str, str]
    body: bytes
    interaction: str = ""
    pressed: bool = False


class Said(Struct, kw_only=True):
    """What a person has said somewhere: ``delivery`` is the webhook that it became, once it was answered."""

    id: str
    person: str
    chat: str
    shown: dict[str, Any]
    at: float
    delivery: str | None = None


class Words(Struct, frozen=True, kw_only=True):
    """What a person said, as their app shows it; no ``webhook`` where the platform tells the bot nothing."""

    id: str
    shown: dict[str, Any]
    webhook: Outgoing | None


class Side(ABC):
    """One platform, seen from its people's side: what they see, and the webhooks that its servers make of what they do."""

    platform: ClassVar[Platform]
    # The ids of the playground's owners and strangers: always the same ones, for the table remembers them.
    owners: ClassVar[tuple[str, ...]]
    strangers: ClassVar[tuple[str, ...]]
    # How its webhooks are proven to be its own, in a word or two; and the headers, if any, that must not be shown.
    proof: ClassVar[str]
    secret_headers: ClassVar[frozenset[str]] = frozenset()
    # What a person reads whose press or command came to nothing; empty where the app says nothing.
    no_answer: ClassVar[str] = ""
    max_text: ClassVar[int]
    bot: str
    handle: str

    @abstractmethod
    def __init__(self, stand_in: Any) -> None:
        """Have its people before the platform's own stand-in."""

    @abstractmethod
    def settle(self, person: Person) -> Chat:
        """Let somebody have the platform, and a direct chat with the bot."""

    @abstractmethod
    def gather(self, people: Sequence[Person]) -> Chat:
        """Have people and the bot in a group."""

    @abstractmethod
    def new_id(self) -> str:
        """Make up somebody's id."""

    @abstractmethod
    def say(self, person: Person, chat: Chat, text: str, *, mention: bool, now: float) -> Words:
        """Have somebody write; ``mention`` addresses the bot where that is not understood."""

    @abstractmethod
    def press(self, person: Person, chat: Chat, message: Message, button: Button, *, now: float) -> Outgoing:
        """Have somebody press a button, with what they typed into its field."""

    @abstractmethod
    def sign(self, body: bytes, keyring: Keyring, now: int) -> dict[str, str]:
        """Return the headers that prove these bytes at ``now``, in seconds since 1970: by the newest secret, or a key."""

    @abstractmethod
    def take(self, webhook: Outgoing, body: bytes) -> None:
        """Show what the response to a webhook says. Raises FormError if it is none that the platform takes."""

    @abstractmethod
    def messages(self, chat: str) -> list[Message]:
        """Return copies of what the bot has written there, everybody's and that for one person only."""

    def notes(self, chat: str) -> list[Note]:  # noqa: ARG002 (for platforms that have such)
        """Return what passed there before somebody's eyes: nothing, where what one person sees is a message, too."""
        return []

    @abstractmethod
    def shown(self, message: Message) -> dict[str, Any]:
        """Return a message's own fields, as the platform's API names them."""

    def deferred(self, message: Message) -> bool:  # noqa: ARG002 (for platforms that have such)
        """Tell whether the message only announces another."""
        return False

    @abstractmethod
    def buttons(self, message: Message) -> list[list[Button]]:
        """Return a message's buttons, row by row."""

"""What every platform's ``chats`` offers: people, their chats, what is said there, and the webhooks that it becomes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Protocol

from msgspec import Struct

from doorcode.pairing.contact import Platform
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


class Chat(Struct, frozen=True, kw_only=True):
    """A chat that the bot is in; ``members`` are ids of people."""

    platform: Platform
    id: str
    kind: ChatKind
    title: str
    members: tuple[str, ...]


class Button(Struct, frozen=True):
    """A button: ``id`` is where it stands, empty for a link; ``data`` is what it carries."""

    id: str
    text: str
    style: str = ""
    data: str = ""


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


class Side(Protocol):
    """One platform, seen from its people's side."""

    platform: Platform
    bot: str
    handle: str
    max_text: int

    def settle(self, person: Person) -> Chat:
        """Let somebody have the platform, and a direct chat with the bot."""

    def gather(self, people: Sequence[Person]) -> Chat:
        """Have people and the bot in a group."""

    def new_id(self) -> str:
        """Make up somebody's id."""

    def say(self, person: Person, chat: Chat, text: str, *, mention: bool, now: float) -> Words:
        """Have somebody write; ``mention`` addresses the bot where that is not understood."""

    def press(self, person: Person, chat: Chat, message: Message, button: Button, *, now: float) -> Outgoing:
        """Have somebody press a button."""

    def take(self, webhook: Outgoing, body: bytes) -> None:
        """Show what the response to a webhook says. Raises FormError if it is none that the platform takes."""

    def messages(self, chat: str) -> list[Message]:
        """Return copies of what the bot has written there, everybody's and that for one person only."""

    def notes(self, chat: str) -> list[Note]:
        """Return what passed there before somebody's eyes."""

    def shown(self, message: Message) -> dict[str, Any]:
        """Return a message's own fields, as the platform's API names them."""

    def deferred(self, message: Message) -> bool:
        """Tell whether the message only announces another."""

    def buttons(self, message: Message) -> list[list[Button]]:
        """Return a message's buttons, row by row."""

"""What the platforms deliver, in one form: a message, a press of a button, or something that is neither."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from doorcode.pairing.contact import Platform


class ChatType(StrEnum):
    """Where a message was written. Codes are only ever given in direct chats."""

    DIRECT = "direct"
    GROUP = "group"


class Message(Struct, frozen=True, kw_only=True):
    """Something a person wrote or sent, verified to come from the platform.

    ``name`` is for showing and made safe, and so is ``full_name``, where ``name`` is a username; ``username`` is what ALLOWED_USERS may name on Telegram, without ``@``.
    ``chat`` and ``thread`` name the conversation; ``reply`` is the platform's own address for an answer, opaque
    elsewhere. ``sent_at`` is in whole seconds since 1970. ``private`` says that others are in the chat, but only the
    writer sees the answer.
    """

    platform: Platform
    user_id: str
    delivery_id: str
    chat_type: ChatType
    chat: str
    # What ALLOWED_GROUPS names, where that is not the chat itself: the channel that a thread of Discord's hangs on.
    parent: str = ""
    thread: str = ""
    kind: str = "text"
    text: str = ""
    name: str = ""
    full_name: str = ""
    username: str = ""
    # In a group: the bot was mentioned, answered or given a command.
    addressed: bool = False
    private: bool = False
    message_id: str = ""
    sent_at: int = 0
    reply: str = ""

    @property
    def group(self) -> str:
        """Return what ALLOWED_GROUPS may name."""
        return self.parent or self.chat

    @property
    def conversation(self) -> str:
        """Name those who see the answer: whoever is in chat and thread, or the writer alone.

        What is kept of a conversation (its order, what is answered together, what an agent remembers) is kept under
        this name, so that it is shown to nobody who has not seen it.
        """
        shared = f"{self.platform}#{self.chat}#{self.thread}"
        return f"{shared}#{self.user_id}" if self.private else shared


class Press(Struct, frozen=True, kw_only=True):
    """Somebody pressed a button. Who did comes from the verified payload; ``data`` proves nothing about them."""

    platform: Platform
    user_id: str
    # The platform's id of this press: the same for the same press delivered again, and for no other.
    delivery_id: str
    data: str
    name: str = ""
    # Where and how to answer the press: opaque outside the platform.
    reply: str = ""


class Ignored(Struct, frozen=True, kw_only=True):
    """An edit, a reaction, a join, a bot's own message, a kind that we do not know: nothing that a person said."""

    platform: Platform
    what: str
    user_id: str = ""

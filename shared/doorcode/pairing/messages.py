"""What the platforms deliver, in one form: a message, a press of a button, another deed, or nothing that a person did."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from doorcode.pairing.contact import Platform


class ChatType(StrEnum):
    """Where a message was written. Codes are only ever given in direct chats."""

    DIRECT = "direct"
    GROUP = "group"


class Attachment(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A file that was sent, by the platform's own id. ``size`` is in bytes; ``url``, where there is one, wants the bot's token."""

    kind: str
    id: str
    name: str = ""
    media_type: str = ""
    size: int = 0
    url: str = ""


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
    attachments: tuple[Attachment, ...] = ()
    name: str = ""
    full_name: str = ""
    username: str = ""
    # The language that the platform says they use, as it says it; empty where it says none.
    language: str = ""
    # In a group: the bot was mentioned, answered or given a command.
    addressed: bool = False
    private: bool = False
    # It is the command /door, with which an owner asks who waits. From everybody else it is a message like any other.
    door: bool = False
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
    # As a message's.
    language: str = ""
    # Where and how to answer the press: opaque outside the platform.
    reply: str = ""
    # What was typed, where the button asks for words; None where it was only pressed.
    said: str | None = None
    # The token of the program that reports it and is believed about who pressed; empty where the platform's signature says so.
    reported_by: str = ""


class Deed(Struct, frozen=True, kw_only=True):
    """Something that was done, of whatever kind, as far as the gate has to know: what a bot behind the door is passed.

    An edit, a reaction, a press of the bot's own button, a command, a modal, a payment. ``user_id`` is whose it is: empty
    where no person did it, or it does not say which one. ``group`` is empty where it was in no group.
    """

    platform: Platform
    # The platform's own word for its kind.
    what: str
    user_id: str = ""
    # As a message's: the same for the same deed delivered again.
    delivery_id: str = ""
    # What ALLOWED_USERS may name, as a message's.
    username: str = ""
    language: str = ""
    chat_type: ChatType = ChatType.DIRECT
    group: str = ""
    # False for what is said in a group, and not to the bot. Nobody says anything by a press or a reaction.
    addressed: bool = True
    # What they say by it, where they say something: an edit's new text.
    text: str = ""
    # It tells the bot something about itself.
    about_bot: bool = False


class Edit(Struct, frozen=True, kw_only=True):
    """What its writer made of a message in a direct chat. Nobody is answered for it.

    ``message_id`` is as the message had it; ``revision`` is not lower than that of any edit before it.
    """

    user_id: str
    message_id: str
    text: str
    revision: int


class Undelivered(Struct, frozen=True, kw_only=True):
    """The platform tells that something that we sent did not arrive. ``key`` is what was said by it, as its sender had it."""

    platform: Platform
    user_id: str
    key: str
    # The platform's own word or number for why.
    why: str


class Ignored(Struct, frozen=True, kw_only=True):
    """An edit, a reaction, a join, a bot's own message, a kind that we do not know: nothing that a person said."""

    platform: Platform
    what: str
    user_id: str = ""
    language: str = ""
    # It changes what stands in the chat, and what may be kept of it until it is decided about its writer.
    edit: Edit | None = None


class Come(Struct, frozen=True):
    """How far a request of many events came: as many as ``done`` from the first one on, but for those that are put ``aside``.

    ``tries`` is how often the next one has failed.
    """

    done: int = 0
    tries: int = 0
    aside: frozenset[int] = frozenset()

"""The hand-off: an admitted message as every agent is given it, whoever wrote the agent. The JSON's version is 2.

The same struct is the queue's JSON, what a webhook or a function is sent, and what ``my_agent.py`` is called with.
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from doorcode.pairing.gate import Reason
from doorcode.pairing.messages import Attachment, ChatType, Message
from doorcode.pairing.platform import Platform
from doorcode.pairing.wording import language_tag

VERSION = 2
TYPE = "message"
OWNER = "owner"
USER = "user"
# SQS's limit for group and deduplication ids.
LONGEST_ID = 128


class Turn(Struct, frozen=True):
    """One thing that was said before in a conversation: ``role`` is ``user`` or ``assistant``."""

    role: str
    text: str


class Writer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who wrote. ``id`` is the platform's own and never changes hands; ``name`` is for showing and proves nothing.

    ``label`` is what the owner calls them, empty if nothing; ``role`` is ``owner`` or ``user``; ``language`` the one that
    the platform says they use, such as ``pt-br``, absent where it says none.
    """

    id: str
    name: str
    label: str
    role: str
    language: str = ""


class SentMessage(Struct, frozen=True, kw_only=True):
    """One message. ``id`` is the platform's; ``text`` may be empty; ``sent_at`` is in whole seconds since 1970."""

    id: str
    kind: str
    text: str
    sent_at: int
    attachments: tuple[Attachment, ...] = ()


class AskDecision(Struct, frozen=True, kw_only=True):
    """What became of a question to the owner: of ``type`` ``decision``. Only ``approved`` is a yes, and holds once it is used.

    ``key`` is the asker's own name for it; ``choice`` is from 1 on, 0 where there was none to choose; ``reason`` is the
    owner's own words, which are data, or says that a wrong number was picked.
    """

    id: str
    key: str
    state: str
    digest: str
    choice: int
    reason: str
    decided_by: str
    decided_via: str
    decided_at: int


class HandOff(Struct, frozen=True, kw_only=True):
    """What one person said, and what the agent may know of it.

    ``id`` is the same however often it is delivered, and no other message's. ``conversation`` is an opaque name of
    everybody who sees the answer, the same for as long as they talk. ``messages`` are what came together, oldest first;
    ``history`` what was said before, where the agent is one that is given it. ``reply_to`` is a sealed address for
    ``POST /api/messages``, good for a day. ``reply`` is the platform's own address, and leaves the stack nowhere.
    """

    id: str
    platform: Platform
    conversation: str
    chat: ChatType
    user: Writer
    admitted_by: str
    messages: tuple[SentMessage, ...]
    history: tuple[Turn, ...] = ()
    reply_to: str = ""
    reply: Raw | UnsetType = UNSET
    version: int = VERSION
    # ``decision`` where the owner has answered a question: ``ask`` has it, and the one message says the same in words.
    type: str = TYPE
    ask: AskDecision | UnsetType = UNSET

    @property
    def text(self) -> str:
        """Return the messages' texts, a line break between them."""
        return "\n".join(said.text for said in self.messages if said.text)

    @property
    def said(self) -> str:
        """Return the text; where there is none, what came instead, in brackets."""
        return self.text or f"[{', '.join(said.kind for said in self.messages)}]"


def schemas(ref_template: str) -> dict[str, dict[str, Any]]:
    """Return JSON Schemas of a hand-off as it leaves the stack, and of all that is in it, by name."""
    _, found = msgspec.json.schema_components([HandOff], ref_template=ref_template)
    del found["HandOff"]["properties"]["reply"]
    for schema in found.values():
        # Written for who reads the code.
        schema.pop("description", None)
    return found


def hand_off(message: Message, admitted_by: Reason, label: str, language: str = "") -> HandOff:
    """Return an admitted message's hand-off, with the platform's own address. Names and texts are as they arrived."""
    return HandOff(
        id=opaque(f"{message.platform}#{message.delivery_id}"),
        platform=message.platform,
        conversation=opaque(message.conversation),
        chat=message.chat_type,
        user=Writer(
            id=message.user_id,
            name=message.name,
            label=label,
            role=OWNER if admitted_by is Reason.OWNER else USER,
            language=language_tag(message.language) or language,
        ),
        admitted_by=admitted_by,
        messages=(
            SentMessage(
                id=message.message_id,
                kind=message.kind,
                text=message.text,
                sent_at=message.sent_at,
                attachments=message.attachments,
            ),
        ),
        reply=Raw(message.reply.encode()),
    )


def leaving(handed: HandOff) -> HandOff:
    """Return what leaves for an agent elsewhere: all but the platform's own address."""
    return msgspec.structs.replace(handed, reply=UNSET)


class QueuedHandOff(Struct, frozen=True, kw_only=True):
    """A hand-off and its place in the agent's queue: in order within ``group``, once for each ``delivery``."""

    group: str
    delivery: str
    handed: HandOff


def queued(message: Message, handed: HandOff) -> QueuedHandOff:
    """Return where a message's hand-off stands in the queue."""
    return QueuedHandOff(
        group=fitting_id(message.conversation),
        delivery=fitting_id(f"{message.platform}#{message.delivery_id}"),
        handed=handed,
    )


def fitting_id(text: str) -> str:
    """Return a group or deduplication id that SQS takes: the text itself, or its digest where it is too long."""
    # Printable ASCII without the space.
    if len(text) <= LONGEST_ID and text.isascii() and text.isprintable() and " " not in text:
        return text
    return opaque(text)


def together(hand_offs: list[HandOff]) -> HandOff:
    """Return what one person said in several messages as one, which is answered where the last one was written.

    Its id is of these messages together: under one id goes one content.
    """
    first, last = hand_offs[0], hand_offs[-1]
    if first is last:
        return first
    said = tuple(said for one in hand_offs for said in one.messages)
    return msgspec.structs.replace(last, id=opaque("#".join(one.id for one in hand_offs)), messages=said)


def opaque(name: str) -> str:
    """Return a name of 64 hex digits, which fits wherever it is passed on to."""
    return hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest()

"""What becomes of the messages that somebody writes while they wait."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from doorcode.pairing.contact import Contact
from doorcode.pairing.gate import Reason
from doorcode.pairing.hand_off import HandOff, QueuedHandOff
from doorcode.pairing.names import MAX_READ, safe_text

# Of what is kept of one message, and of what an owner is shown of the first.
MAX_KEPT = 4000
MAX_SHOWN = 200


def kept(message: QueuedHandOff) -> QueuedHandOff:
    """Return as much of a message as is kept."""
    said = tuple(msgspec.structs.replace(one, text=one.text[:MAX_KEPT]) for one in message.handed.messages)
    return msgspec.structs.replace(message, handed=msgspec.structs.replace(message.handed, messages=said))


def now_saying(message: QueuedHandOff, text: str) -> QueuedHandOff:
    """Return a kept message as its writer has changed it since."""
    said = tuple(msgspec.structs.replace(one, text=text) for one in message.handed.messages)
    return msgspec.structs.replace(message, handed=msgspec.structs.replace(message.handed, messages=said))


def let_in(message: QueuedHandOff, contact: Contact) -> QueuedHandOff:
    """Return a kept message as that of somebody who is let in, by the label that they have now."""
    handed: HandOff = message.handed
    writer = msgspec.structs.replace(handed.user, label=contact.label)
    return msgspec.structs.replace(
        message, handed=msgspec.structs.replace(handed, user=writer, admitted_by=Reason.PAIRED)
    )


def shown(messages: Sequence[QueuedHandOff]) -> str:
    """Return how the first message begins, in one line, made safe as names are; its kind where that is no text."""
    if not messages:
        return ""
    first = messages[0].handed.messages[0]
    text = safe_text(first.text[:MAX_READ], MAX_SHOWN)
    return text if first.kind == "text" else f"[{first.kind}] {text}".rstrip()

"""The scene as the page reads it: plain JSON."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from doorcode_sandbox.platforms.chats import Chat, Note, Person, Said, Side
from doorcode_sandbox.platforms.server import Message

BOT = "bot"
# Of each chat.
MAX_MESSAGES = 200
MAX_NOTES = 20


def iso(at: float) -> str:
    """Return a time in seconds since 1970 as ISO 8601, UTC, with milliseconds."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def person_json(person: Person) -> dict[str, Any]:
    """Return a person."""
    return {
        "platform": person.platform,
        "id": person.id,
        "name": person.name,
        "username": person.username,
        "role": person.role,
    }


def chat_json(side: Side, chat: Chat, said: Sequence[Said], notes: Sequence[Note]) -> dict[str, Any]:
    """Return a chat with what everybody there has said, in order, and with what passed before somebody's eyes."""
    lines = [(one.at, _said(one)) for one in said]
    lines += [(message.at, _message(side, message)) for message in side.messages(chat.id)]
    lines.sort(key=lambda line: line[0])
    passing = sorted([*notes, *side.notes(chat.id)], key=lambda note: note.at)
    return {
        "platform": chat.platform,
        "id": chat.id,
        "kind": chat.kind,
        "title": chat.title,
        "members": list(chat.members),
        "messages": [line for _, line in lines[-MAX_MESSAGES:]],
        "notes": [
            {"to": note.to, "text": note.text, "alert": note.alert, "at": iso(note.at)}
            for note in passing[-MAX_NOTES:]
        ],
    }  # fmt: skip


def _said(said: Said) -> dict[str, Any]:
    return {
        "id": said.id,
        "from": said.person,
        "at": iso(said.at),
        "edited": False,
        "deferred": False,
        "only_for": None,
        "shown": said.shown,
        "call": "",
        "buttons": [],
        "delivery": said.delivery,
    }


def _message(side: Side, message: Message) -> dict[str, Any]:
    return {
        "id": message.id,
        "from": BOT,
        "at": iso(message.at),
        # What was only announced was not edited when it came.
        "edited": any(not side.deferred(replace(message, shown=shown)) for shown in message.before),
        "deferred": side.deferred(message),
        "only_for": message.only_for or None,
        "shown": side.shown(message),
        "call": message.call,
        "buttons": [
            [{"id": button.id, "text": button.text, "style": button.style, "asks": button.asks} for button in row]
            for row in side.buttons(message)
        ],
        "delivery": None,
    }

"""Telegram from its people's side: updates as its servers send them.

https://core.telegram.org/bots/api#update
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from doorcode.pairing.contact import Platform
from doorcode.pairing.keyring import Keyring
from doorcode_sandbox.platforms.chats import JSON, Button, Chat, ChatKind, Note, Outgoing, Person, Side, Words
from doorcode_sandbox.platforms.server import Message
from doorcode_sandbox.platforms.telegram.stand_in import MAX_TEXT, TelegramStandIn, entities

GROUP = "-1002000000001"
HEADER = "X-Telegram-Bot-Api-Secret-Token"


class TelegramSide(Side):
    """Telegram's people, before a stand-in."""

    platform = Platform.TELEGRAM
    owners = ("123456789",)
    strangers = ("987654321", "987654322", "987654323")
    proof = "secret token"
    # A signature fits one body; this fits all.
    secret_headers = frozenset({HEADER})
    max_text = MAX_TEXT

    def __init__(self, stand_in: TelegramStandIn) -> None:
        """Have them there."""
        self._stand_in = stand_in
        self.bot = str(stand_in.BOT["first_name"])
        self.handle = f"@{stand_in.BOT['username']}"

    def settle(self, person: Person) -> Chat:
        """Let somebody have the platform, and a direct chat with the bot, which they started."""
        self._stand_in.open_chat(person.id)
        return Chat(platform=self.platform, id=person.id, kind=ChatKind.DIRECT, title=person.name, members=(person.id,))

    def gather(self, people: Sequence[Person]) -> Chat:
        """Have people and the bot in a group."""
        self._stand_in.open_chat(GROUP)
        members = tuple(person.id for person in people)
        return Chat(platform=self.platform, id=GROUP, kind=ChatKind.GROUP, title="Door Group", members=members)

    def new_id(self) -> str:
        """Make up somebody's id."""
        return str(700_000_000 + secrets.randbelow(200_000_000))

    def say(self, person: Person, chat: Chat, text: str, *, mention: bool, now: float) -> Words:
        """Have somebody write; in a group the bot is given what mentions it, and commands.

        https://core.telegram.org/bots/features#privacy-mode
        """
        if mention and self.handle not in text:
            text = f"{self.handle} {text}"
        message_id = self._stand_in.write(chat.id)
        found = sorted(entities(text), key=lambda entity: entity["offset"])
        shown: dict[str, Any] = {"text": text} | ({"entities": found} if found else {})
        message = {
            "message_id": message_id,
            "from": _user(person),
            "chat": _chat(chat, person),
            "date": int(now),
            **shown,
        }
        webhook = self._update(person, chat, {"message": message})
        return Words(id=str(message_id), shown=shown, webhook=webhook if self._given(chat, text, found) else None)

    def _given(self, chat: Chat, text: str, found: list[dict[str, Any]]) -> bool:
        mentioned = self.handle.lower() in text.lower()
        return chat.kind is ChatKind.DIRECT or any(
            entity["type"] == "bot_command" or (entity["type"] == "mention" and mentioned) for entity in found
        )

    def press(self, person: Person, chat: Chat, message: Message, button: Button, *, now: float) -> Outgoing:  # noqa: ARG002 (others need the time)
        """Have somebody press a button under a message."""
        query_id = str(secrets.randbelow(9 * 10**17) + 10**17)
        query = {
            "id": query_id,
            "from": _user(person),
            "message": self._stand_in.drawn(message) | {"chat": _chat(chat, person)},
            "chat_instance": str(-(10**18) - int(chat.id)),
            "data": button.data,
        }
        self._stand_in.press(query_id, chat=chat.id, user=person.id)
        return self._update(person, chat, {"callback_query": query}, pressed=True)

    def _update(self, person: Person, chat: Chat, what: dict[str, Any], *, pressed: bool = False) -> Outgoing:
        body = msgspec.json.encode({"update_id": self._stand_in.number(), **what})
        return Outgoing(
            platform=self.platform,
            chat=chat.id,
            person=person.id,
            headers={"Content-Type": JSON},
            body=body,
            pressed=pressed,
        )

    def sign(self, body: bytes, keyring: Keyring, now: int) -> dict[str, str]:  # noqa: ARG002 (the secret is all)
        """Repeat the webhook's secret: https://core.telegram.org/bots/api#setwebhook."""
        return {HEADER: keyring.newest.decode()}

    def take(self, webhook: Outgoing, body: bytes) -> None:  # noqa: ARG002 (the body says where it belongs)
        """Carry out the method in a response."""
        self._stand_in.take(body)

    def messages(self, chat: str) -> list[Message]:
        """Return what the bot has written there, as it is now."""
        with self._stand_in.looking():
            return [replace(message) for message in self._stand_in.in_chat(chat)]

    def notes(self, chat: str) -> list[Note]:
        """Return the answers to presses there."""
        with self._stand_in.looking():
            return [
                Note(
                    chat=chat,
                    to=query.user,
                    text=query.answer["text"],
                    alert=query.answer["show_alert"],
                    at=query.answered_at,
                )
                for query in self._stand_in.queries.values()
                if query.chat == chat and query.answer and query.answer["text"]
            ]

    def shown(self, message: Message) -> dict[str, Any]:
        """Return a message's own fields, as the API names them."""
        drawn = self._stand_in.drawn(message)
        return {name: drawn[name] for name in ("text", "entities", "reply_markup") if drawn.get(name)}

    def buttons(self, message: Message) -> list[list[Button]]:
        """Return a message's buttons, row by row."""
        return [
            [
                Button(
                    f"{row}.{column}" if button["callback_data"] else "",
                    button["text"],
                    data=button["callback_data"] or "",
                )
                for column, button in enumerate(buttons)
            ]
            for row, buttons in enumerate(message.shown["keyboard"])
        ]


def _user(person: Person) -> dict[str, Any]:
    first, _, last = person.name.partition(" ")
    return {
        "id": int(person.id),
        "is_bot": False,
        "first_name": first,
        **({"last_name": last} if last else {}),
        "username": person.username,
        "language_code": person.language.lower(),
    }


def _chat(chat: Chat, person: Person) -> dict[str, Any]:
    if chat.kind is ChatKind.GROUP:
        return {"id": int(chat.id), "title": chat.title, "type": "supergroup"}
    named = {name: value for name, value in _user(person).items() if name in {"first_name", "last_name", "username"}}
    return {"id": int(chat.id), **named, "type": "private"}

"""The made-up platform from its people's side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from doorcode.pairing.keyring import Keyring
from doorcode.pairing.platform import Platform
from doorcode_sandbox.platforms.chats import JSON, Button, Chat, ChatKind, Outgoing, Person, Side, Words
from doorcode_sandbox.platforms.morse.stand_in import MorseStandIn
from doorcode_sandbox.platforms.server import Message


class MorseSide(Side):
    """Its people."""

    platform = Platform("morse")
    owners = ("ALPHA",)
    strangers = ("BRAVO", "CHARLIE")
    proof = "key"
    secret_headers = frozenset({"X-Morse-Key"})
    max_text = 100
    bot = handle = "DOOR"

    def __init__(self, stand_in: MorseStandIn) -> None:
        """Have them there."""
        self._stand_in = stand_in
        self._sent = 0

    def settle(self, person: Person) -> Chat:
        """Give them a key and a sounder."""
        return Chat(
            platform=self.platform, id=person.id, kind=ChatKind.DIRECT, title=person.name, members=(person.id,)
        )  # fmt: skip

    def gather(self, people: Sequence[Person]) -> Chat:
        """Put them on one line."""
        members = tuple(person.id for person in people)
        return Chat(platform=self.platform, id="ALL", kind=ChatKind.GROUP, title="The line", members=members)

    def new_id(self) -> str:
        """Make up a call sign."""
        return "DELTA"

    def say(self, person: Person, chat: Chat, text: str, *, mention: bool, now: float) -> Words:  # noqa: ARG002
        """Send a telegram."""
        webhook = self._telegram(person, chat, text=text)
        return Words(id=str(self._sent), shown={"text": text}, webhook=webhook)

    def press(self, person: Person, chat: Chat, message: Message, button: Button, *, now: float) -> Outgoing:  # noqa: ARG002
        """Send what the button says."""
        return self._telegram(person, chat, pressed=button.data)

    def _telegram(self, person: Person, chat: Chat, **said: str) -> Outgoing:
        self._sent += 1
        body = msgspec.json.encode({"number": str(self._sent), "sender": person.id, **said})
        return Outgoing(
            platform=self.platform, chat=chat.id, person=person.id, headers={"Content-Type": JSON}, body=body
        )

    def sign(self, body: bytes, keyring: Keyring, now: int) -> dict[str, str]:  # noqa: ARG002
        """Say the key."""
        return {"X-Morse-Key": keyring.newest.decode()}

    def take(self, webhook: Outgoing, body: bytes) -> None:
        """Show nothing."""

    def messages(self, chat: str) -> list[Message]:
        """Return what came."""
        return [replace(message) for message in self._stand_in.in_chat(chat)]

    def shown(self, message: Message) -> dict[str, Any]:
        """Return it."""
        return {"text": message.shown["text"]}

    def buttons(self, message: Message) -> list[list[Button]]:
        """Return one for each word that can be answered."""
        return [[Button(str(at), text, data=text) for at, text in enumerate(message.shown.get("buttons", ()))]]

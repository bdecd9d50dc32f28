"""WhatsApp from its people's side: webhooks as its servers send them.

https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from doorcode.pairing.contact import Platform
from doorcode.pairing.keyring import Keyring
from doorcode_sandbox.platforms.chats import Button, Chat, ChatKind, Outgoing, Person, Side, Words
from doorcode_sandbox.platforms.server import Message
from doorcode_sandbox.platforms.whatsapp.forms import MAX_TEXT
from doorcode_sandbox.platforms.whatsapp.postman import HEADERS, SIGNATURE, signature, written
from doorcode_sandbox.platforms.whatsapp.stand_in import User, WhatsAppStandIn

GROUP = "120363000000000001"
# What a business is shown of somebody.
USERNAME, NUMBER, BOTH = SHOWN = ("username", "number", "both")


class WhatsAppSide(Side):
    """WhatsApp's people, before a stand-in.

    A business learns of somebody the number, or the number and a username, or the username alone; and of everybody an id.
    Which it is goes by the last digit of that here, so that it stays what it is.
    """

    platform = Platform.WHATSAPP
    owners = ("DE.2249120865530274190",)
    strangers = ("US.13491208655302741918", "US.13491208655302741917", "US.13491208655302741919")
    proof = "HMAC-SHA256"
    max_text = MAX_TEXT
    bot = "Doorcode"

    def __init__(self, stand_in: WhatsAppStandIn) -> None:
        """Have them there."""
        self._stand_in = stand_in
        self.handle = f"+{stand_in.DISPLAY_PHONE_NUMBER}"

    def settle(self, person: Person) -> Chat:
        """Let somebody have a chat with the business, to which they have just said something."""
        kind = SHOWN[int(person.id[-1]) % len(SHOWN)] if "." in person.id and person.id[-1].isdigit() else NUMBER
        username = person.username if kind != NUMBER else ""
        hidden = kind == USERNAME
        self._stand_in.add_user(person.id, username=username, name=person.name, hides_phone=hidden)
        return Chat(platform=self.platform, id=person.id, kind=ChatKind.DIRECT, title=person.name, members=(person.id,))

    def gather(self, people: Sequence[Person]) -> Chat:
        """Have people and the business in a group."""
        members = tuple(person.id for person in people)
        return Chat(platform=self.platform, id=GROUP, kind=ChatKind.GROUP, title="Door Group", members=members)

    def new_id(self) -> str:
        """Make up somebody's id."""
        return f"US.1{secrets.randbelow(10**18):018}"

    def say(self, person: Person, chat: Chat, text: str, *, mention: bool, now: float) -> Words:
        """Have somebody write; a business is given everything, in groups, too."""
        if mention and self.handle not in text:
            text = f"@{self.handle} {text}"
        shown: dict[str, Any] = {"text": {"body": text}}
        webhook, message_id = self._message(person, chat, now, type="text", **shown)
        return Words(id=message_id, shown=shown, webhook=webhook)

    def press(self, person: Person, chat: Chat, message: Message, button: Button, *, now: float) -> Outgoing:
        """Have somebody press a button, which is a message of its own."""
        context = {"from": self._stand_in.DISPLAY_PHONE_NUMBER, "id": message.id}
        what: dict[str, Any]
        if message.shown["type"] == "template":
            what = {"type": "button", "button": {"payload": button.data, "text": button.text}}
        else:
            reply = {"type": "button_reply", "button_reply": {"id": button.data, "title": button.text}}
            what = {"type": "interactive", "interactive": reply}
        return self._message(person, chat, now, pressed=True, context=context, **what)[0]

    def _message(
        self, person: Person, chat: Chat, now: float, *, pressed: bool = False, **what: Any
    ) -> tuple[Outgoing, str]:  # fmt: skip
        message_id = self._stand_in.write(person.id)
        user = self._stand_in.users[person.id]
        group = {"group_id": chat.id} if chat.kind is ChatKind.GROUP else {}
        context = {"context": what.pop("context")} if "context" in what else {}
        message = {**context, **_sender(user), **group, "id": message_id, "timestamp": str(int(now)), **what}
        webhook = Outgoing(
            platform=self.platform,
            chat=chat.id,
            person=person.id,
            headers=HEADERS,
            body=written(self._stand_in.value(contacts=[user.contact], messages=[message])),
            pressed=pressed,
        )
        return webhook, message_id

    def sign(self, body: bytes, keyring: Keyring, now: int) -> dict[str, str]:  # noqa: ARG002 (no time is signed)
        """Sign with the app's secret."""
        return {SIGNATURE: signature(body, keyring.newest)}

    def take(self, webhook: Outgoing, body: bytes) -> None:
        """Show nothing: WhatsApp reads no more than the status."""

    def messages(self, chat: str) -> list[Message]:
        """Return what was delivered there."""
        with self._stand_in.looking():
            return [replace(message) for message in self._stand_in.in_chat(chat)]

    def shown(self, message: Message) -> dict[str, Any]:
        """Return a message's own fields, as the API names them; a template's as it reads, and the text that is quoted."""
        quoted = self._stand_in.messages.get((message.chat, message.shown.get("context", {}).get("message_id", "")))
        return message.shown | ({"quoted": text_of(quoted.shown)} if quoted else {})

    def buttons(self, message: Message) -> list[list[Button]]:
        """Return a message's buttons, each in a row of its own. They stay, whatever was pressed."""
        shown = message.shown
        if shown["type"] == "template":
            replies = shown["drawn"]["buttons"]
        else:
            replies = [button["reply"] for button in shown.get("interactive", {}).get("action", {}).get("buttons", ())]
        return [[Button(f"{at}.0", reply["title"], data=reply["id"])] for at, reply in enumerate(replies)]


def text_of(shown: dict[str, Any]) -> str:
    """Return what a message says."""
    if shown["type"] == "template":
        return str(shown["drawn"]["text"])
    return str(shown["interactive"]["body"]["text"] if shown["type"] == "interactive" else shown["text"]["body"])


def _sender(user: User) -> dict[str, str]:
    known = {} if user.hides_phone else {"from": user.phone}
    return known | ({"from_user_id": user.id} if "." in user.id else {})

"""Discord from its people's side: interactions as its servers send them.

https://docs.discord.com/developers/interactions/receiving-and-responding#interaction-object
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec.structs import replace

from doorcode.pairing.contact import Platform
from doorcode.pairing.keyring import Keyring
from doorcode.platforms.discord.inbound import COMMAND, DOOR_COMMAND, OPTION
from doorcode_sandbox.platforms.chats import JSON, Button, Chat, ChatKind, Outgoing, Person, Side, Words
from doorcode_sandbox.platforms.discord.stand_in import LOADING, DiscordStandIn, Modal
from doorcode_sandbox.platforms.server import Message

GUILD = "300000000000000001"
GROUP = "500000000000000001"
COMMAND_ID, DOOR_ID = "600000000000000001", "600000000000000002"
# Within which Discord wants its answer.
PATIENCE_SECONDS = 3
AGENT = "Discord-Interactions/1.0 (+https://discord.com)"
# What a person without any power, and what the bot, may do there.
MAY = {ChatKind.DIRECT: "442368", ChatKind.GROUP: "2248473465835073"}
STYLES = {1: "primary", 3: "primary", 4: "danger"}
NO_PROFILE: dict[str, Any] = {
    "avatar": None,
    "avatar_decoration_data": None,
    "clan": None,
    "collectibles": None,
    "discriminator": "0",
    "display_name_styles": None,
    "primary_guild": None,
    "public_flags": 0,
}


class DiscordSide(Side):
    """Discord's people, before a stand-in."""

    platform = Platform.DISCORD
    owners = ("200000000000000002",)
    strangers = ("200000000000000001", "200000000000000003", "200000000000000005")
    proof = "Ed25519"
    no_answer = "The application did not respond"
    bot = "Doorcode"
    handle = "@Doorcode"
    max_text = 6000

    def __init__(self, stand_in: DiscordStandIn) -> None:
        """Have them there."""
        self._stand_in = stand_in
        stand_in.patience = PATIENCE_SECONDS

    def settle(self, person: Person) -> Chat:
        """Let somebody share a server with the bot, and have its direct messages open."""
        # Always the same one for a person: a prompt of an earlier run points there.
        user = self._stand_in.add_user(person.id, channel=str(int(person.id) + 10**17))
        title, members = person.name, (person.id,)
        return Chat(platform=self.platform, id=user.channel, kind=ChatKind.DIRECT, title=title, members=members)

    def gather(self, people: Sequence[Person]) -> Chat:
        """Have people and the bot in a channel of a server."""
        self._stand_in.channels.add(GROUP)
        members = tuple(person.id for person in people)
        return Chat(platform=self.platform, id=GROUP, kind=ChatKind.GROUP, title="#general", members=members)

    def new_id(self) -> str:
        """Make up somebody's id."""
        return self._stand_in.number()

    def say(self, person: Person, chat: Chat, text: str, *, mention: bool, now: float) -> Words:  # noqa: ARG002 (a command addresses the bot)
        """Have somebody use the command, for what is just written never comes over HTTP."""
        option = {"name": OPTION, "type": 3, "value": text}
        command: dict[str, Any] = {"id": COMMAND_ID, "name": COMMAND, "options": [option], "type": 1}
        if text.strip() == f"/{DOOR_COMMAND}" and chat.kind is ChatKind.DIRECT:
            # Registered for the bot's direct messages alone.
            command = {"id": DOOR_ID, "name": DOOR_COMMAND, "type": 1}
            webhook, interaction_id = self._interaction(person, chat, {"type": 2, "data": command})
            return Words(id=interaction_id, shown={"content": "", "command": f"/{DOOR_COMMAND}"}, webhook=webhook)
        webhook, interaction_id = self._interaction(person, chat, {"type": 2, "data": command})
        return Words(id=interaction_id, shown={"content": text, "command": f"/{COMMAND}"}, webhook=webhook)

    def press(self, person: Person, chat: Chat, message: Message, button: Button, *, now: float) -> Outgoing:  # noqa: ARG002 (the id holds the time)
        """Have somebody press a button under a message."""
        if isinstance(message, Modal):
            return self._submit(person, chat, message, button.words)
        drawn = self._drawn(message)
        number = next(
            part["id"] for row in drawn["components"] for part in row["components"] if part.get("custom_id") == button.data
        )  # fmt: skip
        data = {"component_type": 2, "custom_id": button.data, "id": number}
        return self._interaction(person, chat, {"type": 3, "data": data, "message": drawn})[0]

    def _submit(self, person: Person, chat: Chat, modal: Modal, words: str) -> Outgoing:
        """Have somebody submit a modal, which closes it."""
        self._stand_in.modals.pop(modal.only_for, None)
        (label,) = modal.shown["components"]
        typed = {
            "custom_id": label["component"]["custom_id"],
            "id": 2,
            "type": label["component"]["type"],
            "value": words,
        }
        components = [{"component": typed, "id": 1, "type": label["type"]}]
        data = {"components": components, "custom_id": modal.shown["custom_id"]}
        over = {"message": self._drawn(modal.over)} if modal.over else {}
        return self._interaction(person, chat, {"type": 5, "data": data} | over)[0]

    def _interaction(self, person: Person, chat: Chat, what: dict[str, Any]) -> tuple[Outgoing, str]:
        interaction_id = self._stand_in.number()
        secret = f"interaction:{interaction_id}:{secrets.token_urlsafe(96)}"
        token = base64.urlsafe_b64encode(secret.encode()).decode().rstrip("=")
        pressed = {"button": what["data"]["custom_id"], "message": what["message"]["id"]} if "message" in what else {}
        self._stand_in.interaction(token, chat.id, user=person.id, **pressed)
        direct = chat.kind is ChatKind.DIRECT
        body = {
            "app_permissions": MAY[chat.kind],
            "application_id": self._stand_in.application["id"],
            "attachment_size_limit": 10_485_760,
            "authorizing_integration_owners": {"0": "0" if direct else GUILD},
            "channel": self._channel(person, chat),
            "channel_id": chat.id,
            "context": 1 if direct else 0,
            "entitlement_sku_ids": [],
            "entitlements": [],
            "id": interaction_id,
            # Discord knows English by two countries.
            "locale": "en-US" if person.language == "en" else person.language,
            "token": token,
            "version": 1,
            **({"user": _user(person)} if direct else _in_guild(person)),
            **what,
        }
        webhook = Outgoing(
            platform=self.platform,
            chat=chat.id,
            person=person.id,
            headers={"Content-Type": JSON, "User-Agent": AGENT},
            body=msgspec.json.encode(dict(sorted(body.items()))),
            interaction=token,
            pressed=bool(pressed),
        )
        return webhook, interaction_id

    def _channel(self, person: Person, chat: Chat) -> dict[str, Any]:
        known = {"flags": 0, "id": chat.id, "last_message_id": None}
        if chat.kind is ChatKind.DIRECT:
            return known | {"recipients": [_user(person)], "type": 1}
        return known | {
            "guild_id": GUILD,
            "name": "general",
            "nsfw": False,
            "parent_id": None,
            "permissions": MAY[chat.kind],
            "position": 0,
            "rate_limit_per_user": 0,
            "topic": None,
            "type": 0,
        }

    def _drawn(self, message: Message) -> dict[str, Any]:
        """Return a message as an interaction holds it, its components numbered as Discord does."""
        application = self._stand_in.application
        numbers = iter(range(1, 1000))
        rows = []
        for row in message.shown["components"]:
            number = next(numbers)
            parts = [
                {name: value for name, value in part.items() if value not in (None, False)} | {"id": next(numbers)}
                for part in row["components"]
            ]
            rows.append({"components": parts, "id": number, "type": 1})
        author = NO_PROFILE | {"bot": True, "global_name": None, "id": application["id"], "username": "doorcode"}
        return {
            "application_id": application["id"],
            "attachments": [],
            "author": author,
            "channel_id": message.chat,
            "components": rows,
            "content": message.shown["content"],
            "edited_timestamp": None,
            "embeds": [],
            "flags": message.shown["flags"],
            "id": message.id,
            "mention_everyone": message.shown["mention_everyone"],
            "mention_roles": [],
            "mentions": message.shown["mentions"],
            "pinned": False,
            "timestamp": datetime.fromtimestamp(message.at, UTC).isoformat(timespec="microseconds"),
            "tts": False,
            "type": 0,
        }

    def sign(self, body: bytes, keyring: Keyring, now: int) -> dict[str, str]:  # noqa: ARG002 (the stack has the public half)
        """Sign with the application's key."""
        return self._stand_in.key.sign(body, now)

    def take(self, webhook: Outgoing, body: bytes) -> None:
        """Show the response to an interaction. Raises FormError if it is none that Discord takes."""
        self._stand_in.respond(webhook.interaction, body)

    def messages(self, chat: str) -> list[Message]:
        """Return what the bot has written there, everybody's and that for one person only, as it is now."""
        with self._stand_in.looking():
            modals = [modal for modal in self._stand_in.modals.values() if modal.chat == chat]
            return [replace(message) for message in (*self._stand_in.in_chat(chat), *modals)]

    def shown(self, message: Message) -> dict[str, Any]:
        """Return a message's own fields, as the API names them."""
        if isinstance(message, Modal):
            return message.shown
        return {name: message.shown[name] for name in ("content", "components", "flags", "mentions")}

    def deferred(self, message: Message) -> bool:
        """Tell whether the message only says that the bot is thinking."""
        return bool(message.shown.get("flags", 0) & LOADING)

    def buttons(self, message: Message) -> list[list[Button]]:
        """Return a message's buttons, row by row; of a modal, its field."""
        if isinstance(message, Modal):
            (label,) = message.shown["components"]
            return [[Button("0.0", "Submit", "primary", message.shown["custom_id"], label["label"])]]
        return [
            [
                Button(
                    f"{row}.{column}" if part["custom_id"] and not part["disabled"] else "",
                    part["label"],
                    STYLES.get(part["style"], ""),
                    part["custom_id"] or "",
                )
                for column, part in enumerate(parts["components"])
            ]
            for row, parts in enumerate(message.shown["components"])
        ]


def _user(person: Person) -> dict[str, Any]:
    return NO_PROFILE | {"global_name": person.name, "id": person.id, "username": person.username}


def _in_guild(person: Person) -> dict[str, Any]:
    member: dict[str, Any] = {
        "avatar": None,
        "banner": None,
        "communication_disabled_until": None,
        "deaf": False,
        "flags": 0,
        "joined_at": "2024-02-02T01:34:40.083000+00:00",
        "mute": False,
        "nick": None,
        "pending": False,
        "permissions": MAY[ChatKind.GROUP],
        "premium_since": None,
        "roles": [],
        "unusual_dm_activity_until": None,
        "user": _user(person),
    }
    guild = {"features": [], "id": GUILD, "locale": "en-US"}
    return {"guild": guild, "guild_id": GUILD, "guild_locale": "en-US", "member": member}

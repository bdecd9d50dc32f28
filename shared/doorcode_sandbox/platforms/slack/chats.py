"""Slack from its people's side: events and presses as its servers send them.

https://docs.slack.dev/apis/events-api, https://docs.slack.dev/reference/interaction-payloads/block_actions-payload
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import uuid
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import msgspec
from msgspec.structs import replace

from doorcode.pairing.contact import Platform
from doorcode.pairing.keyring import Keyring
from doorcode.platforms.slack.inbound import DOOR
from doorcode_sandbox.platforms.chats import FORM, JSON, Button, Chat, ChatKind, Outgoing, Person, Side, Words
from doorcode_sandbox.platforms.server import Message
from doorcode_sandbox.platforms.slack.stand_in import SlackStandIn

GROUP = "C0SANDBOX1"
APP = "A0DOORCODE"
# The verification token that Slack still sends, and nobody should look at.
OLD_TOKEN = "verification-token-of-the-sandbox"  # noqa: S105 (no secret)
AGENT = "Slackbot 1.0 (+https://api.slack.com/robots)"
ID_SIGNS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


class SlackSide(Side):
    """A workspace's people, before a stand-in."""

    platform = Platform.SLACK
    owners = ("U0OWNER001",)
    strangers = ("U0STRANGER", "U0MALLORY1", "U0QUENTIN1")
    proof = "v0 HMAC"
    no_answer = "The app did not respond"
    bot = "Doorcode"
    handle = "@Doorcode"
    max_text = 12_000

    def __init__(self, stand_in: SlackStandIn) -> None:
        """Have them there."""
        self._stand_in = stand_in

    def settle(self, person: Person) -> Chat:
        """Let somebody be in the workspace, with the app's messages open."""
        self._stand_in.add_user(person.id, person.username, person.name).locale = person.language
        channel = self._stand_in.open_chat(person.id)
        return Chat(platform=self.platform, id=channel, kind=ChatKind.DIRECT, title=person.name, members=(person.id,))

    def gather(self, people: Sequence[Person]) -> Chat:
        """Have people and the app in a channel."""
        members = tuple(person.id for person in people)
        self._stand_in.add_channel(GROUP, *members)
        return Chat(platform=self.platform, id=GROUP, kind=ChatKind.GROUP, title="#general", members=members)

    def new_id(self) -> str:
        """Make up somebody's id."""
        return "U" + "".join(secrets.choice(ID_SIGNS) for _ in range(10))

    def say(self, person: Person, chat: Chat, text: str, *, mention: bool, now: float) -> Words:
        """Have somebody write; of what is said in channels the app is given its mentions."""
        if text.strip() == DOOR:
            return self._command(person, chat)
        if mention and self.handle not in text:
            text = f"{self.handle} {text}"
        ts = self._stand_in.write()
        pieces = text.split(self.handle)
        escaped = f"<@{self._stand_in.BOT_USER}>".join(piece.translate(ESCAPES) for piece in pieces)
        blocks = [{"type": "rich_text", "block_id": _block_id(), "elements": [self._section(pieces)]}]
        direct = chat.kind is ChatKind.DIRECT
        event = {
            "user": person.id,
            "type": "message" if direct else "app_mention",
            "ts": ts,
            "client_msg_id": str(uuid.uuid4()),
            "text": escaped,
            "team": self._stand_in.TEAM,
            "blocks": blocks,
            "channel": chat.id,
            "event_ts": ts,
            **({"channel_type": "im"} if direct else {}),
        }
        given = direct or len(pieces) > 1
        webhook = Outgoing(
            platform=self.platform,
            chat=chat.id,
            person=person.id,
            headers={"Content-Type": JSON, "User-Agent": AGENT},
            body=msgspec.json.encode(self._envelope(event, int(now))),
        )
        return Words(id=ts, shown={"text": escaped, "blocks": blocks}, webhook=webhook if given else None)

    def _command(self, person: Person, chat: Chat) -> Words:
        """Have somebody give the command: https://docs.slack.dev/interactivity/implementing-slash-commands."""
        team, direct = self._stand_in.TEAM, chat.kind is ChatKind.DIRECT
        trigger_id = f"{secrets.randbelow(10**13)}.{secrets.randbelow(10**13)}.{secrets.token_hex(16)}"
        form = {
            "token": OLD_TOKEN,
            "team_id": team,
            "team_domain": "workspace",
            "channel_id": chat.id,
            "channel_name": "directmessage" if direct else "general",
            "user_id": person.id,
            "user_name": person.username,
            "command": DOOR,
            "text": "",
            "api_app_id": APP,
            "is_enterprise_install": "false",
            "response_url": self._stand_in.response_url(person.id, chat.id, ""),
            "trigger_id": trigger_id,
        }
        webhook = Outgoing(
            platform=self.platform,
            chat=chat.id,
            person=person.id,
            headers={"Content-Type": FORM, "User-Agent": AGENT},
            body=urlencode(form).encode(),
        )
        return Words(id=trigger_id, shown={"text": DOOR}, webhook=webhook)

    def _section(self, pieces: list[str]) -> dict[str, Any]:
        elements: list[dict[str, Any]] = []
        for number, piece in enumerate(pieces):
            if number:
                elements.append({"type": "user", "user_id": self._stand_in.BOT_USER})
            if piece:
                elements.append({"type": "text", "text": piece})
        return {"type": "rich_text_section", "elements": elements}

    def _envelope(self, event: dict[str, Any], now: int) -> dict[str, Any]:
        team = self._stand_in.TEAM
        context = {"et": event["type"], "tid": team, "aid": APP, "cid": event["channel"]}
        return {
            "token": OLD_TOKEN,
            "team_id": team,
            "context_team_id": team,
            "context_enterprise_id": None,
            "api_app_id": APP,
            "event": event,
            "type": "event_callback",
            "event_id": "Ev" + "".join(secrets.choice(ID_SIGNS) for _ in range(10)),
            "event_time": now,
            "authorizations": [
                {
                    "enterprise_id": None,
                    "team_id": team,
                    "user_id": self._stand_in.BOT_USER,
                    "is_bot": True,
                    "is_enterprise_install": False,
                }
            ],
            "is_ext_shared_channel": False,
            "event_context": "4-" + base64.urlsafe_b64encode(msgspec.json.encode(context)).decode().rstrip("="),
        }

    def press(self, person: Person, chat: Chat, message: Message, button: Button, *, now: float) -> Outgoing:
        """Have somebody press a button in a message."""
        stamp = {"action_ts": f"{now:.6f}"}
        blocks = self.shown(message)["blocks"]
        if button.asks:
            (element,) = (block["element"] for block in blocks if block["block_id"] == button.data)
            typed, name = {"type": element["type"], "value": button.words}, element["action_id"]
            action = typed | {"block_id": button.data, "action_id": name} | stamp
            return self._acted(person, chat, message, action, {button.data: {name: typed}})
        block_id, element = next(
            (block["block_id"], element)
            for block in blocks
            for element in block.get("elements", ())
            if element.get("value") == button.data
        )
        return self._acted(person, chat, message, element | {"block_id": block_id} | stamp, {})

    def _acted(
        self, person: Person, chat: Chat, message: Message, action: dict[str, Any], state: Mapping[str, Any]
    ) -> Outgoing:
        team, shown = self._stand_in.TEAM, self.shown(message)
        payload: dict[str, Any] = {
            "type": "block_actions",
            "user": {"id": person.id, "username": person.username, "name": person.username, "team_id": team},
            "api_app_id": APP,
            "token": OLD_TOKEN,
            "container": {
                "type": "message",
                "message_ts": message.id,
                "channel_id": chat.id,
                "is_ephemeral": bool(message.only_for),
            },
            "trigger_id": f"{secrets.randbelow(10**13)}.{secrets.randbelow(10**13)}.{secrets.token_hex(16)}",
            "team": {"id": team, "domain": "workspace"},
            "enterprise": None,
            "is_enterprise_install": False,
            "channel": {"id": chat.id, "name": "directmessage" if chat.kind is ChatKind.DIRECT else "general"},
            "message": self._stand_in.drawn(message) | {"app_id": APP, "team": team, "blocks": shown["blocks"]},
            "state": {"values": state},
            "response_url": self._stand_in.response_url(person.id, chat.id, message.id),
            "actions": [action],
        }
        return Outgoing(
            platform=self.platform,
            chat=chat.id,
            person=person.id,
            headers={"Content-Type": FORM, "User-Agent": AGENT},
            body=urlencode({"payload": msgspec.json.encode(payload)}).encode(),
            pressed=True,
        )

    def sign(self, body: bytes, keyring: Keyring, now: int) -> dict[str, str]:
        """Sign with the newest secret: https://docs.slack.dev/authentication/verifying-requests-from-slack."""
        mac = hmac.digest(keyring.newest, b"v0:%d:%b" % (now, body), hashlib.sha256).hex()
        return {"X-Slack-Request-Timestamp": str(now), "X-Slack-Signature": f"v0={mac}"}

    def take(self, webhook: Outgoing, body: bytes) -> None:
        """Show a command's response to who gave it: of all others, Slack shows nothing."""
        if webhook.headers["Content-Type"] == FORM and not webhook.pressed:
            self._stand_in.respond(webhook.chat, webhook.person, body)

    def messages(self, chat: str) -> list[Message]:
        """Return what the app has written there, everybody's and that for one person only, as it is now."""
        with self._stand_in.looking():
            whispers = [whisper for whisper in self._stand_in.whispers if whisper.chat == chat]
            return [replace(message) for message in (*self._stand_in.in_chat(chat), *whispers)]

    def shown(self, message: Message) -> dict[str, Any]:
        """Return a message's own fields, as the API names them, with the ids that Slack gives to blocks without one."""
        blocks = [
            _given(block)
            | {"block_id": block["block_id"] or f"block{number}"}
            | ({"elements": [_given(element) for element in block["elements"]]} if "elements" in block else {})
            for number, block in enumerate(message.shown["blocks"] or ())
        ]
        thread = message.shown.get("thread_ts", "")
        return (
            {"text": message.shown["text"], "mrkdwn": message.shown.get("mrkdwn", True)}
            | ({"blocks": blocks} if blocks else {})
            | ({"thread_ts": thread} if thread else {})
        )

    def buttons(self, message: Message) -> list[list[Button]]:
        """Return a message's buttons and fields, one row for each block of them."""
        blocks = [block for block in message.shown["blocks"] or () if block["type"] in {"actions", "input"}]
        return [
            [Button(f"{row}.0", "Enter", "", block["block_id"], block["label"]["text"])]
            if block["type"] == "input"
            else [
                Button(
                    f"{row}.{column}" if element["value"] else "",
                    element["text"]["text"],
                    element["style"] or "",
                    element["value"],
                )
                for column, element in enumerate(block["elements"])
            ]
            for row, block in enumerate(blocks)
        ]


def _given(part: dict[str, Any]) -> dict[str, Any]:
    """Return a part without the fields that were left out when it was sent."""
    return {name: value for name, value in part.items() if value not in (None, "")}


def _block_id() -> str:
    return "".join(secrets.choice(ID_SIGNS) for _ in range(5))

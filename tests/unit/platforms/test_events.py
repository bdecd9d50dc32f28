"""Every recorded event, verified and read."""

import json
from typing import Any

import msgspec

from doorcode.pairing.messages import Ignored, Message, Press
from doorcode.platforms.inbound import Handshake, Webhook
from tests.cases import each
from tests.unit.platforms.deliveries import KEYRINGS, KNOWN, MODULES, NOW, delivered, event, names


def _slack_text(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _message(message: Message, expect: dict[str, Any]) -> None:
    text = _slack_text(expect["text"]) if message.platform == "slack" else expect["text"]
    assert message.text == text
    assert {
        "chat_type": message.chat_type,
        "user_id": message.user_id,
        "message_kind": message.kind,
        "addressed": message.addressed,
        "delivery_id": message.delivery_id,
        "private": message.private,
        "door": message.door,
        "attachments": msgspec.to_builtins(list(message.attachments)),
    } == {"private": False, "door": False, "attachments": []} | {
        name: value for name, value in expect.items() if name not in {"kind", "text"}
    }
    assert abs(message.sent_at - NOW) < 3600
    assert message.chat
    assert message.message_id
    assert message.reply


def _press(press: Press, expect: dict[str, Any]) -> None:
    assert (press.user_id, press.data) == (expect["user_id"], expect["callback"])
    assert press.said == expect.get("said")
    assert expect.get("response_url", "") in press.reply


def _handshake(handshake: Handshake, expect: dict[str, Any]) -> None:
    body = b'{"type":1}' if expect["kind"] == "ping" else b'{"challenge":"%b"}' % expect["challenge"].encode()
    assert handshake.answer.body == body
    assert handshake.answer.content_type == "application/json"


def _ignored(ignored: Ignored, expect: dict[str, Any]) -> None:
    assert expect == {"kind": "ignored"}
    assert ignored.what.replace("_", "").isalpha()


READERS: dict[type, Any] = {Message: _message, Press: _press, Handshake: _handshake, Ignored: _ignored}
KINDS: dict[str, type] = {
    "message": Message,
    "press": Press,
    "ignored": Ignored,
    "ping": Handshake,
    "url_verification": Handshake,
}


@each("name", names())
def test_event(name: str) -> None:
    """A recorded event is verified and read as its file says. Security 3, 5, 27."""
    recorded = event(name)
    platform = MODULES[recorded["platform"]]
    webhook = delivered(recorded)
    assert platform.verify(webhook, KEYRINGS[recorded["platform"]], NOW)
    (one,) = platform.parse(webhook, KNOWN[recorded["platform"]])
    assert type(one) is KINDS[recorded["expect"]["kind"]]
    READERS[type(one)](one, recorded["expect"])
    assert getattr(one, "platform", platform.PLATFORM) == recorded["platform"]


@each("name", [name for name in names() if not event(name).get("form")])
def test_escaped(name: str) -> None:
    """An event reads the same whether its JSON is written in ASCII, with escapes, or in UTF-8."""
    recorded = event(name)
    platform = MODULES[recorded["platform"]]
    webhook = delivered(recorded)
    escaped = Webhook(webhook.headers, json.dumps(recorded["body"]).encode())
    assert platform.parse(escaped, KNOWN[recorded["platform"]]) == platform.parse(webhook, KNOWN[recorded["platform"]])

"""Webhooks as the platforms send them: payloads from ``events/``, signed at run time, in API Gateway's envelope."""

import base64
import copy
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from nacl.signing import SigningKey

from doorcode.pairing.contact import Platform

EVENTS = Path(__file__).parents[1] / "events"

WEBHOOK_SECRET = "the-webhook-secret_of-these-tests"
SIGNING_SECRET = "the signing secret of these tests"
APP_SECRET = "the app secret of these tests"
SIGNING_KEY = SigningKey(hashlib.sha256(b"discord, in these tests").digest())
PUBLIC_KEY = SIGNING_KEY.verify_key.encode().hex()

STRANGER = {
    Platform.TELEGRAM: "987654321",
    Platform.SLACK: "U0STRANGER",
    Platform.DISCORD: "200000000000000001",
    Platform.WHATSAPP: "US.13491208655302741918",
}
OWNER = {
    Platform.TELEGRAM: "123456789",
    Platform.SLACK: "U0OWNER001",
    Platform.DISCORD: "200000000000000002",
    Platform.WHATSAPP: "DE.2249120865530274190",
}
HELLO = {
    Platform.TELEGRAM: "telegram/private_text",
    Platform.SLACK: "slack/message_im",
    Platform.DISCORD: "discord/chat_bot_dm",
    Platform.WHATSAPP: "whatsapp/text",
}
DOOR = {
    Platform.TELEGRAM: "telegram/private_door",
    Platform.SLACK: "slack/command_door",
    Platform.DISCORD: "discord/door_bot_dm",
    Platform.WHATSAPP: "whatsapp/door",
}
APPROVE = {
    Platform.TELEGRAM: "telegram/callback_query_approve",
    Platform.SLACK: "slack/block_actions_approve",
    Platform.DISCORD: "discord/component_approve_dm",
    Platform.WHATSAPP: "whatsapp/button_approve",
}


@dataclass(frozen=True)
class Delivery:
    """One event as it is sent: the payload, and how it travels."""

    platform: Platform
    body: Any
    # True: its JSON is a form's field `payload`. "fields": it is a form itself.
    form: bool | str = False
    headers: Mapping[str, str] = field(default_factory=dict)
    expect: Mapping[str, Any] = field(default_factory=dict)

    def raw(self) -> bytes:
        """Return the bytes that are signed."""
        if self.form == "fields":
            return urlencode(self.body).encode()
        # Meta escapes what is not ASCII.
        text = json.dumps(self.body, ensure_ascii=self.platform is Platform.WHATSAPP, separators=(",", ":"))
        return (urlencode({"payload": text}) if self.form else text).encode()

    def replaced(self, old: str, new: str) -> "Delivery":
        """Return this delivery with one text of the payload replaced wherever it stands."""
        return replace(
            self, body=json.loads(json.dumps(self.body).replace(json.dumps(old)[1:-1], json.dumps(new)[1:-1]))
        )

    def another(self, number: int) -> "Delivery":
        """Return the same event as another delivery."""
        body = copy.deepcopy(self.body)
        if self.platform is Platform.TELEGRAM:
            body["update_id"] += number
            if "callback_query" in body:
                body["callback_query"]["id"] = str(int(body["callback_query"]["id"]) + number)
        elif self.platform is Platform.DISCORD:
            body["id"] = str(int(body["id"]) + number)
        elif self.platform is Platform.WHATSAPP:
            for message in messages_of(body):
                message["id"] += str(number)
        elif "trigger_id" in body and "actions" not in body:
            body["trigger_id"] = f"{number}.{body['trigger_id']}"
        elif "event" in body:
            body["event"]["ts"] = body["event"]["event_ts"] = f"{1776860000 + number}.000000"
        elif "actions" in body:
            for action in body["actions"]:
                action["action_ts"] = f"{1776860000 + number}.000000"
        return replace(self, body=body)


def messages_of(body: Any) -> list[Any]:
    """Return the messages of a request of WhatsApp's."""
    changes = [change for entry in body["entry"] for change in entry["changes"]]
    return [message for change in changes for message in change["value"].get("messages", [])]


def value_of(body: Any) -> Any:
    """Return what a request of WhatsApp's brings for the one number in it."""
    return body["entry"][0]["changes"][0]["value"]


def load(name: str) -> Delivery:
    """Read an event by its name, such as ``telegram/private_text``."""
    event = json.loads((EVENTS / f"{name}.json").read_text())
    return Delivery(
        Platform(event["platform"]), event["body"], event.get("form", False), event["headers"], event["expect"]
    )


def names() -> list[str]:
    """Return the names of all events."""
    return sorted(f"{path.parent.name}/{path.stem}" for path in EVENTS.glob("*/*.json"))


def signed(platform: Platform, raw: bytes, now: int) -> dict[str, str]:
    """Return the headers with which the platform proves that it sent these bytes at ``now``."""
    if platform is Platform.TELEGRAM:
        return {"X-Telegram-Bot-Api-Secret-Token": WEBHOOK_SECRET}
    if platform is Platform.SLACK:
        mac = hmac.new(SIGNING_SECRET.encode(), b"v0:%d:%s" % (now, raw), hashlib.sha256).hexdigest()
        return {"X-Slack-Request-Timestamp": str(now), "X-Slack-Signature": f"v0={mac}"}
    if platform is Platform.WHATSAPP:
        return {"X-Hub-Signature-256": f"sha256={hmac.new(APP_SECRET.encode(), raw, hashlib.sha256).hexdigest()}"}
    signature = SIGNING_KEY.sign(str(now).encode() + raw).signature.hex()
    return {"X-Signature-Timestamp": str(now), "X-Signature-Ed25519": signature}


def envelope(raw: bytes, headers: Mapping[str, str], path: str = "/") -> dict[str, Any]:
    """Return the HTTP API event (payload format 2.0) that API Gateway makes of a request."""
    lowered = {name.lower(): value for name, value in headers.items()}
    text: str | None
    try:
        text, encoded = raw.decode(), False
    except UnicodeDecodeError:
        text, encoded = base64.b64encode(raw).decode(), True
    return {
        "version": "2.0",
        "routeKey": f"POST {path}",
        "rawPath": path,
        "rawQueryString": "",
        "headers": lowered,
        "requestContext": {"http": {"method": "POST", "path": path, "sourceIp": "127.0.0.1"}, "stage": "$default"},
        "body": text,
        "isBase64Encoded": encoded,
    }


def request(delivery: Delivery, now: int) -> dict[str, Any]:
    """Return a correctly signed delivery in API Gateway's envelope."""
    raw = delivery.raw()
    headers = {**delivery.headers, **signed(delivery.platform, raw, now)}
    return envelope(raw, headers, f"/{delivery.platform}")

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
SIGNING_KEY = SigningKey(hashlib.sha256(b"discord, in these tests").digest())
PUBLIC_KEY = SIGNING_KEY.verify_key.encode().hex()

STRANGER = {Platform.TELEGRAM: "987654321", Platform.SLACK: "U0STRANGER", Platform.DISCORD: "200000000000000001"}
OWNER = {Platform.TELEGRAM: "123456789", Platform.SLACK: "U0OWNER001", Platform.DISCORD: "200000000000000002"}
HELLO = {
    Platform.TELEGRAM: "telegram/private_text",
    Platform.SLACK: "slack/message_im",
    Platform.DISCORD: "discord/chat_bot_dm",
}
DOOR = {
    Platform.TELEGRAM: "telegram/private_door",
    Platform.SLACK: "slack/command_door",
    Platform.DISCORD: "discord/door_bot_dm",
}
APPROVE = {
    Platform.TELEGRAM: "telegram/callback_query_approve",
    Platform.SLACK: "slack/block_actions_approve",
    Platform.DISCORD: "discord/component_approve_dm",
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
        text = json.dumps(self.body, ensure_ascii=False, separators=(",", ":"))
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
        elif "trigger_id" in body and "actions" not in body:
            body["trigger_id"] = f"{number}.{body['trigger_id']}"
        elif "event" in body:
            body["event"]["ts"] = body["event"]["event_ts"] = f"{1776860000 + number}.000000"
        elif "actions" in body:
            for action in body["actions"]:
                action["action_ts"] = f"{1776860000 + number}.000000"
        return replace(self, body=body)


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

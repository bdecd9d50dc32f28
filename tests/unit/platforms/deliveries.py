"""What the platforms deliver: the recorded events, and requests signed as each platform signs them."""

import hashlib
import hmac
import json
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlencode

from nacl.signing import SigningKey

from doorcode.pairing.callbacks import Action, Callback, sign
from doorcode.pairing.contact import Platform
from doorcode.pairing.keyring import Keyring
from doorcode.pairing.messages import ChatType, Ignored, Message, Press
from doorcode.pairing.prompts import Button, Prompt
from doorcode.platforms.discord import inbound as discord
from doorcode.platforms.inbound import Event, Webhook
from doorcode.platforms.slack import inbound as slack
from doorcode.platforms.telegram import inbound as telegram
from doorcode.platforms.whatsapp import inbound as whatsapp

EVENTS = Path(__file__).parents[3] / "events"
MODULES: dict[str, ModuleType] = {"telegram": telegram, "slack": slack, "discord": discord, "whatsapp": whatsapp}
NOW = 1_776_858_322
BOT = "7000000001:doorcode_bot"
# Who the bot is, and on Slack where, as it is stored.
KNOWN = {"telegram": BOT, "slack": "T0DOOR0001:E0DOOR0001", "discord": "", "whatsapp": "1500000000000001:15550783881"}
FORM = "application/x-www-form-urlencoded"

WEBHOOK_SECRET = b"webhook-secret_of-these-tests"
SIGNING_SECRET = b"signing secret of these tests"
APP_SECRET = b"app secret of these tests"
SIGNING_KEY = SigningKey(b"\x07" * 32)
PUBLIC_KEY = SIGNING_KEY.verify_key.encode().hex().encode()
KEYRINGS = {
    "telegram": Keyring((WEBHOOK_SECRET,)),
    "slack": Keyring((SIGNING_SECRET,)),
    "discord": Keyring((PUBLIC_KEY,)),
    "whatsapp": Keyring((APP_SECRET,)),
}
OTHER_SECRETS = {
    "telegram": b"another webhook secret",
    "slack": b"another signing secret",
    "discord": SigningKey(b"\x08" * 32).verify_key.encode().hex().encode(),
    "whatsapp": b"another app secret",
}


def event(name: str) -> dict[str, Any]:
    """Read a recorded event, such as ``telegram/private_text``."""
    recorded: dict[str, Any] = json.loads(_written(name))
    return recorded


@cache
def _written(name: str) -> str:
    return (EVENTS / f"{name}.json").read_text()


@cache
def names(platform: str = "*") -> list[str]:
    """Return the names of the recorded events."""
    return sorted(f"{path.parent.name}/{path.stem}" for path in EVENTS.glob(f"{platform}/*.json"))


def raw(value: Any, *, form: bool | str = False) -> bytes:
    """Write a body as the platforms do: compact JSON, or that in a form field, or a form's fields themselves."""
    if form == "fields":
        return urlencode(value).encode()
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return urlencode({"payload": text}).encode() if form else text.encode()


def signed(platform: str, body: bytes, *, now: int = NOW, content_type: str = "application/json") -> Webhook:
    """Sign those bytes as the platform would."""
    headers = {"content-type": content_type}
    if platform == "telegram":
        headers["x-telegram-bot-api-secret-token"] = WEBHOOK_SECRET.decode()
    elif platform == "slack":
        mac = hmac.new(SIGNING_SECRET, f"v0:{now}:".encode() + body, hashlib.sha256)
        headers |= {"x-slack-request-timestamp": str(now), "x-slack-signature": f"v0={mac.hexdigest()}"}
    elif platform == "whatsapp":
        headers["x-hub-signature-256"] = f"sha256={hmac.new(APP_SECRET, body, hashlib.sha256).hexdigest()}"
    else:
        signature = SIGNING_KEY.sign(str(now).encode() + body).signature.hex()
        headers |= {"x-signature-timestamp": str(now), "x-signature-ed25519": signature}
    return Webhook(headers, body)


def delivered(recorded: dict[str, Any]) -> Webhook:
    """Make the request that delivers a recorded event."""
    form = recorded.get("form", False)
    content_type = FORM if form else "application/json"
    return signed(recorded["platform"], raw(recorded["body"], form=form), content_type=content_type)


def parsed(name: str, *changes: tuple[str, Any]) -> list[Event]:
    """Parse a recorded event; each change is a dotted path into its body, and what stands there instead."""
    recorded = event(name)
    for path, value in changes:
        *parents, last = path.split(".")
        target = recorded["body"]
        for parent in parents:
            target = target[int(parent) if isinstance(target, list) else parent]
        target[last] = value
    platform = recorded["platform"]
    events: list[Event] = MODULES[platform].parse(delivered(recorded), KNOWN[platform])
    return events


def only_message(name: str, *changes: tuple[str, Any]) -> Message:
    """Parse a recorded event into the one message that it is."""
    (message,) = parsed(name, *changes)
    assert isinstance(message, Message)
    return message


def only_press(name: str, *changes: tuple[str, Any]) -> Press:
    """Parse a recorded event into the one press that it is."""
    (press,) = parsed(name, *changes)
    assert isinstance(press, Press)
    return press


def only_ignored(name: str, *changes: tuple[str, Any]) -> str:
    """Parse a recorded event into the one thing to ignore that it is, and return our word for it."""
    (ignored,) = parsed(name, *changes)
    assert isinstance(ignored, Ignored)
    return ignored.what


def message(platform: Platform, chat_type: ChatType = ChatType.DIRECT, **fields: Any) -> Message:
    """Make a message such as a parser makes."""
    return Message(
        platform=platform, user_id="987654321", delivery_id="1", chat_type=chat_type, **{"chat": "987654321"} | fields
    )


LONGEST_ID = "9" * 20
ACTIONS = (Action.APPROVE, Action.DENY, Action.BLOCK)


def buttons(platform: Platform, user_id: str = LONGEST_ID) -> tuple[Button, ...]:
    """Make the three buttons there are, really signed."""
    keyring = Keyring((b"callback secret",))
    return tuple(
        Button(f"\u2705 {action.title()}", sign(Callback(action, platform, user_id, "ABCD2345"), keyring))
        for action in ACTIONS
    )


def prompt(who: str, platform: Platform = Platform.TELEGRAM, outcome: str = "", *, closed: bool = False) -> Prompt:
    """Make a prompt about somebody of that name."""
    shown = () if closed else buttons(platform)
    return Prompt(who=who, address=f"{platform} {LONGEST_ID}", outcome=outcome, buttons=shown)

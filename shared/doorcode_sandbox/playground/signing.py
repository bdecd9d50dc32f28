"""The headers with which the platforms prove that a webhook is theirs.

https://core.telegram.org/bots/api#setwebhook, https://docs.slack.dev/authentication/verifying-requests-from-slack,
https://docs.discord.com/developers/interactions/overview#setting-up-an-endpoint-validating-security-request-headers
"""

from __future__ import annotations

import hashlib
import hmac

from nacl.signing import SigningKey

from doorcode.pairing.contact import Platform
from doorcode.pairing.keyring import Keyring
from doorcode.platforms.discord import inbound as discord
from doorcode.platforms.slack import inbound as slack
from doorcode.platforms.telegram import inbound as telegram

SECRETS = {module.PLATFORM: module.SECRET for module in (telegram, slack, discord)}
KINDS = {Platform.TELEGRAM: "secret token", Platform.SLACK: "v0 HMAC", Platform.DISCORD: "Ed25519"}
TELEGRAM_HEADER = "X-Telegram-Bot-Api-Secret-Token"
MASK = "•••"


def signed(platform: Platform, body: bytes, keyring: Keyring, seed: bytes, now: int) -> dict[str, str]:
    """Return the headers for these bytes at ``now``: with the newest secret, or on Discord with the key of ``seed``."""
    if platform is Platform.TELEGRAM:
        return {TELEGRAM_HEADER: keyring.newest.decode()}
    if platform is Platform.SLACK:
        mac = hmac.digest(keyring.newest, b"v0:%d:%b" % (now, body), hashlib.sha256).hex()
        return {"X-Slack-Request-Timestamp": str(now), "X-Slack-Signature": f"v0={mac}"}
    signature = SigningKey(seed).sign(str(now).encode() + body).signature.hex()
    return {"X-Signature-Timestamp": str(now), "X-Signature-Ed25519": signature}


def masked(headers: dict[str, str]) -> dict[str, str]:
    """Return the headers without what is a secret itself: a signature fits one body, Telegram's token fits all."""
    return {name: MASK if name == TELEGRAM_HEADER else value for name, value in headers.items()}

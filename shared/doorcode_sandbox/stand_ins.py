"""The three platforms beside the sandbox's stack, and what the stack and they know of each other."""

from __future__ import annotations

import contextlib
import http.client
import secrets
import time
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from nacl.signing import SigningKey

from doorcode.pairing.contact import Platform
from doorcode_cli.platform_api import ALLOWED_UPDATES, MAX_CONNECTIONS
from doorcode_sandbox.platforms.discord.stand_in import DiscordStandIn
from doorcode_sandbox.platforms.server import StandIn
from doorcode_sandbox.platforms.slack.stand_in import SlackStandIn
from doorcode_sandbox.platforms.telegram.stand_in import Hook, TelegramStandIn

OWN = "sandbox"
TOKENS = {platform: f"{platform}/bot-token" for platform in Platform}
# As real ones look, and none of anybody's.
MADE_UP = {
    Platform.TELEGRAM: f"{TelegramStandIn.BOT['id']}:{OWN:_<35}",
    Platform.SLACK: f"xoxb-{1:011}-{1:011}-{OWN:0<24}",
    Platform.DISCORD: f"{OWN:_<26}.{OWN[:6]}.{OWN:_<38}",
}
SIGNING_BYTES = 16
PING = b'{"type":1}'
UNAUTHORIZED = 401


class StandIns:
    """The platforms. Use ``running`` to have them listen."""

    def __init__(self, ports: Mapping[Platform, int], seed: bytes) -> None:
        """Prepare them; ``seed`` is the Ed25519 key that Discord signs with here."""
        self._key = SigningKey(seed)
        self.telegram = TelegramStandIn(MADE_UP[Platform.TELEGRAM], port=ports[Platform.TELEGRAM])
        self.slack = SlackStandIn(MADE_UP[Platform.SLACK], port=ports[Platform.SLACK])
        self.discord = DiscordStandIn(MADE_UP[Platform.DISCORD], port=ports[Platform.DISCORD])
        self.discord.application["verify_key"] = self.public_key
        self.discord.probe = self._probe

    def each(self) -> dict[Platform, StandIn]:
        """Return them by platform."""
        return {Platform.TELEGRAM: self.telegram, Platform.SLACK: self.slack, Platform.DISCORD: self.discord}

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Have them listen."""
        with self.telegram, self.slack, self.discord:
            yield

    @property
    def public_key(self) -> str:
        """The public half of Discord's key, as Discord shows it."""
        return self._key.verify_key.encode().hex()

    def credentials(self) -> dict[Platform, dict[str, str]]:
        """Return everything that a stack is given to work with each."""
        bot = self.telegram.BOT
        own = {
            Platform.TELEGRAM: {"telegram/bot": f"{bot['id']}:{bot['username']}"},
            Platform.SLACK: {
                "slack/signing-secret": secrets.token_hex(SIGNING_BYTES),
                "slack/team": f"{self.slack.TEAM}:",
            },
            Platform.DISCORD: {"discord/public-key": self.public_key},
        }
        return {platform: {TOKENS[platform]: MADE_UP[platform], **own[platform]} for platform in Platform}

    def register(self, url: str, webhook_secret: str) -> None:
        """Have them send to the sandbox, as the set-up commands do."""
        self.telegram.hook = Hook(
            url=f"{url}/telegram",
            secret_token=webhook_secret,
            max_connections=MAX_CONNECTIONS,
            allowed_updates=list(ALLOWED_UPDATES),
        )
        self.discord.application["interactions_endpoint_url"] = f"{url}/discord"

    def _probe(self, url: str) -> bool:
        """Try an interactions endpoint as Discord does: rightly signed, and wrongly."""
        return self._ping(url, self._key) == http.client.OK and self._ping(url, SigningKey.generate()) == UNAUTHORIZED

    def _ping(self, url: str, key: SigningKey) -> int:
        address, stamp = urlsplit(url), str(int(time.time()))
        headers = {
            "Content-Type": "application/json",
            "X-Signature-Timestamp": stamp,
            "X-Signature-Ed25519": key.sign(stamp.encode() + PING).signature.hex(),
        }
        connection = http.client.HTTPConnection(address.netloc, timeout=10)
        with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException):
            connection.request("POST", address.path, PING, headers)
            return connection.getresponse().status
        return 0

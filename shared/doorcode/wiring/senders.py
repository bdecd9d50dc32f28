"""The platforms' senders, built when they are first needed and kept between invocations."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from doorcode.aws.secrets import SecretStore
from doorcode.pairing.contact import Platform
from doorcode.pairing.settings import Settings
from doorcode.platforms.discord.sender import DiscordSender
from doorcode.platforms.sender import Moves, Sender
from doorcode.platforms.slack.sender import SlackSender
from doorcode.platforms.telegram.sender import TelegramSender

Build = Callable[[str], Sender]


class TokenSenders:
    """A sender for each platform whose bot token is set; a token that was changed makes a new one."""

    def __init__(self, secrets: SecretStore, builds: Mapping[Platform, Build]) -> None:
        """Take tokens from ``secrets`` and make senders with ``builds``."""
        self._secrets = secrets
        self._builds = builds
        self._built: dict[Platform, tuple[str, Sender]] = {}

    def on(self, platform: Platform, now: int) -> Sender:
        """Return the sender of a platform. Raises SecretError if it has no token."""
        token = self._secrets.text(token_name(platform), now)
        known = self._built.get(platform)
        if known is not None:
            if known[0] == token:
                return known[1]
            known[1].close()
        sender = self._builds[platform](token)
        self._built[platform] = (token, sender)
        return sender


def token_name(platform: Platform) -> str:
    """Return the name of a platform's bot token among the secrets."""
    return f"{platform}/bot-token"


def builds(settings: Settings, moves: Moves | None = None) -> dict[Platform, Build]:
    """Return how each platform's sender is built for a token; ``moves`` remembers which chats have become others."""
    return {
        Platform.TELEGRAM: lambda token: TelegramSender(token, settings.telegram_api_url, moves=moves),
        Platform.SLACK: lambda token: SlackSender(token, settings.slack_api_url),
        Platform.DISCORD: lambda token: DiscordSender(token, settings.discord_api_url),
    }

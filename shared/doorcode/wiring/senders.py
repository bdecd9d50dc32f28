"""The platforms' senders, imported and built when they are first needed, and kept between invocations."""

from __future__ import annotations

from doorcode.aws.secrets import SecretStore
from doorcode.pairing.platform import TRAITS, Platform
from doorcode.pairing.settings import Settings
from doorcode.platforms.registry import sender_maker
from doorcode.platforms.sender import Moves, MovesOfThisProcess, Sender


class TokenSenders:
    """A sender for each platform whose bot token is set; a token or parameter that was changed makes a new one."""

    def __init__(self, secrets: SecretStore, settings: Settings, moves: Moves | None = None) -> None:
        """Take tokens from ``secrets``; ``moves`` remembers which chats have become others."""
        self._secrets = secrets
        self._settings = settings
        self._moves = moves or MovesOfThisProcess()
        self._built: dict[Platform, tuple[tuple[str, ...], Sender]] = {}

    def on(self, platform: Platform, now: int) -> Sender:
        """Return the sender of a platform. Raises SecretError if it has no token."""
        token = self._secrets.text(token_name(platform), now)
        told = tuple(self._secrets.known(name, now) for name in TRAITS[platform].sender_parameters)
        known = self._built.get(platform)
        if known is not None:
            if known[0] == (token, *told):
                return known[1]
            known[1].close()
        sender = sender_maker(platform)(token, self._settings.api_url(platform), self._moves, *told)
        self._built[platform] = ((token, *told), sender)
        return sender


def what_senders_need() -> list[str]:
    """Return the names of all that is read for the senders: tokens, and what else a platform's is told."""
    more = [name for traits in TRAITS.values() for name in traits.sender_parameters]
    return [*map(token_name, Platform), *more]


def token_name(platform: Platform) -> str:
    """Return the name of a platform's bot token among the secrets."""
    return f"{platform}/bot-token"

"""The platforms' senders, built when they are first needed and kept between invocations."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from doorcode.aws.secrets import SecretStore
from doorcode.pairing.contact import Platform
from doorcode.platforms.sender import Sender

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

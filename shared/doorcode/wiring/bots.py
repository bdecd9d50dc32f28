"""Who the bots are, for the links that name them: what the operator's commands have stored beside the secrets."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from doorcode.aws.secrets import SecretStore
from doorcode.errors import SecretError
from doorcode.pairing.platform import TRAITS, Platform

PARAMETERS = tuple(traits.bot_parameter for traits in TRAITS.values() if traits.bot_parameter)


def usernames(secrets: SecretStore) -> Callable[[int], Mapping[Platform, str]]:
    """Return what gives the usernames that are known at a time. A link is a convenience: without one there is the code."""

    def known(now: int) -> Mapping[Platform, str]:
        found = {}
        for platform, traits in TRAITS.items():
            try:
                bot = secrets.known(traits.bot_parameter, now) if traits.bot_parameter else ""
            except SecretError:
                return {}
            found[platform] = bot.partition(":")[2]
        return found

    return known

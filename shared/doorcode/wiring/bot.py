"""Wires up the door before a bot; imported only where the agent is one."""

from __future__ import annotations

from typing import Any

from doorcode.entrypoints.bot_door import BotDoor
from doorcode.entrypoints.bot_proxy import BotProxy
from doorcode.errors import SettingsError
from doorcode.pairing.settings import Settings
from doorcode.platforms import registry
from doorcode.platforms.inbound import Inbound


def bot_door(platform: Inbound, settings: Settings, **standing_on: Any) -> BotDoor:
    """Build the door to the platform's bot. Raises SettingsError if its address leads nowhere."""
    name = platform.PLATFORM
    deeds = registry.deeds(name)
    try:
        proxy = BotProxy(settings.agents.url_on(name), deeds.SECONDS)
    except ValueError as error:
        raise SettingsError((f"AGENT_URL: {error}.",)) from None
    start = standing_on.pop("begin")

    def begin() -> None:
        start()
        proxy.begin()

    return BotDoor(platform, deeds=deeds, bot_proxy=proxy, settings=settings, begin=begin, **standing_on)

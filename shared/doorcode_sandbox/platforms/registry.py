"""The platforms of the sandbox: one row for each, and a folder with everything that is its own."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from msgspec import Struct

from doorcode.pairing.contact import Platform
from doorcode_sandbox.platforms.chats import Side
from doorcode_sandbox.platforms.discord.chats import DiscordSide
from doorcode_sandbox.platforms.discord.stand_in import DiscordStandIn
from doorcode_sandbox.platforms.server import StandIn
from doorcode_sandbox.platforms.slack.chats import SlackSide
from doorcode_sandbox.platforms.slack.stand_in import SlackStandIn
from doorcode_sandbox.platforms.telegram.chats import TelegramSide
from doorcode_sandbox.platforms.telegram.stand_in import TelegramStandIn
from doorcode_sandbox.platforms.whatsapp.chats import WhatsAppSide
from doorcode_sandbox.platforms.whatsapp.stand_in import WhatsAppStandIn


class SandboxPlatform(Struct, frozen=True):
    """What stands for a platform here: a stand-in for its servers, and its people, who are given that stand-in."""

    stand_in: type[StandIn]
    side: type[Side]


PLATFORMS: Mapping[Platform, SandboxPlatform] = MappingProxyType(
    {
        Platform.TELEGRAM: SandboxPlatform(TelegramStandIn, TelegramSide),
        Platform.SLACK: SandboxPlatform(SlackStandIn, SlackSide),
        Platform.DISCORD: SandboxPlatform(DiscordStandIn, DiscordSide),
        Platform.WHATSAPP: SandboxPlatform(WhatsAppStandIn, WhatsAppSide),
    }
)
# Who the playground's owners are.
OWNERS: Mapping[Platform, tuple[str, ...]] = MappingProxyType(
    {platform: parts.side.owners for platform, parts in PLATFORMS.items()}
)

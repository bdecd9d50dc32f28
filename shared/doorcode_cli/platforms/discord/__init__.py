"""What an operator does on Discord."""

from __future__ import annotations

from doorcode_cli.platforms.discord import checks, commands, secrets
from doorcode_cli.platforms.discord.api import DiscordApi
from doorcode_cli.platforms.port import OperatorPlatform

DISCORD = OperatorPlatform(
    api=DiscordApi,
    commands=commands.app,
    forms=(secrets.PUBLIC_KEY, secrets.TOKEN),
    checks={"discord": checks.application_and_endpoint},
    # Discord sends a few badly signed ones on purpose.
)

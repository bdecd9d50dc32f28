"""What an operator does on Discord."""

from __future__ import annotations

from doorcode_cli.platforms.discord import checks, commands, secrets, set_up
from doorcode_cli.platforms.discord.api import DiscordApi
from doorcode_cli.platforms.port import OperatorPlatform

DISCORD = OperatorPlatform(
    api=DiscordApi,
    commands=commands.app,
    forms=(secrets.PUBLIC_KEY, secrets.TOKEN),
    checks={"discord": checks.application_and_endpoint},
    set_up=set_up.set_up,
    how_to_get_token=set_up.HOW,
    # Discord sends a few badly signed ones on purpose.
)

"""Setting the application up on Discord, for ``doorcode init``: key, commands, endpoint and the links that install it."""

from __future__ import annotations

from doorcode.pairing.contact import Platform
from doorcode.platforms.discord.inbound import COMMAND, DOOR_COMMAND
from doorcode_cli.output import note, say
from doorcode_cli.platforms.discord.api import DiscordApi
from doorcode_cli.platforms.discord.commands import commands_of, registered
from doorcode_cli.platforms.port import SettingUp
from doorcode_cli.shown import shown

HOW = "At https://discord.com/developers/applications, make a New Application; on its page Bot, Reset Token and paste it here."


def set_up(setting_up: SettingUp) -> None:
    """Have Discord send to this stack, with /chat and /door."""
    deployment = setting_up.deployment
    api = DiscordApi.of(deployment)
    application = api.application()
    url = str(application.get("interactions_endpoint_url") or "")
    facts = []
    if url not in {"", deployment.webhook_url(Platform.DISCORD)}:
        facts.append(f"sends to {shown(url)} so far")
    if not deployment.has_bot(Platform.DISCORD):
        found = api.call("GET", commands_of(application))
        others = [shown(one.get("name"), 32) for one in found if one.get("name") not in {COMMAND, DOOR_COMMAND}]
        if others:
            facts.append(f"has the commands /{', /'.join(others)}, which /{COMMAND} and /{DOOR_COMMAND} replace")
    if facts and not setting_up.may_take_over(f"{api.identity()} {' and '.join(facts)}."):
        note("   Discord is left as it is: doorcode discord register has it send here")
        return
    for line in registered(deployment, api, application).lines:
        say(line)

"""What ``doorcode doctor`` asks Discord: the token, the key, and the interactions endpoint."""

from __future__ import annotations

from collections.abc import Iterator

from doorcode.pairing.contact import Platform
from doorcode_cli.examination import Examination, Finding, ok, wrong
from doorcode_cli.platforms.discord.api import DiscordApi
from doorcode_cli.platforms.discord.secrets import PUBLIC_KEY, REGISTER
from doorcode_cli.shown import shown


def application_and_endpoint(examined: Examination) -> Iterator[Finding]:
    """Ask Discord whether it takes the token, and sends here, signed with the key that is stored."""
    api = examined.api(DiscordApi)
    if api is None:
        return
    application = examined.once("Discord's application", api.application)
    yield ok("discord", f"the token is that of {shown(application.get('name'), 40)} ({shown(application['id'], 20)})")
    kept = examined.secrets.get(PUBLIC_KEY.name)
    if kept and str(application.get("verify_key", "")).lower() not in kept.value.lower().split():
        yield wrong("discord", f"{PUBLIC_KEY.name} is that of another application", REGISTER)
    url, ours = application.get("interactions_endpoint_url") or "", examined.deployment.webhook_url(Platform.DISCORD)
    if not url:
        yield wrong("discord", "there is no interactions endpoint: the bot hears nothing", REGISTER)
    elif url != ours:
        yield wrong("discord", f"the interactions endpoint is {shown(url)}, not this stack's {ours}", REGISTER)
    else:
        yield ok("discord", "the interactions endpoint is ours")

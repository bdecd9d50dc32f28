"""Setting the bot up on Telegram, for ``doorcode init``: the webhook, and what people see before they write."""

from __future__ import annotations

from doorcode.pairing.contact import Platform
from doorcode.platforms.telegram.inbound import DOOR
from doorcode_cli.output import note, say
from doorcode_cli.platforms.port import SettingUp
from doorcode_cli.platforms.telegram.api import ALLOWED_UPDATES, BOT_UPDATES, NEEDED_UPDATES, TelegramApi
from doorcode_cli.platforms.telegram.commands import send_here
from doorcode_cli.shown import shown

HOW = "In Telegram, write /newbot to @BotFather (https://t.me/BotFather), and paste the token that it gives you."
COMMANDS = [
    {"command": "start", "description": "Say hello, or ask to be let in"},
    {"command": DOOR.removeprefix("/"), "description": "For the owner: who waits, and a link to the page"},
]
DESCRIPTION = "A private bot. Write to it, and its owner decides who may talk to it."


def set_up(setting_up: SettingUp) -> None:
    """Have Telegram send to this stack, and say what the bot is where nothing is said yet."""
    deployment = setting_up.deployment
    api = TelegramApi.of(deployment)
    hook, ours = api.webhook(), deployment.webhook_url(Platform.TELEGRAM)
    url = str(hook.get("url") or "")
    if url not in {"", ours} and not setting_up.may_take_over(f"{api.identity()} sends to {shown(url)} so far."):
        note("   Telegram is left as it is: doorcode telegram webhook set has it send here")
        return
    has_bot = deployment.has_bot(Platform.TELEGRAM)
    kinds = hook.get("allowed_updates") if url == ours else None
    if not kinds or not set(NEEDED_UPDATES if has_bot else ALLOWED_UPDATES) <= set(kinds):
        # A bot behind the door may have asked for other kinds: those stay.
        kinds = BOT_UPDATES if has_bot else ALLOWED_UPDATES
    say(send_here(deployment, api, kinds))
    if not has_bot:
        _introduce(api)


def _introduce(api: TelegramApi) -> None:
    there = api.introduction()
    if not there["commands"]:
        api.call("setMyCommands", commands=COMMANDS)
    if not there["description"]:
        api.call("setMyDescription", description=DESCRIPTION)
    if not there["short_description"]:
        api.call("setMyShortDescription", short_description=DESCRIPTION)

"""What an operator does on Telegram."""

from __future__ import annotations

from doorcode_cli.platforms.port import OperatorPlatform
from doorcode_cli.platforms.telegram import checks, commands, secrets, set_up
from doorcode_cli.platforms.telegram.api import TelegramApi, WebhookHolder

TELEGRAM = OperatorPlatform(
    api=TelegramApi,
    commands=commands.app,
    forms=(secrets.WEBHOOK_SECRET, secrets.TOKEN),
    checks={"telegram": checks.bot_and_webhook, "groups": checks.mentions},
    mends_signatures=secrets.SET_WEBHOOK,
    set_up=set_up.set_up,
    how_to_get_token=set_up.HOW,
    holder=WebhookHolder,
)

"""What an operator does on WhatsApp."""

from __future__ import annotations

from doorcode_cli.platforms.port import OperatorPlatform
from doorcode_cli.platforms.whatsapp import checks, commands, failures, secrets, set_up
from doorcode_cli.platforms.whatsapp.api import WhatsAppApi

WHATSAPP = OperatorPlatform(
    api=WhatsAppApi,
    commands=commands.app,
    forms=(secrets.APP_SECRET, secrets.VERIFY_TOKEN, secrets.TOKEN),
    checks={"whatsapp": checks.token_and_webhook, "templates": checks.template},
    failures=failures.FAILURES,
    mends_signatures=secrets.APP_SECRET.sets,
    set_up=set_up.set_up,
    how_to_get_token=set_up.HOW,
    used_once=(secrets.ACCOUNT, secrets.NUMBER),
)

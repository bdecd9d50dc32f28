"""Telegram's secrets: the bot's token, and what Telegram sends along with each update."""

from __future__ import annotations

from doorcode.platforms.telegram.inbound import SECRET
from doorcode_cli.secret_forms import SHORTEST_OWN, Form

SET_WEBHOOK = "doorcode telegram webhook set"

WEBHOOK_SECRET = Form(
    SECRET,
    "",
    rf"[A-Za-z0-9_-]{{{SHORTEST_OWN},256}}",
    f"{SHORTEST_OWN} to 256 of the characters A-Z, a-z, 0-9, _ and -",
    ring=True,
    next=SET_WEBHOOK,
)
TOKEN = Form(
    "telegram/bot-token",
    "from @BotFather",
    r"[0-9]{3,20}:[A-Za-z0-9_-]+",
    "the bot's number, a colon and letters, such as @BotFather gives",
    looks=r"[0-9]+:[A-Za-z0-9_-]{35}",
    looks_text="35 characters behind the colon",
    prefix=r"[0-9]+:",
    sample=r"123456:ABC-DEF.*",
    next=SET_WEBHOOK,
)

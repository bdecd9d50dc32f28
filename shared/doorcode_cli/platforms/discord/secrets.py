"""Discord's secrets: the key that tells its signatures, which is public, and the bot's token."""

from __future__ import annotations

from doorcode_cli.secret_forms import Form

REGISTER = "doorcode discord register"

PUBLIC_KEY = Form(
    "discord/public-key",
    f"with {REGISTER}",
    r"[0-9A-Fa-f]{64}",
    "64 hex digits",
    mistaken=((r"[^.]+\.[^.]+\.[^.]+", "That looks like the bot's token, which is called discord/bot-token."),),
    set_by=REGISTER,
)
TOKEN = Form(
    "discord/bot-token",
    "from the application's Bot page, at https://discord.com/developers/applications",
    r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+",
    "three parts with dots between them",
    looks=r"[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{27,}",
    looks_text="about 70 characters",
    mistaken=(
        (r"(?i)bot\s.*", "Leave out the word Bot before the token."),
        (r"[0-9A-Fa-f]{64}", "That looks like the public key, which is called discord/public-key."),
        (r"[A-Za-z0-9_-]{32}", "That looks like the client secret. The token stands on the Bot page."),
    ),
    next=REGISTER,
)

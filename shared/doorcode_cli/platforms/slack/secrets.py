"""Slack's secrets: what it signs with, and the bot's token."""

from __future__ import annotations

from doorcode_cli.secret_forms import Form

SIGNING_SECRET = Form(
    "slack/signing-secret",
    "from the app's Basic Information, at https://api.slack.com/apps",
    r"[!-~]{8,128}",
    "8 to 128 visible characters without spaces",
    looks=r"[0-9a-f]{32}",
    looks_text="32 hex digits",
    ring=True,
    mistaken=((r"xox.*|xapp.*", "That is a token. The signing secret stands in the app's Basic Information."),),
)
# Makes the app by itself. It is its owner's, works for twelve hours, and is kept nowhere.
CONFIGURATION_TOKEN = Form(
    "slack/configuration-token",
    "from Your App Configuration Tokens, at https://api.slack.com/apps",
    r"xoxe\.xox[a-z]-[A-Za-z0-9-]+",
    "xoxe.xoxp- and more letters and digits",
    prefix=r"xoxe\.xox[a-z]-",
    mistaken=(
        (r"xoxe-.*", "That is the refresh token, which stands beside it. The access token begins with xoxe.xoxp-."),
        (r"xoxb-.*", "That is a bot's token, which is asked for later."),
    ),
)
TOKEN = Form(
    "slack/bot-token",
    "from the app's OAuth & Permissions, at https://api.slack.com/apps",
    r"xoxb-[A-Za-z0-9-]+",
    "xoxb- and more letters and digits",
    looks=r"xoxb-[0-9]+-[0-9]+-[A-Za-z0-9]{20,}",
    looks_text="xoxb-, two numbers and letters",
    prefix="xoxb-",
    mistaken=(
        (r"xoxp-.*", "That is a user's token. The bot's begins with xoxb-."),
        (r"xapp-.*", "That is an app-level token. The bot's begins with xoxb-."),
        (r"xoxe.*", "That is a token that expires. Turn token rotation off: the bot's begins with xoxb-."),
        (r"[0-9a-f]{32}", "That looks like the signing secret. The bot's token begins with xoxb-."),
    ),
)

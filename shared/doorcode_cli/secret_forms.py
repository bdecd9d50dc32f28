"""The secrets by name, and what a value of each has to look like. No message ever repeats a value."""

from __future__ import annotations

import re

from msgspec import Struct

from doorcode.pairing.contact import Platform
from doorcode.pairing.ports import CALLBACK_SECRET, GATEWAY_SECRET
from doorcode.platforms.telegram.inbound import SECRET as TELEGRAM_WEBHOOK_SECRET

TELEGRAM_TOKEN = "telegram/bot-token"  # noqa: S105 (a name, not a secret)
SLACK_SIGNING = "slack/signing-secret"
SLACK_TOKEN = "slack/bot-token"  # noqa: S105 (a name, not a secret)
DISCORD_KEY = "discord/public-key"
DISCORD_TOKEN = "discord/bot-token"  # noqa: S105 (a name, not a secret)

# By these the sandbox knows which platforms are real.
TOKENS = {TELEGRAM_TOKEN: Platform.TELEGRAM, SLACK_TOKEN: Platform.SLACK, DISCORD_TOKEN: Platform.DISCORD}

# What Parameter Store's standard tier takes.
LONGEST_VALUE = 4096
SHORTEST_OWN = 16

# What stands in documentation and templates where a value belongs. Each alone, or as a beginning with more behind it.
PLACEHOLDER = re.compile(
    r"(?i)[<{\[(].*|.*[>}\])]|secret|token|password|none|null|undefined|\.+|123456:ABC-DEF.*|(.)\1{7,}|"
    r"(change[-_ ]?me|place[-_ ]?holder|to[-_ ]?do|your|my|insert|replace|example|dummy|sample|xxx)([-_ .:].*|x*)"
)
# Such as xoxb-your-token and 123456789:your-token.
AFTER_THE_PREFIX = re.compile(r"(?:xoxb-|[0-9]+:)(.+)")


class Form(Struct, frozen=True):
    """What is known of a secret. ``must`` and ``looks`` are what every value is like and what they are usually like."""

    name: str
    # Where to find it, for whoever has to set it; empty for what is made here.
    found: str
    must: str
    must_text: str
    looks: str = ""
    looks_text: str = ""
    # Several at a time, one on each line, the newest first.
    ring: bool = False
    # What the wrong value probably is: a pattern and a sentence.
    mistaken: tuple[tuple[str, str], ...] = ()
    # What has to be run once it is set.
    next: str = ""


_OWN = rf"\S{{{SHORTEST_OWN},}}"
_OWN_TEXT = f"at least {SHORTEST_OWN} characters without spaces"

FORMS = {
    form.name: form
    for form in (
        Form(GATEWAY_SECRET, "", _OWN, _OWN_TEXT, ring=True),
        Form(CALLBACK_SECRET, "", _OWN, _OWN_TEXT, ring=True),
        Form(
            TELEGRAM_WEBHOOK_SECRET,
            "",
            rf"[A-Za-z0-9_-]{{{SHORTEST_OWN},256}}",
            f"{SHORTEST_OWN} to 256 of the characters A-Z, a-z, 0-9, _ and -",
            ring=True,
            next="doorcode telegram webhook set",
        ),
        Form(
            TELEGRAM_TOKEN,
            "from @BotFather",
            r"[0-9]{3,20}:[A-Za-z0-9_-]+",
            "the bot's number, a colon and letters, such as @BotFather gives",
            looks=r"[0-9]+:[A-Za-z0-9_-]{35}",
            looks_text="35 characters behind the colon",
            next="doorcode telegram webhook set",
        ),
        Form(
            SLACK_SIGNING,
            "from the app's Basic Information, at https://api.slack.com/apps",
            r"[!-~]{8,128}",
            "8 to 128 visible characters without spaces",
            looks=r"[0-9a-f]{32}",
            looks_text="32 hex digits",
            ring=True,
            mistaken=((r"xox.*|xapp.*", "That is a token. The signing secret stands in the app's Basic Information."),),
        ),
        Form(
            SLACK_TOKEN,
            "from the app's OAuth & Permissions, at https://api.slack.com/apps",
            r"xoxb-[A-Za-z0-9-]+",
            "xoxb- and more letters and digits",
            looks=r"xoxb-[0-9]+-[0-9]+-[A-Za-z0-9]{20,}",
            looks_text="xoxb-, two numbers and letters",
            mistaken=(
                (r"xoxp-.*", "That is a user's token. The bot's begins with xoxb-."),
                (r"xapp-.*", "That is an app-level token. The bot's begins with xoxb-."),
                (r"xoxe.*", "That is a token that expires. Turn token rotation off: the bot's begins with xoxb-."),
                (r"[0-9a-f]{32}", "That looks like the signing secret. The bot's token begins with xoxb-."),
            ),
        ),
        Form(
            DISCORD_KEY,
            "with doorcode discord register",
            r"[0-9A-Fa-f]{64}",
            "64 hex digits",
            mistaken=((r"[^.]+\.[^.]+\.[^.]+", "That looks like the bot's token, which is called discord/bot-token."),),
        ),
        Form(
            DISCORD_TOKEN,
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
            next="doorcode discord register",
        ),
    )
}

# What the operator sets for each platform; the rest is made here.
NEEDED = {
    Platform.TELEGRAM: (TELEGRAM_TOKEN,),
    Platform.SLACK: (SLACK_SIGNING, SLACK_TOKEN),
    Platform.DISCORD: (DISCORD_KEY, DISCORD_TOKEN),
}


def is_placeholder(value: str) -> bool:
    """Tell whether a value is only what a documentation or template has in its place."""
    rest = AFTER_THE_PREFIX.fullmatch(value)
    return any(PLACEHOLDER.fullmatch(text) for text in (value, *(rest.groups() if rest else ())))


def problem(form: Form, value: str) -> str:
    """Say why one value cannot be that secret, or nothing."""
    if not value:
        return f"The value for {form.name} is empty."
    for pattern, sentence in form.mistaken:
        if re.fullmatch(pattern, value):
            return f"This is not {form.name}: {sentence[0].lower()}{sentence[1:]}"
    if is_placeholder(value):
        return f"This is only a placeholder for {form.name}.{_where(form)}"
    if not re.fullmatch(form.must, value):
        return f"This is not {form.name}: it has {form.must_text}.{_where(form)}"
    return ""


def doubt(form: Form, value: str) -> str:
    """Say why one value may not be that secret, although it can be, or nothing."""
    if form.looks and not re.fullmatch(form.looks, value):
        return f"{form.name} usually has {form.looks_text}. Look once more whether it was copied as a whole."
    return ""


def _where(form: Form) -> str:
    return f" Take it {form.found}." if form.found else ""


def lines(value: str) -> list[str]:
    """Return the secrets of a ring, newest first."""
    return [line.strip() for line in value.splitlines() if line.strip()]

"""The platforms: one row for each, with what the shared code has to know of it.

All else about a platform is in its rooms: ``platforms/<name>`` here, and a folder of that name in the command and in
the sandbox.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from msgspec import Struct


class Platform(StrEnum):
    """The chat platforms that strangers can write from."""

    TELEGRAM = "telegram"
    SLACK = "slack"
    DISCORD = "discord"


class Traits(Struct, frozen=True, kw_only=True):
    """What is different about a platform. Patterns are regular expressions that match the whole text."""

    # What a person's id looks like, in words, and where people find theirs.
    id_pattern: str
    id_words: str
    id_found: str
    # What a group's id looks like, and one of them as people write it.
    group_pattern: str
    group_example: str
    # Where its API is, unless the setting {PLATFORM}_API_URL says otherwise.
    api_url: str
    # What ids look like that were given without a platform, where nobody else's do.
    guessed_pattern: str = ""
    # What usernames look like, where ALLOWED_USERS may name people by them.
    username_pattern: str = ""
    # The command with which people write, where a bot hears nothing else.
    command: str = ""
    # What a link can have a person's app send before what the link carries; and that link.
    start_command: str = ""
    start_link: str = ""
    # The parameter that tells who the bot is, ``{id}:{username}``, where the link has to name it.
    bot_parameter: str = ""
    # Nothing that stands in the webhook's response is shown, so that the courier tells people what they wait for.
    silent_edge: bool = False
    # Each message has its own place for an answer, and waits for it.
    each_message_waits: bool = False
    # Secrets that nobody else has, made when the stack is deployed.
    made_secrets: tuple[str, ...] = ()


TRAITS: Mapping[Platform, Traits] = MappingProxyType(
    {
        Platform.TELEGRAM: Traits(
            # At most 52 bits: https://core.telegram.org/bots/api#user
            id_pattern=r"[1-9][0-9]{0,15}",
            id_words="digits, such as 987654321",
            id_found="Telegram itself shows none",
            group_pattern=r"-[0-9]{1,16}",
            group_example="-1001234567890",
            api_url="https://api.telegram.org",
            # Slack's ids begin with a letter and Discord's are longer: whose those are is not for us to guess.
            guessed_pattern=r"[0-9]{1,15}",
            username_pattern=r"[A-Za-z][A-Za-z0-9_]{3,31}",
            # https://core.telegram.org/bots/features#deep-linking
            start_command="/start",
            start_link="https://t.me/{bot}?start={code}",
            bot_parameter="telegram/bot",
            made_secrets=("telegram/webhook-secret",),
        ),
        Platform.SLACK: Traits(
            # People of another workspace stand behind that workspace's own id.
            id_pattern=r"(T[A-Z0-9]{2,20}:)?[UW][A-Z0-9]{2,20}",
            id_words="capitals and digits, such as U1234ABCD",
            id_found="in Slack it is their profile's Copy member ID",
            group_pattern=r"[CG][A-Z0-9]{2,30}",
            group_example="C01234567",
            api_url="https://slack.com/api",
            silent_edge=True,
        ),
        Platform.DISCORD: Traits(
            # A snowflake: https://docs.discord.com/developers/reference#snowflakes
            id_pattern=r"[1-9][0-9]{16,19}",
            id_words="17 to 20 digits, such as 123456789012345678",
            id_found="in Discord's developer mode it is their Copy User ID",
            # A channel's, as a server has many.
            group_pattern=r"[0-9]{1,20}",
            group_example="CHANNEL_ID",
            api_url="https://discord.com/api/v10",
            command="/chat",
            each_message_waits=True,
        ),
    }
)

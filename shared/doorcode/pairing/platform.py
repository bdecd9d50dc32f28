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
    WHATSAPP = "whatsapp"

    @property
    def brand(self) -> str:
        """How people write its name."""
        return TRAITS[self].brand or self.title()


class Traits(Struct, frozen=True, kw_only=True):
    """What is different about a platform. Patterns are regular expressions that match the whole text."""

    # What a person's id looks like, in words, and where people find theirs.
    id_pattern: str
    id_words: str
    id_found: str
    # Where its API is, unless the setting {PLATFORM}_API_URL says otherwise.
    api_url: str
    # What a group's id looks like, and one of them as people write it, where a bot can be named in groups.
    group_pattern: str = ""
    group_example: str = ""
    # How its name is written, where that is not just its first letter in upper case.
    brand: str = ""
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
    # Strangers there are turned away unless the policy names the platform: they are customers, often.
    denies_unless_named: bool = False
    # What its sender is told beside the bot's token: parameters beside the secrets, which may be missing.
    sender_parameters: tuple[str, ...] = ()
    # A request may hold many people's events: what does not fit the time that one has is remembered.
    many_in_one: bool = False
    # For how many hours it delivers again what was not answered with success.
    redelivery_hours: int = 24
    # The secret that a handshake names which is not signed, where it makes one.
    handshake_secret: str = ""
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
        Platform.WHATSAPP: Traits(
            # The id that Meta gives a person towards one business, with their country; where there is none, the number.
            # https://developers.facebook.com/documentation/business-messaging/whatsapp/business-scoped-user-ids
            id_pattern=r"[A-Z]{2}\.[A-Za-z0-9]{1,128}|[1-9][0-9]{6,14}",
            id_words="a country and an id, such as US.13491208655302741918",
            id_found="WhatsApp itself shows none",
            api_url="https://graph.facebook.com/v27.0",
            brand="WhatsApp",
            guessed_pattern=r"[A-Z]{2}\.[A-Za-z0-9]{1,128}",
            start_link="https://wa.me/{bot}?text={code}",
            bot_parameter="whatsapp/bot",
            sender_parameters=("whatsapp/bot", "whatsapp/template"),
            silent_edge=True,
            denies_unless_named=True,
            many_in_one=True,
            # https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/create-webhook-endpoint
            redelivery_hours=7 * 24,
            handshake_secret="whatsapp/verify-token",  # noqa: S106 (a name, not a secret)
            made_secrets=("whatsapp/verify-token",),
        ),
    }
)

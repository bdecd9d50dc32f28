"""What ``doorcode doctor`` looks at: a deployment, asked once for each thing however many checks want to know."""

from __future__ import annotations

import time
from collections.abc import Callable
from enum import StrEnum
from functools import cached_property
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError
from msgspec import Struct

from doorcode.aws.directory import Directory
from doorcode.aws.items import CONTACT, contact_from_item, contact_pk
from doorcode.aws.table import Table
from doorcode.pairing.contact import Contact, Platform, State
from doorcode.pairing.settings import Settings, parse_settings
from doorcode_cli.deployment import Deployment
from doorcode_cli.exit_codes import CommandError
from doorcode_cli.parameter_store import Kept
from doorcode_cli.platform_api import DiscordApi, SlackApi, TelegramApi
from doorcode_cli.secret_forms import DISCORD_TOKEN, FORMS, NEEDED, SLACK_TOKEN, TELEGRAM_TOKEN
from doorcode_cli.target import unreachable

T = TypeVar("T")

# Which function has the settings of the gate, and which those of what follows from it.
GATE_FUNCTIONS = {
    Platform.TELEGRAM: "TelegramFunction",
    Platform.SLACK: "SlackFunction",
    Platform.DISCORD: "DiscordFunction",
}


class Level(StrEnum):
    """How bad something is."""

    OK = "ok"
    WARN = "warn"
    WRONG = "wrong"


class Finding(Struct, frozen=True):
    """One line of what was found, and what mends it."""

    check: str
    level: Level
    text: str
    remedy: str = ""


class Dropped(Struct, frozen=True):
    """A sender who did not get through, and what would let them in."""

    at: float
    platform: str
    user_id: str
    reason: str
    remedy: str


class Examination:
    """One look at a deployment."""

    def __init__(self, deployment: Deployment, *, send_test: bool = False) -> None:
        """Look at ``deployment``; with ``send_test``, owners are written to."""
        self.deployment = deployment
        self.send_test = send_test
        self.now = time.time()
        self.dropped: list[Dropped] = []
        self._answers: dict[str, tuple[Any, CommandError | None]] = {}

    def once(self, what: str, ask: Callable[[], T]) -> T:
        """Return an answer, and the same one, or the same error, when it is wanted again."""
        if what not in self._answers:
            try:
                self._answers[what] = (ask(), None)
            except CommandError as error:
                self._answers[what] = (None, error)
            except (BotoCoreError, ClientError) as error:
                self._answers[what] = (None, unreachable(error, what))
        answer, failure = self._answers[what]
        if failure is not None:
            raise failure
        found: T = answer
        return found

    @property
    def secrets(self) -> dict[str, Kept]:
        """The secrets that are there."""
        return self.once("secrets", lambda: self.deployment.shelf.read(list(FORMS)))

    def contact(self, platform: Platform, user_id: str) -> Contact:
        """Return a contact as it stands in the table now; one that is not there is a stranger's."""
        # A query, for which whoever examines needs no right beside the one to look at the seats.
        answer = self.deployment.client("dynamodb").query(
            TableName=self.deployment.output("TableName"),
            KeyConditionExpression="pk = :pk AND sk = :sk",
            ExpressionAttributeValues={":pk": {"S": contact_pk(platform, user_id)}, ":sk": {"S": CONTACT}},
            ConsistentRead=True,
        )
        items = answer["Items"]
        return contact_from_item(items[0]) if items else Contact(platform=platform, user_id=user_id)

    @cached_property
    def someone_is_paired(self) -> bool:
        """Whether anybody is paired, on whatever platform."""
        listed = Directory(Table(self.deployment.client("dynamodb"), self.deployment.output("TableName"))).listed
        return any(listed(platform, State.PAIRED, int(self.now), limit=1).contacts for platform in Platform)

    def uses(self, platform: Platform) -> bool:
        """Tell whether a platform is being set up, or is: one of its secrets is there."""
        return any(name in self.secrets for name in NEEDED[platform])

    @cached_property
    def settings(self) -> Settings:
        """The settings in force. Raises SettingsError for those that stop the functions."""
        deployment = self.deployment
        return parse_settings(
            {**deployment.environment("CourierFunction"), **deployment.environment("TelegramFunction")}
        )

    def _token(self, name: str) -> str | None:
        kept = self.secrets.get(name)
        return kept.value.strip() if kept and kept.value.strip() else None

    def _api(self, platform: Platform, name: str, kind: type[T]) -> T | None:
        token = self._token(name)
        if token is None:
            return None
        make: Callable[[str, str], T] = kind
        return self.once(
            f"the API of {platform.title()}", lambda: make(token, self.deployment.api_url(platform))
        )  # fmt: skip

    @property
    def telegram(self) -> TelegramApi | None:
        """Telegram's API, if there is a token for it."""
        return self._api(Platform.TELEGRAM, TELEGRAM_TOKEN, TelegramApi)

    @property
    def slack(self) -> SlackApi | None:
        """Slack's API, if there is a token for it."""
        return self._api(Platform.SLACK, SLACK_TOKEN, SlackApi)

    @property
    def discord(self) -> DiscordApi | None:
        """Discord's API, if there is a token for it."""
        return self._api(Platform.DISCORD, DISCORD_TOKEN, DiscordApi)

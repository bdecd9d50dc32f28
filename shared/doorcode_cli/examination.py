"""What ``doorcode doctor`` looks at: a deployment, asked once for each thing however many checks want to know."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator
from enum import StrEnum
from functools import cached_property
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError
from msgspec import Struct

from doorcode.aws.directory import Directory
from doorcode.aws.items import CONTACT, OWNERS, contact_from_item, contact_pk, owners_from_item
from doorcode.aws.table import Table
from doorcode.pairing.contact import Contact, Platform, State
from doorcode.pairing.settings import Settings, parse_settings
from doorcode_cli.deployment import ANY_EDGE, CALLS_PLATFORMS, Deployment
from doorcode_cli.exit_codes import CommandError
from doorcode_cli.parameter_store import Kept
from doorcode_cli.platform_api import PlatformApi
from doorcode_cli.target import unreachable

T = TypeVar("T")
A = TypeVar("A", bound=PlatformApi)


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


def ok(check: str, text: str, remedy: str = "") -> Finding:
    """Say that something is as it should be."""
    return Finding(check, Level.OK, text, remedy)


def warn(check: str, text: str, remedy: str = "") -> Finding:
    """Say that something is probably not meant."""
    return Finding(check, Level.WARN, text, remedy)


def wrong(check: str, text: str, remedy: str = "") -> Finding:
    """Say that something does not work."""
    return Finding(check, Level.WRONG, text, remedy)


class Dropped(Struct, frozen=True):
    """A sender who did not get through, and what would let them in."""

    at: float
    platform: str
    user_id: str
    reason: str
    remedy: str


class Examination:
    """One look at a deployment."""

    def __init__(self, deployment: Deployment, names: Collection[str], *, send_test: bool = False) -> None:
        """Look at ``deployment``, whose secrets have these names; with ``send_test``, owners are written to."""
        self.deployment = deployment
        self._names = names
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
        return self.once("secrets", lambda: self.deployment.parameter_store.read(list(self._names)))

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
    def owners(self) -> tuple[tuple[Platform, str], ...]:
        """Everybody who owns the bot: by the setting, and by claim."""
        answer = self.deployment.client("dynamodb").query(
            TableName=self.deployment.output("TableName"),
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": OWNERS}},
            ConsistentRead=True,
        )
        by_claim = [owner for item in answer["Items"] for owner in owners_from_item(item)]
        return tuple(dict.fromkeys((*self.settings.owners, *by_claim)))

    @cached_property
    def someone_is_paired(self) -> bool:
        """Whether anybody is paired, on whatever platform."""
        listed = Directory(Table(self.deployment.client("dynamodb"), self.deployment.output("TableName"))).listed
        return any(listed(platform, State.PAIRED, int(self.now), limit=1).contacts for platform in Platform)

    @cached_property
    def settings(self) -> Settings:
        """The settings in force. Raises SettingsError for those that stop the functions."""
        deployment = self.deployment
        return parse_settings({**deployment.environment(CALLS_PLATFORMS), **deployment.environment(ANY_EDGE)})

    def api(self, kind: type[A]) -> A | None:
        """Return a platform's API, if there is a token for it. Raises PlatformError for one that cannot be a token."""
        kept = self.secrets.get(kind.token.name)
        token = kept.value.strip() if kept else ""
        if not token:
            return None
        return self.once(
            f"the API of {kind.platform.brand}", lambda: kind(token, self.deployment.api_url(kind.platform))
        )  # fmt: skip


# Looks at one thing.
Check = Callable[[Examination], Iterator[Finding]]

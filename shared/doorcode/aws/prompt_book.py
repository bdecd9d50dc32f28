"""Where each owner's prompt is, and which consequences of a move are done: the courier's own notes, by contact.

A prompt is noted as an intent before it is sent, and completed with its place after. Whoever dies in between leaves an
intent; the next delivery of the same record then sends again, since no place is known that could be edited.
"""

from __future__ import annotations

from msgspec import Struct

from doorcode.aws.items import PROMPTS_KEPT_SECONDS, attribute, contact_pk, expires_after
from doorcode.aws.table import Table
from doorcode.pairing.contact import Platform

PROGRESS = "progress#"


class Noted(Struct, frozen=True):
    """One owner's prompt for one request. ``place`` is the platform's own, empty while it is only intended.

    ``reopened`` tells that it was sent by other means, because the first one did not arrive.
    """

    nonce: str
    owner_platform: Platform
    owner_id: str
    place: str = ""
    reopened: bool = False

    @property
    def owner(self) -> tuple[Platform, str]:
        """Whose prompt it is."""
        return self.owner_platform, self.owner_id


class PromptBook:
    """The notes of one table, under ``prompts#{platform}#{user_id}``."""

    def __init__(self, table: Table) -> None:
        """Keep notes in ``table``."""
        self._table = table

    def prompts(self, platform: Platform, user_id: str, nonce: str) -> list[Noted]:
        """Return the prompts of one request, in the order of their owners."""
        found = []
        if not nonce:
            return []
        for item in self._table.partition(_pk(platform, user_id), f"{nonce}#"):
            owner = item["sk"]["S"].partition("#")[2]
            owner_platform, _, owner_id = owner.partition(":")
            place = item.get("place", {}).get("S", "")
            found.append(Noted(nonce, Platform(owner_platform), owner_id, place, "reopened" in item))
        return found

    def intend(self, platform: Platform, user_id: str, prompt: Noted, now: int) -> None:
        """Note that a prompt is about to be sent; one that is noted already keeps its place."""
        self._note(platform, user_id, prompt, now, "SET #ttl = :ttl")

    def complete(self, platform: Platform, user_id: str, prompt: Noted, now: int) -> None:
        """Note where a prompt is."""
        reopened = {"reopened": 1} if prompt.reopened else {}
        expression = "SET #ttl = :ttl, place = :place" + ", reopened = :reopened" * prompt.reopened
        self._note(platform, user_id, prompt, now, expression, place=prompt.place, **reopened)

    def forget(self, platform: Platform, user_id: str, prompt: Noted) -> None:
        """Forget a prompt that is nowhere, or that has become another request's."""
        self._table.delete(_pk(platform, user_id), _sk(prompt))

    def done(self, platform: Platform, user_id: str, record: str) -> frozenset[str]:
        """Return the steps that are done of what follows from that record of the stream."""
        item = self._table.get(_pk(platform, user_id), f"{PROGRESS}{record}")
        return frozenset(item["steps"]["SS"]) if item else frozenset()

    def note_done(self, platform: Platform, user_id: str, record: str, steps: frozenset[str], now: int) -> None:
        """Note the steps that are done for that record, all of them together. Records are never followed for a day."""
        self._table.update(
            _pk(platform, user_id),
            f"{PROGRESS}{record}",
            UpdateExpression="SET steps = :steps, #ttl = :ttl",
            ExpressionAttributeNames={"#ttl": "ttl"},
            ExpressionAttributeValues={
                ":steps": {"SS": sorted(steps)},
                ":ttl": attribute(expires_after(now)),
            },
        )

    def _note(
        self, platform: Platform, user_id: str, prompt: Noted, now: int, expression: str, **values: str | int
    ) -> None:
        self._table.update(
            _pk(platform, user_id),
            _sk(prompt),
            UpdateExpression=expression,
            ExpressionAttributeNames={"#ttl": "ttl"},
            ExpressionAttributeValues={
                ":ttl": attribute(now + PROMPTS_KEPT_SECONDS),
                **{f":{name}": attribute(value) for name, value in values.items()},
            },
        )


def _pk(platform: Platform, user_id: str) -> str:
    return f"prompts#{contact_pk(platform, user_id)}"


def _sk(prompt: Noted) -> str:
    return f"{prompt.nonce}#{prompt.owner_platform}:{prompt.owner_id}"

"""How far a request came of which not everything was done: kept under the hash of its body, for as long as it comes again."""

from __future__ import annotations

import hashlib
from contextlib import suppress

from doorcode.aws.items import attribute
from doorcode.aws.table import ConditionError, Table
from doorcode.pairing.platform import TRAITS, Platform

HOUR, DAY = 3600, 86_400
KEY = "request"


class RequestProgress:
    """Notes in the table."""

    def __init__(self, table: Table) -> None:
        """Keep them in ``table``."""
        self._table = table

    def of(self, platform: Platform, body: bytes, now: int) -> int:  # noqa: ARG002 (no platform sends the same body anew)
        """Return how many of a request's events are done. Raises UnavailableError."""
        item = self._table.get(_pk(platform, body), KEY)
        return int(item["done"]["N"]) if "done" in item else 0

    def note(self, platform: Platform, body: bytes, done: int, now: int) -> None:
        """Remember that so many are, unless more are known to be. Raises UnavailableError."""
        with suppress(ConditionError):
            self._table.update(
                _pk(platform, body),
                KEY,
                UpdateExpression="SET done = :done, #ttl = :ttl",
                ConditionExpression="attribute_not_exists(done) OR done < :done",
                ExpressionAttributeNames={"#ttl": "ttl"},
                ExpressionAttributeValues={
                    ":done": attribute(done),
                    ":ttl": attribute(now + TRAITS[platform].redelivery_hours * HOUR + DAY),
                },
            )


def _pk(platform: Platform, body: bytes) -> str:
    return f"progress#{platform}#{hashlib.sha256(body).hexdigest()}"

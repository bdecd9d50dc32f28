"""How far a request came of which not everything was done: kept under the hash of its body, for as long as it comes again."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from typing import Any

from doorcode.aws.items import attribute
from doorcode.aws.table import ConditionError, Table
from doorcode.pairing.messages import Come
from doorcode.pairing.platform import TRAITS, Platform

HOUR, DAY = 3600, 86_400
KEY = "request"


class RequestProgress:
    """Notes in the table."""

    def __init__(self, table: Table) -> None:
        """Keep them in ``table``."""
        self._table = table

    def of(self, platform: Platform, body: bytes, now: int) -> Come:  # noqa: ARG002 (no platform sends the same body anew)
        """Return how far a request came. Raises UnavailableError."""
        item = self._table.get(_pk(platform, body), KEY)
        done, tries = (int(item[name]["N"]) if name in item else 0 for name in ("done", "tries"))
        return Come(done, tries, frozenset(map(int, item.get("aside", {}).get("NS", []))))

    def note(self, platform: Platform, body: bytes, before: Come, after: Come, now: int) -> None:
        """Remember how far it came from ``before``, unless it is known to have come further. Raises UnavailableError.

        What is put aside is added, and taken out, one by one: of two that serve the same request at once neither drops
        what the other has put there.
        """
        pk, expression = _pk(platform, body), "SET done = :done, tries = :tries, #ttl = :ttl"
        values: dict[str, dict[str, Any]] = {
            ":done": attribute(after.done),
            ":tries": attribute(after.tries),
            ":ttl": attribute(now + TRAITS[platform].redelivery_hours * HOUR + DAY),
        }
        if more := after.aside - before.aside:
            expression, values[":more"] = f"{expression} ADD aside :more", _numbers(more)
        with suppress(ConditionError):
            self._table.update(
                pk,
                KEY,
                UpdateExpression=expression,
                ConditionExpression="attribute_not_exists(done) OR done <= :done",
                ExpressionAttributeNames={"#ttl": "ttl"},
                ExpressionAttributeValues=values,
            )
        if less := before.aside - after.aside:
            self._table.update(
                pk, KEY, UpdateExpression="DELETE aside :less", ExpressionAttributeValues={":less": _numbers(less)}
            )


def _numbers(numbers: frozenset[int]) -> dict[str, list[str]]:
    return {"NS": [str(number) for number in sorted(numbers)]}


def _pk(platform: Platform, body: bytes) -> str:
    return f"progress#{platform}#{hashlib.sha256(body).hexdigest()}"

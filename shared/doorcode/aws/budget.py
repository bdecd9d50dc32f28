"""The message budget: how many messages a minute a stranger may send where the policy lets everybody in."""

from __future__ import annotations

from doorcode.aws.items import attribute, contact_pk, expires_after
from doorcode.aws.table import ConditionError, Table
from doorcode.pairing.contact import Platform

MINUTE = 60


class MessageBudget:
    """One counter for each sender and minute, in the table, so that it holds across functions."""

    def __init__(self, table: Table, limit: int) -> None:
        """Allow ``limit`` messages a minute; 0 allows any number and counts nothing."""
        self._table = table
        self._limit = limit

    def spend(self, platform: Platform, user_id: str, delivery_id: str, now: int) -> bool:
        """Count one message with one conditional write; say whether it is still within the budget.

        The delivery that was counted last is not counted again: its hand-off failed, and it came once more.
        """
        if not self._limit:
            return True
        try:
            self._table.update(
                f"budget#{contact_pk(platform, user_id)}",
                f"{now // MINUTE:012d}",
                UpdateExpression="ADD spent :one SET #ttl = :ttl, delivery_id = :delivery",
                ConditionExpression="attribute_not_exists(spent) OR (spent < :limit AND delivery_id <> :delivery)",
                ExpressionAttributeNames={"#ttl": "ttl"},
                ExpressionAttributeValues={
                    ":one": attribute(1),
                    ":limit": attribute(self._limit),
                    ":ttl": attribute(expires_after(now)),
                    ":delivery": attribute(delivery_id),
                },
            )
        except ConditionError as error:
            return error.lost[0].get("delivery_id") == attribute(delivery_id)
        return True

"""One DynamoDB table behind a client with boto3's low-level method names.

Retries what passes until the deadline, as ``retrying`` does. A transaction carries one ClientRequestToken through all
its retries, so that a write whose answer was lost is not made twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from typing import Any, Protocol

from msgspec import Struct

from doorcode.aws.deadline import Deadline
from doorcode.aws.retrying import Retrying
from doorcode.errors import UnavailableError

Item = Mapping[str, Mapping[str, Any]]
"""An item in DynamoDB's own form, such as ``{"pk": {"S": "telegram#1"}}``."""

PATIENCE_SECONDS = 2.0
BATCH_SIZE = 100

CONDITION_FAILED = "ConditionalCheckFailed"


class TableClient(Protocol):
    """What is used of a DynamoDB client; keyword arguments and answers as boto3 documents them."""

    def get_item(self, **kwargs: Any) -> Any: ...  # noqa: D102
    def batch_get_item(self, **kwargs: Any) -> Any: ...  # noqa: D102
    def query(self, **kwargs: Any) -> Any: ...  # noqa: D102
    def update_item(self, **kwargs: Any) -> Any: ...  # noqa: D102
    def delete_item(self, **kwargs: Any) -> Any: ...  # noqa: D102
    def transact_write_items(self, **kwargs: Any) -> Any: ...  # noqa: D102


class Lost(Struct, frozen=True):
    """One part of a transaction whose condition failed, and the item that stood in the way (empty: there is none)."""

    part: int
    item: Item


class ConditionError(Exception):
    """A condition did not hold, and nothing was written: which parts, and what stands there now.

    ``in_doubt`` tells that an earlier try may have been written although its answer was lost.
    """

    def __init__(self, lost: Sequence[Lost], *, in_doubt: bool = False) -> None:
        """Keep the parts in the order of the transaction."""
        self.lost = {part.part: part.item for part in lost}
        self.in_doubt = in_doubt
        super().__init__("the condition did not hold")


class Table:
    """A table and how patiently it is asked."""

    def __init__(
        self,
        client: TableClient,
        name: str,
        *,
        transport_errors: tuple[type[Exception], ...] = (),
        patience: float = PATIENCE_SECONDS,
        deadline: Deadline | None = None,
    ) -> None:
        """Use ``client``; ``transport_errors`` are what it raises when no answer came. ``patience`` is in seconds.

        The patience is for one call; ``started`` gives it to several together. ``deadline`` ends it for all of a request.
        """
        self._client = client
        self._name = name
        self._retrying = Retrying(patience, transport_errors=transport_errors, deadline=deadline)

    @property
    def name(self) -> str:
        """What DynamoDB calls it: for a transaction of another table that writes this one, too."""
        return self._name

    def started(self) -> Table:
        """Return this table for one operation: all its calls together have one deadline, counted from now."""
        table = copy(self)
        table._retrying = self._retrying.started()  # noqa: SLF001 (our own copy)
        return table

    def get(self, pk: str, sk: str) -> Item:
        """Read one item, consistently; empty if there is none."""
        answer = self._ask("read the table", self._client.get_item, Key=_key(pk, sk), ConsistentRead=True)
        item: Item = answer.get("Item", {})
        return item

    def get_many(self, keys: Sequence[tuple[str, str]]) -> list[Item]:
        """Read many items, consistently, in no order; those that do not exist are left out."""
        items: list[Item] = []
        waiting: list[Item] = [_key(pk, sk) for pk, sk in keys]
        until = self._retrying.until()
        while waiting:
            batch, waiting = waiting[:BATCH_SIZE], waiting[BATCH_SIZE:]
            answer = self._ask(
                "read the table",
                self._client.batch_get_item,
                named=False,
                RequestItems={self._name: {"Keys": batch, "ConsistentRead": True}},
            )
            items += answer.get("Responses", {}).get(self._name, [])
            left = answer.get("UnprocessedKeys", {}).get(self._name, {}).get("Keys", [])
            if left and not self._retrying.pause(1, until):
                raise UnavailableError("read the table", "UnprocessedKeys")
            waiting += left
        return items

    def partition(self, pk: str, prefix: str = "") -> list[Item]:
        """Read one partition's items whose sort key begins with ``prefix``, consistently, in the order of those keys."""
        items: list[Item] = []
        start: dict[str, Any] = {}
        while True:
            answer = self._ask(
                "read the table",
                self._client.query,
                KeyConditionExpression="pk = :pk AND begins_with(sk, :prefix)" if prefix else "pk = :pk",
                ExpressionAttributeValues={":pk": {"S": pk}} | ({":prefix": {"S": prefix}} if prefix else {}),
                ConsistentRead=True,
                **start,
            )
            items += answer.get("Items", [])
            if not answer.get("LastEvaluatedKey"):
                return items
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def query(self, **arguments: Any) -> Any:
        """Query an index; arguments and answer are DynamoDB's."""
        return self._ask("list the table", self._client.query, **arguments)

    def update(self, pk: str, sk: str, **arguments: Any) -> Item:
        """Update one item and return it as it is then. Raises ConditionError with the item that stood in the way."""
        answer = self._ask(
            "write the table",
            self._client.update_item,
            Key=_key(pk, sk),
            ReturnValues="ALL_NEW",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
            **arguments,
        )
        item: Item = answer.get("Attributes", {})
        return item

    def delete(self, pk: str, sk: str) -> bool:
        """Delete one item; tell whether there was one."""
        answer = self._ask("write the table", self._client.delete_item, Key=_key(pk, sk), ReturnValues="ALL_OLD")
        return bool(answer.get("Attributes"))

    def transact(self, parts: Sequence[tuple[str, Mapping[str, Any]]], token: str) -> None:
        """Write all parts or none: each is a kind (``Update``, ``ConditionCheck``) and its arguments.

        ``token`` makes the retries of this very transaction one write. Raises ConditionError with the parts that lost.
        """
        items = [
            {kind: {"TableName": self._name, "ReturnValuesOnConditionCheckFailure": "ALL_OLD", **arguments}}
            for kind, arguments in parts
        ]
        self._ask(
            "write the table",
            self._client.transact_write_items,
            named=False,
            TransactItems=items,
            ClientRequestToken=token,
        )

    def _ask(self, doing: str, method: Callable[..., Any], *, named: bool = True, **arguments: Any) -> Any:
        if named:
            arguments["TableName"] = self._name
        return self._retrying.ask(doing, lambda: method(**arguments), _condition)


def _key(pk: str, sk: str) -> Item:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def _condition(code: str, response: Mapping[str, Any], in_doubt: bool) -> ConditionError | None:  # noqa: FBT001 (the port)
    """Return the error of a condition that did not hold; None where it was something else."""
    if code == "ConditionalCheckFailedException":
        return ConditionError([Lost(0, response.get("Item") or {})], in_doubt=in_doubt)
    lost = [
        Lost(part, reason.get("Item") or {})
        for part, reason in enumerate(response.get("CancellationReasons") or [])
        if reason.get("Code") == CONDITION_FAILED
    ]
    return ConditionError(lost, in_doubt=in_doubt) if lost else None

"""What lies behind the door, to be looked at: the table's items, what the agent remembers, and the functions' logs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import Binary, TypeDeserializer
from msgspec import Struct, structs

from doorcode.pairing.contact import Platform

# Which functions log into which group.
GROUPS = {
    "edge": tuple(Platform),
    "behind": ("relay", "courier", "admin", "web"),
    "agent": ("agent",),
}
FUNCTIONS = tuple(function for functions in GROUPS.values() for function in functions)
# How a line of ours names its function.
LOGGER = "doorcode."
# What the runtime says around a function's own lines.
FRAME = ("START ", "END ", "REPORT ", "INIT_START ")
MAX_RECORDS = 200
# Where the agent's table has what was said: see doorcode.agent.memory.
CONVERSATION, TURNS = "chat#", "turns"
MASK = "•••"
# Attributes that hold a platform's address, and in it what would let anybody answer there.
ADDRESSES = frozenset({"reply"})


class Record(Struct, frozen=True, kw_only=True):
    """A line of a function's log; ``at`` in milliseconds since 1970, ``fields`` what else the record holds."""

    at: int
    function: str
    level: str = ""
    message: str = ""
    reason: str = ""
    fields: dict[str, Any] = {}


class Inside:
    """Reads a stack. ``client`` gives boto3's low-level clients; what they raise is raised here."""

    def __init__(self, client: Callable[[str], Any], stack: str) -> None:
        """Look at that stack."""
        self._client = client
        self._stack = stack

    def items(self, table: str) -> list[dict[str, Any]]:
        """Return everything in the table, as plain JSON, sorted by key."""
        read = TypeDeserializer().deserialize
        pages = self._client("dynamodb").get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
        items = [
            {name: _plain(name, read(value)) for name, value in item.items()}
            for page in pages
            for item in page["Items"]
        ]
        return sorted(items, key=lambda item: (str(item["pk"]), str(item["sk"])))

    def conversations(self, table: str) -> list[dict[str, Any]]:
        """Return what the agent was given and what it answered, by conversation, as it remembers it; the latest first."""
        found = [
            {
                "conversation": item["pk"].removeprefix(CONVERSATION),
                "until": item["until"],
                "turns": json.loads(item["turns"]),
            }
            for item in self.items(table)
            if item["pk"].startswith(CONVERSATION) and item["sk"] == TURNS
        ]
        return sorted(found, key=lambda one: (-one["until"], one["conversation"]))

    def log(self, since: float, functions: Iterable[str] = FUNCTIONS) -> list[Record]:
        """Return what those functions logged since then (seconds since 1970), oldest first, and no more than the last."""
        logs = self._client("logs")
        wanted = frozenset(functions)
        records: list[Record] = []
        for group, writers in GROUPS.items():
            if wanted.isdisjoint(writers):
                continue
            try:
                pages = logs.get_paginator("filter_log_events").paginate(
                    logGroupName=f"/doorcode/{self._stack}/{group}", startTime=int(since * 1000)
                )
                found = list(_records(group, [event for page in pages for event in page["events"]]))
            except logs.exceptions.ResourceNotFoundException:
                # Nobody has logged anything there yet.
                continue
            records += [record for record in found if record.function in wanted or record.function == group]
        return sorted(records, key=lambda record: record.at)[-MAX_RECORDS:]


def _records(group: str, events: Sequence[dict[str, Any]]) -> Iterator[Record]:
    """Read a group's lines. One that does not say whose it is belongs to whoever else wrote into its stream, or to the group."""
    read = [(event.get("logStreamName", ""), _record(event)) for event in events]
    named = {stream: record.function for stream, record in read if record and record.function}
    for stream, record in read:
        if record:
            yield structs.replace(record, function=record.function or named.get(stream, group))


def _record(event: dict[str, Any]) -> Record | None:
    line = event["message"].strip()
    if not line or line.startswith(FRAME):
        return None
    try:
        entry = json.loads(line)
    except ValueError:
        entry = None
    if not isinstance(entry, dict):
        return Record(at=event["timestamp"], function="", message=line)
    named = {name: str(entry.pop(name, "")) for name in ("level", "message", "reason")}
    logger = str(entry.get("logger", ""))
    function = logger.removeprefix(LOGGER) if logger.startswith(LOGGER) else ""
    return Record(at=event["timestamp"], function=function, **named, fields=entry)


def _plain(name: str, value: Any) -> Any:
    if isinstance(value, list | set | frozenset):
        return [_plain(name, one) for one in (value if isinstance(value, list) else sorted(value))]
    if isinstance(value, dict):
        return {key: _plain(key, one) for key, one in value.items()}
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, Binary | bytes):
        return bytes(value).hex()
    return _without_token(value) if name in ADDRESSES and isinstance(value, str) else value


def _without_token(address: str) -> Any:
    try:
        fields = json.loads(address)
    except ValueError:
        return address
    return fields | {"token": MASK} if isinstance(fields, dict) and "token" in fields else fields

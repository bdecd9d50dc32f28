"""The metrics that CloudWatch makes of the logs, and ministack does not: each of the stack's metric filters, applied to new lines.

Without it the page's last seven days would be empty here, whatever happened at the door.
Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

EVERY_SECONDS = 5
# A line may come into the log late; twice it is not counted.
OVERLAP_SECONDS = 60
# As many as one request of PutMetricData takes.
MAX_DATA = 1000

# The emulator names no event; a function's lines have the id of their request in them.
Line = tuple[str, int, str]
Fits = Callable[[Mapping[str, Any]], bool]
TOKEN = re.compile(r'\s*(\(|\)|&&|\|\||\$(?:\.\w+)+|!=|=|NOT EXISTS|EXISTS|"[^"]*")')


class MetricFilters:
    """Counts what was logged since the last look. What the emulator does not answer is counted the next time."""

    def __init__(self, client: Callable[[str], Any], stack: str, clock: Callable[[], float]) -> None:
        """Apply the filters of that stack, from now on; ``clock`` gives seconds since 1970."""
        self._client = client
        self._groups = f"/doorcode/{stack}/"
        self._clock = clock
        self._began = self._next = self._since = clock()
        self._counted: frozenset[Line] = frozenset()

    def apply(self) -> None:
        """Count what is new, if the last look was a while ago."""
        now = self._clock()
        if now < self._next:
            return
        self._next = now + EVERY_SECONDS
        try:
            self._apply(now)
        except (BotoCoreError, ClientError):
            return

    def _apply(self, now: float) -> None:
        logs = self._client("logs")
        pages = logs.get_paginator("describe_metric_filters").paginate()
        filters = [one for page in pages for one in page["metricFilters"]]
        seen: set[Line] = set()
        data: dict[str, list[dict[str, Any]]] = {}
        for group in sorted({one["logGroupName"] for one in filters if one["logGroupName"].startswith(self._groups)}):
            try:
                read = logs.get_paginator("filter_log_events").paginate(
                    logGroupName=group, startTime=int((self._since - OVERLAP_SECONDS) * 1000)
                )
                events = [event for page in read for event in page["events"]]
            except logs.exceptions.ResourceNotFoundException:
                continue
            seen |= {_line(event) for event in events}
            fresh = [
                event
                for event in events
                if _line(event) not in self._counted and event["timestamp"] >= int(self._began * 1000)
            ]
            for one in filters:
                if one["logGroupName"] == group:
                    for namespace, datum in _data(one, fresh):
                        data.setdefault(namespace, []).append(datum)
        for namespace, counted in data.items():
            for start in range(0, len(counted), MAX_DATA):
                self._client("cloudwatch").put_metric_data(
                    Namespace=namespace, MetricData=counted[start : start + MAX_DATA]
                )
        self._counted = frozenset(seen)
        self._since = max(self._since, now)


def _line(event: Mapping[str, Any]) -> Line:
    return event["logStreamName"], event["timestamp"], event["message"]


def _data(one: Mapping[str, Any], events: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    fits = pattern(one["filterPattern"])
    for event in events:
        try:
            record = json.loads(event["message"])
        except ValueError:
            continue
        if not isinstance(record, dict) or not fits(record):
            continue
        for made in one["metricTransformations"]:
            dimensions = {name: _field(record, path) for name, path in made.get("dimensions", {}).items()}
            yield (
                made["metricNamespace"],
                {
                    "MetricName": made["metricName"],
                    "Dimensions": [{"Name": name, "Value": str(value)} for name, value in dimensions.items()],
                    "Value": float(made["metricValue"]),
                    "Timestamp": datetime.fromtimestamp(event["timestamp"] / 1000, UTC),
                },
            )


def pattern(text: str) -> Fits:
    """Read a filter pattern for JSON, as far as the template uses them. Raises ValueError for any other."""
    inner = text.strip()
    if not (inner.startswith("{") and inner.endswith("}")):
        raise ValueError(f"no pattern for JSON: {text}")
    tokens = _tokens(inner[1:-1])
    fits, rest = _either(tokens)
    if rest:
        raise ValueError(f"what is {rest[0]!r} in {text}")
    return fits


def _tokens(text: str) -> list[str]:
    tokens, at, text = [], 0, text.rstrip()
    while at < len(text):
        found = TOKEN.match(text, at)
        if found is None:
            raise ValueError(f"what is {text[at : at + 20]!r}")
        tokens.append(found[1])
        at = found.end()
    return tokens


def _either(tokens: list[str]) -> tuple[Fits, list[str]]:
    fits, rest = _both(tokens)
    ways = [fits]
    while rest and rest[0] == "||":
        fits, rest = _both(rest[1:])
        ways.append(fits)
    return (lambda record: any(way(record) for way in ways)), rest


def _both(tokens: list[str]) -> tuple[Fits, list[str]]:
    fits, rest = _condition(tokens)
    parts = [fits]
    while rest and rest[0] == "&&":
        fits, rest = _condition(rest[1:])
        parts.append(fits)
    return (lambda record: all(part(record) for part in parts)), rest


def _condition(tokens: list[str]) -> tuple[Fits, list[str]]:
    match tokens:
        case ["(", *rest]:
            fits, rest = _either(rest)
            if not rest or rest[0] != ")":
                raise ValueError("a bracket is not closed")
            return fits, rest[1:]
        case [path, "NOT EXISTS", *rest] if path.startswith("$"):
            return (lambda record: _field(record, path) is None), rest
        case [path, ("=" | "!=") as sign, value, *rest] if path.startswith("$") and value.startswith('"'):
            wanted = value[1:-1]

            def fits_value(record: Mapping[str, Any]) -> bool:
                found = _field(record, path)
                return found is not None and fnmatchcase(str(found), wanted) is (sign == "=")

            return fits_value, rest
    raise ValueError(f"no condition: {' '.join(tokens[:3])}")


def _field(record: Mapping[str, Any], path: str) -> Any:
    value: Any = record
    for name in path.split(".")[1:]:
        value = value.get(name) if isinstance(value, dict) else None
    return value

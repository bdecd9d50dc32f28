"""What happened at the door, day by day: read from the metrics that the logs become, and from nothing else.

Days are UTC's. The numbers are for looking at: metrics follow the logs by a minute or so, and a line that was logged
twice counts twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Protocol

from msgspec import Struct

from doorcode.aws.retrying import Retrying
from doorcode.errors import UnavailableError
from doorcode.pairing.consequences import EventType
from doorcode.pairing.gate import Reason

MAX_DAYS = 30
CACHE_SECONDS = 300
# So many answers, each with a token for the next, are more than one day's number for each metric ever needs.
MAX_ANSWERS = 10
DAY = timedelta(days=1)

BAD_SIGNATURE = "bad_signature"
DROPPED: tuple[str, ...] = (
    Reason.BLOCKED,
    Reason.GROUP_POLICY,
    Reason.GROUP_UNKNOWN,
    Reason.POLICY_DENY,
    Reason.OVER_BUDGET,
    Reason.RATE_LIMITED,
    Reason.WAITING_ROOM_FULL,
    Reason.CLAIM_REFUSED,
    Reason.INVITE_REFUSED,
    Reason.LOCKED_OUT,
    BAD_SIGNATURE,
)
"""Why messages and requests were turned away: the reasons that the logs give."""


class MetricsClient(Protocol):
    """What is used of a CloudWatch client, as boto3 documents it."""

    def get_metric_data(self, **kwargs: Any) -> Any: ...  # noqa: D102


class Day(Struct, frozen=True, kw_only=True):
    """One day's numbers. ``dropped`` is by reason, and holds only reasons that occurred."""

    date: str
    requests: int
    approved: int
    denied: int
    dropped: dict[str, int]


class _Metric(Struct, frozen=True):
    name: str
    dimension: str
    value: str


_REQUESTED = _Metric("Requests", "reason", Reason.PAIRING_REQUESTED)
_APPROVED = _Metric("Decisions", "event", EventType.APPROVED)
_DENIED = _Metric("Decisions", "event", EventType.DENIED)
_DROPPED = {reason: _Metric("Requests", "reason", reason) for reason in DROPPED}
METRICS = (_REQUESTED, _APPROVED, _DENIED, *_DROPPED.values())

_Counts = Mapping[tuple[_Metric, date], int]


class Activity:
    """Counts requests and decisions of one stack."""

    def __init__(self, client: MetricsClient, namespace: str, retrying: Retrying) -> None:
        """Read the metrics of ``namespace``, and ask as patiently as that. Without a name nothing is counted."""
        self._client = client
        self._namespace = namespace
        self._retrying = retrying
        self._counts: _Counts = {}
        self._read_at: int | None = None

    def days(self, count: int, now: int) -> list[Day]:
        """Return the last ``count`` days, at most 30, today last; at most five minutes old. Raises UnavailableError.

        None where nothing is counted.
        """
        if not self._namespace:
            return []
        if self._read_at is None or not 0 <= now - self._read_at < CACHE_SECONDS:
            # All of them at once: what it costs depends on the metrics, not on the days.
            self._counts = self._read(now)
            self._read_at = now
        today = _day(now)
        return [self._day(today - DAY * ago) for ago in reversed(range(count))]

    def _day(self, day: date) -> Day:
        def counted(metric: _Metric) -> int:
            return self._counts.get((metric, day), 0)

        return Day(
            date=day.isoformat(),
            requests=counted(_REQUESTED),
            approved=counted(_APPROVED),
            denied=counted(_DENIED),
            dropped={reason: counted(metric) for reason, metric in _DROPPED.items() if counted(metric)},
        )

    def _read(self, now: int) -> _Counts:
        counts: dict[tuple[_Metric, date], int] = {}
        midnight = datetime.combine(_day(now), datetime.min.time(), UTC)
        query: dict[str, Any] = {
            "MetricDataQueries": self._queries(),
            "StartTime": midnight - DAY * (MAX_DAYS - 1),
            "EndTime": midnight + DAY,
        }
        retrying = self._retrying.started()
        for _ in range(MAX_ANSWERS):
            answer = retrying.ask("read the metrics", lambda: self._client.get_metric_data(**query))
            for result in answer.get("MetricDataResults", []):
                metric = METRICS[int(result["Id"].removeprefix("m"))]
                _add(counts, metric, result.get("Timestamps", []), result.get("Values", []))
            token = answer.get("NextToken")
            if not token:
                return counts
            query["NextToken"] = token
        raise UnavailableError("read the metrics", "too many answers")

    def _queries(self) -> list[dict[str, Any]]:
        return [
            {
                "Id": f"m{number}",
                "MetricStat": {
                    "Metric": {
                        "Namespace": self._namespace,
                        "MetricName": metric.name,
                        "Dimensions": [{"Name": metric.dimension, "Value": str(metric.value)}],
                    },
                    "Period": int(DAY.total_seconds()),
                    "Stat": "Sum",
                },
            }
            for number, metric in enumerate(METRICS)
        ]


def _add(
    counts: dict[tuple[_Metric, date], int], metric: _Metric, times: Sequence[datetime], values: Sequence[float]
) -> None:
    for at, value in zip(times, values, strict=True):
        day = at.astimezone(UTC).date()
        counts[metric, day] = counts.get((metric, day), 0) + round(value)


def _day(now: int) -> date:
    return datetime.fromtimestamp(now, UTC).date()

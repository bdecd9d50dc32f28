"""What a million admitted messages cost: counted calls and measured CPU time at list prices."""

from __future__ import annotations

import math

from msgspec import Struct

from tests.bench.footprint import Footprint

PRICES_AS_OF = "as published in mid-2026"
PRICES = {
    "Lambda, arm64, per GB-second": 0.0000133334,
    "Lambda, per million requests": 0.20,
    "HTTP API, per million requests": 1.00,
    "DynamoDB on demand, per million read request units": 0.125,
    "DynamoDB on demand, per million write request units": 0.625,
    "SQS FIFO, per million requests": 0.50,
    "CloudWatch Logs, per GB ingested": 0.50,
}
"""US dollars in us-east-1, without free tiers and volume discounts."""

MEMORY_MB = 512
MB_PER_CPU = 1769
"""At so much memory a function has one whole CPU; with less, its share."""

WAITS_MS = {"GetItem": 4.0, "SendMessage": 8.0, "getMe": 40.0}
"""Assumed, not measured: how long each answer takes to come. Lambda's clock goes on meanwhile."""

PLATFORM_LINES_BYTES = 650
"""Lambda's own start, end and report of each invocation, in its JSON format; about, and the same for everybody."""


class Cost(Struct, frozen=True):
    """Dollars per million messages, by who is paid, and the milliseconds that Lambda bills for each."""

    billed_ms: int
    parts: dict[str, float]

    @property
    def total(self) -> float:
        """The sum."""
        return sum(self.parts.values())


def cost(cpu_seconds: float, footprint: Footprint) -> Cost:
    """Work out the cost of a million messages that each take so much CPU time and leave this footprint."""
    calls = footprint.calls
    waits = sum(WAITS_MS[name] * count for name, count in calls.items())
    billed = math.ceil(cpu_seconds * 1000 * MB_PER_CPU / MEMORY_MB + waits)
    gigabyte_seconds = billed / 1000 * MEMORY_MB / 1024 * 1_000_000
    log_gigabytes = (footprint.log_bytes + PLATFORM_LINES_BYTES) * 1_000_000 / 1e9
    return Cost(
        billed,
        {
            "HTTP API": PRICES["HTTP API, per million requests"],
            "Lambda": gigabyte_seconds * PRICES["Lambda, arm64, per GB-second"]
            + PRICES["Lambda, per million requests"],
            "DynamoDB": calls.get("GetItem", 0) * PRICES["DynamoDB on demand, per million read request units"],
            "SQS": calls.get("SendMessage", 0) * PRICES["SQS FIFO, per million requests"],
            "Logs": log_gigabytes * PRICES["CloudWatch Logs, per GB ingested"],
        },
    )

"""What a stack costs while nobody writes: counted from the template, at list prices, with and without the free tier."""

from __future__ import annotations

from tests.bench.costs import MEMORY_MB, PLATFORM_LINES_BYTES, PRICES
from tests.bench.page import table
from tests.infra.template import given, resources

LEVELS = ("full", "lean", "off")
STANDING_PRICES = {
    "CloudWatch, per alarm": 0.10,
    "CloudWatch, per dashboard": 3.00,
    "CloudWatch, per metric of one's own": 0.30,
    "EventBridge Scheduler, per million invocations": 1.00,
    "DynamoDB, per GB stored": 0.25,
    "DynamoDB, per GB of continuous backup": 0.20,
}
"""US dollars a month in us-east-1, as published in mid-2026."""

ALWAYS_FREE = {"alarms": 10, "dashboards": 3, "metrics": 10, "SQS requests": 1_000_000, "stored GB": 25}
"""A month, for the whole account; what Lambda, Scheduler and the logs have free is more than a stack at rest needs."""

MINUTES = 30 * 24 * 60
POLLERS, POLLS_A_MINUTE = 5, 3
"""Lambda asks each queue with five connections, each of which waits for twenty seconds."""
METRICS_IN_USE = 10
"""Assumed: so many reasons and kinds of decision occur in every hour of the month, which is what is charged."""
SWEEP_MINUTES, SWEEP_SECONDS, SWEEP_READ_UNITS = 3, 0.1, 7
"""Assumed: how long a sweep that finds nothing takes, and what it reads."""
STORED_GB = 0.01

Parts = dict[str, tuple[float, float]]


def standing(monitoring: str) -> Parts:
    """Return what a month at rest costs, by what is paid: without the free tier, and with all of it."""
    with given(Monitoring=monitoring):
        alarms = len(resources("AWS::CloudWatch::Alarm", present=True))
        dashboards = len(resources("AWS::CloudWatch::Dashboard", present=True))
        metrics = METRICS_IN_USE if resources("AWS::Logs::MetricFilter", present=True) else 0
    queues = sum(
        "SQS" in str(one) or ":sqs:" in str(one) for one in resources("AWS::Lambda::EventSourceMapping").values()
    )
    polls = queues * POLLERS * POLLS_A_MINUTE * MINUTES
    sweeps = MINUTES / SWEEP_MINUTES
    million = 1_000_000
    lambda_ = sweeps * (
        PRICES["Lambda, per million requests"] / million
        + SWEEP_SECONDS * MEMORY_MB / 1024 * PRICES["Lambda, arm64, per GB-second"]
    )
    logs = sweeps * PLATFORM_LINES_BYTES / 1e9 * PRICES["CloudWatch Logs, per GB ingested"]
    schedule = sweeps / million * STANDING_PRICES["EventBridge Scheduler, per million invocations"]
    reads = sweeps * SWEEP_READ_UNITS / million * PRICES["DynamoDB on demand, per million read request units"]
    backup = STORED_GB * STANDING_PRICES["DynamoDB, per GB of continuous backup"]
    return {
        "alarms": _counted(alarms, "alarms", STANDING_PRICES["CloudWatch, per alarm"]),
        "dashboard": _counted(dashboards, "dashboards", STANDING_PRICES["CloudWatch, per dashboard"]),
        "metrics": _counted(metrics, "metrics", STANDING_PRICES["CloudWatch, per metric of one's own"]),
        "polling": _counted(polls, "SQS requests", PRICES["SQS FIFO, per million requests"] / million),
        "sweeps": (lambda_ + logs + schedule + reads, reads),
        "table": (backup + STORED_GB * STANDING_PRICES["DynamoDB, per GB stored"], backup),
    }


def _counted(many: float, free: str, price: float) -> tuple[float, float]:
    return many * price, max(0, many - ALWAYS_FREE[free]) * price


def total(monitoring: str, *, free: bool) -> float:
    """Return a month's sum, in dollars."""
    return sum(part[free] for part in standing(monitoring).values())


def months() -> str:
    """Return the table, and the prices that it stands on."""
    rows = []
    for level in LEVELS:
        for free, which in ((False, "without"), (True, "with")):
            parts = [f"{part[free]:.2f}" for part in standing(level).values()]
            rows.append([f"`{level}`, {which} the free tier", *parts, f"**{total(level, free=free):.2f}**"])
    prices = [[what, f"{dollars:.2f}"] for what, dollars in STANDING_PRICES.items()]
    return f"{table(['', *standing('full'), 'total, $'], rows)}\n\n{table(['', '$'], prices)}"

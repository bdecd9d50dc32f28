"""The stack's metric filters, applied where the emulator does not: what is logged is counted, once."""

import json
import time
from typing import Any

import pytest

from doorcode.aws.activity import METRICS, Activity
from doorcode.aws.retrying import Retrying
from doorcode_sandbox.metric_filters import EVERY_SECONDS, MetricFilters, pattern
from tests.backends import in_process
from tests.infra.template import STACK, resources

FILTERS = {name: one["Properties"]["FilterPattern"] for name, one in resources("AWS::Logs::MetricFilter").items()}
CASES: list[tuple[str, dict[str, Any], bool]] = [
    ("EdgeReasons", {"reason": "pairing_requested"}, True),
    ("EdgeReasons", {"reason": "made_up"}, False),
    ("BehindReasons", {"reason": "x", "level": "ERROR", "outcome": "refused"}, True),
    ("BehindReasons", {"reason": "x", "level": "WARN", "outcome": "refused"}, False),
    ("BehindReasons", {"reason": "x", "level": "WARN"}, True),
    ("BehindDecisions", {"event": "pairing_approved"}, True),
    ("BehindDecisions", {"event": "pairing_requested"}, False),
    ("BehindDecisions", {"reason": "x"}, False),
    ("EdgeCrashes", {"type": "platform.report", "record": {"status": "timeout"}}, True),
    ("EdgeCrashes", {"type": "platform.report", "record": {"status": "success"}}, False),
]


def test_a_pattern_means_what_it_says() -> None:
    """The template's own, on lines as they are logged."""
    for name, record, fits in CASES:
        assert pattern(FILTERS[name])(record) is fits, record


def test_a_pattern_of_another_kind_is_an_error() -> None:
    """Nothing is counted because something was misread."""
    for text in ("ERROR", "{ $.a = 1 }", '{ ($.a = "1" }', '{ $.a = "1" $.b = "2" }', '{ "a" = "b" }'):
        with pytest.raises(ValueError, match=r".+"):
            pattern(text)


def test_what_is_logged_is_counted_once() -> None:
    """The page's own reading of it: lines since the start, each once, however often they are looked at."""
    with in_process.aws():
        clients: dict[str, Any] = {name: in_process.client(name) for name in ("logs", "cloudwatch")}
        now = [time.time() - 30]
        for floor, (name, dimension, group) in {
            "edge": ("Requests", "reason", "EdgeReasons"), "behind": ("Decisions", "event", "BehindDecisions"),
        }.items():  # fmt: skip
            where = {"logGroupName": f"/doorcode/{STACK}/{floor}"}
            clients["logs"].create_log_group(**where)
            clients["logs"].create_log_stream(**where, logStreamName="s")
            made = {
                "metricName": name, "metricNamespace": "N", "metricValue": "1",
                "dimensions": {dimension: f"$.{dimension}"},
            }  # fmt: skip
            clients["logs"].put_metric_filter(
                **where, filterName=floor, filterPattern=FILTERS[group], metricTransformations=[made]
            )

        def log(floor: str, *lines: object) -> None:
            events = [{"timestamp": int(now[0] * 1000), "message": json.dumps(line)} for line in lines]
            where = {"logGroupName": f"/doorcode/{STACK}/{floor}", "logStreamName": "s"}
            clients["logs"].put_log_events(**where, logEvents=events)

        log("edge", {"reason": "pairing_requested"})
        now[0] += 1
        filters = MetricFilters(clients.__getitem__, STACK, lambda: now[0])
        log("edge", {"reason": "pairing_requested"}, {"reason": "blocked"}, "START RequestId")
        log("behind", {"event": "pairing_approved"}, {"event": "pairing_requested"})
        for _ in range(3):
            filters.apply()
            now[0] += EVERY_SECONDS
        log("edge", {"reason": "blocked"})
        filters.apply()
        activity = Activity(clients["cloudwatch"], "N", Retrying(5.0, transport_errors=()))
        [today] = activity.days(1, int(now[0]))
    assert (today.requests, today.approved, today.dropped) == (1, 1, {"blocked": 2})
    assert len(METRICS) == len({(metric.name, metric.value) for metric in METRICS})

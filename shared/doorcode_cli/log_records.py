"""What the functions have written into a log group within a day, as doctor reads it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from doorcode_cli.examination import Examination

LOOK_BACK_SECONDS = 86_400
# A flood is not read to its end.
MAX_PAGES = 20


def log_records(examined: Examination, group: str, pattern: str) -> Iterator[tuple[float, dict[str, Any]]]:
    """Read what a stack's ``group`` (``edge``, ``behind``) has by a filter of CloudWatch Logs, each record with its time.

    Whoever reads looks at the record again: an emulator filters nothing.
    """
    pages = (
        examined.deployment.client("logs")
        .get_paginator("filter_log_events")
        .paginate(
            logGroupName=f"{examined.deployment.target.prefix}/{group}",
            startTime=int((examined.now - LOOK_BACK_SECONDS) * 1000),
            filterPattern=pattern,
        )
    )
    for _, page in zip(range(MAX_PAGES), pages, strict=False):
        for event in page["events"]:
            try:
                record = msgspec.json.decode(event["message"], type=dict[str, Any])
            except (ValueError, RecursionError):
                continue
            yield event["timestamp"] / 1000, record

"""What happened at the door in the last days, in numbers."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from doorcode.aws.activity import MAX_DAYS, Day
from doorcode.web.routes import Access, Answer, Call, Route


class Days(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many days."""

    days: Annotated[int, Meta(ge=1, le=MAX_DAYS)] = 7


class Counted(Struct, frozen=True, kw_only=True):
    """One entry for each day, UTC, today last; at most some five minutes old. None where the stack counts nothing."""

    days: list[Day]


def activity(call: Call) -> Answer:
    """Count requests, decisions and drops, day by day."""
    return Answer(body=Counted(days=call.services().activity.days(call.query.days, call.now)))


ROUTES = (
    Route(
        name="activity",
        method="GET",
        path="/api/activity",
        access=Access.READ,
        handle=activity,
        summary="Count requests, decisions and drops, day by day",
        query=Days,
        gives=Counted,
    ),
)

"""The check of ``doorcode doctor`` whether what was said has arrived, read from the functions' logs: to whom not, why, and what mends it.

A platform may take what it does not deliver and tell of it later, or refuse it at once: both stand in the log, with an id and
the platform's own code, and nothing of what was said.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from doorcode.errors import SettingsError
from doorcode.pairing.contact import Platform, is_user_id
from doorcode_cli.examination import Examination, Finding, ok, warn, wrong
from doorcode_cli.log_records import log_records
from doorcode_cli.platforms.port import Failure
from doorcode_cli.platforms.registry import PLATFORMS
from doorcode_cli.shown import counted, moment, shown

# Beyond that they are counted.
MAX_NAMED = 5
# The webhooks' functions log into one group, what follows into another.
GROUPS = ("edge", "behind")
NOT_DELIVERED = "not_delivered"
PATTERN = f'{{ ($.reason = "{NOT_DELIVERED}") }}'
REST = "with their next message they are told again what a requester has to know"

Who = tuple[Platform, str]


def arrivals(examined: Examination) -> Iterator[Finding]:
    """Find what did not arrive within a day: a line for each platform and reason, for owners and for others."""
    latest: dict[tuple[Platform, str], dict[Who, float]] = defaultdict(dict)
    for at, record in _records(examined):
        platform, user_id, code = (str(record.get(name, "")) for name in ("platform", "user_id", "detail"))
        if platform in set(Platform) and is_user_id(Platform(platform), user_id):
            whose = latest[Platform(platform), code]
            who = (Platform(platform), user_id)
            whose[who] = max(at, whose.get(who, 0))
    if not latest:
        yield ok("delivered", "all that was said within a day, as far as platforms tell")
        return
    owners = _owners(examined)
    for (platform, code), people in sorted(latest.items()):
        failure = PLATFORMS[platform].failures.get(code) or Failure(said=f"{shown(code or 'no reason is told', 40)}")
        asked = {who: at for who, at in people.items() if who in owners}
        others = {who: at for who, at in people.items() if who not in owners}
        level = wrong if failure.stops_all else warn
        if asked:
            text = f"{_named(asked, 'owner')} did not get a prompt or a notice: {failure.said}"
            yield level(platform, text, failure.for_owners or failure.mends or "an owner on another platform, too")
        if others:
            text = f"{_named(others, 'person')} did not get what they were told: {failure.said}"
            yield level(platform, text, failure.mends or REST)


def _named(people: dict[Who, float], what: str) -> str:
    last = sorted(people, key=lambda who: -people[who])
    named = ", ".join(f"{platform}:{user_id}" for platform, user_id in last[:MAX_NAMED])
    more = f" and {len(last) - MAX_NAMED} more" if len(last) > MAX_NAMED else ""
    many = f"{counted(len(last), what)} ({named}{more})"
    return f"{many}, last at {moment(int(people[last[0]]))} UTC,"


def _owners(examined: Examination) -> set[Who]:
    try:
        return set(examined.owners)
    except SettingsError:
        # The settings' check says so; until they are mended nobody is asked.
        return set()


def _records(examined: Examination) -> Iterator[tuple[float, dict[str, Any]]]:
    for group in GROUPS:
        for at, record in log_records(examined, group, PATTERN):
            if record.get("reason") == NOT_DELIVERED:
                yield at, record

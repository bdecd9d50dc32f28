"""Who was turned away of late, read from the functions' logs, each with what would let them in now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from doorcode.errors import SettingsError
from doorcode.pairing.contact import Platform, is_user_id
from doorcode.pairing.gate import Reason
from doorcode.pairing.settings import Settings, is_group
from doorcode_cli.examination import Dropped, Examination, Finding, ok, warn, wrong
from doorcode_cli.log_records import log_records
from doorcode_cli.platforms.registry import PLATFORMS
from doorcode_cli.remedies import remedy
from doorcode_cli.shown import counted

RECENT_SECONDS = 3600
MAX_DROPPED = 10
# The webhooks' functions log into one group.
GROUP = "edge"
DROPS = frozenset(
    {
        Reason.POLICY_DENY, Reason.BLOCKED, Reason.GROUP_POLICY, Reason.GROUP_UNKNOWN, Reason.OVER_BUDGET, Reason.RATE_LIMITED,
        Reason.WAITING_ROOM_FULL, Reason.LOCKED_OUT,
    }
)  # fmt: skip
BAD_SIGNATURE = "bad_signature"
# What the functions could not work with, by reason, and what mends it.
TROUBLES = {
    "bad_settings": ("settings that cannot be used", "make deploy"),
    "secret_unavailable": ("a secret that is missing or cannot be read", "doorcode secrets status"),
    "unavailable": ("a service that did not answer", "aws logs tail {group} --since 1h"),
    "bot_failed": ("a bot behind the door that did not answer, or refused", "aws logs tail {group} --since 1h"),
    "unusable_payload": ("something signed that cannot be read", "aws logs tail {group} --since 1h"),
}
REASONS = (*sorted(DROPS), BAD_SIGNATURE, *TROUBLES)
PATTERN = " || ".join(f'($.reason = "{reason}")' for reason in REASONS)


class _Drop(Struct, frozen=True):
    at: float
    platform: Platform
    user_id: str
    reason: Reason
    # Where it was written, if that is a group.
    group: str = ""


def drops(examined: Examination) -> Iterator[Finding]:
    """Find the last senders who were dropped, and what the functions complained of."""
    latest: dict[tuple[str, str, str], _Drop] = {}
    for platform in Platform:
        complaints: Counter[str] = Counter()
        for at, record in _records(examined, platform):
            reason, user_id = str(record.get("reason", "")), str(record.get("user_id", ""))
            if reason in DROPS and is_user_id(platform, user_id):
                group = str(record.get("group", ""))
                latest[platform, user_id, reason] = _Drop(
                    at, platform, user_id, Reason(reason), group if is_group(platform, group) else ""
                )
            elif reason in TROUBLES or reason == BAD_SIGNATURE:
                complaints[reason] += examined.now - at < RECENT_SECONDS
        yield from _complaints(platform, f"{examined.deployment.target.prefix}/{GROUP}", complaints)
    last = sorted(latest.values(), key=lambda drop: -drop.at)[:MAX_DROPPED]
    # What is shown if the table cannot be read: no command that may be refused.
    examined.dropped = [_told(drop, "doorcode pairing list, for how they stand now") for drop in last]
    examined.dropped = [_told(drop, _remedy(examined, drop)) for drop in last]
    many = counted(len(last), "sender") if last else "nobody"
    yield ok("dropped", f"{many} of late")


def _told(drop: _Drop, what: str) -> Dropped:
    return Dropped(drop.at, drop.platform, drop.user_id, drop.reason, what)


def _remedy(examined: Examination, drop: _Drop) -> str:
    try:
        settings = examined.settings
    except SettingsError:
        # Nobody gets in before they are mended, which the policy's check says; after that these are what is sure.
        settings = Settings()
    contact = examined.contact(drop.platform, drop.user_id)
    return remedy(settings, contact, drop.reason, int(examined.now), group=drop.group)


def _complaints(platform: Platform, group: str, complaints: Counter[str]) -> Iterator[Finding]:
    for reason, many in complaints.items():
        if not many:
            continue
        if reason == BAD_SIGNATURE:
            mends = PLATFORMS[platform].mends_signatures
            if mends:
                text = f"{counted(many, 'request')} with a signature that does not fit in the last hour"
                yield warn(platform, f"{text}, from others or for another secret", mends)
        else:
            what, mends = TROUBLES[reason]
            text = f"{counted(many, 'request')} failed in the last hour for {what}"
            level = wrong if reason in {"bad_settings", "secret_unavailable"} else warn
            yield level(platform, text, mends.format(group=group))


def _records(examined: Examination, platform: Platform) -> Iterator[tuple[float, dict[str, Any]]]:
    logger = f"doorcode.{platform}"
    # Each asked for alone, so that a flood on one hides nobody on another.
    for at, record in log_records(examined, GROUP, f'{{ ($.logger = "{logger}") && ({PATTERN}) }}'):
        # Whose it is decides, and not what was asked for: an id's form may fit several platforms.
        if record.get("logger") == logger:
            yield at, record

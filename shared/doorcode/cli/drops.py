"""Who was turned away of late, read from the functions' logs, each with the very setting that would let them in."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec

from doorcode.cli.checks import ok, warn, wrong
from doorcode.cli.examination import Dropped, Examination, Finding
from doorcode.cli.shown import counted
from doorcode.pairing.contact import Platform
from doorcode.pairing.gate import Reason

LOOK_BACK_SECONDS = 86_400
RECENT_SECONDS = 3600
MAX_DROPPED = 10
# A flood is not read to its end.
MAX_PAGES = 20
# What goes into a command that is shown for copying.
PLAIN_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")

REMEDIES = {
    Reason.POLICY_DENY: "AllowedUsers={platform}:{user_id}, or doorcode pairing add {platform} {user_id}",
    Reason.BLOCKED: "doorcode pairing unblock {platform} {user_id}",
    Reason.GROUP_POLICY: "GroupPolicy=mention_only, the group in AllowedGroups, and addressing the bot",
    Reason.GROUP_UNKNOWN: "doorcode pairing add {platform} {user_id}",
    Reason.OVER_BUDGET: "a higher MessageBudget, or doorcode pairing add {platform} {user_id}",
    Reason.RATE_LIMITED: "doorcode pairing approve {platform} --user {user_id}",
    Reason.WAITING_ROOM_FULL: "doorcode pairing add {platform} {user_id}, or doorcode pairing list --pending",
}
BAD_SIGNATURE = "bad_signature"
# What the functions could not work with, by reason, and what mends it.
TROUBLES = {
    "bad_settings": ("settings that cannot be used", "make deploy"),
    "secret_unavailable": ("a secret that is missing or cannot be read", "doorcode secrets status"),
    "unavailable": ("a service that did not answer", "aws logs tail {group} --since 1h"),
    "unusable_payload": ("something signed that cannot be read", "aws logs tail {group} --since 1h"),
}
SIGNED_BY = {
    Platform.TELEGRAM: "doorcode telegram webhook set",
    Platform.SLACK: "doorcode secrets set slack/signing-secret",
    Platform.DISCORD: "doorcode discord register",
}
REASONS = (*REMEDIES, BAD_SIGNATURE, *TROUBLES)
PATTERN = "{ " + " || ".join(f'($.reason = "{reason}")' for reason in REASONS) + " }"


def drops(examined: Examination) -> Iterator[Finding]:
    """Find the last senders who were dropped, and what the functions complained of."""
    latest: dict[tuple[str, str, str], Dropped] = {}
    for platform in Platform:
        group = f"/doorcode/{examined.deployment.target.stack}/{platform}"
        complaints: Counter[str] = Counter()
        for at, record in _records(examined, group):
            reason, user_id = str(record.get("reason", "")), str(record.get("user_id", ""))
            if reason in REMEDIES and PLAIN_ID.fullmatch(user_id):
                remedy = REMEDIES[Reason(reason)].format(platform=platform, user_id=user_id)
                latest[platform, user_id, reason] = Dropped(at, platform, user_id, reason, remedy)
            elif reason in TROUBLES or reason == BAD_SIGNATURE:
                complaints[reason] += examined.now - at < RECENT_SECONDS
        yield from _complaints(platform, group, complaints)
    examined.dropped = sorted(latest.values(), key=lambda dropped: -dropped.at)[:MAX_DROPPED]
    many = counted(len(examined.dropped), "sender") if examined.dropped else "nobody"
    yield ok("dropped", f"{many} of late")


def _complaints(platform: Platform, group: str, complaints: Counter[str]) -> Iterator[Finding]:
    for reason, many in complaints.items():
        if not many:
            continue
        if reason == BAD_SIGNATURE:
            # Discord sends a few bad ones on purpose.
            if platform is not Platform.DISCORD:
                text = f"{counted(many, 'request')} with a signature that does not fit in the last hour"
                yield warn(platform, f"{text}, from others or for another secret", SIGNED_BY[platform])
        else:
            what, remedy = TROUBLES[reason]
            text = f"{counted(many, 'request')} failed in the last hour for {what}"
            level = wrong if reason in {"bad_settings", "secret_unavailable"} else warn
            yield level(platform, text, remedy.format(group=group))


def _records(examined: Examination, group: str) -> Iterator[tuple[float, dict[str, Any]]]:
    client = examined.deployment.client("logs")
    pages = client.get_paginator("filter_log_events").paginate(
        logGroupName=group,
        startTime=int((examined.now - LOOK_BACK_SECONDS) * 1000),
        filterPattern=PATTERN,
    )
    for _, page in zip(range(MAX_PAGES), pages, strict=False):
        for event in page["events"]:
            try:
                record = msgspec.json.decode(event["message"], type=dict[str, Any])
            except (ValueError, RecursionError):
                continue
            yield event["timestamp"] / 1000, record

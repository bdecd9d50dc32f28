"""What ``doorcode doctor`` asks Slack: the token, the app's workspace, and what the app is allowed."""

from __future__ import annotations

from collections.abc import Iterator

from doorcode.pairing.settings import GroupPolicy
from doorcode_cli.examination import Examination, Finding, ok, wrong
from doorcode_cli.platforms.slack.api import SlackApi
from doorcode_cli.platforms.slack.commands import SLACK_TEAM, scopes, team_of
from doorcode_cli.shown import shown


def app_and_scopes(examined: Examination) -> Iterator[Finding]:
    """Ask Slack whether it takes the token, and whether the app is allowed what it needs."""
    api = examined.api(SlackApi)
    if api is None:
        return
    said, granted = examined.once("who Slack's app is", api.test)
    yield ok("slack", f"the token is that of {shown(said.get('user'), 40)} in {shown(said.get('team'), 40)}")
    known = examined.deployment.shelf.read([SLACK_TEAM]).get(SLACK_TEAM)
    if known is None or known.value.strip() != team_of(said):
        text = "it is not stored which workspace the app is in: people of others may pass for its own"
        yield wrong("slack", text, "doorcode slack workspace")
    if granted is None:
        return
    needed = scopes(groups=examined.settings.group_policy is GroupPolicy.MENTION_ONLY)
    missing = [scope for scope in needed if scope not in granted]
    if missing:
        yield wrong(
            "slack",
            f"the app lacks {', '.join(missing)}",
            "doorcode slack manifest, put it in the app's App Manifest, and install the app again",
        )

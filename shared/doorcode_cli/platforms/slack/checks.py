"""What ``doorcode doctor`` asks Slack: the token, the app's workspace, and what the app is allowed."""

from __future__ import annotations

from collections.abc import Iterator

from doorcode.pairing.contact import Platform
from doorcode.pairing.settings import GroupPolicy
from doorcode_cli.examination import Examination, Finding, ok, warn, wrong
from doorcode_cli.platforms.slack.api import SlackApi
from doorcode_cli.platforms.slack.commands import COMMAND_SCOPE, SLACK_TEAM, scopes, team_of
from doorcode_cli.shown import shown


def app_and_scopes(examined: Examination) -> Iterator[Finding]:
    """Ask Slack whether it takes the token, and whether the app is allowed what it needs."""
    api = examined.api(SlackApi)
    if api is None:
        return
    said, granted = examined.once("who Slack's app is", api.test)
    yield ok("slack", f"the token is that of {shown(said.get('user'), 40)} in {shown(said.get('team'), 40)}")
    known = examined.deployment.parameter_store.read([SLACK_TEAM]).get(SLACK_TEAM)
    if known is None or known.value.strip() != team_of(said):
        text = "it is not stored which workspace the app is in: people of others may pass for its own"
        yield wrong("slack", text, "doorcode slack workspace")
    if granted is None:
        return
    needed = scopes(groups=examined.settings.group_policy is GroupPolicy.MENTION_ONLY)
    missing = [scope for scope in needed if scope not in granted]
    remedy = "doorcode slack manifest, put it in the app's App Manifest, and install the app again"
    if missing == [COMMAND_SCOPE]:
        # A bot of one's own may do without.
        level = ok if examined.deployment.has_bot(Platform.SLACK) else warn
        yield level("slack", f"the app lacks {COMMAND_SCOPE}: owners have no /door", remedy)
    elif missing:
        yield wrong("slack", f"the app lacks {', '.join(missing)}", remedy)

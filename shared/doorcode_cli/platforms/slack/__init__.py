"""What an operator does on Slack."""

from __future__ import annotations

from doorcode_cli.platforms.port import OperatorPlatform
from doorcode_cli.platforms.slack import checks, commands, secrets, set_up
from doorcode_cli.platforms.slack.api import SlackApi

SLACK = OperatorPlatform(
    api=SlackApi,
    commands=commands.app,
    forms=(secrets.SIGNING_SECRET, secrets.TOKEN),
    checks={"slack": checks.app_and_scopes},
    mends_signatures=secrets.SIGNING_SECRET.sets,
    set_up=set_up.set_up,
    how_to_get_token=set_up.HOW,
    token_needs_stack=True,
    used_once=(secrets.CONFIGURATION_TOKEN,),
    token_was_set=commands.note_workspace,
)

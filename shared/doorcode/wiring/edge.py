"""The edge's composition root: reads the environment and builds what a webhook stands on, once and lazily."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any

from doorcode.aws.agent_queue import AgentQueue
from doorcode.aws.budget import MessageBudget
from doorcode.aws.client.errors import TransportError
from doorcode.aws.lockout import Lockout
from doorcode.aws.retrying import Patience
from doorcode.aws.secrets import SecretStore
from doorcode.aws.table import Table
from doorcode.aws.waiting_room import WaitingRoom
from doorcode.entrypoints import log
from doorcode.entrypoints.follow_up import post
from doorcode.entrypoints.ping import answers_ping
from doorcode.entrypoints.webhook import Door
from doorcode.errors import SecretError, SettingsError
from doorcode.pairing.contact import Platform
from doorcode.pairing.decisions import Desk
from doorcode.pairing.ports import CALLBACK_SECRET, GATEWAY_SECRET
from doorcode.pairing.settings import GroupPolicy, parse_settings
from doorcode.platforms.inbound import Inbound
from doorcode.wiring.edge_clients import edge_clients
from doorcode.wiring.environment import required

# Who the bot itself is on Telegram, ``{id}:{username}``: stored when its webhook is set, used for mentions in groups.
TELEGRAM_BOT = "telegram/bot"
# The app's own workspace and organization on Slack, ``{team_id}:{enterprise_id}``: stored when its token is set.
SLACK_TEAM = "slack/team"

# The platforms wait for three seconds, and the one call of the edge to a platform takes up to one of them: so much have
# all calls of AWS together, and so much one service before its trouble is told.
REQUEST_SECONDS = 1.8
EDGE_PATIENCE_SECONDS = 1.0

Handler = Callable[[Mapping[str, Any], object], dict[str, Any]]


def edge_handler(platform: Inbound) -> Handler:
    """Return the Lambda handler of a platform's webhook; what it needs is built when the first request comes."""

    @cache
    def door() -> Door:
        return build_door(platform, os.environ)

    @answers_ping(door)
    def handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:
        log.begin(context, platform.PLATFORM)
        try:
            opened = door()
        except SettingsError as error:
            # Nothing is served under settings that were not meant; every line says what to correct.
            for problem in error.problems:
                log.error(problem, reason=error.reason)
            return {"statusCode": 503}
        return opened.serve(event, int(time.time()))

    return handler


def build_door(platform: Inbound, environment: Mapping[str, str]) -> Door:
    """Wire up one platform's webhook. Raises SettingsError with every value that is missing or cannot be used."""
    settings = parse_settings(environment)
    table_name, queue_url, prefix = required(environment, "TABLE_NAME", "AGENT_QUEUE_URL", "PARAMETER_PREFIX")
    log.info(settings.summary())
    for line in settings.warnings():
        log.warning(line, reason="settings")
    clients = edge_clients(environment)
    waits: Any = {"transport_errors": (TransportError,), "deadline": clients.deadline}
    patience = Patience(EDGE_PATIENCE_SECONDS, **waits)
    table = Table(clients.dynamodb, table_name, patience=EDGE_PATIENCE_SECONDS, **waits)
    mentions = platform.PLATFORM is Platform.TELEGRAM and settings.group_policy is GroupPolicy.MENTION_ONLY
    bot_name = TELEGRAM_BOT if mentions else SLACK_TEAM if platform.PLATFORM is Platform.SLACK else ""
    secrets = SecretStore(
        clients.ssm,
        prefix,
        (GATEWAY_SECRET, CALLBACK_SECRET, platform.SECRET, *([bot_name] if bot_name else [])),
        max_age=settings.secrets_max_age,
        patience=patience,
    )
    room = WaitingRoom(table, settings)
    return Door(
        platform,
        settings=settings,
        secrets=secrets,
        room=room,
        desk=Desk(room, Lockout(table), secrets, settings),
        budget=MessageBudget(table, settings.message_budget),
        queue=AgentQueue(clients.sqs, queue_url, patience),
        begin=partial(clients.deadline.start, REQUEST_SECONDS),
        bot=_bot(secrets, bot_name),
        call=post,
        api_url=settings.slack_api_url,
    )


def _bot(secrets: SecretStore, name: str) -> Callable[[int], str]:
    if name == TELEGRAM_BOT:
        return _telegram_bot(secrets)
    if name == SLACK_TEAM:
        return _slack_team(secrets)
    return lambda _: ""


def _slack_team(secrets: SecretStore) -> Callable[[int], str]:
    @cache
    def warn() -> None:
        log.warning(
            "It is not known which workspace the Slack app is in: each event is believed about it. "
            "Run: doorcode slack workspace",
            reason="settings",
        )

    def team(now: int) -> str:
        known = secrets.known(SLACK_TEAM, now)
        if not known:
            warn()
        return known

    return team


def _telegram_bot(secrets: SecretStore) -> Callable[[int], str]:
    def bot(now: int) -> str:
        try:
            return secrets.text(TELEGRAM_BOT, now)
        except SecretError:
            log.warning(
                "GROUP_POLICY is mention_only, but it is not known who the bot is: no mention will be noticed. "
                "Run: doorcode telegram webhook set",
                reason="settings",
            )
            return ""

    return bot

"""Wires up courier and agent. They have time, and use the platforms' libraries."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

from doorcode.agent.bedrock import converse_with
from doorcode.agent.memory import Memory
from doorcode.agent.responder import Responder, greet
from doorcode.aws.event_bus import EventBus
from doorcode.aws.postbox import Postbox
from doorcode.aws.prompt_book import PromptBook
from doorcode.aws.secrets import SecretStore
from doorcode.aws.table import Table
from doorcode.aws.waiting_room import WaitingRoom
from doorcode.entrypoints import log
from doorcode.entrypoints.agent import Agent
from doorcode.entrypoints.courier import Courier
from doorcode.entrypoints.effects import EffectsConsumer
from doorcode.entrypoints.ping import answers_ping
from doorcode.errors import SecretError
from doorcode.pairing.contact import Platform
from doorcode.pairing.ports import CALLBACK_SECRET, GATEWAY_SECRET
from doorcode.pairing.settings import Settings, parse_settings
from doorcode.platforms.discord import inbound as discord
from doorcode.platforms.discord.sender import DiscordSender
from doorcode.platforms.sender import Moves
from doorcode.platforms.slack import inbound as slack
from doorcode.platforms.slack.sender import SlackSender
from doorcode.platforms.telegram import inbound as telegram
from doorcode.platforms.telegram.sender import TelegramSender
from doorcode.wiring.environment import required
from doorcode.wiring.sdk import TRANSPORT_ERRORS, TWO_TRIES
from doorcode.wiring.senders import Build, TokenSenders, token_name

# An SSM String beside the secrets, for an environment holds no more than 4 KB.
INSTRUCTIONS = "agent/instructions"

MODEL_CONFIG = Config(connect_timeout=2, read_timeout=60, retries={"total_max_attempts": 1})
PATIENCE_SECONDS = 5.0

DRAW = {
    Platform.TELEGRAM: telegram.draw_prompt,
    Platform.SLACK: slack.draw_prompt,
    Platform.DISCORD: discord.draw_prompt,
}

Handler = Callable[[Mapping[str, Any], Any], Mapping[str, Any]]


def courier_handler() -> Handler:
    """Return the Lambda handler of the courier: the effects queue's batches, and the sweep's schedule."""

    @cache
    def built() -> tuple[Courier, EffectsConsumer]:
        return build_courier(os.environ)

    @answers_ping(built)
    def handler(event: Mapping[str, Any], context: Any) -> Mapping[str, Any]:
        log.begin(context, "courier")
        courier, consumer = built()
        if "Records" in event:
            return consumer.handle(event, context)
        courier.sweep(_now())
        return {}

    return handler


def agent_handler() -> Handler:
    """Return the Lambda handler of the agent."""

    @cache
    def agent() -> Agent:
        return build_agent(os.environ)

    @answers_ping(agent)
    def handler(event: Mapping[str, Any], context: Any) -> Mapping[str, Any]:
        log.begin(context, "agent")
        return agent().handle(event, context)

    return handler


def build_courier(environment: Mapping[str, str]) -> tuple[Courier, EffectsConsumer]:
    """Wire up the courier and what reads its queue. Raises SettingsError."""
    settings = parse_settings(environment)
    table_name, queue_url, dead_letter_url, prefix = required(
        environment, "TABLE_NAME", "EFFECTS_QUEUE_URL", "EFFECTS_DEAD_LETTER_URL", "PARAMETER_PREFIX"
    )
    table = Table(_client("dynamodb"), table_name, transport_errors=TRANSPORT_ERRORS, patience=PATIENCE_SECONDS)
    tokens = [token_name(platform) for platform in Platform]
    secrets = _secrets(prefix, (GATEWAY_SECRET, CALLBACK_SECRET, *tokens), settings)
    courier = Courier(
        settings=settings,
        secrets=secrets,
        room=WaitingRoom(table, settings),
        book=PromptBook(table),
        bus=EventBus(_client("events"), transport_errors=TRANSPORT_ERRORS),
        senders=TokenSenders(secrets, _builds(settings)),
        draw=DRAW,
    )
    return courier, EffectsConsumer(courier, Postbox(_client("sqs"), queue_url, dead_letter_url), _now)


def build_agent(environment: Mapping[str, str]) -> Agent:
    """Wire up the agent. Raises SettingsError."""
    settings = parse_settings(environment)
    table_name, queue_url, dead_letter_url, prefix = required(
        environment, "AGENT_TABLE_NAME", "AGENT_QUEUE_URL", "AGENT_DEAD_LETTER_URL", "PARAMETER_PREFIX"
    )
    secrets = _secrets(prefix, (INSTRUCTIONS, *(token_name(platform) for platform in Platform)), settings)
    model = settings.agent_model_id
    memory = Memory(_client("dynamodb"), table_name)
    return Agent(
        respond=_model(model, secrets) if model else greet,
        memory=memory,
        senders=TokenSenders(secrets, _builds(settings, memory)),
        postbox=Postbox(_client("sqs"), queue_url, dead_letter_url),
        clock=_now,
        debounce=settings.debounce,
        remembers=bool(model),
    )


def _model(model_id: str, secrets: SecretStore) -> Responder:
    def instructions() -> str:
        try:
            return secrets.text(INSTRUCTIONS, _now())
        except SecretError:
            # There need not be any.
            return ""

    return converse_with(_client("bedrock-runtime", MODEL_CONFIG), model_id, instructions)


def _builds(settings: Settings, moves: Moves | None = None) -> dict[Platform, Build]:
    return {
        Platform.TELEGRAM: lambda token: TelegramSender(token, settings.telegram_api_url, moves=moves),
        Platform.SLACK: lambda token: SlackSender(token, settings.slack_api_url),
        Platform.DISCORD: lambda token: DiscordSender(token, settings.discord_api_url),
    }


def _secrets(prefix: str, names: tuple[str, ...], settings: Settings) -> SecretStore:
    return SecretStore(_client("ssm"), prefix, names, max_age=settings.secrets_max_age)


def _client(service: str, config: Config = TWO_TRIES) -> Any:
    return boto3.client(service, config=config)


def _now() -> int:
    return int(time.time())

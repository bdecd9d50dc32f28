"""Wires up the agent. It has time, and uses the platforms' libraries."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from typing import Any

from botocore.config import Config

from doorcode.agent.bedrock import converse_with
from doorcode.agent.memory import Memory
from doorcode.agent.python import calling
from doorcode.agent.responder import AgentRefusedError, Responder
from doorcode.aws.postbox import Postbox
from doorcode.aws.secrets import SecretStore
from doorcode.entrypoints import log
from doorcode.entrypoints.agent import Agent
from doorcode.entrypoints.ping import answers_ping
from doorcode.errors import SecretError, SettingsError
from doorcode.pairing.agents import ANSWERED_HERE, AgentKind
from doorcode.pairing.platform import Platform
from doorcode.pairing.settings import Settings, parse_settings
from doorcode.wiring import sdk
from doorcode.wiring.environment import required
from doorcode.wiring.senders import TokenSenders, token_name

# An SSM String beside the secrets, for an environment holds no more than 4 KB.
INSTRUCTIONS = "agent/instructions"

Handler = Callable[[Mapping[str, Any], Any], Mapping[str, Any]]


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


def build_agent(environment: Mapping[str, str]) -> Agent:
    """Wire up the agent. Raises SettingsError."""
    settings = parse_settings(environment)
    table_name, queue_url, dead_letter_url, prefix = required(
        environment, "AGENT_TABLE_NAME", "AGENT_QUEUE_URL", "AGENT_DEAD_LETTER_URL", "PARAMETER_PREFIX"
    )
    names = (INSTRUCTIONS, *(token_name(platform) for platform in Platform))
    secrets = SecretStore(sdk.client("ssm", sdk.TWO_TRIES), prefix, names, max_age=settings.secrets_max_age)
    if problems := settings.agents.problems(ANSWERED_HERE | {AgentKind.QUEUE}):
        raise SettingsError(problems)
    memory = Memory(sdk.client("dynamodb", sdk.TWO_TRIES), table_name)
    return Agent(
        responders=_responders(settings, secrets),
        memory=memory,
        senders=TokenSenders(secrets, settings, memory),
        postbox=Postbox(sdk.client("sqs", sdk.TWO_TRIES), queue_url, dead_letter_url),
        clock=_now,
        debounce=settings.debounce,
    )


def _responders(settings: Settings, secrets: SecretStore) -> Callable[[Platform], Responder]:
    """Return what answers on each platform, built when its first message comes."""
    makers: Mapping[AgentKind, Callable[[], Responder]] = {
        AgentKind.PYTHON: _my_agent,
        AgentKind.BEDROCK: lambda: _model(settings.agents.model, secrets),
        AgentKind.FUNCTION: lambda: _function(settings.agents.arn),
        AgentKind.AGENTCORE: lambda: _runtime(settings.agents.arn),
    }

    @cache
    def made(kind: AgentKind) -> Responder:
        if kind not in makers:
            raise AgentRefusedError(f"Agent is {kind} now, and does not answer here.")
        return makers[kind]()

    return lambda platform: made(settings.agent(platform))


def _my_agent() -> Responder:
    # It stands beside the function's own module, and may import whatever its layer has.
    return calling(import_module("my_agent").respond)


def _model(model_id: str, secrets: SecretStore) -> Responder:
    def instructions() -> str:
        try:
            return secrets.text(INSTRUCTIONS, _now())
        except SecretError:
            # There need not be any.
            return ""

    return converse_with(sdk.client("bedrock-runtime", sdk.MODEL), model_id, instructions)


def _function(arn: str) -> Responder:
    from doorcode.agent.function import invoking  # noqa: PLC0415 (no other kind starts any later for it)

    return invoking(sdk.client("lambda", _where(arn)), arn, _now)


def _runtime(arn: str) -> Responder:
    from doorcode.agent.agentcore import running_in  # noqa: PLC0415

    return running_in(sdk.client("bedrock-agentcore", _where(arn)), arn, _now)


def _where(arn: str) -> Config:
    """Return how an agent in any region is asked: where its name says."""
    return sdk.MODEL.merge(Config(region_name=arn.split(":")[3]))


def _now() -> int:
    return int(time.time())

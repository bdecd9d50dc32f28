"""Wires up the agent. It has time, and uses the platforms' libraries."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from typing import Any

from botocore.config import Config

from doorcode.agent.memory import Memory
from doorcode.agent.python import calling
from doorcode.agent.responder import AgentRefusedError, Responder
from doorcode.asking.client import AskClient
from doorcode.aws.postbox import Postbox
from doorcode.aws.secrets import SecretStore
from doorcode.entrypoints import log
from doorcode.entrypoints.agent import Agent
from doorcode.entrypoints.agent_trial import is_trial, tried
from doorcode.entrypoints.owner_texts import TEXTS, OwnerTexts
from doorcode.entrypoints.ping import answers_ping
from doorcode.errors import SettingsError
from doorcode.pairing.agents import (
    ANSWERED_HERE,
    API_KEY,
    ASKS_TOKEN,
    INSTRUCTIONS,
    NEEDS_URL,
    WEBHOOK_SECRET,
    AgentKind,
)
from doorcode.pairing.platform import Platform
from doorcode.pairing.settings import Settings, parse_settings
from doorcode.pairing.wording import Wording
from doorcode.wiring import sdk
from doorcode.wiring.environment import required
from doorcode.wiring.senders import TokenSenders, what_senders_need

# What each kind of agent is given beside the bots' tokens.
PARAMETERS: Mapping[AgentKind, tuple[str, ...]] = {
    AgentKind.PYTHON: (ASKS_TOKEN,),
    AgentKind.BEDROCK: (INSTRUCTIONS,),
    AgentKind.OPENAI: (INSTRUCTIONS, API_KEY),
    AgentKind.WEBHOOK: (WEBHOOK_SECRET,),
}

Handler = Callable[[Mapping[str, Any], Any], Mapping[str, Any]]


def agent_handler() -> Handler:
    """Return the Lambda handler of the agent."""

    @cache
    def agent() -> Agent:
        return build_agent(os.environ)

    @answers_ping(agent)
    def handler(event: Mapping[str, Any], context: Any) -> Mapping[str, Any]:
        log.begin(context, "agent")
        if is_trial(event):
            return tried(event, lambda: agent().responders, _now())
        return agent().handle(event, context)

    return handler


def build_agent(environment: Mapping[str, str]) -> Agent:
    """Wire up the agent. Raises SettingsError."""
    settings = parse_settings(environment)
    table_name, queue_url, dead_letter_url, prefix = required(
        environment, "AGENT_TABLE_NAME", "AGENT_QUEUE_URL", "AGENT_DEAD_LETTER_URL", "PARAMETER_PREFIX"
    )
    kinds = {settings.agent(platform) for platform in Platform}
    # Its role may read no others.
    more = dict.fromkeys(name for kind in sorted(kinds) for name in PARAMETERS.get(kind, ()))
    names = (*what_senders_need(), *more)
    ssm = sdk.client("ssm", sdk.TWO_TRIES)
    secrets = SecretStore(ssm, prefix, names, max_age=settings.secrets_max_age)
    own_texts = OwnerTexts(SecretStore(ssm, prefix, (TEXTS,), max_age=settings.secrets_max_age))
    if problems := settings.agents.problems(ANSWERED_HERE | {AgentKind.QUEUE}):
        raise SettingsError(problems)
    memory = Memory(sdk.client("dynamodb", sdk.TWO_TRIES), table_name)
    return Agent(
        responders=_responders(settings, secrets, environment.get("WEB_URL", "")),
        memory=memory,
        senders=TokenSenders(secrets, settings, memory),
        postbox=Postbox(sdk.client("sqs", sdk.TWO_TRIES), queue_url, dead_letter_url),
        clock=_now,
        wording=Wording(own_texts.at),
        debounce=settings.debounce,
    )


def _responders(settings: Settings, secrets: SecretStore, web_url: str) -> Callable[[Platform], Responder]:
    """Return what answers on each platform, built when its first message comes; its kind is not imported before."""
    makers: Mapping[AgentKind, Callable[[str], Responder]] = {
        AgentKind.PYTHON: lambda _: _my_agent(_optional(secrets, ASKS_TOKEN), web_url),
        AgentKind.BEDROCK: lambda _: _model(settings.agents.model, secrets),
        AgentKind.OPENAI: lambda url: _completions(url, settings.agents.model, secrets),
        AgentKind.WEBHOOK: lambda url: _webhook(url, secrets),
        AgentKind.FUNCTION: lambda _: _function(settings.agents.arn),
        AgentKind.AGENTCORE: lambda _: _runtime(settings.agents.arn),
    }

    @cache
    def made(kind: AgentKind, url: str) -> Responder:
        if kind not in makers:
            raise AgentRefusedError(f"Agent is {kind} now, and does not answer here.")
        return makers[kind](url)

    def responder(platform: Platform) -> Responder:
        kind = settings.agent(platform)
        return made(kind, settings.agents.url_on(platform) if kind in NEEDS_URL else "")

    return responder


def _my_agent(token: Callable[[], str], web_url: str) -> Responder:
    def owner() -> AskClient | None:
        known = token()
        return AskClient(web_url, known) if known and web_url else None

    # It stands beside the function's own module, and may import whatever its layer has.
    return calling(import_module("my_agent").respond, owner)


def _model(model_id: str, secrets: SecretStore) -> Responder:
    from doorcode.agent.bedrock import converse_with  # noqa: PLC0415

    return converse_with(sdk.client("bedrock-runtime", sdk.MODEL), model_id, _optional(secrets, INSTRUCTIONS))


def _completions(url: str, model: str, secrets: SecretStore) -> Responder:
    from doorcode.agent.openai import completing_at  # noqa: PLC0415

    key, instructions = _optional(secrets, API_KEY), _optional(secrets, INSTRUCTIONS)
    return completing_at(url, model, key=key, instructions=instructions, clock=_now)


def _webhook(url: str, secrets: SecretStore) -> Responder:
    from doorcode.agent.webhook import posting_to  # noqa: PLC0415

    return posting_to(url, lambda: secrets.keyring(WEBHOOK_SECRET, _now()), _now)


def _optional(secrets: SecretStore, name: str) -> Callable[[], str]:
    # Read together with the tokens, which there are wherever anything is answered.
    return lambda: secrets.known(name, _now())


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

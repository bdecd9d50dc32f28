"""Who answers admitted messages: the kinds of agent, for each platform, and what each of them needs to be set."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import Protocol, TypeVar

from msgspec import Struct

from doorcode.pairing.platform import Platform
from doorcode.pairing.setting_forms import choice, per_platform, shown

T = TypeVar("T")


class AgentKind(StrEnum):
    """Who answers what is let in."""

    PYTHON = "python"
    """``functions/agent/my_agent.py``."""
    BEDROCK = "bedrock"
    """A model on Amazon Bedrock."""
    OPENAI = "openai"
    """Whatever speaks OpenAI's chat completions."""
    WEBHOOK = "webhook"
    """An address that is sent the message, signed."""
    FUNCTION = "function"
    """Another Lambda function."""
    AGENTCORE = "agentcore"
    """A runtime on Bedrock AgentCore."""
    BOT = "bot"
    """The bot that is there already: it gets the platform's own requests."""
    QUEUE = "queue"
    """Nobody here: the messages wait for a consumer of the operator's own."""


# What belongs to an agent beside the secrets: SSM parameters, for an environment holds no more than 4 KB.
INSTRUCTIONS = "agent/instructions"
API_KEY = "agent/api-key"
WEBHOOK_SECRET = "agent/webhook-secret"  # noqa: S105 (a name, not a secret)
# With which my_agent.py asks the owner: a token of the scope asks, which decides nothing. May be missing.
ASKS_TOKEN = "agent/asks-token"  # noqa: S105 (likewise)
# What a secret of Standard Webhooks begins with; base64 follows.
SIGNING_PREFIX = "whsec_"

# What the agent function answers itself.
ANSWERED_HERE = frozenset(AgentKind) - {AgentKind.BOT, AgentKind.QUEUE}
# Who may answer later, by a sealed address.
ANSWERS_LATER = frozenset({AgentKind.WEBHOOK, AgentKind.FUNCTION, AgentKind.AGENTCORE, AgentKind.QUEUE})
NEEDS_URL = frozenset({AgentKind.OPENAI, AgentKind.WEBHOOK, AgentKind.BOT})
NEEDS_MODEL = frozenset({AgentKind.BEDROCK, AgentKind.OPENAI})
# The service in the ARN that each of them needs.
ARN_SERVICES = {AgentKind.FUNCTION: "lambda", AgentKind.AGENTCORE: "bedrock-agentcore"}
ARN_EXAMPLES = {
    AgentKind.FUNCTION: "arn:aws:lambda:eu-central-1:123456789012:function:my-agent",
    AgentKind.AGENTCORE: "arn:aws:bedrock-agentcore:eu-central-1:123456789012:runtime/my_agent-abc123DEF4",
}
# Plain http only to this machine. A query is part of the address, for some frameworks compare it; no user, no fragment.
# Patterns, compiled when a setting is read that needs one: most edges read none.
URL = (
    r"(https://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])|http://(127\.0\.0\.1|localhost|\[::1\]))(:[0-9]{1,5})?"
    r"(/[A-Za-z0-9/._~%+:@=-]*)?(\?[A-Za-z0-9/._~%+:@=&-]*)?"
)
MODEL = r"[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,199}"
ARN = r"arn:aws[a-z-]*:(lambda|bedrock-agentcore):[a-z0-9-]+:[0-9]{12}:(function:[A-Za-z0-9_-]+(:[A-Za-z0-9$_-]+)?|runtime/[A-Za-z0-9_-]+)"


class Agents(Struct, frozen=True, kw_only=True):
    """Who answers on each platform, and where they are. ``kind`` and ``url`` hold where nothing is said of a platform."""

    kind: AgentKind = AgentKind.PYTHON
    kinds: Mapping[Platform, AgentKind] = {}
    url: str = ""
    urls: Mapping[Platform, str] = {}
    model: str = ""
    arn: str = ""

    def kind_on(self, platform: Platform) -> AgentKind:
        """Tell who answers on a platform."""
        return self.kinds.get(platform, self.kind)

    def url_on(self, platform: Platform) -> str:
        """Return where they are; empty if that is not set."""
        return self.urls.get(platform, self.url)

    def problems(self, kinds: Iterable[AgentKind], on: Iterable[Platform] = tuple(Platform)) -> tuple[str, ...]:
        """Name what is set so that it cannot work for those of ``kinds`` that are in use ``on`` platforms, a line for each.

        Each function is given what its own kinds need, so it can tell of those alone.
        """
        lines = []
        for kind in sorted(kinds):
            platforms = [platform for platform in on if self.kind_on(platform) is kind]
            if not platforms:
                continue
            if kind in NEEDS_URL:
                lines += [
                    f"AGENT is {kind} on {platform}, but AGENT_URL says no address for it. "
                    f"Use AGENT_URL={platform}=https://…"
                    for platform in platforms
                    if not self.url_on(platform)
                ]
            if kind in NEEDS_MODEL and not self.model:
                lines.append(f"AGENT is {kind}, but AGENT_MODEL is empty. Name the model that answers.")
            if kind is AgentKind.QUEUE and (others := sorted(set(map(self.kind_on, Platform)) & ANSWERED_HERE)):
                lines.append(
                    f"AGENT is queue on {', '.join(platforms)} and {', '.join(others)} elsewhere, but there is one queue, "
                    "and it has one consumer. Use queue for all that no bot answers."
                )
            service = ARN_SERVICES.get(kind)
            if service and f":{service}:" not in self.arn:
                lines.append(
                    f"AGENT is {kind}, but AGENT_ARN is none of {service}. Use for example {ARN_EXAMPLES[kind]}"
                )
        return tuple(lines)


class Read(Protocol):
    """Reads one setting by its name, or gives the default."""

    def __call__(self, name: str, parse: Callable[[str], T], default: T) -> T: ...  # noqa: D102


_Kinds = tuple[AgentKind | None, dict[Platform, AgentKind]]
_Urls = tuple[str | None, dict[Platform, str]]


def read_agents(read: Read) -> Agents:
    """Read AGENT and what belongs to it."""
    nobody: _Kinds = (None, {})
    nowhere: _Urls = (None, {})
    kind, kinds = read("AGENT", _kinds, nobody)
    url, urls = read("AGENT_URL", _urls, nowhere)
    return Agents(
        kind=kind or AgentKind.PYTHON,
        kinds=kinds,
        url=url or "",
        urls=urls,
        model=read("AGENT_MODEL", _model, ""),
        arn=read("AGENT_ARN", _arn, ""),
    )


def _kinds(text: str) -> _Kinds:
    example = f"{AgentKind.BEDROCK},{list(Platform)[1]}={AgentKind.BOT}"
    return per_platform(text, lambda word: choice(AgentKind, word), "agents", example)


def _urls(text: str) -> _Urls:
    return per_platform(text, _url, "addresses", f"https://…,{list(Platform)[1]}=https://…")


def _url(text: str) -> str:
    if not re.fullmatch(URL, text):
        raise ValueError(
            f"{shown(text)} is not an https:// address without user and fragment (http:// only to localhost)."
        )
    return text


def _model(text: str) -> str:
    if not re.fullmatch(MODEL, text):
        raise ValueError(f"{shown(text)} is no model's name, such as eu.amazon.nova-lite-v1:0 or gpt-5-mini.")
    return text


def _arn(text: str) -> str:
    if not re.fullmatch(ARN, text):
        raise ValueError(f"{shown(text)} is no such ARN as {' or '.join(ARN_EXAMPLES.values())}.")
    return text

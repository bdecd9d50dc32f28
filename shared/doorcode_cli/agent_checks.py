"""The check of ``doorcode doctor`` that looks at the agent: whether what its kind needs is set, and can be right."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from doorcode.errors import SettingsError
from doorcode.pairing.agents import ANSWERED_HERE, API_KEY, INSTRUCTIONS, NEEDS_URL, AgentKind, Agents
from doorcode.pairing.contact import Platform
from doorcode.pairing.settings import parse_settings
from doorcode_cli.checks import DEPLOY
from doorcode_cli.examination import Examination, Finding, ok, warn, wrong
from doorcode_cli.shown import counted

LOOPBACK = ("127.0.0.1", "localhost", "::1")


def agent(examined: Examination) -> Iterator[Finding]:
    """Look whether what answers on each platform has all that it needs."""
    try:
        agents = parse_settings(examined.deployment.environment("AgentFunction")).agents
    except SettingsError as error:
        for line in error.problems:
            yield wrong("agent", line, DEPLOY)
        return
    for line in agents.problems(ANSWERED_HERE | {AgentKind.QUEUE}):
        yield wrong("agent", line, DEPLOY)
    places = {(agents.kind_on(platform), _host(agents, platform)) for platform in Platform}
    for kind, host in sorted(places):
        if kind is AgentKind.QUEUE:
            yield _waiting(examined)
            continue
        # What an address has behind its host may be a secret.
        yield ok("agent", f"{kind} answers{f', at {host}' if host else ''}")
        if urlsplit(host).hostname in LOOPBACK and not examined.deployment.target.local:
            yield wrong(
                "agent", f"{host} is the function itself: nothing answers there", f"AgentUrl=https://…, with {DEPLOY}"
            )
    kinds = {kind for kind, _ in places}
    if AgentKind.OPENAI in kinds and API_KEY not in examined.secrets:
        yield warn(
            "agent",
            f"{API_KEY} is missing: asked without a key, which few servers take",
            f"doorcode secrets set {API_KEY}",
        )
    if kinds & {AgentKind.OPENAI, AgentKind.BEDROCK} and INSTRUCTIONS not in examined.secrets:
        yield ok(
            "agent",
            f"the model is told nothing first: {INSTRUCTIONS} is not set",
            f"doorcode secrets set {INSTRUCTIONS}",
        )


def _waiting(examined: Examination) -> Finding:
    """Tell how many wait for a consumer of the operator's own, of which nothing else is known here."""
    deployment = examined.deployment
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = deployment.client("sqs").get_queue_attributes(
        QueueUrl=deployment.physical("AgentQueue"), AttributeNames=names
    )["Attributes"]
    waiting, taken = (int(found[name]) for name in names)
    if not waiting:
        return ok("agent", f"queue: nothing waits for your consumer, and it has {counted(taken, 'message')}")
    return warn(
        "agent",
        f"queue: {counted(waiting, 'message')} wait for your consumer, and it has {taken}",
        "doorcode attach URL, unless a consumer of yours takes them",
    )


def _host(agents: Agents, platform: Platform) -> str:
    if agents.kind_on(platform) not in NEEDS_URL:
        return ""
    parts = urlsplit(agents.url_on(platform))
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""

"""The checks of ``doorcode doctor`` that look at the account around the stack: what it allows, and who hears of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

from botocore.exceptions import ClientError

from doorcode.entrypoints.ping import PING, STARTED
from doorcode.pairing.agents import AgentKind
from doorcode_cli.checks import DEPLOY
from doorcode_cli.deployment import ANY_EDGE
from doorcode_cli.examination import Check, Examination, Finding, ok, warn, wrong
from doorcode_cli.shown import counted, shown

DENIED = ("AccessDenied", "AccessDeniedException", "AuthorizationError")
# Webhooks, the page and the command are waited for. With fewer than this a busy minute turns some of them away.
ROOMY = 20
MORE = (
    "aws service-quotas request-service-quota-increase --service-code lambda --quota-code L-B99A9384 "
    "--desired-value 1000"
)
# The template's own limit, so that Lambda's 4,096 bytes of environment hold the rest too.
ALLOWED_USERS_LENGTH = 1700
NEARLY = 0.9
# What is shown of how a function fails to start.
SAID_LENGTH = 300
# What an inference profile's id has before the model's own.
PROFILES = ("us", "eu", "apac", "jp", "au", "ca", "global", "us-gov")


def needs(action: str, check: str) -> Callable[[Check], Check]:
    """Have a check that may not ask say which right it lacks, and no more: the stack itself needs none of these."""

    def wrapped(look: Check) -> Check:
        @wraps(look)
        def looked(examined: Examination) -> Iterator[Finding]:
            try:
                yield from look(examined)
            except ClientError as error:
                if error.response.get("Error", {}).get("Code") not in DENIED:
                    raise
                yield warn(check, f"not known: your credentials lack {action}")

        return looked

    return wrapped


@needs("lambda:InvokeFunction on every function", "start")
def start(examined: Examination) -> Iterator[Finding]:
    """Ask every function whether it can start: its code is imported, its settings are read, its clients are built."""
    started = 0
    for name, physical in sorted(examined.deployment.functions.items()):
        answer = examined.deployment.client("lambda").invoke(FunctionName=physical, Payload=json.dumps(PING))
        said: Any = json.loads(answer["Payload"].read() or b"null")
        if said == STARTED and not answer.get("FunctionError"):
            started += 1
            continue
        told = said if isinstance(said, dict) else {}
        kind = str(told.get("error") or told.get("errorType") or "an answer of another version")
        detail = str(told.get("detail") or told.get("errorMessage") or "")
        yield wrong("start", shown(f"{name} does not start: {kind}: {detail}".removesuffix(": "), SAID_LENGTH), DEPLOY)
    if started:
        yield ok("start", f"{counted(started, 'function')} answered that they can start")


@needs("lambda:GetAccountSettings", "concurrency")
def concurrency(examined: Examination) -> Iterator[Finding]:
    """Look whether the account lets enough functions run at once."""
    if examined.deployment.target.local:
        yield ok("concurrency", "the sandbox has no limit")
        return
    settings = examined.deployment.client("lambda").get_account_settings()
    limit = int(settings["AccountLimit"]["UnreservedConcurrentExecutions"])
    given = examined.deployment.parameters
    behind = sum(int(given.get(name, "0")) for name in ("AgentConcurrency", "CourierConcurrency"))
    text = f"this account may run {counted(limit, 'function')} at once, of which agent and courier may take {behind}"
    if limit <= behind:
        yield wrong("concurrency", f"{text}: nothing is left for the webhooks", MORE)
    elif limit - behind < ROOMY:
        yield warn("concurrency", f"{text}: {limit - behind} are left for all else in it", MORE)
    else:
        yield ok("concurrency", text)


@needs("sns:ListSubscriptionsByTopic", "alarms")
def alarms(examined: Examination) -> Iterator[Finding]:
    """Look whether anybody hears an alarm."""
    deployment = examined.deployment
    if deployment.target.local:
        yield ok("alarms", "the sandbox has nobody to tell")
        return
    if deployment.parameters.get("Monitoring") == "off":
        yield warn("alarms", "there are none: nobody hears when something fails", f"Monitoring=lean, with {DEPLOY}")
        return
    pages = deployment.client("sns").get_paginator("list_subscriptions_by_topic")
    found = [
        subscription["SubscriptionArn"]
        for page in pages.paginate(TopicArn=deployment.output("AlarmTopicArn"))
        for subscription in page["Subscriptions"]
    ]
    hear = sum(arn.startswith("arn:") for arn in found)
    if hear:
        yield ok("alarms", f"heard by {counted(hear, 'subscription')}")
    elif found:
        text = "nobody hears them: who was to has not confirmed it yet"
        yield warn("alarms", text, "open the link in AWS's mail: AWS Notification - Subscription Confirmation")
    else:
        yield warn("alarms", "nobody hears them", f"AlarmEmail=you@example.com, with {DEPLOY}")


@needs("bedrock:GetFoundationModelAvailability", "model")
def model(examined: Examination) -> Iterator[Finding]:
    """Look whether this account may use the model that is set."""
    environment = examined.deployment.environment("AgentFunction")
    name = environment.get("AGENT_MODEL", "") if AgentKind.BEDROCK in environment.get("AGENT", "") else ""
    if not name or examined.deployment.target.local:
        yield ok("model", "nothing to ask for" if name else "no model on Amazon Bedrock answers")
        return
    prefix, _, rest = name.partition(".")
    through_profile = prefix in PROFILES
    client: Any = examined.deployment.client("bedrock")
    try:
        told = client.get_foundation_model_availability(modelId=rest if through_profile else name)
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") not in {"ResourceNotFoundException", "ValidationException"}:
            raise
        yield wrong("model", f"Amazon Bedrock knows no {name} in this region", f"AgentModel=…, with {DEPLOY}")
        return
    lacks = [
        lack
        for lack, fine in (
            ("an agreement", told["agreementAvailability"]["status"] == "AVAILABLE"),
            ("the right to use it", told["authorizationStatus"] == "AUTHORIZED"),
            ("access to it", told["entitlementAvailability"] == "AVAILABLE"),
            # A profile answers from regions of its own.
            ("it in this region", told["regionAvailability"] == "AVAILABLE" or through_profile),
        )
        if not fine
    ]
    if lacks:
        text = f"{name} cannot be asked yet: this account lacks {', '.join(lacks)}"
        yield wrong("model", text, "an administrator opens it once in Amazon Bedrock's console, under Model catalog")
    else:
        yield ok("model", f"{name} may be asked")


def allowed_users(examined: Examination) -> Iterator[Finding]:
    """Look whether the list of people who never need to ask is nearly as long as it can be."""
    length = len(examined.deployment.environment(ANY_EDGE).get("ALLOWED_USERS", ""))
    text = f"AllowedUsers has {length:,} of at most {ALLOWED_USERS_LENGTH:,} characters"
    if length >= ALLOWED_USERS_LENGTH * NEARLY:
        yield warn("allowed users", text, "doorcode pairing add PLATFORM ID, which lets in any number")
    else:
        yield ok("allowed users", text)

"""Having the stack deployed as its sources and settings are, with as little work as that takes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import msgspec
from botocore.exceptions import ClientError

from doorcode.pairing.contact import Platform
from doorcode.pairing.settings import Settings
from doorcode_cli.checkout import Checkout
from doorcode_cli.deployment import API_URLS
from doorcode_cli.progress import Progress
from doorcode_cli.template import settings
from doorcode_sandbox.build import built_key, digests, local_build_held
from doorcode_sandbox.deployment import deploy, make_good, outputs, package
from doorcode_sandbox.infrastructure import STACK, Infrastructure
from doorcode_sandbox.plan import Plan
from doorcode_sandbox.reload import Reload
from doorcode_sandbox.stand_ins import StandIns
from doorcode_sandbox.store import Deployed

BUCKET = "doorcode-sandbox"
# Secrets that were just set are soon in use.
SECRETS_MAX_AGE = 5
REAL_URLS: Mapping[Platform, str] = {platform: Settings().api_url(platform) for platform in Platform}


def parameters(
    plan: Plan, environment: Mapping[str, str], stand_ins: StandIns, real: frozenset[Platform], template: str
) -> dict[str, object]:
    """Return the parameters of that template. ``real`` are the platforms that somebody has a token of his own for."""
    known = settings(template)
    owners = [f"{platform}:{user}" for platform, users in plan.owners.items() for user in users]
    # All of them, or what was set the last time would still be.
    found: dict[str, object] = {setting.parameter: setting.default for setting in known.values()} | {
        "UnknownUserPolicy": plan.policy,
        "OwnerUserIds": ",".join(owners),
        "SecretsMaxAgeSeconds": SECRETS_MAX_AGE,
        # The stack's own address is the emulator's, which shows no page.
        "PageUrl": plan.page_url,
    }
    for platform, stand_in in stand_ins.each.items():
        near = REAL_URLS[platform] if platform in real else stand_in.api_url
        found[f"{platform.title()}ApiUrl"] = environment.get(API_URLS[platform]) or near
    return found | {known[name].parameter: value for name, value in plan.settings.items()}


def install(
    infrastructure: Infrastructure, wanted: Mapping[str, object], reload: Reload, progress: Progress
) -> Deployed:
    """Deploy with these parameters, unless all of it is so already; return what is deployed. Raises SandboxError."""
    former, present = infrastructure.store.deployed(), Deployed(_key(infrastructure.checkout, wanted))
    try:
        if former == present:
            # Raises if the stack is not what was kept.
            outputs(infrastructure.clients, STACK)
            progress.say("✅ Nothing has changed since it was deployed")
        else:
            with progress.step("Deploying template.yaml", "Deployed"):
                _deploy(infrastructure, wanted)
                if former and former.reloaded:
                    # CloudFormation does not know what was changed behind its back.
                    reload.everything()
    except ClientError as error:
        raise infrastructure.store.damaged(str(error)) from None
    infrastructure.store.mark(present)
    return present


def _deploy(infrastructure: Infrastructure, wanted: Mapping[str, object]) -> None:
    with local_build_held(infrastructure.checkout) as built:
        template = package(infrastructure.clients, built, BUCKET)
    deploy(infrastructure.clients, STACK, template, wanted)
    make_good(infrastructure.clients, STACK)


def _key(checkout: Checkout, wanted: Mapping[str, object]) -> str:
    """Return what a deployment depends on, as one word."""
    parts = [built_key(checkout), digests(checkout, ["functions/**/*"]), sorted(wanted.items())]
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()

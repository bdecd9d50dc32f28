"""The whole of it: emulator, deployed stack, stand-ins and playground, up for as long as somebody wants them."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from types import MappingProxyType
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError
from msgspec import Struct

from doorcode.pairing.contact import Platform
from doorcode_cli.checkout import Checkout
from doorcode_cli.deployment import API_URLS, WEBHOOK_OUTPUTS
from doorcode_cli.program import program
from doorcode_cli.progress import Progress
from doorcode_sandbox import asks_token
from doorcode_sandbox.credentials import fill, put, read, real, verifying
from doorcode_sandbox.deployment import REGION, outputs
from doorcode_sandbox.emulator_guard import front_word
from doorcode_sandbox.failures import Failures
from doorcode_sandbox.front import Front
from doorcode_sandbox.infrastructure import PREFIX, STACK, Infrastructure, started
from doorcode_sandbox.install import install, parameters
from doorcode_sandbox.metric_filters import MetricFilters
from doorcode_sandbox.plan import Plan
from doorcode_sandbox.playground.backend import Playground
from doorcode_sandbox.playground.inside import Inside
from doorcode_sandbox.reload import Reload
from doorcode_sandbox.stand_ins import StandIns
from doorcode_sandbox.store import Deployed
from doorcode_sandbox.trouble import SandboxError


class Running(Struct, frozen=True, kw_only=True):
    """A sandbox that is up. ``real`` are the platforms that it does not have a stand-in's part in."""

    url: str
    real: frozenset[Platform]
    infrastructure: Infrastructure
    deployed: Deployed
    reload: Reload
    failures: Failures
    metrics: MetricFilters

    def check(self) -> None:
        """Raise SandboxError if it is not up any more."""
        self.infrastructure.check()

    def deploy(self, changed: Sequence[str]) -> list[str]:
        """Deploy what those sources are part of; return what was deployed. Raises SandboxError."""
        self.infrastructure.store.mark(Deployed(self.deployed.key, reloaded=True))
        try:
            return self.reload.apply(changed)
        except (BotoCoreError, ClientError) as error:
            raise SandboxError(f"The functions could not be changed: {error}.") from None


@contextlib.contextmanager
def running(
    plan: Plan,
    progress: Progress,
    environment: Mapping[str, str],
    checkout: Checkout | None = None,
    *,
    secrets: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Running]:
    """Have a sandbox, with those secrets of somebody's own. Raises SandboxError; nothing is left running, however this ends."""
    with started(plan, progress, environment, checkout or Checkout()) as infrastructure, ExitStack() as up:
        put(infrastructure.clients("ssm"), PREFIX, secrets)
        yield _open(plan, progress, infrastructure, up)


def _open(plan: Plan, progress: Progress, infrastructure: Infrastructure, up: ExitStack) -> Running:
    clients = infrastructure.clients
    stand_ins = StandIns(infrastructure.ports.stand_ins, infrastructure.store.seed)
    up.enter_context(stand_ins.running())
    own = real(clients("ssm"), PREFIX)
    reload = Reload(infrastructure.checkout, clients, STACK, infrastructure.environment, plan.my_agent)
    not_here = own | {platform for platform in Platform if infrastructure.environment.get(API_URLS[platform])}
    # Before anything is deployed: what waited in the queues since the last run finds everybody's chat open.
    found: dict[str, str] = {}
    playground = Playground(
        stand_ins=stand_ins.each,
        secret=lambda name: read(clients("ssm"), PREFIX, [name])[name],
        client=clients,
        stack=STACK,
        outputs=found,
        where=plan.where,
        program=program(),
        owners={platform: plan.owners.get(platform, ()) for platform in plan.platforms},
        real=not_here,
    )
    deployed = install(
        infrastructure,
        parameters(plan, infrastructure.environment, stand_ins, own, infrastructure.checkout.template.read_text()),
        reload,
        progress,
    )
    if plan.my_agent:
        infrastructure.store.mark(Deployed(deployed.key, reloaded=True))
        reload.apply([str(plan.my_agent)])
    for platform, wanted in stand_ins.credentials().items():
        if platform in plan.platforms:
            fill(clients("ssm"), PREFIX, wanted)
    asks_token.have_one(clients, STACK, PREFIX)
    found.update(outputs(clients, STACK))
    # All of the stack's addresses are on one host; they keep the port at which the stack was first deployed.
    name = urlsplit(found[WEBHOOK_OUTPUTS[plan.platforms[0]]]).hostname
    host = f"{name}:{urlsplit(infrastructure.endpoint).port}"
    front = up.enter_context(
        Front(
            port=infrastructure.ports.front,
            api=infrastructure.endpoint,
            host=host,
            word=front_word(infrastructure.keys),
            sign_in=plan.command,
            public=plan.public_url if plan.public_page else "",
            playground=playground,
        )
    )
    stand_ins.register(front.url, verifying(clients("ssm"), PREFIX))
    infrastructure.store.announce(
        {
            "endpoint": infrastructure.endpoint,
            "key": infrastructure.keys.key,
            "secret": infrastructure.keys.secret,
            "stack": STACK,
            "region": REGION,
            "url": front.url,
            "public_url": plan.public_url,
        }
    )
    failures = Failures(Inside(clients, STACK), time.time)
    return Running(
        url=front.url,
        real=not_here,
        infrastructure=infrastructure,
        deployed=deployed,
        reload=reload,
        failures=failures,
        metrics=MetricFilters(clients, STACK, time.time),
    )

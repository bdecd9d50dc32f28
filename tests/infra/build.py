"""Building the stack for the tests, the sandbox's way and the operator's, with the tests' own environment kept out of it."""

import os
import subprocess
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path

from doorcode_cli.checkout import Checkout
from doorcode_sandbox import build as builds

CHECKOUT = Checkout()
INTERPRETER = CHECKOUT.interpreter


def build_local() -> Path:
    """Build for this machine and ministack's interpreter, unless that was done for these very sources.

    Raises EmulatorError where the tools are not installed.
    """
    return builds.build_local(CHECKOUT, _environment())


def build(target: Path, settings: Mapping[str, str]) -> None:
    """Build into a folder with ``sam build``, as ``make build`` does. uv takes what it needs from its cache, or downloads it."""
    done = subprocess.run(
        [CHECKOUT.sam, "build", "--build-dir", target],
        cwd=CHECKOUT.root,
        env={"SAM_CLI_TELEMETRY": "0", "SAM_CLI_POLL_DELAY": "0.2", **_environment(), **settings},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def local_build_held() -> AbstractContextManager[Path]:
    """Keep the local build as it is, also against other workers, while it is used."""
    return builds.local_build_held(CHECKOUT)


def _environment() -> dict[str, str]:
    # The tests' own NO_PROXY is not meant for uv.
    return {name: value for name, value in os.environ.items() if name != "NO_PROXY"}

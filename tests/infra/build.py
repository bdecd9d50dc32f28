"""Building the stack with ``sam build``: for this machine, so that ministack can run it, and for AWS."""

import contextlib
import fcntl
import functools
import hashlib
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tests.backends.emulators import EmulatorError

ROOT = Path(__file__).parents[2]
SAM = ROOT / ".tools/sam/bin/sam"
INTERPRETER = ROOT / ".tools/ministack/bin/python"
"""Functions run on ministack's own interpreter there, whatever their Runtime says."""

LOCAL = ROOT / ".aws-sam/local"
SOURCES = ("template.yaml", "samconfig.toml", "layers/**/*", "shared/doorcode/**/*.py")


def build_local() -> Path:
    """Build for this machine and ministack's interpreter, unless that was done for these very sources.

    Raises EmulatorError where the tools are not installed.
    """
    if not SAM.exists():
        raise EmulatorError("the AWS SAM command is not installed: run `make sam`")
    if not INTERPRETER.exists():
        raise EmulatorError("ministack is not installed: run `make ministack`")
    with _locked(fcntl.LOCK_EX):
        done = LOCAL.with_suffix(".key")
        key = _key()
        if LOCAL.exists() and done.exists() and done.read_text() == key:
            return LOCAL
        done.unlink(missing_ok=True)
        shutil.rmtree(LOCAL, ignore_errors=True)
        build(
            LOCAL,
            {
                "LAYER_PYTHON": _interpreter(),
                "LAYER_PLATFORM": _machine(),
                "LAYER_COMPILER": str(INTERPRETER),
            },
        )
        done.write_text(key)
    return LOCAL


def build(target: Path, settings: Mapping[str, str]) -> None:
    """Build into a folder. uv takes what it needs from its cache, or downloads it."""
    # The tests' own NO_PROXY is not meant for it.
    environment = {name: value for name, value in os.environ.items() if name != "NO_PROXY"}
    sam(["build", "--build-dir", str(target)], {**environment, **settings})


@contextlib.contextmanager
def local_build_held() -> Iterator[Path]:
    """Keep the local build as it is, also against other workers, while it is used."""
    with _locked(fcntl.LOCK_SH):
        yield LOCAL


def _key() -> str:
    digest = hashlib.sha256(f"{_interpreter()} {_machine()}\n".encode())
    for path in sorted({path for pattern in SOURCES for path in ROOT.glob(pattern) if path.is_file()}):
        digest.update(f"{path.relative_to(ROOT)} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()


@functools.cache
def _interpreter() -> str:
    script = "import sys; print('%d.%d' % sys.version_info[:2])"
    return subprocess.run([INTERPRETER, "-c", script], capture_output=True, text=True, check=True).stdout.strip()


def _machine() -> str:
    architecture = {"arm64": "aarch64", "amd64": "x86_64"}.get(platform.machine().lower(), platform.machine())
    return f"{architecture}-{'apple-darwin' if sys.platform == 'darwin' else 'manylinux2014'}"


def sam(arguments: Sequence[str], settings: Mapping[str, str]) -> None:
    """Run a command of sam. Raises AssertionError with what it said."""
    environment = {"PATH": os.environ["PATH"], "SAM_CLI_TELEMETRY": "0", "SAM_CLI_POLL_DELAY": "0.2", **settings}
    ran = subprocess.run([SAM, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise AssertionError(f"sam {arguments[0]} failed:\n{ran.stdout[-4000:]}\n{ran.stderr[-4000:]}")


@contextlib.contextmanager
def _locked(how: int) -> Iterator[None]:
    """Hold the build: shared while it is used, alone while it is made."""
    LOCAL.parent.mkdir(exist_ok=True)
    with LOCAL.with_suffix(".lock").open("w") as file:
        fcntl.flock(file, how)
        yield

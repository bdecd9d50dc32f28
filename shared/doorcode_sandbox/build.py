"""Building the stack with ``sam build`` for ministack's interpreter on this machine."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import hashlib
import os
import platform
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from doorcode_cli.checkout import Checkout
from doorcode_sandbox.process import Leashed, tail
from doorcode_sandbox.trouble import SandboxError

# What the layers are made of; the functions' folders are deployed as they are.
SOURCES = ("template.yaml", "samconfig.toml", "layers/**/*", "shared/doorcode/**/*.py")


def check(checkout: Checkout) -> None:
    """Raise SandboxError where something is missing that has to be there."""
    if problem := checkout.problem():
        raise SandboxError(problem)


def build_local(checkout: Checkout, environment: Mapping[str, str]) -> Path:
    """Build, unless that was done for these very sources. Raises SandboxError."""
    check(checkout)
    built = local(checkout)
    with _locked(checkout, fcntl.LOCK_EX):
        done = _done(checkout)
        key = build_key(checkout)
        if built.exists() and built_key(checkout) == key:
            return built
        done.unlink(missing_ok=True)
        shutil.rmtree(built, ignore_errors=True)
        build(checkout, built, {**environment, **layer_environment(checkout)})
        if build_key(checkout) == key:
            # Nothing was changed meanwhile.
            done.write_text(key)
    return built


def layer_environment(checkout: Checkout) -> dict[str, str]:
    """Return what the layers' rules are told, to build for ministack's interpreter on this machine."""
    return {
        "LAYER_PYTHON": _version(checkout.interpreter),
        "LAYER_PLATFORM": _machine(),
        "LAYER_COMPILER": str(checkout.interpreter),
    }


def build(checkout: Checkout, target: Path, environment: Mapping[str, str]) -> None:
    """Build into a folder. uv takes what it needs from its cache, or downloads it. Raises SandboxError."""
    sam(checkout, ["build", "--build-dir", str(target)], environment)


@contextlib.contextmanager
def local_build_held(checkout: Checkout) -> Iterator[Path]:
    """Keep the local build as it is, also against other processes, while it is used."""
    with _locked(checkout, fcntl.LOCK_SH):
        yield local(checkout)


def local(checkout: Checkout) -> Path:
    """Return where the local build is."""
    return checkout.root / ".aws-sam/local"


def built_key(checkout: Checkout) -> str:
    """Return what the local build was made from, as one word; another one every time where that is not known."""
    try:
        return _done(checkout).read_text()
    except FileNotFoundError:
        return secrets.token_hex()


def build_key(checkout: Checkout) -> str:
    """Return what the local build depends on, as one word."""
    digest = hashlib.sha256(f"{_version(checkout.interpreter)} {_machine()}\n".encode())
    for name, content in digests(checkout, SOURCES).items():
        digest.update(f"{name} {content}\n".encode())
    return digest.hexdigest()


def digests(checkout: Checkout, patterns: Sequence[str]) -> dict[str, str]:
    """Return the hash of each file that fits a pattern, by its path in the checkout."""
    found = {path for pattern in patterns for path in checkout.root.glob(pattern)}
    return {
        str(path.relative_to(checkout.root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(found)
        if path.is_file() and path.suffix != ".pyc"
    }


def build_layer(checkout: Checkout, folder: str, layer: str, target: Path, environment: Mapping[str, str]) -> None:
    """Build one layer, for ministack's interpreter: by its own rule, as ``sam build`` does, and without the start of it. Raises SandboxError."""
    rule = ["make", "--silent", "-C", f"layers/{folder}", f"build-{layer}", f"ARTIFACTS_DIR={target}"]
    _run(checkout, rule, {**environment, **layer_environment(checkout)}, f"Building {layer}")


def sam(checkout: Checkout, arguments: Sequence[str], environment: Mapping[str, str]) -> None:
    """Run a command of sam. Raises SandboxError with what it said."""
    given = {"SAM_CLI_TELEMETRY": "0", "SAM_CLI_POLL_DELAY": "0.2", **environment}
    _run(checkout, [checkout.sam, *arguments], given, f"sam {arguments[0]}")


def _run(checkout: Checkout, command: Sequence[str | Path], environment: Mapping[str, str], what: str) -> None:
    """Run another program, on a leash. Raises SandboxError with what it said."""
    given = {"PATH": os.defpath, **environment}
    with (
        tempfile.TemporaryFile() as log,
        Leashed(command, log=log, folder=checkout.root, environment=given) as process,
    ):
        if process.wait():
            log.seek(0)
            raise SandboxError(f"{what} failed: see what it said, mend that, and try again.", tail(log.read()))


def _done(checkout: Checkout) -> Path:
    return local(checkout).with_suffix(".key")


@functools.cache
def _version(interpreter: Path) -> str:
    script = "import sys; print('%d.%d' % sys.version_info[:2])"
    return subprocess.run(  # noqa: S603 (a path of our own)
        [interpreter, "-c", script], capture_output=True, text=True, check=True
    ).stdout.strip()


def _machine() -> str:
    architecture = {"arm64": "aarch64", "amd64": "x86_64"}.get(platform.machine().lower(), platform.machine())
    return f"{architecture}-{'apple-darwin' if sys.platform == 'darwin' else 'manylinux2014'}"


@contextlib.contextmanager
def _locked(checkout: Checkout, how: int) -> Iterator[None]:
    """Hold the build: shared while it is used, alone while it is made."""
    built = local(checkout)
    built.parent.mkdir(exist_ok=True)
    with built.with_suffix(".lock").open("w") as file:
        fcntl.flock(file, how)
        yield

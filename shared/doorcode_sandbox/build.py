"""Building the stack for ministack's interpreter on this machine, as ``sam build`` does for Lambda: by the layers' own rules."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import hashlib
import os
import platform
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from doorcode_cli.checkout import Checkout
from doorcode_sandbox.process import Leashed, tail
from doorcode_sandbox.trouble import SandboxError

# What the layers are made of; the functions' folders are deployed as they are.
SOURCES = ("template.yaml", "layers/**/*", "shared/doorcode/**/*.py")
TEMPLATE = "template.yaml"
# A layer is built by a rule of its name, which is the one that it has in the template.
RULE = re.compile(r"^build-(\w+):", re.MULTILINE)
# Where the template says that a layer or a function is.
FOLDER = re.compile(r"\b(?P<property>ContentUri|CodeUri): (?P<folder>[^\s,}]+)")


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
        build(checkout, built, environment)
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
    """Build into a folder: each layer, and a template that says where they are from there. Raises SandboxError."""
    layers = _layers(checkout)
    build_layers(checkout, target, environment, layers.values())

    def there(found: re.Match[str]) -> str:
        folder = Path(found["folder"])
        is_layer = folder.parent.name == "layers"
        where = layers[folder.name] if is_layer else os.path.relpath(checkout.root / folder, target)
        return f"{found['property']}: {where}"

    (target / TEMPLATE).write_text(FOLDER.sub(there, checkout.template.read_text()))


def build_layers(checkout: Checkout, target: Path, environment: Mapping[str, str], names: Collection[str]) -> None:
    """Build those layers, all at once, each into a folder of its name: uv takes what it needs from its cache, or downloads it.

    Raises SandboxError with what a rule said.
    """
    given = {"PATH": os.defpath, **environment, **layer_environment(checkout)}
    with contextlib.ExitStack() as up:
        building = []
        for folder, name in _layers(checkout).items():
            if name in names:
                (target / name).mkdir(parents=True)
                log = up.enter_context(tempfile.TemporaryFile())
                rule = ["make", "--silent", "-C", f"layers/{folder}", f"build-{name}", f"ARTIFACTS_DIR={target / name}"]
                process = up.enter_context(Leashed(rule, log=log, folder=checkout.root, environment=given))
                building.append((name, log, process))
        for name, log, process in building:
            if process.wait():
                log.seek(0)
                raise SandboxError(
                    f"Building {name} failed: see what it said, mend that, and try again.", tail(log.read())
                )


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


def _layers(checkout: Checkout) -> dict[str, str]:
    """Return the name of each layer, by its folder's."""
    rules = sorted(checkout.root.glob("layers/*/Makefile"))
    return {rule.parent.name: name for rule in rules for name in RULE.findall(rule.read_text())}


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

"""Where the measured functions run: laid out as on Lambda, from the built layers, with and without bytecode.

Each function sees Lambda's runtime client, its own code and its own layers, and nothing of the checkout: an environment
with no packages, whose path is ``PYTHONPATH`` alone. Ours have the layers that the template names for them; the peers
have the packages of ``requirements/bench.lock``, compiled in the same way.
"""

from __future__ import annotations

import os
import platform
import shutil
import ssl
import subprocess
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from tests.infra.build import build
from tests.infra.template import ROOT, STACK, functions

HERE = Path(__file__).parent
BENCH = ROOT / ".tools/bench"
RUNTIME = ("awslambdaric", "snapshot_restore_py", "simplejson", "runtime_client.*")
"""What Lambda's own runtime brings: always compiled, as it is there."""

PEERS = tuple(sorted(path.name for path in (HERE / "peers").iterdir() if (path / "app.py").exists()))


class Layout(NamedTuple):
    """One layout of everything: an interpreter with no packages of its own, and the folders below ``root``."""

    python: Path
    root: Path

    def task(self, function: str) -> Path:
        """Return a function's own folder, which is the working directory on Lambda."""
        return self.root / "task" / function

    def path(self, function: str) -> str:
        """Return the PYTHONPATH of a function."""
        packages = self.root / ("peers" if function in PEERS else f"opt/{function}")
        return os.pathsep.join(map(str, (packages, self.root / "runtime")))

    def trust(self, authority: str) -> None:
        """Add a certification authority to those that each client brings along."""
        for name in ("cacert.pem", "amazon_roots.pem"):
            for file in self.root.rglob(name):
                with file.open("a") as store:
                    store.write(authority)
        known = sha256(ssl.PEM_cert_to_DER_cert(authority)).hexdigest()
        for file in self.root.rglob("usual_roots.txt"):
            with file.open("a") as roots:
                roots.write(f"{known} The bench's own\n")

    @property
    def machine_trusts(self) -> Path:
        """What stands for the machine's own certification authorities: as many as a machine usually has."""
        return self.root / "peers/certifi/cacert.pem"


def version() -> str:
    """Return the version of the measured interpreter."""
    return _output("import platform; print(platform.python_version())")


def lay_out(target: Path, ours: Iterable[str]) -> dict[bool, Layout]:
    """Build into ``target`` and lay out these functions of ours, and all peers: with bytecode, and without."""
    site = Path(_output("import sysconfig; print(sysconfig.get_path('purelib'))"))
    base = _output("import sys; print(sys._base_executable)")
    subprocess.run([base, "-m", "venv", "--without-pip", target / "bare"], check=True)
    python = target / "bare/bin/python"
    minor = ".".join(version().split(".")[:2])
    machine = f"{platform.machine()}-manylinux2014"
    settings = {"LAYER_PYTHON": minor, "LAYER_PLATFORM": machine, "LAYER_COMPILER": base}
    build(target / "build", settings)
    layouts = {}
    for compiled in (True, False):
        layout = layouts[compiled] = Layout(python, target / ("bytecode" if compiled else "source"))
        _copy_parts(site, layout.root / "runtime", RUNTIME)
        _copy(site, layout.root / "peers", "pip", "pip-*", *RUNTIME)
        for peer in PEERS:
            _copy(HERE / "peers" / peer, layout.task(peer))
        for function in ours:
            for layer in _layers(target / "build", function):
                _copy(layer / "python", layout.root / "opt" / function)
            _copy(ROOT / "functions" / function, layout.task(function))
        if not compiled:
            _drop_bytecode(layout.root)
        folders = [layout.root / "runtime", *([layout.root / "peers"] if compiled else [])]
        subprocess.run(
            [python, "-m", "compileall", "-qq", "-j0", "--invalidation-mode", "unchecked-hash", *folders], check=True
        )
    return layouts


def _layers(built: Path, function: str) -> list[Path]:
    return [built / layer.removeprefix(f"{STACK}-") for layer in functions()[function]["Layers"]]


def _copy(source: Path, target: Path, *leave_out: str) -> None:
    ignore = shutil.ignore_patterns(*leave_out, *([] if source.name == "python" else ["__pycache__"]))
    shutil.copytree(source, target, ignore=ignore, dirs_exist_ok=True)


def _copy_parts(source: Path, target: Path, patterns: Iterable[str]) -> None:
    target.mkdir(parents=True)
    for part in (part for pattern in patterns for part in source.glob(pattern)):
        if part.is_dir():
            _copy(part, target / part.name)
        else:
            shutil.copy(part, target)


def _drop_bytecode(root: Path) -> None:
    for folder in list(root.rglob("__pycache__")):
        shutil.rmtree(folder)


def _output(code: str) -> str:
    run = subprocess.run([BENCH / "bin/python", "-c", code], capture_output=True, text=True, check=True)
    return run.stdout.strip()

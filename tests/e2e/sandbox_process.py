"""``doorcode run`` as a process, in a copy of the checkout, and a look at everything that runs because of it."""

import os
import random
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from doorcode_cli.checkout import HERE, Checkout
from doorcode_sandbox.build import local
from doorcode_sandbox.ports import free, row
from tests.eventually import PATIENCE_SECONDS, eventually
from tests.forked import Ended, doorcode
from tests.infra.build import build_local, local_build_held

COPIED = ("template.yaml", "layers", "functions", "shared")
LINKED = (".tools", ".venv")
# A whole stack is deployed meanwhile, which takes a quarter of a minute where there is nothing else to do.
UP_SECONDS = 300.0


def copied(folder: Path, *, built: bool) -> Checkout:
    """Make a copy of the checkout, whose sources may be changed; ``built`` with the local build."""
    folder.mkdir()
    without = shutil.ignore_patterns("__pycache__")
    for name in COPIED:
        source = HERE / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=without)
        else:
            shutil.copy(source, folder / name)
    for name in LINKED:
        (folder / name).symlink_to(HERE / name)
    made = Checkout(folder)
    if built:
        give_build(made)
    return made


def give_build(checkout: Checkout) -> None:
    """Give a copy of the checkout the local build of its sources, as they are here."""
    build_local()
    with local_build_held() as build:
        shutil.copytree(build, local(checkout), copy_function=os.link)
        shutil.copy(build.with_suffix(".key"), local(checkout).with_suffix(".key"))


def first_port() -> int:
    """Return the first of a row of free ports, which the machine gives to nobody by itself."""
    while True:
        first = random.randrange(10_000, 30_000, 10)
        if all(map(free, row(first).all)):
            return first


class Machine:
    """Somebody's machine: a checkout, and stores below one folder, by which everything that runs is known."""

    def __init__(self, folder: Path, checkout: Checkout) -> None:
        self.folder = folder
        self.checkout = checkout
        # Another address is another deployment.
        self.port = first_port()
        self._runs: list[Run] = []
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_") and name != "NO_PROXY"}
        self.environment = {**kept, "PYTHONPATH": str(checkout.root / "shared"), "MACHINE": str(folder)}

    def command(self, *arguments: str) -> Ended:
        """Run ``doorcode`` to its end."""
        return doorcode(arguments, self.environment, seconds=UP_SECONDS)

    def run(self, store: str, *arguments: str) -> "Run":
        """Start ``doorcode run``."""
        options = ("--store-dir", str(self.folder / store), "--port", str(self.port))
        started = Run(self, self.folder / store, self._line(["run", *options, *arguments]))
        self._runs.append(started)
        return started

    def end(self) -> None:
        """End whatever still runs, as somebody at the keyboard would."""
        for run in self._runs:
            if run.process.poll() is None:
                assert run.end() == 0, run.said

    def close(self) -> None:
        """End what a failed test left, and wait until nothing runs here any more."""
        for run in self._runs:
            if run.process.poll() is None:
                run.process.kill()
                run.process.wait()
        assert eventually(lambda: not self.processes())

    def _line(self, arguments: Sequence[str]) -> list[str]:
        return [sys.executable, "-m", "doorcode_cli", *arguments]

    def processes(self, word: str = "") -> dict[int, str]:
        """Return the command line of everything that runs here, and has that word in it."""
        found = {}
        for process in Path("/proc").glob("[0-9]*"):
            try:
                line = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                told = [
                    line,
                    (process / "environ").read_bytes().decode(errors="replace"),
                    str((process / "cwd").readlink()),
                ]
            except OSError:
                continue
            if (
                line
                and word in line
                and int(process.name) != os.getpid()
                and any(str(self.folder) in text for text in told)
            ):
                found[int(process.name)] = line
        return found


class Run:
    """A running ``doorcode run``."""

    def __init__(self, machine: Machine, store: Path, line: list[str]) -> None:
        self.machine = machine
        self.store = store
        self._log = machine.folder / f"{store.name}.log"
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                line, env=machine.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
            )

    @property
    def said(self) -> str:
        """What it has printed."""
        return self._log.read_text()

    def says(self, words: str) -> "Run":
        """Wait until it says that."""
        assert eventually(lambda: words in self.said or self.process.poll() is not None, UP_SECONDS), self.said
        assert words in self.said, self.said
        return self

    def runs(self, word: str) -> "Run":
        """Wait until something runs with that word in its command line."""
        assert eventually(lambda: self.machine.processes(word) or self.process.poll() is not None, UP_SECONDS), (
            self.said
        )
        assert self.process.poll() is None, self.said
        return self

    def is_up(self) -> "Run":
        """Wait until it is up."""
        return self.says("Ctrl-C ends it.")

    @property
    def seconds(self) -> float:
        """How long its steps took, as it says itself."""
        return sum(float(number) for number in re.findall(r"\(([0-9.]+) s\)", self.said))

    def end(self, how: signal.Signals = signal.SIGINT) -> int:
        """End it, and wait until nothing of it runs any more."""
        self.process.send_signal(how)
        code = self.process.wait(PATIENCE_SECONDS)
        assert eventually(lambda: not self.machine.processes())
        return code

"""``doorcode run`` ended in every way at every moment: nothing is left running, and the next start works."""

import json
import os
import re
import shutil
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from doorcode_sandbox.build import local
from tests.e2e.sandbox_process import Machine, Run, copied
from tests.eventually import PATIENCE_SECONDS

WAYS = pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda how: how.name)
CODES = {signal.SIGINT: 1, signal.SIGTERM: 1, signal.SIGKILL: -signal.SIGKILL}
pytestmark = pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks at processes as Linux shows them")


@pytest.fixture(scope="module")
def unbuilt(folder: Path) -> Iterator[Machine]:
    """Give a machine where everything is installed and nothing built."""
    (folder / "unbuilt").mkdir()
    found = Machine(folder / "unbuilt", copied(folder / "unbuilt/checkout", built=False))
    yield found
    found.close()


@WAYS
def test_while_building(unbuilt: Machine, how: signal.Signals) -> None:
    """Neither make nor uv goes on, and the half of a build is not taken for one."""
    run = unbuilt.run("building").runs("build-AwsLayer")
    assert run.end(how) == CODES[how], run.said
    assert not local(unbuilt.checkout).with_suffix(".key").exists()
    assert not (run.store / "emulator").exists()


@WAYS
def test_while_deploying(machine: Machine, how: signal.Signals) -> None:
    """The emulator does not go on, and the half of a stack is not kept."""
    run = machine.run("deploying").says("Deploying template.yaml")
    assert run.end(how) == CODES[how], run.said
    assert not (run.store / "emulator/kept").exists()
    assert not (run.store / "emulator/new").exists()


def test_taken_ports_are_told(machine: Machine) -> None:
    """By number and by whom, with others that are free, and nothing is started."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = machine.command("run", "--store-dir", str(machine.folder / "ports"), "--port", str(port))
    assert (ended.code, ended.out) == (3, "")
    assert re.match(rf"Ports? {port} \(.*process {os.getpid()}\).* doorcode run --port \d+\n\Z", ended.err)


def test_while_up(machine: Machine, kept: Path) -> None:
    """Whoever is paired stays so, however it ends, and so do the secrets; each next start deploys nothing.

    An emulator that dies takes with it what it had not saved, which is said: the next start goes on from what was kept. Where that is
    broken, a fresh start is offered.
    """
    store = shutil.copytree(kept, machine.folder / "ended")
    told = ("--store-dir", str(store))

    def up() -> Run:
        return machine.run(store.name).is_up()

    def secrets() -> list[Any]:
        said = machine.command("secrets", "status", "--json", *told).out
        return [one["key_ids"] for one in json.loads(said)["secrets"]]

    def paired() -> str:
        return machine.command("pairing", "list", *told).out

    run = up()
    assert machine.command("pairing", "add", "telegram", "555001", *told).code == 0
    made = secrets()
    assert run.end(signal.SIGINT) == 0
    assert run.said.endswith("Ended. Who is paired stays so, until the next time: doorcode run\n")
    assert machine.command("pairing", "list", *told).err.startswith("No sandbox is running")

    run = up()
    assert "Nothing has changed since it was deployed" in run.said
    assert "555001" in paired()
    run.end(signal.SIGKILL)
    assert not (store / "sandbox.json").exists()

    run = up()
    assert "Nothing has changed since it was deployed" in run.said
    # As it was, after all: begun, ended, and killed in between.
    assert ("555001" in paired(), secrets()) == (True, made)
    refused = machine.command("run", *told)
    assert (refused.code, refused.err.count("\n")) == (3, 1)
    assert refused.err.startswith("A sandbox is running already")
    (emulator,) = [pid for pid, line in machine.processes("emulator_guard.py").items() if "leash.py" not in line]
    os.kill(emulator, signal.SIGKILL)
    assert run.process.wait(PATIENCE_SECONDS) == 3
    assert "ministack ended by itself" in run.said.splitlines()[-1]

    run = up()
    assert "The last sandbox was cut off before it could save: this one goes on from" in run.said
    assert "555001" in paired()
    assert run.end(signal.SIGTERM) == 0
    assert not (store / "sandbox.json").exists()
    (store / "emulator/kept/dynamodb.json").write_text("half of")
    run = machine.run(store.name)
    assert run.process.wait(PATIENCE_SECONDS) == 3
    assert "doorcode run --fresh" in run.said

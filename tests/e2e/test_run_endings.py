"""``doorcode run`` ended in every way at every moment: nothing is left running, and the next start works."""

import json
import os
import re
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from doorcode_sandbox.build import local
from tests.e2e.sandbox_process import STORE, Machine, copied
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


@pytest.fixture(scope="module")
def kept(machine: Machine) -> str:
    """Give a store of a sandbox that was up and has ended."""
    assert machine.run(STORE).is_up().end(signal.SIGTERM) == 0
    return STORE


@WAYS
def test_while_building(unbuilt: Machine, how: signal.Signals) -> None:
    """Neither sam nor uv goes on, and the half of a build is not taken for one."""
    run = unbuilt.run("building").runs("sam build")
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


def test_while_up(machine: Machine, kept: str) -> None:
    """Whoever is paired stays so, however it ends, and so do the secrets; each next start deploys nothing."""
    run = machine.run(kept).is_up()
    told = ("--store-dir", str(run.store))

    def secrets() -> list[Any]:
        said = machine.command("secrets", "status", "--json", *told).out
        return [one["key_ids"] for one in json.loads(said)["secrets"]]

    assert machine.command("pairing", "add", "telegram", "555001", *told).code == 0
    made = secrets()
    assert run.end(signal.SIGINT) == 0
    assert run.said.endswith("Ended. Who is paired stays so, until the next time: doorcode run\n")
    assert machine.command("pairing", "list", *told).err.startswith("No sandbox is running")
    for how in (signal.SIGKILL, signal.SIGTERM):
        run = machine.run(kept).is_up()
        assert "Nothing has changed since it was deployed" in run.said
        assert "555001" in machine.command("pairing", "list", *told).out
        if how is signal.SIGTERM:
            # As it was, after all: begun, ended, and killed in between.
            assert secrets() == made
            refused = machine.command("run", *told)
            assert (refused.code, refused.err.count("\n")) == (3, 1)
            assert refused.err.startswith("A sandbox is running already")
        run.end(how)
        assert not (run.store / "sandbox.json").exists()


def test_taken_ports_are_told(machine: Machine) -> None:
    """By number and by whom, with others that are free, and nothing is started."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = machine.command("run", "--store-dir", str(machine.folder / "ports"), "--port", str(port))
    assert (ended.code, ended.out) == (3, "")
    assert re.match(rf"Ports? {port} \(.*process {os.getpid()}\).* doorcode run --port \d+\n\Z", ended.err)


def test_an_emulator_that_dies_is_told(machine: Machine, kept: str) -> None:
    """What it took with it is said, and the next start goes on from what was kept. Last, for it spoils the store."""
    run = machine.run(kept).is_up()
    (emulator,) = [pid for pid, line in machine.processes("emulator_guard.py").items() if "leash.py" not in line]
    os.kill(emulator, signal.SIGKILL)
    assert run.process.wait(PATIENCE_SECONDS) == 3
    assert "ministack ended by itself" in run.said.splitlines()[-1]
    run = machine.run(kept).is_up()
    assert "The last sandbox was cut off before it could save: this one goes on from" in run.said
    assert run.end(signal.SIGTERM) == 0
    (run.store / "emulator/kept/dynamodb.json").write_text("half of")
    run = machine.run(kept)
    assert run.process.wait(PATIENCE_SECONDS) == 3
    assert "doorcode run --fresh" in run.said

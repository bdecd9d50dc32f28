"""The leash: what is on it ends with whoever holds it, and keeps a state only when all of it is there."""

import fcntl
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from doorcode_sandbox import leash
from doorcode_sandbox.process import Leashed, tail
from tests.eventually import PATIENCE_SECONDS, eventually

# Starts another process in its group, says both ids, and waits.
FAMILY = """
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(os.getpid(), child.pid, flush=True)
time.sleep(600)
"""
SAVES = """
import signal, sys, time
def save(*_):
    open(sys.argv[1], "w").write("saved")
    sys.exit(int(sys.argv[2]))
signal.signal(signal.SIGTERM, save)
print("ready", flush=True)
time.sleep(600)
"""
STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
time.sleep(600)
"""
HOLDER = """
import os, sys, time
from pathlib import Path
from doorcode_sandbox.process import Leashed
folder = Path(sys.argv[1])
with (folder / "log").open("wb") as log:
    held = Leashed([sys.executable, "-c", sys.argv[2]], log=log, folder=folder, environment={})
    print(held.pid, flush=True)
    time.sleep(600)
"""


def alive(pid: int) -> bool:
    """Tell whether a process runs: not ended, and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def said(folder: Path) -> list[str]:
    """Return the words that a process has printed."""
    return (folder / "log").read_text().split()


def started(folder: Path, code: str, *arguments: str, **settings: Any) -> Leashed:
    """Run code on a leash, and wait until it has said something."""
    with (folder / "log").open("wb") as log:
        process = Leashed(
            [sys.executable, "-c", code, *arguments], log=log, folder=folder, environment={}, settings=settings
        )
    assert eventually(lambda: said(folder))
    return process


def test_letting_go_ends_all_of_it(tmp_path: Path) -> None:
    """What the command started ends with it."""
    process = started(tmp_path, FAMILY)
    family = [int(word) for word in said(tmp_path)]
    assert all(map(alive, family))
    process.end()
    assert process.ended
    assert eventually(lambda: not any(map(alive, family)))


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_the_death_of_who_holds_it_ends_all_of_it(tmp_path: Path, how: signal.Signals) -> None:
    """However the holder dies, nothing is left: not even the leash."""
    with subprocess.Popen([sys.executable, "-c", HOLDER, tmp_path, FAMILY], stdout=subprocess.PIPE) as holder:
        assert holder.stdout
        its_leash = int(holder.stdout.readline())
        assert eventually(lambda: said(tmp_path))
        family = [its_leash, *(int(word) for word in said(tmp_path))]
        assert all(map(alive, family))
        os.kill(holder.pid, how)
        assert eventually(lambda: not any(map(alive, family)))


def test_a_command_that_ends_by_itself_leaves_nothing(tmp_path: Path) -> None:
    """Its exit code is passed on, and what it started ends."""
    with started(tmp_path, FAMILY.replace("time.sleep(600)\n", "sys.exit(7)\n")) as process:
        _, child = (int(word) for word in said(tmp_path))
        assert process.wait(PATIENCE_SECONDS) == 7
        assert eventually(lambda: not alive(child))


def test_what_is_held_stays_locked_until_all_has_ended(tmp_path: Path) -> None:
    """A lock that the leash holds too outlives its holder, and no longer than the command."""
    with (tmp_path / "lock").open("w") as ours, (tmp_path / "log").open("wb") as log:
        fcntl.flock(ours, fcntl.LOCK_EX)
        command = [sys.executable, "-c", FAMILY]
        process = Leashed(command, log=log, folder=tmp_path, environment={}, held=[ours.fileno()])
    with (tmp_path / "lock").open("w") as others:
        with pytest.raises(BlockingIOError):
            fcntl.flock(others, fcntl.LOCK_EX | fcntl.LOCK_NB)
        process.end()
        fcntl.flock(others, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_no_terminal_ends_the_leash_first(tmp_path: Path) -> None:
    """Ctrl-C goes to whoever started it, alone: the leash is in a session of its own."""
    with started(tmp_path, FAMILY) as process:
        assert os.getsid(process.pid) == process.pid


def test_a_command_that_will_not_end_is_killed(tmp_path: Path) -> None:
    """Patience is limited."""
    process = started(tmp_path, STUBBORN, patience=0.2)
    with pytest.raises(TimeoutError):
        process.wait(0)
    process.end()
    assert process.ended


def test_sigterm_to_the_leash_is_letting_go(tmp_path: Path) -> None:
    """A machine that shuts down tells everybody at once: the command still has time to save."""
    with started(tmp_path, SAVES, str(tmp_path / "state"), "0", patience=20) as process:
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait(PATIENCE_SECONDS) == 0
    assert (tmp_path / "state").read_text() == "saved"


def keeping(folder: Path) -> dict[str, Any]:
    """Lay out a state of before, and give the settings that have a new one take its place."""
    for name in ("new", "kept"):
        (folder / name).mkdir()
        (folder / name / "state").write_text("before")
    (folder / "sandbox.json").touch()
    (folder / "temporary/full").mkdir(parents=True)
    return {
        "patience": 20,
        "remove": [str(folder / "sandbox.json"), str(folder / "temporary"), str(folder / "never-there")],
        "keep": {
            "new": str(folder / "new"),
            "kept": str(folder / "kept"),
            "complete": "complete",
            "log": str(folder / "log"),
            "unless": "failed to save",
        },
    }


def test_what_was_saved_is_kept(tmp_path: Path) -> None:
    """A complete state takes the place of the last one, and what means nothing any more is gone."""
    settings = keeping(tmp_path)
    (tmp_path / "new/complete").touch()
    started(tmp_path, SAVES, str(tmp_path / "new/state"), "0", **settings).end()
    assert (tmp_path / "kept/state").read_text() == "saved"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kept", "log"]


@pytest.mark.parametrize(
    ("code", "complete", "words", "left"),
    [
        pytest.param("1", True, "", True, id="ended badly"),
        pytest.param("0", False, "", False, id="never complete"),
        pytest.param("0", True, "failed to save", True, id="failed to save"),
    ],
)
def test_what_is_not_whole_is_not_kept(tmp_path: Path, code: str, words: str, *, complete: bool, left: bool) -> None:
    """The last whole state stays; ``left``: that something was lost can be seen."""
    settings = keeping(tmp_path)
    if complete:
        (tmp_path / "new/complete").touch()
    process = started(tmp_path, SAVES.replace("ready", f"ready {words}"), str(tmp_path / "new/state"), code, **settings)
    process.end()
    assert (tmp_path / "kept/state").read_text() == "before"
    assert (tmp_path / "new").exists() == left


def test_a_killed_command_keeps_nothing(tmp_path: Path) -> None:
    """Whoever is killed while saving has saved a part at best."""
    settings = keeping(tmp_path)
    (tmp_path / "new/complete").touch()
    process = started(tmp_path, STUBBORN, **settings | {"patience": 0.1})
    process.end()
    assert (tmp_path / "kept/state").read_text() == "before"


def test_the_first_state_is_kept(tmp_path: Path) -> None:
    """There need be none before."""
    (tmp_path / "new").mkdir()
    (tmp_path / "new/complete").touch()
    (tmp_path / "log").touch()
    leash.keep(str(tmp_path / "new"), str(tmp_path / "kept"), "complete", str(tmp_path / "log"), "failed to save")
    assert (tmp_path / "kept/complete").exists()


def test_the_tail_is_plain() -> None:
    """What a tool says is shown from its end, without its colours, whatever bytes it holds."""
    assert tail(b"a" * 5000 + b"\x1b[31mred\x1b[0m\xff") == "a" * 3996 + "red�"


def test_it_needs_no_packages() -> None:
    """It runs on the standard library alone, and so starts at once."""
    script = [sys.executable, "-I", "-S", leash.__file__, json.dumps({}), sys.executable, "-c", "raise SystemExit(3)"]
    with subprocess.Popen(script, stdin=subprocess.PIPE) as process:
        assert process.wait(PATIENCE_SECONDS) == 3

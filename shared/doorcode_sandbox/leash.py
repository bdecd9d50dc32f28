"""Run a command for as long as standard input stays open.

``python leash.py SETTINGS COMMAND…`` ends the command as soon as whoever holds the other end of standard input closes
it or dies, however they die: first with SIGTERM and ``patience`` seconds, then with SIGKILL, and with it everything
that it started in its process group. When the command ends by itself, what it started is ended too. It has to be
started in a session of its own, so that no terminal ends the leash first.

SETTINGS is JSON. ``patience``: seconds, 0 for SIGKILL at once. ``remove``: files and folders that mean nothing once the
command has ended. ``keep``: ``{"new", "kept", "complete", "log", "unless"}`` has the folder ``new`` take the place of ``kept`` if
the command ended well and the text ``unless`` is not in ``log``; a ``new`` without the file ``complete`` is deleted
instead. ``kept`` is always whole, whenever this is ended. Imports nothing but the standard library: it runs on its own.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue
from typing import Any


def main(settings: dict[str, Any], command: list[str]) -> int:
    """Run the command to its end, or until the leash is let go; return its exit code."""
    # No event: setting one takes a lock, which the handler may find in the hands of the very thread that it interrupts.
    over: SimpleQueue[None] = SimpleQueue()
    signal.signal(signal.SIGTERM, lambda *_: over.put(None))
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, process_group=0)  # noqa: S603 (what it is for)
    for end in (child.wait, _let_go):
        threading.Thread(target=_tell, args=(end, over), daemon=True).start()
    over.get()
    patience = settings.get("patience", 0)
    if patience and child.poll() is None:
        child.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(patience)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    code = child.wait()
    for name in settings.get("remove", []):
        with contextlib.suppress(OSError):
            Path(name).unlink()
        shutil.rmtree(name, ignore_errors=True)
    if "keep" in settings and code == 0:
        keep(**settings["keep"])
    return code


def keep(new: str, kept: str, complete: str, log: str, unless: str) -> None:
    """Have the new folder take the other's place, if it is complete."""
    if not Path(new, complete).exists():
        # Not worth keeping, and nothing that was lost.
        shutil.rmtree(new, ignore_errors=True)
    if not Path(new).exists() or unless.encode() in Path(log).read_bytes():
        return
    former = Path(f"{kept}.former")
    shutil.rmtree(former, ignore_errors=True)
    if Path(kept).exists():
        Path(kept).rename(former)
    Path(new).rename(kept)
    shutil.rmtree(former, ignore_errors=True)


def _let_go() -> None:
    while os.read(0, 1024):
        pass


def _tell(end: Callable[[], object], over: SimpleQueue[None]) -> None:
    end()
    over.put(None)


if __name__ == "__main__":
    # Not sys.exit: a thread may still be reading.
    os._exit(main(json.loads(sys.argv[1]), sys.argv[2:]) & 0xFF)

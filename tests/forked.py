"""The ``doorcode`` command in a process of its own that has imported everything already: a fork of this one.

A new interpreter takes as long to import the command as the command takes to do its work. That the command starts is tried with real
ones, in tests/unit/cli/test_streams.py and wherever a test says so. Forks and ends by ``posix``: what measures coverage stands in the
place of ``os``'s own.
"""

import contextlib
import gc
import os
import posix
import selectors
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from functools import cache
from typing import NamedTuple, NoReturn

import typer.main

from doorcode_cli.app import app, main
from doorcode_cli.exit_codes import CommandError


class Ended(NamedTuple):
    """How a process ended."""

    code: int
    out: str
    err: str


def doorcode(
    arguments: Sequence[str], environment: Mapping[str, str], *, typed: str = "", seconds: float = 120
) -> Ended:
    """Run the command to its end, with that environment alone. Raises TimeoutExpired."""
    _warm()
    given, inlet = os.pipe()
    outlets = {}
    inner = [given]
    for name in ("out", "err"):
        outlets[name], end = os.pipe()
        inner.append(end)
    child = posix.fork()
    if not child:
        _be(arguments, environment, inner)
    for end in inner:
        os.close(end)
    # No more than a pipe takes at once is ever typed here; whoever refuses a command may not wait for it.
    with contextlib.suppress(BrokenPipeError):
        os.write(inlet, typed.encode())
    os.close(inlet)
    try:
        said = _read(outlets, time.monotonic() + seconds)
    except TimeoutError:
        os.kill(child, signal.SIGKILL)
        raise subprocess.TimeoutExpired(["doorcode", *arguments], seconds) from None
    finally:
        _, status = os.waitpid(child, 0)
        for end in outlets.values():
            os.close(end)
    return Ended(os.waitstatus_to_exitcode(status), said["out"], said["err"])


@cache
def _warm() -> None:
    """Have everything imported and made that a command needs before it begins, where conftest keeps it for every child."""
    typer.main.get_command(app)
    # What reads options is imported with the first that is read.
    with contextlib.suppress(CommandError):
        app(["run", "--set", "nothing"], standalone_mode=False)


def _be(arguments: Sequence[str], environment: Mapping[str, str], streams: Sequence[int]) -> NoReturn:
    """Be the command, and nothing of what this process was before: it holds none of its files, nor takes down what others do."""
    code = 1
    try:
        gc.disable()
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
        os.closerange(len(streams), os.sysconf("SC_OPEN_MAX"))
        sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
        sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
        sys.stderr = os.fdopen(2, "w", encoding="utf-8", closefd=False)
        os.environ.clear()
        os.environ.update(environment)
        sys.argv = ["doorcode", *arguments]
        main()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    except BaseException:  # noqa: BLE001 (nothing may run on in two processes)
        traceback.print_exc()
    finally:
        for told in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError):
                told.flush()
        posix._exit(code)


def _read(outlets: Mapping[str, int], deadline: float) -> dict[str, str]:
    """Read both streams to their ends. Raises TimeoutError."""
    said = dict.fromkeys(outlets, b"")
    with selectors.DefaultSelector() as open_ones:
        for name, outlet in outlets.items():
            open_ones.register(outlet, selectors.EVENT_READ, name)
        while open_ones.get_map():
            ready = open_ones.select(deadline - time.monotonic())
            if not ready and time.monotonic() > deadline:
                raise TimeoutError
            for key, _ in ready:
                read = os.read(key.fd, 1 << 16)
                said[key.data] += read
                if not read:
                    open_ones.unregister(key.fd)
    return {name: content.decode() for name, content in said.items()}

"""The ports of a sandbox: some in a row on this machine, and who has them where they are taken."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec import Struct

from doorcode.pairing.contact import Platform
from doorcode_cli.program import program
from doorcode_sandbox.loopback import HOST
from doorcode_sandbox.plan import PORTS
from doorcode_sandbox.trouble import SandboxError

HIGHEST = 65_535
# Where others are offered: far enough that one's head keeps the rest of the number.
STEP = 100
LISTENING = "0A"


class Ports(Struct, frozen=True):
    """Where each part listens."""

    front: int
    emulator: int
    stand_ins: Mapping[Platform, int]

    @property
    def all(self) -> tuple[int, ...]:
        """Every port."""
        return (self.front, self.emulator, *self.stand_ins.values())


def row(first: int) -> Ports:
    """Return the ports from that one on. Raises SandboxError if there are not as many."""
    front, emulator, *others = range(first, first + PORTS)
    if first < 1 or others[-1] > HIGHEST:
        raise SandboxError(f"A sandbox needs {PORTS} ports in a row, and {first} to {others[-1]} are none.")
    return Ports(front, emulator, dict(zip(Platform, others, strict=True)))


def check(ports: Ports) -> None:
    """Raise SandboxError if one is taken: which, by what if that can be told, and what to take instead."""
    taken = [port for port in ports.all if not free(port)]
    if not taken:
        return
    whose = ", ".join(f"{port}{_by(port)}" for port in taken)
    which = f"Port {whose} is taken." if len(taken) == 1 else f"Ports {whose} are taken."
    others = next((first for first in _others(ports.front) if all(free(port) for port in row(first).all)), None)
    offer = f" Others are free: {program()} run --port {others}" if others else ""
    raise SandboxError(f"{which}{offer}")


def free(port: int) -> bool:
    """Tell whether one could listen there now."""
    with socket.socket() as probe:
        # As servers do: what a former one left behind in the kernel is nothing to wait for.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
            probe.listen()
        except OSError:
            return False
        return True


def _others(first: int) -> Iterator[int]:
    yield from range(first + STEP, HIGHEST - PORTS, STEP)


def _by(port: int) -> str:
    """Return what listens there, as far as this machine tells us; empty where it does not."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        sockets = {f"socket:[{inode}]" for inode in _listening(port)}
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if any(target in sockets for target in _open(process)):
                    return f" ({_name(process)}, process {process.name})"
    return ""


def _open(process: Path) -> Iterator[str]:
    for handle in (process / "fd").iterdir():
        # One that is closed meanwhile says nothing about the others.
        with contextlib.suppress(OSError):
            yield str(handle.readlink())


def _listening(port: int) -> list[str]:
    rows = [
        line.split()
        for table in ("tcp", "tcp6")
        for line in Path("/proc/net", table).read_text().splitlines()[1:]
    ]  # fmt: skip
    return [row[9] for row in rows if row[3] == LISTENING and int(row[1].rpartition(":")[2], 16) == port]


def _name(process: Path) -> str:
    words = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
    # A script's name says more than its interpreter's.
    told = words[1:] if Path(words[0]).name.startswith("python") else words
    name = Path(next((word for word in told if word and not word.startswith("-")), words[0])).name
    return "".join(sign for sign in name if sign.isprintable())[:40]

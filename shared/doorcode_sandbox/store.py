"""What a sandbox keeps on disk, so that whoever was paired is paired after a restart.

ministack saves its state as it ends, file by file. It writes into a folder of its own (``new``), which takes the place
of the last whole one (``kept``) only when all of it is there: see ``leash``. So however a sandbox ends, the next one
starts from a whole state, with the stack deployed. Two locks: one says that a sandbox runs; the other is held until its
emulator has ended, too, which outlives a sandbox that was killed for as long as it saves.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import msgspec
from msgspec import Struct

from doorcode.pairing.contact import Platform
from doorcode_cli.program import program
from doorcode_cli.target import SANDBOX_FILE
from doorcode_sandbox import private
from doorcode_sandbox.stream_positions import forget_stream_positions
from doorcode_sandbox.trouble import SandboxError

SEED_BYTES = 32


# What a platform's own key is kept in, where it has one.
KEYS = {platform: f"{platform}.key" for platform in Platform}
# What is ours in the folder; whatever else is there is left alone.
FILES = (SANDBOX_FILE, *KEYS.values())
LOCKS = ("lock", "emulator.lock")
EMULATOR = "emulator"
# How long the emulator may take to save, after which it is killed.
SAVING_SECONDS = 60
COMPLETE = "complete"
NOT_SAVED = "Persistence: failed to save"
NOT_LOADED = ("Persistence: failed to load", "Persistence: refusing", "Failed to restore", "Lambda persistence:")


class Deployed(Struct, frozen=True):
    """What is deployed in a state. ``reloaded``: functions were changed since, behind CloudFormation's back."""

    key: str
    reloaded: bool = False


class Store:
    """A sandbox's folder."""

    def __init__(self, folder: Path) -> None:
        """Look at a folder, which need not be there."""
        self.folder = folder
        self.home = folder / EMULATOR / "home"
        self.new = folder / EMULATOR / "new"
        self.kept = folder / EMULATOR / "kept"
        self.temporary = self.home / "tmp"
        self.log = self.home / "log"

    @contextlib.contextmanager
    def held(self) -> Iterator[int]:
        """Have the store for ourselves; gives the file that the emulator has to hold, too.

        Raises SandboxError while another sandbox has it.
        """
        try:
            private.own(self.folder, [*FILES, *LOCKS, EMULATOR])
            lock = private.opened(self.folder / LOCKS[0], "a+")
        except OSError as error:
            raise SandboxError(f"{self.folder} cannot be used for the sandbox's state: {error.strerror}.") from None
        with lock, private.opened(self.folder / LOCKS[1], "a+") as emulator:
            if not _locked(lock):
                raise SandboxError(
                    f"A sandbox is running already with its state in {self.folder}. "
                    f"End that one with Ctrl-C, or keep this one elsewhere: {program()} run --store-dir DIRECTORY"
                )
            deadline = time.monotonic() + SAVING_SECONDS + 10
            while not _locked(emulator):
                if time.monotonic() > deadline:
                    raise SandboxError(f"The emulator of a former sandbox still uses {self.folder}. Try again later.")
                time.sleep(0.1)
            yield emulator.fileno()

    def forget(self) -> None:
        """Delete what the sandbox keeps, and nothing else."""
        for name in FILES:
            (self.folder / name).unlink(missing_ok=True)
        shutil.rmtree(self.folder / EMULATOR, ignore_errors=True)

    def prepare(self) -> bool:
        """Lay out the state for the next run; tell whether the last one got lost on the way."""
        former = self.kept.with_name("kept.former")
        if former.exists() and not self.kept.exists():
            # Killed between two renames: the new one is whole.
            (self.new if self.new.exists() else former).rename(self.kept)
        lost = self.new.exists()
        for leftover in (former, self.new, self.home):
            shutil.rmtree(leftover, ignore_errors=True)
        self.temporary.mkdir(parents=True)
        if self.kept.exists():
            # ministack replaces files and never writes into one, so that links are as good as copies.
            shutil.copytree(self.kept, self.new, copy_function=_link, ignore=shutil.ignore_patterns(COMPLETE))
            forget_stream_positions(self.new)
        else:
            self.new.mkdir()
        private.own(self.folder, [EMULATOR])
        return lost

    @property
    def saved_at(self) -> float | None:
        """When the kept state was deployed or saved, in seconds since 1970; None if there is none."""
        with contextlib.suppress(OSError):
            return self.kept.stat().st_mtime
        return None

    def leash(self) -> dict[str, Any]:
        """Return how the emulator ends: it has time to save, and what it saved is kept if it is whole."""
        return {
            "patience": SAVING_SECONDS,
            "remove": [str(self.folder / SANDBOX_FILE), str(self.temporary)],
            "keep": {
                "new": str(self.new),
                "kept": str(self.kept),
                "complete": COMPLETE,
                "log": str(self.log),
                "unless": NOT_SAVED,
            },
        }

    def check_loaded(self) -> None:
        """Raise SandboxError if the emulator could not read what was kept."""
        said = self.log.read_text(errors="replace")
        broken = [line for line in said.splitlines() if any(mark in line for mark in NOT_LOADED)]
        if broken:
            raise self.damaged("\n".join(broken[:5]))

    def damaged(self, tail: str = "") -> SandboxError:
        """Make the error for a state that is of no use."""
        return SandboxError(
            f"What the sandbox saved in {self.folder} cannot be used any more. "
            f"Start afresh, without whoever was paired, with: {program()} run --fresh",
            tail,
        )

    def deployed(self) -> Deployed | None:
        """Return what is deployed in the kept state; None if there is none."""
        try:
            return msgspec.json.decode((self.kept / COMPLETE).read_bytes(), type=Deployed)
        except (OSError, msgspec.DecodeError):
            return None

    def mark(self, deployed: Deployed) -> None:
        """Note what is deployed now: from here on, the state is worth keeping."""
        _write(self.new / COMPLETE, msgspec.json.encode(deployed))

    def seed(self, platform: Platform) -> bytes:
        """Return the 32 random bytes that a platform's own key is made of here, the same ones in every run."""
        path = self.folder / KEYS[platform]
        with contextlib.suppress(OSError, ValueError):
            found = bytes.fromhex(path.read_text())
            if len(found) == SEED_BYTES:
                return found
        made = secrets.token_bytes(SEED_BYTES)
        _write(path, made.hex().encode())
        return made

    def announce(self, facts: Mapping[str, str]) -> None:
        """Tell the command that a sandbox runs, and where. The leash takes it back."""
        _write(self.folder / SANDBOX_FILE, msgspec.json.encode(facts))


def _locked(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _write(path: Path, content: bytes) -> None:
    beside = path.with_name(f"{path.name}.{os.getpid()}")
    beside.unlink(missing_ok=True)
    with private.opened(beside, "xb") as file:
        file.write(content)
    beside.rename(path)

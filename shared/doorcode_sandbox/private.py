"""Files and folders that nobody else on this machine reads: 0600 and 0700, whoever made them."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection
from pathlib import Path
from typing import IO, Any

from doorcode_sandbox.trouble import SandboxError

FILE = 0o600
FOLDER = 0o700
# What programs are started with, that whatever they make is so, too.
UMASK = 0o077


def opened(path: Path, mode: str) -> IO[Any]:
    """Open a file to write, as ours alone from its first moment on."""

    def private(name: str, flags: int) -> int:
        handle = os.open(name, flags, FILE)
        os.fchmod(handle, FILE)
        return handle

    return open(path, mode, opener=private)


def own(folder: Path, names: Collection[str]) -> None:
    """Make a folder ours alone, with what has these names in it. Raises SandboxError if it is somebody else's, OSError."""
    folder.mkdir(parents=True, exist_ok=True, mode=FOLDER)
    # Neither the folder nor, where it is one, the link that leads to it.
    if {folder.stat().st_uid, folder.lstat().st_uid} != {os.geteuid()}:
        raise SandboxError(f"{folder} belongs to another user: keep the sandbox's state in a folder of your own.")
    folder.chmod(FOLDER)
    for path in (path for name in names for path in (folder / name, *(folder / name).rglob("*"))):
        try:
            found = path.lstat()
        except FileNotFoundError:
            continue
        if not stat.S_ISLNK(found.st_mode) and found.st_uid == os.geteuid():
            path.chmod(FOLDER if stat.S_ISDIR(found.st_mode) else FILE)

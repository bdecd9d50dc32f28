"""What the command is called at this terminal, for lines that are there to be copied."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

NAME = "doorcode"


def program() -> str:
    """Return ``doorcode`` where the shell finds it, and else the path of the one that runs, as short as it gets."""
    running = Path(sys.argv[0])
    if running.name != NAME or shutil.which(NAME):
        return NAME
    path, here = running.absolute(), Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)

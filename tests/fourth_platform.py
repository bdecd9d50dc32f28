"""Adds a platform's row to a copy of the package, as whoever adds one does; its rooms stand beside each test of it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
MEMBER = '    WHATSAPP = "whatsapp"\n'
ROWS = "TRAITS: Mapping[Platform, Traits] = MappingProxyType(\n    {\n"
ROW = """        Platform.MORSE: Traits(
            id_pattern=r"[A-Z]{1,20}",
            id_words="capitals",
            id_found="it is their call sign",
            group_pattern=r"[A-Z]{1,20}",
            group_example="ALL",
            api_url="https://morse.example",
            silent_edge=True,
            made_secrets=MADE,
        ),
"""


def copied(name: str, to: Path) -> Path:
    """Copy a package of ``shared`` into the folder ``to``, and return where it is."""
    return Path(shutil.copytree(ROOT / "shared" / name, to / name, ignore=shutil.ignore_patterns("__pycache__")))


def replaced(module: Path, *changes: tuple[str, str]) -> None:
    """Change a module, which has to have in it what is replaced."""
    text = module.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    module.write_text(text, encoding="utf-8")


def add_row(package: Path, made: tuple[str, ...] = ()) -> None:
    """Add the platform ``morse`` to a copy of ``doorcode``; ``made`` are its secrets that are made at deployment."""
    row = ROW.replace("MADE", repr(made))
    replaced(package / "pairing/platform.py", (MEMBER, f'{MEMBER}    MORSE = "morse"\n'), (ROWS, ROWS + row))


def told(story: Path, packages: Path) -> str:
    """Run a story with the packages in that folder before all others, and return what pytest says."""
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", story],
        cwd=ROOT, env=os.environ | {"PYTHONPATH": str(packages)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return ended.stdout + ended.stderr

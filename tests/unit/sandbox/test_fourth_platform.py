"""A platform of the sandbox is its folder and one row: another one is added to a copy, and nothing else is changed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
FOLDER = Path(__file__).with_name("fourth_platform")
# What it is on Lambda.
ROOMS = ROOT / "tests/behind/fourth_platform"
MEMBER = '    WHATSAPP = "whatsapp"\n'
ROWS = "TRAITS: Mapping[Platform, Traits] = MappingProxyType(\n    {\n"
TRAITS = """        Platform.MORSE: Traits(
            id_pattern=r"[A-Z]{1,20}", id_words="capitals", id_found="it is their call sign",
            group_pattern=r"[A-Z]{1,20}", group_example="ALL", api_url="https://morse.example",
        ),
"""
IMPORTS = "from doorcode_sandbox.platforms.chats import Side\n"
IMPORTED = """from doorcode_sandbox.platforms.morse.chats import MorseSide
from doorcode_sandbox.platforms.morse.stand_in import MorseStandIn
"""
LAST = "        Platform.WHATSAPP: SandboxPlatform(WhatsAppStandIn, WhatsAppSide),\n"
ROW = "        Platform.MORSE: SandboxPlatform(MorseStandIn, MorseSide),\n"


def _changed(path: Path, *changes: tuple[str, str]) -> None:
    """Put something behind each of those lines."""
    text = path.read_text(encoding="utf-8")
    for line, more in changes:
        assert line in text
        text = text.replace(line, line + more)
    path.write_text(text, encoding="utf-8")


def test_a_platform_is_added_by_its_folder_and_a_row(tmp_path: Path) -> None:
    """It listens, has people, signs, and is drawn by the page."""
    for package in ("doorcode", "doorcode_sandbox"):
        shutil.copytree(ROOT / "shared" / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    _changed(tmp_path / "doorcode/pairing/platform.py", (MEMBER, '    MORSE = "morse"\n'), (ROWS, TRAITS))
    _changed(tmp_path / "doorcode_sandbox/platforms/registry.py", (IMPORTS, IMPORTED), (LAST, ROW))
    for package, folder, files in (
        ("doorcode", ROOMS, ("inbound.py", "sender.py")),
        ("doorcode_sandbox", FOLDER, ("stand_in.py", "chats.py", "page.js", "page.css")),
    ):
        (tmp_path / package / "platforms/morse").mkdir()
        for name in files:
            shutil.copy(folder / name, tmp_path / package / "platforms/morse")
    told = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", FOLDER / "story.py"],
        cwd=ROOT, env=os.environ | {"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "2 passed" in told.stdout, told.stdout + told.stderr

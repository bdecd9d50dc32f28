"""A platform is its folder and one row: another one is added to a copy of the package, and nothing else is changed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = Path(__file__).with_name("fourth_platform")
MEMBER = '    DISCORD = "discord"\n'
ROWS = "TRAITS: Mapping[Platform, Traits] = MappingProxyType(\n    {\n"
ROW = """        Platform.MORSE: Traits(
            id_pattern=r"[A-Z]{1,20}",
            id_words="capitals",
            id_found="it is their call sign",
            group_pattern=r"[A-Z]{1,20}",
            group_example="ALL",
            api_url="https://morse.example",
            silent_edge=True,
        ),
"""


def test_a_platform_is_added_by_its_rooms_and_a_row(tmp_path: Path) -> None:
    """From a stranger's first word to the agent's answer, with everything wired as it is deployed."""
    package = tmp_path / "doorcode"
    shutil.copytree(ROOT / "shared/doorcode", package, ignore=shutil.ignore_patterns("__pycache__"))
    rows = package / "pairing/platform.py"
    text = rows.read_text(encoding="utf-8")
    assert MEMBER in text
    assert ROWS in text
    rows.write_text(text.replace(MEMBER, f'{MEMBER}    MORSE = "morse"\n').replace(ROWS, ROWS + ROW), encoding="utf-8")
    (package / "platforms/morse").mkdir()
    for room in ("inbound.py", "sender.py"):
        shutil.copy(ROOMS / room, package / "platforms/morse")
    told = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", ROOMS / "story.py"],
        cwd=ROOT, env=os.environ | {"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "1 passed" in told.stdout, told.stdout + told.stderr

"""A platform is its folder and one row: another one is added to a copy of the package, and nothing else is changed."""

import shutil
from pathlib import Path

from tests.fourth_platform import add_row, copied, told

ROOMS = Path(__file__).with_name("fourth_platform")


def test_a_platform_is_added_by_its_rooms_and_a_row(tmp_path: Path) -> None:
    """From a stranger's first word to the agent's answer, with everything wired as it is deployed."""
    package = copied("doorcode", tmp_path)
    add_row(package)
    (package / "platforms/morse").mkdir()
    for room in ("inbound.py", "sender.py", "asking.py"):
        shutil.copy(ROOMS / room, package / "platforms/morse")
    said = told(ROOMS / "story.py", tmp_path)
    assert "1 passed" in said, said

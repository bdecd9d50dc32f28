"""In the command a platform is its module and one row: another one is added to a copy, and nothing else is changed."""

import shutil
from pathlib import Path

from tests.fourth_platform import add_row, copied, replaced, told

ROOM = Path(__file__).with_name("fourth_platform")
LAST_ROW = "        Platform.WHATSAPP: WHATSAPP,\n"
IMPORT = "from doorcode_cli.platforms.port import OperatorPlatform\n"


def test_a_platform_is_added_by_its_module_and_a_row(tmp_path: Path) -> None:
    """Its commands, secrets and checks are there as everybody else's are."""
    add_row(copied("doorcode", tmp_path), made=("morse/key",))
    command = copied("doorcode_cli", tmp_path)
    shutil.copy(ROOM / "morse.py", command / "platforms")
    replaced(
        command / "platforms/registry.py",
        (LAST_ROW, f"{LAST_ROW}        Platform.MORSE: MORSE,\n"),
        (IMPORT, f"from doorcode_cli.platforms.morse import MORSE\n{IMPORT}"),
    )
    said = told(ROOM / "story.py", tmp_path)
    assert "4 passed" in said, said

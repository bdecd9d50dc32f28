"""The limits of coverage see what they are for: what was not run is told, by file and line."""

import json
from pathlib import Path

import pytest

from tests import coverage

RUN = {"executed_lines": [1, 2], "missing_lines": [], "executed_branches": [[1, 2]], "missing_branches": []}
MISSED = {"executed_lines": [1], "missing_lines": [4], "executed_branches": [[1, 2]], "missing_branches": [[1, 4], [2, 3]]}  # fmt: skip
FILES = [f"shared/doorcode/{file}.py" for file in ("pairing/gate", "asking/moves", "asking/client")]


@pytest.mark.parametrize(
    ("missed", "code", "told"),
    [
        ("", 0, "the domain: 100.00 %"),
        ("shared/doorcode/pairing/gate.py", 1, "  shared/doorcode/pairing/gate.py: 4, 2->3"),
        ("shared/doorcode/asking/moves.py", 1, "  shared/doorcode/asking/moves.py: 4, 2->3"),
        ("shared/doorcode/asking/client.py", 1, "all beside pairing: 62.50 %"),
    ],
)
def test_limits(tmp_path: Path, capsys: pytest.CaptureFixture[str], missed: str, code: int, told: str) -> None:
    """The domain is run through whole, and what is beside it nearly."""
    noted = tmp_path / "noted.json"
    noted.write_text(json.dumps({"files": dict.fromkeys(FILES, RUN) | ({missed: MISSED} if missed else {})}))
    assert coverage.main(noted) == code
    assert told in capsys.readouterr().out

"""Lines that are there to be copied work at the terminal that shows them."""

from pathlib import Path

import pytest

from doorcode.cli import program as programs
from doorcode.cli.program import program


@pytest.mark.parametrize(
    ("runs", "found", "called"),
    [
        ("{here}/.venv/bin/doorcode", None, ".venv/bin/doorcode"),
        (".venv/bin/doorcode", None, ".venv/bin/doorcode"),
        ("/opt/elsewhere/bin/doorcode", None, "/opt/elsewhere/bin/doorcode"),
        ("{here}/.venv/bin/doorcode", "/usr/bin/doorcode", "doorcode"),
        ("{here}/shared/doorcode/cli/__main__.py", None, "doorcode"),
    ],
)
def test_what_works_here(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, runs: str, found: str | None, called: str
) -> None:
    """In a fresh clone nothing is on the path: the one that runs is named instead."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(programs.sys, "argv", [runs.format(here=tmp_path)])
    monkeypatch.setattr(programs.shutil, "which", lambda _: found)
    assert program() == called

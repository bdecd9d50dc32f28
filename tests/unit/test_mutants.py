"""The mutants follow the sources: each still changes something, and breaks its promise rather than the program."""

import subprocess
import sys

import pytest

from tests.mutants import MUTANTS, ROOT, Mutant


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: f"{mutant.promise}-{mutant.file.rpartition('/')[2]}")
def test_a_mutant_applies(mutant: Mutant) -> None:
    """What it replaces stands there, and what it becomes is a program without a name that nobody has defined."""
    source = (ROOT / "shared" / mutant.file).read_text(encoding="utf-8")
    assert mutant.old in source
    checked = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--isolated", "--quiet", "--select", "F821,E9", "-"],
        input=source.replace(mutant.old, mutant.new), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stdout
    assert all((ROOT / path).exists() for path in mutant.tests.split())

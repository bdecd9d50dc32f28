"""The mutants follow the sources: each still changes something, and breaks its promise rather than the program."""

import subprocess
import sys
from pathlib import Path

from tests.cases import each
from tests.mutants import MUTANTS, ROOT, Mutant


def _source(mutant: Mutant) -> str:
    return (ROOT / "shared" / mutant.file).read_text(encoding="utf-8")


@each("mutant", MUTANTS)
def test_a_mutant_applies(mutant: Mutant) -> None:
    """What it replaces stands there, and so do the tests that are to notice."""
    assert mutant.old in _source(mutant)
    assert all((ROOT / path).exists() for path in mutant.tests.split())


def test_a_mutant_is_a_program(tmp_path: Path) -> None:
    """What a source becomes can be read, and has no name that nobody has defined."""
    for number, mutant in enumerate(MUTANTS):
        mutated = tmp_path / f"{number}_{mutant.file.replace('/', '_')}"
        mutated.write_text(_source(mutant).replace(mutant.old, mutant.new), encoding="utf-8")
    checked = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--isolated", "--no-cache", "--quiet", "--select", "F821,E9", tmp_path],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stdout

"""What the workers are dealt stands where the tests stand."""

from pathlib import Path

from tests.distribution import BEGINNINGS, LONG, TOGETHER, turn_of, unit_of

TESTS = Path(__file__).parents[1]


def test_what_belongs_together_is_there() -> None:
    """Groups and long files are those that there are, and come before all others, each group in one piece."""
    files = [str(path.relative_to(TESTS.parent)) for path in TESTS.rglob("test_*.py")]
    for name, beginning in BEGINNINGS:
        assert {unit_of(f"{file}::test_it") for file in files if file.startswith(beginning)} == {name}
    turns = [turn_of(f"{file}::test_it") for file in files]
    assert set(turns) == {*range(len(TOGETHER) + len(LONG) + 1)}
    assert unit_of("tests/unit/test_distribution.py::test_it[a::b]") == "tests/unit/test_distribution.py"

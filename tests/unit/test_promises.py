"""The promises of docs/threat-model.md, and the tests that name them."""

import re
from itertools import chain
from pathlib import Path

ROOT = Path(__file__).parents[2]
THREAT_MODEL = (ROOT / "docs/threat-model.md").read_text(encoding="utf-8")
# As in "Security 15", "Security 5, 6 and 7" or "Security 5 to 7, 22".
NAMED = re.compile(r"Security (\d+(?:(?:, | and | to )\d+)*)", re.IGNORECASE)


def test_each_is_held_by_a_test() -> None:
    """Each promise is named by a test, none is named that was never made, and no number is given twice."""
    promised = _promised()
    assert promised == sorted(set(promised))
    tests = [path for path in (ROOT / "tests").rglob("*.py") if path != Path(__file__)]
    named = {number for path in tests for number in _named(path.read_text(encoding="utf-8"))}
    assert named == set(promised)


def test_attacks_name_what_is_promised() -> None:
    """Each number in brackets is one of the list."""
    attacks = THREAT_MODEL.partition("\n## The promises\n")[0]
    cited = chain.from_iterable(re.findall(r"\d+", group) for group in re.findall(r"\((\d+(?:, \d+)*)\)", attacks))
    assert set(map(int, cited)) - set(_promised()) == set()


def _promised() -> list[int]:
    promises = THREAT_MODEL.partition("\n## The promises\n")[2].partition("\n## ")[0]
    return [int(number) for number in re.findall(r"^(\d+)\. ", promises, re.MULTILINE)]


def _named(text: str) -> set[int]:
    named: set[int] = set()
    for numbers in NAMED.findall(text):
        for part in re.split(r", | and ", numbers):
            first, _, last = part.partition(" to ")
            named.update(range(int(first), int(last or first) + 1))
    return named

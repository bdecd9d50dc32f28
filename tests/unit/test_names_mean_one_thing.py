"""A public class has a name of its own, so that whoever reads it anywhere knows which one is meant."""

import re
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

SHARED = Path(__file__).parents[2] / "shared"
CLASS = re.compile(r"^\s*class ([A-Za-z]\w*)", re.MULTILINE)
MIRRORS = "the command reads here what the admin function wrote there"
OTHER_SIDE = "the sandbox plays the platforms: what it takes and shows is called there as it is here"
# Names that two modules may have, and why.
ALLOWED: Mapping[str, str] = {
    "Page": MIRRORS,
    "Cleared": MIRRORS,
    "TurnedAway": MIRRORS,
    **dict.fromkeys(("Answer", "Button", "Call", "Chat", "Message", "Record", "Request", "User"), OTHER_SIDE),
}


def test_no_class_name_means_two_things() -> None:
    """No public class of the three packages is called as another one is, save for a reason that stands here."""
    homes = defaultdict(set)
    for path in SHARED.rglob("*.py"):
        for name in CLASS.findall(path.read_text(encoding="utf-8")):
            homes[name].add(path.relative_to(SHARED).as_posix())
    twice = {name: sorted(modules) for name, modules in homes.items() if len(modules) > 1}
    assert twice.keys() - ALLOWED.keys() == set(), twice
    assert ALLOWED.keys() <= twice.keys()

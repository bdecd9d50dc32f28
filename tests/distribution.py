"""How the tests are dealt out to several workers: by file, the longest first, and together those that share what is slow to start."""

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

TOGETHER = {
    "one machine with a sandbox": ("tests/e2e/test_run_", "tests/e2e/test_playground_stack"),
    "one cloud": tuple(f"tests/integration/test_{name}.py" for name in ("chain", "command", "owner_page", "web")),
    "another cloud": tuple(
        f"tests/integration/test_{name}.py" for name in ("first_hour", "playground", "setup", "stack", "webhooks")
    ),
}
"""Where the same worker takes all of it. These are also the longest, so that no worker begins with one at the end."""
LONG = (
    "tests/web/test_document.py",
    "tests/contract/test_model.py",
    "tests/infra/test_layers.py",
)
"""Files that take a minute or more, and would come late by their names."""
BEGINNINGS = tuple((name, beginning) for name, beginnings in TOGETHER.items() for beginning in beginnings)


def unit_of(nodeid: str) -> str:
    """Return what a test is dealt out with: its file, or more than that."""
    return next((name for name, beginning in BEGINNINGS if nodeid.startswith(beginning)), nodeid.partition("::")[0])


def turn_of(nodeid: str) -> int:
    """Return when a test's turn is: the lower, the earlier."""
    return [*TOGETHER, *LONG, unit_of(nodeid)].index(unit_of(nodeid))


class Dealer(LoadFileScheduling):  # type: ignore[misc] # xdist ships no types
    """Deals out files in the order in which they were collected, and whole groups of them."""

    def __init__(self, config: pytest.Config, log: Producer | None = None) -> None:
        super().__init__(config, log)
        # By number of cases, the files with few and long ones would come last.
        config.option.loadscopereorder = False

    def _split_scope(self, nodeid: str) -> str:
        return unit_of(nodeid)

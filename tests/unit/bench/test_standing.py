"""What a stack costs while nobody writes."""

import pytest

from tests.bench import standing
from tests.bench.page import PAGE
from tests.infra.template import ROOT


def test_everything_that_stands_is_counted() -> None:
    """By hand: thirteen alarms, a dashboard, ten metrics, and two queues that are asked fifteen times a minute each."""
    parts = standing.standing("full")
    assert parts["alarms"] == pytest.approx((1.3, 0.3))
    assert parts["dashboard"] == pytest.approx((3.0, 0.0))
    assert parts["metrics"] == pytest.approx((3.0, 0.0))
    assert parts["polling"] == pytest.approx((0.648, 0.148))
    assert standing.total("full", free=False) == pytest.approx(8.0, abs=0.05)


@pytest.mark.parametrize("level", ["lean", "off"])
def test_a_second_stack_costs_less_than_a_dollar(level: str) -> None:
    """The account's free tier is used up by the first: what stands there is under a dollar a month without it."""
    assert standing.total(level, free=False) < 1


def test_the_page_is_what_is_counted() -> None:
    """Whoever adds an alarm or a queue writes the page anew: make bench ARGS=standing."""
    told = PAGE.read_text().partition("<!-- begin standing -->")[2].partition("<!-- end standing -->")[0]
    assert told.strip() == standing.months().strip()


def test_the_runbook_tells_the_same() -> None:
    """Each level's sums, as they are on the other page."""
    runbook = (ROOT / "docs/operations.md").read_text()
    for level in standing.LEVELS:
        without, with_it = (standing.total(level, free=free) for free in (False, True))
        assert f"| `{level}` | {without:.2f} | {with_it:.2f} |" in runbook

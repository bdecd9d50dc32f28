"""Guesses of one caller in parallel: they are counted together, and nobody else pays for them."""

from concurrent.futures import ThreadPoolExecutor

from tests.admin.harness import AdminHarness
from tests.backends.dynamodb import Table
from tests.eventually import PATIENCE_SECONDS

GUESSERS = 5


def test_five_concurrent_guessers_share_one_count(racing_table: Table) -> None:
    """Security 13: of many wrong codes from five functions at once, no more than five are compared."""
    first = AdminHarness(racing_table, patience=PATIENCE_SECONDS)
    first.request("987654321")
    harnesss = [AdminHarness(racing_table, patience=PATIENCE_SECONDS) for _ in range(GUESSERS)]

    def guess(harness: AdminHarness) -> list[str]:
        return [
            harness.refused("approve", platform="telegram", code=f"AAAA22{one}{two}")["reason"]
            for one, two in ("AB", "CD", "EF")
        ]

    with ThreadPoolExecutor(GUESSERS) as pool:
        reasons = [reason for one in pool.map(guess, harnesss) for reason in one]
    assert sorted(reasons) == ["locked_out"] * 10 + ["unknown_code"] * 5
    code = first.code("987654321")
    assert first.refused("approve", platform="telegram", code=code)["reason"] == "locked_out"
    done = first.done("approve", platform="telegram", code=code, actor="bob@desk")
    assert done["contact"]["state"] == "paired"

"""What is written of the measurements: the page's blocks, the verdicts, the costs and the picture."""

import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from doorcode.pairing.platform import Platform
from tests.bench import costs, page, picture, report
from tests.bench.footprint import Footprint
from tests.bench.page import PAGE, table, write_block
from tests.bench.parts import PARTS, SWAP
from tests.bench.spread import percentile, ratio, spread
from tests.bench.stand import Way
from tests.bench.starts import ColdStarts
from tests.bench.subjects import subjects
from tests.bench.warm import Warm
from tests.infra.template import ROOT

SECONDS = [0.010, 0.011, 0.012, 0.013, 0.020]
FOOTPRINT = Footprint(files=10, log_bytes=350.0, calls={"GetItem": 1, "SendMessage": 1}, start={})


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """Give a page with two blocks."""
    path = tmp_path / "page.md"
    path.write_text("Words.\n<!-- begin one -->\nold\n<!-- end one -->\nMore.\n<!-- begin two -->\n<!-- end two -->\n")
    return path


def test_a_block_is_replaced_and_nothing_else(written: Path) -> None:
    """What is written by hand stays, and so do the other blocks."""
    write_block("one", "new\\1", written)
    write_block("one", "newer", written)
    text = written.read_text()
    assert "old" not in text
    assert text.startswith("Words.\n<!-- begin one -->\n\nnewer\n\n<!-- end one -->\nMore.\n<!-- begin two -->")


def test_a_page_without_the_block_is_refused(written: Path) -> None:
    """A measurement is not lost in silence."""
    with pytest.raises(ValueError, match="three"):
        write_block("three", "new", written)


def test_the_page_has_every_block() -> None:
    """docs/performance.md has a place for each table that the bench writes, and none that it does not."""
    source = (Path(page.__file__).parent / "__main__.py").read_text()
    blocks = set(re.findall(r'write(?:_block)?\("(\w+)"', source))
    assert blocks == set(re.findall(r"<!-- begin (\w+) -->", PAGE.read_text()))


def test_ratios_are_taken_within_a_round() -> None:
    """A round that is slow for both changes nothing."""
    assert ratio([2.0, 20.0, 4.0], [1.0, 10.0, 2.0]) == spread([2.0, 2.0, 2.0])
    assert spread(SECONDS).shown(1000, 0) == "12 (11 to 13)"
    assert percentile(SECONDS, 0.99) == percentile(SECONDS, 1) == 0.020


def test_a_bar_that_is_missed_is_said_to_be() -> None:
    """The verdict names who is over, and by how much."""
    assert report._verdict("low", [("a", 2.0), ("b", 3.0)], 2.5) == "Our own bar, low: missed by b (3.00)."
    assert report._verdict("low", [("a", 2.0), ("b", 2.5)], 2.5) == "Our own bar, low: kept, the most is 2.50."


def test_costs_are_calls_and_time_at_list_prices() -> None:
    """A million messages with one read and one hand-off: counted by hand."""
    one = costs.cost(0.001, FOOTPRINT)
    assert one.billed_ms == 16
    assert one.parts == pytest.approx(
        {"HTTP API": 1.0, "Lambda": 8000 * 0.0000133334 + 0.2, "DynamoDB": 0.125, "SQS": 0.5, "Logs": 0.5}
    )


def test_every_subject_has_its_row_in_the_tables_and_the_picture() -> None:
    """Nothing that was measured is left out, and the picture is well formed."""
    everyone = subjects()
    cold = {(way, one.name): ColdStarts(SECONDS, SECONDS) for one in everyone for way in Way}
    hot = {(way, one.name): Warm(SECONDS, SECONDS, 20.0, 10.0) for one in everyone for way in Way}
    left = {one.name: FOOTPRINT for one in everyone}
    for text in (report.cold_starts(everyone, cold, left), report.warm_functions(everyone, hot, left)):
        assert all(one.name in text for one in everyone)
        assert "kept, the most is" in text
        assert "Times ours, over TLS: boto3, one GetItem 1.0 (1.0 to 1.0); Slack Bolt 1.0 (1.0 to 1.0);" in text
    assert report.million(everyone, hot, left).count("**Doorcode") == len(Platform)
    drawn = ET.fromstring(picture.draw(cold, hot, "a & b"))  # noqa: S314 (made here)
    assert len(drawn.findall("{http://www.w3.org/2000/svg}rect")) == 2 * len(picture.SHOWN)


def test_a_table_has_a_row_for_each_line() -> None:
    """Columns after the first are aligned as numbers."""
    assert table(["", "a"], [["x", "1"]]) == "|  | a |\n| --- | ---: |\n| x | 1 |"


@pytest.mark.parametrize("part", PARTS)
def test_what_is_left_out_is_there(part: str) -> None:
    """A part of a message that is left out for a trial is one that the function has."""
    code = f"{SWAP}\n{PARTS[part]}"
    ran = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(ROOT / "shared"), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, "")

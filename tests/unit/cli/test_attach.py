"""``doorcode attach``: who cannot be attached is told why. What it does is in tests/behind/test_attach.py."""

import pytest

from doorcode_cli.exit_codes import Exit
from tests.unit.cli.setup_fixtures import Harness


@pytest.mark.parametrize("agent", ["", "python", "bedrock,slack=bot"])
def test_nothing_waits_for_another_kind(harness: Harness, agent: str) -> None:
    """With another agent than queue nothing would ever come: it says so, and what to set."""
    harness.parameters |= {"Agent": agent}
    ended = harness.run("attach", "http://127.0.0.1:9000")
    assert (ended.code, ended.out) == (Exit.REFUSED, "")
    assert ended.err.startswith(f"Agent is {agent or 'python'}, so nothing waits")
    assert "Set Agent=queue" in ended.err


@pytest.mark.parametrize(
    "url", ["http://192.168.1.2", "http://user@127.0.0.1", "ftp://127.0.0.1", "https://host.example/#x"]
)
def test_only_this_machine_is_reached_in_the_clear(harness: Harness, url: str) -> None:
    """Security 42: https, or http on this machine alone."""
    harness.parameters |= {"Agent": "queue"}
    ended = harness.run("attach", url)
    assert ended.code == Exit.USAGE
    assert "http:// on this machine alone" in ended.err

"""``doorcode attach``: who cannot be attached is told why. What it does is in tests/behind/test_attach.py."""

from doorcode_cli.exit_codes import Exit
from tests.unit.cli.setup_fixtures import Harness


def test_nothing_waits_for_another_kind(harness: Harness) -> None:
    """With another agent than queue nothing would ever come: it says so, and what to set."""
    for agent in ("", "python", "bedrock,slack=bot"):
        harness.parameters |= {"Agent": agent}
        ended = harness.run("attach", "http://127.0.0.1:9000")
        assert (ended.code, ended.out) == (Exit.REFUSED, ""), agent
        assert ended.err.startswith(f"Agent is {agent or 'python'}, so nothing waits"), agent
        assert "Set Agent=queue" in ended.err, agent


def test_only_this_machine_is_reached_in_the_clear(harness: Harness) -> None:
    """Security 42: https, or http on this machine alone."""
    for url in ("http://192.168.1.2", "http://user@127.0.0.1", "ftp://127.0.0.1", "https://host.example/#x"):
        harness.parameters |= {"Agent": "queue"}
        ended = harness.run("attach", url)
        assert ended.code == Exit.USAGE, url
        assert "http:// on this machine alone" in ended.err, url

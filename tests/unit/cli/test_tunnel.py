"""Where the set-up commands send real platforms that are tried from this machine."""

import json
from pathlib import Path

import pytest

from tests.unit.cli.setup_fixtures import Harness


@pytest.mark.parametrize("tunnel", ["https://tunnel.example", ""])
def test_platforms_are_told_of_the_tunnel(harness: Harness, tmp_path: Path, tunnel: str) -> None:
    """The sandbox's webhooks are set at its tunnel; without one, at its own address, which only stand-ins reach."""
    near = "http://127.0.0.1:8787"
    facts = {"endpoint": "http://127.0.0.1:8788", "stack": "doorcode", "url": near, "public_url": tunnel}
    (tmp_path / "sandbox.json").write_text(json.dumps(facts))
    harness.put_tokens()
    told = ("--store-dir", str(tmp_path))
    assert harness.run("telegram", "webhook", "set", *told).code == 0
    assert harness.run("discord", "register", *told).code == 0
    manifest = harness.run("slack", "manifest", *told).json
    assert harness.telegram.hook.url == f"{tunnel or near}/telegram"
    assert harness.discord.application["interactions_endpoint_url"] == f"{tunnel or near}/discord"
    assert manifest["settings"]["event_subscriptions"]["request_url"] == f"{tunnel or near}/slack"
    assert manifest["settings"]["interactivity"]["request_url"] == f"{tunnel or near}/slack"

"""``doorcode doctor`` tells whoever can both ask the owner and decide."""

import time

import pytest

from doorcode.aws.table import Table
from doorcode.aws.tokens import Tokens
from doorcode.pairing.access import Scope
from tests.backends import in_process
from tests.unit.cli.setup_fixtures import TABLE, Harness
from tests.unit.cli.test_account_checks import said


def test_who_asks_and_decides(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    """Security 51, A11: a token with both scopes is named, and a machine with a token beside the credentials that decide."""
    ((level, text, remedy),) = said(harness, "asking")
    assert (level, remedy) == ("ok", "doorcode token create --scope asks --name my-agent")
    assert "whoever may invoke doorcode-admin decides" in text
    tokens = Tokens(Table(in_process.client("dynamodb"), TABLE))
    tokens.create("ci", {Scope.ASKS}, "alice", int(time.time()))
    _, both = tokens.create("bot", {Scope.ASKS, Scope.PRESSES}, "alice", int(time.time()))
    monkeypatch.setenv("DOORCODE_URL", "https://api.example")
    monkeypatch.setenv("DOORCODE_TOKEN", "dc_x")
    (token, machine, known) = said(harness, "asking")
    assert (token[0], known[0]) == ("warn", "ok")
    assert "token bot asks the owner, and its scope presses decides" in token[1]
    assert f"doorcode token revoke {both.id}" in str(token[2])
    assert machine[0] == "warn"
    assert "what runs here can approve itself" in machine[1]
    assert "2 tokens can ask the owner" in known[1]

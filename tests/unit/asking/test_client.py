"""The Python client, as far as it needs nobody: digests, callbacks, addresses."""

import ast
import base64
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from doorcode.asking import client as module
from doorcode.asking.client import AskClient, digest, verified
from doorcode.asking.digest import canonical_json, digest_of
from doorcode.asking.question import Substance

CLIENT = Path(module.__file__)


def test_it_may_be_copied() -> None:
    """It is one file over the standard library alone."""
    tree = ast.parse(CLIENT.read_text())
    imported = {
        name.name.partition(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names
    } | {(node.module or "").partition(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert imported <= sys.stdlib_module_names


def test_digests_agree() -> None:
    """Security 48: what the client works out is what the stack does, for all that can be asked; one other character is another."""
    asked = {
        "title": "Delete “3” files? \U0001f5d1",
        "details": "line\nline\t\u202e\x00",
        "arguments": {"b": [1, True, None, "ü\u2028/"], "a": {"z": "", "y": -5}, "\U0001f600": 2**53 - 1, "\uffff": 1},
        "choices": ["one", "two"],
        "on_behalf_of": "telegram:123",
        "approvals": 2,
    }
    substance = Substance(
        asker="token ci",
        title=str(asked["title"]),
        details=str(asked["details"]),
        arguments=canonical_json(asked["arguments"]),
        choices=("one", "two"),
        on_behalf_of="telegram:123",
        approvals=2,
    )
    assert digest(asked, "token ci") == digest_of(substance)
    assert digest({"title": "x"}, "a") == digest_of(Substance(asker="a", title="x"))
    others = [
        digest(asked | {name: value}, "token ci")
        for name, value in (("details", ""), ("approvals", 1), ("arguments", {}))
    ]
    assert digest_of(substance) not in others


def test_another_address() -> None:
    """The token goes to https, or to this machine, alone."""
    for url in ("http://example.com", "ftp://example.com", "example.com"):
        with pytest.raises(ValueError, match="https"):
            AskClient(url, "dc_x")


def test_callbacks() -> None:
    """What others' libraries sign is read, one of several signatures is enough; another secret, body or time is refused."""
    secret = f"whsec_{base64.b64encode(b'k' * 32).decode()}"
    now = 1_800_000_000
    body = json.dumps({"type": "ask.approved", "data": {"id": "A"}})
    signature = Webhook(secret).sign("msg_1", datetime.fromtimestamp(now, UTC), body)
    headers = {"Webhook-Id": "msg_1", "webhook-timestamp": str(now), "webhook-signature": f"v1,AAAA {signature}"}
    assert verified(secret, headers, body.encode(), now + 299)["data"] == {"id": "A"}
    for changed, raw, at in (
        ({"webhook-signature": "v1,AAAA"}, body, now),
        ({"webhook-signature": "v1,ü"}, body, now),
        ({"Webhook-Id": "msg_2"}, body, now),
        ({"webhook-timestamp": "soon"}, body, now),
        ({}, body + " ", now),
        ({}, body, now + 301),
    ):
        with pytest.raises(ValueError, match="callback"):
            verified(secret, headers | changed, raw.encode(), at)

"""Questions by command: asked, shown, decided, used; and what may be done through the alias that only asks."""

import importlib.util
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from doorcode.entrypoints.admin_commands import ASKING, OnQuestions
from doorcode.wiring import admin as admin_wiring
from tests.admin.harness import NOW, AdminHarness

ASKED = {"title": "Delete 3 files?", "arguments": {"n": 3}}
ARN = "arn:aws:lambda:eu-central-1:123456789012:function:doorcode-admin"


def about(question: dict[str, Any]) -> dict[str, Any]:
    """Say which one is meant, and what was shown of it."""
    return {"id": question["id"], "digest": question["digest"]}


def test_from_end_to_end(harness: AdminHarness, caplog: pytest.LogCaptureFixture) -> None:
    """Security 47, A3, A20: asked by command, approved by somebody else, used once; the log has none of its words."""
    question = harness.done("ask", question=ASKED)
    assert (question["state"], question["asker"], question["asker_id"]) == (
        "pending",
        "alice@laptop",
        "cli:alice@laptop",
    )
    assert harness.done("ask_list") == {"asks": [question], "muted": {}}
    assert harness.refused("ask_use", **about(question))["reason"] == "not_approved"
    yes = harness.done("ask_approve", actor="bob", reason="w-secret", **about(question))
    assert (yes["state"], yes["decided_by"], yes["decided_via"], yes["reason"]) == (
        "approved",
        "bob",
        "cli",
        "w-secret",
    )
    assert harness.refused("ask_deny", actor="bob", **about(question)) == {
        "reason": "already_decided", "message": "That is decided already, and stays.", "state": "approved",
    }  # fmt: skip
    used = harness.done("ask_use", idempotency_key="k", **about(question))
    assert used == harness.done("ask_use", idempotency_key="k", **about(question))
    assert harness.refused("ask_use", **about(question))["reason"] == "already_used"
    assert harness.done("ask_list", state="ended")["asks"] == [used] == [harness.done("ask_show", id=question["id"])]
    logged = str([record.__dict__ for record in caplog.records])
    assert question["id"] in logged
    assert "Delete" not in logged
    assert "secret" not in logged


def test_who_asks_does_not_decide(harness: AdminHarness) -> None:
    """Security 49, A8: by command neither; another one's approval is not used, and an owner's mute stops asking alone."""
    question = harness.done("ask", question=ASKED)
    for decision in ("ask_approve", "ask_deny"):
        assert harness.refused(decision, **about(question))["reason"] == "own_question"
    harness.done("ask_approve", actor="bob", **about(question))
    assert harness.refused("ask_use", actor="bob", **about(question))["reason"] == "unknown_question"
    assert harness.done("ask_mute", asker="cli:alice@laptop", muted=True) == {"muted": True}
    muted = harness.refused("ask", question={"title": "More"})
    assert (muted["reason"], muted["retry_after_seconds"]) == ("muted", 3600)
    assert harness.done("ask_list")["muted"] == {"cli:alice@laptop": "alice@laptop"}
    assert harness.done("ask_cancel", actor="bob", id=question["id"])["state"] == "cancelled"


def test_what_cannot_be_asked(harness: AdminHarness) -> None:
    """A mistyped field, and what no question can be, is refused."""
    for form, reason in (({"approval": 2}, "invalid_input"), ({"arguments": 0.5}, "invalid_question")):
        assert harness.refused("ask", question=ASKED | form)["reason"] == reason
    assert harness.refused("ask_show", id="A" * 16)["reason"] == "unknown_question"


def test_the_alias_only_asks(harness: AdminHarness) -> None:
    """A11: whoever may invoke the alias alone asks, looks, uses and takes back what is their own, and decides nothing."""
    question = harness.done("ask", question=ASKED)
    theirs = harness.done("ask", question=ASKED, actor="eve")

    def by_alias(command: str, **arguments: Any) -> dict[str, Any]:
        event = {"version": 1, "command": command, "actor": "alice@laptop", **arguments}
        return harness.admin.answer(event, NOW, asking_only=True)

    refused = {
        "ask_approve": about(question), "ask_deny": about(question), "ask_list": {}, "ask_mute": {"asker": "x", "muted": False},
        "list": {"platform": "telegram", "state": "paired"}, "add": {"platform": "telegram", "user_id": "1"}, "web": {},
        "token_create": {"scope": "pairing"}, "owner_claim": {}, "unlock": {},
    }  # fmt: skip
    for command, arguments in refused.items():
        assert by_alias(command, **arguments)["error"]["reason"] == "forbidden", command
    asking = {kind.__struct_config__.tag for kind in ASKING}
    every = {kind.__struct_config__.tag for kind in OnQuestions.__args__}
    assert asking | {one for one in refused if one.startswith("ask")} == every
    assert by_alias("ask", question=ASKED)["id"] == question["id"]
    assert by_alias("ask_show", id=question["id"])["state"] == "pending"
    for command in ("ask_show", "ask_cancel"):
        assert by_alias(command, id=theirs["id"])["error"]["reason"] == "unknown_question"
    assert by_alias("ask_use", **about(theirs))["error"]["reason"] == "unknown_question"
    assert by_alias("ask_cancel", id=question["id"])["state"] == "cancelled"


@pytest.mark.parametrize(("arn", "asking_only"), [(ARN, False), (f"{ARN}:asking", True), (f"{ARN}:other", True)])
def test_the_handler_knows_by_what_name_it_was_invoked(
    monkeypatch: pytest.MonkeyPatch, arn: str, asking_only: bool
) -> None:
    """A11: what is invoked by any alias only asks; the name is Lambda's, not the caller's."""
    told: list[bool] = []

    class Noting:
        def answer(self, event: object, now: int, *, asking_only: bool = False) -> dict[str, Any]:  # noqa: ARG002
            told.append(asking_only)
            return {"ok": True}

    monkeypatch.setattr(admin_wiring, "build_admin", lambda _: Noting())
    path = Path(__file__).parents[2] / "functions/admin/app.py"
    spec = importlib.util.spec_from_file_location("admin_app", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    context = SimpleNamespace(invoked_function_arn=arn, aws_request_id="1")
    assert module.handler({"version": 1, "command": "ask"}, context) == {"ok": True}
    assert told == [asking_only]

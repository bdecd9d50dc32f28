"""What the admin function takes and refuses, what it logs, and how it starts."""

import json
from collections.abc import Iterator

import pytest

from doorcode.entrypoints.admin_commands import AnyCommand, OnAccess, OnQuestions, OnTickets
from doorcode.errors import ForbiddenError
from doorcode.pairing.contact import Contact, Platform, State
from doorcode.pairing.decisions import Desk
from doorcode.pairing.keyring import key_id
from doorcode.wiring import admin as admin_wiring
from tests.admin.harness import AdminHarness
from tests.backends import dynamodb, in_process
from tests.harness import T0, TELEGRAM

GOOD = {"version": 1, "command": "revoke", "actor": "alice@laptop", "platform": "telegram", "user_id": "1"}
WEB = {"version": 1, "command": "web", "actor": "alice@laptop"}
TOKEN = WEB | {"command": "token_create", "scope": "read"}


def test_what_cannot_be_read_is_refused_and_changes_nothing(harness: AdminHarness) -> None:
    """Bad input has a clear error in the one form, and leaves no trace."""
    for event, reason in (
        (None, "invalid_input"),
        ([], "invalid_input"),
        ("revoke", "invalid_input"),
        ({}, "invalid_input"),
        (GOOD | {"version": 2}, "invalid_input"),
        (GOOD | {"version": True}, "invalid_input"),
        (GOOD | {"command": "drop"}, "invalid_input"),
        (GOOD | {"command": None}, "invalid_input"),
        (GOOD | {"command": "decide"}, "invalid_input"),
        (GOOD | {"actor": ""}, "invalid_input"),
        (GOOD | {"actor": 7}, "invalid_input"),
        (GOOD | {"actor": "a" * 65}, "invalid_input"),
        (GOOD | {"actor": "alice\x1b[2J"}, "invalid_input"),
        (GOOD | {"colour": "red"}, "invalid_input"),
        (GOOD | {"user_id": 987}, "invalid_input"),
        (GOOD | {"code": "ABCD2345"}, "invalid_input"),
        (GOOD | {"platform": "signal"}, "unknown_platform"),
        (GOOD | {"user_id": ""}, "invalid_user_id"),
        (GOOD | {"user_id": "*"}, "unknown_name"),
        (GOOD | {"command": "add", "label": "a\x1b[2Jb"}, "invalid_label"),
        (GOOD | {"command": "add", "label": "a" * 65}, "invalid_label"),
        (GOOD | {"command": "add", "for_seconds": -1}, "invalid_input"),
        (GOOD | {"command": "add", "for_seconds": -T0}, "invalid_input"),
        (GOOD | {"command": "add", "for_seconds": 10**15}, "invalid_time"),
        (GOOD | {"command": "add", "for_seconds": "7d"}, "invalid_input"),
        ({**GOOD, "command": "list", "state": "denied"} | {"user_id": ""}, "invalid_input"),
        ({"version": 1, "command": "list", "actor": "a", "platform": "slack", "state": "all"}, "invalid_input"),
        (
            {"version": 1, "command": "list", "actor": "a", "platform": "slack", "state": "paired", "cursor": "x"},
            "invalid_cursor",
        ),
        ({"version": 1, "command": "clear", "actor": "a", "platform": "slack", "cursor": "é"}, "invalid_cursor"),
        (WEB | {"actor": ""}, "invalid_input"),
        (WEB | {"actor": "alice\x1b[2J"}, "invalid_input"),
        (WEB | {"for": "bob"}, "invalid_input"),
        (WEB | {"command": "sign_out", "actor": "a" * 65}, "invalid_input"),
        (TOKEN | {"actor": "\u202eecila"}, "invalid_input"),
        (TOKEN | {"scope": "admin"}, "invalid_input"),
        (TOKEN | {"scope": ""}, "invalid_input"),
        ({name: value for name, value in TOKEN.items() if name != "scope"}, "invalid_input"),
        (TOKEN | {"name": "a\x1b[2Jb"}, "invalid_token_name"),
        (TOKEN | {"name": "a" * 59}, "invalid_token_name"),
        (TOKEN | {"for_seconds": -1}, "invalid_input"),
        (TOKEN | {"for_seconds": -T0}, "invalid_input"),
        (TOKEN | {"for_seconds": 10**15}, "invalid_time"),
        (WEB | {"command": "token_revoke"}, "invalid_input"),
        (WEB | {"command": "token_revoke", "id": 7}, "invalid_input"),
        (WEB | {"command": "token_revoke", "id": ""}, "unknown_token"),
        (WEB | {"command": "token_revoke", "id": "*"}, "unknown_token"),
        (WEB | {"command": "token_revoke", "id": "0" * 16}, "unknown_token"),
    ):
        answer = harness.admin.answer(event, T0)
        assert answer["error"]["reason"] == reason, event
        assert answer["error"]["message"].endswith((".", "…", "doorcode token list")), event
        assert "\x1b" not in json.dumps(answer, ensure_ascii=False), event
        assert harness.items() == [], event


def test_every_command_is_known() -> None:
    """Security 19: the commands are these, and every one that decides goes through the desk."""
    tags = {command.__struct_config__.tag for command in AnyCommand.__args__}
    on_tickets = {command.__struct_config__.tag for command in OnTickets.__args__}
    on_access = {command.__struct_config__.tag for command in OnAccess.__args__}
    in_bulk = {"clear", "turn_away"}
    on_questions = {command.__struct_config__.tag for command in OnQuestions.__args__}
    deciding = tags - on_access - on_tickets - on_questions - in_bulk - {"list", "unlock"}
    one_by_one = {"approve", "deny", "add", "revoke", "block", "unblock", "owner_remove"}
    assert on_tickets == {"owner_claim", "owner_list", "invite_create", "invite_list", "invite_revoke"}
    assert tags == on_access | on_tickets | on_questions | one_by_one | in_bulk | {"list", "unlock"}
    assert on_access == {"web", "sign_out", "token_create", "token_list", "token_revoke"}
    assert deciding == {
        command.__struct_config__.tag for command in AnyCommand.__args__ if hasattr(command, "operation")
    }


def test_with_a_closed_desk_nothing_is_decided(harness: AdminHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    """Security 19: every command that decides asks the desk; when that refuses, nothing has moved."""

    def closed(*_: object) -> None:
        raise ForbiddenError("The desk is closed.")

    harness.request("1")
    harness.put_paired(1)
    harness.put([Contact(platform=TELEGRAM, user_id="2", state=State.BLOCKED, rev=1)])
    monkeypatch.setattr(Desk, "decide", closed)
    before = harness.items()
    deciding = [command.__struct_config__.tag for command in AnyCommand.__args__ if hasattr(command, "operation")]
    for command in deciding:
        for user_id in ("0", "1", "2", "3"):
            assert harness.refused(command, platform="telegram", user_id=user_id)["reason"] == "forbidden"
    assert harness.items() == before


def test_each_call_is_logged_without_code_name_or_label(
    harness: AdminHarness, caplog: pytest.LogCaptureFixture
) -> None:
    """Security 8, 34: the log says who did what to whom and how it went, and no more."""
    harness.request("987654321", name="@stranger")
    caplog.clear()
    code = harness.code("987654321")
    harness.done("list", platform="telegram", state="pending")
    harness.refused("revoke", platform="telegram", user_id=code)
    harness.refused("approve", platform="telegram", code="AAAA2222", user_id="987654321")
    harness.done("approve", platform="telegram", code=code, label="my friend")
    harness.refused("revoke", platform="telegram", user_id="555001")
    harness.done("clear", platform="telegram")
    harness.done("unlock")
    harness.refused("add", platform="telegram", user_id="\x1b[2J")
    harness.admin.answer({"version": 1}, T0)
    fields = ("operation", "actor", "platform", "user_id", "outcome", "reason", "count", "failed")
    logged = [
        {field: getattr(record, field) for field in fields if hasattr(record, field)}
        for record in caplog.records
        if record.name.startswith("doorcode")
    ]
    who = {"actor": "alice@laptop", "platform": "telegram"}
    assert logged == [
        {**who, "operation": "list", "outcome": "listed", "count": "1"},
        {**who, "operation": "revoke", "outcome": "refused", "reason": "unknown_name"},
        {
            **who, "operation": "approve", "user_id": "987654321", "outcome": "refused", "reason": "unknown_code",
        },
        {**who, "operation": "approve", "user_id": "987654321", "outcome": "paired"},
        {**who, "operation": "revoke", "user_id": "555001", "outcome": "refused", "reason": "not_paired"},
        {**who, "operation": "clear", "outcome": "cleared", "count": "1", "failed": "0"},
        {"actor": "alice@laptop", "operation": "unlock", "outcome": "unlocked", "count": "1"},
        {**who, "operation": "add", "outcome": "refused", "reason": "unknown_name"},
        {"operation": "unreadable", "outcome": "refused", "reason": "invalid_input"},
    ]  # fmt: skip
    written = " ".join(str(record.__dict__) for record in caplog.records)
    assert not [text for text in (code, "stranger", "my friend", "AAAA2222") if text in written]


def test_answers_hold_no_address_and_nothing_that_makes_codes(harness: AdminHarness) -> None:
    """What is opaque or secret stays inside: reply, delivery, nonce, key, seat."""
    contact = harness.request("987654321").contact
    answers = json.dumps(
        [
            harness.done("list", platform="telegram", state="pending"),
            harness.done("approve", platform="telegram", user_id="987654321"),
            harness.done("list", platform="telegram", state="paired"),
        ]
    )
    assert not [secret for secret in (contact.nonce, contact.key_id, contact.delivery_id, "reply") if secret in answers]


def test_trouble_with_the_table_is_told_and_logged_as_an_error(
    harness: AdminHarness, caplog: pytest.LogCaptureFixture
) -> None:
    """A table that does not answer is an answer in the one form; a mistake of ours is an error of the function."""

    def away(_: str) -> None:
        raise TimeoutError

    harness.table._retrying.seconds = 0.0
    harness.client.before = away
    assert harness.refused("revoke", platform="telegram", user_id="1")["reason"] == "unavailable"
    assert caplog.records[-1].levelname == "ERROR"

    def broken(_: str) -> None:
        raise ZeroDivisionError

    harness.client.before = broken
    with pytest.raises(ZeroDivisionError):
        harness.command("revoke", platform="telegram", user_id="1")


def test_the_largest_page_fits_an_answer(harness: AdminHarness) -> None:
    """A full waiting room with the longest names, and a full page with the longest labels, stay far below 6 MB."""
    wide = "\U0001f600" * 64
    harness.put_paired(100, label=wide, name=wide, decided_by=wide)
    harness.put(
        Contact(
            platform=Platform.TELEGRAM, user_id=f"{number:064}", state=State.PENDING, rev=1, name=wide,
            nonce=f"{number:032}", key_id=key_id(harness.secrets.ring.newest), seat=f"{number:02}",
            requested_at=T0, code_expires_at=T0 + 3600,
        )
        for number in range(100)
    )  # fmt: skip
    for state in ("pending", "paired"):
        answer = harness.done("list", platform="telegram", state=state)
        assert len(answer["contacts"]) == 100
        assert len(json.dumps(answer)) < 1024 * 1024


# The wiring


@pytest.fixture
def deployed(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """Give an environment as the stack sets it, with its resources in process."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with in_process.aws():
        dynamodb.create_table(in_process.client("dynamodb"), "doorcode")
        in_process.client("ssm").put_parameter(Name="/doorcode/test/gateway-secret", Value="s", Type="SecureString")
        environment = {
            "TABLE_NAME": "doorcode",
            "AGENT_TABLE_NAME": "agent",
            "PARAMETER_PREFIX": "/doorcode/test",
            "WEB_URL": "https://door.example/owner",
        }
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        yield environment


def test_the_handler_answers(deployed: dict[str, str]) -> None:
    """The function, wired as it is deployed, carries out commands."""
    assert deployed
    handler = admin_wiring.admin_handler()
    added = handler(GOOD | {"command": "add"}, None)
    assert added["ok"] is True
    listing = {"version": 1, "command": "list", "actor": "a", "platform": "telegram", "state": "paired"}
    assert [contact["user_id"] for contact in handler(listing, None)["contacts"]] == ["1"]
    assert Platform(added["contact"]["platform"]) is TELEGRAM
    assert handler(WEB, None)["url"] == deployed["WEB_URL"]


def test_bad_settings_are_told(
    deployed: dict[str, str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A stack with settings that cannot be used says so, in the answer and in the log."""
    assert deployed
    monkeypatch.delenv("TABLE_NAME")
    answer = admin_wiring.admin_handler()(GOOD, None)
    assert answer["error"]["reason"] == "bad_settings"
    assert "TABLE_NAME" in answer["error"]["message"]
    assert "TABLE_NAME" in caplog.text

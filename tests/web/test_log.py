"""What the log says of requests, and what it never says."""

from collections.abc import Mapping
from typing import Any

import pytest

from doorcode.aws.deadline import Deadline
from doorcode.errors import CallbackError, SettingsError
from doorcode.pairing.access import Scope
from doorcode.web.guard import Guard
from doorcode.wiring import web as web_wiring
from doorcode.wiring.web import REQUEST_SECONDS, build_services
from tests.web.gateway import request_event
from tests.web.harness import PAGE, WebHarness, load_handler

FIELDS = ("operation", "actor", "via", "platform", "user_id", "outcome", "reason", "status", "count")


def _logged(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [
        {field: getattr(record, field) for field in FIELDS if hasattr(record, field)}
        for record in caplog.records
        if record.name.startswith("doorcode")
    ]


def test_every_decision_says_who_did_what_to_whom(web: WebHarness, caplog: pytest.LogCaptureFixture) -> None:
    """Security 34: one line for each, with the reason where it was refused; no code, label or name."""
    web.request("987654321", name="@stranger")
    session, reader = web.session(), web.token(Scope.READ, name="board")
    caplog.clear()
    person = {"channel": "telegram", "user_id": "987654321"}
    code = web.code("987654321")
    session.get("/api/pairing/pending")
    session.post("/api/pairing/deny", channel="telegram", code="AAAA2222")
    session.post("/api/pairing/revoke", channel="telegram", user_id=code)
    session.post("/api/pairing/approve", channel="telegram", code=code, label="my friend")
    session.post("/api/pairing/deny", **person)
    reader.post("/api/pairing/deny", **person)
    session.post("/api/pairing/block", channel=code, user_id="1")
    web.stranger().get("/api/pairing/pending")
    web.stranger().get(f"/api/{code}")
    session.ask("DELETE", "/api/session")
    who = {"actor": "alice@laptop", "via": "web"}
    refused = {**who, "outcome": "refused"}
    assert _logged(caplog) == [
        {**refused, "operation": "deny", "platform": "telegram", "reason": "unknown_code", "status": "404"},
        {**refused, "operation": "revoke", "platform": "telegram", "reason": "invalid_user_id", "status": "400"},
        {**who, "operation": "approve", "platform": "telegram", "user_id": "987654321", "outcome": "paired"},
        {
            **refused, "operation": "deny", "platform": "telegram", "user_id": "987654321",
            "reason": "already_paired", "status": "409",
        },
        {
            "operation": "deny", "actor": "token board", "via": "api", "outcome": "refused", "reason": "forbidden",
            "status": "403",
        },
        {**refused, "operation": "block", "reason": "invalid_input", "status": "400"},
        {"operation": "pending", "outcome": "refused", "reason": "not_signed_in", "status": "401"},
        {"operation": "unknown", "outcome": "refused", "reason": "unknown_route", "status": "404"},
        {**who, "operation": "sign_out", "outcome": "signed_out"},
    ]  # fmt: skip
    everything = " ".join(str(record.__dict__) for record in caplog.records)
    assert not [text for text in (code, "stranger", "my friend", "AAAA2222") if text in everything]


def test_signing_in_is_logged_without_what_signs_in(web: WebHarness, caplog: pytest.LogCaptureFixture) -> None:
    """Who, and that it was refused; never a link, a cookie or a token (the fixture looks for them)."""
    link = web.link("bob@desk")
    web.stranger(**PAGE).post("/api/session", token=link)
    web.stranger(**PAGE).post("/api/session", token=link)
    web.token().ask("DELETE", "/api/sessions")
    assert _logged(caplog) == [
        {"operation": "sign_in", "actor": "bob@desk", "via": "web", "outcome": "signed_in"},
        {"operation": "sign_in", "outcome": "refused", "reason": "not_signed_in", "status": "401"},
        {
            "operation": "sign_everybody_out", "actor": "token ci", "via": "api", "outcome": "signed_out", "count": "1",
        },
    ]  # fmt: skip


def test_settings_that_cannot_be_used_are_told_in_the_log_only(
    web: WebHarness, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is served under settings that were not meant; the page and the document, which need none, are."""
    session = web.session()
    monkeypatch.delenv("TABLE_NAME")
    web.handler = load_handler()
    reply = session.get("/api/session")
    assert reply.refusal == (503, "bad_settings")
    assert "TABLE_NAME" not in reply.text
    assert "TABLE_NAME is not set" in caplog.text
    assert [session.get(path).status for path in ("/owner", "/api/openapi.json")] == [200, 200]
    with pytest.raises(SettingsError):
        build_services({})


def test_the_function_builds_its_own_clients(clients: Mapping[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """As it is deployed, with nothing of these tests in it: it starts, and lets nobody in."""
    assert clients
    environment = {
        "TABLE_NAME": "none",
        "AGENT_TABLE_NAME": "none",
        "PARAMETER_PREFIX": "/none",
        "METRICS_NAMESPACE": "None",
        "EFFECTS_QUEUE_URL": "none",
    }
    for name, value in {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", **environment}.items():
        monkeypatch.setenv(name, value)
    event = request_event("GET", "/api/session", {"authorization": f"Bearer dc_{'0' * 16}.{'A' * 43}"})
    # There is no such table: that is trouble, and not an open door.
    assert load_handler()(event, None)["statusCode"] == 503


@pytest.mark.parametrize("error", [ZeroDivisionError("a secret"), CallbackError("a secret")], ids=["other", "ours"])
def test_a_mistake_of_ours_is_the_functions_error(
    web: WebHarness, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    """It is raised, so that it is alarmed; the next request is answered."""

    def broken(*_: Any) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(Guard, "admit", broken)
        with pytest.raises(type(error)):
            web.stranger().get("/owner")
    assert "a secret" not in caplog.text
    assert web.stranger().get("/owner").status == 200


def test_all_that_one_request_asks_for_has_one_deadline(web: WebHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many calls it takes: the function would be stopped before them, without an answer."""
    at = [100.0]
    deadline = Deadline(clock=lambda: at[0])
    monkeypatch.setattr(web_wiring, "Deadline", lambda: deadline)
    monkeypatch.setattr(web_wiring, "REQUEST_SECONDS", REQUEST_SECONDS)
    caller = web.token()
    web.handler = load_handler()

    def slow(_: str) -> None:
        at[0] += 3
        raise TimeoutError

    # The clock passes the deadline with the second try, of a table, of secrets and of metrics alike.
    for service, path, tries in [
        ("dynamodb", "session", 2),
        ("cloudwatch", "activity", 2),
        ("ssm", "pairing/pending", 2),
    ]:
        web.request(service)
        web.clients[service].before = slow
        with web.clients[service].counting() as calls:
            status = caller.get(f"/api/{path}").status
        web.clients[service].before = lambda _: None
        assert (status, len(calls)) == (200 if service == "ssm" else 503, tries)
        assert deadline.at - at[0] < 0

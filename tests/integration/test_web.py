"""The HTTP API and the owner's page over HTTP, on the deployed stack: signed in by link and by token, and refused."""

import json
import re
import time
from typing import Any
from urllib.parse import urlsplit

import pytest

from doorcode.pairing.contact import Platform
from tests import webhooks
from tests.integration.stack import Reply, Stack
from tests.webhooks import HELLO, STRANGER, load

TELEGRAM = Platform.TELEGRAM
FROM_THE_PAGE = {"Sec-Fetch-Site": "same-origin"}
COOKIE = re.compile(r"__Host-doorcode=([^;]+);")


class Visitor:
    """Somebody who asks over HTTP, with these headers."""

    def __init__(self, stack: Stack, **headers: str) -> None:
        self.stack = stack
        self.headers = headers

    def ask(self, method: str, path: str, body: object = None) -> Reply:
        """Send a request, with JSON if there is a body."""
        raw = b"" if body is None else json.dumps(body).encode()
        kind = {} if body is None else {"Content-Type": "application/json"}
        return self.stack.request(method, path, raw, (kind | self.headers).items())

    def get(self, path: str) -> Any:
        """Look; return what is there."""
        reply = self.ask("GET", path)
        assert reply.status == 200, reply
        return reply.json


@pytest.fixture
def stack(pairing_stack: Stack) -> Stack:
    """Give a stack that pairs, with nobody at the door."""
    pairing_stack.clear()
    return pairing_stack


def command(stack: Stack, name: str, /, **arguments: object) -> dict[str, Any]:
    """Have the admin function carry out a command, as the ``doorcode`` command does."""
    event = {"version": 1, "command": name, "actor": "alice@laptop", **arguments}
    answer: dict[str, Any] = stack.invoke("admin", event)
    assert answer["ok"], answer
    return answer


def browser(stack: Stack) -> Visitor:
    """Sign in to the page with a new link."""
    link = command(stack, "web")
    assert link["url"] == stack.outputs["WebUrl"]
    reply = Visitor(stack, **FROM_THE_PAGE).ask("POST", "/api/session", {"token": link["token"]})
    assert reply.status == 200, reply
    found = COOKIE.match(reply.headers["set-cookie"])
    assert found
    return Visitor(stack, Cookie=f"__Host-doorcode={found[1]}", **FROM_THE_PAGE)


def program(stack: Stack, scope: str) -> Visitor:
    """Use a new token of that scope."""
    token = command(stack, "token_create", scope=scope, name="ci")["token"]
    return Visitor(stack, Authorization=f"Bearer {token}")


def says(stack: Stack, number: int = 0) -> None:
    """Have the stranger write to the Telegram bot."""
    event = load(HELLO[TELEGRAM]).another(number)
    raw = event.raw()
    reply = stack.post("telegram", raw, {**event.headers, **webhooks.signed(TELEGRAM, raw, int(time.time()))})
    assert reply.status == 200, reply


def test_an_owner_signs_in_with_a_link_and_approves(stack: Stack) -> None:
    """Security 20, 23: link, session, decision; what was decided on the page holds from the next message."""
    says(stack)
    alice = browser(stack)
    assert alice.get("/api/session")["actor"] == "alice@laptop"
    (waiting,) = alice.get("/api/pairing/pending")["pending"]
    assert waiting["user_id"] == STRANGER[TELEGRAM]
    approved = alice.ask("POST", "/api/pairing/approve", {"channel": "telegram", "code": waiting["code"]})
    assert approved.json == {
        "approved": True, "channel": "telegram", "code": waiting["code"], "user_id": STRANGER[TELEGRAM],
    }  # fmt: skip
    (paired,) = alice.get("/api/pairing/paired")["paired"]
    assert (paired["user_id"], paired["decided_by"], paired["decided_via"]) == (
        STRANGER[TELEGRAM], "alice@laptop", "web",
    )  # fmt: skip
    says(stack, 1)
    assert len(stack.admitted()) == 1
    contact = alice.get(f"/api/pairing/contacts/telegram/{STRANGER[TELEGRAM]}")["contact"]
    assert (contact["state"], contact.get("code")) == ("paired", None)


def test_a_link_works_once_and_a_session_until_it_is_ended(stack: Stack) -> None:
    """Security 20: neither a used link nor an ended session signs anybody in, and both are told the same."""
    link = command(stack, "web")["token"]
    nobody = Visitor(stack, **FROM_THE_PAGE)
    assert nobody.ask("POST", "/api/session", {"token": link}).status == 200
    again = nobody.ask("POST", "/api/session", {"token": link})
    alice, bob = browser(stack), browser(stack)
    assert alice.ask("DELETE", "/api/session").status == 204
    ended = alice.ask("GET", "/api/session")
    assert (again.status, ended.status) == (401, 401)
    assert again.json["reason"] == ended.json["reason"] == "not_signed_in"
    assert bob.get("/api/session")["actor"] == "alice@laptop"
    assert command(stack, "sign_out")["signed_out"] == 2
    assert bob.ask("GET", "/api/session").status == 401


def test_a_token_reads_or_decides(stack: Stack) -> None:
    """Security 20: a token with the scope read sees who waits, without codes, and cannot decide; revoked it sees nothing."""
    says(stack)
    reader, decider = program(stack, "read"), program(stack, "pairing")
    (waiting,) = reader.get("/api/pairing/pending")["pending"]
    assert "code" not in waiting
    order = {"channel": "telegram", "user_id": waiting["user_id"]}
    refused = reader.ask("POST", "/api/pairing/deny", order)
    assert (refused.status, refused.json["reason"]) == (403, "forbidden")
    assert decider.ask("POST", "/api/pairing/deny", order).json["denied"] is True
    lost = decider.ask("POST", "/api/pairing/approve", order)
    assert (lost.status, lost.json["state"], lost.json["decided_by"]) == (409, "denied", "token ci")
    for token in command(stack, "token_list")["tokens"]:
        command(stack, "token_revoke", id=token["id"])
    for visitor in (reader, decider):
        assert visitor.ask("GET", "/api/pairing/pending").status == 401


def test_who_is_not_signed_in_sees_nothing(stack: Stack) -> None:
    """Security 20: without a sign-in, with one in the query or with the cookie alone, nothing is shown or done."""
    says(stack)
    nobody, alice = Visitor(stack), browser(stack)
    assert nobody.ask("GET", "/api/pairing/pending").status == 401
    cookie = alice.headers["Cookie"].partition("=")[2]
    for name in ("token", "__Host-doorcode", "access_token"):
        assert nobody.ask("GET", f"/api/pairing/pending?{name}={cookie}").status == 400
    order = {"channel": "telegram", "user_id": STRANGER[TELEGRAM]}
    elsewhere: tuple[dict[str, str], ...] = {"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {}
    for headers in elsewhere:
        visitor = Visitor(stack, Cookie=alice.headers["Cookie"], **headers)
        assert visitor.ask("POST", "/api/pairing/approve", order).status == 403
    assert [contact["state"] for contact in alice.get("/api/pairing/pending")["pending"]] == ["pending"]


def test_the_routes(stack: Stack) -> None:
    """The page, its assets and the API's document are there for anybody; what is none of them is nobody's."""
    nobody = Visitor(stack)
    page = nobody.ask("GET", urlsplit(stack.outputs["WebUrl"]).path)
    assert (page.status, page.headers["content-type"].partition(";")[0]) == (200, "text/html")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    # The page names its assets relative to itself.
    assets = set(re.findall(r'(?:href|src)="owner/([^"]+)"', page.body.decode()))
    assert {asset.rpartition(".")[2] for asset in assets} >= {"js", "svg"}
    assert "<style>" in page.body.decode()
    for asset in assets:
        assert nobody.ask("GET", f"/owner/{asset}").status == 200, asset
    assert nobody.get("/api/openapi.json")["openapi"].startswith("3.1")
    for method, path in (
        ("GET", "/"), ("GET", "/api"), ("GET", "/api/nothing"), ("GET", "/owner/nothing"), ("GET", "/owner/a/b"),
        ("POST", "/owner"), ("DELETE", "/owner/owner.js"), ("GET", "/apis/session"),
    ):  # fmt: skip
        assert nobody.ask(method, path).status == 404, path
    refused = nobody.ask("PUT", "/api/session")
    assert refused.status == 405
    assert "GET" in refused.headers["allow"]


def test_the_log_has_no_secret(stack: Stack) -> None:
    """Security 8, 20: neither links, cookies, tokens nor codes are in any log."""
    says(stack)
    alice, reader = browser(stack), program(stack, "read")
    (waiting,) = alice.get("/api/pairing/pending")["pending"]
    reader.get("/api/pairing/pending")
    alice.ask("POST", "/api/pairing/approve", {"channel": "telegram", "code": waiting["code"]})
    logged = json.dumps([*stack.log("web"), *stack.log("admin"), *stack.log("telegram")])
    secrets = [
        visitor.headers[name].partition(".")[2] for visitor, name in ((alice, "Cookie"), (reader, "Authorization"))
    ]
    assert '"operation": "approve"' in logged
    assert not [secret for secret in (*secrets, waiting["code"]) if secret in logged]

"""The stand-in for WhatsApp does what Meta's documentation says."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from doorcode_sandbox.loopback import LoopbackServer
from doorcode_sandbox.platforms.whatsapp.postman import signature, written
from doorcode_sandbox.platforms.whatsapp.stand_in import PAIR_BURST, WhatsAppStandIn
from tests.eventually import eventually
from tests.unit.sandbox.http import call

NOW = 1_800_000_000.0
DAY = 24 * 3600
ANN, BOB, CARL = "US.101", "US.102", "US.103"


class Clock:
    """What time it is."""

    now = NOW

    def __call__(self) -> float:
        """Tell."""
        return self.now


@pytest.fixture
def whatsapp() -> Iterator[WhatsAppStandIn]:
    """Give a stand-in with somebody of each kind: with a number, with a username alone, with both."""
    with WhatsAppStandIn(clock=Clock()) as stand_in:
        stand_in.add_user(ANN, phone="15550001001", name="Ann")
        stand_in.add_user(BOB, username="bob.b", hides_phone=True)
        stand_in.add_user(CARL, username="carl.c", phone="15550001003")
        yield stand_in


def _ask(stand_in: WhatsAppStandIn, verb: str, path: str, fields: Any = None, token: str = "") -> tuple[int, Any]:
    bearer = f"Bearer {token or stand_in.token}"
    return call(stand_in, verb, f"/v27.0/{path}", fields, Authorization=bearer)[:2]


def _send(stand_in: WhatsAppStandIn, to: dict[str, str] | None = None, **content: Any) -> tuple[int, Any]:
    fields = {"messaging_product": "whatsapp", "recipient_type": "individual", **(to or {"recipient": ANN})}
    said = content or {"type": "text", "text": {"body": "hello"}}
    return _ask(stand_in, "POST", f"{stand_in.PHONE_NUMBER_ID}/messages", fields | said)


def _code(answer: tuple[int, Any]) -> int:
    return int(answer[1]["error"]["code"])


def _buttons(*titles: str, body: str = "Well?", **reply: str) -> dict[str, Any]:
    made = [{"type": "reply", "reply": {"id": f"id-{title}", "title": title, **reply}} for title in titles]
    return {
        "type": "interactive",
        "interactive": {"type": "button", "body": {"text": body}, "action": {"buttons": made}},
    }


def _template(*words: str, name: str = "ask", payloads: tuple[str, ...] = ("yes", "no")) -> dict[str, Any]:
    body = {"type": "body", "parameters": [{"type": "text", "text": word} for word in words]}
    buttons = [
        {"type": "button", "sub_type": "quick_reply", "index": str(at), "parameters": [{"type": "payload", "payload": one}]}
        for at, one in enumerate(payloads)
    ]  # fmt: skip
    return {"type": "template", "template": {"name": name, "language": {"code": "en"}, "components": [body, *buttons]}}


NEW_TEMPLATE: dict[str, Any] = {
    "name": "ask",
    "language": "en",
    "category": "UTILITY",
    "components": [
        {"type": "BODY", "text": "About {{1}} ({{2}}).", "example": {"body_text": [["a", "b"]]}},
        {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": text} for text in ("Approve", "Deny")]},
    ],
}


def test_tokens(whatsapp: WhatsAppStandIn) -> None:
    """A wrong token is 190; the app's own sets webhooks and nothing else, and no other may."""
    phone, app = whatsapp.PHONE_NUMBER_ID, whatsapp.APP
    assert _code(_ask(whatsapp, "GET", phone, token="EAAother")) == 190
    assert _code(_ask(whatsapp, "GET", phone, token=whatsapp.app_token)) == 10
    assert _code(_ask(whatsapp, "GET", f"{app}/subscriptions")) == 100
    assert _ask(whatsapp, "GET", f"{app}/subscriptions", token=whatsapp.app_token) == (200, {"data": []})
    assert _code(_ask(whatsapp, "GET", "nothing")) == 100
    assert _code(call(whatsapp, "GET", "/v20.0/nothing", None, Authorization=f"Bearer {whatsapp.token}")[:2]) == 2500


def test_whom_a_message_is_for(whatsapp: WhatsAppStandIn) -> None:
    """An id in ``recipient``, a number in ``to``, which wins. An id in the place of the number is accepted, and delivered nowhere."""
    for to, who in (
        ({"recipient": BOB}, BOB),
        ({"to": "+15550001003"}, CARL),
        ({"to": "15550001001", "recipient": BOB}, ANN),
    ):
        before = len(whatsapp.in_chat(who))
        status, answer = _send(whatsapp, to)
        assert (status, answer["messages"][0]["id"].startswith("wamid.")) == (200, True)
        assert len(whatsapp.in_chat(who)) == before + 1
    reported = len(whatsapp.statuses)
    status, answer = _send(whatsapp, {"to": BOB})
    assert (status, answer["messages"][0]["id"].startswith("wamid.")) == (200, True)
    assert (len(whatsapp.in_chat(BOB)), len(whatsapp.statuses)) == (1, reported)
    assert _code(_send(whatsapp, {"recipient": "not an id"})) == 100
    assert _code(_send(whatsapp, {"to": ""})) == 131008


def test_accepted_is_not_delivered(whatsapp: WhatsAppStandIn) -> None:
    """Nobody of that number, a day of silence, no money left: accepted, and then a status says that it failed, and why."""
    whatsapp.close_window(ANN)
    whatsapp.troubles[CARL] = 131049
    for to, code in (({"recipient": ANN}, 131047), ({"to": "+15559999999"}, 131026), ({"recipient": CARL}, 131049)):
        answer = _send(whatsapp, to, type="text", text={"body": "x"}, biz_opaque_callback_data="key")
        assert answer[0] == 200
        status = whatsapp.statuses[-1]
        assert (status["status"], status["errors"][0]["code"]) == ("failed", code)
        assert status["biz_opaque_callback_data"] == "key"
        assert status["id"] == answer[1]["messages"][0]["id"]
    assert whatsapp.messages == {}
    whatsapp.funded, whatsapp.free = False, 1
    assert [_send(whatsapp, {"recipient": BOB})[0] for _ in range(2)] == [200, 200]
    assert len(whatsapp.in_chat(BOB)) == 1
    assert whatsapp.statuses[-1]["errors"][0]["code"] == 131042
    whatsapp.refuses_at_once = True
    assert _code(_send(whatsapp)) == 131047
    whatsapp.write(ANN)
    whatsapp.funded = True
    assert _send(whatsapp)[0] == 200


def test_who_has_blocked_the_business(whatsapp: WhatsAppStandIn) -> None:
    """It is sent and never delivered; whom the business has blocked cannot be sent anything."""
    whatsapp.block(ANN)
    assert _send(whatsapp)[0] == 200
    assert [status["status"] for status in whatsapp.statuses] == ["sent"]
    assert whatsapp.messages == {}
    blocking = {"messaging_product": "whatsapp", "block_users": [{"user_id": BOB}, {"user": "+15550001003"}]}
    path = f"{whatsapp.PHONE_NUMBER_ID}/block_users"
    _, answer = _ask(whatsapp, "POST", path, blocking)
    assert [one["user_id"] for one in answer["block_users"]["added_users"]] == [BOB, CARL]
    assert _code(_send(whatsapp, {"recipient": BOB})) == 131026
    _ask(whatsapp, "DELETE", path, blocking)
    assert _send(whatsapp, {"recipient": BOB})[0] == 200
    whatsapp.close_window(BOB)
    assert _code(_ask(whatsapp, "POST", path, blocking)) == 139100


def test_one_person_is_not_written_to_too_fast(whatsapp: WhatsAppStandIn) -> None:
    """So many at once, then one in six seconds."""
    codes = [_send(whatsapp)[0] for _ in range(PAIR_BURST)]
    assert set(codes) == {200}
    assert _code(_send(whatsapp)) == 131056
    assert _send(whatsapp, {"recipient": BOB})[0] == 200
    whatsapp.clock.now += 6  # type: ignore[attr-defined]
    assert (_send(whatsapp)[0], _code(_send(whatsapp))) == (200, 131056)


def test_the_limits(whatsapp: WhatsAppStandIn) -> None:
    """Texts to 4,096 characters, bodies to 1,024; one to three buttons, each with its own id and title."""
    for content, code in (
        ({"type": "text", "text": {"body": "x" * 4096}}, 0),
        ({"type": "text", "text": {"body": "x" * 4097}}, 100),
        ({"type": "text", "text": {"body": " "}}, 100),
        ({"type": "text"}, 131008),
        ({"type": "text", "text": {"body": "x"}, "unheard": 1}, 100),
        (_buttons("One", "Two", "Three", body="x" * 1024), 0),
        (_buttons("One", "Two", "Three", "Four"), 100),
        (_buttons(), 100),
        (_buttons("One", "One"), 100),
        (_buttons("One", "Two", id="same"), 100),
        (_buttons("x" * 21), 100),
        (_buttons("One", id=" x"), 100),
        (_buttons("One", id="x" * 257), 100),
        (_buttons("One", body="x" * 1025), 100),
    ):
        answer = _send(whatsapp, **content)
        assert (answer[0] == 200) is (code == 0), content
        assert code == 0 or _code(answer) == code, content


def test_read_and_typing(whatsapp: WhatsAppStandIn) -> None:
    """A message is marked as read, and the earlier ones with it; for thirty days, and only if it is somebody's."""
    first, second = whatsapp.write(ANN), whatsapp.write(ANN)
    path = f"{whatsapp.PHONE_NUMBER_ID}/messages"
    said = {
        "messaging_product": "whatsapp",
        "status": "read",
        "message_id": second,
        "typing_indicator": {"type": "text"},
    }
    assert _ask(whatsapp, "POST", path, said) == (200, {"success": True})
    assert [whatsapp.heard[one].read for one in (first, second)] == [True, True]
    assert _code(_ask(whatsapp, "POST", path, said | {"message_id": "wamid.x"})) == 131009
    whatsapp.clock.now += 30 * DAY + 1  # type: ignore[attr-defined]
    assert _code(_ask(whatsapp, "POST", path, said)) == 131009
    assert [one.name for one in whatsapp.calls] == ["read"] * 3


def test_templates(whatsapp: WhatsAppStandIn) -> None:
    """One that is reviewed reaches somebody after a day of silence; its words and what its buttons carry come with the message."""
    path = f"{whatsapp.WABA}/message_templates"
    whatsapp.close_window(ANN)
    assert _code(_send(whatsapp, **_template("a", "b"))) == 132001
    status, made = _ask(whatsapp, "POST", path, NEW_TEMPLATE)
    assert (status, made["status"]) == (200, "PENDING")
    assert [one["status"] for one in _ask(whatsapp, "GET", f"{path}?name=ask")[1]["data"]] == ["APPROVED"]
    assert _ask(whatsapp, "GET", f"{path}?name=other")[1]["data"] == []
    assert _send(whatsapp, **_template("Ann", "whatsapp US.101"))[0] == 200
    (message,) = whatsapp.in_chat(ANN)
    assert message.shown["drawn"] == {
        "text": "About Ann (whatsapp US.101).",
        "buttons": [{"id": "yes", "title": "Approve"}, {"id": "no", "title": "Deny"}],
    }
    assert _code(_send(whatsapp, **_template("a"))) == 132000
    assert _code(_send(whatsapp, **_template("a", "b\nc"))) == 132018
    assert _code(_send(whatsapp, **_template("a", "b", payloads=("1", "2", "3")))) == 132018
    whatsapp.templates["ask", "en"].status = "PAUSED"
    assert _code(_send(whatsapp, **_template("a", "b"))) == 132015
    assert _code(_ask(whatsapp, "POST", path, NEW_TEMPLATE)) == 100
    for text in ("{{1}} is there.", "It is {{1}}", "x {{1}}{{2}} y", "No {{1}} sample {{2}}, {{3}}."):
        body = {"type": "BODY", "text": text, "example": {"body_text": [["a", "b"]]}}
        assert _code(_ask(whatsapp, "POST", path, NEW_TEMPLATE | {"name": "bad", "components": [body]})) == 100


class _Endpoint(BaseHTTPRequestHandler):
    server: "App"

    def do_GET(self) -> None:
        """Shake hands with who knows the word."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        known = asked["hub.mode"] == "subscribe" and asked["hub.verify_token"] == "the word"
        self._answer(200 if known else 403, asked["hub.challenge"].encode())

    def do_POST(self) -> None:
        """Take a webhook."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.taken.append((self.headers["X-Hub-Signature-256"], body))
        self._answer(self.server.status, b"")

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class App(LoopbackServer):
    """An app that has webhooks sent to it."""

    def __init__(self) -> None:
        """Take everything."""
        super().__init__(0, _Endpoint)
        self.taken: list[tuple[str, bytes]] = []
        self.status = 200

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server_port}/whatsapp"


@pytest.fixture
def app() -> Iterator[App]:
    """Give an app that listens."""
    server = App()
    server.run("app")
    yield server
    server.end()


def test_the_handshake(whatsapp: WhatsAppStandIn, app: App) -> None:
    """An address is set only if it returns the challenge to who names the word; an account is subscribed by itself."""
    path = f"{whatsapp.APP}/subscriptions"
    fields = {
        "object": "whatsapp_business_account",
        "callback_url": app.url,
        "verify_token": "no",
        "fields": "messages",
    }
    assert _code(_ask(whatsapp, "POST", path, fields, whatsapp.app_token)) == 2200
    assert _code(_ask(whatsapp, "POST", path, fields | {"callback_url": "https://e.x/"}, whatsapp.app_token)) == 2200
    account = f"{whatsapp.WABA}/subscribed_apps"
    own = {"override_callback_uri": "https://elsewhere.example", "verify_token": "x"}
    assert _code(_ask(whatsapp, "POST", account, own)) == 100
    assert _ask(whatsapp, "POST", path, fields | {"verify_token": "the word"}, whatsapp.app_token)[0] == 200
    (found,) = _ask(whatsapp, "GET", path, None, whatsapp.app_token)[1]["data"]
    assert (found["callback_url"], found["fields"]) == (app.url, [{"name": "messages", "version": "v27.0"}])
    assert _ask(whatsapp, "GET", account)[1] == {"data": []}
    for more, override in ((own, own["override_callback_uri"]), ({}, None)):
        assert _ask(whatsapp, "POST", account, more)[0] == 200
        (subscribed,) = _ask(whatsapp, "GET", account)[1]["data"]
        assert subscribed["whatsapp_business_api_data"]["id"] == whatsapp.APP
        assert subscribed.get("override_callback_uri") == override


def test_statuses_come_back_signed(whatsapp: WhatsAppStandIn, app: App) -> None:
    """Each step of a message is a webhook of its own, in ASCII, signed over its bytes; what is not taken comes again."""
    whatsapp.register(app.url, "the secret")
    app.status = 503
    _send(whatsapp, type="text", text={"body": "é/@"})
    assert eventually(lambda: len(app.taken) >= 2)
    app.status = 200
    assert eventually(lambda: whatsapp.postman.results[-2:] == [200, 200])
    (signed, body), (_, last) = app.taken[0], app.taken[-1]
    assert signed == f"sha256={hmac.new(b'the secret', body, hashlib.sha256).hexdigest()}"
    assert body == app.taken[1][1]
    values = [json.loads(one)["entry"][0]["changes"][0]["value"] for one in (body, last)]
    assert [value["statuses"][0]["status"] for value in values] == ["sent", "delivered"]
    assert values[0]["metadata"]["phone_number_id"] == whatsapp.PHONE_NUMBER_ID
    assert values[0]["contacts"][0]["user_id"] == ANN


def test_what_is_signed(whatsapp: WhatsAppStandIn) -> None:
    """Escapes where JSON needs none, and the vectors that are known."""
    assert written({"text": "é/@<🙂"}) == rb'{"text":"\u00e9\/\u0040\u003c\ud83d\ude42"}'
    plain = b'{"object":"whatsapp_business_account","entry":[]}'
    assert (
        signature(plain, b"test_app_secret")
        == "sha256=dec6a680679a968e7e0319355b23599cbfc54502c0784668e9618baa0c633756"
    )
    spaced = plain.replace(b":", b": ").replace(b",", b", ")
    assert (
        signature(spaced, b"test_app_secret")
        == "sha256=56cbbaf4961c6cfdae48b7f116c047e5eb513d2c931baae63a2bc1afd26f803a"
    )
    assert whatsapp.value(messages=[])["entry"][0]["id"] == whatsapp.WABA


def test_looking_after_a_number(whatsapp: WhatsAppStandIn) -> None:
    """What the token is, which numbers there are, how well one sends, and whether it is paid for."""
    data = _ask(whatsapp, "GET", f"debug_token?input_token={whatsapp.token}", token=whatsapp.app_token)[1]["data"]
    assert (data["is_valid"], data["app_id"], data["granular_scopes"][0]["target_ids"]) == (
        True,
        whatsapp.APP,
        [whatsapp.WABA],
    )
    whatsapp.expires_at = int(NOW)
    assert _ask(whatsapp, "GET", f"debug_token?input_token={whatsapp.token}")[1]["data"]["is_valid"] is False
    assert _ask(whatsapp, "GET", "debug_token?input_token=EAAx")[1]["data"]["error"]["code"] == 190
    (line,) = _ask(whatsapp, "GET", f"{whatsapp.WABA}/phone_numbers?fields=display_phone_number")[1]["data"]
    assert line == {"id": whatsapp.PHONE_NUMBER_ID, "display_phone_number": "+1 555-078-3881"}
    whatsapp.health, whatsapp.funded = "BLOCKED", False
    health = _ask(whatsapp, "GET", f"{whatsapp.PHONE_NUMBER_ID}?fields=health_status")[1]["health_status"]
    assert (health["can_send_message"], health["entities"][1]["errors"][0]["error_code"]) == ("BLOCKED", 141006)
    assert _ask(whatsapp, "GET", f"{whatsapp.WABA}?fields=primary_funding_id")[1] == {"id": whatsapp.WABA}

"""Bodies that nobody means well with."""

import base64
from typing import Any

import pytest

from doorcode.web.request import MAX_BODY_BYTES
from tests.web.gateway import request_event
from tests.web.harness import PAGE, WebHarness

PATHS = ("approve", "deny", "revoke", "block", "unblock")
DEEP = 200_000

BODIES: dict[str, bytes] = {
    "empty": b"",
    "no json": b"channel=telegram",
    "an array": b"[]",
    "a text": b'"telegram"',
    "null": b"null",
    "true": b"true",
    "a number": b"1e999",
    "not utf-8": b'{"channel":"\xff","user_id":"1"}',
    "utf-16": '{"channel":"telegram","user_id":"1"}'.encode("utf-16"),
    "a byte order mark": b'\xef\xbb\xbf{"channel":"telegram","user_id":"1"}',
    "half a surrogate": b'{"channel":"telegram","user_id":"\\ud800"}',
    "encoded surrogate": b'{"channel":"telegram","user_id":"\xed\xa0\x80"}',
    "a null byte": b'{"channel":"telegram","user_id":"1\\u0000"}',
    "cut off": b'{"channel":"telegram","user_id":"1"',
    "something after": b'{"channel":"telegram","user_id":"1"}{}',
    "wrong types": b'{"channel":["telegram"],"user_id":1}',
    "a number as id": b'{"channel":"telegram","user_id":987654321}',
    "null as id": b'{"channel":"telegram","user_id":null}',
    "nothing of it": b"{}",
    "a field of its own": b'{"channel":"telegram","user_id":"1","via":"cli"}',
    "deep": b"[" * (MAX_BODY_BYTES - 1),
    "deep inside": b'{"channel":' + b'{"a":' * (MAX_BODY_BYTES // 8),
    "deep beside": b'{"channel":"telegram","x":' + b"[" * (MAX_BODY_BYTES // 2),
}


@pytest.mark.parametrize("name", BODIES)
def test_what_cannot_be_read_is_a_clear_400(web: WebHarness, name: str) -> None:
    """Whoever is signed in is told what is wrong, on every route; whoever is not, always the same."""
    session = web.session()
    before = web.items()
    for path in PATHS:
        reply = session.ask("POST", f"/api/pairing/{path}", BODIES[name])
        assert reply.status == 400, (path, reply)
        assert reply.body["reason"] in {"invalid_input", "invalid_user_id"}
        assert len(reply.text) < 400
    untrusted = web.stranger(**PAGE).ask("POST", "/api/session", BODIES[name])
    assert untrusted.refusal == (400, "invalid_input")
    assert untrusted.body["error"] == "That request cannot be used."
    assert web.items() == before


@pytest.mark.parametrize("size", [MAX_BODY_BYTES, MAX_BODY_BYTES + 1, DEEP], ids=["largest", "one more", "huge"])
@pytest.mark.parametrize("encoded", [False, True], ids=["text", "base64"])
def test_bodies_have_at_most_16_kib(web: WebHarness, size: int, encoded: bool) -> None:
    """What is larger is 413, before it is parsed."""
    raw = b'{"channel":"telegram","user_id":"1"}'.ljust(size)
    event = request_event("POST", "/api/pairing/block", {"content-type": "application/json", **web.session().headers})
    event["body"] = base64.b64encode(raw).decode() if encoded else raw.decode()
    event["isBase64Encoded"] = encoded
    reply = web.send(event)
    assert (reply.status == 200) if size == MAX_BODY_BYTES else (reply.refusal == (413, "body_too_large"))


@pytest.mark.parametrize(
    "event", [{"body": "{}%", "isBase64Encoded": True}, {"body": "\ud800"}], ids=["base64", "half"]
)
def test_a_body_that_is_no_bytes_is_refused(web: WebHarness, event: dict[str, Any]) -> None:
    """Whatever stands between the caller and the function."""
    headers = {"content-type": "application/json", **web.session().headers}
    whole = request_event("POST", "/api/pairing/block", headers) | event
    assert web.send(whole).refusal == (400, "invalid_input")


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 200),
        ("Application/JSON; charset=UTF-8", 200),
        ('application/json;charset="utf-8"', 200),
        ("application/json; charset=latin-1", 415),
        ("application/json, application/json", 415),
        ("application/jsonp", 415),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=x", 415),
        ("", 415),
    ],
)
def test_bodies_are_json_and_say_so(web: WebHarness, content_type: str, status: int) -> None:
    """Security 20: no form and no plain text, which other sites could send without asking first."""
    body = b'{"channel":"telegram","user_id":"1"}'
    reply = web.session().ask("POST", "/api/pairing/block", body, {"content-type": content_type})
    assert reply.status == status
    if status == 415:
        assert reply.refusal == (415, "unsupported_media")
    assert web.stranger(**PAGE).ask("POST", "/api/session", body, {"content-type": content_type}).status in {
        400,
        status,
    }


def test_base64_is_only_a_way_to_travel(web: WebHarness) -> None:
    """What API Gateway encodes is the same body."""
    event = request_event("POST", "/api/pairing/block", {"content-type": "application/json", **web.session().headers})
    event["body"] = base64.b64encode(b'{"channel":"telegram","user_id":"1"}').decode()
    event["isBase64Encoded"] = True
    assert web.send(event).body == {"blocked": True, "channel": "telegram", "user_id": "1"}

"""Requests that nobody honest sends: each has its exact status, and none has an effect, a 5xx, or a trace of its content."""

import base64
import copy
import hmac
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from nacl.signing import SigningKey

from doorcode.pairing import callbacks
from doorcode.pairing.callbacks import Action, Callback
from doorcode.pairing.codes import code_for
from doorcode.pairing.contact import Contact, Platform, State, Via
from doorcode.pairing.keyring import Keyring, key_id
from doorcode.pairing.transitions import Decision, Operation
from doorcode.platforms.discord import inbound as discord
from tests import webhooks
from tests.backends import in_process
from tests.edge.harness import AGENT_QUEUE, CALLBACKS, GATEWAY, MODULES, PREFIX, SECRETS, Edge, body_of, case
from tests.harness import COOLDOWN, T0, TTL
from tests.webhooks import APPROVE, HELLO, Delivery, envelope, load, signed

EACH = pytest.mark.parametrize("platform", list(Platform))
# Telegram signs nothing: it repeats a secret, which covers neither the time nor the body.
SIGNING = pytest.mark.parametrize("platform", [Platform.SLACK, Platform.DISCORD])

MARKER = "marker5f1c"
HELLO_OWNER = {
    Platform.TELEGRAM: "telegram/private_text_owner",
    Platform.SLACK: "slack/message_im_owner",
    Platform.DISCORD: "discord/chat_bot_dm_owner",
    Platform.WHATSAPP: "whatsapp/text_owner",
}
SIGNATURE = {
    Platform.TELEGRAM: "X-Telegram-Bot-Api-Secret-Token",
    Platform.SLACK: "X-Slack-Signature",
    Platform.DISCORD: "X-Signature-Ed25519",
    Platform.WHATSAPP: "X-Hub-Signature-256",
}
TIMESTAMP = {Platform.SLACK: "X-Slack-Request-Timestamp", Platform.DISCORD: "X-Signature-Timestamp"}
SECRET = {
    Platform.TELEGRAM: "telegram/webhook-secret",
    Platform.SLACK: "slack/signing-secret",
    Platform.DISCORD: "discord/public-key",
    Platform.WHATSAPP: "whatsapp/app-secret",
}
WENT_WRONG = {
    "type": 4,
    "data": {"content": "Something went wrong. Please try again.", "flags": 64, "allowed_mentions": {"parse": []}},
}


def _waiting(platform: Platform) -> Contact:
    """Make somebody who waits for a decision, whom the owner's press would let in."""
    return Contact(
        platform=platform,
        user_id="4242",
        state=State.PENDING,
        rev=1,
        nonce="cd" * 16,
        key_id=key_id(GATEWAY.newest),
        seat="07",
        delivery_id="an earlier one",
        requested_at=T0,
        code_expires_at=T0 + TTL,
        next_code_at=T0 + COOLDOWN,
    )


def _strangers(platform: Platform) -> Delivery:
    return load(HELLO[platform]).replaced("Hello, may I come in?", MARKER)


def _owners(platform: Platform) -> Delivery:
    return load(HELLO_OWNER[platform]).replaced("Who is waiting?", MARKER)


def _press(platform: Platform) -> Delivery:
    waiting = _waiting(platform)
    code = code_for(GATEWAY.newest, platform, waiting.user_id, waiting.nonce)
    data = callbacks.sign(Callback(Action.APPROVE, platform, waiting.user_id, code), CALLBACKS)
    press = load(APPROVE[platform])
    return press.replaced(press.expect["callback"], data).replaced('"owner"', f'"{MARKER}"')


# Whichever of these were let through would leave something behind: a request, a hand-off, a decision.
TELLING = {"a stranger's message": _strangers, "the owner's message": _owners, "the owner's press": _press}


@pytest.fixture(scope="module")
def warm_edge() -> Iterator[Edge]:
    """Give one edge to all these tests, with somebody waiting on each platform."""
    with pytest.MonkeyPatch.context() as patch, in_process.aws():
        edge = Edge(patch)
        _lay(edge)
        yield edge


def _lay(edge: Edge) -> None:
    for platform in Platform:
        edge.put(_waiting(platform))


@pytest.fixture
def edge(warm_edge: Edge, caplog: pytest.LogCaptureFixture) -> Iterator[Edge]:
    """Give the edge to a test that changes something: cold, over an empty table and queue, and afterwards as it was."""
    caplog.set_level("INFO", logger="doorcode")
    warm_edge.empty()
    warm_edge.forget()
    yield warm_edge
    logged = str([record.__dict__ for record in caplog.records if record.name.startswith("doorcode")])
    for client in warm_edge.clients.values():
        client.before = lambda _: None
    for name, value in SECRETS.items():
        warm_edge.put_secret(name, value)
    warm_edge.sqs.delete_queue(QueueUrl=warm_edge.environment["AGENT_QUEUE_URL"])
    warm_edge.sqs.create_queue(QueueName="agent.fifo", Attributes=AGENT_QUEUE)
    warm_edge.empty()
    warm_edge.forget()
    _lay(warm_edge)
    assert not [secret for secret in (MARKER, *SECRETS.values()) if secret in logged]


Attack = Callable[..., tuple[int, list[str]]]


@pytest.fixture
def attack(warm_edge: Edge, caplog: pytest.LogCaptureFixture) -> Attack:
    """Give what sends a request and sees that it has no effect; it returns the status and the reasons logged."""
    caplog.set_level("DEBUG", logger="doorcode")

    def attacked(platform: Platform, event: Mapping[str, Any], now: int = T0, **settings: str) -> tuple[int, list[str]]:
        door = warm_edge.door(platform, **settings)
        table, queue = warm_edge.clients["dynamodb"].calls, warm_edge.clients["sqs"].calls
        asked, sent = len(table), len(queue)
        caplog.clear()
        response = door.serve(event, now)
        records = [record for record in caplog.records if record.name.startswith("doorcode")]
        assert MARKER not in str([record.__dict__ for record in records]), "security 34: its content was logged"
        assert MARKER not in str(response)
        assert queue[sent:] == [], "it was handed off"
        assert set(table[asked:]) <= {"get_item", "query"}, "it may have changed the table"
        assert response.keys() == {"statusCode"} or response["statusCode"] == 200
        return response["statusCode"], [str(record.__dict__.get("reason")) for record in records]

    return attacked


def _event(platform: Platform, raw: bytes, headers: Mapping[str, str]) -> dict[str, Any]:
    return envelope(raw, {"X-Marker": MARKER, "Content-Type": "application/json", **headers}, f"/{platform}")


def _genuine(delivery: Delivery, now: int = T0) -> dict[str, Any]:
    return webhooks.request(delivery, now)


SIGNATURES: dict[str, Callable[[str], str | None]] = {
    "missing": lambda _: None,
    "empty": lambda _: "",
    "blank": lambda _: " ",
    "wrong": lambda right: right[:-2] + ("00" if right[-2:] != "00" else "11"),
    "truncated": lambda right: right[:-1],
    "first 8 characters": lambda right: right[:8],
    "longer": lambda right: right + "0",
    "not hex": lambda right: "zz" * (len(right) // 2),
    "not ASCII": lambda right: f"{right[:-1]}é",
    "full width": lambda right: "".join(chr(ord(character) + 0xFEE0) for character in right),
    "lone surrogate": lambda right: f"{right[:-1]}\ud800",
    "NUL": lambda right: f"{right}\0",
    "line break": lambda right: f"{right}\n",
    "header twice": lambda right: f"{right},{right}",
    "header twice, spaced": lambda right: f"{right}, {right}",
    "header twice, the wrong one last": lambda right: f"{right},{'0' * len(right)}",
    "header twice, the wrong one first": lambda right: f"{'0' * len(right)},{right}",
    "base64": lambda right: base64.b64encode(right.encode()).decode(),
    "zeros": lambda right: "0" * len(right),
    "star": lambda _: "*",
    "64 KiB": lambda right: (right * 65536)[:65536],
    "its own name": lambda _: MARKER,
}


@pytest.mark.parametrize("telling", TELLING)
@EACH
def test_a_signature_that_does_not_fit(attack: Attack, platform: Platform, telling: str) -> None:
    """401 without a word, whatever the signature is made of, and whatever it should have signed. Security 1 to 3, 34."""
    delivery = TELLING[telling](platform)
    headers = {**delivery.headers, **signed(platform, delivery.raw(), T0)}
    right = headers.pop(SIGNATURE[platform])
    for what, change in SIGNATURES.items():
        given = change(right)
        event = _event(platform, delivery.raw(), headers if given is None else {**headers, SIGNATURE[platform]: given})
        with case(what):
            assert attack(platform, event) == (401, ["bad_signature"])


@pytest.mark.parametrize("telling", TELLING)
@EACH
def test_no_headers(attack: Attack, platform: Platform, telling: str) -> None:
    """A request without any header is a bad signature. Security 1."""
    event = _genuine(TELLING[telling](platform))
    del event["headers"]
    for without in (event, event | {"headers": None}, event | {"headers": {}}):
        assert attack(platform, without) == (401, ["bad_signature"])


TIMESTAMPS = {
    "missing": None, "empty": "", "zero": "0", "minus": "-1", "plus": "+1800000000", "fraction": "1800000000.0",
    "underscores": "1_800_000_000", "exponent": "18e8", "space": " 1800000000", "other digits": "١٨٠٠٠٠٠٠٠٠",
    "400 digits": "9" * 400, "NaN": "NaN", "header twice": f"{T0},{T0}", "one second later": f"{T0 + 1}",
    "lone surrogate": "\ud800", "word": MARKER,
}  # fmt: skip


@pytest.mark.parametrize("telling", TELLING)
@SIGNING
def test_a_timestamp_that_does_not_fit(attack: Attack, platform: Platform, telling: str) -> None:
    """A timestamp other than the one that was signed is a bad signature. Security 4."""
    delivery = TELLING[telling](platform)
    headers = {**delivery.headers, **signed(platform, delivery.raw(), T0)}
    del headers[TIMESTAMP[platform]]
    for what, timestamp in TIMESTAMPS.items():
        changed = headers if timestamp is None else {**headers, TIMESTAMP[platform]: timestamp}
        with case(what):
            assert attack(platform, _event(platform, delivery.raw(), changed)) == (401, ["bad_signature"])


@pytest.mark.parametrize("telling", TELLING)
def test_slack_s_signature_too_old_or_too_young(attack: Attack, telling: str) -> None:
    """A signature of Slack's, although right, is refused more than 300 seconds away. Security 4."""
    for off in (-301, 301, -86_400, 10**9):
        event = _genuine(TELLING[telling](Platform.SLACK), T0 + off)
        with case(f"{off} s"):
            assert attack(Platform.SLACK, event) == (401, ["bad_signature"])


@pytest.mark.parametrize("off", [-300, 0, 300])
@EACH
def test_a_signature_within_its_time(edge: Edge, platform: Platform, off: int) -> None:
    """A signature holds for 300 seconds either way."""
    assert edge.door(platform).serve(_genuine(_owners(platform), T0 + off), T0)["statusCode"] == 200
    assert [message["messages"][0]["text"] for message in edge.handed_off()] == [MARKER]


OTHER_BODIES: dict[str, Callable[[bytes], bytes]] = {
    "a space more": lambda raw: raw + b" ",
    "a line more": lambda raw: b"\n" + raw,
    "empty": lambda _: b"",
    "re-encoded": lambda raw: raw.replace(b":", b": ").replace(b"%3A", b"%3a"),
    "another text": lambda raw: raw.replace(MARKER.encode(), MARKER.upper().encode()) + b"\0",
    "escaped": lambda raw: raw.replace(b"o", b"\\u006f"),
    "base64": base64.b64encode,
    "twice": lambda raw: raw * 2,
}


@pytest.mark.parametrize("telling", TELLING)
@SIGNING
def test_the_signature_of_another_body(attack: Attack, platform: Platform, telling: str) -> None:
    """The bytes that were signed are the ones that count, however alike two bodies read. Security 3."""
    delivery = TELLING[telling](platform)
    headers = {**delivery.headers, **signed(platform, delivery.raw(), T0)}
    for what, other in OTHER_BODIES.items():
        with case(what):
            assert other(delivery.raw()) != delivery.raw()
            assert attack(platform, _event(platform, other(delivery.raw()), headers)) == (401, ["bad_signature"])


@pytest.mark.parametrize("platform", [Platform.TELEGRAM, Platform.SLACK])
def test_an_upper_case_signature_is_another_one(attack: Attack, platform: Platform) -> None:
    """Where the signature is compared as text, its case counts. Security 4."""
    delivery = _owners(platform)
    headers = {name: value.upper() for name, value in signed(platform, delivery.raw(), T0).items()}
    assert attack(platform, _event(platform, delivery.raw(), headers)) == (401, ["bad_signature"])


# How requests travel


def _encoded(event: dict[str, Any], raw: bytes) -> dict[str, Any]:
    return event | {"body": base64.b64encode(raw).decode(), "isBase64Encoded": True}


GARBAGE = {
    "stars": "*" * 8, "length": "abc", "space": "YW Jj", "line break": "YWJj\n", "not ASCII": "ÄÖÜ=",
    "JSON": f"{{{MARKER}}}", "lone surrogate": "\ud800", "URL-safe": "YW-_",
}  # fmt: skip


@EACH
def test_base64_garbage(attack: Attack, platform: Platform) -> None:
    """What is said to be base64 and is none cannot be read: 400, before anything is verified."""
    for what, body in GARBAGE.items():
        event = _genuine(_owners(platform)) | {"body": body, "isBase64Encoded": True}
        with case(what):
            assert attack(platform, event) == (400, ["unreadable_request"])


@EACH
def test_what_the_headers_refuse_is_not_decoded(
    attack: Attack, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Large bodies cost nothing where the headers alone refuse them: nothing is made of their base64. Security 3."""

    def decoded(*_: Any, **__: Any) -> bytes:
        raise AssertionError("it was decoded")

    monkeypatch.setattr("doorcode.platforms.inbound.base64.b64decode", decoded)
    raw = b"x" * LIMIT[platform]
    headers = signed(platform, raw, T0)
    wrong = {SIGNATURE[platform]: headers[SIGNATURE[platform]][:-1]}
    stale = signed(platform, raw, T0 - 3600) if platform in TIMESTAMP else {}
    for refused in ({}, {**headers, **wrong}, stale):
        assert attack(platform, _encoded(_event(platform, raw, refused), raw)) == (401, ["bad_signature"])


@EACH
def test_base64_of_the_signed_bytes(edge: Edge, platform: Platform) -> None:
    """API Gateway's base64 is taken off before the bytes are verified. Security 3."""
    delivery = _owners(platform)
    response = edge.door(platform).serve(_encoded(_genuine(delivery), delivery.raw()), T0)
    assert response["statusCode"] == 200
    assert [message["messages"][0]["text"] for message in edge.handed_off()] == [MARKER]


@SIGNING
def test_base64_that_was_signed_itself(attack: Attack, platform: Platform) -> None:
    """A signature of the base64, not of the bytes in it, does not fit. Security 3."""
    raw = _owners(platform).raw()
    event = _event(platform, raw, signed(platform, base64.b64encode(raw), T0))
    assert attack(platform, _encoded(event, raw)) == (401, ["bad_signature"])


LIMIT = {platform: module.MAX_BODY_BYTES for platform, module in MODULES.items()}


def _padded(delivery: Delivery, size: int, filler: str = "x") -> bytes:
    empty = replace(delivery, body={**delivery.body, "padding": ""}).raw()
    missing = size - len(empty)
    # Meta escapes what is not ASCII.
    width = len(json.dumps(filler)) - 2 if delivery.platform is Platform.WHATSAPP else len(filler.encode())
    padding = filler * (missing // width) + "x" * (missing % width)
    raw = replace(delivery, body={**delivery.body, "padding": padding}).raw()
    assert len(raw) == size
    return raw


TRAVELLING = pytest.mark.parametrize("encoded", [False, True], ids=["plain", "base64"])
FILLERS = pytest.mark.parametrize("filler", ["x", "\U0001f514"], ids=["ASCII", "four bytes"])


@TRAVELLING
@FILLERS
@EACH
def test_what_is_legal_is_not_too_large(edge: Edge, platform: Platform, encoded: bool, filler: str) -> None:
    """A platform's largest legal request is accepted, counted in bytes, however it travels. Security 3."""
    raw = _padded(_owners(platform), LIMIT[platform], filler)
    event = _event(platform, raw, signed(platform, raw, T0))
    response = edge.door(platform).serve(_encoded(event, raw) if encoded else event, T0)
    assert response["statusCode"] == 200
    assert [message["messages"][0]["text"] for message in edge.handed_off()] == [MARKER]


EMOJI = "\U0001f514"
# What Telegram carries beside a text, and repeats of what is replied to.
RICH = {"blocks": [{"type": "paragraph", "text": EMOJI * 32_768}]}
LONG = {"blocks": [{"type": "rich_text", "elements": [{"type": "text", "text": EMOJI * 40_000}]}]}
SHARE = {"is_share": True, "author_name": "Olivia", "text": EMOJI * 40_000, "fallback": EMOJI * 40_000}
LARGEST: dict[Platform, tuple[str, Callable[[dict[str, Any]], Any]]] = {
    Platform.TELEGRAM: (
        MARKER,
        lambda body: body["message"].update(
            reply_to_message={**body["message"], "rich_message": RICH}, rich_message=RICH
        ),
    ),
    Platform.SLACK: (
        f"{EMOJI * 40_000}\n\nForwarded message:\n> Olivia: {EMOJI * 40_000}",
        lambda body: body["event"].update(
            text=EMOJI * 40_000, **LONG, attachments=[{**SHARE, "message_blocks": [{"message": LONG}]}]
        ),
    ),
    Platform.DISCORD: (EMOJI * 6000, lambda body: body["data"]["options"][0].update(value=EMOJI * 6000)),
    Platform.WHATSAPP: (EMOJI * 4096, lambda body: webhooks.messages_of(body)[0]["text"].update(body=EMOJI * 4096)),
}


@EACH
def test_the_longest_that_a_person_can_write(edge: Edge, platform: Platform) -> None:
    """The longest texts there are, escaped, are read, and handed on whole: the queue takes them, too. Security 3."""
    text, enlarge = LARGEST[platform]
    delivery = _owners(platform)
    enlarge(delivery.body)
    raw = json.dumps(delivery.body).encode()
    assert edge.door(platform).serve(_event(platform, raw, signed(platform, raw, T0)), T0)["statusCode"] == 200
    assert len(edge.clients["sqs"].arguments[-1]["MessageBody"]) < 2**20
    assert [message["messages"][0]["text"] for message in edge.handed_off()] == [text]


@FILLERS
@EACH
def test_what_is_too_large(attack: Attack, platform: Platform, filler: str) -> None:
    """One byte more is 413, signed or not, however it travels. Security 3."""
    for more in (1, 3):
        raw = _padded(_owners(platform), LIMIT[platform] + more, filler)
        for what, headers in {"signed": signed(platform, raw, T0), "unsigned": {}}.items():
            event = _event(platform, raw, headers)
            with case(f"{more} more, {what}"):
                assert attack(platform, event) == (413, ["unreadable_request"])
            with case(f"{more} more, {what}, base64"):
                assert attack(platform, _encoded(event, raw)) == (413, ["unreadable_request"])


# Verified, but nothing that the platform would send


def _with(field: bytes) -> Callable[[bytes], bytes]:
    return lambda raw: raw[:-1] + b"," + field + b"}"


UNUSABLE: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "blank": lambda _: b" \r\n",
    "not JSON": lambda _: MARKER.encode(),
    "null": lambda _: b"null",
    "true": lambda _: b"true",
    "number": lambda _: b"1",
    "array": lambda raw: b"[" + raw + b"]",
    "empty array": lambda _: b"[]",
    "string": lambda raw: json.dumps(raw.decode()).encode(),
    "empty object": lambda _: b"{}",
    "base64": base64.b64encode,
    "cut off": lambda raw: raw[:-1],
    "more behind it": lambda raw: raw + b"x",
    "twice": lambda raw: raw + raw,
    "byte order mark": lambda raw: b"\xef\xbb\xbf" + raw,
    "UTF-16": lambda raw: raw.decode().encode("utf-16"),
    "UTF-32": lambda raw: raw.decode().encode("utf-32-le"),
    "not UTF-8": lambda raw: raw.replace(MARKER.encode(), b"\xff" + MARKER.encode()),
    "NUL": lambda raw: raw + b"\0",
    "comment": lambda raw: raw + b"/* */",
    "single quotes": lambda raw: raw.replace(b'"', b"'"),
    "comma at the end": lambda raw: raw[:-1] + b",}",
    "raw control character": lambda raw: raw.replace(MARKER.encode(), b"\x01" + MARKER.encode()),
    "NaN": _with(b'"x":NaN'),
    "Infinity": _with(b'"x":-Infinity'),
    "lone surrogate": _with(b'"x":"\\ud800"'),
    "lone surrogate as key": _with(b'"\\udc00":1'),
    "lone surrogate in the text": lambda raw: raw.replace(MARKER.encode(), b"\\ud83d" + MARKER.encode()),
    "lone surrogate in UTF-8": lambda raw: raw.replace(MARKER.encode(), b"\xed\xa0\x80" + MARKER.encode()),
    "deep arrays": _with(b'"x":' + b"[" * 100_000 + b"]" * 100_000),
    "deep objects": _with(b'"x":' + b'{"x":' * 40_000 + b"1" + b"}" * 40_000),
    "open brackets only": lambda _: b"[" * 2**18,
}


@pytest.mark.parametrize("policy", ["pair", "allow"])
@EACH
def test_a_body_that_is_no_object_of_the_platform_s(attack: Attack, platform: Platform, policy: str) -> None:
    """Verified but unusable is 200 and logged as such, for a platform would send it again for hours. Security 34."""
    for what, change in UNUSABLE.items():
        raw = change(_owners(platform).raw())
        event = _event(platform, raw, signed(platform, raw, T0))
        with case(what):
            assert attack(platform, event, UNKNOWN_USER_POLICY=policy) == (200, ["unusable_payload"])


def test_discord_is_always_answered(edge: Edge) -> None:
    """An interaction that cannot be read is no app that does not respond: who sent it is asked to try again."""
    delivery = replace(_owners(Platform.DISCORD), body={**_owners(Platform.DISCORD).body, "token": 1})
    assert body_of(edge.deliver(delivery)) == WENT_WRONG
    for platform in (Platform.TELEGRAM, Platform.SLACK):
        raw = b"{}"
        assert edge.door(platform).serve(_event(platform, raw, signed(platform, raw, T0)), T0) == {"statusCode": 200}


@EACH
def test_no_body(attack: Attack, platform: Platform) -> None:
    """A request without a body is an empty one: unusable if it is signed, else a bad signature."""
    for headers, answer in ((signed(platform, b"", T0), (200, ["unusable_payload"])), ({}, (401, ["bad_signature"]))):
        event = _event(platform, b"", headers)
        del event["body"]
        for without in (event, event | {"body": None}, event | {"body": ""}):
            assert attack(platform, without) == answer


FORM = {"Content-Type": "application/x-www-form-urlencoded"}
FORMS = {
    "empty": (b"", "unusable_payload"),
    "JSON": (b'{"type":"block_actions"}', "unusable_payload"),
    "payload empty": (b"payload=", "unusable_payload"),
    "payload no JSON": (b"payload=" + MARKER.encode(), "unusable_payload"),
    "payload an array": (b"payload=%5B%5D", "unusable_payload"),
    "payload null": (b"payload=null", "unusable_payload"),
    "payload not UTF-8": (b"payload=%ff", "unusable_payload"),
    "body not UTF-8": (b"payload=\xff", "unusable_payload"),
    "payload deep": (b"payload=" + b"[" * 100_000, "unusable_payload"),
    "presser missing": (b'payload={"type":"block_actions","actions":[]}', "unusable_payload"),
    "presser a number": (b'payload={"type":"block_actions","actions":[],"user":{"id":1}}', "unusable_payload"),
    "1000 fields": (b"&".join(b"a%d=1" % number for number in range(1000)), "unusable_payload"),
    "payload twice": (b"payload={}&payload={}", "not_a_message"),
    "no payload": (b"marker=" + MARKER.encode(), "not_a_message"),
    "no actions": (b'payload={"type":"block_actions","actions":[],"user":{"id":"U1"}}', "not_a_message"),
}


def test_a_form_that_is_none_of_slack_s(attack: Attack) -> None:
    """A form of Slack's without a press is 200, and does nothing."""
    for what, (raw, reason) in FORMS.items():
        event = _event(Platform.SLACK, raw, {**signed(Platform.SLACK, raw, T0), **FORM})
        with case(what):
            assert attack(Platform.SLACK, event) == (200, [reason])


# Where the sender's id stands, the one field that must never be guessed at, and where other ids do.
SENDER = {
    Platform.TELEGRAM: "message.from.id",
    Platform.SLACK: "event.user",
    Platform.DISCORD: "user.id",
    Platform.WHATSAPP: "entry.0.changes.0.value.messages.0.from_user_id",
}
PRESSER = {
    Platform.TELEGRAM: "callback_query.from.id",
    Platform.SLACK: "user.id",
    Platform.DISCORD: "user.id",
    Platform.WHATSAPP: "entry.0.changes.0.value.messages.0.from_user_id",
}
OTHER_IDS = [
    (Platform.TELEGRAM, "update_id"),
    (Platform.TELEGRAM, "message.message_id"),
    (Platform.TELEGRAM, "message.chat.id"),
    (Platform.SLACK, "event.ts"),
    (Platform.SLACK, "event.channel"),
    (Platform.DISCORD, "id"),
    (Platform.DISCORD, "application_id"),
    (Platform.DISCORD, "channel_id"),
    (Platform.DISCORD, "token"),
    (Platform.WHATSAPP, "entry.0.changes.0.value.messages.0.id"),
]
NO_IDS: dict[str, Any] = {
    "null": None,
    "empty": "",
    "star": "*",
    "blank": " ",
    "true": True,
    "fraction": 1.5,
    "object": {"id": MARKER},
    "array": [MARKER],
    "minus": "-",
    "400 digits": "9" * 400,
    "400 digits, a number": 10**399,
    "5000 digits, a number": "DIGITS",
    "U+FFFE": "\ufffe",
    "other digits": "\uff19\uff18\uff17",
    "line break behind it": "123456789\n",
    "text with spaces": f"{MARKER} {MARKER}",
}
# Nobody sent it: not unusable, but no message either.
NO_SENDER = {(platform, what) for platform in (Platform.SLACK, Platform.WHATSAPP) for what in ("null", "empty")}
# These can be ids, or are tokens to whoever made them.
CAN_BE = {("event.channel", "minus"), ("token", "star"), ("token", "minus"), ("token", "400 digits")}
# A channel need not be named.
CAN_BE |= {
    ("channel_id", "null"),
    ("entry.0.changes.0.value.messages.0.id", "star"),
    ("entry.0.changes.0.value.messages.0.id", "minus"),
}


def _replaced(delivery: Delivery, path: str, value: Any) -> bytes:
    body = copy.deepcopy(delivery.body)
    *parents, last = path.split(".")
    holder = body
    for parent in parents:
        holder = holder[int(parent) if isinstance(holder, list) else parent]
    if last == "from_user_id":
        # Said twice, it would be two people.
        webhooks.value_of(body)["contacts"][0].pop("user_id")
    assert last in holder
    holder[last] = value
    raw = replace(delivery, body=body).raw()
    return raw.replace(b'"DIGITS"', b"9" * 5000).replace(b"%22DIGITS%22", b"9" * 5000)


def _no_ids(platform: Platform) -> dict[str, Any]:
    # On Slack a hyphen could be an id: nobody's.
    return {what: value for what, value in NO_IDS.items() if (platform, what) != (Platform.SLACK, "minus")}


@pytest.mark.parametrize("policy", ["pair", "allow"])
@EACH
def test_a_sender_whose_id_is_none(attack: Attack, platform: Platform, policy: str) -> None:
    """Whatever cannot be an id is nobody's, under every policy, and certainly not the owner's. Security 5."""
    for what, value in _no_ids(platform).items():
        raw = _replaced(_owners(platform), SENDER[platform], value)
        event = _event(platform, raw, signed(platform, raw, T0))
        reason = "not_a_message" if (platform, what) in NO_SENDER else "unusable_payload"
        with case(what):
            assert attack(platform, event, UNKNOWN_USER_POLICY=policy) == (200, [reason])


@EACH
def test_a_presser_whose_id_is_none(attack: Attack, platform: Platform) -> None:
    """A perfect button, pressed by nobody that can be named, decides nothing. Security 5, 15."""
    press = _press(platform)
    for what, value in _no_ids(platform).items():
        raw = _replaced(press, PRESSER[platform], value)
        headers = {**press.headers, **signed(platform, raw, T0)}
        nobody = platform is Platform.WHATSAPP and (platform, what) in NO_SENDER
        reason = "not_a_message" if nobody else "unusable_payload"
        with case(what):
            assert attack(platform, _event(platform, raw, headers)) == (200, [reason])


@EACH
def test_a_sender_whose_id_has_the_other_type(attack: Attack, platform: Platform) -> None:
    """A number where the platform sends text, and text where it sends a number, is nobody's id. Security 5."""
    owner = webhooks.OWNER[platform]
    other: Any = owner if platform is Platform.TELEGRAM else 200000000000000002
    raw = _replaced(_owners(platform), SENDER[platform], other)
    assert attack(platform, _event(platform, raw, signed(platform, raw, T0))) == (200, ["unusable_payload"])


@pytest.mark.parametrize(("platform", "path"), OTHER_IDS)
def test_another_id_that_is_none(attack: Attack, platform: Platform, path: str) -> None:
    """A message or an address that cannot be named is unusable."""
    for what, value in NO_IDS.items():
        if (path, what) not in CAN_BE:
            raw = _replaced(_owners(platform), path, value)
            with case(what):
                assert attack(platform, _event(platform, raw, signed(platform, raw, T0))) == (200, ["unusable_payload"])


TWICE = {
    Platform.TELEGRAM: ('"from":', '"from":{"id":123456789,"is_bot":false,"first_name":"Olivia"},"from":'),
    Platform.SLACK: ('"user":"U0STRANGER"', '"user":"U0OWNER001","user":"U0STRANGER"'),
    Platform.DISCORD: ('"user":', '"user":{"id":"200000000000000002","username":"owner"},"user":'),
    Platform.WHATSAPP: ('"from_user_id":', f'"from_user_id":"{webhooks.OWNER[Platform.WHATSAPP]}","from_user_id":'),
}


@EACH
def test_a_key_that_comes_twice(attack: Attack, platform: Platform) -> None:
    """Of two senders the last counts, for the gate as for everything behind it. Security 15."""
    old, new = TWICE[platform]
    raw = _strangers(platform).raw()
    doubled = raw.replace(old.encode(), new.encode(), 1)
    assert doubled != raw
    event = _event(platform, doubled, signed(platform, doubled, T0))
    assert attack(platform, event, UNKNOWN_USER_POLICY="deny") == (200, ["policy_deny"])


ODD_TEXTS = {
    "noncharacters": "\ufffe\uffff\U0001ffff",
    "NUL": "a\0b",
    "control characters": "\x01\x0b\x1f\x7f\x85",
    "bidirectional": "\u202e\u2066",
    "beyond the basic plane": "\U0001f514\U0010ffff",
    "line separators": "\u2028\u2029",
    "escapes": '\\u0000 \\" \\n "',
    "markup": "<script>alert(1)</script> {{7*7}} ${x} %s",
    "long": "é" * 20_000,
}


@pytest.mark.parametrize("escaped", [False, True], ids=["UTF-8", "escaped"])
@EACH
def test_odd_text_of_somebody_who_may_write(edge: Edge, platform: Platform, escaped: bool) -> None:
    """What a person can type arrives as it was typed, in characters that the queue takes."""
    for number, (what, text) in enumerate(ODD_TEXTS.items()):
        delivery = load(HELLO_OWNER[platform]).replaced("Who is waiting?", text).another(number)
        raw = json.dumps(delivery.body, ensure_ascii=escaped).encode()
        with case(what):
            assert edge.door(platform).serve(_event(platform, raw, signed(platform, raw, T0)), T0)["statusCode"] == 200
            body = edge.clients["sqs"].arguments[-1]["MessageBody"]
            assert body.isascii()
            assert all(character >= " " for character in body)
            assert [message["messages"][0]["text"] for message in edge.handed_off()] == [text]


# The same delivery again


def _reencoded(event: dict[str, Any]) -> dict[str, Any]:
    headers = event["headers"]
    return event | {"headers": {name: value.upper() if "ed25519" in name else value for name, value in headers.items()}}


# For how long what was delivered can come again: a signature's time, or a platform's retries.
WINDOW = {Platform.TELEGRAM: 86_400, Platform.SLACK: 300, Platform.DISCORD: 900, Platform.WHATSAPP: 7 * 86_400}
AGAIN = pytest.mark.parametrize(
    ("platform", "again"),
    [*[(platform, lambda event: event) for platform in Platform], (Platform.DISCORD, _reencoded)],
    ids=[*Platform, "discord, a re-encoded signature"],
)


@AGAIN
def test_a_replayed_request(edge: Edge, platform: Platform, again: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """A stranger's delivery replayed gets the same answer and makes no second request. Security 4."""
    event = _genuine(_strangers(platform))
    first = edge.door(platform).serve(event, T0)
    before = edge.items()
    late = min(WINDOW[platform], TTL - 1)
    assert edge.door(platform).serve(again(event), T0 + late) == first
    assert edge.items() == before


@pytest.mark.parametrize("late", [COOLDOWN + 1, TTL, 7 * 86_400], ids=["cooldown over", "code over", "a week"])
@pytest.mark.parametrize("action", [None, Action.DENY], ids=["undecided", "denied"])
@pytest.mark.parametrize("platform", [Platform.TELEGRAM, Platform.DISCORD, Platform.WHATSAPP])
def test_a_request_replayed_late(
    edge: Edge, platform: Platform, action: Action | None, late: int, caplog: pytest.LogCaptureFixture
) -> None:
    """A delivery asks only once, however late it is replayed; Discord's is refused once its token is over. Security 4."""
    event = _genuine(_strangers(platform))
    edge.door(platform).serve(event, T0)
    if action:
        edge.deliver(edge.press(edge.contact(platform), action), T0 + 1)
    before = edge.items()
    stale = platform is Platform.DISCORD and late > discord.TOKEN_LIFETIME_SECONDS
    assert edge.door(platform).serve(event, T0 + late)["statusCode"] == (401 if stale else 200)
    assert edge.items() == before
    undecided = "rate_limited" if action or late >= TTL else "pairing_requested"
    assert _reasons(caplog)[-1] == ("bad_signature" if stale else undecided)


@AGAIN
def test_a_replayed_message(edge: Edge, platform: Platform, again: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """An admitted delivery replayed arrives once: its identity is the platform's id, not the signature. Security 4."""
    event = _genuine(_owners(platform))
    first = edge.door(platform).serve(event, T0)
    assert edge.door(platform).serve(again(event), T0 + 200) == first
    assert len(edge.handed_off()) == 1


TAKEN_BACK = {
    "not": dict.fromkeys(Action, ()),
    "taken back": {
        Action.APPROVE: (Operation.REVOKE,), Action.DENY: (Operation.ADD,), Action.BLOCK: (Operation.UNBLOCK,),
    },
    "and decided again": {
        Action.APPROVE: (Operation.REVOKE, Operation.ADD), Action.DENY: (Operation.ADD, Operation.REVOKE),
        Action.BLOCK: (Operation.UNBLOCK, Operation.ADD),
    },
}  # fmt: skip


@pytest.mark.parametrize("back", TAKEN_BACK.values(), ids=TAKEN_BACK)
@AGAIN
def test_a_replayed_press(
    edge: Edge,
    platform: Platform,
    again: Callable[[dict[str, Any]], dict[str, Any]],
    back: dict[Action, tuple[Operation, ...]],
) -> None:
    """A press replayed within the whole window decides nothing again, whatever was taken back since. Security 4, 18."""
    for action, operations in back.items():
        edge.empty()
        edge.put(_waiting(platform))
        event = _genuine(edge.press(_waiting(platform), action))
        edge.door(platform).serve(event, T0)
        assert edge.contact(platform, "4242").state is not State.PENDING, action
        for operation in operations:
            decision = Decision(by="alice", via=Via.CLI)
            edge.door(platform)._room.move(edge.contact(platform, "4242"), operation, T0 + 1, decision)
        before = edge.items()
        assert edge.door(platform).serve(again(event), T0 + WINDOW[platform])["statusCode"] == 200, action
        assert edge.items() == before, action


@EACH
def test_the_next_press_is_another(edge: Edge, platform: Platform) -> None:
    """A button pressed anew acts anew: only the same press again does not. Security 4."""
    edge.put(_waiting(platform))
    for number in range(2):
        edge.deliver(edge.press(_waiting(platform), Action.BLOCK).another(number))
        blocked = edge.contact(platform, "4242")
        assert blocked.state is State.BLOCKED
        edge.door(platform)._room.move(blocked, Operation.UNBLOCK, T0 + 1, Decision(by="alice", via=Via.CLI))


# Secrets that are not there


def _missing(edge: Edge, name: str) -> None:
    edge.ssm.delete_parameter(Name=f"{PREFIX}/{name}")


def _blank(edge: Edge, name: str) -> None:
    edge.put_secret(name, " \n ")


def _unreadable(edge: Edge, _name: str) -> None:
    def refuse(_: str) -> None:
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": MARKER}}, "GetParameters")

    edge.clients["ssm"].before = refuse


GONE = pytest.mark.parametrize("lose", [_missing, _blank, _unreadable])
PARTLY_GONE = pytest.mark.parametrize("lose", [_missing, _blank])


def _reasons(caplog: pytest.LogCaptureFixture) -> list[str]:
    reasons = [record.__dict__.get("reason") for record in caplog.records if record.name.startswith("doorcode")]
    return [str(reason) for reason in reasons if reason not in {None, "settings"}]


def _forged(platform: Platform, raw: bytes) -> dict[str, str]:
    """Sign with what an absent secret might be taken for: nothing."""
    if platform is Platform.SLACK:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(webhooks, "SIGNING_SECRET", "")
            return signed(platform, raw, T0)
    if platform is Platform.WHATSAPP:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(webhooks, "APP_SECRET", "")
            return signed(platform, raw, T0)
    if platform is Platform.TELEGRAM:
        return {SIGNATURE[platform]: ""}
    return {SIGNATURE[platform]: "00" * 64, TIMESTAMP[platform]: str(T0)}


@GONE
@EACH
def test_without_the_platform_s_secret(
    edge: Edge, platform: Platform, lose: Callable[[Edge, str], None], caplog: pytest.LogCaptureFixture
) -> None:
    """Without the secret that verifies, nothing is accepted: 503, whoever asks. Security 1."""
    edge.put(_waiting(platform))
    before = edge.items()
    lose(edge, SECRET[platform])
    for what, deliver in TELLING.items():
        raw = deliver(platform).raw()
        form = FORM if deliver(platform).form else {}
        signatures = {
            "genuine": signed(platform, raw, T0),
            "unsigned": {},
            "signed with nothing": _forged(platform, raw),
        }
        for how, headers in signatures.items():
            edge.forget()
            caplog.clear()
            with case(what, how):
                assert edge.door(platform).serve(_event(platform, raw, headers | form), T0) == {"statusCode": 503}
                assert _reasons(caplog) == ["secret_unavailable"]
    assert edge.items() == before
    assert edge.handed_off() == []


@pytest.mark.parametrize("key", ["0" * 63, "g" * 64, "0x" + "0" * 62, MARKER], ids=["short", "no hex", "0x", "word"])
def test_a_public_key_that_is_none(edge: Edge, key: str, caplog: pytest.LogCaptureFixture) -> None:
    """Something else in the place of Discord's public key is as good as none: 503. Security 1."""
    edge.put_secret("discord/public-key", key)
    assert edge.deliver(_owners(Platform.DISCORD)) == {"statusCode": 503}
    assert _reasons(caplog) == ["secret_unavailable"]
    assert key not in caplog.text


def _refused(platform: Platform, response: Mapping[str, Any]) -> bool:
    """Tell whether the platform is to deliver again, or on Discord, where nobody does, the person to try again."""
    if platform is Platform.DISCORD:
        return (response["statusCode"], body_of(response)) == (200, WENT_WRONG)
    return response == {"statusCode": 503}


@PARTLY_GONE
@EACH
def test_without_the_gateway_secret_no_code_is_made(
    edge: Edge, platform: Platform, lose: Callable[[Edge, str], None], caplog: pytest.LogCaptureFixture
) -> None:
    """Without the secret of the codes nobody can ask to be let in, and everybody else is served. Security 1."""
    lose(edge, "gateway-secret")
    assert _refused(platform, edge.deliver(_strangers(platform)))
    assert _reasons(caplog) == ["secret_unavailable"]
    assert edge.items() == []
    assert edge.deliver(_owners(platform))["statusCode"] == 200
    assert edge.deliver(_strangers(platform), UNKNOWN_USER_POLICY="deny")["statusCode"] == 200
    assert [message["admitted_by"] for message in edge.handed_off()] == ["owner"]


@PARTLY_GONE
@EACH
def test_without_the_callback_secret_no_press_counts(
    edge: Edge, platform: Platform, lose: Callable[[Edge, str], None], caplog: pytest.LogCaptureFixture
) -> None:
    """Without the secret of the buttons no press is believed, not one signed with nothing either. Security 1."""
    edge.put(_waiting(platform))
    before = edge.items()
    lose(edge, "callback-secret")
    assert _refused(platform, edge.deliver(edge.press(_waiting(platform))))
    unsigned = edge.button(_waiting(platform)).rpartition(":")[0]
    mac = hmac.digest(b"", unsigned.encode(), "sha256").hex()[:8]
    forged = edge.press(_waiting(platform), data=f"{unsigned}:{mac}")
    assert _refused(platform, edge.deliver(forged))
    assert _reasons(caplog) == ["secret_unavailable"] * 2
    assert edge.items() == before
    assert edge.deliver(_owners(platform))["statusCode"] == 200


# Rotation


def _rotate(patch: pytest.MonkeyPatch, platform: Platform) -> tuple[str, str]:
    """Have requests signed with another secret from now on; return it as it is stored, and the one before."""
    old = {
        Platform.TELEGRAM: webhooks.WEBHOOK_SECRET,
        Platform.SLACK: webhooks.SIGNING_SECRET,
        Platform.DISCORD: webhooks.PUBLIC_KEY,
        Platform.WHATSAPP: webhooks.APP_SECRET,
    }[platform]
    key = SigningKey(b"n" * 32)
    patch.setattr(webhooks, "WEBHOOK_SECRET", "the-webhook-secret_after-that")
    patch.setattr(webhooks, "SIGNING_SECRET", "the signing secret after that")
    patch.setattr(webhooks, "SIGNING_KEY", key)
    patch.setattr(webhooks, "APP_SECRET", "the app secret after that")
    new = {
        Platform.TELEGRAM: webhooks.WEBHOOK_SECRET,
        Platform.SLACK: webhooks.SIGNING_SECRET,
        Platform.DISCORD: key.verify_key.encode().hex(),
        Platform.WHATSAPP: webhooks.APP_SECRET,
    }[platform]
    return new, old


@EACH
def test_a_new_secret_works_at_once(edge: Edge, platform: Platform) -> None:
    """A warm door reads its secrets again before it refuses, and takes old and new while both are there. Security 30."""
    assert edge.deliver(_owners(platform), T0)["statusCode"] == 200
    with pytest.MonkeyPatch.context() as patch:
        edge.put_secret(SECRET[platform], "\n".join(_rotate(patch, platform)))
        assert edge.deliver(_owners(platform).another(1), T0 + 2)["statusCode"] == 200
    assert edge.deliver(_owners(platform).another(2), T0 + 3)["statusCode"] == 200
    assert len(edge.handed_off()) == 3


@pytest.mark.parametrize(("settings", "late"), [({}, 300), ({"SECRETS_MAX_AGE_SECONDS": "0"}, 1)], ids=["300 s", "0 s"])
@EACH
def test_an_old_secret_ends_with_the_cache(edge: Edge, platform: Platform, settings: dict[str, str], late: int) -> None:
    """After the old secret is dropped, a warm door refuses it within the cache's age, and takes the new one. Security 30."""
    with pytest.MonkeyPatch.context() as patch:
        new, old = _rotate(patch, platform)
    edge.put_secret(SECRET[platform], f"{new}\n{old}")
    assert edge.deliver(_owners(platform), T0, **settings)["statusCode"] == 200
    edge.put_secret(SECRET[platform], new)
    assert edge.deliver(_owners(platform).another(1), T0 + late, **settings) == {"statusCode": 401}
    with pytest.MonkeyPatch.context() as patch:
        _rotate(patch, platform)
        assert edge.deliver(_owners(platform).another(2), T0 + late, **settings)["statusCode"] == 200
    assert len(edge.handed_off()) == 2


@EACH
def test_a_new_callback_secret_works_at_once(edge: Edge, platform: Platform) -> None:
    """A button signed with a new secret works in a warm door. Security 30."""
    edge.put(_waiting(platform))
    edge.deliver(_owners(platform), T0)
    edge.put_secret("callback-secret", f"the next callback secret\n{SECRETS['callback-secret']}")
    callback = Callback(Action.APPROVE, platform, "4242", edge.code(_waiting(platform)))
    data = callbacks.sign(callback, Keyring((b"the next callback secret",)))
    assert edge.deliver(edge.press(_waiting(platform), data=data), T0 + 2)["statusCode"] == 200
    assert edge.contact(platform, "4242").state is State.PAIRED


@EACH
def test_an_old_callback_secret_ends_with_the_cache(
    edge: Edge, platform: Platform, caplog: pytest.LogCaptureFixture
) -> None:
    """A button signed with a secret that was dropped does nothing, once the cache's age is over. Security 30."""
    edge.put(_waiting(platform))
    edge.deliver(_owners(platform), T0)
    edge.put_secret("callback-secret", "the next callback secret")
    caplog.clear()
    assert edge.deliver(edge.press(_waiting(platform)), T0 + 300)["statusCode"] == 200
    assert _reasons(caplog) == ["bad_callback"]
    assert edge.contact(platform, "4242").state is State.PENDING

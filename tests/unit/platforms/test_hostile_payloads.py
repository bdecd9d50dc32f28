"""Verified is not the same as harmless: what can be read is read, and nothing else gets through."""

import json
from collections.abc import Iterable
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorcode.errors import InvalidUserIdError
from doorcode.pairing.contact import possible_user_id
from doorcode.pairing.messages import Ignored, Message, Press
from doorcode.platforms.inbound import Event, UnusablePayloadError, Webhook
from doorcode.platforms.slack import inbound as slack
from tests import webhooks
from tests.cases import each
from tests.unit.pairing.people import repeatable
from tests.unit.platforms.deliveries import FORM, KNOWN, MODULES, event, names, only_message, parsed, raw, signed

PLATFORMS = list(MODULES)
KINDS = (
    ("telegram/private_text", "telegram/callback_query_approve"),
    ("slack/message_im", "slack/app_mention", "slack/block_actions_approve"),
    ("discord/chat_bot_dm", "discord/chat_guild", "discord/component_approve_dm"),
    ("whatsapp/text_username",),
)
USED = [name for group in KINDS for name in group]
USER_IDS = {
    "telegram/private_text": "message.from.id",
    "telegram/callback_query_approve": "callback_query.from.id",
    "slack/message_im": "event.user",
    "slack/app_mention": "event.user",
    "slack/block_actions_approve": "user.id",
    "discord/chat_bot_dm": "user.id",
    "discord/chat_guild": "member.user.id",
    "discord/component_approve_dm": "user.id",
    "whatsapp/text_username": "entry.0.changes.0.value.messages.0.from_user_id",
}


# Nobody verifies here: a signature of nothing does for every body.
HEADERS = {platform: signed(platform, b"").headers for platform in PLATFORMS}


def _parse(platform: str, body: bytes, content_type: str = "application/json") -> list[Event]:
    webhook = Webhook({**HEADERS[platform], "content-type": content_type}, body)
    events: list[Event] = MODULES[platform].parse(webhook, KNOWN[platform])
    return events


UNUSABLE = {
    "empty": b"",
    "blank": b"  ",
    "not JSON": b"hello",
    "cut off": b'{"update_id": 1',
    "trailing": b"{} {}",
    "byte order mark": b"\xef\xbb\xbf{}",
    "UTF-16": '{"type":1}'.encode("utf-16"),
    "not UTF-8": b'{"type": "\xff"}',
    "NaN": b'{"update_id": NaN, "type": NaN}',
    "Infinity": b'{"update_id": Infinity, "type": Infinity}',
    "lone surrogate": b'{"update_id": 1, "type": "\\ud800"}',
    "lone surrogate, encoded": b'{"update_id": 1, "type": "\xed\xa0\x80"}',
    "base64": b"eyJ0eXBlIjoxfQ==",
    "array": b"[]",
    "array of objects": b'[{"update_id": 1, "type": 1}]',
    "text": b'"hello"',
    "number": b"1",
    "null": b"null",
    "true": b"true",
    "deep arrays": b"[" * 100_000 + b"]" * 100_000,
    "deep objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "deep inside": b'{"update_id":1,"type":"event_callback","x":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "1 MiB of open brackets": b"[" * 2**20,
    "type is an object": b'{"update_id": {}, "type": {}}',
    "type is true": b'{"update_id": true, "type": true}',
    "type is 400 digits": b'{"update_id": %b, "type": %b}' % (b"9" * 400, b"9" * 400),
    "type is 5000 digits": b'{"update_id": %b, "type": %b}' % (b"9" * 5000, b"9" * 5000),
    "type is a fraction": b'{"update_id": 1.0, "type": 1.0}',
    "no type": b"{}",
}


@each("content_type", ["application/json", FORM], ids=["json", "form"])
@each("body", UNUSABLE.values(), ids=UNUSABLE)
@each("platform", PLATFORMS)
def test_unusable(platform: str, body: bytes, content_type: str) -> None:
    """What is not an object of the platform's is unusable, or at most ignored."""
    with suppress(UnusablePayloadError):
        (one,) = _parse(platform, body, content_type)
        # As a form without the field, or a kind to come, or a field that nobody reads.
        assert isinstance(one, Ignored)


@each("body", [b"SECRET", b'{"type":"SECRET","update_id":"SECRET"}', b'"SECRET"', b'{"SECRET":1}'])
@each("platform", ["telegram", "discord"])
def test_unusable_is_not_quoted(platform: str, body: bytes) -> None:
    """The error says what is wrong with a payload, and nothing of what stands in it. Security 34."""
    with pytest.raises(UnusablePayloadError) as caught:
        _parse(platform, body)
    assert "SECRET" not in str(caught.value)
    assert str(caught.value)


STRINGS = {
    "empty": "",
    "star": "*",
    "blank": " ",
    "space inside": "1 2",
    "not ASCII": "\uff19\uff18\uff17",
    "control": "1\n2",
    "400 characters": "9" * 400,
    "U+FFFE": "\ufffe",
}
NOT_STRINGS: dict[str, Any] = {
    "null": None,
    "true": True,
    "object": {},
    "array": ["987654321"],
    "fraction": 1.5,
    "400 digits": 10**400,
    "negative": -1,
    "zero": 0,
}
NUMBER, STRING = {"number": 987654321}, {"string": "987654321", "hex": "0x3ade68b1"}


@each(
    ("name", "user_id"),
    [
        (name, value)
        for name in USED
        for value in (STRINGS | NOT_STRINGS | (STRING if name.startswith("telegram") else NUMBER)).values()
    ],
)
def test_user_id(name: str, user_id: Any) -> None:
    """A sender whose id cannot be one is nobody: unusable, or ignored. Security 5."""
    try:
        (one,) = parsed(name, (USER_IDS[name], user_id))
    except UnusablePayloadError:
        return
    assert isinstance(one, Ignored)


@each("name", USED)
def test_missing_sender(name: str) -> None:
    """A message or press of nobody is unusable, or ignored. Security 5, 27."""
    recorded = event(name)
    body = recorded["body"]
    for holder in ("message", "callback_query", "event"):
        if isinstance(body.get(holder), dict) and not name.startswith("slack/block"):
            body[holder].pop("from", None)
            if holder == "event":
                del body[holder]["user"]
    body.pop("member", None)
    body.pop("user", None)
    for message in webhooks.messages_of(body) if recorded["platform"] == "whatsapp" else ():
        del message["from_user_id"]
    try:
        (one,) = _parse(recorded["platform"], raw(body, form=recorded.get("form", False)), _content_type(recorded))
    except UnusablePayloadError:
        return
    assert isinstance(one, Ignored)
    assert one.what == "no_sender"


def _content_type(recorded: dict[str, Any]) -> str:
    return FORM if recorded.get("form") else "application/json"


TEXTS = {
    "telegram/private_text": "message.text",
    "slack/message_im": "event.text",
    "discord/chat_bot_dm": "data.options.0.value",
    "whatsapp/text": "entry.0.changes.0.value.messages.0.text.body",
}


@each(
    "text",
    ["\ufffe\uffff", "\0", "\u202e", "\U0010ffff", "x" * 100_000, "'; DROP TABLE", "{{7*7}}"],
    ids=["noncharacters", "NUL", "bidirectional", "last", "long", "SQL", "template"],
)
@each("name", TEXTS)
def test_text(name: str, text: str) -> None:
    """Whatever a person writes arrives as it is."""
    assert only_message(name, (TEXTS[name], text)).text == text


@each("text", [1, True, {}, [], 1.5], ids=["number", "bool", "object", "array", "fraction"])
@each("name", TEXTS)
def test_text_of_other_type(name: str, text: Any) -> None:
    """A text that is none makes a payload unusable."""
    with pytest.raises(UnusablePayloadError):
        parsed(name, (TEXTS[name], text))


@pytest.mark.parametrize("name", TEXTS)
def test_lone_surrogate(name: str) -> None:
    """A text that cannot be encoded makes a payload unusable."""
    recorded = event(name)
    body = raw(recorded["body"]).replace(b"Hello", b"\\udc00")
    with pytest.raises(UnusablePayloadError):
        _parse(recorded["platform"], body)


@pytest.mark.parametrize(
    ("platform", "twice"),
    [
        ("telegram", b'"from":{"id":1,"is_bot":false},"from":{"id":2,"is_bot":false}'),
        ("slack", b'"user":"U1","user":"U2"'),
        ("discord", b'"user":{"id":"1"},"user":{"id":"2"}'),
        ("whatsapp", b'"from_user_id":"US.1","from_user_id":"US.2"'),
    ],
    ids=PLATFORMS,
)
def test_duplicate_keys(platform: str, twice: bytes) -> None:
    """Of a key that comes twice one counts, and it is everybody's choice: the last. Security 5, 15."""
    bodies = {
        "telegram": b'{"update_id":1,"message":{"message_id":1,"date":1,"chat":{"id":2,"type":"private"},"text":"x",%b}}',
        "slack": b'{"type":"event_callback","team_id":"T0DOOR0001","event":{"type":"message","channel":"D1","ts":"1.1","text":"x",%b}}',
        "discord": b'{"type":2,"id":"1","application_id":"1","token":"t","channel_id":"1","context":1,"data":'
        b'{"name":"chat","options":[{"name":"message","type":3,"value":"x"}]},%b}',
        "whatsapp": b'{"object":"whatsapp_business_account","entry":[{"changes":[{"field":"messages","value":{"metadata":'
        b'{"phone_number_id":"1500000000000001"},"messages":[{"id":"w","timestamp":"1","type":"text","text":{"body":"x"},%b}]}}]}]}',
    }
    (one,) = _parse(platform, bodies[platform] % twice)
    assert isinstance(one, Message)
    assert one.user_id in {"2", "U2", "US.2"}


FORMS = {
    "empty": b"",
    "payload empty": b"payload=",
    "not UTF-8": b"payload=%ff",
    "bytes": b"\xff\xfe",
    "not JSON": b"payload=hello",
    "array": b"payload=%5B%5D",
    "deep": b"payload=" + b"[" * 100_000,
    "101 fields": b"&".join(b"a%d=1" % number for number in range(101)),
}


@each("body", FORMS.values(), ids=FORMS)
def test_form(body: bytes) -> None:
    """A form of Slack's that holds no object is unusable."""
    with pytest.raises(UnusablePayloadError):
        _parse("slack", body, FORM)


@pytest.mark.parametrize(
    "body",
    [b"ssl_check=1&token=x", b"command=%2Fx&text=y", b"payload={}&payload={}"],
    ids=["ssl_check", "slash command", "payload twice"],
)
def test_other_form(body: bytes) -> None:
    """A form that is no single payload is ignored."""
    (one,) = _parse("slack", body, FORM)
    assert one == Ignored(platform=slack.PLATFORM, what="unknown_request")


@pytest.mark.parametrize("content_type", [f"{FORM}; charset=utf-8", FORM.upper()], ids=["parameter", "case"])
def test_form_content_type(content_type: str) -> None:
    """A form is one in any case, and with parameters."""
    body = raw(event("slack/block_actions_approve")["body"], form=True)
    assert isinstance(_parse("slack", body, content_type)[0], Press)


def _usable(events: list[Event]) -> None:
    for one in events:
        if isinstance(one, Message | Press):
            try:
                possible_user_id(one.user_id)
            except InvalidUserIdError:
                pytest.fail("a sender without an id")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@repeatable
@given(body=st.binary(max_size=200))
def test_any_bytes(body: bytes) -> None:
    """Reading arbitrary bytes gives events of people with ids, or UnusablePayloadError and no other error."""
    for platform in PLATFORMS:
        for content_type in ("application/json", FORM):
            with suppress(UnusablePayloadError):
                _usable(_parse(platform, body, content_type))


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    keys = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    return [path] * bool(path) + [deeper for key in keys for deeper in _paths(value[key], (*path, key))]


# Prime in number, so that over all events every place gets every one.
ODD: tuple[Any, ...] = (True, 0, -1, 1.5, "", "x", "9" * 400, "\ud800", [], [[]], ["x"], {}, {"x": {}})


def test_odd_values() -> None:
    """At every place of every real event, a value that does not belong there is unusable, or of a person with an id."""
    places = [(name, path) for name in names() for path in _paths(event(name)["body"])]
    for number, (name, path) in enumerate(places):
        _with_value(name, path, ODD[number % len(ODD)])


@repeatable
@given(data=st.data())
def test_any_value(data: st.DataObject) -> None:
    """Any value anywhere in a real event gives events of people with ids, or UnusablePayloadError and no other error."""
    name = data.draw(st.sampled_from(names()))
    path = data.draw(st.sampled_from(_paths(event(name)["body"])))
    _with_value(name, path, data.draw(JSON))


def _with_value(name: str, path: tuple[Any, ...], value: Any) -> None:
    recorded = event(name)
    *parents, last = path
    _at(recorded, parents)[last] = value
    # With escapes, so that lone surrogates can be written.
    text = json.dumps(recorded["body"])
    body = urlencode({"payload": text}) if recorded.get("form") else text
    with suppress(UnusablePayloadError):
        _usable(_parse(recorded["platform"], body.encode(), _content_type(recorded)))


# Of each platform, fields that are often not sent, by the dictionary that they would stand in.
SELDOM: dict[str, dict[str, tuple[str, ...]]] = {
    "telegram/private_text": {
        "message": ("sender_chat", "entities", "caption", "reply_to_message", "voice", "chat_shared")
    },
    "slack/message_im": {"event": ("bot_id", "bot_profile", "edited", "files", "attachments", "subtype", "thread_ts")},
    "slack/block_actions_approve": {"": ("channel", "container", "response_url")},
    "discord/chat_bot_dm": {"": ("member", "context"), "user": ("global_name",)},
}


def _outcome(recorded: dict[str, Any]) -> list[Event] | str:
    body = raw(recorded["body"], form=recorded.get("form", False))
    try:
        return _parse(recorded["platform"], body, _content_type(recorded))
    except UnusablePayloadError:
        return "unusable"


def _at(recorded: dict[str, Any], path: Iterable[Any]) -> Any:
    target = recorded["body"]
    for step in path:
        target = target[step]
    return target


@pytest.mark.parametrize("platform", PLATFORMS)
def test_null_is_absent(platform: str) -> None:
    """A field that is null does what it does when it is not sent, whichever it is, in every recorded event."""
    different = []
    for name in names(platform):
        if event(name).get("form") == "fields":
            # A form has no null.
            continue
        recorded = event(name)
        for *parents, last in _paths(recorded["body"]):
            place = _at(recorded, parents)
            if isinstance(place, dict):
                value = place.pop(last)
                without = _outcome(recorded)
                place[last] = None
                if _outcome(recorded) != without:
                    different.append((name, *parents, last))
                place[last] = value
    for name, holders in SELDOM.items():
        for holder, fields in holders.items():
            for field in fields if name.startswith(platform) else ():
                recorded = event(name)
                place = _at(recorded, filter(None, [holder]))
                place.pop(field, None)
                without = _outcome(recorded)
                place[field] = None
                if _outcome(recorded) != without:
                    different.append((name, holder, field))
    assert different == []

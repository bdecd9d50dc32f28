"""WhatsApp: who somebody is, what several people did at once, and what a bot is passed of it."""

import copy
import json
from typing import Any

import pytest

from doorcode.pairing.keyring import Keyring
from doorcode.pairing.messages import Ignored, Message
from doorcode.platforms.inbound import UnusablePayloadError, Webhook
from doorcode.platforms.whatsapp import deeds, handshake
from doorcode.platforms.whatsapp import inbound as whatsapp
from tests.cases import each
from tests.unit.platforms.deliveries import APP_SECRET, KNOWN, NOW, event, raw, signed

SAM, PHONE = "US.13491208655302741918", "15551230001"
KEYRING = Keyring((APP_SECRET,))


def _value(*messages: dict[str, Any], contacts: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    value: dict[str, Any] = copy.deepcopy(event("whatsapp/text")["body"]["entry"][0]["changes"][0]["value"])
    return value | {"messages": list(messages), "contacts": contacts} | more


def _body(*values: dict[str, Any]) -> dict[str, Any]:
    changes = [{"field": "messages", "value": value} for value in values]
    return {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": changes}]}


def _said(number: int, **who: str) -> dict[str, Any]:
    return {"id": f"wamid.{number}", "timestamp": str(NOW), "type": "text", "text": {"body": f"No. {number}"}} | who


def _parse(body: dict[str, Any]) -> list[Any]:
    return list(whatsapp.parse(Webhook({}, raw(body)), KNOWN["whatsapp"]))


IDENTITIES: dict[str, tuple[dict[str, str], list[dict[str, str]], str | None]] = {
    "id and number": ({"from": PHONE, "from_user_id": SAM}, [{"wa_id": PHONE, "user_id": SAM}], SAM),
    "id alone": ({"from_user_id": SAM}, [{"user_id": SAM}], SAM),
    "id in the message alone": ({"from": PHONE, "from_user_id": SAM}, [{"wa_id": PHONE}], SAM),
    "id in the contact alone": ({"from": PHONE}, [{"wa_id": PHONE, "user_id": SAM}], SAM),
    "another's contact": ({"from": PHONE}, [{"wa_id": "15559999999", "user_id": SAM}], PHONE),
    "number alone": ({"from": PHONE}, [{"wa_id": PHONE}], PHONE),
    "no contact": ({"from": PHONE, "from_user_id": SAM}, [], SAM),
    "a number now another's": ({"from": PHONE, "from_user_id": "US.2"}, [{"wa_id": PHONE, "user_id": "US.2"}], "US.2"),
    "another number, the same id": ({"from": "15559999999", "from_user_id": SAM}, [{"user_id": SAM}], SAM),
    "two ids": ({"from": PHONE, "from_user_id": SAM}, [{"wa_id": PHONE, "user_id": "US.2"}], ""),
    "two contacts": ({"from": PHONE}, [{"wa_id": PHONE, "user_id": SAM}, {"wa_id": PHONE, "user_id": "US.2"}], ""),
    "nobody": ({}, [{"wa_id": PHONE, "user_id": SAM}], ""),
    "empty": ({"from": "", "from_user_id": ""}, [{"wa_id": "", "user_id": ""}], ""),
    "a name in the number's place": ({"from": "sam"}, [], None),
    "a plus": ({"from": f"+{PHONE}"}, [], None),
    "an id in the number's place": ({"from": "US.ENT.1"}, [], None),
    "small letters": ({"from_user_id": "us.1"}, [], None),
}


@each("what", IDENTITIES)
def test_who_somebody_is(what: str) -> None:
    """The id that Meta gives, the number only where there is none, nobody where it says two. Security 5, 6, 7."""
    who, contacts, person = IDENTITIES[what]
    body = _body(_value(_said(1, **who), contacts=contacts))
    if person is None:
        with pytest.raises(UnusablePayloadError):
            _parse(body)
        return
    (one,) = _parse(body)
    if person:
        assert (one.user_id, json.loads(one.reply)["to"]) == (person, person)
    else:
        assert isinstance(one, Ignored)


def test_what_several_people_did_at_once() -> None:
    """Every message of every change counts, in its order, each with its own person; what cannot be read spoils no other."""
    first = _value(
        _said(1, from_user_id=SAM), _said(2, from_user_id="US.2"), {"id": 3}, _said(4, from_user_id=SAM),
        contacts=[{"user_id": "US.2", "profile": {"name": "Two"}}, {"user_id": SAM, "profile": {"name": "Sam"}}],
        statuses=[{"id": "x", "status": "read"}],
    )  # fmt: skip
    second = _value(_said(5, from_user_id="US.3"), contacts=[])
    other = second | {"metadata": {"phone_number_id": "2"}}
    body = _body(first, other, second)
    body["entry"].append(copy.deepcopy(body["entry"][0]) | {"id": "2", "changes": [{"field": "flows", "value": 1}]})
    events = _parse(body)
    said = [(one.user_id, one.text, one.name) for one in events if isinstance(one, Message)]
    assert said == [(SAM, "No. 1", "Sam"), ("US.2", "No. 2", "Two"), (SAM, "No. 4", "Sam"), ("US.3", "No. 5", "")]
    assert [one.what for one in events if isinstance(one, Ignored)] == [
        "status",
        "another_number",
        "unknown_field",
        "unusable_part",
    ]
    with pytest.raises(UnusablePayloadError):
        _parse(_body(_value({"id": 3}, contacts=[])))


def test_a_bot_gets_what_one_person_did_and_nothing_else() -> None:
    """Security 40: a request of several people's is cut; each piece is one's, signed, and has nothing of the others in it."""
    people = [{"user_id": SAM, "profile": {"name": "Sam Grüß 👋"}}, {"user_id": "US.2", "profile": {"name": "Zwei"}}]
    statuses = [
        {"id": "wamid.s", "status": "read", "recipient_user_id": "US.2"},
        {"id": "wamid.t", "status": "sent", "recipient_id": PHONE},
    ]
    body = _body(
        _value(_said(1, from_user_id=SAM), _said(2, from_user_id="US.2"), contacts=people, statuses=statuses),
        _value(_said(3, from_user_id=SAM), contacts=people),
    )
    request = signed("whatsapp", raw(body))
    pieces = deeds.cut(request, KEYRING)
    assert all(whatsapp.verify(piece, KEYRING, NOW) and piece.body.isascii() for piece in pieces)
    whose = [deeds.deed(piece, KNOWN["whatsapp"]).user_id for piece in pieces]
    assert whose == [SAM, "US.2", "US.2", "", SAM]
    for person, piece in zip(whose, pieces, strict=True):
        others = {SAM: ("US.2", "Zwei", "No. 2"), "US.2": (SAM, "Sam", "No. 1", "No. 3"), "": ("US.2", SAM, "Zwei")}[
            person
        ]
        assert not [other for other in others if other in piece.body.decode()]
    assert json.loads(pieces[0].body)["entry"][0]["changes"][0]["value"]["contacts"] == people[:1]
    # What is one thing goes on byte for byte; what was not cut is nobody's.
    single = signed("whatsapp", raw(event("whatsapp/text")["body"]))
    assert deeds.cut(single, KEYRING) == [single]
    assert deeds.deed(request, KNOWN["whatsapp"]).user_id == ""


HANDSHAKES = {
    "right": ({}, 200),
    "another mode": ({"hub.mode": "unsubscribe"}, 403),
    "no challenge": ({"hub.challenge": ""}, 403),
    "markup": ({"hub.challenge": "<script>"}, 403),
}


@pytest.mark.parametrize("what", HANDSHAKES)
def test_handshake(what: str) -> None:
    """Whoever names the secret hears the bare challenge; nothing else is ever repeated."""
    changed, status = HANDSHAKES[what]
    query = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": "the token"} | changed
    answer = handshake.answer(query)
    assert (answer.status, answer.body) == (status, b"1158201444" if status == 200 else b"")
    assert answer.content_type == "text/plain" or not answer.body
    assert handshake.is_of(query, Keyring((b"another", b"the token")))
    for given in ("", "the toke", "the token ", "\ud800"):
        assert not handshake.is_of(query | {"hub.verify_token": given}, Keyring((b"the token",)))
    assert not handshake.is_of({}, Keyring((b"the token",)))

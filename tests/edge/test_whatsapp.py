"""WhatsApp's people at the door: by number, by Meta's id, by both, before and after a change; nobody is taken for another."""

from typing import Any

import pytest

from doorcode.pairing.contact import Contact, Platform, State
from tests.edge.harness import Edge
from tests.webhooks import load, value_of

WHATSAPP = Platform.WHATSAPP
SAM, HEIR, NEW = "US.13491208655302741918", "US.2000", "US.99990000111122223333"
PHONE, NEW_PHONE = "15551230001", "15551230009"


def _of(value: dict[str, Any], user_id: str, phone: str, contacts: list[dict[str, str]] | None = None) -> None:
    """Have it come from that id and that number, either of which may be missing."""
    [message] = value["messages"]
    for field, given in (("from_user_id", user_id), ("from", phone)):
        message.pop(field, None)
        if given:
            message[field] = given
    said = {name: given for name, given in (("user_id", user_id), ("wa_id", phone)) if given}
    value["contacts"] = [said] if contacts is None else contacts


def test_nobody_is_taken_for_another(edge: Edge, caplog: pytest.LogCaptureFixture) -> None:
    """Whoever is in by an id is that id, and by a number that number, whatever else a message says; a change moves nothing. Security 5, 6, 7."""
    caplog.set_level("INFO", logger="doorcode")
    for person in (SAM, PHONE):
        edge.put(Contact(platform=WHATSAPP, user_id=person, state=State.PAIRED, rev=1))
    before = [
        (SAM, PHONE, SAM, "paired"),
        (SAM, "", SAM, "paired"),
        (SAM, NEW_PHONE, SAM, "paired"),
        ("", PHONE, PHONE, "paired"),
        # The number is another's by now, or the id is that of somebody who was in by number before they had one.
        (HEIR, PHONE, HEIR, "policy_deny"),
        ("", NEW_PHONE, NEW_PHONE, "policy_deny"),
        ("", "", "", "not_a_message"),
    ]
    # After Meta has said that Sam's number is another one, and that Sam's id is NEW.
    after = [
        *before,
        (NEW, NEW_PHONE, NEW, "policy_deny"),
        (NEW, PHONE, NEW, "policy_deny"),
        (NEW, "", NEW, "policy_deny"),
    ]
    for number, (user_id, phone, person, reason) in enumerate([*before, *after]):
        if number == len(before):
            for change in ("user_changed_number", "user_changed_user_id"):
                assert edge.deliver(load(f"whatsapp/{change}"), UNKNOWN_USER_POLICY="deny")["statusCode"] == 200
            assert edge.contact(WHATSAPP, SAM) == Contact(platform=WHATSAPP, user_id=SAM, state=State.PAIRED, rev=1)
            assert edge.contact(WHATSAPP, NEW).rev == 0
        caplog.clear()
        hello = load("whatsapp/text").another(number)
        _of(value_of(hello.body), user_id, phone)
        assert edge.deliver(hello, UNKNOWN_USER_POLICY="deny")["statusCode"] == 200
        [told] = [record for record in caplog.records if getattr(record, "action", "")]
        assert (getattr(told, "user_id", ""), told.reason) == (person, reason), (user_id, phone)  # type: ignore[attr-defined]
    # Two ids for one message: nobody's, though both are in.
    edge.put(Contact(platform=WHATSAPP, user_id=HEIR, state=State.PAIRED, rev=1))
    twice = load("whatsapp/text").another(99)
    value = value_of(twice.body)
    _of(value, "", PHONE, [{"user_id": SAM, "wa_id": PHONE}, {"user_id": HEIR, "wa_id": PHONE}])
    handed = len(edge.handed_off())
    edge.deliver(twice, UNKNOWN_USER_POLICY="deny")
    assert handed == 8
    assert edge.handed_off() == []

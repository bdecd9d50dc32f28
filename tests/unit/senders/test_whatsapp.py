"""WhatsApp's sender: whom it writes to and how, the 24 hours, and what each refusal calls for."""

import json
from typing import Any

import pytest

from doorcode.errors import SecretError
from doorcode.platforms.send_errors import (
    BadTokenError,
    PassingError,
    PermanentRefusalError,
    RateLimitedError,
    SendError,
    SendRefusal,
)
from doorcode.platforms.sender import OutgoingText
from doorcode.platforms.whatsapp.sender import WhatsAppSender, make_sender
from doorcode_sandbox.platforms.server import Answer
from doorcode_sandbox.platforms.whatsapp.stand_in import Template, WhatsAppStandIn
from tests.unit.senders.wires import NOW, TOKENS, Wire, prompt

BOT = f"{WhatsAppStandIn.PHONE_NUMBER_ID}:{WhatsAppStandIn.DISPLAY_PHONE_NUMBER}"


def _sent(wired: Wire) -> list[dict[str, Any]]:
    return [call.fields for call in wired.stand_in.calls if call.name == "messages"]


def test_whom_it_writes_to(whatsapp: Wire) -> None:
    """An id goes where ids go, and a number where numbers go, with its plus: the other way nothing would arrive."""
    whatsapp.stand_in.add_user("4915550003", phone="4915550003")
    for user_id in (whatsapp.stranger, "4915550003"):
        whatsapp.sender.notify(OutgoingText(user_id=user_id, text="Hello", key="k"), NOW)
    first, second = _sent(whatsapp)
    assert (first["recipient"], first.get("to")) == (whatsapp.stranger, None)
    assert (second["to"], second.get("recipient")) == ("+4915550003", None)
    for sent in (first, second):
        assert sent["messaging_product"] == "whatsapp"
        assert sent["text"] == {"body": "Hello", "preview_url": False}
        assert (
            sent["biz_opaque_callback_data"] == f"doorcode:{(sent.get('recipient') or sent['to']).removeprefix('+')}:k"
        )


def test_a_prompt_is_closed_further_down(whatsapp: Wire) -> None:
    """What stands in the chat stays; what became of it quotes it, with the one button that there is after a denial."""
    place = whatsapp.sender.send_prompt(whatsapp.owner, whatsapp.drawn(prompt()), key="k")
    whatsapp.sender.edit_prompt(place, whatsapp.drawn(prompt(outcome="❌ Denied")))
    asked, closed = whatsapp.stand_in.in_chat(whatsapp.owner)
    assert closed.shown["context"] == {"message_id": json.loads(place)["message_id"]}
    assert "interactive" in asked.shown
    assert "template" not in json.dumps(_sent(whatsapp))


def test_an_owner_who_has_not_written_for_long(whatsapp: Wire) -> None:
    """After 24 hours a prompt is refused, and the template asks: with who it is, and the buttons' own callbacks."""
    whatsapp.stand_in.close_window(whatsapp.owner)
    drawn = whatsapp.drawn(prompt())
    with pytest.raises(PermanentRefusalError) as caught:
        whatsapp.sender.send_prompt(whatsapp.owner, drawn, key="k")
    assert (caught.value.refusal, "24 hours" in str(caught.value)) == (SendRefusal.UNREACHABLE, True)
    sender = whatsapp.sender
    assert isinstance(sender, WhatsAppSender)
    with pytest.raises(PermanentRefusalError, match="doorcode whatsapp template"):
        sender.reopen(whatsapp.owner, drawn, key="k")

    body = {"type": "BODY", "text": "Somebody wants to chat: {{1}} ({{2}}). Approve?"}
    buttons = {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": text} for text in ("Approve", "Deny")]}
    whatsapp.stand_in.templates["door", "en_US"] = Template(
        id="1", name="door", language="en_US", category="UTILITY", status="APPROVED", components=[body, buttons]
    )
    other = make_sender(TOKENS["whatsapp"], whatsapp.stand_in.api_url, None, BOT, "door:en_US")  # type: ignore[arg-type]
    assert isinstance(other, WhatsAppSender)
    place = other.reopen(whatsapp.owner, drawn, key="k")
    other.close()
    (message,) = whatsapp.stand_in.in_chat(whatsapp.owner)
    assert message.shown["drawn"]["text"] == "Somebody wants to chat: @stranger (telegram 987654321). Approve?"
    callbacks = [button["reply"]["id"] for button in drawn["interactive"]["action"]["buttons"]]
    assert [button["id"] for button in message.shown["drawn"]["buttons"]] == callbacks
    assert json.loads(place)["to"] == whatsapp.owner


KINDS: dict[int, type[SendError]] = {
    190: BadTokenError, 10: BadTokenError, 200: BadTokenError, 299: BadTokenError, 131005: BadTokenError, 3: BadTokenError,
    4: RateLimitedError, 80007: RateLimitedError, 130429: RateLimitedError, 131056: RateLimitedError,
    131000: PassingError, 131016: PassingError, 131057: PassingError,
    100: PermanentRefusalError, 368: PermanentRefusalError, 131008: PermanentRefusalError, 131009: PermanentRefusalError,
    131026: PermanentRefusalError, 131030: PermanentRefusalError, 131031: PermanentRefusalError,
    131042: PermanentRefusalError, 131047: PermanentRefusalError, 131048: PermanentRefusalError,
    131049: PermanentRefusalError, 131050: PermanentRefusalError, 131051: PermanentRefusalError,
    131062: PermanentRefusalError, 132000: PermanentRefusalError, 132001: PermanentRefusalError,
    132015: PermanentRefusalError, 132016: PermanentRefusalError, 133010: PermanentRefusalError,
}  # fmt: skip


def test_what_each_refusal_calls_for(whatsapp: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of Meta's codes is one of the four kinds of trouble, whatever the status that it comes with."""
    for code, kind in KINDS.items():
        body = json.dumps({"error": {"message": "(#1) no", "code": code, "error_data": {"details": "no"}}}).encode()
        monkeypatch.setattr(whatsapp.stand_in, "perform", lambda _, body=body: Answer(400, body))
        sender = WhatsAppSender(TOKENS["whatsapp"], whatsapp.stand_in.api_url, BOT)
        with pytest.raises(SendError) as caught:
            sender.notify(OutgoingText(user_id=whatsapp.stranger, text="Hello", key="k"), NOW)
        sender.close()
        assert type(caught.value) is kind, code
        if kind is PermanentRefusalError:
            # What an operator looks up.
            assert str(code) in str(caught.value)


@pytest.mark.parametrize("bot", ["", ":15550783881", "../me:1", "1/2:3"])
def test_without_its_number(bot: str) -> None:
    """Nothing can be sent before it is known from which number, and nothing that is no number gets into a path."""
    with pytest.raises(SecretError, match="whatsapp/bot"):
        WhatsAppSender("token", bot=bot)

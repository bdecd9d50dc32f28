"""What ``test_fourth_platform`` runs where the sandbox has been given the platform ``morse``: it is played and drawn."""

from doorcode.pairing.keyring import parse_keyring
from doorcode.pairing.platform import Platform
from doorcode.platforms.inbound import Webhook
from doorcode.platforms.registry import inbound
from doorcode_sandbox import ports
from doorcode_sandbox.credentials import MADE_UP, VERIFYING
from doorcode_sandbox.front import WEBHOOKS
from doorcode_sandbox.platforms.registry import OWNERS
from doorcode_sandbox.platforms.server import Request
from doorcode_sandbox.stand_ins import StandIns
from tests.browser import chromium
from tests.unit.sandbox.playground_fixtures import Harness

MORSE = Platform("morse")


def test_it_has_its_place() -> None:
    """A port, credentials, an address for its webhooks and an owner of its own."""
    assert ports.row(8787).stand_ins[MORSE] == 8793
    assert (OWNERS[MORSE], MADE_UP[MORSE], VERIFYING[MORSE]) == (("ALPHA",), "none", "morse/key")
    assert "/morse" in WEBHOOKS
    near = StandIns(dict.fromkeys(Platform, 0), lambda _: bytes(32))
    assert near.credentials()[MORSE] == {"morse/bot-token": "none", "morse/key": "dot-dash"}
    near.register("http://127.0.0.1:8787", {MORSE: "dot-dash"})
    assert near.each[MORSE].goes_to == ("http://127.0.0.1:8787/morse", "dot-dash")


def test_it_is_played() -> None:
    """A stranger's word goes out signed, and what the bot says can be pressed; the page draws all of it."""
    office = StandIns(dict.fromkeys(Platform, 0), lambda _: bytes(32)).each[MORSE]
    with Harness(stand_ins={MORSE: office}, owners=OWNERS, secret=lambda _: "dot-dash").running() as harness:
        harness.say(MORSE, "BRAVO", "May I come in?")
        path, headers, body = harness.webhook()
        assert path == "/morse"
        assert inbound(MORSE).verify(Webhook(headers, body), parse_keyring("dot-dash"), int(harness.now))
        (delivery,) = harness.json("GET", "deliveries")["deliveries"]
        assert (delivery["signature"], delivery["headers"]["X-Morse-Key"]) == ({"kind": "key", "fits": True}, "•••")
        office.answer(Request("POST", "/send", {}, b'{"to": "ALPHA", "text": "Well?", "buttons": ["YES"]}'))
        (asked,) = harness.chat(MORSE, "ALPHA")["messages"]
        harness.press(MORSE, "ALPHA", asked["id"], "0")
        assert b'"pressed":"YES"' in harness.webhook()[2]
        if chromium.FOUND.exists():
            with chromium.running() as browser:
                page = browser.new_page()
                page.goto(f"{harness.front.url}/#morse")
                page.get_by_role("tab", name="Morse").wait_for()
                page.get_by_text("Well? STOP").wait_for()

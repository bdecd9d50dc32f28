"""Invites and owners over HTTP."""

import re
from typing import Any

import pytest
import segno

from doorcode.aws.tickets import Tickets
from doorcode.pairing.access import Scope
from doorcode.pairing.contact import Contact, ContactRole, Platform, State
from doorcode.pairing.tickets import entered
from doorcode.pairing.transitions import Asked
from tests.harness import TELEGRAM
from tests.web.harness import WebHarness


def sent(web: WebHarness, code: str, user: str) -> Contact:
    """Have somebody send a code."""
    ticket = entered(code, TELEGRAM)
    assert ticket is not None
    found = Tickets(web.table).find(ticket)
    assert found is not None
    asked = Asked(delivery_id=f"sent-by-{user}", name="@zoe")
    return web.desk.redeem(found, web.room.get(TELEGRAM, user), asked, web.now)


def drawn(qr: dict[str, Any]) -> list[list[int]]:
    """Return the modules, dark or light, of a QR code that a path draws."""
    modules = [[0] * qr["size"] for _ in range(qr["size"])]
    for x, y, count in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\3z", qr["path"]):
        for at in range(int(count)):
            modules[int(y)][int(x) + at] = 1
    return modules


@pytest.fixture
def named(web: WebHarness) -> WebHarness:
    """Have it be known who the bot is on Telegram."""
    name = f"{web.prefix}/telegram/bot"
    web.clients["ssm"]._client.put_parameter(Name=name, Value="7:my_bot", Type="String", Overwrite=True)
    return web


def test_invites(named: WebHarness, caplog: pytest.LogCaptureFixture) -> None:
    """Security 44: a token of the scope pairing makes an invite, whose code stands in that answer alone; it works, and is taken back."""
    token = named.token(name="ci")
    body = {"channel": "telegram", "uses": 2, "label": "bob", "for": 60, "expires_in": 600}
    reply = token.ask("POST", "/api/invites", body)
    assert reply.status == 201
    invite = reply.body
    code, ways = invite.pop("code"), invite.pop("ways")
    [way] = ways
    link = f"https://t.me/my_bot?start={code}"
    assert way == {"platform": "telegram", "text": code, "link": link, "qr": way["qr"]}
    assert drawn(way["qr"]) == [list(row) for row in segno.make_qr(link, error="m").matrix]
    assert (invite["created_by"], invite["left"], invite["for_seconds"]) == ("token ci", 2, 60)
    contact = sent(named, code, "7")
    assert (contact.label, contact.paired_until, contact.decided_by) == ("bob", named.now + 60, "token ci")
    listed = named.token(Scope.READ).get("/api/invites")
    assert listed.body == {"invites": [invite | {"left": 1}]}
    assert token.ask("DELETE", f"/api/invites/{invite['id']}").body == {"id": invite["id"], "revoked": True}
    assert token.ask("DELETE", f"/api/invites/{invite['id']}").refusal == (404, "unknown_invite")
    assert token.get("/api/invites").body == {"invites": []}
    plain = token.ask("POST", "/api/invites", {}).body
    assert (plain["platform"], [way["platform"] for way in plain["ways"]]) == (None, list(Platform))
    # What has no link is for typing, and not for a camera.
    assert {bool(way["link"]): way["qr"] is not None for way in plain["ways"]} == {True: True, False: False}
    assert code not in f"{caplog.text}{named.items()}"


@pytest.mark.parametrize(
    "body",
    [{"uses": 0}, {"uses": 1001}, {"expires_in": 0}, {"expires_in": 2_592_001}, {"for": -1}, {"channel": "myspace"}, {"code": "x"}, {"label": "a\u202eb"}],
    ids=str,
)  # fmt: skip
def test_what_no_invite_can_be(web: WebHarness, body: dict[str, object]) -> None:
    """What cannot be made is refused, and nothing is kept."""
    token = web.token()
    before = web.items()
    assert token.ask("POST", "/api/invites", body).refusal[0] == 400
    assert web.items() == before


def test_owners(named: WebHarness) -> None:
    """Whoever is signed in to the page makes a claim, sees who owns the bot, and removes an owner; the last one only when meant."""
    session = named.session()
    claim = session.post("/api/owners/claim", channel="telegram")
    assert claim.status == 201
    assert claim.body["ways"][0]["link"] == f"https://t.me/my_bot?start={claim.body['code']}"
    assert sent(named, claim.body["code"], "7").role == ContactRole.OWNER
    [owner] = named.token(Scope.READ).get("/api/owners").body["owners"]
    assert (owner["user_id"], owner["name"], owner["by_claim"], owner["by_setting"]) == ("7", "@zoe", True, False)
    for what in ("revoke", "block"):
        assert session.post(f"/api/pairing/{what}", channel="telegram", user_id="7").refusal == (409, "owner")
    remove = {"channel": "telegram", "user_id": "7"}
    assert session.ask("POST", "/api/owners/remove", remove).refusal == (409, "last_owner")
    reply = session.ask("POST", "/api/owners/remove", remove | {"last": True})
    assert reply.body == {"channel": "telegram", "user_id": "7", "removed": True}
    assert named.room.get(TELEGRAM, "7").state is State.REVOKED
    assert session.ask("POST", "/api/owners/remove", remove).refusal == (404, "not_owner")
    assert session.get("/api/owners").body == {"owners": []}


def test_no_token_makes_or_removes_an_owner(web: WebHarness) -> None:
    """Security 20: a token of whatever scope cannot become more than it was created as."""
    sent(web, web.session().post("/api/owners/claim").body["code"], "7")
    before = web.items()
    for scope in Scope:
        token = web.token(scope)
        before = web.items()
        assert token.post("/api/owners/claim").refusal == (403, "forbidden")
        body = {"channel": "telegram", "user_id": "7", "last": True}
        assert token.ask("POST", "/api/owners/remove", body).refusal == (403, "forbidden")
        assert web.items() == before

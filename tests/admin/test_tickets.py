"""The commands about claims, owners and invites."""

import json

import pytest

from doorcode.aws.tickets import Tickets
from doorcode.pairing.contact import ContactRole, Platform
from doorcode.pairing.tickets import Ticket, entered
from doorcode.pairing.transitions import Asked
from tests.admin.harness import NOW, AdminHarness
from tests.harness import TELEGRAM


def found(harness: AdminHarness, code: str) -> Ticket:
    """Find what a code stands for."""
    ticket = entered(code, TELEGRAM)
    assert ticket is not None
    return Tickets(harness.table).find(ticket) or pytest.fail("there is no such ticket")


def sent(harness: AdminHarness, code: str, user: str) -> None:
    """Have somebody send a code."""
    asked = Asked(delivery_id=f"sent-by-{user}", name="@zoe")
    harness.desk.redeem(found(harness, code), harness.room.get(TELEGRAM, user), asked, NOW)


def test_claims_and_owners(harness: AdminHarness, caplog: pytest.LogCaptureFixture) -> None:
    """Security 44: a claim's code stands in its one answer; whoever sends it is listed as an owner, and can be removed."""
    caplog.set_level("INFO", logger="doorcode")
    answer = harness.done("owner_claim", platform="telegram")
    code = answer["code"]
    assert answer == {
        "code": code, "expires_at": "2027-01-15T08:15:01Z",
        "ways": [{"platform": "telegram", "text": code, "link": f"https://t.me/doorcode_bot?start={code}"}],
    }  # fmt: skip
    assert len(harness.done("owner_claim")["ways"]) == len(Platform)
    assert harness.done("owner_list") == {"owners": []}
    sent(harness, code, "7")
    [owner] = harness.done("owner_list")["owners"]
    assert (owner["user_id"], owner["name"], owner["by_setting"], owner["by_claim"]) == ("7", "@zoe", False, True)
    refused = harness.refused("owner_remove", platform="telegram", user_id="7")
    assert (refused["reason"], refused["state"]) == ("last_owner", "paired")
    removed = harness.done("owner_remove", platform="telegram", user_id="@zoe", last=True)["contact"]
    assert (removed["user_id"], removed["state"], removed["decided_by"]) == ("7", "revoked", "alice@laptop")
    assert harness.refused("owner_remove", platform="telegram", user_id="7")["reason"] == "not_owner"
    everything = f"{harness.items()} {[record.__dict__ for record in caplog.records]}"
    assert code not in everything
    assert code.replace("-", "") not in everything


def test_an_owner_is_revoked_and_blocked_only_after_that(harness: AdminHarness) -> None:
    """What would take an owner away on the side is refused; clearing leaves owners in."""
    sent(harness, harness.done("owner_claim")["code"], "7")
    for command in ("revoke", "block"):
        assert harness.refused(command, platform="telegram", user_id="7")["reason"] == "owner"
    assert harness.refused("add", platform="telegram", user_id="7", for_seconds=60)["reason"] == "owner"
    assert harness.done("add", platform="telegram", user_id="7", label="me")["contact"]["label"] == "me"
    harness.done("add", platform="telegram", user_id="8")
    assert harness.done("clear", platform="telegram")["revoked"] == ["8"]
    assert harness.room.get(TELEGRAM, "7").role == ContactRole.OWNER


def test_invites(harness: AdminHarness, caplog: pytest.LogCaptureFixture) -> None:
    """Security 44: an invite's code stands in its one answer; the list has the rest, as long as it works."""
    caplog.set_level("INFO", logger="doorcode")
    given = {"platform": "telegram", "uses": 2, "label": "bob", "for_seconds": 60, "expires_seconds": 600}
    made = harness.done("invite_create", **given)
    code = made.pop("code")
    assert made.pop("ways")[0]["link"].endswith(code)
    assert made == {
        "id": made["id"], "platform": "telegram", "uses": 2, "left": 2, "label": "bob", "for_seconds": 60,
        "created_at": "2027-01-15T08:00:01Z", "created_by": "alice@laptop", "expires_at": "2027-01-15T08:10:01Z",
    }  # fmt: skip
    assert harness.done("invite_list")["invites"] == [made]
    sent(harness, code, "7")
    assert harness.done("invite_list")["invites"] == [made | {"left": 1}]
    everywhere = harness.done("invite_create")
    assert (everywhere["platform"], len(everywhere["ways"])) == (None, len(Platform))
    assert harness.done("invite_revoke", id=made["id"]) == {"id": made["id"]}
    assert harness.refused("invite_revoke", id=made["id"])["reason"] == "unknown_invite"
    assert [invite["id"] for invite in harness.done("invite_list")["invites"]] == [everywhere["id"]]
    everything = (
        f"{harness.items()} {[record.__dict__ for record in caplog.records]} {json.dumps(harness.done('invite_list'))}"
    )
    for secret in (code, everywhere["code"]):
        assert secret not in everything
        assert secret.replace("-", "") not in everything


def test_what_no_invite_can_be(harness: AdminHarness) -> None:
    """What cannot be made is refused, and nothing is kept."""
    for arguments in (
        {"uses": 0},
        {"uses": "2"},
        {"expires_seconds": 0},
        {"expires_seconds": 31 * 86_400},
        {"platform": "myspace"},
        {"code": "ABCD-EFGH-JKLM"},
        {"label": "a\u202eb"},
        {"for_seconds": -1},
    ):
        assert harness.refused("invite_create", **arguments)["reason"], arguments
        assert harness.items() == [], arguments

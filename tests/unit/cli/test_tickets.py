"""``doorcode owner`` and ``doorcode invite`` in process, over the real admin function and a table in process."""

import json

import pytest

from doorcode.aws.tickets import Tickets
from doorcode.pairing.contact import Platform
from doorcode.pairing.settings import Settings
from doorcode.pairing.tickets import Ticket, TicketKind, entered
from doorcode.pairing.transitions import Asked
from doorcode_cli import ways
from tests.admin.harness import NOW
from tests.harness import T0, TELEGRAM
from tests.unit.cli.admin_fixtures import Function, Run
from tests.unit.cli.test_access import doorcode, function, moto

__all__ = ["doorcode", "function", "moto"]


def sent(function: Function, text: str, user: str, platform: Platform = TELEGRAM) -> Ticket:
    """Have somebody send what was printed, as the edge takes it."""
    harness = function.harness
    ticket = entered(text, platform)
    assert ticket is not None
    found = Tickets(harness.table).find(ticket)
    assert found is not None
    asked = Asked(delivery_id=f"sent-by-{user}", name=f"@user{user}")
    harness.desk.redeem(found, harness.room.get(platform, user), asked, NOW)
    return found


def test_a_claim_for_one_platform_stands_alone(doorcode: Run, function: Function) -> None:
    """The link is all that is printed, and works; what is said about it goes to standard error."""
    ended = doorcode("owner", "claim", "telegram")
    link, _, code = ended.out.strip().partition("?start=")
    assert (ended.code, link) == (0, "https://t.me/doorcode_bot")
    assert f"Open the link, or send {code} to the bot in a direct chat, before 2027-01-15 08:15:01 (UTC)." in ended.err
    assert sent(function, f"/start {code}", "7").kind is TicketKind.CLAIM
    [owner] = json.loads(doorcode("owner", "list", "--json").out)
    assert owner == {
        "platform": "telegram", "user_id": "7", "name": "@user7", "full_name": "", "label": "", "by_setting": False, "by_claim": True,
        "paired_at": "2027-01-15T08:00:01Z",
    }  # fmt: skip


def test_a_claim_for_any_platform(doorcode: Run, function: Function) -> None:
    """Without a platform each has its way: a link, the bare code, or the command with it."""
    ended = doorcode("owner", "claim")
    telegram, slack, discord = ended.out.split("\n")[1:4]
    code = slack.removeprefix("Slack:").strip()
    assert telegram == f"Telegram: https://t.me/doorcode_bot?start={code}"
    assert discord == f"Discord:  /chat {code}"
    assert sent(function, code, "U7", Platform.SLACK).platform == ""


def test_whoever_looks_on_sees_a_picture(doorcode: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a terminal, and nowhere else, the first way is drawn as a QR code below what can be copied."""
    plain = doorcode("owner", "claim", "telegram").out
    assert "█" not in plain
    monkeypatch.setattr(ways, "looks_on", lambda: True)
    first, empty, *picture = doorcode("owner", "claim", "telegram").out.splitlines()
    assert first.startswith("https://t.me/")
    assert empty == ""
    assert picture == ways.drawn(first)
    assert len(picture) > 10
    assert {character for line in picture for character in line} <= set("█▀▄ ")


def test_removing_owners(doorcode: Run, function: Function) -> None:
    """An owner is removed by id or name; the last one only with --confirm; of the setting none, and it is said how."""
    for user in "78":
        sent(function, doorcode("owner", "claim", "slack").out.strip(), f"U{user}00", Platform.SLACK)
    listed = doorcode("owner", "list").out
    assert listed.startswith(
        "Found 2 owners:\n\nPlatform: slack\nChannel:  U700\nName:     @userU700\nBy:       claim\n"
    )
    assert doorcode("owner", "remove", "slack", "@userU700").out == "✅ Removed slack owner U700\n"
    ended = doorcode("owner", "remove", "slack", "U800")
    assert ended.code == 1
    assert ended.err == (
        "slack U800 is the last owner: without one nobody is asked who may talk to the bot. "
        "To remove them all the same: doorcode owner remove slack U800 --confirm\n"
    )
    refused = doorcode("pairing", "revoke", "slack", "U800")
    assert refused.err.endswith("Run: doorcode owner remove slack U800\n")
    assert doorcode("owner", "remove", "slack", "U800", "--confirm").code == 0
    ended = doorcode("owner", "list")
    assert (ended.out, ended.err) == ("No owners found.\n", "To own the bot: doorcode owner claim\n")
    ended = doorcode("owner", "remove", "slack", "U800")
    assert "is no owner by claim" in ended.err


def test_owners_by_setting(doorcode: Run, function: Function, monkeypatch: pytest.MonkeyPatch) -> None:
    """Owners of OwnerUserIds are listed, and removed nowhere but there."""
    harness = function.harness
    settings = Settings(owners=((TELEGRAM, "1"),))
    for part, name in ((harness, "settings"), (harness.room, "_settings"), (harness.desk, "_settings")):
        monkeypatch.setattr(part, name, settings)
    assert "By:       setting" in doorcode("owner", "list").out
    ended = doorcode("owner", "remove", "telegram", "1", "--confirm")
    assert ended.code == 1
    assert ended.err == (
        "telegram 1 is an owner by OWNER_USER_IDS: take the id out of that setting. "
        "Change it with: doorcode init --set OwnerUserIds=…\n"
    )


def test_invites(doorcode: Run, function: Function) -> None:
    """An invite is printed once, listed without its code, counted down, and taken back."""
    ended = doorcode(
        "invite", "create", "telegram", "--uses", "2", "--for", "7d", "--label", "workshop", "--expires", "2w"
    )
    code = ended.out.strip().partition("?start=")[2]
    function.now = T0 + 2
    assert code in ended.err
    assert "it lets in 2 people, until 2027-01-29 08:00:01 (UTC)" in ended.err
    sent(function, code, "7")
    assert doorcode("pairing", "list").out.count("workshop") == 1
    listed = doorcode("invite", "list")
    assert code.replace("-", "") not in listed.out.replace("-", "")
    [invite] = json.loads(doorcode("invite", "list", "--json").out)
    assert (invite["left"], invite["uses"], invite["for_seconds"]) == (1, 2, 7 * 86_400)
    assert (
        f"Invite:   {invite['id']}\nWhere:    telegram\nLeft:     1 of 2\nStay:     7 days\nLabel:    workshop"
        in listed.out
    )
    assert f"doorcode invite revoke {invite['id']}" in ended.err
    assert doorcode("invite", "revoke", invite["id"]).out == f"✅ Revoked invite {invite['id']}\n"
    assert doorcode("invite", "list").out == "No invites found.\n"
    ended = doorcode("invite", "revoke", invite["id"])
    assert (ended.code, ended.err) == (1, "No invite with that id works. See: doorcode invite list\n")


def test_what_no_invite_can_be(doorcode: Run) -> None:
    """What an invite cannot be is refused, with what it can be."""
    for arguments, code, says in (
        (["--uses", "0"], 2, "greater than or equal to 1"),
        (["--expires", "31d"], 2, "at most 30 days"),
        (["--expires", "soon"], 2, "is not a duration"),
        (["--label", "a\u202eb"], 2, "all of them visible"),
        (["myspace"], 2, "myspace"),
    ):
        ended = doorcode("invite", "create", *arguments)
        assert ended.code == code, arguments
        assert says in ended.err, arguments

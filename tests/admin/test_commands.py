"""Every command of the operator."""

import json

import pytest

from doorcode.errors import UnavailableError
from doorcode.pairing.contact import Contact, Platform, State
from doorcode.pairing.keyring import Keyring
from doorcode.pairing.transitions import Operation
from tests.admin.harness import NOW, AdminHarness
from tests.harness import COOLDOWN, T0, TELEGRAM, TTL

STRANGER = "987654321"


def test_a_pending_request_is_listed_with_a_code_that_works(harness: AdminHarness) -> None:
    """The list shows each request's code, whichever of the secrets made it, and the code approves."""
    harness.request(STRANGER)
    harness.secrets.ring = Keyring((b"the new gateway secret", *harness.secrets.ring.secrets))
    harness.request("555001", T0 + 5, name="@later")
    answer = harness.done("list", platform="telegram", state="pending", now=T0 + 10)
    first, second = answer["contacts"]
    assert (answer["cursor"], answer["total"]) == ("", 2)
    assert first == {
        "platform": "telegram", "user_id": STRANGER, "name": "@stranger", "full_name": "", "state": "pending", "label": "",
        "requested_at": "2027-01-15T08:00:00Z", "expires_at": "2027-01-15T09:00:00Z", "paired_at": None,
        "paired_until": None, "decided_by": "", "decided_by_name": "", "decided_via": "",
        "code": harness.code(STRANGER),
    }  # fmt: skip
    assert second["user_id"] == "555001"
    for contact in (first, second):
        done = harness.done("approve", platform="telegram", code=contact["code"], now=T0 + 11)
        assert (done["contact"]["user_id"], done["contact"]["state"]) == (contact["user_id"], "paired")
    assert harness.done("list", platform="telegram", state="pending")["contacts"] == []


def test_a_request_whose_secret_is_gone_is_listed_without_a_code(
    harness: AdminHarness, caplog: pytest.LogCaptureFixture
) -> None:
    """The request can still be approved by user id; the log says why there is no code."""
    harness.request(STRANGER)
    harness.secrets.ring = Keyring((b"quite another secret",))
    (contact,) = harness.done("list", platform="telegram", state="pending")["contacts"]
    assert contact["code"] == ""
    assert "secret_unavailable" in [getattr(record, "reason", "") for record in caplog.records]
    assert harness.done("approve", platform="telegram", user_id=STRANGER)["contact"]["state"] == "paired"


def test_approve_keeps_label_and_end(harness: AdminHarness) -> None:
    """An approval says who decided, from where, under which label, and until when."""
    harness.request(STRANGER)
    code = harness.code(STRANGER)
    entered = f" {code[:4]}-{code[4:]} ".lower()
    contact = harness.done("approve", platform="Telegram", code=entered, label="alice", for_seconds=60)["contact"]
    assert "code" not in contact
    assert contact["label"] == "alice"
    assert contact["paired_at"] == "2027-01-15T08:00:01Z"
    assert contact["paired_until"] == "2027-01-15T08:01:01Z"
    assert (contact["decided_by"], contact["decided_via"]) == ("alice@laptop", "cli")
    assert harness.room.get(TELEGRAM, STRANGER).paired_until == NOW + 60


def test_a_wrong_channel_is_refused_and_the_code_still_works(harness: AdminHarness) -> None:
    """Security 9, 11: a code approves only whom it was made for, and a failed approval does not use it up."""
    harness.request(STRANGER)
    harness.request("111")
    code = harness.code(STRANGER)
    for wrong in ("111", "222", "98765432", f"{STRANGER}0"):
        assert harness.refused("approve", platform="telegram", code=code, user_id=wrong)["reason"] == "not_theirs"
    assert harness.room.get(TELEGRAM, "111").state is State.PENDING
    assert harness.done("approve", platform="telegram", code=code, user_id=STRANGER)["contact"]["state"] == "paired"


def test_deny_add_revoke_block_unblock(harness: AdminHarness) -> None:
    """Each decision moves the contact as the matrix says, and names who decided."""
    harness.request(STRANGER)
    steps = [
        ("deny", {"code": harness.code(STRANGER)}, "denied"),
        ("add", {"user_id": STRANGER, "label": "bob"}, "paired"),
        ("revoke", {"user_id": STRANGER}, "revoked"),
        ("block", {"user_id": STRANGER}, "blocked"),
        ("unblock", {"user_id": STRANGER}, "revoked"),
    ]
    for command, arguments, state in steps:
        contact = harness.done(command, platform="telegram", **arguments)["contact"]
        assert (contact["state"], contact["decided_by"], contact["decided_via"]) == (state, "alice@laptop", "cli")
    assert harness.held_seats() == []


def test_blocked_and_paired_are_listed_page_by_page(harness: AdminHarness) -> None:
    """Every contact comes once, newest first; the first page says how many there are, the others do not."""
    harness.put_paired(230)
    harness.decide(Operation.BLOCK, T0, user_id="900001")
    # A guest whose time is up is not listed, nor counted.
    harness.decide(Operation.ADD, T0, user_id="900002", until=T0 + 1)
    pages, cursor = [], ""
    while True:
        page = harness.done("list", platform="telegram", state="paired", cursor=cursor, now=T0 + 300)
        assert len(json.dumps(page)) < 6 * 1024 * 1024
        pages.append(page)
        cursor = page["cursor"]
        if not cursor:
            break
    assert len(pages) == 3
    assert [page.get("total") for page in pages] == [230, None, None]
    listed = [contact["user_id"] for page in pages for contact in page["contacts"]]
    assert listed == [str(number) for number in reversed(range(230))]
    (blocked,) = harness.done("list", platform="telegram", state="blocked")["contacts"]
    assert (blocked["user_id"], blocked["state"]) == ("900001", "blocked")
    assert harness.done("list", platform="slack", state="paired") == {"contacts": [], "cursor": "", "total": 0}


def test_clear_goes_page_by_page(harness: AdminHarness) -> None:
    """Each page revokes some, and the last one has no cursor; nobody is left paired."""
    harness.put_paired(103)
    first = harness.done("clear", platform="telegram", now=T0 + 300)
    assert (len(first["revoked"]), first["failed"]) == (100, [])
    second = harness.done("clear", platform="telegram", cursor=first["cursor"], now=T0 + 300)
    assert (len(second["revoked"]), second["cursor"]) == (3, "")
    assert set(first["revoked"] + second["revoked"]) == {str(number) for number in range(103)}
    contact = harness.room.get(TELEGRAM, "0")
    assert (contact.state, contact.decided_by, contact.decided_via) == (State.REVOKED, "alice@laptop", "cli")


def test_clear_names_who_could_not_be_revoked(harness: AdminHarness) -> None:
    """One contact's trouble holds up no other, and is told."""
    for user_id in ("1", "2", "3"):
        harness.decide(Operation.ADD, T0, user_id=user_id)
    move = harness.room.move

    def stubborn(contact: Contact, *args: object, **kwargs: object) -> Contact:
        if contact.user_id == "2":
            raise UnavailableError("write the table", "Throttling")
        return move(contact, *args, **kwargs)  # type: ignore[arg-type]

    harness.room.move = stubborn
    answer = harness.done("clear", platform="telegram")
    assert (sorted(answer["revoked"]), answer["failed"]) == (["1", "3"], ["2"])


def test_refusals_say_what_really_holds(harness: AdminHarness) -> None:
    """Security 17: whoever comes late is told the state, by whom and when, as one error form."""
    harness.request(STRANGER)
    code = harness.code(STRANGER)
    harness.decide(Operation.APPROVE, T0 + 1, code=code)
    error = harness.refused("approve", platform="telegram", code=code, now=T0 + 2)
    assert error == {
        "reason": "already_paired", "message": "Already approved by alice (cli).", "platform": "telegram",
        "user_id": STRANGER, "state": "paired", "decided_by": "alice", "decided_via": "cli",
        "decided_at": "2027-01-15T08:00:01Z",
    }  # fmt: skip
    assert harness.refused("deny", platform="telegram", code=code)["reason"] == "already_paired"
    assert harness.refused("unblock", platform="telegram", user_id=STRANGER)["reason"] == "not_blocked"
    harness.done("block", platform="telegram", user_id=STRANGER)
    assert harness.refused("block", platform="telegram", user_id=STRANGER)["reason"] == "already_blocked"
    assert harness.refused("add", platform="telegram", user_id=STRANGER)["reason"] == "blocked"
    assert harness.refused("approve", platform="telegram", user_id="666")["reason"] == "not_pending"
    assert harness.refused("revoke", platform="telegram", user_id="666")["reason"] == "not_paired"


@pytest.mark.parametrize("swept", [False, True], ids=["not_swept", "swept"])
def test_an_expired_code_is_told_with_its_time(harness: AdminHarness, swept: bool) -> None:
    """Security 14: whoever holds an expired code is told when it ended, whether or not anything has tidied up."""
    harness.request(STRANGER)
    code = harness.code(STRANGER)
    if swept:
        harness.room.expire_overdue(TELEGRAM, T0 + TTL + 100)
    error = harness.refused("approve", platform="telegram", code=code, now=T0 + TTL + 200)
    assert (error["reason"], error["state"], error["expired_at"]) == ("expired", "expired", "2027-01-15T09:00:00Z")
    assert harness.done("list", platform="telegram", state="pending", now=T0 + TTL)["contacts"] == []


@pytest.mark.parametrize("code", ["AAAA2222", "aaaa-2222"])
def test_unknown_used_and_foreign_codes_look_the_same(harness: AdminHarness, code: str) -> None:
    """Security 7, 12: a code of another platform is as unknown as one that never was."""
    harness.request("U1234ABCD", platform=Platform.SLACK)
    never = harness.refused("approve", platform="telegram", code=code)
    foreign = harness.refused("approve", platform="telegram", code=harness.code("U1234ABCD", Platform.SLACK))
    assert never == foreign
    assert never["reason"] == "unknown_code"


MALFORMED = ["", " ", "ABCD", "ABCD1234", "ABCDEFGHJ", "ABCD234O", "ÀBCD2345", "A" * 1000, "ABCD\x002345"]


def test_malformed_codes_never_count(harness: AdminHarness) -> None:
    """Security 10: what cannot be a code is refused, however often, without locking anybody out."""
    harness.request(STRANGER)
    for code in MALFORMED:
        error = harness.refused("deny", platform="telegram", code=code)
        assert error["reason"] in {"malformed_code", "invalid_user_id"}
    assert harness.done("deny", platform="telegram", code=harness.code(STRANGER))["contact"]["state"] == "denied"


def test_five_wrong_codes_lock_this_caller_and_nobody_else(harness: AdminHarness) -> None:
    """Security 13: even a right code is refused then, with the end of the lock; unlock frees the caller."""
    harness.request(STRANGER)
    code = harness.code(STRANGER)
    for _ in range(5):
        assert harness.refused("approve", platform="telegram", code="AAAA2222")["reason"] == "unknown_code"
    error = harness.refused("approve", platform="telegram", code=code)
    assert (error["reason"], error["until"]) == ("locked_out", "2027-01-15T08:05:01Z")
    # Who is locked out of guessing may still do what takes no code.
    assert harness.done("list", platform="telegram", state="pending")["total"] == 1
    harness.refused("approve", platform="telegram", code="BBBB2222", actor="bob@desk")
    assert harness.done("unlock") == {"freed": 1}
    assert harness.done("approve", platform="telegram", code=code)["contact"]["state"] == "paired"
    assert harness.done("unlock", actor="carol") == {"freed": 0}


def test_unlock_everybody_on_every_surface(harness: AdminHarness) -> None:
    """Whoever was told to unlock, on the command, the API or the page, is freed."""
    for surface in ("cli", "api", "web"):
        for caller in ("alice", "bob"):
            harness.lockout.count(surface, caller, NOW)
    assert harness.done("unlock", everybody=True) == {"freed": 6}
    assert [item for item in harness.items() if item["pk"]["S"].startswith("lockout#")] == []


def test_a_revoked_person_asks_again(harness: AdminHarness) -> None:
    """Security 18: a revocation ends the pairing, the old code stays without effect, and a new request has a new one."""
    harness.request(STRANGER)
    code = harness.code(STRANGER)
    harness.done("approve", platform="telegram", code=code)
    harness.done("revoke", platform="telegram", user_id=STRANGER)
    assert harness.refused("approve", platform="telegram", code=code)["reason"] == "not_pending"
    harness.request(STRANGER, T0 + COOLDOWN)
    assert harness.code(STRANGER) != code
    assert harness.refused("approve", platform="telegram", code=code)["reason"] == "unknown_code"


@pytest.mark.parametrize(("command", "state"), [("add", "paired"), ("approve", "paired"), ("block", "blocked")])
def test_a_name_or_label_is_looked_up_among_those_who_are_known(
    harness: AdminHarness, command: str, state: str
) -> None:
    """Security 6: a name that exactly one person goes by is used, and the id is shown; else nothing is done."""
    harness.request(STRANGER, name="@bo2")
    assert harness.done(command, platform="telegram", user_id="@BO2")["contact"]["user_id"] == STRANGER
    before = harness.items()
    for text in ("@bo", "bo#1234", "https://t.me/bo2", "bo@example.org", "*"):
        error = harness.refused(command, platform="telegram", user_id=text)
        assert error["reason"] == "unknown_name"
        assert "987654321" in error["message"]
    # Known on one platform is not known on another.
    assert harness.refused(command, platform="discord", user_id="@bo2")["reason"] == "unknown_name"
    assert harness.items() == before
    assert harness.room.get(TELEGRAM, STRANGER).state == state


def test_a_label_names_who_is_in_and_a_name_who_is_blocked(harness: AdminHarness) -> None:
    """Whoever is paired or blocked is known as well, by label and by name; two of a name are refused."""
    harness.done("add", platform="telegram", user_id="555001", label="Bo B.")
    assert harness.done("revoke", platform="telegram", user_id="bo b.")["contact"]["user_id"] == "555001"
    harness.request(STRANGER, name="@bo2")
    harness.done("block", platform="telegram", user_id="@bo2")
    harness.request("555002", name="@bo2")
    error = harness.refused("unblock", platform="telegram", user_id="@bo2")
    assert error == {
        "reason": "unknown_name", "message": "2 people on telegram go by '@bo2': 555002, 987654321. Give the user id.",
    }  # fmt: skip


def test_what_stands_in_the_table_under_an_odd_id_is_listed_and_taken_out(harness: AdminHarness) -> None:
    """What was blocked as @bo2, when that was taken for an id, is in the list and can be unblocked."""
    harness.put([Contact(platform=TELEGRAM, user_id="@bo2", state=State.BLOCKED, rev=1, decided_at=T0)])
    (listed,) = harness.done("list", platform="telegram", state="blocked")["contacts"]
    assert harness.done("unblock", platform="telegram", user_id=listed["user_id"])["contact"]["user_id"] == "@bo2"
    assert harness.done("list", platform="telegram", state="blocked")["contacts"] == []

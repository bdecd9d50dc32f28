"""Every command of the operator, on every DynamoDB that the tests use."""

import json

import pytest

from doorcode.errors import UnavailableError
from doorcode.pairing.contact import Contact, Platform, State
from doorcode.pairing.keyring import Keyring
from doorcode.pairing.transitions import Operation
from tests.admin.house import NOW, AdminHouse
from tests.backends.dynamodb import Table
from tests.house import COOLDOWN, T0, TELEGRAM, TTL

STRANGER = "987654321"


@pytest.fixture
def house(table: Table) -> AdminHouse:
    """Give the admin function over a table on each DynamoDB in turn."""
    return AdminHouse(table)


def test_a_pending_request_is_listed_with_a_code_that_works(house: AdminHouse) -> None:
    """The list shows each request's code, whichever of the secrets made it, and the code approves."""
    house.request(STRANGER)
    house.secrets.ring = Keyring((b"the new gateway secret", *house.secrets.ring.secrets))
    house.request("555001", T0 + 5, name="@later")
    answer = house.done("list", platform="telegram", state="pending", now=T0 + 10)
    first, second = answer["contacts"]
    assert (answer["cursor"], answer["total"]) == ("", 2)
    assert first == {
        "platform": "telegram", "user_id": STRANGER, "name": "@stranger", "full_name": "", "state": "pending", "label": "",
        "requested_at": "2027-01-15T08:00:00Z", "expires_at": "2027-01-15T09:00:00Z", "paired_at": None,
        "paired_until": None, "decided_by": "", "decided_by_name": "", "decided_via": "",
        "code": house.code(STRANGER),
    }  # fmt: skip
    assert second["user_id"] == "555001"
    for contact in (first, second):
        done = house.done("approve", platform="telegram", code=contact["code"], now=T0 + 11)
        assert (done["contact"]["user_id"], done["contact"]["state"]) == (contact["user_id"], "paired")
    assert house.done("list", platform="telegram", state="pending")["contacts"] == []


def test_a_request_whose_secret_is_gone_is_listed_without_a_code(
    house: AdminHouse, caplog: pytest.LogCaptureFixture
) -> None:
    """The request can still be approved by user id; the log says why there is no code."""
    house.request(STRANGER)
    house.secrets.ring = Keyring((b"quite another secret",))
    (contact,) = house.done("list", platform="telegram", state="pending")["contacts"]
    assert contact["code"] == ""
    assert "secret_unavailable" in [getattr(record, "reason", "") for record in caplog.records]
    assert house.done("approve", platform="telegram", user_id=STRANGER)["contact"]["state"] == "paired"


def test_approve_keeps_label_and_end(house: AdminHouse) -> None:
    """An approval says who decided, from where, under which label, and until when."""
    house.request(STRANGER)
    code = house.code(STRANGER)
    entered = f" {code[:4]}-{code[4:]} ".lower()
    contact = house.done("approve", platform="Telegram", code=entered, label="alice", for_seconds=60)["contact"]
    assert "code" not in contact
    assert contact["label"] == "alice"
    assert contact["paired_at"] == "2027-01-15T08:00:01Z"
    assert contact["paired_until"] == "2027-01-15T08:01:01Z"
    assert (contact["decided_by"], contact["decided_via"]) == ("alice@laptop", "cli")
    assert house.room.get(TELEGRAM, STRANGER).paired_until == NOW + 60


def test_a_wrong_channel_is_refused_and_the_code_still_works(house: AdminHouse) -> None:
    """Security 9, 11: a code approves only whom it was made for, and a failed approval does not use it up."""
    house.request(STRANGER)
    house.request("111")
    code = house.code(STRANGER)
    for wrong in ("111", "222", "98765432", f"{STRANGER}0"):
        assert house.refused("approve", platform="telegram", code=code, user_id=wrong)["reason"] == "not_theirs"
    assert house.room.get(TELEGRAM, "111").state is State.PENDING
    assert house.done("approve", platform="telegram", code=code, user_id=STRANGER)["contact"]["state"] == "paired"


def test_deny_add_revoke_block_unblock(house: AdminHouse) -> None:
    """Each decision moves the contact as the matrix says, and names who decided."""
    house.request(STRANGER)
    steps = [
        ("deny", {"code": house.code(STRANGER)}, "denied"),
        ("add", {"user_id": STRANGER, "label": "bob"}, "paired"),
        ("revoke", {"user_id": STRANGER}, "revoked"),
        ("block", {"user_id": STRANGER}, "blocked"),
        ("unblock", {"user_id": STRANGER}, "revoked"),
    ]
    for command, arguments, state in steps:
        contact = house.done(command, platform="telegram", **arguments)["contact"]
        assert (contact["state"], contact["decided_by"], contact["decided_via"]) == (state, "alice@laptop", "cli")
    assert house.held_seats() == []


def test_blocked_and_paired_are_listed_page_by_page(house: AdminHouse) -> None:
    """Every contact comes once, newest first; the first page says how many there are, the others do not."""
    house.put_paired(230)
    house.decide(Operation.BLOCK, T0, user_id="900001")
    # A guest whose time is up is not listed, nor counted.
    house.decide(Operation.ADD, T0, user_id="900002", until=T0 + 1)
    pages, cursor = [], ""
    while True:
        page = house.done("list", platform="telegram", state="paired", cursor=cursor, now=T0 + 300)
        assert len(json.dumps(page)) < 6 * 1024 * 1024
        pages.append(page)
        cursor = page["cursor"]
        if not cursor:
            break
    assert len(pages) == 3
    assert [page.get("total") for page in pages] == [230, None, None]
    listed = [contact["user_id"] for page in pages for contact in page["contacts"]]
    assert listed == [str(number) for number in reversed(range(230))]
    (blocked,) = house.done("list", platform="telegram", state="blocked")["contacts"]
    assert (blocked["user_id"], blocked["state"]) == ("900001", "blocked")
    assert house.done("list", platform="slack", state="paired") == {"contacts": [], "cursor": "", "total": 0}


def test_clear_goes_page_by_page(racing_table: Table) -> None:
    """Each page revokes some, and the last one has no cursor; nobody is left paired."""
    house = AdminHouse(racing_table)
    house.put_paired(130)
    first = house.done("clear", platform="telegram", now=T0 + 300)
    assert (len(first["revoked"]), first["failed"]) == (100, [])
    second = house.done("clear", platform="telegram", cursor=first["cursor"], now=T0 + 300)
    assert (len(second["revoked"]), second["cursor"]) == (30, "")
    assert set(first["revoked"] + second["revoked"]) == {str(number) for number in range(130)}
    contact = house.room.get(TELEGRAM, "0")
    assert (contact.state, contact.decided_by, contact.decided_via) == (State.REVOKED, "alice@laptop", "cli")


def test_clear_names_who_could_not_be_revoked(house: AdminHouse) -> None:
    """One contact's trouble holds up no other, and is told."""
    for user_id in ("1", "2", "3"):
        house.decide(Operation.ADD, T0, user_id=user_id)
    move = house.room.move

    def stubborn(contact: Contact, *args: object, **kwargs: object) -> Contact:
        if contact.user_id == "2":
            raise UnavailableError("write the table", "Throttling")
        return move(contact, *args, **kwargs)  # type: ignore[arg-type]

    house.room.move = stubborn  # type: ignore[method-assign]
    answer = house.done("clear", platform="telegram")
    assert (sorted(answer["revoked"]), answer["failed"]) == (["1", "3"], ["2"])


def test_refusals_say_what_really_holds(house: AdminHouse) -> None:
    """Security 17: whoever comes late is told the state, by whom and when, as one error form."""
    house.request(STRANGER)
    code = house.code(STRANGER)
    house.decide(Operation.APPROVE, T0 + 1, code=code)
    error = house.refused("approve", platform="telegram", code=code, now=T0 + 2)
    assert error == {
        "reason": "already_paired", "message": "Already approved by alice (cli).", "platform": "telegram",
        "user_id": STRANGER, "state": "paired", "decided_by": "alice", "decided_via": "cli",
        "decided_at": "2027-01-15T08:00:01Z",
    }  # fmt: skip
    assert house.refused("deny", platform="telegram", code=code)["reason"] == "already_paired"
    assert house.refused("unblock", platform="telegram", user_id=STRANGER)["reason"] == "not_blocked"
    house.done("block", platform="telegram", user_id=STRANGER)
    assert house.refused("block", platform="telegram", user_id=STRANGER)["reason"] == "already_blocked"
    assert house.refused("add", platform="telegram", user_id=STRANGER)["reason"] == "blocked"
    assert house.refused("approve", platform="telegram", user_id="666")["reason"] == "not_pending"
    assert house.refused("revoke", platform="telegram", user_id="666")["reason"] == "not_paired"


@pytest.mark.parametrize("swept", [False, True], ids=["not_swept", "swept"])
def test_an_expired_code_is_told_with_its_time(house: AdminHouse, swept: bool) -> None:
    """Security 14: whoever holds an expired code is told when it ended, whether or not anything has tidied up."""
    house.request(STRANGER)
    code = house.code(STRANGER)
    if swept:
        house.room.expire_overdue(TELEGRAM, T0 + TTL + 100)
    error = house.refused("approve", platform="telegram", code=code, now=T0 + TTL + 200)
    assert (error["reason"], error["state"], error["expired_at"]) == ("expired", "expired", "2027-01-15T09:00:00Z")
    assert house.done("list", platform="telegram", state="pending", now=T0 + TTL)["contacts"] == []


@pytest.mark.parametrize("code", ["AAAA2222", "aaaa-2222"])
def test_unknown_used_and_foreign_codes_look_the_same(house: AdminHouse, code: str) -> None:
    """Security 7, 12: a code of another platform is as unknown as one that never was."""
    house.request("U1234ABCD", platform=Platform.SLACK)
    never = house.refused("approve", platform="telegram", code=code)
    foreign = house.refused("approve", platform="telegram", code=house.code("U1234ABCD", Platform.SLACK))
    assert never == foreign
    assert never["reason"] == "unknown_code"


MALFORMED = ["", " ", "ABCD", "ABCD1234", "ABCDEFGHJ", "ABCD234O", "ÀBCD2345", "A" * 1000, "ABCD\x002345"]


def test_malformed_codes_never_count(house: AdminHouse) -> None:
    """Security 10: what cannot be a code is refused, however often, without locking anybody out."""
    house.request(STRANGER)
    for code in MALFORMED:
        error = house.refused("deny", platform="telegram", code=code)
        assert error["reason"] in {"malformed_code", "invalid_user_id"}
    assert house.done("deny", platform="telegram", code=house.code(STRANGER))["contact"]["state"] == "denied"


def test_five_wrong_codes_lock_this_caller_and_nobody_else(house: AdminHouse) -> None:
    """Security 13: even a right code is refused then, with the end of the lock; unlock frees the caller."""
    house.request(STRANGER)
    code = house.code(STRANGER)
    for _ in range(5):
        assert house.refused("approve", platform="telegram", code="AAAA2222")["reason"] == "unknown_code"
    error = house.refused("approve", platform="telegram", code=code)
    assert (error["reason"], error["until"]) == ("locked_out", "2027-01-15T08:05:01Z")
    # Who is locked out of guessing may still do what takes no code.
    assert house.done("list", platform="telegram", state="pending")["total"] == 1
    house.refused("approve", platform="telegram", code="BBBB2222", actor="bob@desk")
    assert house.done("unlock") == {"freed": 1}
    assert house.done("approve", platform="telegram", code=code)["contact"]["state"] == "paired"
    assert house.done("unlock", actor="carol") == {"freed": 0}


def test_unlock_everybody_on_every_surface(house: AdminHouse) -> None:
    """Whoever was told to unlock, on the command, the API or the page, is freed."""
    for surface in ("cli", "api", "web"):
        for caller in ("alice", "bob"):
            house.lockout.count(surface, caller, NOW)
    assert house.done("unlock", everybody=True) == {"freed": 6}
    assert [item for item in house.items() if item["pk"]["S"].startswith("lockout#")] == []


def test_a_revoked_person_asks_again(house: AdminHouse) -> None:
    """Security 18: a revocation ends the pairing, the old code stays without effect, and a new request has a new one."""
    house.request(STRANGER)
    code = house.code(STRANGER)
    house.done("approve", platform="telegram", code=code)
    house.done("revoke", platform="telegram", user_id=STRANGER)
    assert house.refused("approve", platform="telegram", code=code)["reason"] == "not_pending"
    house.request(STRANGER, T0 + COOLDOWN)
    assert house.code(STRANGER) != code
    assert house.refused("approve", platform="telegram", code=code)["reason"] == "unknown_code"


@pytest.mark.parametrize(("command", "state"), [("add", "paired"), ("approve", "paired"), ("block", "blocked")])
def test_a_name_or_label_is_looked_up_among_those_who_are_known(house: AdminHouse, command: str, state: str) -> None:
    """Security 6: a name that exactly one person goes by is used, and the id is shown; else nothing is done."""
    house.request(STRANGER, name="@bo2")
    assert house.done(command, platform="telegram", user_id="@BO2")["contact"]["user_id"] == STRANGER
    before = house.items()
    for text in ("@bo", "bo#1234", "https://t.me/bo2", "bo@example.org", "*"):
        error = house.refused(command, platform="telegram", user_id=text)
        assert error["reason"] == "unknown_name"
        assert "987654321" in error["message"]
    # Known on one platform is not known on another.
    assert house.refused(command, platform="discord", user_id="@bo2")["reason"] == "unknown_name"
    assert house.items() == before
    assert house.room.get(TELEGRAM, STRANGER).state == state


def test_a_label_names_who_is_in_and_a_name_who_is_blocked(house: AdminHouse) -> None:
    """Whoever is paired or blocked is known as well, by label and by name; two of a name are refused."""
    house.done("add", platform="telegram", user_id="555001", label="Bo B.")
    assert house.done("revoke", platform="telegram", user_id="bo b.")["contact"]["user_id"] == "555001"
    house.request(STRANGER, name="@bo2")
    house.done("block", platform="telegram", user_id="@bo2")
    house.request("555002", name="@bo2")
    error = house.refused("unblock", platform="telegram", user_id="@bo2")
    assert error == {
        "reason": "unknown_name", "message": "2 people on telegram go by '@bo2': 555002, 987654321. Give the user id.",
    }  # fmt: skip


def test_what_stands_in_the_table_under_an_odd_id_is_listed_and_taken_out(house: AdminHouse) -> None:
    """What was blocked as @bo2, when that was taken for an id, is in the list and can be unblocked."""
    house.put([Contact(platform=TELEGRAM, user_id="@bo2", state=State.BLOCKED, rev=1, decided_at=T0)])
    (listed,) = house.done("list", platform="telegram", state="blocked")["contacts"]
    assert house.done("unblock", platform="telegram", user_id=listed["user_id"])["contact"]["user_id"] == "@bo2"
    assert house.done("list", platform="telegram", state="blocked")["contacts"] == []

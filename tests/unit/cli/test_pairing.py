"""``doorcode pairing`` in process, over the real admin function and a table in process: what is printed, and how it ends."""

import getpass
import io
import json
import socket
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from rich.console import Console

from doorcode.errors import UnavailableError
from doorcode.pairing.contact import Platform
from doorcode.pairing.keyring import Keyring
from doorcode.pairing.transitions import Operation
from doorcode_cli import pairing
from doorcode_cli.app import main
from doorcode_cli.target import Target
from tests.admin.harness import AdminHarness
from tests.backends import dynamodb
from tests.backends.dynamodb import Backend
from tests.harness import T0, TELEGRAM, TTL
from tests.unit.cli.admin_fixtures import Ended, Function, Run


@pytest.fixture(scope="module")
def moto() -> Iterator[Backend]:
    """Run a DynamoDB in process."""
    with dynamodb.moto() as backend:
        yield backend


@pytest.fixture
def harness(moto: Backend) -> AdminHarness:
    """Give the admin function over a table in process."""
    return AdminHarness(moto.new_table())


@pytest.fixture
def function(harness: AdminHarness, monkeypatch: pytest.MonkeyPatch) -> Function:
    """Have the command reach that function."""
    found = Function(harness)
    monkeypatch.setattr(Target, "client", lambda *_: found)
    monkeypatch.setattr(getpass, "getuser", lambda: "alice")
    monkeypatch.setattr(socket, "gethostname", lambda: "laptop")
    return found


@pytest.fixture
def doorcode(
    function: Function, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Ended]:
    """Run a command line; ``typed`` is what stands on standard input."""
    assert function

    def run(*arguments: str, typed: str = "") -> Ended:
        monkeypatch.setattr(sys, "argv", ["doorcode", "pairing", *arguments])
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return Ended(int(ended.value.code or 0), out, err)

    return run


def test_an_empty_stack(doorcode: Run) -> None:
    """With nobody there, the lists say so."""
    assert doorcode("list") == (0, "No paired channels found.\n", "")
    assert doorcode("list", "--paired", "--platform", "slack") == (0, "No paired channels found.\n", "")
    assert doorcode("list", "--pending") == (0, "No pending requests found.\n", "")
    assert doorcode("list", "--blocked") == (0, "No blocked channels found.\n", "")
    assert doorcode("list", "--json").out == "[\n]\n"


def test_list_as_documented(doorcode: Run, harness: AdminHarness) -> None:
    """Paired contacts and pending requests, each field on a line, word for word."""
    harness.decide(Operation.ADD, T0, user_id="987654321", label="bob")
    harness.decide(Operation.ADD, T0 - 5, user_id="U1234ABCD", platform=Platform.SLACK, until=T0 + 86_400)
    harness.request("555001")
    assert doorcode("list") == (
        0,
        f"""\
Found 2 paired channels:

Platform: telegram
Channel:  987654321
Paired:   2027-01-15 08:00:00
By:       alice (cli)
Label:    bob

Platform: slack
Channel:  U1234ABCD
Paired:   2027-01-15 07:59:55
Until:    2027-01-16 08:00:00
By:       alice (cli)

1 pending requests:

Platform: telegram
Channel:  555001
Name:     @stranger
Code:     {harness.code("555001")}
Expires:  2027-01-15 09:00:00
""",
        "",
    )
    assert doorcode("list", "--platform", "Discord").out == "No paired channels found.\n"
    assert doorcode("list", "--pending").out.startswith("1 pending requests:\n\nPlatform: telegram\n")
    harness.decide(Operation.BLOCK, T0, user_id="666")
    assert doorcode("list", "--blocked").out == (
        "Found 1 blocked channels:\n\nPlatform: telegram\nChannel:  666\nBy:       alice (cli)\n"
    )


def test_list_names_who_is_in_and_who_decided(doorcode: Run, harness: AdminHarness) -> None:
    """Security 28: whom a button has let in is listed with their names, and with who pressed it, beside both ids."""
    names = {"name": "@sam", "full_name": "Sam Stranger", "decided_by_name": "@olivia"}
    harness.put_paired(1, decided_by="123456789", decided_via="button", **names)
    assert (
        doorcode("list").out
        == """\
Found 1 paired channels:

Platform: telegram
Channel:  0
Name:     @sam (Sam Stranger)
Paired:   2027-01-15 08:00:00
By:       @olivia (123456789, button)
"""
    )
    [record] = json.loads(doorcode("list", "--json").out)
    assert record.items() >= {**names, "decided_by": "123456789"}.items()


def test_list_as_json(doorcode: Run, harness: AdminHarness) -> None:
    """Every documented field, times in ISO 8601, and a code for what can be approved only."""
    harness.decide(Operation.ADD, T0, user_id="987654321", label="bob")
    harness.request("555001", name="Zoë \U0001f600")
    ended = doorcode("list", "--json")
    assert ended.out.isascii()
    paired, pending = json.loads(ended.out)
    assert paired == {
        "platform": "telegram", "user_id": "987654321", "name": "", "full_name": "", "state": "paired", "label": "bob",
        "requested_at": None, "expires_at": None, "paired_at": "2027-01-15T08:00:00Z", "paired_until": None,
        "decided_by": "alice", "decided_by_name": "", "decided_via": "cli",
    }  # fmt: skip
    assert pending == {
        "platform": "telegram", "user_id": "555001", "name": "Zoë \U0001f600", "full_name": "", "state": "pending", "label": "",
        "requested_at": "2027-01-15T08:00:00Z", "expires_at": "2027-01-15T09:00:00Z", "paired_at": None,
        "paired_until": None, "decided_by": "", "decided_by_name": "", "decided_via": "",
        "code": harness.code("555001"),
    }  # fmt: skip


def test_a_long_list_is_fetched_as_it_is_printed(doorcode: Run, harness: AdminHarness, function: Function) -> None:
    """Of a long list no more than a page is asked for before it is printed, and every contact comes once."""
    harness.put_paired(250)
    printed: list[int] = []
    real = function.answers

    def watched(event: dict[str, Any]) -> Any:
        printed.append(len(sys.stdout.getvalue()) if isinstance(sys.stdout, io.StringIO) else sys.stdout.tell())
        return real(event)

    function.answers = watched
    for options in ((), ("--json",)):
        ended = doorcode("list", "--paired", "--platform", "telegram", *options)
        if options:
            assert [contact["user_id"] for contact in json.loads(ended.out)] == [str(249 - one) for one in range(250)]
        else:
            assert ended.out.startswith("Found 250 paired channels:\n\nPlatform: telegram\nChannel:  249\n")
            assert ended.out.count("Channel:") == 250
        assert len(function.events) == 3, options
        assert printed == sorted(set(printed)), options
        function.events.clear()
        printed.clear()


def test_approve_deny_and_the_rest_as_documented(doorcode: Run, harness: AdminHarness, function: Function) -> None:
    """Each decision is said in one line, and a label below it."""
    harness.request("1")
    harness.request("2")
    harness.request("3")
    code = harness.code("1")
    assert doorcode("approve", "telegram", f"{code[:4].lower()} {code[4:]}", "--label", "alice") == (
        0, "✅ Successfully paired telegram channel 1\n   Label: alice\n", "",
    )  # fmt: skip
    assert doorcode("approve", "Telegram", "--user", "2", "--for", "7d").out == (
        "✅ Successfully paired telegram channel 2\n   Until: 2027-01-22 08:00:01 (UTC)\n"
    )
    assert doorcode("deny", "telegram", harness.code("3")).out == "✅ Denied telegram channel 3\n"
    assert doorcode("add", "telegram", "4", "--label", "bob").out == (
        "✅ Successfully paired telegram channel 4\n   Label: bob\n"
    )
    assert doorcode("revoke", "telegram", "4").out == "✅ Revoked telegram channel 4\n"
    assert doorcode("block", "telegram", "4").out == "✅ Blocked telegram channel 4\n"
    assert doorcode("unblock", "telegram", "4").out == "✅ Unblocked telegram channel 4\n"
    assert doorcode("unlock").out == "✅ Unlocked alice@laptop\n"
    assert doorcode("unlock", "--all").out == "✅ Unlocked everybody\n"
    assert {event["actor"] for event in function.events} == {"alice@laptop"}
    assert harness.room.get(TELEGRAM, "1").decided_by == "alice@laptop"


def test_a_refused_code_says_why(doorcode: Run, harness: AdminHarness, function: Function) -> None:
    """Unknown, already decided, expired, malformed: one line each, and exit code 1."""
    harness.request("1")
    harness.request("2")
    code = harness.code("1")
    assert doorcode("approve", "telegram", "AAAA2222") == (
        1, "", "No pending request has that code. See what is waiting with: doorcode pairing list --pending\n",
    )  # fmt: skip
    assert doorcode("approve", "telegram", code, "999") == (
        1, "", "That code is not theirs. See whose it is: doorcode pairing list --pending\n",
    )  # fmt: skip
    doorcode("approve", "telegram", code)
    assert doorcode("approve", "telegram", code) == (
        1, "", "Already approved by alice@laptop (cli). See: doorcode pairing list --paired\n",
    )  # fmt: skip
    function.now = T0 + TTL + 1
    assert doorcode("approve", "telegram", harness.code("2")) == (
        1, "",
        "The request of telegram 2 expired at 2027-01-15 09:00:00 (UTC). They can ask again by writing to the bot.\n",
    )  # fmt: skip
    assert doorcode("deny", "telegram", "ABCD1234").code == 1
    assert "That is not a pairing code" in doorcode("deny", "telegram", "ABCD1234").err
    assert doorcode("revoke", "telegram", "2") == (
        1, "", "telegram 2 is not paired (state: expired). See: doorcode pairing list --paired\n",
    )  # fmt: skip
    doorcode("block", "telegram", "2")
    assert doorcode("add", "telegram", "2").err == (
        "telegram 2 is blocked by alice@laptop (cli): unblock first. Run: doorcode pairing unblock telegram 2\n"
    )


def test_locked_out(doorcode: Run, harness: AdminHarness) -> None:
    """After five wrong codes the line says until when, and what to run."""
    harness.request("1")
    for _ in range(5):
        assert doorcode("approve", "telegram", "AAAA2222").code == 1
    assert doorcode("approve", "telegram", harness.code("1")) == (
        1, "",
        "Too many wrong codes: you are locked out until 2027-01-15 08:05:01 (UTC). Wait, or run: doorcode pairing unlock\n",
    )  # fmt: skip
    assert doorcode("unlock").code == 0
    assert doorcode("approve", "telegram", harness.code("1")).code == 0


def test_usage(doorcode: Run, harness: AdminHarness) -> None:
    """What cannot be meant ends with 2 and one line, and changes nothing."""
    for arguments in (
        ("approve",),
        ("approve", "telegram"),
        ("approve", "telegram", "ABCD2345", "--user", "1"),
        ("approve", "signal", "ABCD2345"),
        ("approve", "telegram", "ABCD2345", "--for", "soon"),
        ("approve", "telegram", "ABCD2345", "--for", "0d"),
        ("approve", "telegram", "ABCD2345", "--for", "-1d"),
        ("approve", "telegram", "ABCD2345", "1", "2"),
        ("add", "telegram", "1", "--for", "999999999w"),
        ("add", "telegram", "1", "--label", "a\x1b[2J"),
        ("add", "telegram", ""),
        ("list", "--pending", "--blocked"),
        ("list", "--platform", "signal"),
        ("list", "--colour"),
        ("lst",),
    ):
        ended = doorcode(*arguments)
        assert (ended.code, ended.out) == (2, ""), arguments
        assert len(ended.err.splitlines()) == 1, arguments
        assert "\x1b" not in ended.err, arguments
        assert harness.items() == [], arguments


def test_durations(doorcode: Run, harness: AdminHarness) -> None:
    """A pairing ends after seconds, minutes, hours, days or weeks."""
    for text, end in (("30s", 30), ("1m", 60), ("12H", 43_200), ("7d", 604_800), ("2w", 1_209_600)):
        doorcode("add", "telegram", "1", "--for", text)
        assert harness.room.get(TELEGRAM, "1").paired_until == T0 + 1 + end, text


def test_help(doorcode: Run) -> None:
    """Without a command the help is shown; every command's help has an example."""
    assert doorcode().err.startswith("Usage: doorcode pairing [OPTIONS] COMMAND")
    for command in ("list", "approve", "deny", "add", "revoke", "block", "unblock", "clear", "unlock"):
        ended = doorcode(command, "--help")
        assert ended.code == 0
        assert f"  doorcode pairing {command}" in ended.out


# Clearing


def test_clear_asks(doorcode: Run, harness: AdminHarness) -> None:
    """Without a yes nothing is cleared."""
    harness.put_paired(3)
    question = "Are you sure you want to clear ALL paired channels? [y/N]: "
    for typed in ("n\n", "\n", ""):
        ended = doorcode("clear", typed=typed)
        assert (ended.code, ended.out.rstrip("\n"), ended.err.strip()) == (
            1,
            question.rstrip("\n"),
            "Nothing was done.",
        )
    ended = doorcode("clear", typed="y\n")
    assert (ended.code, ended.out) == (0, f"{question}✅ Cleared 3 paired channels\n")
    assert doorcode("clear", "--confirm") == (0, "No paired channels to clear.\n", "")


def test_clear_one_platform(doorcode: Run, harness: AdminHarness) -> None:
    """The question and the answer name the platform, and the others stay."""
    harness.put_paired(2)
    harness.decide(Operation.ADD, T0, user_id="U1234ABCD", platform=Platform.SLACK)
    ended = doorcode("clear", "--platform", "slack", typed="y\n")
    assert ended.out == (
        "Are you sure you want to clear ALL paired slack channels? [y/N]: ✅ Cleared 1 paired slack channels\n"
    )
    assert doorcode("list").out.startswith("Found 2 paired channels:")


def test_clear_that_fails_in_part(doorcode: Run, harness: AdminHarness) -> None:
    """What could not be revoked is counted, and the command fails."""
    harness.put_paired(3)
    move = harness.room.move

    def stubborn(contact: Any, *args: Any, **kwargs: Any) -> Any:
        if contact.user_id == "1":
            raise UnavailableError("write the table", "Throttling")
        return move(contact, *args, **kwargs)

    harness.room.move = stubborn
    assert doorcode("clear", "--confirm") == (
        1, "", "Cleared 2 paired channels, but 1 could not be revoked. Run the command again.\n",
    )  # fmt: skip


def test_deny_by_user_id(doorcode: Run, harness: AdminHarness) -> None:
    """A request is denied without its code; the code and the user id exclude each other, and one is needed."""
    harness.request("1")
    assert doorcode("deny", "telegram", "--user", "1") == (0, "✅ Denied telegram channel 1\n", "")
    for arguments in ((), ("ABCD2345", "--user", "1")):
        ended = doorcode("deny", "telegram", *arguments)
        assert (ended.code, ended.err) == (2, "Give either the code or --user USER_ID.\n")


@pytest.mark.parametrize(
    ("options", "state", "also"), [((), "denied", ""), (("--block",), "blocked", ", and to block whoever made them")]
)
def test_clear_pending(doorcode: Run, harness: AdminHarness, options: tuple[str, ...], state: str, also: str) -> None:
    """Everybody who waits is denied, and blocked if wished, after a yes; paired people and other platforms stay."""
    harness.put_paired(1)
    for user_id in ("11", "12"):
        harness.request(user_id)
    harness.request("U1234ABCD", platform=Platform.SLACK)
    question = f"Are you sure you want to deny ALL pending telegram requests{also}? [y/N]: "
    assert (
        doorcode("clear", "--pending", "--platform", "telegram", *options, typed="n\n").err.strip()
        == "Nothing was done."
    )
    assert harness.room.get(TELEGRAM, "11").state == "pending"
    ended = doorcode("clear", "--pending", "--platform", "telegram", *options, typed="y\n")
    assert (ended.code, ended.out) == (0, f"{question}✅ Cleared 2 pending telegram requests\n")
    assert {harness.room.get(TELEGRAM, user_id).state for user_id in ("11", "12")} == {state}
    assert doorcode("list").out.startswith("Found 1 paired channels:")
    assert doorcode("clear", "--pending", "--confirm").out == "✅ Cleared 1 pending requests\n"
    assert doorcode("clear", "--pending", "--confirm").out == "No pending requests to clear.\n"


def test_clear_pending_that_fails_in_part(doorcode: Run, harness: AdminHarness) -> None:
    """Who could not be denied is counted, the rest is done, and the command fails."""
    for user_id in ("11", "12"):
        harness.request(user_id)
    move = harness.room.move

    def stubborn(contact: Any, *args: Any, **kwargs: Any) -> Any:
        if contact.user_id == "11":
            raise UnavailableError("write the table", "Throttling")
        return move(contact, *args, **kwargs)

    harness.room.move = stubborn
    assert doorcode("clear", "--pending", "--confirm") == (
        1, "", "Cleared 1 pending requests, but 1 could not be cleared. Run the command again.\n",
    )  # fmt: skip


def test_block_goes_with_pending(doorcode: Run, harness: AdminHarness) -> None:
    """Nobody who is paired is blocked by a slip."""
    harness.put_paired(1)
    assert doorcode("clear", "--block", "--confirm") == (2, "", "--block goes with --pending.\n")


def test_clear_shows_progress_on_a_terminal(
    doorcode: Run, harness: AdminHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever looks sees how far it is, on standard error; a pipe sees nothing of it."""
    harness.put_paired(3)
    drawn = io.StringIO()
    monkeypatch.setattr(pairing, "_looks_on", lambda: True)
    monkeypatch.setattr(pairing, "Console", lambda **_: Console(file=drawn, force_terminal=True))
    assert doorcode("clear", "--confirm").out == "✅ Cleared 3 paired channels\n"
    assert "3/3" in drawn.getvalue()


# What comes over the wire

HOSTILE = "\x1b[2J\x1b]0;owned\x07\u202egnp\u200b\x9b31m\r\nCode:     AAAA2222"


def always(answer: Any) -> Callable[[Any], Any]:
    """Have the function answer that, whatever it is told."""
    return lambda _: answer


def listed(**more: Any) -> dict[str, Any]:
    """Return a contact as the function answers it."""
    texts = dict.fromkeys(("name", "label", "decided_by", "decided_via"), "")
    times = dict.fromkeys(("requested_at", "expires_at", "paired_at", "paired_until"))
    return {"platform": "telegram", "user_id": "1", "state": "pending", **texts, **times, **more}


def test_strangers_names_are_harmless(doorcode: Run, function: Function) -> None:
    """Security 28: no control, bidirectional or zero-width character and no extra line reaches the terminal."""
    for state in ("pending", "paired", "blocked"):
        contact = listed(name=HOSTILE, label=HOSTILE, user_id=HOSTILE, platform=HOSTILE, code=HOSTILE, state=state)
        function.answers = always({"ok": True, "contacts": [contact], "cursor": "", "total": 1})
        shown = doorcode("list", f"--{state}", "--platform", "telegram").out
        assert not [character for character in "\x1b\x07\u202e\u200b\x9b\r" if character in shown], state
        assert not [line for line in shown.splitlines() if line.startswith("Code:     AAAA")], state
        as_json = doorcode("list", f"--{state}", "--platform", "telegram", "--json").out
        assert as_json.isascii(), state
        assert not [character for character in "\x1b\x07\r" if character in as_json], state
        function.answers = always({"ok": True, "contact": contact})
        shown = doorcode("add", "telegram", "1").out
        assert not [character for character in "\x1b\x07\u202e\u200b\x9b\r" if character in shown], state
        assert len(shown.splitlines()) == 2, state
        function.answers = always({"error": {"reason": "refused", "message": HOSTILE}})
        ended = doorcode("add", "telegram", "1")
        assert len(ended.err.splitlines()) == 1, state
        assert "\x1b" not in ended.err, state


def test_a_request_without_a_code_says_what_to_do(doorcode: Run, harness: AdminHarness) -> None:
    """A code whose secret is gone cannot be shown; the request can still be approved."""
    harness.request("555001")
    harness.secrets.ring = Keyring((b"another",))
    assert "Code:     none; approve with --user 555001\n" in doorcode("list", "--pending").out


def test_an_answer_that_is_none(doorcode: Run, function: Function) -> None:
    """What is no answer of ours ends with 3 and one line."""
    for answer in (
        b"",
        b"no json",
        b"\xff",
        b"null",
        b"[]",
        b"1",
        {},
        {"ok": True},
        {"ok": True, "contact": 1},
        {"error": 1},
    ):
        function.answers = always(answer)
        ended = doorcode("add", "telegram", "1")
        assert (ended.code, ended.out) == (3, ""), answer
        assert ended.err == (
            "The function doorcode-admin answers in a way that this command does not know. "
            "Are stack and command of the same version?\n"
        ), answer


def test_a_function_that_fails(doorcode: Run, function: Function) -> None:
    """An exception and a time-out of the function are told in one line, with 3: nothing is passed over."""
    for payload, said in (
        (
            {"errorType": "Sandbox.Timedout", "errorMessage": "RequestId: 1 Error: Task timed out after 60.00 seconds"},
            "Sandbox.Timedout: RequestId: 1 Error: Task timed out after 60.00 seconds",
        ),
        (
            {"errorMessage": "\x1b[2Jno such table", "errorType": "KeyError", "stackTrace": []},
            "KeyError: [2Jno such table",
        ),
        (b"", "it says no more"),
        (b"[]", "it says no more"),
        ({}, "it says no more"),
    ):
        function.answers = always(payload)
        function.error = "Unhandled"
        ended = doorcode("list")
        assert (ended.code, ended.out) == (3, ""), payload
        assert ended.err == (
            f"The function doorcode-admin failed: {said}. Whether anything was done is in its log, "
            "/doorcode/doorcode/behind. See: doorcode doctor\n"
        ), payload


def test_a_stack_that_is_out_of_order(doorcode: Run, function: Function) -> None:
    """What only the stack's keeper can mend ends with 3, and says where to look."""
    for reason in ("unavailable", "secret_unavailable", "bad_settings", "unreadable_item"):
        function.answers = always({"error": {"reason": reason, "message": "It is broken."}})
        assert doorcode("list") == (3, "", "It is broken. See: doorcode doctor\n"), reason


def test_a_list_that_breaks_off_is_no_json(doorcode: Run, harness: AdminHarness, function: Function) -> None:
    """A program that reads the list notices that it is not whole."""
    harness.put_paired(150)
    real = function.answers
    function.answers = lambda event: (
        {"error": {"reason": "unavailable", "message": "Not now."}} if event["cursor"] else real(event)
    )
    ended = doorcode("list", "--paired", "--platform", "telegram", "--json")
    assert ended.code == 3
    with pytest.raises(json.JSONDecodeError):
        json.loads(ended.out)


def test_whoever_runs_it_is_named_even_without_an_entry(
    doorcode: Run, function: Function, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A container without such a user still names the machine, and odd names are made safe and short."""

    def nobody() -> str:
        raise KeyError

    monkeypatch.setattr(getpass, "getuser", nobody)
    monkeypatch.setattr(socket, "gethostname", lambda: "box\x1b" + "x" * 100)
    assert doorcode("unlock").code == 0
    (event,) = function.events
    assert event["actor"] == ("somebody@box" + "x" * 100)[:64]

"""``doorcode ask`` and ``doorcode asks``: what they end with is the answer, and nothing but a yes ends with 0."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from doorcode.asking.client import AskClient
from tests.asking.conftest import Ended, Surroundings
from tests.web.gateway import serving

Run = Callable[..., Ended]
DELETE = ("ask", "Delete 3 files?", "--key", "cleaning")


def test_a_yes_is_good_once(doorcode: Run, around: Surroundings) -> None:
    """Security 47: the same key is one question; 0 comes with the word alone, once, and the approval is used up with it."""
    asked = doorcode(*DELETE)
    question = around.only()
    assert (asked.code, asked.out) == (5, "pending\n")
    assert f"Asked: {question['id']}." in asked.err
    around.decides(question["id"], "approve", reason="They are old")
    approved = doorcode(*DELETE)
    assert (approved.code, approved.out) == (0, "approved\n")
    assert "Approved by alice@laptop (web): They are old" in approved.err
    again = doorcode(*DELETE)
    assert (again.code, again.out) == (1, "used\n")
    assert "An approval is good for one time: ask again." in again.err
    # Without a key it is the same question while it is open or approved, and afterwards another.
    doorcode("ask", "Once more?")
    around.decides(around.only()["id"], "approve")
    assert doorcode("ask", "Once more?", "--details", "but different").code == 5
    assert [doorcode("ask", "Once more?").code for _ in range(2)] == [0, 5]


def test_a_yes_can_be_left_to_others(doorcode: Run, around: Surroundings) -> None:
    """With --no-use it is told as it stands, as JSON if wished, and can still be used."""
    doorcode(*DELETE)
    question = around.only()
    around.decides(question["id"], "approve")
    ended = doorcode(*DELETE, "--no-use", "--json")
    told = json.loads(ended.out)
    assert (ended.code, told["approved"], told["state"], told["digest"]) == (0, True, "approved", question["digest"])
    assert around.client.approved(around.client.look(question["id"]))


def test_every_other_end_has_its_code(doorcode: Run, around: Surroundings) -> None:
    """Security 47: denied, expired, taken back and not used in time are each told apart, and none is 0."""

    def lapsed(question_id: str) -> None:
        around.decides(question_id, "approve")
        around.web.now += 100

    def expired(_: str) -> None:
        around.web.now += 3601

    ways: dict[str, tuple[int, Callable[[str], Any]]] = {
        "denied": (1, lambda question_id: around.decides(question_id, "deny", reason="Keep them")),
        "cancelled": (6, lambda question_id: around.client.cancel(around.client.look(question_id))),
        "lapsed": (4, lapsed),
        "expired": (4, expired),
    }
    for word, (code, way) in ways.items():
        arguments = ("ask", f"Delete what is {word}?", "--key", word, "--valid-for", "60s")
        doorcode(*arguments)
        way(around.only()["id"])
        ended = doorcode(*arguments)
        assert (ended.code, ended.out) == (code, f"{word}\n")


def test_it_waits(doorcode: Run, around: Surroundings) -> None:
    """With --wait it ends as soon as somebody has decided."""

    def decide() -> None:
        if around.only()["state"] == "pending":
            around.decides(around.only()["id"], "approve")

    around.web.meanwhile = decide
    ended = doorcode(*DELETE, "--wait", "1m")
    assert (ended.code, ended.out) == (0, "approved\n")


def test_leaving(doorcode: Run, around: Surroundings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Security 47: Ctrl-C leaves the question and says how to go on; with --cancel-on-exit it is taken back, also when a wait just ends."""

    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(AskClient, "wait", interrupted)
        left = doorcode(*DELETE, "--wait", "10m")
        question = around.only()
        assert (left.code, left.out) == (5, "pending\n")
        assert f"doorcode asks cancel {question['id']}" in left.err
        taken_back = doorcode(*DELETE, "--wait", "10m", "--cancel-on-exit")
        assert (taken_back.code, taken_back.out) == (6, "cancelled\n")
    assert around.client.look(question["id"]).state == "cancelled"
    assert doorcode("ask", "Another?", "--cancel-on-exit").code == 6


def test_exactly_this_is_run(
    doorcode: Run, around: Surroundings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Security 48: --exec asks about the very program, arguments and folder, and becomes exactly that; a denial runs nothing."""
    (tmp_path / "sh").mkdir()
    command = ["sh", "-c", 'echo "$1" >> out; exit 7', "sh", "it ran"]
    asking = ["ask", "Run it?", "--key", "run", "--exec", "--", *command]
    monkeypatch.chdir(tmp_path)
    # In this process nothing may take its place: there is no yes yet.
    monkeypatch.setattr(os, "execv", pytest.fail)
    assert doorcode(*asking).code == 5
    question = around.only()
    assert question["arguments"]["command"] == command
    assert question["arguments"]["directory"] == str(tmp_path)
    assert Path(question["arguments"]["program"]).name == "sh"
    assert not (tmp_path / "out").exists()
    around.decides(question["id"], "approve")
    program = [sys.executable, "-m", "doorcode_cli", *asking]
    ended = subprocess.run(program, env=os.environ, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout, (tmp_path / "out").read_text()) == (7, "", "it ran\n"), ended.stderr
    assert doorcode(*asking).code == 1
    assert (tmp_path / "out").read_text() == "it ran\n"


def test_what_cannot_be_asked(doorcode: Run, around: Surroundings) -> None:
    """Wrong usage says what to do, ends with 2, and asks nobody; a refusal by the API says why and ends with 1 or 3."""
    assert around
    for arguments, says in (
        (("--arguments", "[1]"), "has to be a JSON object"),
        (("--arguments", "{"), "is not JSON"),
        (("--arguments", '{"a": 0.5}'), "as a string"),
        (("--exec",), "Example: --exec -- rm a b"),
        (("--", "rm"), "run only with --exec"),
        (("--exec", "--", "no-such-command-here"), "There is no command"),
        (("--choice", "one"), "2 to 5"),
        (("--details", "-", "--arguments", "-"), "can be read once"),
        (("--callback-url", "http://example.com"), "https"),
    ):
        ended = doorcode("ask", "Delete?", *arguments)
        assert (ended.code, ended.out) == (2, ""), ended
        assert says in ended.err
    assert around.page.get("/api/asks").body["asks"] == []
    assert doorcode(*DELETE).code == 5
    reused = doorcode(*DELETE, "--details", "another")
    assert (reused.code, reused.out) == (1, "")
    assert "Use another key." in reused.err


def test_what_is_read(doorcode: Run, around: Surroundings) -> None:
    """Details and arguments come from standard input where wished; the rest of the options reaches the question."""
    ended = doorcode(
        "ask", "Apply?", "--details", "-", "--arguments", '{"n": 3}', "--expires", "2m", said="a plan\nof two lines\n"
    )
    question = around.only()
    assert (ended.code, question["details"], question["arguments"]) == (5, "a plan\nof two lines", {"n": 3})
    doorcode("asks", "cancel", question["id"])
    doorcode("ask", "Which?", "--choice", "Blue", "--choice", "Green", "--key", "colour")
    question = around.only()
    around.decides(question["id"], "approve", choice=2)
    ended = doorcode("ask", "Which?", "--choice", "Blue", "--choice", "Green", "--key", "colour", "--json")
    assert (ended.code, json.loads(ended.out)["choice"]) == (0, "Green")


def test_the_number_on_this_screen(doorcode: Run, around: Surroundings) -> None:
    """--match says a number, beside the word; approving takes that one, and any other one denies."""
    for right in (True, False):
        command = ("ask", f"Pay {right}?", "--match")
        asked = doorcode(*command)
        (number,) = re.findall(r"The number to pick: (\d\d)$", asked.err, re.MULTILINE)
        assert (asked.code, asked.out) == (5, "pending\n")
        question = around.only()
        assert question["match"] is None
        missing = doorcode("asks", "approve", question["id"], "--confirm")
        assert missing.code == 1
        assert "takes the number that the asker shows" in missing.err
        picked = number if right else next(str(one) for one in question["numbers"] if str(one) != number)
        decided = doorcode("asks", "approve", question["id"], "--confirm", "--number", picked)
        assert decided.code == (0 if right else 1)
        assert right or "not the number that the asker shows, so it is denied" in decided.err
        ended = doorcode(*command)
        assert (ended.code, ended.out) == ((0, "approved\n") if right else (1, "denied\n"))
        assert right or "Another number was picked" in ended.err


def test_no_answer_is_a_yes(doorcode: Run, around: Surroundings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Security 47: whatever stands where Doorcode should, or nothing at all, it is no yes, and ends with 3."""
    assert around
    monkeypatch.setattr("doorcode.asking.client.TRIES", 1)
    answers: list[dict[str, Any]] = [
        {"statusCode": 200, "body": "<html>yes</html>"},
        {"statusCode": 200, "body": '{"state": "approved"}'},
        {"statusCode": 201, "body": '{"id": "A", "state": "approved", "digest": "sha256:0", "asker": "token ci"}'},
        {"statusCode": 302, "headers": {"Location": "https://elsewhere.example/"}, "body": ""},
        {"statusCode": 404, "body": "<html>no</html>"},
        {"statusCode": 401, "body": '{"error": "No.", "reason": "unauthorized"}'},
        {"statusCode": 500, "body": ""},
    ]
    with serving(lambda _event, _context: {"headers": {}} | answers[0]) as url:
        monkeypatch.setenv("DOORCODE_URL", url)
        while answers:
            ended = doorcode(*DELETE, "--wait", "1s")
            assert (ended.code, ended.out, ended.err.count("\n")) == (3, "", 1), (answers[0], ended)
            answers.pop(0)
    assert doorcode(*DELETE).code == 3
    monkeypatch.delenv("DOORCODE_TOKEN")
    ended = doorcode(*DELETE)
    assert ended.code == 2
    assert "doorcode token create --scope asks" in ended.err


def test_an_operator_decides(doorcode: Run, around: Surroundings, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is shown has nothing hidden; the command asks whether that is meant, and decides on what was shown."""
    around.client.ask("Send it?", "to \u202eelgoog", {"b": "x\ny", "a": 1}, key="send")
    question = around.only()
    listed = doorcode("asks", "list")
    assert "Found 1 question:" in listed.out
    assert question["id"] in listed.out
    shown = doorcode("asks", "show", question["id"]).out
    assert "│ to ⟨U+202E⟩elgoog" in shown
    assert '│ b: "x\\ny"' in shown
    # Whoever has no token of an asker sees everybody's.
    monkeypatch.delenv("DOORCODE_TOKEN")
    refused = doorcode("asks", "approve", question["id"], said="n\n")
    assert (refused.code, around.only()["state"]) == (1, "pending"), refused
    approved = doorcode("asks", "approve", question["id"], "--confirm", "--reason", "Fine")
    assert (approved.code, approved.out) == (0, f"✅ Approved {question['id']}\n")
    late = doorcode("asks", "deny", question["id"])
    assert (late.code, late.out) == (1, "")
    assert around.client.look(question["id"]).reason == "Fine"
    assert json.loads(doorcode("asks", "list", "--state", "approved", "--json").out)[0]["decided_by"] == "alice@laptop"


def test_an_asker_is_muted(doorcode: Run, around: Surroundings) -> None:
    """Security 47: who is muted is refused, which approves nothing; unmuted, it is heard again."""
    asker = around.asker.id
    assert doorcode("asks", "mute", asker).code == 0
    refused = doorcode(*DELETE)
    assert (refused.code, refused.out) == (1, "")
    assert doorcode("asks", "unmute", asker).code == 0
    assert doorcode(*DELETE).code == 5

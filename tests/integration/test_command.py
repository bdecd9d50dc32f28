"""The ``doorcode`` command as a process, against the deployed stack: what it prints, how it ends, and what follows.

Forked, save the one that is called as it is installed.
Each of its lines for each of its refusals is tried in process, in tests/unit/cli/test_pairing.py.
"""

import json
import os
import re
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from doorcode.aws.items import CONTACT, contact_pk
from doorcode.pairing.codes import ALPHABET, code_for
from doorcode.pairing.contact import Platform
from doorcode.pairing.keyring import parse_keyring
from tests import webhooks
from tests.backends import dynamodb
from tests.backends.emulators import KEYS
from tests.backends.in_process import REGION
from tests.forked import Ended, doorcode
from tests.integration.stack import Stack
from tests.webhooks import HELLO, load

COMMAND = Path(sys.executable).with_name("doorcode")
TELEGRAM, SLACK, DISCORD, *_ = Platform
ALICE, BOB = "987654321", "555001"
GUESSERS = 5


class Operator:
    """Somebody at a terminal, and the strangers who write to the bot meanwhile."""

    def __init__(self, stack: Stack, home: Path) -> None:
        self.stack = stack
        self.home = home
        self.environment = {
            # The command is found, as after pip install.
            "PATH": f"{COMMAND.parent}:{os.environ['PATH']}",
            "HOME": str(home),
            "USER": "alice",
            "LOGNAME": "alice",
            "AWS_ENDPOINT_URL": stack.cloud.url,
            **dynamodb.CREDENTIALS,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "DOORCODE_STACK": stack.name,
        }
        self.me = f"alice@{socket.gethostname()}"[:64]
        self._update = 1

    def pairing(self, *arguments: str, typed: str = "", **environment: str | None) -> Ended:
        """Run ``doorcode pairing`` with these arguments; None in the environment takes a variable out."""
        merged = {**self.environment, **environment}
        given = {name: value for name, value in merged.items() if value is not None}
        return doorcode(["pairing", *arguments], given, typed=typed)

    def done(self, *arguments: str, **environment: Any) -> str:
        """Run a command that succeeds and complains of nothing; return what it prints."""
        ended = self.pairing(*arguments, **environment)
        assert (ended.code, ended.err) == (0, ""), ended
        return ended.out

    def refused(self, *arguments: str, code: int = 1, **environment: Any) -> str:
        """Run a command that fails with one line; return the line."""
        ended = self.pairing(*arguments, **environment)
        assert (ended.code, ended.out) == (code, ""), ended
        (line,) = ended.err.splitlines()
        return line

    def says(self, user_id: str = ALICE, text: str = "Hello!", username: str = "stranger") -> str:
        """Have somebody write to the Telegram bot; return what the bot answers."""
        self._update += 1
        event = load(HELLO[TELEGRAM]).another(self._update)
        message = event.body["message"]
        message["from"] |= {"id": int(user_id), "username": username}
        message["chat"]["id"] = int(user_id)
        message["text"] = text
        raw = event.raw()
        headers = {**event.headers, **webhooks.signed(TELEGRAM, raw, int(time.time()))}
        reply = self.stack.post("telegram", raw, headers)
        assert reply.status == 200
        return str(reply.json["text"]) if reply.json else ""

    def asks(self, user_id: str = ALICE) -> str:
        """Have somebody ask for the first time; return the code that they are told."""
        # Without an owner the courier tells it, and it is no part of this stack.
        assert self.says(user_id) == ""
        return self.code(user_id)

    def code(self, user_id: str = ALICE) -> str:
        """Return the code of somebody's request, as they would be told it."""
        key = {"pk": {"S": contact_pk(TELEGRAM, user_id)}, "sk": {"S": CONTACT}}
        item = self.stack.client("dynamodb").get_item(TableName=self.stack.table, Key=key, ConsistentRead=True)["Item"]
        gateway = parse_keyring(self.stack.secret("gateway-secret"))
        return code_for(gateway.newest, TELEGRAM, user_id, item["nonce"]["S"])

    def admitted(self) -> list[str]:
        """Take the texts that reached the agent's queue."""
        return [json.loads(message["Body"])["messages"][0]["text"] for message in self.stack.admitted()]

    def change(self, user_id: str, **numbers: int) -> None:
        """Change times of a contact, as if they had passed."""
        self.stack.client("dynamodb").update_item(
            TableName=self.stack.table,
            Key={"pk": {"S": contact_pk(TELEGRAM, user_id)}, "sk": {"S": CONTACT}},
            UpdateExpression="SET " + ", ".join(f"{name} = :{name}" for name in numbers),
            ExpressionAttributeValues={f":{name}": {"N": str(number)} for name, number in numbers.items()},
        )


@pytest.fixture
def operator(pairing_stack: Stack, tmp_path: Path) -> Operator:
    """Give an operator of an empty stack without an owner: strangers are told their code."""
    pairing_stack.clear()
    return Operator(pairing_stack, tmp_path)


# The reference's documented session, word for word


def test_the_documented_session(operator: Operator, tmp_path: Path) -> None:
    """List, approve with a label, with the explicit channel, with --store-dir; revoke, clear, clear --confirm."""
    code = operator.asks(ALICE)
    assert operator.done("list") == (
        "No paired channels found.\n\n1 pending requests:\n\nPlatform: telegram\n"
        f"Channel:  {ALICE}\nName:     @stranger (Sam Stranger)\nCode:     {code}\nExpires:  {_expiry(operator, ALICE)}\n"
    )
    assert operator.done("approve", "telegram", code, "--label", "alice") == (
        f"✅ Successfully paired telegram channel {ALICE}\n   Label: alice\n"
    )
    paired = operator.done("list")
    assert re.fullmatch(
        rf"Found 1 paired channels:\n\nPlatform: telegram\nChannel:  {ALICE}\nName:     @stranger \(Sam Stranger\)\n"
        rf"Paired:   \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d\nBy:       {operator.me} \(cli\)\nLabel:    alice\n",
        paired,
    )

    code = operator.asks(BOB)
    assert operator.refused("approve", "telegram", code, "111").startswith("That code is not theirs.")
    assert operator.done("approve", "telegram", code, BOB) == f"✅ Successfully paired telegram channel {BOB}\n"

    (tmp_path / "sandbox.json").write_text(
        json.dumps(
            {
                "endpoint": operator.stack.cloud.url,
                "key": KEYS.key,
                "secret": KEYS.secret,
                "stack": operator.stack.name,
                "region": REGION,
            }
        )
    )
    away = {"AWS_ENDPOINT_URL": None, "AWS_ACCESS_KEY_ID": None, "AWS_DEFAULT_REGION": None, "DOORCODE_STACK": None}
    code = operator.asks("222")
    assert operator.done("approve", "telegram", code, "--store-dir", str(tmp_path), **away) == (
        "✅ Successfully paired telegram channel 222\n"
    )
    assert operator.done("list", "--local", DOORCODE_STORE_DIR=str(tmp_path), **away).startswith(
        "Found 3 paired channels:\n"
    )

    assert operator.done("revoke", "telegram", ALICE) == f"✅ Revoked telegram channel {ALICE}\n"
    assert operator.pairing("clear", typed="y\n") == (
        0, "Are you sure you want to clear ALL paired channels? [y/N]: ✅ Cleared 2 paired channels\n", "",
    )  # fmt: skip
    assert operator.done("list") == "No paired channels found.\n"
    operator.done("add", "telegram", "333")
    assert operator.done("clear", "--confirm") == "✅ Cleared 1 paired channels\n"


def _expiry(operator: Operator, user_id: str) -> str:
    (item,) = [item for item in operator.stack.items() if item["pk"]["S"] == contact_pk(TELEGRAM, user_id)]
    at = time.gmtime(int(item["code_expires_at"]["N"]))
    return time.strftime("%Y-%m-%d %H:%M:%S", at)


# Every other command


def test_what_is_decided_holds_from_the_next_message(operator: Operator) -> None:
    """Security 23: approve, revoke, block and unblock hold at once; a code that the list shows approves."""
    operator.asks(ALICE)
    (waiting,) = json.loads(operator.done("list", "--pending", "--json"))
    operator.says(text="before")
    operator.done("approve", "telegram", waiting["code"].lower())
    operator.says(text="after approval")
    operator.done("revoke", "telegram", ALICE)
    assert operator.says(text="after revocation") == ""
    assert len(json.loads(operator.done("list", "--pending", "--json"))) == 1
    operator.done("block", "telegram", ALICE)
    assert operator.says(text="blocked") == ""
    assert operator.refused("add", "telegram", ALICE) == (
        f"telegram {ALICE} is blocked by {operator.me} (cli): unblock first. Run: doorcode pairing unblock telegram {ALICE}"
    )
    assert operator.done("list", "--blocked") == (
        f"Found 1 blocked channels:\n\nPlatform: telegram\nChannel:  {ALICE}\nName:     @stranger (Sam Stranger)\n"
        f"By:       {operator.me} (cli)\n"
    )
    assert operator.done("unblock", "telegram", ALICE) == f"✅ Unblocked telegram channel {ALICE}\n"
    operator.done("add", "telegram", ALICE, "--label", "alice")
    operator.says(text="let in again")
    assert operator.admitted() == ["after approval", "let in again"]


def test_a_guest_goes_by_itself_and_can_ask_again(operator: Operator) -> None:
    """--for ends the pairing without anybody's doing; the next message is a request."""
    code = operator.asks()
    out = operator.done("approve", "telegram", code, "--for", "1m")
    assert re.fullmatch(r"✅ .+\n   Until: \d{4}-\d\d-\d\d \d\d:\d\d:\d\d \(UTC\)\n", out)
    operator.says(text="a guest")
    operator.change(ALICE, paired_until=int(time.time()) - 1)
    again = operator.asks()
    assert again != code
    assert operator.admitted() == ["a guest"]
    assert operator.done("list", "--paired") == "No paired channels found.\n"
    operator.done("approve", "telegram", "--user", ALICE)


def test_names_reach_no_terminal_unwashed(operator: Operator) -> None:
    """Security 28: whatever a stranger is called, the list is plain text."""
    operator.says(username="\x1b[2J\u202eevil\x07\r\n")
    out = operator.done("list", "--pending")
    assert not [character for character in "\x1b\u202e\x07\r" if character in out]
    assert f"Channel:  {ALICE}\n" in out


def test_the_installed_program(operator: Operator) -> None:
    """The program that is installed reaches the stack, and completes what is typed."""
    code = operator.asks()
    # Which shell completes is seen by what the program was started from, which need not be one.
    from_a_shell = ("bash", "-c", '"$0" --show-completion; exit $?', COMMAND)
    for command, said in (
        ((COMMAND, "pairing", "list"), f"Code:     {code}\n"),
        (from_a_shell, "_DOORCODE_COMPLETE"),
    ):
        ran = subprocess.run(command, env=operator.environment, capture_output=True, text=True, check=False, timeout=90)
        assert (ran.returncode, ran.stderr) == (0, "")
        assert said in ran.stdout


# Guessing


def test_five_processes_guess_together(operator: Operator) -> None:
    """Security 13: guesses of several processes are one caller's; nobody else is locked out; unlock works."""
    code = operator.asks()
    wrong = [f"AAAA222{character}" for character in ALPHABET if f"AAAA222{character}" != code][: GUESSERS + 1]
    with ThreadPoolExecutor(GUESSERS) as pool:
        lines = list(pool.map(lambda guess: operator.refused("approve", "telegram", guess), wrong))
    compared = [line for line in lines if line.startswith("No pending request has that code.")]
    locked = [line for line in lines if line.startswith("Too many wrong codes: you are locked out until ")]
    assert (len(compared), len(locked)) == (5, 1)
    line = operator.refused("approve", "telegram", code)
    assert line.endswith(" (UTC). Wait, or run: doorcode pairing unlock")
    bobs = operator.asks(BOB)
    operator.done("approve", "telegram", bobs, USER="bob", LOGNAME="bob")
    assert operator.done("unlock") == f"✅ Unlocked {operator.me}\n"
    operator.done("approve", "telegram", code)


def test_the_log_names_the_operator_and_no_code(operator: Operator) -> None:
    """Security 8: the function's log has who did what to whom, and how it went."""
    code = operator.asks()
    operator.done("list")
    operator.refused("approve", "telegram", code, "111")
    operator.done("approve", "telegram", code, "--label", "somebody's label")
    records = operator.stack.log("admin")
    done = [record for record in records if record.get("operation") == "approve" and record.get("user_id") == ALICE]
    assert done
    assert (done[-1]["actor"], done[-1]["outcome"], done[-1]["platform"]) == (operator.me, "paired", "telegram")
    assert code not in str(records)
    assert "somebody's label" not in str(records)


# Trouble


def test_a_stack_that_is_not_there(operator: Operator) -> None:
    """An unknown stack, a dead endpoint, missing credentials and a missing region: one line each, and 3."""
    assert operator.refused("list", "--stack", "nowhere", code=3).startswith(
        "Cannot reach the function nowhere-admin: "
    )
    dead = operator.refused("list", code=3, AWS_ENDPOINT_URL="http://127.0.0.1:1")
    assert dead.startswith("Cannot reach the function pairing-admin: Could not connect to the endpoint URL")
    assert operator.refused("list", code=3, AWS_ACCESS_KEY_ID=None, AWS_SECRET_ACCESS_KEY=None) == (
        "Cannot reach the function pairing-admin: Unable to locate credentials. See: doorcode doctor"
    )
    assert operator.refused("list", code=3, AWS_DEFAULT_REGION=None) == (
        "Cannot reach AWS: You must specify a region. See: doorcode doctor"
    )
    line = operator.refused("list", "--store-dir", str(operator.home / "none"), code=3)
    assert re.search(r"Start one with: (\S+/)?doorcode run$", line)


def test_a_secret_that_is_missing(operator: Operator) -> None:
    """Without the gateway secret codes are refused, with the command that mends it; requests are listed all the same."""
    code, secret = operator.asks(), operator.stack.secret("gateway-secret")
    path = f"{operator.stack.outputs['ParameterPrefix']}/gateway-secret"
    operator.stack.client("ssm").delete_parameter(Name=path)
    try:
        line = operator.refused("approve", "telegram", code, code=3)
    finally:
        operator.stack.set_secret("gateway-secret", secret)
    assert line == (
        f"The secret {path} is missing. Set it with: doorcode secrets set gateway-secret See: doorcode doctor"
    )


def test_a_function_that_times_out_or_crashes(operator: Operator) -> None:
    """A function that gives no answer is never passed over: one line, and 3."""
    functions, name = operator.stack.client("lambda"), operator.stack.outputs["AdminFunctionName"]
    before = functions.get_function_configuration(FunctionName=name)
    variables = before["Environment"]["Variables"]
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        try:
            functions.update_function_configuration(
                FunctionName=name,
                Timeout=1,
                Environment={"Variables": {**variables, "AWS_ENDPOINT_URL_DYNAMODB": endpoint}},
            )
            slow = operator.refused("list", code=3)
            functions.update_function_configuration(FunctionName=name, Timeout=60, Handler="app.nothing")
            broken = operator.refused("list", code=3)
        finally:
            functions.update_function_configuration(
                FunctionName=name,
                Timeout=before["Timeout"],
                Handler=before["Handler"],
                Environment={"Variables": variables},
            )
    assert slow.startswith("The function pairing-admin failed: ")
    assert "timed out" in slow
    assert broken.startswith("The function pairing-admin failed: ")
    assert operator.done("list") == "No paired channels found.\n"

"""``doorcode web`` and ``doorcode token`` in process, over the real admin function and a table in process."""

import getpass
import io
import json
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from doorcode.aws.sign_ins import SignIns
from doorcode.aws.tokens import Tokens
from doorcode.errors import SignInError, UnavailableError
from doorcode.pairing.access import Scope
from doorcode_cli.app import main
from doorcode_cli.target import Target
from tests.admin.harness import PAGE, AdminHarness
from tests.backends import dynamodb
from tests.backends.dynamodb import Backend
from tests.harness import T0
from tests.unit.cli.admin_fixtures import Ended, Function, Run

DAY = 86_400


@pytest.fixture(scope="module")
def moto() -> Iterator[Backend]:
    """Run a DynamoDB in process."""
    with dynamodb.moto() as backend:
        yield backend


@pytest.fixture
def function(moto: Backend, monkeypatch: pytest.MonkeyPatch) -> Function:
    """Have the command reach the admin function over a table in process."""
    found = Function(AdminHarness(moto.new_table()))
    monkeypatch.setattr(Target, "client", lambda *_: found)
    monkeypatch.setattr(getpass, "getuser", lambda: "alice")
    monkeypatch.setattr(socket, "gethostname", lambda: "laptop")
    return found


@pytest.fixture
def sign_ins(function: Function) -> SignIns:
    """Give the links and sessions that the commands make."""
    return function.harness.sign_ins


@pytest.fixture
def tokens(function: Function) -> Tokens:
    """Give the tokens that the commands make."""
    return function.harness.tokens


@pytest.fixture
def doorcode(function: Function, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command line."""
    assert function

    def run(*arguments: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["doorcode", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return Ended(int(ended.value.code or 0), out, err)

    return run


# doorcode web


def test_a_link_stands_alone(doorcode: Run, sign_ins: SignIns) -> None:
    """The link is all that is printed, with its token in the fragment; what is said about it goes to standard error."""
    ended = doorcode("web")
    page, _, token = ended.out.removesuffix("\n").partition("#token=")
    assert (ended.code, page) == (0, PAGE)
    _, principal = sign_ins.redeem(token, T0 + 2)
    assert principal.actor == "alice@laptop"
    assert ended.err == (
        "Open it before 2027-01-15 08:05:01 (UTC). It works once; whoever opens it decides who is let in.\n"
    )


def test_a_link_to_the_sandbox(doorcode: Run, tmp_path: Path) -> None:
    """On this machine the link leads to where the sandbox listens, not to the emulator's own address."""
    for url in ("http://127.0.0.1:8787", "http://127.0.0.1:8787/"):
        (tmp_path / "sandbox.json").write_text(json.dumps({"endpoint": "http://127.0.0.1:8788", "url": url}))
        assert doorcode("web", "--store-dir", str(tmp_path)).out.startswith("http://127.0.0.1:8787/owner#token="), url


def test_a_sandbox_that_does_not_say_where_it_is(doorcode: Run, tmp_path: Path) -> None:
    """A sandbox that tells no address leads to the stack's own."""
    (tmp_path / "sandbox.json").write_text('{"endpoint": "http://127.0.0.1:8788"}')
    assert doorcode("web", "--store-dir", str(tmp_path)).out.startswith(f"{PAGE}#token=")


def test_signing_everybody_out(doorcode: Run, sign_ins: SignIns) -> None:
    """One command ends every session and link, and says how many there were."""
    assert doorcode("web", "--sign-out") == (0, "Nobody was signed in.\n", "")
    cookie, _ = sign_ins.redeem(sign_ins.link("bob", T0), T0)
    doorcode("web")
    assert doorcode("web", "--sign-out") == (0, "✅ Signed everybody out (2 sessions and links)\n", "")
    with pytest.raises(SignInError):
        sign_ins.principal(cookie, T0)


# doorcode token


def test_a_token_stands_alone(doorcode: Run, tokens: Tokens) -> None:
    """``TOKEN=$(doorcode token create …)`` keeps the token and nothing else; the rest goes to standard error."""
    ended = doorcode("token", "create", "--scope", "pairing", "--name", "ci", "--for", "30d")
    principal = tokens.principal(ended.out.removesuffix("\n"), T0 + 30 * DAY)
    assert (ended.code, principal.actor, principal.scope) == (0, "token ci", "pairing")
    assert principal.expires_at == T0 + 1 + 30 * DAY
    assert ended.err == (
        "It works until 2027-02-14 08:00:01 (UTC) and is not shown again. "
        f"To end it: doorcode token revoke {principal.id}\n"
    )


def test_a_token_as_strong_as_an_owner_says_so(doorcode: Run, tokens: Tokens) -> None:
    """Security 20, 43: several scopes go on one token; where it may report presses, that is said, and only there."""
    ended = doorcode("token", "create", "--scope", "presses", "--scope", "gate")
    assert tokens.principal(ended.out.strip(), T0).scope == "gate presses"
    assert "as strong as an owner" in ended.err
    assert "as strong as an owner" not in doorcode("token", "create", "--scope", "gate").err


def test_a_token_without_an_end_says_so(doorcode: Run, tokens: Tokens) -> None:
    """Without --for a token works until it is revoked."""
    ended = doorcode("token", "create", "--scope", "read")
    assert tokens.principal(ended.out.strip(), T0 + 1000 * DAY).scope == "read"
    assert ended.err.startswith("It works until it is revoked and is not shown again.")


def test_tokens_are_listed(doorcode: Run, tokens: Tokens) -> None:
    """Each token's fields, each on a line, without its secret."""
    assert doorcode("token", "list") == (0, "No tokens found.\n", "")
    _, first = tokens.create("ci", {Scope.PAIRING}, "alice@laptop", T0, T0 + DAY)
    secret, second = tokens.create("", {Scope.READ}, "bob@desk", T0 + 1)
    ended = doorcode("token", "list")
    assert ended == (
        0,
        f"""\
Found 2 tokens:

Token:    {first.id}
Name:     ci
Scope:    pairing
Created:  2027-01-15 08:00:00
By:       alice@laptop
Expires:  2027-01-16 08:00:00

Token:    {second.id}
Scope:    read
Created:  2027-01-15 08:00:01
By:       bob@desk
Expires:  never
""",
        "",
    )
    as_json = doorcode("token", "list", "--json")
    assert json.loads(as_json.out)[1] == {
        "id": second.id, "name": "", "scope": "read", "created_at": "2027-01-15T08:00:01Z",
        "created_by": "bob@desk", "expires_at": None,
    }  # fmt: skip
    assert json.loads(as_json.out)[0]["expires_at"] == "2027-01-16T08:00:00Z"
    assert secret.partition(".")[2] not in ended.out + as_json.out


def test_a_token_is_revoked(doorcode: Run, tokens: Tokens) -> None:
    """A token is ended by its id, once; who is unknown is refused with what to do."""
    _, token = tokens.create("ci", {Scope.READ}, "alice", T0)
    assert doorcode("token", "revoke", token.id) == (0, f"✅ Revoked token {token.id}\n", "")
    expected = (1, "", "There is no token with that id. See: doorcode token list\n")
    assert doorcode("token", "revoke", token.id) == expected
    assert doorcode("token", "revoke", "\x1b[2J") == expected


def test_what_cannot_be_meant(doorcode: Run, function: Function) -> None:
    """What cannot be meant is a mistake of usage: one line, nothing on standard output, and nothing made."""
    for arguments, line in (
        (("create",), "Missing option '--scope'"),
        (("create", "--scope", "admin"), "'admin' is not one of 'read', 'pairing'"),
        (("create", "--scope", "read", "--for", "soon"), "'soon' is not a duration"),
        (("create", "--scope", "read", "--name", "a" * 59), "A token's name has at most 58 characters"),
        (("create", "--scope", "read", "--for", "999999999w"), "The end of a token must lie in the future."),
        (("revoke",), "Missing argument 'ID'"),
    ):
        code, out, err = doorcode("token", *arguments)
        assert (code, out, len(err.splitlines())) == (2, "", 1), arguments
        assert line in err, arguments
        assert function.harness.items() == [], arguments


def test_trouble_prints_nothing_to_keep(doorcode: Run, function: Function) -> None:
    """A stack in trouble, or of another version, prints no half a link or token, and ends with 3."""
    for arguments in (("web",), ("web", "--sign-out"), ("token", "create", "--scope", "read")):

        def in_trouble(_: Any) -> Any:
            error = UnavailableError("write the table", "throttled")
            return {"error": {"reason": error.reason, "message": str(error)}}

        for answers in (in_trouble, lambda _: {"ok": True, "token": "x"}):
            function.answers = answers
            ended = doorcode(*arguments)
            assert (ended.code, ended.out) == (3, ""), arguments


def test_what_a_stack_answers_is_made_harmless(doorcode: Run, function: Function) -> None:
    """Security 28: whatever a stack answers cannot move the cursor."""
    hostile = "\x1b[2J\u202eevil"
    token = {"id": hostile, "name": hostile, "scope": hostile, "created_by": hostile}
    times = {"created_at": "2027-01-15T08:00:00Z", "expires_at": "2027-01-15T08:00:00Z"}
    function.answers = lambda _: {"token": hostile, "url": hostile, "tokens": [token | times], **token, **times}
    for arguments in (("web",), ("token", "create", "--scope", "read"), ("token", "list"), ("token", "revoke", "x")):
        _, out, err = doorcode(*arguments)
        assert not [character for character in "\x1b\u202e" if character in out + err]


def test_output_survives_a_plain_terminal(doorcode: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal that cannot show the tick shows something else, and the command ends well."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stream)
    doorcode("web")
    assert doorcode("web", "--sign-out").code == 0

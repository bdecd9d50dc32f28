"""Which stack a command reaches, and what it says when it reaches none: the real client, and nothing to talk to."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from doorcode_cli.app import main
from doorcode_cli.target import Target
from tests.backends.emulators import free_port

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def doorcode(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Run a command line at a home of its own; return its exit code and its line on standard error."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")

    def run(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["doorcode", "pairing", "list", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        assert out == ""
        assert len(err.splitlines()) == 1
        return int(ended.value.code or 0), err

    return run


def test_an_endpoint_that_is_not_there(doorcode: Run) -> None:
    """No network: one line that says what could not be reached."""
    code, line = doorcode("--stack", "mine")
    assert code == 3
    assert line.startswith("Cannot reach the function mine-admin: Could not connect to the endpoint URL")
    assert line.endswith(". See: doorcode doctor --stack mine\n")


def test_credentials_that_are_missing(doorcode: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """No credentials: one line."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    assert doorcode() == (
        3, "Cannot reach the function doorcode-admin: Unable to locate credentials. See: doorcode doctor\n",
    )  # fmt: skip


def test_a_sandbox_that_was_meant(doorcode: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No credentials, and a sandbox that runs here: what was left out is said."""
    (tmp_path / ".doorcode").mkdir()
    (tmp_path / ".doorcode/sandbox.json").write_text('{"endpoint": "http://127.0.0.1:1"}')
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    code, line = doorcode()
    assert code == 3
    assert line.endswith("Unable to locate credentials. To work on this machine's sandbox, add: --local\n")


def test_a_region_that_is_missing(doorcode: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """No region: one line."""
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    assert doorcode() == (3, "Cannot reach AWS: You must specify a region. See: doorcode doctor\n")


def test_a_profile_that_is_missing(doorcode: Run) -> None:
    """No such profile: one line."""
    code, line = doorcode("--profile", "nobody")
    assert code == 3
    assert line.startswith("Cannot reach AWS: The config profile (nobody) could not be found")


def test_a_sandbox_that_does_not_run(doorcode: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No sandbox, or one whose file cannot be read: one line that says how to start it."""
    expected = f"No sandbox is running with its state in {tmp_path}. Start one with: doorcode run\n"
    assert doorcode("--store-dir", str(tmp_path)) == (3, expected)
    (tmp_path / "sandbox.json").write_text("{")
    monkeypatch.setenv("DOORCODE_STORE_DIR", str(tmp_path))
    assert doorcode() == (3, expected)


def test_a_sandbox_that_has_gone(doorcode: Run, tmp_path: Path) -> None:
    """The sandbox's own endpoint is taken, with its own stack, and nothing of the operator's account."""
    (tmp_path / "sandbox.json").write_text(f'{{"endpoint": "http://127.0.0.1:{free_port()}", "stack": "box"}}')
    code, line = doorcode("--local", "--store-dir", str(tmp_path))
    assert code == 3
    assert line.startswith("Cannot reach the function box-admin: Could not connect")


@pytest.mark.parametrize("kind", ["a file", "a pipe"])
def test_a_sandbox_of_somebody_else(doorcode: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """Security 37: what another user laid there is not followed, and not waited for; one line."""
    path = tmp_path / "sandbox.json"
    if kind == "a file":
        path.write_text(f'{{"endpoint": "http://127.0.0.1:{free_port()}"}}')
        monkeypatch.setattr("doorcode_cli.target.os.geteuid", lambda: os.getuid() + 1)
    else:
        os.mkfifo(path, 0o600)
    assert doorcode("--store-dir", str(tmp_path)) == (
        3,
        (
            f"{path} belongs to another user, so it is not followed. Start a sandbox of your own, in another folder: "
            "doorcode run --store-dir DIRECTORY\n"
        ),
    )


def test_a_sandbox_that_others_may_write(doorcode: Run, tmp_path: Path) -> None:
    """Security 37: what others may have written is not followed; one line that says how to mend it."""
    for mode in (0o660, 0o602):
        path = tmp_path / "sandbox.json"
        path.write_text(f'{{"endpoint": "http://127.0.0.1:{free_port()}"}}')
        path.chmod(mode)
        assert doorcode("--store-dir", str(tmp_path)) == (
            3,
            (
                f"{path} can be written by others, so it is not followed. End the sandbox, delete the file, and start again: "
                "doorcode run\n"
            ),
        ), mode


def test_where_platforms_reach_a_sandbox(tmp_path: Path) -> None:
    """Through its tunnel where it has one, else at its own address; a stack in AWS has its own."""
    for facts, expected in (
        ({"url": "http://127.0.0.1:8787"}, "http://127.0.0.1:8787"),
        ({"url": "http://127.0.0.1:8787", "public_url": "https://tunnel.example"}, "https://tunnel.example"),
    ):
        (tmp_path / "sandbox.json").write_text(json.dumps({"endpoint": "http://127.0.0.1:8788", **facts}))
        assert Target(stack="s", region=None, profile=None, local=True, store_dir=tmp_path).public_url == expected
    assert Target(stack="s", region=None, profile=None, local=False, store_dir=None).public_url == ""

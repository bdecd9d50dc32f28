"""The command with closed and full streams, and the options that every command has."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.main import get_command

from doorcode_cli.app import app
from doorcode_cli.shown import shown
from doorcode_cli.streams import Patient

FULL = Path("/dev/full")
needs_full = pytest.mark.skipif(not FULL.exists(), reason="there is no /dev/full here")


@pytest.mark.parametrize(
    ("line", "code", "told"),
    [
        ("pairing clear <&-", 1, "Nothing was done."),
        ("--version >&-", 0, ""),
        ("pairing clear <&- >&- 2>&-", 1, ""),
        pytest.param(
            "--version > /dev/full", 1,
            "It is done, but not all that there is to say could be written: No space left on device.", marks=needs_full,
        ),
        ("-h | true", 0, ""),
    ],
)  # fmt: skip
def test_streams(line: str, code: int, told: str) -> None:
    """Whatever the shell gives as streams, a command ends with its exit code and at most one line."""
    script = f'set -o pipefail; exec "$0" -m doorcode_cli {line}' if "|" not in line else f'"$0" -m doorcode_cli {line}'
    ended = subprocess.run(["/bin/bash", "-c", script, sys.executable], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr.strip()) == (code, told)


def test_it_starts_with_no_more_than_it_needs() -> None:
    """The clients of AWS and of the platforms take longer to load than all the rest: only what asks them loads them."""
    code = "import sys, doorcode_cli.app; print(*{'boto3', 'httpx', 'asyncio', 'urllib3'} & sys.modules.keys())"
    assert subprocess.check_output([sys.executable, "-c", code]) == b"\n"


@needs_full
def test_work_goes_on() -> None:
    """What cannot be written stops nothing: the failure is kept, and said at the end."""
    with FULL.open("w") as full:
        stream = Patient(full)
        for _ in range(3):
            assert stream.write("said\n") == 5
            stream.flush()
        assert stream.failure is not None
        assert stream.failure.strerror == "No space left on device"


def _paths(command: object, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield path
    for name, inner in getattr(command, "commands", {}).items():
        yield from _paths(inner, (*path, name))


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    """Every command tells what it does, asked in either way."""
    for path in _paths(get_command(app)):
        for option in ("-h", "--help"):
            assert app([*path, option], prog_name="doorcode", standalone_mode=False) == 0
            assert capsys.readouterr().out.startswith(" ".join(["Usage: doorcode", *path])), (path, option)


FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"


def test_joiners_are_shown_where_they_join() -> None:
    """Security 28: what joins visible letters is shown; what hides, leads, trails or piles up is not."""
    for text, seen in (
        (FAMILY, FAMILY),
        ("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"),
        ("\u2764\ufe0f\u200d\U0001f525", "\u2764\ufe0f\u200d\U0001f525"),
        ("\u200da\u200d", "a"),
        ("a\u200d\u202eb", "a\u200db"),
        ("a\u200d \u200db", "a b"),
        ("a\u200d\u200d\u200db", "ab"),
        ("a\ufe0f\ufe0fb", "a\ufe0fb"),
    ):
        assert shown(text) == seen, (text, seen)

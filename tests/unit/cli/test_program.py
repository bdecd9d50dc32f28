"""Lines that are there to be copied work at the terminal that shows them."""

import ast
import shlex
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from doorcode_cli.app import main
from doorcode_cli.examples import examples
from doorcode_cli.exit_codes import Exit
from doorcode_cli.output import note
from doorcode_cli.program import as_called, commands, program, shown_command, work_on
from doorcode_cli.target import SANDBOX_FILE

SHARED = Path(__file__).parents[3] / "shared"
# What prints by itself; errors, notes and examples name commands as they are called without more ado.
PRINTS = {"echo", "say", "print", "write"}
# In the sandbox everything is written for this terminal. What it looks for in the stack's page is the stack's own word.
PAGES_OWN = {"front.py": "<code>doorcode web</code>"}


@pytest.fixture(autouse=True)
def _nowhere() -> Iterator[None]:
    work_on()
    yield
    work_on()


def test_what_works_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """In a fresh clone nothing is on the path: the one that runs is named instead."""
    monkeypatch.chdir(tmp_path)
    for runs, found, called in (
        ("{here}/.venv/bin/doorcode", None, ".venv/bin/doorcode"),
        (".venv/bin/doorcode", None, ".venv/bin/doorcode"),
        ("/opt/elsewhere/bin/doorcode", None, "/opt/elsewhere/bin/doorcode"),
        ("{here}/.venv/bin/doorcode", "/usr/bin/doorcode", "doorcode"),
        ("{here}/shared/doorcode_cli/__main__.py", None, "doorcode"),
    ):
        monkeypatch.setattr(sys, "argv", [runs.format(here=tmp_path)])
        monkeypatch.setattr(shutil, "which", {"doorcode": found}.get)
        assert program() == called, (runs, found)


@pytest.fixture
def _clone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [str(tmp_path / ".venv/bin/doorcode")])
    monkeypatch.setattr(shutil, "which", lambda _: None)


@pytest.mark.usefixtures("_clone")
def test_a_command_in_a_text() -> None:
    """It is named as it is called here, on the stack that is worked on; nothing else changes."""
    for text, shown in (
        ("Run: doorcode pairing unlock", "Run: .venv/bin/doorcode pairing unlock --local"),
        ("doorcode doctor --send-test", ".venv/bin/doorcode doctor --local --send-test"),
        ("doorcode secrets rotate, then with --drop", ".venv/bin/doorcode secrets rotate --local, then with --drop"),
        ("Start it with: doorcode run", "Start it with: .venv/bin/doorcode run"),
        ("/doorcode/doorcode/admin, doorcode itself", "/doorcode/doorcode/admin, doorcode itself"),
        (".venv/bin/doorcode doctor", ".venv/bin/doorcode doctor"),
    ):
        work_on("--local")
        assert as_called(text) == shown, (text, shown)


@pytest.mark.usefixtures("_clone")
def test_errors_and_usage_name_what_works(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In a fresh clone errors, usage and examples name the command that is there, on this very sandbox."""
    store = tmp_path / "my store"
    store.mkdir()
    (store / SANDBOX_FILE).write_text('{"endpoint": "http://127.0.0.1:1", "key": "k", "secret": "s"}')

    def run(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", [sys.argv[0], *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out + err

    code, said = run("pairing", "list", "--store-dir", str(store))
    assert (code, said.endswith(f"See: .venv/bin/doorcode doctor --store-dir {shlex.quote(str(store))}\n")) == (
        Exit.UNREACHABLE, True,
    )  # fmt: skip
    assert run("pairing", "deny")[1].endswith(" Try: .venv/bin/doorcode pairing deny --help\n")
    assert "Usage: .venv/bin/doorcode pairing deny" in run("pairing", "deny", "--help")[1]


@pytest.mark.usefixtures("_clone")
def test_notes_and_examples(capsys: pytest.CaptureFixture[str]) -> None:
    """A note names the stack that is worked on, an example any."""
    work_on("--stack", "my-bot")
    note("Then run: doorcode doctor")
    assert capsys.readouterr().err == "Then run: .venv/bin/doorcode doctor --stack my-bot\n"
    assert examples("doorcode doctor").endswith("\n  .venv/bin/doorcode doctor")


@pytest.mark.usefixtures("_clone")
def test_every_command_is_known() -> None:
    """Each is found in texts, those of the platforms too, and only those that stand for no one stack get no options."""
    work_on("--local")
    called = {words: as_called(f"Run: doorcode {words}.") for words in commands()}
    anywhere = {words for words, text in called.items() if text == f"Run: .venv/bin/doorcode {words}."}
    assert anywhere == {"run"}
    on_a_stack = called.keys() - anywhere
    assert {words: called[words] for words in on_a_stack} == {
        words: f"Run: .venv/bin/doorcode {words} --local." for words in on_a_stack
    }
    assert on_a_stack >= {"web", "pairing list", "telegram webhook set", "slack manifest", "discord register"}


def _texts(tree: ast.AST) -> Iterator[str]:
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    called_here = {id(line) for one in calls if getattr(one.func, "id", "") == "examples" for line in one.args}
    for node in (node for node in ast.walk(tree) if id(node) not in called_here):
        if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes):
            yield node.value.decode() if isinstance(node.value, bytes) else node.value


def test_no_command_is_printed_as_it_is_called_elsewhere() -> None:
    """What is printed directly, and all that the sandbox says, names no command but through this module."""
    found = []
    paths = sorted([*(SHARED / "doorcode_cli").rglob("*.py"), *(SHARED / "doorcode_sandbox").rglob("*.py")])
    assert len(paths) > 60
    for path in paths:
        tree = ast.parse(path.read_text())
        documents = {
            ast.get_docstring(node, clean=False)
            for node in ast.walk(tree)
            if hasattr(node, "body") and isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        }
        if "doorcode_sandbox" in path.parts:
            said = [text for text in _texts(tree) if text not in documents and text != PAGES_OWN.get(path.name)]
        else:
            calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
            prints = [one for one in calls if getattr(one.func, "attr", getattr(one.func, "id", "")) in PRINTS]
            said = [
                text
                for one in prints
                for argument in one.args
                if not (isinstance(argument, ast.Call) and getattr(argument.func, "id", "") == "as_called")
                for text in _texts(argument)
            ]
        found += [f"{path.name}: {text}" for text in said if shown_command().search(text)]
    assert found == []

"""How far a start has come, at a terminal and elsewhere."""

import io
import re

import pytest
from rich.console import Console

from doorcode_cli.progress import Progress


def console(*, terminal: bool) -> Console:
    """Return a console that writes to memory."""
    return Console(file=io.StringIO(), force_terminal=terminal, highlight=False, markup=False, emoji=False, width=80)


def shown(console: Console) -> str:
    """Return what was written to it."""
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_lines_where_there_is_no_terminal() -> None:
    """Each step begins with a line and ends with one; brackets are what they are."""
    plain = console(terminal=False)
    progress = Progress(plain)
    with progress.step("Building [all]", "Built"):
        pass
    assert re.fullmatch(r"Building \[all\] …\n✅ Built \(\d+\.\d s\)\n", shown(plain))


def test_a_spinner_at_a_terminal() -> None:
    """It goes away when the step is done."""
    terminal = console(terminal=True)
    with Progress(terminal).step("Building", "Built"):
        pass
    assert shown(terminal).rpartition("\r")[2].startswith("\x1b[1A\x1b[2K✅ Built (")


def test_what_fails_is_not_called_done() -> None:
    """The step's last line is missing, and the error goes on."""
    plain = console(terminal=False)
    with pytest.raises(KeyError), Progress(plain).step("Building", "Built"):
        raise KeyError
    assert shown(plain) == "Building …\n"

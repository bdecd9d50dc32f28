"""The sandbox's ports: which are taken, by whom, and which others there are."""

import os
import socket
from pathlib import Path

import pytest

from doorcode_sandbox import ports
from doorcode_sandbox.trouble import SandboxError
from tests.backends.emulators import free_port


@pytest.fixture
def taken() -> socket.socket:
    """Give a port that somebody listens on."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    listening.listen()
    return listening


def test_a_row() -> None:
    """Six ports, one after the other."""
    assert ports.row(8787).all == (8787, 8788, 8789, 8790, 8791, 8792)


@pytest.mark.parametrize("first", [0, -1, 65_532])
def test_there_is_an_end_to_ports(first: int) -> None:
    """A row that leaves the range is refused."""
    with pytest.raises(SandboxError, match="6 ports in a row"):
        ports.row(first)


def test_a_taken_port_is_told_with_who_has_it(taken: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names port, program and process, and a row that is free."""
    with taken:
        port = taken.getsockname()[1]
        assert not ports.free(port)
        monkeypatch.setattr(ports, "free", lambda asked: asked != port)
        with pytest.raises(SandboxError) as raised:
            ports.check(ports.row(port))
    told = str(raised.value)
    assert told.startswith(f"Port {port} (")
    assert f"process {os.getpid()}) is taken. Others are free: doorcode run --port {port + 100}" in told


def test_several_are_told_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """All that are taken, and none to offer where none is free."""
    monkeypatch.setattr(ports, "free", lambda _: False)
    monkeypatch.setattr(ports, "_by", lambda port: f" (other, process {port})" if port == 65_000 else "")
    with pytest.raises(SandboxError) as raised:
        ports.check(ports.row(65_000))
    assert str(raised.value) == "Ports 65000 (other, process 65000), 65001, 65002, 65003, 65004, 65005 are taken."


def test_free_ports_are_fine() -> None:
    """Nothing is said, and nothing is held."""
    port = free_port()
    assert ports.free(port)
    assert ports.free(port)


def test_what_is_closed_meanwhile_hides_nothing_else(tmp_path: Path) -> None:
    """A process goes on while one looks at it: of what it has closed nothing is told, of all the rest it is."""
    (tmp_path / "fd").mkdir()
    for number in range(20):
        handle = tmp_path / "fd" / str(number)
        # What is no link cannot be read as one either.
        handle.symlink_to(f"socket:[{number}]") if number % 2 else handle.touch()
    assert set(ports._open(tmp_path)) == {f"socket:[{number}]" for number in range(1, 20, 2)}


@pytest.mark.parametrize(
    ("line", "name"),
    [
        (["/usr/bin/node", "server.js"], "node"),
        (["/opt/venv/bin/python3", "-I", "/opt/venv/bin/ministack"], "ministack"),
        (["python", "-m", "http.server"], "http.server"),
        (["bad\x1bname"], "badname"),
    ],
)
def test_a_program_s_name(tmp_path: Path, line: list[str], name: str) -> None:
    """A script's rather than its interpreter's, with nothing in it that a terminal would obey."""
    (tmp_path / "cmdline").write_bytes("\0".join(line).encode())
    assert ports._name(tmp_path) == name

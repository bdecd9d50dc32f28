"""What is too large for one call of the system, or comes too slowly for a handshake: whole, or over in time."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from doorcode.aws.client import trust
from doorcode.aws.client.connection import Connection
from doorcode.aws.client.endpoint import at
from doorcode.aws.client.errors import ConnectError, NoAnswerError
from doorcode.aws.client.trust import Trust
from doorcode.aws.deadline import Deadline
from tests.bench.authority import Authority, new_authority
from tests.unit.aws.client.peer import HASTY, PATIENT, answer

# More than the buffers of both sides, of a socket and of a record of TLS.
LARGE = 4 << 20
SMALL_BUFFER = 4096
A_RECORD = 12_000
HEAD = b"POST / HTTP/1.1\r\n\r\n"

Serve = Callable[[socket.socket, threading.Event], None]


def hears_all(peer: socket.socket, _: threading.Event) -> None:
    """Take a large request, bit by bit, and answer with its size."""
    size = 0
    while size < len(HEAD) + LARGE:
        got = len(peer.recv(SMALL_BUFFER))
        if not got:
            return
        size += got
    peer.sendall(answer(size))


def says_much(peer: socket.socket, _: threading.Event) -> None:
    """Answer with one record of TLS that is larger than a reader's buffer, and then with many."""
    for size in (A_RECORD, LARGE, A_RECORD):
        peer.recv(SMALL_BUFFER)
        peer.sendall(answer("x" * size))
    peer.recv(SMALL_BUFFER)


def answers(peer: socket.socket, _: threading.Event) -> None:
    """Answer at once."""
    while peer.recv(SMALL_BUFFER):
        peer.sendall(answer())


def hears_nothing(_: socket.socket, over: threading.Event) -> None:
    """Let a request wait."""
    over.wait()


def drips_its_greeting(peer: socket.socket, over: threading.Event) -> None:
    """Begin a handshake and go on with a byte now and then: a time-out between two bytes would never notice.

    Hangs up on whoever is still there after ten seconds.
    """
    peer.recv(SMALL_BUFFER)
    peer.sendall(b"\x16\x03\x03\x40\x00")
    for _ in range(500):
        if over.wait(0.02):
            return
        peer.sendall(b"\0")


@pytest.fixture(scope="module")
def authority() -> Authority:
    """Make an authority, and a server that it vouches for."""
    return new_authority()


@pytest.fixture(params=["plain", "TLS"])
def tls(
    request: pytest.FixtureRequest, authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> ssl.SSLContext | None:
    """Give the server's side of TLS, with its authority believed; None: plain HTTP."""
    roots = tmp_path / "roots.pem"
    roots.write_text(authority.certificate)
    monkeypatch.setattr(trust, "AMAZON_ROOTS", roots)
    return authority.server if request.param == "TLS" else None


@contextmanager
def serving(
    serve: Serve, *, scheme: str, context: ssl.SSLContext | None = None, connect_seconds: float = PATIENT
) -> Iterator[Connection]:
    """Serve one connection after the other, and give a client's."""
    over = threading.Event()

    def run(listener: socket.socket) -> None:
        while True:
            peer, _ = listener.accept()
            if over.is_set():
                peer.close()
                return
            with suppress(OSError), peer, context.wrap_socket(peer, server_side=True) if context else peer as spoken:
                serve(spoken, over)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        # What is accepted has it from here: so little is read ahead that whoever sends much has to wait.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)
        thread = threading.Thread(target=run, args=(listener,), daemon=True)
        thread.start()
        url = f"{scheme}://127.0.0.1:{listener.getsockname()[1]}"
        connection = Connection(at(url), Deadline(), Trust(), connect_seconds=connect_seconds)
        try:
            yield connection
        finally:
            over.set()
            connection.close()
            # Wakes whoever waits in accept.
            socket.create_connection(listener.getsockname()).close()
            thread.join()


def scheme(tls: ssl.SSLContext | None) -> str:
    """Return what the URL of such a server begins with."""
    return "http" if tls is None else "https"


def test_a_request_that_does_not_fit_at_once_goes_out_whole(tls: ssl.SSLContext | None) -> None:
    """What the socket does not take is sent when it does."""
    with serving(hears_all, scheme=scheme(tls), context=tls) as connection:
        assert connection.post(lambda: HEAD + b"x" * LARGE, PATIENT).body == b"%d" % (len(HEAD) + LARGE)


def test_a_large_answer_is_read_whole(tls: ssl.SSLContext | None) -> None:
    """What TLS has decrypted already is read, although nothing more arrives; and the connection is as good as before."""
    with serving(says_much, scheme=scheme(tls), context=tls) as connection:
        for size in (A_RECORD, LARGE, A_RECORD):
            assert len(connection.post(lambda: HEAD, PATIENT).body) == size + len('""')


def test_a_request_that_nobody_takes_ends_in_time(tls: ssl.SSLContext | None) -> None:
    """Security 29: the time is for sending, too; as some of it went out, it may have been heard."""
    with (
        serving(hears_nothing, scheme=scheme(tls), context=tls) as connection,
        pytest.raises(NoAnswerError, match="TimeoutError") as late,
    ):
        connection.post(lambda: HEAD + b"x" * LARGE, HASTY)
    assert late.value.sent


def test_a_request_whose_time_ran_out_before_it_was_sent_is_not_waited_for() -> None:
    """Time that is over is not taken for time without end."""
    now = 0.0

    def slowly_made() -> bytes:
        nonlocal now
        now += 2
        return HEAD

    with serving(answers, scheme="http") as connection:
        connection._deadline.clock = lambda: now
        with pytest.raises(NoAnswerError, match="TimeoutError"):
            connection.post(slowly_made, 1)
        assert connection.post(lambda: HEAD, PATIENT).status == 200


@pytest.mark.parametrize(("connect_seconds", "request_seconds"), [(HASTY, PATIENT), (PATIENT, HASTY)])
def test_a_handshake_is_over_in_time_or_none(connect_seconds: float, request_seconds: float) -> None:
    """Security 29: however many bytes of it arrive, and at the latest when the request's time is over; nothing was sent."""
    with serving(drips_its_greeting, scheme="https", connect_seconds=connect_seconds) as connection:
        connection._deadline.start(request_seconds)
        with pytest.raises(ConnectError, match=r"TimeoutError|time is over") as late:
            connection.post(lambda: pytest.fail("a request was made"), PATIENT)
    assert not late.value.sent

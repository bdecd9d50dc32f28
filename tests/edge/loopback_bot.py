"""Somebody's bot, as far as the edge can tell: a server on this machine that notes what it is sent, to the byte."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

DONE = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"


class Received(NamedTuple):
    """A request as it came."""

    line: str
    headers: list[tuple[str, str]]
    body: bytes
    # Which connection it came on, the first being 1.
    connection: int

    def header(self, name: str) -> str | None:
        """Return a header's only value."""
        values = [value for given, value in self.headers if given.lower() == name]
        assert len(values) <= 1
        return values[0] if values else None


class LoopbackBot:
    """A bot that answers as it is told to: ``answer`` gives the bytes to send, some after others, or None to hang up."""

    def __init__(self, listener: socket.socket, tls: ssl.SSLContext | None) -> None:
        self._listener = listener
        self._tls = tls
        self.received: list[Received] = []
        self.answer: Callable[[Received], bytes | Iterable[bytes] | None] = lambda _: DONE
        self.hangs_up_after = False
        self.connections = 0
        self.over = threading.Event()
        scheme = "https" if tls else "http"
        self.url = f"{scheme}://127.0.0.1:{listener.getsockname()[1]}/hook/s3cret?x=1&y=%2F"

    def answers(self, status: str, body: bytes = b"", *headers: str) -> None:
        """Answer with that from now on."""
        lines = "".join(f"{line}\r\n" for line in headers)
        said = f"HTTP/1.1 {status}\r\n{lines}content-length: {len(body)}\r\n\r\n".encode() + body
        self.answer = lambda _: said

    def serve(self) -> None:
        """Accept until the listener is closed."""
        with suppress(OSError):
            while not self.over.is_set():
                peer, _ = self._listener.accept()
                self.connections += 1
                threading.Thread(target=self._talk, args=(peer, self.connections), daemon=True).start()

    def _talk(self, peer: socket.socket, number: int) -> None:
        with suppress(OSError), peer, self._tls.wrap_socket(peer, server_side=True) if self._tls else peer as talk:
            stream = talk.makefile("rb")
            while line := stream.readline().decode().rstrip("\r\n"):
                headers = []
                while header := stream.readline().decode("latin-1").rstrip("\r\n"):
                    name, _, value = header.partition(": ")
                    headers.append((name, value))
                length = int({name.lower(): value for name, value in headers}["content-length"])
                self.received.append(Received(line, headers, stream.read(length), number))
                answer = self.answer(self.received[-1])
                if answer is None:
                    return
                for part in (answer,) if isinstance(answer, bytes) else answer:
                    talk.sendall(part)
                if self.hangs_up_after:
                    return


@contextmanager
def loopback_bot(tls: ssl.SSLContext | None = None) -> Iterator[LoopbackBot]:
    """Run one."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        bot = LoopbackBot(listener, tls)
        threading.Thread(target=bot.serve, daemon=True).start()
        yield bot
        bot.over.set()
        # An accept that waits does not notice that its listener is closed.
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)

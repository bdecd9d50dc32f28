"""An HTTP server that only this machine reaches, and that can be stopped under its clients' hands."""

from __future__ import annotations

import selectors
import socket
import sys
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

HOST = "127.0.0.1"
# What tunnels and proxies add, and nobody on this machine does.
FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "cf-connecting-ip")


class LoopbackServer(ThreadingHTTPServer):
    """A thread for every connection. ``crashes`` are what broke within, which is nobody's fault but ours."""

    daemon_threads = True
    # Many functions may start at once.
    request_queue_size = 64
    # There is a connection already when one is asked for; who has gone again is not waited for.
    timeout = 0

    def __init__(self, port: int, handler: type[BaseHTTPRequestHandler]) -> None:
        """Take the port, 0 for a free one; ``run`` answers."""
        self.crashes: list[BaseException] = []
        self._open: set[socket.socket] = set()
        self._thread: threading.Thread | None = None
        super().__init__((HOST, port), handler)
        # Closing the one ends the waiting for connections, so that nobody has to look again and again whether it should end.
        self._end, self._ended = socket.socketpair()

    def run(self, name: str) -> None:
        """Answer from a thread of that name."""
        self._thread = threading.Thread(target=self._serve, name=name, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        with selectors.DefaultSelector() as waiting:
            waiting.register(self, selectors.EVENT_READ)
            waiting.register(self._ended, selectors.EVENT_READ)
            while all(ready.fileobj is self for ready, _ in waiting.select()):
                self.handle_request()

    def end(self) -> None:
        """Stop listening, and cut what is open. Raises the first of ``crashes``."""
        if self._thread is not None:
            self._end.close()
            self._thread.join()
        for connection in list(self._open):
            cut(connection)
        self.server_close()
        self._end.close()
        self._ended.close()
        if self.crashes:
            raise self.crashes[0]

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer a connection in a thread of its own."""
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Close a connection."""
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 (socketserver's)
        """Keep what broke."""
        error = sys.exception()
        # Clients that give up are nothing unusual.
        if error is not None and not isinstance(error, ConnectionError):
            self.crashes.append(error)


def is_forwarded(headers: Mapping[str, str]) -> bool:
    """Tell whether a tunnel or a proxy says that it is one; names are in lower case."""
    return any(name in headers for name in FORWARDED)


def names_us(headers: Mapping[str, str], port: int) -> bool:
    """Tell whether a request is for this machine by its own name: a name elsewhere may lead here, too."""
    return headers.get("host", "").lower() in {f"{HOST}:{port}", f"localhost:{port}"}


def cut(connection: socket.socket) -> None:
    """End a connection under its reader's hands."""
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        # The other side was faster.
        return

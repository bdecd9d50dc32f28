"""An open socket on which everything ends in time.

A socket's own time-out begins anew with every byte, so that a peer which sends one now and then is never late. Here each
read and write waits for what is left until one moment, and a request with its answer takes four calls of the system.
"""

from __future__ import annotations

import io
import math
import select
import socket
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class TimedSocket(io.BufferedReader):
    """A connected socket, read through one buffer: what was read ahead is not lost between two answers."""

    def __init__(self, peer: socket.socket, clock: Callable[[], float]) -> None:
        """Take over ``peer``; moments are ``clock``'s."""
        self._wire = _Wire(peer, clock)
        super().__init__(self._wire)

    def ends(self, until: float) -> None:
        """Let everything that is read and written from now on end by then."""
        self._wire.until = until

    def send(self, data: bytes) -> None:
        """Send all of it. Raises OSError, TimeoutError among them."""
        self._wire.send(data)

    def is_stale(self) -> bool:
        """Tell, without waiting, whether the peer has hung up, or said what nobody asked for."""
        self._wire.until = None
        try:
            return bool(self.peek(1)) or self._wire.ended
        except OSError:
            return True


class _Wire(io.RawIOBase):
    """The socket beneath. Without ``until`` nothing is waited for."""

    def __init__(self, peer: socket.socket, clock: Callable[[], float]) -> None:
        peer.settimeout(0)
        self._peer = peer
        self._clock = clock
        self._arrival, self._room = select.poll(), select.poll()
        self._arrival.register(peer, select.POLLIN)
        self._room.register(peer, select.POLLOUT)
        self.until: float | None = None
        self.ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int | None:
        # What TLS has decrypted already does not arrive any more.
        while self._is_decrypted() or self._wait(self._arrival):
            try:
                count = self._peer.recv_into(buffer)
            except (BlockingIOError, ssl.SSLWantReadError):
                # Half a record of TLS, or none of the application's.
                continue
            self.ended = not count
            return count
        return None

    def send(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[self._peer.send(rest) :]
            except (BlockingIOError, ssl.SSLWantWriteError):
                self._wait(self._room)

    def close(self) -> None:
        self._peer.close()
        super().close()

    def _is_decrypted(self) -> bool:
        return isinstance(self._peer, ssl.SSLSocket) and self._peer.pending() > 0

    def _wait(self, event: select.poll) -> bool:
        """Wait for an event; say no if nothing is waited for and it is not there. Raises TimeoutError."""
        if self.until is None:
            return bool(event.poll(0))
        left = self.until - self._clock()
        if left <= 0 or not event.poll(math.ceil(left * 1000)):
            raise TimeoutError
        return True

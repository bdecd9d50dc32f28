"""One kept-alive connection to one host: one request, one whole answer, in time.

Nothing is ever sent a second time here. A connection that was kept is looked at before it is used: one that died while
the environment was frozen, that waited too long to be trusted, or on which something unasked for has come, is replaced
before anything is sent on it. What breaks after that is reported, with the word whether the request went out.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable
from threading import Lock

from doorcode.aws.client.answer import HttpAnswer, UnreadableAnswerError, read_answer
from doorcode.aws.client.endpoint import Endpoint
from doorcode.aws.client.errors import BadAnswerError, ConnectError, NoAnswerError
from doorcode.aws.client.timed_socket import TimedSocket
from doorcode.aws.client.trust import Trust
from doorcode.aws.deadline import Deadline

CONNECT_SECONDS = 1.0
# Services, and what stands between, forget a silent connection after a minute or more, and not always say so.
KEPT_SECONDS = 30.0


class Connection:
    """A connection that is opened when it is needed, and kept."""

    def __init__(  # noqa: PLR0913 (what a connection depends on)
        self,
        endpoint: Endpoint,
        deadline: Deadline,
        trust: Trust,
        *,
        connect_seconds: float = CONNECT_SECONDS,
        read: Callable[[TimedSocket], HttpAnswer] | None = None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """Connect to ``endpoint``; nothing takes longer than ``deadline`` leaves.

        ``read`` takes an answer off the socket, as ``read_answer`` does; ``wall`` goes on while frozen.
        """
        self.endpoint = endpoint
        self._deadline = deadline
        self._trust = trust
        self._connect_seconds = connect_seconds
        self._read = read
        self._wall = wall
        self._socket: TimedSocket | None = None
        self._used_at = 0.0
        self._was_kept = False
        # An environment serves one request at a time; whoever shares a client among threads has their calls wait.
        self._turn = Lock()

    def post(self, request: Callable[[], bytes], seconds: float, *, kept_seconds: float = KEPT_SECONDS) -> HttpAnswer:
        """Send a request and return its answer, which must have come whole within ``seconds``. Raises TransportError.

        The request is made when the connection stands, because its signature says when that was. A connection that has
        been silent for ``kept_seconds`` is not trusted any more.
        """
        with self._turn:
            if self._deadline.at <= self._deadline.clock():
                raise ConnectError("the request's time is over", sent=False)
            timed = self._ready(kept_seconds)
            try:
                timed.ends(self._deadline.within(seconds))
                timed.send(request())
                answer = (self._read or read_answer)(timed)
            except UnreadableAnswerError as error:
                self.close()
                raise BadAnswerError(str(error), sent=True) from error
            except (OSError, EOFError) as error:
                self.close()
                raise NoAnswerError(type(error).__name__, sent=True, kept=self._was_kept) from error
            except BaseException:
                # Whatever ended this midway, the next answer on this socket might be to this request.
                self.close()
                raise
            self._used_at = self._wall()
            if answer.last:
                self.close()
            return answer

    def close(self) -> None:
        """Hang up; the next request connects anew."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _ready(self, kept_seconds: float) -> TimedSocket:
        if self._socket is not None and (
            not 0 <= self._wall() - self._used_at < kept_seconds or self._socket.is_stale()
        ):
            self.close()
        self._was_kept = self._socket is not None
        if self._socket is None:
            try:
                self._socket = TimedSocket(self._opened(), self._deadline.clock)
            except OSError as error:
                raise ConnectError(type(error).__name__, sent=False) from error
        return self._socket

    def _opened(self) -> socket.socket:
        until = self._deadline.within(self._connect_seconds)
        if not self.endpoint.tls:
            return self._reached(until)
        try:
            return self._trust.secure(self._reached(until), self.endpoint.host)
        except ssl.SSLCertVerificationError:
            if not self._trust.widen():
                raise
        return self._trust.secure(self._reached(until), self.endpoint.host)

    def _reached(self, until: float) -> socket.socket:
        """Return a socket that is connected to any of the host's addresses; its time-out is what is left."""
        failure = OSError("no address")
        for family, kind, protocol, _, address in socket.getaddrinfo(
            self.endpoint.host, self.endpoint.port, type=socket.SOCK_STREAM
        ):
            left = until - self._deadline.clock()
            if left <= 0:
                raise TimeoutError
            peer = socket.socket(family, kind, protocol)
            try:
                peer.settimeout(left)
                peer.connect(address)
                peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                peer.settimeout(max(until - self._deadline.clock(), 0.001))
            except OSError as error:
                peer.close()
                failure = error
            else:
                return peer
        raise failure

"""A service that misbehaves in whatever way a test asks for, one talk for each connection."""

import binascii
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import msgspec

from doorcode.aws.client.clock import ServiceClock
from doorcode.aws.client.connection import Connection
from doorcode.aws.client.endpoint import at
from doorcode.aws.client.service import Api, Service
from doorcode.aws.client.signature import Credentials
from doorcode.aws.client.trust import Trust
from doorcode.aws.deadline import Deadline

CREDENTIALS = Credentials("AKIDEXAMPLE", "secret", "token")
API = Api("dynamodb", "DynamoDB_20120810", "1.0")
# Longer than anything here takes, on the busiest machine.
PATIENT = 30.0
# Shorter than a talk that is meant to be late, and yet enough to begin one on the busiest machine.
HASTY = 0.5


class Request:
    """A request as it was received."""

    def __init__(self, head: bytes, body: bytes) -> None:
        lines = head.decode().split("\r\n")
        self.line = lines[0]
        self.headers = dict(line.split(": ", 1) for line in lines[1:])
        self.body = msgspec.json.decode(body)


class Talk:
    """One connection, from the service's side."""

    def __init__(self, peer: socket.socket, requests: list[Request], over: threading.Event) -> None:
        self._peer = peer
        self._requests = requests
        self.over = over

    def hear(self) -> Request:
        """Wait for a request and note it."""
        received = b""
        while b"\r\n\r\n" not in received:
            received += self._more()
        head, _, body = received.partition(b"\r\n\r\n")
        request = Request(head, b"{}")
        while len(body) < int(request.headers["content-length"]):
            body += self._more()
        request = Request(head, body)
        self._requests.append(request)
        return request

    def say(self, *parts: bytes) -> None:
        """Send something."""
        self._peer.sendall(b"".join(parts))

    def drip(self, data: bytes) -> None:
        """Send a byte now and then, until all is sent or the test is over."""
        for byte in data:
            self.say(bytes([byte]))
            if self.over.wait(0.02):
                return

    def reset(self) -> None:
        """Hang up rudely."""
        self._peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    def _more(self) -> bytes:
        data = self._peer.recv(65536)
        if not data:
            raise ConnectionError
        return data


Script = Callable[[Talk], None]


class Peer:
    """A server for some scripts, one for each connection in turn; the last one serves all that follow."""

    def __init__(self, listener: socket.socket, scripts: tuple[Script, ...]) -> None:
        self.port: int = listener.getsockname()[1]
        self.requests: list[Request] = []
        self.connections = 0
        self.over = threading.Event()
        self._listener = listener
        self._scripts = scripts
        self.deadline = Deadline()
        self._connections: list[Connection] = []

    def serve(self) -> None:
        """Accept until the listener is closed."""
        with suppress(OSError):
            while not self.over.is_set():
                peer, _ = self._listener.accept()
                script = self._scripts[min(self.connections, len(self._scripts) - 1)]
                self.connections += 1
                threading.Thread(target=self._talk, args=(peer, script), daemon=True).start()

    def _talk(self, peer: socket.socket, script: Script) -> None:
        with peer, suppress(OSError):
            script(Talk(peer, self.requests, self.over))

    def connection(self, **options: Any) -> Connection:
        """Make a connection to this peer."""
        connection = Connection(at(f"http://127.0.0.1:{self.port}"), self.deadline, Trust(), **options)
        self._connections.append(connection)
        return connection

    def service(self, seconds: float = PATIENT, clock: ServiceClock | None = None, **options: Any) -> Service:
        """Make a client of this peer."""
        return Service(
            API,
            self.connection(**options),
            credentials=CREDENTIALS,
            region="us-east-1",
            clock=clock or ServiceClock(),
            seconds=seconds,
        )

    def close(self) -> None:
        """Hang up on every side."""
        self.over.set()
        for connection in self._connections:
            connection.close()


@contextmanager
def serving(*scripts: Script) -> Iterator[Peer]:
    """Run a peer."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        peer = Peer(listener, scripts)
        thread = threading.Thread(target=peer.serve, daemon=True)
        thread.start()
        try:
            yield peer
        finally:
            peer.close()
            # Wakes whoever waits in accept.
            with suppress(OSError):
                socket.create_connection(("127.0.0.1", peer.port)).close()
            thread.join()


def answer(content: Any = None, status: int = 200, headers: Mapping[str, str] | None = None) -> bytes:
    """Write an answer as DynamoDB does."""
    body = content if isinstance(content, bytes) else msgspec.json.encode({} if content is None else content)
    given = {
        "Content-Type": "application/x-amz-json-1.0",
        "Content-Length": str(len(body)),
        "x-amz-crc32": str(binascii.crc32(body)),
        **(headers or {}),
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in given.items() if value)
    return f"HTTP/1.1 {status} Whatever\r\n{lines}\r\n".encode() + body


def refusal(code: str, status: int = 400, headers: Mapping[str, str] | None = None, **more: Any) -> bytes:
    """Write an error as DynamoDB does."""
    content = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "no", **more}
    return answer(content, status, headers)


def answering(*answers: bytes) -> Script:
    """Give these answers to the first requests of a connection, and then hang up."""

    def script(talk: Talk) -> None:
        for one in answers:
            talk.hear()
            talk.say(one)

    return script


def faithful(talk: Talk) -> None:
    """Answer every request with what it asked for."""
    while True:
        talk.say(answer({"Heard": talk.hear().body}))

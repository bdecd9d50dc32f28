"""The one address of the sandbox: webhooks, the owner's page and the API go on to the stack, the rest is the playground.

It listens on this machine only. A tunnel may bring webhooks under any name. The owner's page and the API answer to this
machine's names, and at the other end of a tunnel only if that is wanted; the playground to this machine's alone, and to
its own page.
"""

from __future__ import annotations

import html
import http.client
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler
from typing import Any, Protocol, Self
from urllib.parse import urlsplit

from msgspec import Struct

from doorcode.pairing.contact import Platform
from doorcode_sandbox.emulator_guard import FRONT_HEADER
from doorcode_sandbox.loopback import HOST, LoopbackServer, is_forwarded, names_us
from doorcode_sandbox.platforms.server import Answer, Request, json_answer

PAGES = ("/api", "/owner")
# What API Gateway takes, and how long it waits.
MAX_BODY = 10 << 20
PATIENCE_SECONDS = 60
IDLE_SECONDS = 120
# What is between two neighbours, and not between the ends; the lengths are ours to say.
# https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1
HOP_BY_HOP = frozenset(
    {
        "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer",
        "transfer-encoding", "upgrade", "expect", "content-length",
    }
)  # fmt: skip
# What the owner's page shows whoever is not signed in.
SIGN_IN = b"<code>doorcode web</code>"
BODILESS = frozenset({204, 304})
# What we say to the emulator, whatever others say.
OURS = frozenset({"host", FRONT_HEADER})


def webhook_path(platform: Platform) -> str:
    """Return where a platform's webhooks go."""
    return f"/{platform}"


WEBHOOKS = frozenset(webhook_path(platform) for platform in Platform)


class Stream(Struct, frozen=True):
    """An answer that comes piece by piece, for as long as somebody listens."""

    pieces: Iterator[bytes]
    headers: dict[str, str]


class Behind(Protocol):
    """What answers everything that is not the stack's."""

    def answer(self, request: Request) -> Answer | Stream:
        """Answer a request."""

    def open(self, url: str) -> None:
        """Learn where the front is, before the first request comes."""

    def close(self) -> None:
        """End all streams: no request comes any more."""


class Front:
    """The front. Use as a context manager, or start and stop it.

    ``api`` is where the emulator is, ``host`` what the stack's API is called there, ``word`` what its guard wants to
    hear. ``public`` is the address at which a tunnel shows the owner's page, too; empty where it brings webhooks alone.
    ``sign_in`` is the command that the owner's page names instead of the stack's own.
    """

    def __init__(  # noqa: PLR0913 (each is one side of it)
        self,
        *,
        port: int,
        api: str,
        host: str,
        word: str = "",
        public: str = "",
        sign_in: str = "",
        playground: Behind | None = None,
    ) -> None:
        """Prepare it; port 0 takes a free one."""
        self._word = word
        self._sign_in = sign_in
        self._public = urlsplit(public).netloc.lower()
        self._port = port
        self._api = urlsplit(api).netloc
        self._host = host
        self._playground = playground
        self._server: _Server | None = None

    def start(self) -> Self:
        """Listen, on this machine only. Raises OSError where the port is taken."""
        self._server = _Server(self._port, self)
        self._port = self._server.server_port
        if self._playground:
            self._playground.open(self.url)
        self._server.run("front")
        return self

    def stop(self) -> None:
        """Stop listening, and cut what is open. Raises what broke within, for that is nobody's fault but ours."""
        if self._server is None:
            return
        server, self._server = self._server, None
        if self._playground:
            self._playground.close()
        server.end()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{HOST}:{self._port}"

    def answer(self, request: Request, target: str, headers: list[tuple[str, str]]) -> _Reply | Answer | Stream:
        """Answer a request; ``target`` is its path with its query, ``headers`` are all of them, as they came."""
        path = request.path
        if path in WEBHOOKS:
            return self._forwarded(request, target, headers)
        if any(path == page or path.startswith(f"{page}/") for page in PAGES):
            if not self._may_see_pages(request):
                return json_answer({"error": "Only webhooks are there for others than this machine."}, 403)
            answer = self._forwarded(request, target, headers)
            return self._signed_in_here(answer) if path == PAGES[1] and isinstance(answer, _Reply) else answer
        if self._playground:
            return self._playground.answer(request)
        return json_answer({"error": "There is nothing here."}, 404)

    def _may_see_pages(self, request: Request) -> bool:
        near, forwarded = names_us(request.headers, self._port), is_forwarded(request.headers)
        if self._public:
            return near or request.headers.get("host", "").lower() == self._public
        return near and not forwarded

    def _signed_in_here(self, reply: _Reply) -> _Reply:
        """Have the owner's page name the command that works here; what it was known by before is not that."""
        if not self._sign_in or SIGN_IN not in reply.body:
            return reply
        body = reply.body.replace(SIGN_IN, f"<code>{html.escape(self._sign_in)}</code>".encode())
        return _Reply(reply.status, [header for header in reply.headers if header[0].lower() != "etag"], body)

    def _forwarded(self, request: Request, target: str, headers: list[tuple[str, str]]) -> _Reply | Answer:
        """Have the stack answer, to the byte. Nothing is added but what names the API there."""
        connection = http.client.HTTPConnection(self._api, timeout=PATIENCE_SECONDS)
        with closing(connection):
            try:
                connection.putrequest(request.verb, target, skip_host=True, skip_accept_encoding=True)
                connection.putheader("Host", self._host)
                connection.putheader(FRONT_HEADER, self._word)
                for name, value in _between_the_ends(headers):
                    if name.lower() not in OURS:
                        connection.putheader(name, value)
                connection.putheader("Connection", "close")
                if request.body or "content-length" in request.headers:
                    connection.putheader("Content-Length", str(len(request.body)))
                connection.endheaders(request.body or None)
                response = connection.getresponse()
                return _Reply(response.status, _between_the_ends(response.headers.items()), response.read())
            except (ValueError, http.client.InvalidURL):
                # A path or a header that cannot be sent on.
                return json_answer({"error": "This is no proper request."}, 400)
            except (OSError, http.client.HTTPException) as error:
                said = f"The stack did not answer ({type(error).__name__}). Is the sandbox still starting?"
                return json_answer({"error": said}, 502)


def _between_the_ends(headers: Any) -> list[tuple[str, str]]:
    """Return the headers that one neighbour does not keep from the other."""
    headers = list(headers)
    named = {
        word.strip().lower() for name, value in headers if name.lower() == "connection" for word in value.split(",")
    }
    return [(name, value) for name, value in headers if name.lower() not in HOP_BY_HOP | named]


class _Reply(Struct, frozen=True):
    """What the stack answered; a header may stand there twice."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


class _RefusedError(Exception):
    def __init__(self, status: int, problem: str) -> None:
        self.status = status
        super().__init__(problem)


class _Server(LoopbackServer):
    def __init__(self, port: int, front: Front) -> None:
        self.front = front
        super().__init__(port, _Handler)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS
    # Header and body leave together.
    wbufsize = -1
    disable_nagle_algorithm = True
    server: _Server

    def _answer(self) -> None:
        try:
            body = self._body()
        except _RefusedError as error:
            # What is left of it would be taken for the next request.
            self.close_connection = True
            self._send(json_answer({"error": str(error)}, error.status))
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, self.path.partition("?")[0], headers, body)
        answer = self.server.front.answer(request, self.path, self.headers.items())
        if isinstance(answer, Stream):
            self._stream(answer)
        else:
            self._send(answer)

    def _body(self) -> bytes:
        coding = self.headers.get("Transfer-Encoding", "").strip().lower()
        lengths = self.headers.get_all("Content-Length") or ["0"]
        if coding:
            # Whoever says both means two requests to be taken for one.
            if coding != "chunked" or "Content-Length" in self.headers:
                raise _RefusedError(400, "The request's length cannot be told.")
            return self._chunks()
        if len(lengths) > 1 or not (lengths[0].isascii() and lengths[0].isdigit()):
            raise _RefusedError(400, "The request's length cannot be told.")
        return self._read(int(lengths[0]))

    def _chunks(self) -> bytes:
        body = b""
        while size := self._size(self.rfile.readline(1024)):
            body += self._read(size, len(body))
            if self.rfile.readline(3) != b"\r\n":
                raise _RefusedError(400, "The request ends in the middle.")
        while self.rfile.readline(65537).strip():
            # Trailers: nobody asked for them.
            continue
        return body

    def _size(self, line: bytes) -> int:
        try:
            digits = line.split(b";")[0].strip()
            return int(digits, 16) if digits.isalnum() else int("", 16)
        except ValueError:
            raise _RefusedError(400, "The request's length cannot be told.") from None

    def _read(self, size: int, so_far: int = 0) -> bytes:
        if so_far + size > MAX_BODY:
            raise _RefusedError(413, "The request is too large.")
        read = self.rfile.read(size)
        if len(read) < size:
            raise _RefusedError(400, "The request ends in the middle.")
        return read

    def _send(self, answer: _Reply | Answer) -> None:
        headers = answer.headers if isinstance(answer.headers, list) else list(answer.headers.items())
        # Date and Server are the stack's own to say.
        self.send_response_only(answer.status)
        for name, value in headers:
            self.send_header(name, value)
        if answer.status not in BODILESS and self.command != "HEAD":
            self.send_header("Content-Length", str(len(answer.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if answer.status not in BODILESS and self.command != "HEAD":
            self.wfile.write(answer.body)

    def _stream(self, stream: Stream) -> None:
        self.close_connection = True
        self.send_response_only(200)
        for name, value in {**stream.headers, "Connection": "close"}.items():
            self.send_header(name, value)
        self.end_headers()
        for piece in stream.pieces:
            self.wfile.write(piece)
            self.wfile.flush()

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _answer  # noqa: N815 (http.server's names)

    def log_message(self, *_: object) -> None:
        """Log nothing: what is asked is nobody else's."""

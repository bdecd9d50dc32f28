"""What the stand-ins share: an HTTP server on this machine, a record of the calls, and trouble on demand."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from http.server import BaseHTTPRequestHandler
from typing import Any, ClassVar, Self
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from doorcode_sandbox.emulator_guard import is_browser
from doorcode_sandbox.loopback import HOST, LoopbackServer, cut, names_us

TOO_MANY_REQUESTS = 429
# More than anything that is sent here.
MAX_BODY = 1 << 20
# Faults that last until they are cleared.
ALWAYS = 1 << 30
# What came without a call: in the response to a webhook.
RESPONSE = "response"


class Request(Struct, frozen=True):
    """A request as it arrived: header names in lower case."""

    verb: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    query: str = ""


class Answer(Struct, frozen=True):
    """What goes back."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = {}


class Routed(Struct, frozen=True):
    """A call of somebody who may: the API's own name for it, the chat that it concerns, and its fields.

    ``at`` is what else stands in the path.
    """

    name: str
    chat: str
    fields: Any
    at: tuple[str, ...] = ()


class Call(Struct, frozen=True):
    """A call that was answered, or would have been."""

    name: str
    chat: str
    fields: Any
    status: int


class Fault(Struct, kw_only=True):
    """Trouble for the next calls; with ``name`` or ``chat``, only for those.

    With ``status``, that is the answer instead of doing anything; 429 with ``delay`` seconds. Otherwise the call waits
    for ``hang`` seconds, and with ``drop`` the connection is cut; ``after`` means that the call has its effect before.
    """

    status: int = 0
    delay: float = 0
    hang: float = 0
    drop: bool = False
    after: bool = False
    times: int = 1
    name: str = ""
    chat: str = ""

    def concerns(self, call: Routed) -> bool:
        """Tell whether the fault is for that call."""
        return self.times > 0 and self.name in {"", call.name} and self.chat in {"", call.chat}


class Message(Struct, kw_only=True):
    """A message of the bot as it stands, and what stood there before.

    ``at`` is when it came, ``call`` how: the API's name for it, or ``RESPONSE`` where it stood in a webhook's response.
    ``only_for`` is the one person who sees it; empty: everyone in the chat.
    """

    chat: str
    id: str
    shown: dict[str, Any]
    at: float = 0
    call: str = ""
    only_for: str = ""
    before: list[dict[str, Any]] = []

    def change(self, shown: dict[str, Any]) -> None:
        """Put something else in its place."""
        self.before.append(self.shown)
        self.shown = shown


class _CutError(Exception):
    """The connection ends here, without an answer."""


class StandIn(ABC):
    """One platform. Use as a context manager, or start and stop it; everything else works without a server, too.

    ``strict`` refuses, beyond what the platform does, what we never mean to send. ``clock`` gives seconds since 1970.
    """

    NAME: ClassVar[str]
    # The token of every sandbox: as real ones look, and none of anybody's.
    MADE_UP: ClassVar[str]

    def __init__(
        self, token: str, *, port: int = 0, strict: bool = True, clock: Callable[[], float] = time.time
    ) -> None:  # fmt: skip
        """Prepare it to take that token and no other; port 0 takes a free one."""
        self.token = token
        self.strict = strict
        self.clock = clock
        self.calls: list[Call] = []
        self.messages: dict[tuple[str, str], Message] = {}
        # How much of the past is kept of each kind; 0: all.
        self.keeps = 0
        # Called after every change, while nothing else can change: it must neither wait nor call back.
        self.on_change: Callable[[], None] = lambda: None
        self._faults: list[Fault] = []
        self._changed = threading.Condition(threading.RLock())
        self._stopping = threading.Event()
        self._port = port
        self._server: _Server | None = None

    # Being part of a sandbox

    @classmethod
    def in_sandbox(cls, port: int, seed: Callable[[], bytes]) -> Self:  # noqa: ARG003 (for those that sign with a key)
        """Prepare a sandbox's. ``seed`` gives 32 random bytes, the same ones in every run, if they are asked for."""
        return cls(cls.MADE_UP, port=port)

    @abstractmethod
    def credentials(self) -> dict[str, str]:
        """Return what a stack is given, beside the token, to work with the platform: values by parameters' names."""

    @abstractmethod
    def register(self, url: str, secret: str) -> None:
        """Send webhooks to that address, as after setting up; ``secret`` is what the stack verifies them by."""

    # Running

    def start(self) -> Self:
        """Listen, on this machine only."""
        self._stopping.clear()
        self._server = _Server(self._port, self)
        self._port = self._server.server_port
        self._server.run(self.NAME)
        return self

    def stop(self) -> None:
        """Stop listening, and cut what is open. Raises what broke within, for that is nobody's fault but ours."""
        if self._server is None:
            return
        self._stopping.set()
        server, self._server = self._server, None
        server.end()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{HOST}:{self._port}"

    @property
    def api_url(self) -> str:
        """What the setting of the platform's API is set to."""
        return self.url

    # Looking

    def named(self, name: str, chat: str = "") -> list[Call]:
        """Return the calls of that name, and where given, of that chat."""
        with self._changed:
            return [call for call in self.calls if call.name == name and chat in {"", call.chat}]

    def in_chat(self, chat: str) -> list[Message]:
        """Return the messages of a chat, in order."""
        with self._changed:
            return [message for message in self.messages.values() if message.chat == chat]

    def looking(self) -> AbstractContextManager[Any]:
        """Have nothing change while somebody looks at several things."""
        return self._changed

    def wait(self, condition: Callable[[], bool], seconds: float = 10) -> bool:
        """Wait until the condition holds after some call; tell whether it does."""
        with self._changed:
            return self._changed.wait_for(condition, seconds)

    # Trouble

    def inject(self, **fault: Any) -> Fault:
        """Make trouble: see ``Fault``."""
        made = Fault(**fault)
        with self._changed:
            self._faults.append(made)
        return made

    def recover(self) -> None:
        """End all trouble."""
        with self._changed:
            self._faults.clear()

    def _trouble(self, call: Routed) -> Fault | None:
        with self._changed:
            fault = next((fault for fault in self._faults if fault.concerns(call)), None)
            if fault:
                fault.times -= 1
            return fault

    # Answering

    def answer(self, request: Request) -> Answer:
        """Answer a request. Raises only to have the connection cut."""
        routed = self.route(request)
        if isinstance(routed, Answer):
            self._record(Routed("", "", None), routed)
            return routed
        fault = self._trouble(routed)
        if fault is None:
            return self._do(routed)
        if fault.status:
            answer = self.limited(fault.delay) if fault.status == TOO_MANY_REQUESTS else self.broken(fault.status)
            self._record(routed, answer)
            return answer
        done = self._do(routed) if fault.after else None
        self._stopping.wait(fault.hang)
        if fault.drop or self._stopping.is_set():
            raise _CutError
        return done or self._do(routed)

    def _do(self, routed: Routed) -> Answer:
        with self._changed:
            answer = self.perform(routed)
            self._record(routed, answer)
            return answer

    def _record(self, routed: Routed, answer: Answer) -> None:
        with self._changed:
            self.calls.append(Call(routed.name, routed.chat, routed.fields, answer.status))
            self._touched()

    def _touched(self) -> None:
        """Let everybody know that something changed, and forget what is too long ago."""
        if self.keeps:
            for past in self.past():
                for old in list(past)[: -self.keeps]:
                    _forget(past, old)
        self._changed.notify_all()
        self.on_change()

    def past(self) -> list[list[Any] | dict[Any, Any]]:
        """Return everything that grows with what happens, oldest first."""
        return [self.calls, self.messages]

    # What each platform does in its own way

    @abstractmethod
    def route(self, request: Request) -> Routed | Answer:
        """Tell what is called, or refuse it: a token that is none, a method that there is not."""

    @abstractmethod
    def perform(self, call: Routed) -> Answer:
        """Do what is called."""

    @abstractmethod
    def limited(self, delay: float) -> Answer:
        """Ask to wait."""

    def broken(self, status: int) -> Answer:
        """Answer as what stands before the API does when that is down: in HTML."""
        return Answer(status, b"<html><body>Something went wrong</body></html>", {"Content-Type": "text/html"})


def _forget(past: list[Any] | dict[Any, Any], old: Any) -> None:
    if isinstance(past, dict):
        del past[old]
    else:
        past.pop(0)


def json_answer(value: Any, status: int = 200, **headers: str) -> Answer:
    """Answer JSON."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Answer(status, msgspec.json.encode(value), {"Content-Type": "application/json", **named})


class _Server(LoopbackServer):
    def __init__(self, port: int, stand_in: StandIn) -> None:
        self.stand_in = stand_in
        super().__init__(port, _Handler)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Header and body leave together.
    wbufsize = -1
    disable_nagle_algorithm = True
    server: _Server

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if length > MAX_BODY:
            self.send_error(413)
            return
        target = urlsplit(self.path)
        request = Request(
            self.command,
            target.path,
            {name.lower(): value for name, value in self.headers.items()},
            self.rfile.read(length),
            target.query,
        )
        if is_browser(request.headers) or not names_us(request.headers, self.server.server_port):
            # A page elsewhere, which has no say in what people here are shown.
            self.send_error(403)
            return
        try:
            answer = self.server.stand_in.answer(request)
        except _CutError:
            self.close_connection = True
            cut(self.connection)
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer  # noqa: N815 (http.server's names)

    def log_message(self, *_: object) -> None:
        """Log nothing: what came is in ``calls``."""

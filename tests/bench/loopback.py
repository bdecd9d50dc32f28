"""Small HTTP/1.1 servers on loopback, all in one thread on a core of its own, so that what is measured has the other."""

from __future__ import annotations

import asyncio
import contextlib
import os
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

OURS, THEIRS = 1, 0
"""The core of the harness, and that of what is measured."""


class Request(NamedTuple):
    """One request, with header names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class Response(NamedTuple):
    """One response; ``Content-Length`` is added."""

    status: int
    headers: Mapping[str, str] = {}
    body: bytes = b""

    def encoded(self) -> bytes:
        """Return the bytes on the wire."""
        lines = [f"HTTP/1.1 {self.status} Answer", f"Content-Length: {len(self.body)}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        return "\r\n".join((*lines, "", "")).encode() + self.body


Respond = Callable[[Response], None]
Answer = Callable[[Request, Respond], None]
"""Answers a request, at once or later, in the servers' own thread."""


class Loopback:
    """The thread with its servers."""

    def __init__(self, *, first: bool = False) -> None:
        """Prepare; nothing runs yet. ``first`` gives the thread its core, before what else runs there."""
        self.loop = asyncio.new_event_loop()
        self._open: set[asyncio.Transport] = set()
        self._first = first

    @contextlib.contextmanager
    def running(self) -> Iterator[Loopback]:
        """Run the thread."""
        thread = threading.Thread(target=self._run, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            asyncio.run_coroutine_threadsafe(self._hang_up(), self.loop).result()
            self.loop.call_soon_threadsafe(self.loop.stop)
            thread.join()
            self.loop.close()

    @contextlib.contextmanager
    def serving(self, answer: Answer, tls: ssl.SSLContext | None = None) -> Iterator[str]:
        """Serve, and give ``host:port``."""
        starting = self.loop.create_server(lambda: _Connection(answer, self._open), "127.0.0.1", 0, ssl=tls)
        server = asyncio.run_coroutine_threadsafe(starting, self.loop).result()
        try:
            yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        finally:
            self.loop.call_soon_threadsafe(server.close)

    async def _hang_up(self) -> None:
        while self._open:
            for transport in list(self._open):
                transport.abort()
            await asyncio.sleep(0)

    def _run(self) -> None:
        if self._first:
            pin(OURS)
            hurry(first=True)
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()


def pin(core: int) -> None:
    """Keep this thread, and the processes that it starts, on a core; where there is only one, let it be."""
    if hasattr(os, "sched_setaffinity") and (os.cpu_count() or 1) > core:
        os.sched_setaffinity(0, {core})


def unpin() -> None:
    """Let this thread, and what it starts, run on every core."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, range(os.cpu_count() or 1))


def hurry(*, first: bool) -> None:
    """Have this thread, and the processes that it starts, go before what else runs here, where that is permitted."""
    if hasattr(os, "sched_setscheduler"):
        policy = os.SCHED_RR if first else os.SCHED_OTHER
        with contextlib.suppress(PermissionError):
            os.sched_setscheduler(0, policy, os.sched_param(int(first)))


def rest(seconds: float) -> None:
    """Give the others their turn after so many seconds of going first.

    Linux stops whoever goes first for 50 ms when it had a core for 950 ms of a second: that must not be measured.
    """
    time.sleep(seconds / 8)


class _Connection(asyncio.Protocol):
    def __init__(self, answer: Answer, opened: set[asyncio.Transport]) -> None:
        self._answer = answer
        self._opened = opened
        self._transport: asyncio.Transport | None = None
        self._waiting = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._opened.add(transport)

    def connection_lost(self, _: Exception | None) -> None:
        assert self._transport is not None
        self._opened.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        self._waiting += data
        while (end := self._waiting.find(b"\r\n\r\n")) >= 0:
            first, *lines = self._waiting[:end].decode("latin-1").split("\r\n")
            pairs = (line.partition(":") for line in lines)
            headers = {name.lower(): value.strip() for name, _, value in pairs}
            if headers.get("expect") and len(self._waiting) == end + 4:
                self._send(b"HTTP/1.1 100 Continue\r\n\r\n")
            length = end + 4 + int(headers.get("content-length", "0"))
            if len(self._waiting) < length:
                return
            body, self._waiting = self._waiting[end + 4 : length], self._waiting[length:]
            method, path, _ = first.split(" ", 2)
            self._answer(Request(method, path, headers, body), lambda response: self._send(response.encoded()))

    def _send(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

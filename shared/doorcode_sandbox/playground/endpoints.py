"""The playground over HTTP: its page, and JSON for that page alone.

A page elsewhere must not reach it: the request has to name this machine (against rebound names), and whatever changes
something has to come from our own page. Nor must anybody at the other end of a tunnel that takes webhooks for here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Protocol
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from doorcode.pairing.contact import Platform
from doorcode_sandbox.front import Stream
from doorcode_sandbox.loopback import is_forwarded, names_us
from doorcode_sandbox.platforms.server import Answer, Request, json_answer
from doorcode_sandbox.playground.errors import PlaygroundError
from doorcode_sandbox.playground.page_files import page_file

PREFIX = "/playground/"
FILE = re.compile(r"/playground/page/([a-z-]+\.(js|css|svg))")
TYPES = {"html": "text/html", "js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}
MAX_BODY = 64 << 10
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; "
    "trusted-types 'none'"
)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class _Say(Struct, forbid_unknown_fields=True):
    platform: Platform
    chat: str
    person: str
    text: str
    mention: bool = False


class _Press(Struct, forbid_unknown_fields=True):
    platform: Platform
    chat: str
    person: str
    message: str
    button: str
    words: str = ""


class _Redeliver(Struct, forbid_unknown_fields=True):
    delivery: str


class _Newcomer(Struct, forbid_unknown_fields=True):
    platform: Platform
    name: str
    role: str = "stranger"
    language: str = "en"


class Backend(Protocol):
    """What can be seen and done."""

    def scene(self) -> dict[str, Any]:
        """Return everything that people see."""

    def deliveries(self) -> dict[str, Any]:
        """Return the last webhooks."""

    def inside(self) -> dict[str, Any]:
        """Return what lies behind the door."""

    def changes(self) -> Iterator[int | None]:
        """Give the scene's version whenever it changes, None now and then."""

    def say(self, platform: Platform, chat_id: str, person_id: str, text: str, *, mention: bool) -> dict[str, Any]:
        """Have somebody write."""

    def press(  # noqa: PLR0913 (who presses what, and where)
        self, platform: Platform, chat_id: str, person_id: str, message_id: str, button_id: str, *, words: str = ""
    ) -> dict[str, Any]:
        """Have somebody press a button, with ``words`` in its field."""

    def redeliver(self, delivery_id: str) -> dict[str, Any]:
        """Have a webhook sent again."""

    def add_person(self, platform: Platform, name: str, language: str) -> dict[str, Any]:
        """Have another stranger."""


class Endpoints:
    """Answers requests to the playground."""

    def __init__(self, backend: Backend) -> None:
        """Serve that one."""
        self._gets: dict[str, Callable[[], dict[str, Any]]] = {
            "scene": backend.scene,
            "deliveries": backend.deliveries,
            "inside": backend.inside,
        }
        self._posts: dict[str, tuple[type[Any], Callable[[Any], dict[str, Any]]]] = {
            "say": (_Say, lambda ask: backend.say(ask.platform, ask.chat, ask.person, ask.text, mention=ask.mention)),
            "press": (
                _Press,
                lambda ask: backend.press(ask.platform, ask.chat, ask.person, ask.message, ask.button, words=ask.words),
            ),
            "redeliver": (_Redeliver, lambda ask: backend.redeliver(ask.delivery)),
            "people": (_Newcomer, lambda ask: _newcomer(backend, ask)),
        }
        self._changes = backend.changes
        self._port = 0

    def serve(self, url: str) -> None:
        """Answer to that address, and to this machine's other name."""
        self._port = urlsplit(url).port or 0

    def answer(self, request: Request) -> Answer | Stream:
        """Answer a request."""
        try:
            self._check_host(request)
            if request.path == "/":
                return _file(request, "index.html")
            if found := FILE.fullmatch(request.path):
                return _file(request, found[1])
            _check_origin(request)
            return self._called(request, request.path.removeprefix(PREFIX))
        except PlaygroundError as error:
            return _json({"error": str(error)}, error.status)

    def _check_host(self, request: Request) -> None:
        """Refuse a request for another name than this machine's: a name elsewhere may lead here, too.

        A tunnel that gives us our own name still says that it is one.
        """
        if is_forwarded(request.headers) or not names_us(request.headers, self._port):
            raise PlaygroundError(403, "The playground is only there for this machine, under its own name.")

    def _called(self, request: Request, name: str) -> Answer | Stream:
        if not request.path.startswith(PREFIX):
            raise PlaygroundError(404, "There is nothing here.")
        if name == "changes":
            _check_verb(request, "GET")
            return Stream(_events(self._changes()), HEADERS | {"Content-Type": "text/event-stream; charset=utf-8"})
        if name in self._gets:
            _check_verb(request, "GET")
            return _json(self._gets[name]())
        if name in self._posts:
            _check_verb(request, "POST")
            form, act = self._posts[name]
            return _json(act(_read(request, form)))
        raise PlaygroundError(404, "There is nothing here.")


def _newcomer(backend: Backend, ask: _Newcomer) -> dict[str, Any]:
    if ask.role != "stranger":
        raise PlaygroundError(400, "Only strangers can be added: owners are set when the sandbox starts.")
    return backend.add_person(ask.platform, ask.name, ask.language)


def _check_origin(request: Request) -> None:
    """Refuse what another page asks for."""
    host = request.headers["host"].lower()
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    # A browser that says neither is none of today's; without a browser there is no other page.
    asking = request.verb not in {"GET", "HEAD"}
    if site is not None and site != "same-origin" and (asking or site != "none"):
        raise PlaygroundError(403, "Only the playground's own page may ask for that.")
    if origin is not None and (urlsplit(origin).scheme, urlsplit(origin).netloc.lower()) != ("http", host):
        raise PlaygroundError(403, "Only the playground's own page may ask for that.")
    if asking and site is None and origin is None:
        raise PlaygroundError(403, "Only the playground's own page may ask for that.")


def _check_verb(request: Request, verb: str) -> None:
    if request.verb != verb:
        raise PlaygroundError(405, f"That is asked for with {verb}.")


def _read(request: Request, form: type[Any]) -> Any:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise PlaygroundError(415, "The body has to be JSON, and to say so.")
    if len(request.body) > MAX_BODY:
        raise PlaygroundError(413, "The body is too large.")
    try:
        return msgspec.json.decode(request.body, type=form)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise PlaygroundError(400, f"The body is not what it should be: {error}") from None


def _file(request: Request, name: str) -> Answer:
    _check_verb(request, "GET")
    try:
        content = page_file(name)
    except FileNotFoundError:
        raise PlaygroundError(404, "There is nothing here.") from None
    kind = TYPES[name.rpartition(".")[2]]
    headers = {
        "Content-Type": f"{kind}; charset=utf-8",
        "Cache-Control": "no-cache",
        "Content-Security-Policy": POLICY,
    }
    return Answer(200, content, HEADERS | headers)


def _json(value: dict[str, Any], status: int = 200) -> Answer:
    answer = json_answer(value, status)
    policy = "default-src 'none'; frame-ancestors 'none'"
    return Answer(
        status, answer.body, {**answer.headers, **HEADERS, "Cache-Control": "no-store", "Content-Security-Policy": policy}
    )  # fmt: skip


def _events(changes: Iterator[int | None]) -> Iterator[bytes]:
    for version in changes:
        yield b": alive\n\n" if version is None else b'data: {"version": %d}\n\n' % version

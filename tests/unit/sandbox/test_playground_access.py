"""Who may ask the playground: its own page on this machine, and nobody else."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from doorcode_sandbox.playground import page_files
from tests.unit.sandbox.playground_fixtures import Harness

NAMES = ("scene", "deliveries", "inside", "changes")
SAY = {"platform": "telegram", "chat": "987654321", "person": "987654321", "text": "x"}
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def harness() -> Iterator[Harness]:
    """Have everything running."""
    with Harness().running() as harness:
        yield harness


def _port(harness: Harness) -> int:
    return urlsplit(harness.front.url).port or 0


def test_rebound_names(harness: Harness) -> None:
    """A page whose name was rebound to this machine reads nothing: the request has to name this machine and port."""
    for host in (
        "evil.example",
        "evil.example:{port}",
        "127.0.0.1",
        "localhost:1",
        "127.0.0.1:{port}.evil.example",
        "[::1]:{port}",
        "",
    ):
        for path in ("/", "/playground/scene", "/playground/page/app.js", "/playground/changes"):
            status, _, answer = harness.ask("GET", path, None, {"Host": host.format(port=_port(harness))})
            assert (status, list(json.loads(answer))) == (403, ["error"]), (host, path)


def test_tunnels(harness: Harness) -> None:
    """Whoever comes through a tunnel reads and does nothing, also where it names this machine for them."""
    for name in (
        "X-Forwarded-For",
        "x-forwarded-host",
        "X-Forwarded-Proto",
        "X-Real-IP",
        "Forwarded",
        "CF-Connecting-IP",
    ):
        for path in ("/", "/playground/inside", "/playground/say"):
            verb, body = ("POST", SAY) if path == "/playground/say" else ("GET", None)
            own = {"Host": f"127.0.0.1:{_port(harness)}", "Origin": harness.front.url, **JSON}
            assert harness.ask(verb, path, body, own)[0] == 200, (name, path)
            assert harness.ask(verb, path, body, own | {name: "203.0.113.9"})[0] == 403, (name, path)


def test_own_names(harness: Harness) -> None:
    """Both names of this machine are its own."""
    for host in ("127.0.0.1:{port}", "localhost:{port}", "LocalHost:{port}"):
        named = host.format(port=_port(harness))
        assert harness.ask("GET", "/playground/scene", None, {"Host": named})[0] == 200, host
        given = JSON | {"Host": named, "Origin": f"http://{named.lower()}"}
        assert harness.ask("POST", "/playground/say", SAY, given)[0] == 200, host


def test_other_pages_change_nothing(harness: Harness) -> None:
    """Another page, on this machine or elsewhere, has nothing done."""
    for headers in (
        {},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "https://127.0.0.1:{port}"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "http://localhost:{port}"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "http://evil.example"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://127.0.0.1:{port}"},
    ):
        for name in ("say", "press", "redeliver", "people"):
            given = JSON | {key: value.format(port=_port(harness)) for key, value in headers.items()}
            assert harness.ask("POST", f"/playground/{name}", SAY, given)[0] == 403, (headers, name)
            assert harness.api.taken == [], (headers, name)


def test_other_pages_read_nothing(harness: Harness) -> None:
    """Another page cannot even ask, whatever it could do with the answer; nobody is allowed in by CORS."""
    for name in NAMES:
        for site in ("cross-site", "same-site"):
            status, headers, _ = harness.ask("GET", f"/playground/{name}", None, {"Sec-Fetch-Site": site})
            assert status == 403, name
            assert not [header for header in headers if header.lower().startswith("access-control")], name
        assert harness.ask("OPTIONS", f"/playground/{name}", None, {"Origin": "http://evil.example"})[0] == 403, name


def test_only_json(harness: Harness) -> None:
    """What a form could send is refused."""
    for kind in ("", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        given = {"Sec-Fetch-Site": "same-origin", "Content-Type": kind}
        assert harness.ask("POST", "/playground/say", SAY, given)[0] == 415, kind


def test_bodies(harness: Harness) -> None:
    """What is no such request, or too large a one, is refused with a sentence."""
    for body, status in (
        (b"{", 400),
        (b"\xff", 400),
        (b"[]", 400),
        (b"", 400),
        (b'{"text": "%s"}' % (b"x" * 65536), 413),
    ):
        refused, headers, answer = harness.ask("POST", "/playground/say", body)
        assert (refused, headers["Content-Type"], list(json.loads(answer))) == (
            status,
            "application/json",
            ["error"],
        ), body


def test_what_is_not_there(harness: Harness) -> None:
    """Only what is named is there, and only as it is meant to be asked for; no other file can be had."""
    for verb, path, status in (
        ("GET", "/playground/say", 405),
        ("POST", "/playground/scene", 405),
        ("POST", "/playground/changes", 405),
        ("POST", "/", 405),
        ("DELETE", "/playground/page/app.js", 405),
        ("GET", "/playground", 404),
        ("GET", "/playground/", 404),
        ("GET", "/playground/scene/", 404),
        ("GET", "/favicon.ico", 404),
        ("GET", "/playground/page/backend.py", 404),
        ("GET", "/playground/page/../backend.py", 404),
        ("GET", "/playground/page/..%2fbackend.py", 404),
        ("GET", "/playground/page/index.html", 404),
        ("GET", "/playground/page/none.js", 404),
    ):
        assert harness.ask(verb, path, None if verb == "GET" else b"{}")[0] == status, (verb, path)


def test_the_page(harness: Harness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page and its files come with their types, and may run and load nothing but themselves."""
    for name in ("index.html", "app.js", "app.css", "icon.svg"):
        (tmp_path / name).write_text(name)
    monkeypatch.setattr(page_files, "SHARED", tmp_path)
    kinds = {
        "/": "text/html",
        "/playground/page/app.js": "text/javascript",
        "/playground/page/app.css": "text/css",
        "/playground/page/icon.svg": "image/svg+xml",
    }
    for path, kind in kinds.items():
        # Also by a link from elsewhere.
        status, headers, body = harness.ask("GET", path, None, {"Sec-Fetch-Site": "cross-site"} if path == "/" else {})
        assert (status, headers["Content-Type"]) == (200, f"{kind}; charset=utf-8")
        assert body.decode() == (path.rpartition("/")[2] or "index.html")
        policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
        assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"


def test_json_is_not_stored(harness: Harness) -> None:
    """What the page reads stays nowhere."""
    answers: dict[str, Any] = {name: harness.ask("GET", f"/playground/{name}")[1] for name in NAMES[:3]}
    for headers in answers.values():
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Content-Type-Options"] == "nosniff"

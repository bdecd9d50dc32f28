"""The front: what it sends on, to the byte, and what it keeps from whom."""

import http.client
import socket
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import urlsplit

import pytest

from doorcode.web.assembly import INDEX
from doorcode.web.page import FOLDER
from doorcode_sandbox.emulator_guard import FRONT_HEADER
from doorcode_sandbox.front import MAX_BODY, SIGN_IN, Front
from tests.eventually import PATIENCE_SECONDS
from tests.unit.sandbox.playground_fixtures import HOST, WORD, Harness


@pytest.fixture
def harness() -> Iterator[Harness]:
    """Have everything running."""
    with Harness().running() as harness:
        yield harness


def _raw(front: Front, request: bytes) -> bytes:
    """Send bytes as they are; return all that comes back until the connection ends."""
    address = urlsplit(front.url)
    with socket.create_connection((address.hostname, address.port), timeout=PATIENCE_SECONDS) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def test_requests_go_on_to_the_byte(harness: Harness) -> None:
    """Method, path, query, headers in their order and body reach the stack as they came; only the host is its own."""
    headers = [
        ("Cookie", "__Host-doorcode=a.b"),
        ("Origin", "http://127.0.0.1:1"),
        ("Sec-Fetch-Site", "same-origin"),
        (FRONT_HEADER, "somebody else's"),
        ("X-Two", "1"),
        ("X-Two", "2"),
    ]
    address = urlsplit(harness.front.url).netloc
    with closing(http.client.HTTPConnection(address, timeout=PATIENCE_SECONDS)) as connection:
        connection.putrequest("PUT", "/api/a%20b/../c?x=1&x=%2F", skip_accept_encoding=True)
        for name, value in [*headers, ("Keep-Alive", "5"), ("X-Hop", "1"), ("Connection", "X-Hop")]:
            connection.putheader(name, value)
        connection.putheader("Content-Length", "5")
        connection.endheaders(b"\x00\xffabc")
        assert connection.getresponse().read() == b""
    ((verb, path, taken, body),) = harness.api.taken
    sent_on = [header for header in headers if header[0] != FRONT_HEADER]
    assert (verb, path, body) == ("PUT", "/api/a%20b/../c?x=1&x=%2F", b"\x00\xffabc")
    assert taken == [("Host", HOST), (FRONT_HEADER, WORD), *sent_on, ("Connection", "close"), ("Content-Length", "5")]


def test_answers_come_back_to_the_byte(harness: Harness) -> None:
    """Status, headers (one of them twice) and body come back as they were."""
    headers = [("Set-Cookie", "a=1; Secure"), ("Set-Cookie", "b=2"), ("ETag", '"x"'), ("Server", "stack")]
    harness.api.answers.append((418, headers, b"\xff\x00"))
    with closing(
        http.client.HTTPConnection(urlsplit(harness.front.url).netloc, timeout=PATIENCE_SECONDS)
    ) as connection:
        connection.request("GET", "/owner")
        response = connection.getresponse()
        assert (response.status, response.read()) == (418, b"\xff\x00")
        assert response.headers.items() == [*headers, ("Content-Length", "2")]
        # The same connection serves the next one.
        connection.request("GET", "/owner/app.js")
        assert connection.getresponse().status == 200


def test_answers_without_a_body(harness: Harness) -> None:
    """What has no body gets none: 204, 304, and the answer to HEAD."""
    harness.api.answers += [(204, [], b""), (304, [], b"")]
    assert [harness.ask("DELETE", "/api/session")[::2], harness.ask("GET", "/owner")[::2]] == [(204, b""), (304, b"")]
    assert harness.ask("HEAD", "/owner")[::2] == (200, b"")


def test_what_goes_on(harness: Harness) -> None:
    """Only the stack's own routes go on to it."""
    for path, goes_on in (
        ("/telegram", True),
        ("/slack", True),
        ("/discord?x=1", True),
        ("/api/pairing/pending", True),
        ("/owner", True),
        ("/owner/app.js", True),
        ("/telegram/x", False),
        ("/ownership", False),
        ("/apiary", False),
        ("/playground/owner", False),
        ("/x/../owner", False),
        ("/", False),
    ):
        harness.ask("POST", path, b"")
        assert bool(harness.api.taken) is goes_on, path
        harness.api.taken.clear()


def test_webhooks_come_under_any_name(harness: Harness) -> None:
    """A tunnel brings webhooks under its own name, and from anywhere; nothing else is to be had through it."""
    foreign = {"Host": "a-tunnel.example", "Sec-Fetch-Site": "cross-site"}
    forwarded = {"X-Forwarded-For": "203.0.113.9"}
    for headers in (foreign, forwarded):
        assert harness.ask("POST", "/telegram", b"{}", headers)[0] == 200
        for path in ("/owner", "/owner/app.js", "/api", "/api/session", "/playground/scene", "/"):
            assert harness.ask("GET", path, None, headers)[0] == 403
    assert len(harness.api.taken) == 2


def test_the_owner_s_page_goes_out_only_if_that_is_wanted(harness: Harness) -> None:
    """Then the tunnel's own name has page and API, and no other name does; the playground never goes out."""
    with Front(port=0, api=harness.api.url, host=HOST, public="https://A-tunnel.example") as front:
        harness.front, former = front, harness.front
        for path in ("/owner", "/api/session"):
            assert harness.ask("GET", path, None, {"Host": "a-tunnel.example", "X-Forwarded-For": "1"})[0] == 200
            assert harness.ask("GET", path, None, {"Host": "rebound.example"})[0] == 403
        harness.front = former


def test_chunks(harness: Harness) -> None:
    """A body that comes in chunks goes on in one piece."""
    head = b"POST /slack HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    assert b" 200 " in _raw(harness.front, head + b"3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nX-Trailer: 1\r\n\r\n")
    _, _, headers, body = harness.api.taken[0]
    assert body == b"abc0123456789"
    assert ("Content-Length", "13") in headers


def test_no_second_request_is_smuggled(harness: Harness) -> None:
    """A request whose end cannot be told is refused, and nothing after it is read."""
    for rest in (
        b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"Content-Length: 3\r\nContent-Length: 5\r\n\r\nabcde",
        b"Content-Length: -1\r\n\r\n",
        b"Content-Length: +3\r\n\r\nabc",
        b"Content-Length: 5\r\n\r\nabc",
        b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n-1\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n3\r\nabcdef\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n",
    ):
        next_one = b"POST /telegram HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"
        answer = _raw(
            harness.front, b"POST /slack HTTP/1.1\r\nHost: x\r\n" + rest + (b"" if b": 5" in rest else next_one)
        )
        assert answer.startswith(b"HTTP/1.1 400 "), rest
        assert answer.count(b"HTTP/1.1 ") == 1, rest
        assert harness.api.taken == [], rest


@pytest.mark.parametrize("head", [b"Content-Length: %d\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n%x\r\n"])
def test_too_large(harness: Harness, head: bytes) -> None:
    """More than API Gateway takes is refused before it is read."""
    assert b" 413 " in _raw(harness.front, b"POST /slack HTTP/1.1\r\nHost: x\r\n" + head % (MAX_BODY + 1))


@pytest.mark.parametrize("path", [b"/owner/\xff", b"/owner/\x01"])
def test_path_that_cannot_be_sent_on(harness: Harness, path: bytes) -> None:
    """What the stack could take for something else is refused."""
    near = urlsplit(harness.front.url).netloc.encode()
    assert b" 400 " in _raw(harness.front, b"GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n" % (path, near))
    assert harness.api.taken == []


def test_no_stack() -> None:
    """Without an emulator the answer says so, and the playground is still there."""
    harness = Harness()
    harness.api.end()
    with harness.front:
        status, _, answer = harness.ask("POST", "/telegram", b"{}")
        assert (status, b"did not answer" in answer) == (502, True)
        assert harness.ask("GET", "/playground/scene")[0] == 200


def test_without_a_playground(harness: Harness) -> None:
    """The front alone sends on, and has nothing else."""
    with Front(port=0, api=harness.api.url, host=HOST) as front:
        harness.front, former = front, harness.front
        assert [harness.ask("GET", path)[0] for path in ("/owner", "/", "/playground/scene")] == [200, 404, 404]
        harness.front = former


def test_only_this_machine(harness: Harness) -> None:
    """It listens on the loopback address alone, and says so when somebody else is there already."""
    port = urlsplit(harness.front.url).port
    assert port
    assert harness.front._server
    assert harness.front._server.server_address == ("127.0.0.1", port)
    with pytest.raises(OSError, match="in use"):
        Front(port=port, api=harness.api.url, host=HOST).start()


def test_stopping_ends_streams() -> None:
    """Whoever listens to changes hears the end, and nothing is left running."""
    harness = Harness()
    with harness.running():
        address = urlsplit(harness.front.url).netloc
        connection = http.client.HTTPConnection(address, timeout=PATIENCE_SECONDS)
        connection.request("GET", "/playground/changes")
        response = connection.getresponse()
        assert response.readline() == b'data: {"version": 1}\n'
    with closing(connection):
        assert response.read() == b"\n"


def test_the_owner_s_page_names_a_command_that_works_here(harness: Harness) -> None:
    """The page of the stack names its own, which would look for a stack in AWS; nothing else is changed."""
    page = (FOLDER / INDEX).read_bytes()
    assert page.count(SIGN_IN) == 1
    harness.api.answers += [(200, [("ETag", '"x"'), ("X", "y")], page), (200, [("ETag", '"x"')], page)]
    with Front(port=0, api=harness.api.url, host=HOST, sign_in=".venv/bin/doorcode web --store-dir 'a&b'") as front:
        harness.front, former = front, harness.front
        status, headers, shown = harness.ask("GET", "/owner")
        assert status == 200
        assert shown == page.replace(SIGN_IN, b"<code>.venv/bin/doorcode web --store-dir &#x27;a&amp;b&#x27;</code>")
        assert ("ETag" in headers, headers["X"]) == (False, "y")
        assert harness.ask("GET", "/owner/app.js")[2] == page
        harness.front = former

"""What the stand-ins share: running, the record of calls, trouble on demand."""

import socket
import threading
import time
from http.client import RemoteDisconnected
from typing import Any
from urllib.parse import urlsplit

import pytest

from doorcode_sandbox.loopback import cut
from doorcode_sandbox.platforms.forms import FormError, checked
from doorcode_sandbox.platforms.server import MAX_BODY, Answer, Routed, StandIn
from doorcode_sandbox.platforms.telegram.stand_in import TelegramStandIn
from tests.eventually import PATIENCE_SECONDS, eventually
from tests.unit.sandbox.http import call

ME = "/bot7000000001:stand-in/getMe"


def test_only_this_machine() -> None:
    """It listens on loopback, on a free port, and no more once it is stopped."""
    with TelegramStandIn() as one, TelegramStandIn() as two:
        assert urlsplit(one.url).hostname == "127.0.0.1"
        assert one.url != two.url
        assert call(one, "GET", ME)[0] == 200
    with pytest.raises(ConnectionRefusedError):
        call(one, "GET", ME)
    one.stop()


def test_restart_keeps_the_port() -> None:
    """It can be started again where it was, with what it knew."""
    stand_in = TelegramStandIn()
    with stand_in:
        url = stand_in.url
    with stand_in:
        assert stand_in.url == url
        assert call(stand_in, "GET", ME)[0] == 200


def test_calls_are_recorded() -> None:
    """Every call is in the record, with what was sent and how it was answered; strangers' too."""
    with TelegramStandIn() as stand_in:
        stand_in.open_chat("5")
        path = ME.replace("getMe", "sendChatAction")
        call(stand_in, "POST", path, {"chat_id": 5, "action": "typing"})
        call(stand_in, "POST", path, {"chat_id": 6, "action": "typing"})
        call(stand_in, "POST", "/nowhere")
        assert [(one.name, one.chat, one.status) for one in stand_in.calls] == [
            ("sendChatAction", "5", 200),
            ("sendChatAction", "6", 403),
            ("", "", 404),
        ]
        assert stand_in.named("sendChatAction", "5")[0].fields == {"chat_id": "5", "action": "typing"}
        assert len(stand_in.named("sendChatAction")) == 2


def test_waiting() -> None:
    """Whoever waits for a call is told when it came, and when it did not."""
    with TelegramStandIn() as stand_in:
        assert not stand_in.wait(lambda: bool(stand_in.calls), 0.01)
        calling = threading.Timer(0.05, call, (stand_in, "GET", ME))
        calling.start()
        assert stand_in.wait(lambda: len(stand_in.named("getMe")) == 1, PATIENCE_SECONDS)
        # The call is recorded before it is answered: whoever leaves now would cut it.
        calling.join()


def test_faults_are_chosen() -> None:
    """Trouble comes for as many calls as was said, of that name and chat only, until it is cleared."""
    with TelegramStandIn() as stand_in:
        stand_in.open_chat("5")
        action = ME.replace("getMe", "sendChatAction")
        stand_in.inject(status=500, name="sendChatAction", chat="5", times=2)
        assert call(stand_in, "GET", ME)[0] == 200
        assert call(stand_in, "POST", action, {"chat_id": 6, "action": "typing"})[0] == 403
        statuses = [call(stand_in, "POST", action, {"chat_id": 5, "action": "typing"})[0] for _ in range(3)]
        assert statuses == [500, 500, 200]
        stand_in.inject(status=502)
        stand_in.recover()
        assert call(stand_in, "GET", ME)[0] == 200


@pytest.mark.parametrize("after", [False, True])
def test_dropped(*, after: bool) -> None:
    """A connection can be cut before or after the call had its effect."""
    with TelegramStandIn() as stand_in:
        stand_in.open_chat("5")
        stand_in.inject(drop=True, after=after)
        with pytest.raises((RemoteDisconnected, ConnectionResetError)):
            call(stand_in, "POST", ME.replace("getMe", "sendMessage"), {"chat_id": 5, "text": "hello"})
        assert len(stand_in.in_chat("5")) == after


@pytest.mark.parametrize("after", [False, True])
def test_slow(*, after: bool) -> None:
    """An answer can be slow."""
    with TelegramStandIn() as stand_in:
        stand_in.inject(hang=0.1, after=after)
        started = time.monotonic()
        assert call(stand_in, "GET", ME)[0] == 200
        assert time.monotonic() - started >= 0.1


def test_stopping_ends_what_hangs() -> None:
    """Stopping waits for nobody."""
    ended = threading.Event()

    def hanging() -> None:
        with pytest.raises((RemoteDisconnected, ConnectionResetError)):
            call(stand_in, "GET", ME)
        ended.set()

    with TelegramStandIn() as stand_in:
        hangs = stand_in.inject(hang=60)
        calling = threading.Thread(target=hanging)
        calling.start()
        idle = socket.create_connection((urlsplit(stand_in.url).hostname, urlsplit(stand_in.url).port))
        assert eventually(lambda: not hangs.times)
    calling.join(PATIENCE_SECONDS)
    assert ended.is_set()
    idle.close()
    cut(idle)


def test_too_large() -> None:
    """More than anybody means to send is not read."""
    with TelegramStandIn() as stand_in:
        assert call(stand_in, "POST", ME, None, Content_Length=str(MAX_BODY + 1))[0] == 413


@pytest.mark.parametrize(
    "header",
    [("Origin", "http://evil.example"), ("Sec_Fetch_Site", "cross-site"), ("Host", "evil.example")],
    ids=lambda header: header[0],
)
def test_pages_are_refused(header: tuple[str, Any]) -> None:
    """Security 36: a page that knows the made-up token has the bot say nothing; a name that was rebound does not, either."""
    with TelegramStandIn() as stand_in:
        assert call(stand_in, "POST", ME, None, **dict([header]))[0] == 403
        assert stand_in.calls == []


def test_a_mistake_within_is_not_hidden() -> None:
    """What breaks in a stand-in breaks the test that uses it."""

    class Broken(TelegramStandIn):
        def perform(self, call: Routed) -> Answer:
            raise ZeroDivisionError(call.name)

    with pytest.raises(ZeroDivisionError), Broken() as stand_in, pytest.raises(RemoteDisconnected):
        call(stand_in, "GET", ME)


def test_clients_that_give_up_are_nothing_unusual() -> None:
    """A client that resets its connection breaks nothing."""
    with TelegramStandIn() as stand_in:
        hangs = stand_in.inject(hang=0.1)
        client = socket.create_connection((urlsplit(stand_in.url).hostname, urlsplit(stand_in.url).port))
        client.sendall(f"GET {ME} HTTP/1.1\r\nHost: {urlsplit(stand_in.url).netloc}\r\n\r\n".encode())
        assert eventually(lambda: not hangs.times)  # what is reset before it was read never came
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        client.close()
        assert stand_in.wait(lambda: bool(stand_in.calls), PATIENCE_SECONDS)
        # What breaks in answering is noted before the connection is given up.
        server = stand_in._server
        assert server
        assert eventually(lambda: not server._open)


def test_platforms_fill_in() -> None:
    """What each platform does in its own way, the shared part does not guess: by itself it is no stand-in."""
    kind: Any = StandIn
    with pytest.raises(TypeError, match=r"limited.*perform.*route"):
        kind()


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"chat_id": "1", "text": "x", "colour": "red"}, "colour"),
        ({"chat_id": "1", "text": "x", "reply_markup": {"inline_keyboard": [[{"text": "x", "color": 1}]]}}, "color"),
        ({"chat_id": "1", "text": "x", "link_preview_options": {"off": True}}, "link_preview_options.off"),
        ({"chat_id": "1"}, ""),
        ({"chat_id": "1", "text": ["x"]}, "text"),
    ],
)
def test_forms(given: dict[str, Any], field: str) -> None:
    """A field that is unknown, missing or of another type is refused by name; unknown ones only where that is strict."""
    from doorcode_sandbox.platforms.telegram.stand_in import _SendMessage  # noqa: PLC0415

    with pytest.raises(FormError) as caught:
        checked(given, _SendMessage, strict=True)
    assert caught.value.field.endswith(field)
    if str(caught.value) == "unknown field":
        assert checked(given, _SendMessage, strict=False).text == "x"

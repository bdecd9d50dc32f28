"""Security 50, A17, A18: an asker's address is told the answer, signed with its own secret, in public, once; and delays nobody."""

import json
import socket
import ssl
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

from doorcode.asking.callback_keys import callback_secret
from doorcode.asking.order import Asker
from doorcode.asking.question import Question
from doorcode.aws.table import Table
from doorcode.aws.tokens import Tokens
from doorcode.entrypoints.asking import callbacks
from doorcode.entrypoints.asking.callbacks import CallbackFailedError, is_public, post
from doorcode.pairing.access import Scope
from doorcode.pairing.contact import Platform
from tests.behind.asking import ask, buttons, press, store_of
from tests.behind.harness import Behind
from tests.certificates import self_signed
from tests.edge.harness import CALLBACKS, TABLE

URL = "https://asker.example/hook"
Call = tuple[str, dict[str, str], bytes]


class Address:
    """An asker's address, which answers as it is told, and with 200 from then on."""

    def __init__(self, *answers: int | Exception) -> None:
        self.answers = list(answers)
        self.calls: list[Call] = []

    def __call__(self, url: str, headers: dict[str, str], body: bytes) -> int:
        """Take a call."""
        self.calls.append((url, headers, body))
        answer = self.answers.pop(0) if self.answers else 200
        if isinstance(answer, Exception):
            raise answer
        return answer


def asked(behind: Behind, address: Address, **order: Any) -> tuple[Question, str]:
    """Ask with a token of its own, which is returned, too."""
    tokens = Tokens(Table(behind.edge.dynamodb, TABLE))
    _, token = tokens.create("ci", {Scope.MESSAGES}, "alice", behind.now())
    behind.questions._post = address
    question = ask(
        behind, details="secret words", asker=Asker(id=token.id, label="token ci"), **{"callback_url": URL} | order
    )
    behind.settle()
    return question, token.id


def approve(behind: Behind) -> None:
    """Have the owner approve."""
    press(behind, Platform.TELEGRAM, buttons(behind, Platform.TELEGRAM)["✅ Approve"])


def test_an_answer_is_told_once_and_signed(behind: Behind) -> None:
    """A18, A20: as Standard Webhooks says, with the token's secret and no other's, without the words; tried again, it is the same."""
    address = Address(CallbackFailedError("no"), 500, 302)
    question, token = asked(behind, address, key="k1")
    assert address.calls == []
    approve(behind)
    behind.settle()
    store_of(behind).use(question.id, token, behind.now(), digest=question.digest)
    behind.settle()
    assert len(address.calls) == 4
    assert len({(url, headers["webhook-id"], body) for url, headers, body in address.calls}) == 1
    url, headers, body = address.calls[-1]
    assert url == URL
    said = Webhook(callback_secret(token, CALLBACKS)).verify(body, headers)
    assert said["type"] == "ask.approved"
    assert said["data"] | {"decided_at": 0} == {
        "id": question.id, "key": "k1", "state": "approved", "digest": question.digest,
        "decided_by": "123456789", "decided_via": "button", "decided_at": 0,
    }  # fmt: skip
    with pytest.raises(Exception, match="signature"):
        Webhook(callback_secret("another", CALLBACKS)).verify(body, headers)
    assert b"secret words" not in body
    assert behind.parked() == 0


def test_an_address_that_does_not_answer_delays_nothing_and_is_given_a_day(behind: Behind) -> None:
    """A17: prompts, events and use go on; it is tried for 24 hours, not the courier's one, then parked, and nothing is undone."""
    broken: list[int | Exception] = [CallbackFailedError("no")] * 200
    address = Address(*broken)
    question, token = asked(behind, address)
    approve(behind)
    for _ in range(3):
        behind.relay_once()
        behind.courier_once()
    store_of(behind).use(question.id, token, behind.now(), digest=question.digest)
    for _ in range(3):
        behind.relay_once()
        behind.courier_once()
    assert behind.event_types() == ["ask_requested", "ask_approved", "ask_used"]
    assert "used at" in behind.prompts(Platform.TELEGRAM)[0]
    started = behind.now()
    for later, parked in ((3700, False), (80_000, False), (86_500, True)):
        behind.consumer._clock = lambda later=later: started + later  # type: ignore[misc]
        for _ in range(4):
            behind.courier_once()
        assert bool(behind.parked()) is parked


def test_whoever_is_gone_is_left_alone(behind: Behind) -> None:
    """A18: 410 ends it; a revoked token's callbacks stop."""
    address = Address(410)
    question, token = asked(behind, address)
    approve(behind)
    behind.settle()
    assert len(address.calls) == 1
    question, token = asked(behind, address)
    Tokens(Table(behind.edge.dynamodb, TABLE)).revoke(token)
    approve(behind)
    behind.settle()
    assert len(address.calls) == 1
    assert store_of(behind).get(question.id).usable_until  # type: ignore[union-attr]


PRIVATE = (
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",  # noqa: S104 (an address, not a place to listen)
    "224.0.0.1", "255.255.255.255",
    "::1", "::", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::", "fe80::1%eth0", "nonsense",
)  # fmt: skip


def test_only_public_addresses_are_called(monkeypatch: pytest.MonkeyPatch) -> None:
    """A18: https on 443 alone; no private, link-local or metadata address, however it is written; if one of several is, none is called."""
    monkeypatch.setattr(callbacks, "SECONDS", 20.0)
    assert [address for address in PRIVATE if is_public(address)] == []
    assert all(map(is_public, ("93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "64:ff9b::5db8:d822")))

    def connect(*_: Any, **__: Any) -> Any:
        pytest.fail("somebody was called")

    for url in (
        "http://asker.example/", "https://asker.example:8443/", "https://user@asker.example/", "https:///x", "ftp://asker.example/",
    ):  # fmt: skip
        with pytest.raises(CallbackFailedError):
            post(url, {}, b"", resolve=lambda _: ["93.184.216.34"], connect=connect)
    for found in (["10.0.0.1"], ["93.184.216.34", "127.0.0.1"], []):
        with pytest.raises(CallbackFailedError):
            post(URL, {}, b"", resolve=lambda _, found=found: found, connect=connect)  # type: ignore[misc]
    for host in ("127.0.0.1", "localhost", "[::1]"):
        with pytest.raises(CallbackFailedError) as refused:
            post(f"https://{host}/", {}, b"", connect=connect)
        assert host not in str(refused.value)


def test_the_connection_goes_where_the_name_led(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A18: looked up once, and called at that very address, with the certificate of the name; a redirect is an answer like any other."""
    monkeypatch.setattr(callbacks, "SECONDS", 20.0)
    certificate = self_signed(tmp_path)
    requests: list[tuple[str, str, bytes]] = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            requests.append((self.path, self.headers["webhook-id"], body))
            self.send_response(302)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    answers = iter([["93.184.216.34"], ["127.0.0.1"]])
    called: list[Any] = []
    with HTTPServer(("127.0.0.1", 0), Hook) as server:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate)
        server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        port = server.server_port

        def connect(at: Any, timeout: float) -> Any:
            called.append(at)
            return socket.create_connection(("127.0.0.1", port), timeout)

        def trusting() -> ssl.SSLContext:
            return ssl.create_default_context(cafile=str(certificate))

        resolve: Callable[[str], list[str]] = lambda _: next(answers)  # noqa: E731 (what the name leads to, each time it is asked)
        status = post(
            "https://127.0.0.1/hook?a=1", {"webhook-id": "x"}, b"{}", resolve=resolve, connect=connect, context=trusting
        )
        thread.join()
    assert status == 302
    assert requests == [("/hook?a=1", "x", b"{}")]
    assert called == [("93.184.216.34", 443)]


def test_a_call_ends_whatever_its_peer_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """A17: a name that is not resolved, or a peer that says nothing, holds the courier up for no longer than its time."""
    monkeypatch.setattr(callbacks, "SECONDS", 0.2)
    over = threading.Event()

    def never(_: str) -> list[str]:
        over.wait(30)
        return []

    with pytest.raises(CallbackFailedError, match="within"):
        post(URL, {}, b"", resolve=never)
    over.set()


def test_a_reason_given_afterwards_is_told_too(behind: Behind) -> None:
    """Whoever asked is told the denial at once, and then the reason, as the owner's words."""
    address = Address()
    question, _ = asked(behind, address)
    press(behind, Platform.TELEGRAM, buttons(behind, Platform.TELEGRAM)["❌ Deny"])
    behind.settle()
    store_of(behind).explain(question.id, "telegram:123456789", "Not today.", behind.now())
    behind.settle()
    first, second = (json.loads(body)["data"] for _, _, body in address.calls)
    assert "reason" not in first
    assert second["reason"] == "Not today."
    assert len({headers["webhook-id"] for _, headers, _ in address.calls}) == 2

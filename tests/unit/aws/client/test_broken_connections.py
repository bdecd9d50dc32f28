"""Connections that break, and answers that do not come: each is reported in time, and nothing is sent twice."""

import socket
import threading
from contextlib import suppress

import pytest

from doorcode.aws.client import connection
from doorcode.aws.client.connection import KEPT_SECONDS
from doorcode.aws.client.errors import BadAnswerError, ConnectError, NoAnswerError, TransportError
from tests.eventually import eventually
from tests.unit.aws.client.peer import HASTY, Script, Talk, answer, answering, faithful, serving

ASKED = {"Key": "1"}
HEARD = {"Heard": ASKED}


def hangs_up(talk: Talk) -> None:
    """Take the request and end."""
    talk.hear()


def resets(talk: Talk) -> None:
    """Take the request and reset."""
    talk.hear()
    talk.reset()


def says_half(talk: Talk) -> None:
    """Promise more than is sent."""
    talk.hear()
    talk.say(answer({"Item": {}})[:-3])


def says_half_a_head(talk: Talk) -> None:
    """End within the headers."""
    talk.hear()
    talk.say(b"HTTP/1.1 200 OK\r\nContent-Le")


def is_silent(talk: Talk) -> None:
    """Say nothing."""
    talk.hear()
    talk.over.wait()


def never_ends(talk: Talk) -> None:
    """Leave the last bytes out."""
    talk.hear()
    talk.say(answer({"Item": {}})[:-3])
    talk.over.wait()


def drips(talk: Talk) -> None:
    """Say everything, far too slowly: no time-out between two bytes would ever notice."""
    talk.hear()
    talk.drip(answer({"Item": {}}))


def drips_for_ever(talk: Talk) -> None:
    """Say that it goes on, again and again."""
    talk.hear()
    talk.drip(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000)


BROKEN: dict[str, Script] = {
    "hung up": hangs_up,
    "reset": resets,
    "half an answer": says_half,
    "half a head": says_half_a_head,
}
LATE: dict[str, Script] = {
    "silent": is_silent,
    "not ending": never_ends,
    "dripping": drips,
    "continuing": drips_for_ever,
}


@pytest.mark.parametrize("script", BROKEN.values(), ids=BROKEN)
def test_a_broken_answer_is_reported_and_the_request_not_sent_again(script: Script) -> None:
    """Whoever asked decides whether to ask again; the next request finds a new connection."""
    with serving(script, faithful) as peer:
        service = peer.service()
        with pytest.raises(TransportError) as broken:
            service.call("GetItem", ASKED)
        assert broken.value.sent
        assert len(peer.requests) == 1
        assert service.call("GetItem", ASKED) == HEARD
        assert (len(peer.requests), peer.connections) == (2, 2)


@pytest.mark.parametrize("script", LATE.values(), ids=LATE)
def test_an_answer_is_whole_in_time_or_none(script: Script) -> None:
    """Security 29: the time is for the whole answer, however many bytes arrive within it."""
    with serving(script, faithful) as peer:
        service = peer.service(HASTY)
        with pytest.raises(NoAnswerError, match="TimeoutError") as late:
            service.call("GetItem", ASKED)
        assert late.value.sent
        # Sent is not yet heard.
        assert eventually(lambda: peer.requests)
        assert (len(peer.requests), peer.connections) == (1, 1)


@pytest.mark.parametrize("script", LATE.values(), ids=LATE)
def test_the_deadline_of_a_request_ends_every_call(script: Script) -> None:
    """However long one answer may take: what is left of the request is less."""
    with serving(script) as peer:
        peer.deadline.start(HASTY)
        with pytest.raises(NoAnswerError, match="TimeoutError"):
            peer.service().call("GetItem", ASKED)


def test_after_the_deadline_nothing_is_sent() -> None:
    """A request whose time is over asks nothing more, on a connection that stands or on a new one."""
    with serving(faithful) as peer:
        service = peer.service()
        service.call("GetItem", ASKED)
        peer.deadline.start(0)
        for one in (service, peer.service()):
            with pytest.raises(ConnectError) as late:
                one.call("GetItem", ASKED)
            assert not late.value.sent
        assert (len(peer.requests), peer.connections) == (1, 1)
        peer.deadline.start(30)
        assert service.call("GetItem", ASKED) == HEARD


def test_a_connection_is_kept() -> None:
    """Many requests, one connection."""
    with serving(faithful) as peer:
        service = peer.service()
        for number in range(5):
            assert service.call("GetItem", {"Key": number}) == {"Heard": {"Key": number}}
        assert (len(peer.requests), peer.connections) == (5, 1)


@pytest.mark.parametrize("rude", [False, True], ids=["closed", "reset"])
def test_a_connection_that_died_between_two_requests_is_noticed_before_it_is_used(rude: bool) -> None:
    """What came while the environment was frozen costs nobody an answer, and no request goes into the void."""
    gone = []

    def dies(talk: Talk) -> None:
        talk.hear()
        talk.say(answer())
        if rude:
            talk.reset()
        gone.append(talk)

    with serving(dies, faithful) as peer:
        service = peer.service()
        service.call("GetItem", ASKED)
        _wait_for_the_end(service._connection._socket)
        assert service.call("GetItem", ASKED) == HEARD
        assert (len(peer.requests), peer.connections) == (2, 2)


def test_a_connection_that_waited_long_is_not_trusted() -> None:
    """One whose other end may have gone without a word is replaced, by the clock that goes on while frozen."""
    now = 1_800_000_000.0
    with serving(faithful) as peer:
        service = peer.service(wall=lambda: now)
        service.call("GetItem", ASKED)
        now += KEPT_SECONDS - 1
        service.call("GetItem", ASKED)
        assert peer.connections == 1
        now += KEPT_SECONDS
        service.call("GetItem", ASKED)
        assert peer.connections == 2
        now -= 10
        service.call("GetItem", ASKED)
        assert peer.connections == 3


@pytest.mark.parametrize("at_once", [True, False], ids=["behind an answer", "between two"])
def test_an_answer_that_nobody_asked_for_is_nobody_s_answer(at_once: bool) -> None:
    """What stands behind an answer, or comes between two, is never taken for the next one."""
    stale = answer({"Item": "somebody else's"})
    answered = threading.Event()

    def smuggles(talk: Talk) -> None:
        talk.hear()
        talk.say(answer(), stale if at_once else b"")
        answered.wait()
        talk.say(stale)
        talk.over.wait()

    with serving(smuggles, faithful) as peer:
        service = peer.service()
        service.call("GetItem", ASKED)
        answered.set()
        if not at_once:
            _wait_for_more(service._connection._socket)
        assert service.call("GetItem", ASKED) == HEARD
        assert peer.connections == 2


def test_a_peer_that_says_it_will_close_is_not_asked_again() -> None:
    """Connection: close is believed."""
    with serving(answering(answer(headers={"Connection": "close"})), faithful) as peer:
        service = peer.service()
        service.call("GetItem", ASKED)
        assert service._connection._socket is None
        assert service.call("GetItem", ASKED) == HEARD


def test_nobody_there_is_known_to_have_heard_nothing() -> None:
    """A refused connection leaves no doubt about what was done."""
    with serving(faithful) as peer:
        service = peer.service()
    with pytest.raises(ConnectError) as nobody:
        service.call("GetItem", ASKED)
    assert not nobody.value.sent


def test_a_connection_that_does_not_come_about_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every address of a host is tried, all within the one time for connecting."""
    tried = []

    def connect(self: socket.socket, address: object) -> None:  # noqa: ARG001 (the socket's own)
        tried.append(address)
        clock[0] += 0.4
        raise TimeoutError

    clock = [0.0]
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda *_, **__: [(socket.AF_INET, 1, 6, "", ("127.0.0.1", n)) for n in range(9)]
    )
    monkeypatch.setattr(socket.socket, "connect", connect)
    with serving(faithful) as peer:
        peer.deadline.clock = lambda: clock[0]
        with pytest.raises(ConnectError, match="TimeoutError") as late:
            peer.service().call("GetItem", ASKED)
        monkeypatch.undo()
    assert not late.value.sent
    assert 1 < len(tried) < 9


def test_an_interrupted_call_leaves_no_answer_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever ends a call midway, the next call does not read its answer."""

    def interrupted(_: object) -> None:
        raise KeyboardInterrupt

    def answers_late(talk: Talk) -> None:
        talk.hear()
        talk.say(answer())
        first = talk.hear().body
        talk.hear()
        talk.say(answer({"Heard": first}))

    with serving(answers_late, faithful) as peer:
        service = peer.service()
        service.call("GetItem", ASKED)
        with monkeypatch.context() as patch:
            patch.setattr(connection, "read_answer", interrupted)
            with pytest.raises(KeyboardInterrupt):
                service.call("GetItem", {"Key": "interrupted"})
        assert service.call("GetItem", ASKED) == HEARD


def test_garbage_is_no_answer() -> None:
    """What is not HTTP at all is refused."""
    with serving(answering(b"SSH-2.0-OpenSSH_9.9\r\n\r\n")) as peer, pytest.raises(BadAnswerError):
        peer.service().call("GetItem", ASKED)


def _wait_for_more(timed: object) -> None:
    """Wait until something has arrived on a connection, without reading it."""
    peer = timed._wire._peer  # type: ignore[attr-defined]
    peer.settimeout(30)
    assert peer.recv(1, socket.MSG_PEEK)


def _wait_for_the_end(timed: object) -> None:
    """Wait until a connection's other end has gone, and leave that to be noticed."""
    peer = timed._wire._peer  # type: ignore[attr-defined]
    peer.settimeout(30)
    with suppress(ConnectionResetError):
        assert peer.recv(1, socket.MSG_PEEK) == b""

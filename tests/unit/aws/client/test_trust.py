"""TLS: Amazon's roots first, the machine's second, and nobody else."""

import hashlib
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import certifi
import pytest

from doorcode.aws.client import trust
from doorcode.aws.client.connection import Connection
from doorcode.aws.client.endpoint import at
from doorcode.aws.client.errors import ConnectError
from doorcode.aws.client.trust import AMAZON_ROOTS, USUAL_ROOTS, Trust
from doorcode.aws.deadline import Deadline
from tests.certificates import self_signed
from tests.unit.aws.client.peer import answer

REQUEST = b"POST / HTTP/1.1\r\n\r\n"
CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a certificate for 127.0.0.1, its own authority, with its key in the same file."""
    return self_signed(tmp_path_factory.mktemp("tls"))


def fingerprint(certificate: Path) -> str:
    """Return a certificate's SHA-256, as authorities publish it."""
    (found,) = CERTIFICATE.findall(certificate.read_text())
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(found)).hexdigest()


@contextmanager
def speaking_tls(
    certificate: Path, host: str = "127.0.0.1", first: Callable[[], ssl.SSLContext] = trust.amazon_alone
) -> Iterator[tuple[Connection, Trust]]:
    """Serve over TLS, and give a connection to that."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    over = threading.Event()

    def serve(listener: socket.socket) -> None:
        while True:
            peer, _ = listener.accept()
            if over.is_set():
                peer.close()
                return
            with suppress(OSError), peer, context.wrap_socket(peer, server_side=True) as secured:
                while secured.recv(65536):
                    secured.sendall(answer())

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,), daemon=True)
        thread.start()
        port = listener.getsockname()[1]
        trusted = Trust(first)
        connection = Connection(at(f"https://{host}:{port}"), Deadline(), trusted, connect_seconds=30)
        try:
            yield connection, trusted
        finally:
            connection.close()
            over.set()
            socket.create_connection(("127.0.0.1", port)).close()
            thread.join()


@pytest.fixture
def _no_system_trust(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Let the machine trust nobody."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))


@pytest.mark.usefixtures("_no_system_trust")
def test_one_of_amazon_s_is_believed(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A certificate under the first roots is enough; the machine's are not even read, and the context is kept."""
    monkeypatch.setattr(trust, "AMAZON_ROOTS", certificate)
    with speaking_tls(certificate) as (connection, trusted):
        for _ in range(2):
            assert connection.post(lambda: REQUEST, 30).status == 200
            context = trusted._context
            connection.close()
        assert trusted._context is context
        assert trusted._believed is trust.amazon_alone


@pytest.mark.usefixtures("_no_system_trust")
def test_one_that_the_machine_trusts_is_believed(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not Amazon's is tried with the machine's own authorities."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with speaking_tls(certificate) as (connection, _):
        for _ in range(2):
            assert connection.post(lambda: REQUEST, 30).status == 200


@pytest.mark.usefixtures("_no_system_trust")
def test_nobody_else_is_believed(certificate: Path) -> None:
    """Security 29: what nobody vouches for is not spoken to: nothing was sent."""
    with speaking_tls(certificate) as (connection, _):
        for _ in range(2):
            with pytest.raises(ConnectError, match="SSLCertVerificationError") as refused:
                connection.post(lambda: pytest.fail("a request was made"), 30)
            assert not refused.value.sent


@pytest.mark.usefixtures("_no_system_trust")
def test_another_host_s_certificate_is_not_believed(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A good certificate of somebody else's is none."""
    monkeypatch.setattr(trust, "AMAZON_ROOTS", certificate)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with speaking_tls(certificate, "localhost") as (connection, _), pytest.raises(ConnectError):
        connection.post(lambda: REQUEST, 30)


@pytest.mark.usefixtures("_no_system_trust")
def test_usual_roots_are_tried_before_all(certificate: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Of the machine's many, those under which most hosts are read alone; whoever is under another, is believed a step later."""
    machine = tmp_path / "machine"
    machine.write_text(f"{Path(certifi.where()).read_text()}\n# Of one's own\n{certificate.read_text()}")
    monkeypatch.setenv("SSL_CERT_FILE", str(machine))
    with speaking_tls(certificate, first=trust.usual_of_machine) as (connection, trusted):
        assert len(trust.usual_of_machine().get_ca_certs()) == len(USUAL_ROOTS.read_text().splitlines())
        assert connection.post(lambda: REQUEST, 30).status == 200
        assert trusted._believed is ssl.create_default_context
    usual = tmp_path / "usual"
    usual.write_text(f"{fingerprint(certificate)} Of one's own\n")
    monkeypatch.setattr(trust, "USUAL_ROOTS", usual)
    with speaking_tls(certificate, first=trust.usual_of_machine) as (connection, trusted):
        assert connection.post(lambda: REQUEST, 30).status == 200
        assert len(trusted._context.get_ca_certs()) == 1 if trusted._context else pytest.fail("no context")


@pytest.mark.usefixtures("_no_system_trust")
@pytest.mark.parametrize("machine", ["", "-----BEGIN CERTIFICATE-----\nno"], ids=["nobody", "a broken file"])
def test_a_usual_root_that_the_machine_does_not_trust(
    certificate: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, machine: str
) -> None:
    """Security 29: a known fingerprint is no trust; what the machine has struck off is not believed."""
    (tmp_path / "machine").write_text(machine)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "machine"))
    (tmp_path / "usual").write_text(f"{fingerprint(certificate)} Struck off\n")
    monkeypatch.setattr(trust, "USUAL_ROOTS", tmp_path / "usual")
    with speaking_tls(certificate, first=trust.usual_of_machine) as (connection, _), pytest.raises(ConnectError):
        connection.post(lambda: pytest.fail("a request was made"), 30)


def test_usual_roots_are_listed_ones() -> None:
    """Each is one that Mozilla lists, so that none is looked for in vain."""
    listed = {
        hashlib.sha256(ssl.PEM_cert_to_DER_cert(one)).hexdigest()
        for one in CERTIFICATE.findall(Path(certifi.where()).read_text())
    }
    assert {line.partition(" ")[0] for line in USUAL_ROOTS.read_text().splitlines()} <= listed


def test_amazon_s_roots_are_amazon_s() -> None:
    """All five of Amazon's authorities, exactly as Mozilla lists them, and nothing beside them."""
    believed: list[Any] = ssl.create_default_context(cafile=AMAZON_ROOTS).get_ca_certs()
    assert {dict(part[0] for part in one["subject"])["commonName"] for one in believed} == {
        *(f"Amazon Root CA {number}" for number in (1, 2, 3, 4)),
        "Starfield Services Root Certificate Authority - G2",
    }
    ours, listed = (CERTIFICATE.findall(Path(path).read_text()) for path in (AMAZON_ROOTS, certifi.where()))
    assert len(ours) == len(believed)
    assert set(ours) <= set(listed)


def test_old_versions_are_not_spoken() -> None:
    """TLS 1.2 at least, with the peer's certificate and name checked."""
    context = ssl.create_default_context(cafile=AMAZON_ROOTS)
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)

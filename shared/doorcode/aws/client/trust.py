"""Whose certificates are believed: a few certification authorities first, then all that the machine trusts.

To read the machine's hundred and forty certificates takes some twenty milliseconds, in every cold start. AWS's are issued
under Amazon's five roots, which half a millisecond reads. Nearly every other host's are issued under a dozen and a half:
those are picked out of the machine's own by their fingerprints, so that none is believed that the machine does not trust.
All are read only when a certificate is under none of these: behind an endpoint of one's own, or when issuers change.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

AMAZON_ROOTS = Path(__file__).with_name("amazon_roots.pem")
USUAL_ROOTS = Path(__file__).with_name("usual_roots.txt")
"""A line for each: the SHA-256 fingerprint of the certificate, and its name."""


def amazon_alone() -> ssl.SSLContext:
    """Believe Amazon's roots."""
    return ssl.create_default_context(cafile=AMAZON_ROOTS)


def usual_of_machine() -> ssl.SSLContext:
    """Believe those of the machine's roots that most hosts have; all of the machine's, where its file has none of them."""
    usual = {line.partition(" ")[0] for line in USUAL_ROOTS.read_text().splitlines()}
    file = ssl.get_default_verify_paths().cafile
    read = _certificates(Path(file).read_text(errors="replace")) if file else ()
    found = b"".join(der for der in read if sha256(der).hexdigest() in usual)
    return ssl.create_default_context(cadata=found) if found else ssl.create_default_context()


def _certificates(bundle: str) -> list[bytes]:
    try:
        return [
            ssl.PEM_cert_to_DER_cert(f"{ssl.PEM_HEADER}{part.partition(ssl.PEM_FOOTER)[0]}{ssl.PEM_FOOTER}")
            for part in bundle.split(ssl.PEM_HEADER)[1:]
        ]
    except ValueError:
        return []


class Trust:
    """One TLS context for every connection, made when the first is opened."""

    def __init__(self, first: Callable[[], ssl.SSLContext] = amazon_alone) -> None:
        """Read nothing yet. ``first`` tells who is believed before the whole machine's are read."""
        self._context: ssl.SSLContext | None = None
        self._believed = first

    def secure(self, peer: socket.socket, host: str) -> ssl.SSLSocket:
        """Speak TLS on a connected socket, with a peer that proves to be ``host``. Raises OSError; closes it then."""
        if self._context is None:
            self._context = self._believed()
        return self._context.wrap_socket(peer, server_hostname=host)

    def widen(self) -> bool:
        """Believe whom the machine trusts from now on; say no if that is so already."""
        if self._believed is ssl.create_default_context:
            return False
        self._believed, self._context = ssl.create_default_context, None
        return True

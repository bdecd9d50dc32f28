"""Whose certificates are believed: Amazon's own certification authorities first, then those that the machine trusts.

AWS's certificates are issued under Amazon's roots. Reading those five takes half a millisecond, and the machine's
hundred and forty some twenty, in every cold start. So the machine's are read only when a certificate is not Amazon's:
behind an endpoint of one's own, or should AWS ever change its issuer.
"""

from __future__ import annotations

import socket
import ssl
from pathlib import Path

AMAZON_ROOTS = Path(__file__).with_name("amazon_roots.pem")


class Trust:
    """One TLS context for every connection, made when the first is opened."""

    def __init__(self, *, wide: bool = False) -> None:
        """Read nothing yet. ``wide``: believe whom the machine trusts from the start."""
        self._context: ssl.SSLContext | None = None
        self._wide = wide

    def secure(self, peer: socket.socket, host: str) -> ssl.SSLSocket:
        """Speak TLS on a connected socket, with a peer that proves to be ``host``. Raises OSError; closes it then."""
        if self._context is None:
            self._context = (
                ssl.create_default_context() if self._wide else ssl.create_default_context(cafile=AMAZON_ROOTS)
            )
        return self._context.wrap_socket(peer, server_hostname=host)

    def widen(self) -> bool:
        """Believe whom the machine trusts from now on; say no if that is so already."""
        if self._wide:
            return False
        self._wide, self._context = True, None
        return True

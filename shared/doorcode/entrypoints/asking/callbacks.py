"""Tells an asker's address the answer: signed as Standard Webhooks says, to public addresses alone, and to no other than was looked up.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md

The name is resolved once, every address that it has is looked at, and the connection is made to one of those very addresses, so
that a name which answers otherwise a moment later leads nowhere else. No redirect is followed and no proxy is asked.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
from collections.abc import Callable, Mapping
from functools import cache
from threading import Thread
from urllib.parse import urlsplit

from doorcode.errors import DoorcodeError

PORT = 443
SECONDS = 5.0
AGENT_NAME = "doorcode"
GONE = 410
SUCCESS = range(200, 300)
# Where IPv6 carries an address of IPv4 in its last bits, which only a gateway looks at: NAT64.
_NAT64 = ipaddress.ip_network("64:ff9b::/96")

Resolve = Callable[[str], list[str]]
"""Looks a name up: its addresses."""


class CallbackFailedError(DoorcodeError):
    """An asker's address, or what is paused for its answer, was not told this time. Never says which, or what was answered."""

    reason = "callback_failed"


def resolved(host: str) -> list[str]:
    """Look a name up. Raises OSError."""
    found = socket.getaddrinfo(host, PORT, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def is_public(address: str) -> bool:
    """Tell whether an address is one that anybody on the internet has: no private, link-local, loopback or metadata address."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        carried = found.ipv4_mapped or found.sixtofour or (found.teredo or (None, None))[1]
        if found in _NAT64:
            carried = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        if carried is not None:
            return is_public(str(carried))
    return found.is_global and not found.is_multicast and not found.is_reserved


def post(  # noqa: PLR0913 (what a call is made with)
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    resolve: Resolve = resolved,
    connect: Callable[..., socket.socket] = socket.create_connection,
    context: Callable[[], ssl.SSLContext] | None = None,
) -> int:
    """Post to an address, and return the status, whatever it is. Raises CallbackFailedError, also after five seconds."""
    made: list[int | DoorcodeError] = []

    def call() -> None:
        try:
            made.append(_posted(url, headers, body, resolve, connect, context or _trusted))
        except DoorcodeError as error:
            made.append(error)
        except (OSError, http.client.HTTPException, ValueError) as error:
            # Its own words may repeat the address.
            made.append(CallbackFailedError(f"A callback was not taken: {type(error).__name__}."))

    # A thread, for it ends at the deadline whatever it waits for: a name, a handshake, the next byte.
    thread = Thread(target=call, daemon=True)
    thread.start()
    thread.join(SECONDS)
    outcome = made[0] if made else CallbackFailedError(f"A callback was not taken within {SECONDS:g} seconds.")
    if isinstance(outcome, DoorcodeError):
        raise outcome
    return outcome


def _posted(  # noqa: PLR0913, PLR0917 (what a call is made with)
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    resolve: Resolve,
    connect: Callable[..., socket.socket],
    context: Callable[[], ssl.SSLContext],
) -> int:
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme != "https" or not host or parts.port not in {None, PORT} or parts.username is not None:
        raise CallbackFailedError("A callback's address is none that is called.")
    addresses = resolve(host)
    if not addresses or not all(map(is_public, addresses)):
        raise CallbackFailedError("A callback's address leads to no public address.")
    path = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
    plain = connect((addresses[0], PORT), timeout=SECONDS)
    with plain, context().wrap_socket(plain, server_hostname=host) as encrypted:
        connection = http.client.HTTPConnection(host)
        connection.sock = encrypted
        connection.request("POST", path, body, {"Host": parts.netloc, "User-Agent": AGENT_NAME, **headers})
        # Its body is nothing to us.
        return connection.getresponse().status


@cache
def _trusted() -> ssl.SSLContext:
    return ssl.create_default_context()

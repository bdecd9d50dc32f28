"""What a platform's room says of a handshake that is not signed, where the platform makes one by a GET."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from doorcode.pairing.keyring import Keyring
from doorcode.platforms.inbound import WebhookAnswer


class Handshakes(Protocol):
    """A platform's module ``handshake``."""

    def is_of(self, query: Mapping[str, str], keyring: Keyring, /) -> bool:
        """Tell, in constant time, whether the query names the secret that only the platform was given."""

    def answer(self, query: Mapping[str, str], /) -> WebhookAnswer:
        """Return what the platform wants to hear."""

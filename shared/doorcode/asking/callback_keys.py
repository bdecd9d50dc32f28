"""The secret that signs an asker's callbacks: its own, so that no asker can forge another one's.

Derived, so that it is kept nowhere: the HMAC-SHA256 of a text of its own and the asker under the callback secret, in the
form that Standard Webhooks gives secrets. While the callback secret is rotated there are two, and both sign.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

from doorcode.pairing.agents import SIGNING_PREFIX
from doorcode.pairing.keyring import Keyring

# No button is made of it: what is signed for those begins with ``ask:`` or ``pair:``.
CONTEXT = "doorcode ask callback 1"


def callback_secret(asker: str, keyring: Keyring) -> str:
    """Return what an asker (a token's id) verifies its callbacks with, as it is shown when the token is made."""
    return callback_keys(asker, keyring).newest.decode()


def callback_keys(asker: str, keyring: Keyring) -> Keyring:
    """Return an asker's secrets, newest first."""
    return Keyring(tuple(_derived(asker, secret) for secret in keyring.secrets))


def _derived(asker: str, secret: bytes) -> bytes:
    mac = hmac.digest(secret, f"{CONTEXT}|{asker}".encode(), hashlib.sha256)
    return SIGNING_PREFIX.encode() + base64.b64encode(mac)

"""Asks an address of the operator's, with the hand-off as JSON, signed as Standard Webhooks 1.0.0 says.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md

The signature is over the very bytes that are sent. Each secret of the ring signs, so that a receiver may know either
while they are changed. ``webhook-id`` is the hand-off's own, the same however often it is sent: what was done for it
once need not be done again.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Sequence

import msgspec

from doorcode.agent.answers import read_answer
from doorcode.agent.http import post
from doorcode.agent.responder import Responder
from doorcode.errors import SecretError
from doorcode.pairing.agents import SIGNING_PREFIX, WEBHOOK_SECRET
from doorcode.pairing.hand_off import HandOff
from doorcode.pairing.keyring import Keyring


def posting_to(url: str, keyring: Callable[[], Keyring], clock: Callable[[], int]) -> Responder:
    """Return a responder that posts what was said to ``url``, signed with the ring as it is at the time."""

    def respond(message: HandOff) -> Sequence[str]:
        body = msgspec.json.encode(message)
        headers = {"Content-Type": "application/json", **signed(message.id, body, keyring(), clock())}
        answer = post(url, headers, body)
        return read_answer(answer.status, answer.headers, answer.body, clock())

    return respond


def signed(webhook_id: str, body: bytes, keyring: Keyring, now: int) -> dict[str, str]:
    """Return the headers by which a receiver knows who sent that, and when. Raises SecretError."""
    content = b".".join((webhook_id.encode(), str(now).encode(), body))
    marks = (hmac.digest(_key(secret), content, hashlib.sha256) for secret in keyring.secrets)
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(now),
        "webhook-signature": " ".join(f"v1,{base64.b64encode(mark).decode()}" for mark in marks),
    }


def _key(secret: bytes) -> bytes:
    try:
        return base64.b64decode(secret.removeprefix(SIGNING_PREFIX.encode()), validate=True)
    except binascii.Error:
        raise SecretError(
            f"The secret {WEBHOOK_SECRET} has no whsec_ form. Set it with: doorcode secrets set {WEBHOOK_SECRET}"
        ) from None

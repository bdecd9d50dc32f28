"""WhatsApp asks whether we are there by a GET that is not signed: it names a secret that only Meta was given.

https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/create-webhook-endpoint
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from doorcode.pairing.keyring import Keyring, same
from doorcode.platforms.inbound import WebhookAnswer

# Digits, as far as anybody has seen; nothing else is repeated to whoever asks.
CHALLENGE = re.compile(r"[A-Za-z0-9_-]{1,128}")
FORBIDDEN = 403


def is_of(query: Mapping[str, str], keyring: Keyring) -> bool:
    """Tell whether it names one of the secrets, in constant time."""
    given = query.get("hub.verify_token", "").encode(errors="surrogatepass")
    return any([same(given, secret) for secret in keyring.secrets])  # noqa: C419


def answer(query: Mapping[str, str]) -> WebhookAnswer:
    """Return what Meta wants to hear of who knows the secret: the challenge, bare."""
    challenge = query.get("hub.challenge", "")
    if query.get("hub.mode") != "subscribe" or not CHALLENGE.fullmatch(challenge):
        return WebhookAnswer(FORBIDDEN)
    return WebhookAnswer(200, challenge.encode(), "text/plain")

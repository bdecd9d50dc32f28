"""HTTP API events (payload format 2.0) to what the platforms' modules read, and their answers back."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from doorcode.platforms.inbound import Answer, Webhook

TOO_LARGE = Answer(413)
BAD_REQUEST = Answer(400)
UNAUTHORISED = Answer(401)
UNAVAILABLE = Answer(503)


def read_event(event: Mapping[str, Any], limit: int) -> Webhook | Answer:
    """Return the request with its raw bytes, or the answer where there are none or more than ``limit``."""
    body = event.get("body") or ""
    # Before it is decoded: base64 takes four characters for three bytes.
    if len(body) > limit * 4 // 3 + 4:
        return TOO_LARGE
    if event.get("isBase64Encoded"):
        try:
            raw = base64.b64decode(body, validate=True)
        except (binascii.Error, ValueError):
            return BAD_REQUEST
    else:
        raw = body.encode(errors="surrogatepass")
    if len(raw) > limit:
        return TOO_LARGE
    return Webhook({name.lower(): value for name, value in (event.get("headers") or {}).items()}, raw)


def response(answer: Answer) -> dict[str, Any]:
    """Return what API Gateway makes a response of."""
    if not answer.body:
        return {"statusCode": answer.status}
    return {
        "statusCode": answer.status,
        "headers": {"content-type": answer.content_type},
        "body": answer.body.decode(),
    }

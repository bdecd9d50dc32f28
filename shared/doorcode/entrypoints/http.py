"""HTTP API events (payload format 2.0) to what the platforms' modules read, and their answers back."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from doorcode.platforms.inbound import Webhook, WebhookAnswer

TOO_LARGE = WebhookAnswer(413)
BAD_REQUEST = WebhookAnswer(400)
UNAUTHORISED = WebhookAnswer(401)
FORBIDDEN = WebhookAnswer(403)
UNAVAILABLE = WebhookAnswer(503)


def read_event(event: Mapping[str, Any], limit: int) -> Webhook | WebhookAnswer:
    """Return the request, or the answer to one whose body is of more than ``limit`` bytes. base64 is left as it is."""
    body = event.get("body") or ""
    encoded = bool(event.get("isBase64Encoded"))
    # Measured before anything is made of it: four characters of base64 are three bytes.
    size = len(body) // 4 * 3 - body[-2:].count("=") if encoded else len(body)
    if size > limit:
        return TOO_LARGE
    sent = body if encoded else body.encode(errors="surrogatepass")
    if not encoded and len(sent) > limit:
        return TOO_LARGE
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    return Webhook(headers, sent, str(event.get("requestContext", {}).get("http", {}).get("sourceIp", "")))


def query_of_get(event: Mapping[str, Any]) -> Mapping[str, str] | None:
    """Return the query of a GET; None for what is none."""
    if event.get("requestContext", {}).get("http", {}).get("method") != "GET":
        return None
    return event.get("queryStringParameters") or {}


def response(answer: WebhookAnswer) -> dict[str, Any]:
    """Return what API Gateway makes a response of."""
    response: dict[str, Any] = {"statusCode": answer.status}
    if answer.headers:
        response["headers"] = {**answer.headers}
    if not answer.body:
        return response
    if answer.content_type:
        response["headers"] = {"content-type": answer.content_type, **answer.headers}
    try:
        response["body"] = answer.body.decode()
    except UnicodeDecodeError:
        response["body"] = base64.b64encode(answer.body).decode()
        response["isBase64Encoded"] = True
    return response

"""Calling a stand-in as any client would, without any of the libraries."""

import json
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode, urlsplit

from doorcode_sandbox.platforms.server import StandIn
from tests.eventually import PATIENCE_SECONDS


def call(
    stand_in: StandIn, verb: str, path: str, fields: Any = None, *, form: bool = False, **headers: str
) -> tuple[int, Any, dict[str, str]]:
    """Return status, answer (read, if it is JSON) and headers."""
    address = urlsplit(stand_in.url)
    connection = HTTPConnection(address.hostname or "", address.port, timeout=PATIENCE_SECONDS)
    kind = "application/x-www-form-urlencoded" if form else "application/json"
    body = fields if isinstance(fields, bytes) else (urlencode(fields) if form else json.dumps(fields))
    try:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(verb, path, None if fields is None else body, {"Content-Type": kind, **named})
        answer = connection.getresponse()
        read = answer.read()
        if (answer.getheader("Content-Type") or "").startswith("application/json"):
            return answer.status, json.loads(read), dict(answer.getheaders())
        return answer.status, read, dict(answer.getheaders())
    finally:
        connection.close()

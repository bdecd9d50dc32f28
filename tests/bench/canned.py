"""AWS and the platforms' APIs, answered from memory: what is measured waits for nobody, and every call is counted."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from tests.bench.loopback import Request, Respond, Response

PAIRED, STRANGERS = "paired", "strangers"
"""Tables: in one everybody is paired, in the other nobody is."""

Document = dict[str, Any]


class Canned:
    """One function's surroundings: its ``answer`` is to be served on a ``Loopback``. ``calls`` counts by operation."""

    def __init__(self, contact: Mapping[str, Any], secrets: Mapping[str, str]) -> None:
        """Answer reads of the table ``paired`` with ``contact``, and of parameters with ``secrets``, by their last part."""
        self.calls: Counter[str] = Counter()
        self._contact = contact
        self._secrets = secrets
        self._operations: dict[str, Callable[[Document], Document]] = {
            "DynamoDB_20120810.GetItem": self._get_item,
            "DynamoDB_20120810.Query": lambda _: {"Items": [], "Count": 0, "ScannedCount": 0},
            "DynamoDB_20120810.TransactWriteItems": lambda _: {},
            "AmazonSSM.GetParameters": self._get_parameters,
            "AmazonSQS.SendMessage": _send_message,
        }

    def answer(self, request: Request, respond: Respond) -> None:
        """Serve one request."""
        target = request.headers.get("x-amz-target", "")
        if not target:
            respond(self._platform(request))
            return
        if not request.headers.get("authorization", "").startswith("AWS4-HMAC-SHA256 "):
            respond(Response(403))
            return
        self.calls[target.partition(".")[2]] += 1
        body = json.dumps(self._operations[target](json.loads(request.body))).encode()
        headers = {
            "Content-Type": request.headers["content-type"],
            "x-amzn-RequestId": "00000000-0000-4000-8000-000000000000",
            "x-amz-crc32": str(zlib.crc32(body)),
            "Date": "Sun, 01 Nov 2026 00:00:00 GMT",
        }
        respond(Response(200, headers, body))

    def _platform(self, request: Request) -> Response:
        method = request.path.partition("?")[0].rsplit("/", 1)[-1]
        self.calls[method] += 1
        bot = {"id": 7000000001, "is_bot": True, "first_name": "Doorcode", "username": "doorcode_bot"}
        answers: dict[str, Document] = {
            "hook": {},
            "getMe": {"ok": True, "result": bot},
            "auth.test": {"ok": True, "user_id": "U0BOT00001", "bot_id": "B0BOT00001", "team_id": "T0TEAM0001"},
        }
        body = json.dumps(answers[method]).encode()
        return Response(200, {"Content-Type": "application/json"}, body)

    def _get_item(self, asked: Document) -> Document:
        return {"Item": {**asked["Key"], **self._contact}} if asked["TableName"] == PAIRED else {}

    def _get_parameters(self, asked: Document) -> Document:
        values = {path: self._secrets.get("/".join(path.split("/")[3:])) for path in asked["Names"]}
        parameters = [
            {"Name": path, "Type": "SecureString", "Value": value, "Version": 1, "DataType": "text"}
            for path, value in values.items()
            if value is not None
        ]
        return {
            "Parameters": parameters,
            "InvalidParameters": [path for path, value in values.items() if value is None],
        }


def _send_message(asked: Document) -> Document:
    digest = hashlib.md5(asked["MessageBody"].encode(), usedforsecurity=False).hexdigest()
    return {"MD5OfMessageBody": digest, "MessageId": "00000000-0000-4000-8000-000000000000", "SequenceNumber": "1"}

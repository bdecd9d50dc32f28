"""What goes out, byte by byte: the call that boto3 makes, under a signature that botocore gives this very request.

Emulators take any signature, so that nothing else would notice one over the wrong body, service or region.
"""

import datetime as dt
import json
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSPreparedRequest, AWSRequest
from botocore.credentials import Credentials

from doorcode.aws.client.answer import HttpAnswer
from doorcode.wiring.edge_clients import edge_clients
from tests.cases import each

NOW = dt.datetime(2026, 11, 21, 23, 59, 59, tzinfo=dt.UTC)
REGION = "eu-central-1"
KEY, SECRET, TOKEN = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "a/session+token=="
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": KEY,
    "AWS_SECRET_ACCESS_KEY": SECRET,
    "AWS_SESSION_TOKEN": TOKEN,
    "AWS_REGION": REGION,
}
ITEM = {"pk": {"S": "telegram#1"}, "sk": {"S": "contact é \u2028"}}
QUEUE = f"https://sqs.{REGION}.amazonaws.com/123456789012/agent.fifo"
CALLS: dict[tuple[str, str], dict[str, Any]] = {
    ("dynamodb", "get_item"): {"TableName": "t", "Key": ITEM, "ConsistentRead": True},
    ("dynamodb", "query"): {
        "TableName": "t",
        "KeyConditionExpression": "pk = :pk",
        "ExpressionAttributeValues": {":pk": {"S": "seats#slack"}},
        "ConsistentRead": True,
    },
    ("dynamodb", "update_item"): {
        "TableName": "t",
        "Key": ITEM,
        "UpdateExpression": "ADD spent :one",
        "ExpressionAttributeValues": {":one": {"N": "1"}},
        "ReturnValues": "ALL_NEW",
    },
    ("dynamodb", "transact_write_items"): {
        "TransactItems": [{"Update": {"TableName": "t", "Key": ITEM, "UpdateExpression": "SET rev = :next"}}],
        "ClientRequestToken": "0" * 32,
    },
    ("ssm", "get_parameters"): {"Names": ["/doorcode/s/gateway-secret"], "WithDecryption": True},
    ("sqs", "send_message"): {
        "QueueUrl": QUEUE,
        "MessageBody": '{"text":"\\u00e9"}',
        "MessageGroupId": "telegram#1#",
        "MessageDeduplicationId": "telegram#1",
    },
}


class Written:
    """Stands in for a connection, and keeps what would have been sent."""

    def __init__(self, connection: Any) -> None:
        self.endpoint = connection.endpoint
        self.sent = b""

    def post(self, request: Callable[[], bytes], _seconds: float) -> HttpAnswer:
        """Keep a request."""
        self.sent = request()
        return HttpAnswer(200, {}, b"{}", last=False)


def ours(service: str, call: str, arguments: dict[str, Any]) -> tuple[dict[str, str], bytes]:
    """Return the headers and the body that our client sends."""
    client = getattr(edge_clients(ENVIRONMENT), service)
    client._service._connection = written = Written(client._service._connection)
    client._service._clock._wall = NOW.timestamp
    getattr(client, call)(**arguments)
    head, _, body = written.sent.partition(b"\r\n\r\n")
    first, *lines = head.decode("ascii").split("\r\n")
    assert first == "POST / HTTP/1.1"
    return dict(line.split(": ", 1) for line in lines), body


class MadeError(Exception):
    """A request was made, and goes no further."""


def boto3_s(service: str, call: str, arguments: dict[str, Any]) -> AWSPreparedRequest:
    """Return the request that boto3 makes."""
    client = boto3.session.Session(KEY, SECRET, TOKEN, REGION).client(service)
    made: list[AWSPreparedRequest] = []

    def keep(request: AWSPreparedRequest, **_: Any) -> None:
        made.append(request)
        raise MadeError

    client.meta.events.register("before-send", keep)
    with pytest.raises(MadeError):
        getattr(client, call)(**arguments)
    client.close()
    return made[0]


@each(("service", "call"), CALLS, ids=[call for _, call in CALLS])
def test_a_call_is_the_one_that_boto3_makes(service: str, call: str) -> None:
    """The same operation, in the same form, for the same host, with the same content."""
    headers, body = ours(service, call, CALLS[service, call])
    theirs = boto3_s(service, call, CALLS[service, call])
    known = {
        name.lower(): value.decode() if isinstance(value, bytes) else value for name, value in theirs.headers.items()
    }
    assert theirs.method == "POST"
    assert theirs.url == f"https://{headers['host']}/"
    assert json.loads(body) == json.loads(theirs.body)
    for name in ("x-amz-target", "content-type", "x-amz-security-token"):
        assert headers[name] == known[name]


@each(("service", "call"), CALLS, ids=[call for _, call in CALLS])
def test_a_request_is_signed_as_botocore_signs_it(service: str, call: str) -> None:
    """Over its very body and headers, for its service and region; what is not signed says how long it is, and no more."""
    headers, body = ours(service, call, CALLS[service, call])
    unsigned = {name: headers.pop(name) for name in ("authorization", "content-length", "accept-encoding")}
    request = AWSRequest("POST", f"https://{headers['host']}/", headers, body)
    with patch("botocore.auth.get_current_datetime", lambda: NOW):
        SigV4Auth(Credentials(KEY, SECRET, TOKEN), service, REGION).add_auth(request)
    assert unsigned == {
        "authorization": request.headers["Authorization"],
        "content-length": str(len(body)),
        # A checksum is of what is on the wire, and nothing here unpacks.
        "accept-encoding": "identity",
    }

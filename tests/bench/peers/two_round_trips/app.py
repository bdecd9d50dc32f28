"""The floor: what no gate leaves out, and nothing else. One read and one hand-off, sent and received as mere bytes."""

import json
import os
import socket
import ssl
from urllib.parse import urlsplit

import certifi

url = urlsplit(os.environ["AWS_ENDPOINT_URL"])
line = socket.create_connection((url.hostname, url.port))
line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
if url.scheme == "https":
    line = ssl.create_default_context(cafile=certifi.where()).wrap_socket(line, server_hostname=url.hostname)


def request(target, asked):
    """Write a request once and for all; its signature has the length of one, and is none."""
    body = json.dumps(asked)
    signature = f"AWS4-HMAC-SHA256 Credential={'k' * 50}, SignedHeaders={'h' * 40}, Signature={'0' * 64}"
    head = {
        "Host": url.netloc,
        "Content-Type": "application/x-amz-json-1.0",
        "Content-Length": len(body),
        "X-Amz-Target": target,
        "Authorization": signature,
    }
    lines = ("POST / HTTP/1.1", *(f"{name}: {value}" for name, value in head.items()), "", body)
    return "\r\n".join(lines).encode()


READ = request(
    "DynamoDB_20120810.GetItem",
    {"TableName": os.environ["TABLE_NAME"], "Key": {"pk": {"S": "telegram#987654321"}, "sk": {"S": "contact"}}},
)
HAND_OFF = request("AmazonSQS.SendMessage", {"QueueUrl": os.environ["AGENT_QUEUE_URL"], "MessageBody": "m" * 700})


def handler(event, context):
    """Ask twice, and look at no more of the answers than that they are there."""
    for asked in (READ, HAND_OFF):
        line.sendall(asked)
        answer = line.recv(65536)
        if not (answer.startswith(b"HTTP/1.1 200 ") and answer.endswith(b"}")):
            raise ConnectionError(answer)
    return {"statusCode": 200}

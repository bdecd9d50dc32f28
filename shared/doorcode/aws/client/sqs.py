"""SQS, as much of it as the edge uses."""

from __future__ import annotations

from typing import Any

from doorcode.aws.client.service import Api, Service

API = Api("sqs", "AmazonSQS", "1.0")


class Sqs:
    """A client with boto3's names; arguments and answers as SQS documents them."""

    def __init__(self, service: Service) -> None:
        """Ask ``service``."""
        self._service = service

    def send_message(self, **arguments: Any) -> dict[str, Any]:
        """Send a message; to a FIFO queue, one that has been sent under its deduplication id arrives once."""
        return self._service.call("SendMessage", arguments)

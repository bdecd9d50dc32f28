"""Systems Manager's Parameter Store, as much of it as the edge uses."""

from __future__ import annotations

from typing import Any

from doorcode.aws.client.service import Api, Service

API = Api("ssm", "AmazonSSM", "1.1")


class Ssm:
    """A client with boto3's names; arguments and answers as Systems Manager documents them."""

    def __init__(self, service: Service) -> None:
        """Ask ``service``."""
        self._service = service

    def get_parameters(self, **arguments: Any) -> dict[str, Any]:
        """Read up to ten parameters by name; those that do not exist are not among ``Parameters``."""
        return self._service.call("GetParameters", arguments)

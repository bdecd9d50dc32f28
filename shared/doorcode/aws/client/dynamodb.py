"""DynamoDB, as much of it as the edge uses. Attribute values are DynamoDB's JSON: text, numbers as text, lists, maps."""

from __future__ import annotations

from typing import Any

from doorcode.aws.client.service import Api, Service

API = Api("dynamodb", "DynamoDB_20120810", "1.0")


class DynamoDB:
    """A client with boto3's names; arguments and answers as DynamoDB documents them."""

    def __init__(self, service: Service) -> None:
        """Ask ``service``."""
        self._service = service

    def get_item(self, **arguments: Any) -> dict[str, Any]:
        """Read one item; ``Item`` is absent where there is none."""
        return self._service.call("GetItem", arguments)

    def query(self, **arguments: Any) -> dict[str, Any]:
        """Read one page of a partition or an index."""
        return self._service.call("Query", arguments)

    def update_item(self, **arguments: Any) -> dict[str, Any]:
        """Write one item."""
        return self._service.call("UpdateItem", arguments)

    def transact_write_items(self, **arguments: Any) -> dict[str, Any]:
        """Write all or nothing; with a ``ClientRequestToken``, once, however often it is sent."""
        return self._service.call("TransactWriteItems", arguments)

    def close(self) -> None:
        """Hang up; the next call connects anew."""
        self._service.close()

"""What strangers wrote while they wait, until it is decided whether anybody is to read it.

It stands in the agent's table, which has no stream and no backups, so that no record of it is left anywhere: an item for
each request, under the request's nonce, with the first three messages in their order. Who decides about the request has
it handed on or dropped; ``ttl`` only tidies up.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from doorcode.aws.items import attribute, expires_after
from doorcode.aws.table import ConditionError, Item, Table
from doorcode.pairing.contact import Contact
from doorcode.pairing.first_message import MAX_KEPT, kept, now_saying, shown
from doorcode.pairing.hand_off import QueuedHandOff
from doorcode.pairing.messages import Edit

MOST = 3
PREFIX = "kept#"
# Before the platform's id of a message, what it says since it was edited.
TEXT = "text_of_"

Key = tuple[str, str]


class KeptMessages:
    """The messages of those who wait, in the agent's table."""

    def __init__(self, table: Table) -> None:
        """Keep them in ``table``."""
        self._table = table

    def keep(self, contact: Contact, message: QueuedHandOff, now: int) -> None:
        """Keep a request's message, or as much of it as is kept; the same delivery once, and no more than the first three.

        Raises UnavailableError.
        """
        pk, sk = _key(contact)
        try:
            self._table.update(
                pk,
                sk,
                UpdateExpression="SET messages = list_append(if_not_exists(messages, :none), :message), #ttl = :ttl "
                "ADD deliveries :deliveries, message_ids :message_ids",
                ConditionExpression="attribute_not_exists(messages) "
                "OR (size(messages) < :most AND NOT contains(deliveries, :delivery))",
                ExpressionAttributeNames={"#ttl": "ttl"},
                ExpressionAttributeValues={
                    ":none": {"L": []},
                    ":message": {"L": [attribute(msgspec.json.encode(kept(message)).decode())]},
                    ":deliveries": {"SS": [message.delivery]},
                    ":message_ids": {"SS": [_id(message)]},
                    ":delivery": attribute(message.delivery),
                    ":most": attribute(MOST),
                    ":ttl": attribute(expires_after(contact.code_expires_at, now)),
                },
            )
        except ConditionError:
            # It is there already, or there are three.
            return

    def change(self, contact: Contact, edit: Edit) -> bool:
        """Keep what a kept message says now; tell whether it is kept, and this its latest edit. Raises UnavailableError.

        It stands beside the message: who keeps messages cannot read them.
        """
        pk, sk = _key(contact)
        try:
            self._table.update(
                pk,
                sk,
                UpdateExpression="SET #text = :text, #revision = :revision",
                ConditionExpression="contains(message_ids, :id) "
                "AND (attribute_not_exists(#revision) OR #revision <= :revision)",
                ExpressionAttributeNames={
                    "#text": f"{TEXT}{edit.message_id}",
                    "#revision": f"revision_of_{edit.message_id}",
                },
                ExpressionAttributeValues={
                    ":text": attribute(edit.text[:MAX_KEPT]),
                    ":revision": attribute(edit.revision),
                    ":id": attribute(edit.message_id),
                },
            )
        except ConditionError:
            return False
        return True

    def of(self, contact: Contact) -> list[QueuedHandOff]:
        """Return what a request's writer has said, oldest first. Raises UnavailableError."""
        return _messages(self._table.get(*_key(contact)))

    def beginnings(self, contacts: Sequence[Contact]) -> dict[str, str]:
        """Return how each of them began, made safe to show, by the nonces of their requests. Raises UnavailableError."""
        found = self._table.get_many([_key(contact) for contact in contacts]) if contacts else []
        return {item["sk"]["S"]: shown(_messages(item)) for item in found}

    def forget(self, contact: Contact, nonce: str = "") -> None:
        """Delete what was kept of a request: the latest, or the one with that nonce. Raises UnavailableError."""
        pk, sk = _key(contact)
        self._table.delete(pk, nonce or sk)


def _key(contact: Contact) -> Key:
    return f"{PREFIX}{contact.platform}#{contact.user_id}", contact.nonce


def _messages(item: Item) -> list[QueuedHandOff]:
    messages = [
        msgspec.json.decode(message["S"], type=QueuedHandOff) for message in item.get("messages", {}).get("L", [])
    ]
    edited = {name.removeprefix(TEXT): value["S"] for name, value in item.items() if name.startswith(TEXT)}
    return [now_saying(message, edited[_id(message)]) if _id(message) in edited else message for message in messages]


def _id(message: QueuedHandOff) -> str:
    return message.handed.messages[0].id

"""The edge in process: the real wiring and the edge's own client, over moto behind HTTP, and what they did."""

import functools
import json
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from doorcode.aws.items import CONTACT, contact_attributes, contact_pk
from doorcode.entrypoints.bot_door import BotDoor
from doorcode.entrypoints.webhook import Door
from doorcode.pairing import callbacks
from doorcode.pairing.callbacks import Action, Callback
from doorcode.pairing.codes import code_for
from doorcode.pairing.contact import Contact, Platform
from doorcode.pairing.keyring import Keyring
from doorcode.platforms.discord import inbound as discord
from doorcode.platforms.inbound import FollowUp
from doorcode.platforms.slack import inbound as slack
from doorcode.platforms.telegram import inbound as telegram
from doorcode.platforms.whatsapp import inbound as whatsapp
from doorcode.wiring import edge as wiring
from doorcode.wiring import edge_clients
from tests import webhooks
from tests.backends import in_process
from tests.backends.dynamodb import EDGE_ENVIRONMENT, create_table
from tests.backends.gateway import moto_url
from tests.harness import T0, RecordingClient
from tests.webhooks import Delivery

MODULES = {Platform.TELEGRAM: telegram, Platform.SLACK: slack, Platform.DISCORD: discord, Platform.WHATSAPP: whatsapp}
PREFIX = "/doorcode/test"
TABLE = "doorcode"
# As in the template.
AGENT_QUEUE = {"FifoQueue": "true", "MaximumMessageSize": "1048576"}
GATEWAY = Keyring((b"the gateway secret",))
CALLBACKS = Keyring((b"the callback secret",))
BOT = "7000000001:doorcode_bot"
VERIFY_TOKEN = "the-verify-token_of-these-tests"
SECRETS = {
    "gateway-secret": "the gateway secret",
    "callback-secret": "the callback secret",
    "telegram/webhook-secret": webhooks.WEBHOOK_SECRET,
    "telegram/bot": BOT,
    "slack/team": "T0DOOR0001:E0DOOR0001",
    "slack/signing-secret": webhooks.SIGNING_SECRET,
    "discord/public-key": webhooks.PUBLIC_KEY,
    "whatsapp/app-secret": webhooks.APP_SECRET,
    "whatsapp/verify-token": VERIFY_TOKEN,
    "whatsapp/bot": "1500000000000001:15550783881",
}
CREDENTIALS = EDGE_ENVIRONMENT
ALL_OWNERS = ",".join(f"{platform}:{user_id}" for platform, user_id in webhooks.OWNER.items())


@functools.cache
def own_clients() -> edge_clients.EdgeClients:
    """Build the edge's own clients, over moto; its connection is kept from test to test."""
    return edge_clients.edge_clients(CREDENTIALS | {"AWS_ENDPOINT_URL": moto_url()}, seconds=30.0)


class Edge:
    """The doors over one table, queue and set of secrets; a door for each set of settings is kept."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Make the resources, and have the wiring use clients that can be watched and disturbed."""
        self.dynamodb, self.ssm, self.sqs = (in_process.client(service) for service in ("dynamodb", "ssm", "sqs"))
        # Nothing here is about how long things take, however busy the machine is.
        monkeypatch.setattr(wiring, "REQUEST_SECONDS", 60.0)
        own = own_clients()
        own.deadline.at = math.inf
        self.clients: dict[str, RecordingClient] = {
            service: RecordingClient(getattr(own, service)) for service in ("dynamodb", "ssm", "sqs")
        }
        watched = edge_clients.EdgeClients(**self.clients, deadline=own.deadline)
        monkeypatch.setattr(wiring, "edge_clients", lambda _: watched)
        self.calls_made: list[FollowUp] = []
        monkeypatch.setattr(wiring, "post", self.calls_made.append)
        create_table(self.dynamodb, TABLE)
        for name, value in SECRETS.items():
            self.put_secret(name, value)
        queue = self.sqs.create_queue(QueueName="agent.fifo", Attributes=AGENT_QUEUE)
        effects = self.sqs.create_queue(QueueName="effects.fifo", Attributes={"FifoQueue": "true"})
        self.environment = {
            "TABLE_NAME": TABLE,
            # Made where something is kept in it.
            "AGENT_TABLE_NAME": "agent",
            "AGENT_QUEUE_URL": queue["QueueUrl"],
            "EFFECTS_QUEUE_URL": effects["QueueUrl"],
            "PARAMETER_PREFIX": PREFIX,
            "UNKNOWN_USER_POLICY": "pair",
            "OWNER_USER_IDS": ALL_OWNERS,
            "ALLOWED_GROUPS": "*",
        }
        self._doors: dict[tuple[Any, ...], Door] = {}

    def put_secret(self, name: str, value: str) -> None:
        """Set a secret."""
        in_process.put_secret(f"{PREFIX}/{name}", value)

    def door(self, platform: Platform, **settings: str) -> Door:
        """Give the door of a platform under these settings, warm if it was used before."""
        key = (platform, *sorted(settings.items()))
        if key not in self._doors:
            environment = self.environment | settings
            policy = environment["UNKNOWN_USER_POLICY"]
            if policy and "=" not in policy:
                # It holds on the platform, too, where strangers are turned away unless its own name is said.
                environment["UNKNOWN_USER_POLICY"] = f"{policy},{Platform.WHATSAPP}={policy}"
            self._doors[key] = wiring.build_door(MODULES[platform], environment)
        return self._doors[key]

    def forget(self) -> None:
        """Let every door be cold again, and hang up where a bot was called."""
        # A line that the garbage collector finds is complained about, in whatever test that happens.
        for door in self._doors.values():
            if isinstance(door, BotDoor):
                door._proxy._connection.close()
        self._doors.clear()

    def deliver(self, delivery: Delivery, now: int = T0, /, **settings: str) -> dict[str, Any]:
        """Send a delivery, correctly signed; return the HTTP response."""
        return self.door(delivery.platform, **settings).serve(webhooks.request(delivery, now), now)

    def handed_off(self) -> list[dict[str, Any]]:
        """Take what is in the agent's queue."""
        taken: list[dict[str, Any]] = []
        url = self.environment["AGENT_QUEUE_URL"]
        while batch := self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in batch:
                taken.append(json.loads(message["Body"]))
                self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return taken

    def words(self) -> list[str]:
        """Return what was handed to the courier to be said by messages of their own, oldest first."""
        bodies = [str(sent["MessageBody"]) for sent in self.clients["sqs"].arguments]
        return [json.loads(body)["text"] for body in bodies if body.startswith('{"type":"answer"')]

    def contact(self, platform: Platform, user_id: str = "") -> Contact:
        """Read a contact (the stranger, unless another is named)."""
        return self.door(platform)._room.get(platform, user_id or webhooks.STRANGER[platform])

    def put(self, contact: Contact, *, seat_until: int = 0) -> None:
        """Lay a contact into the table, and its seat where it has one."""
        key = {"pk": {"S": contact_pk(contact.platform, contact.user_id)}, "sk": {"S": CONTACT}}
        self.dynamodb.put_item(TableName=TABLE, Item=key | contact_attributes(contact))
        if contact.seat:
            texts = {"user_id": contact.user_id, "nonce": contact.nonce, "key_id": contact.key_id}
            seat = {"pk": {"S": f"seats#{contact.platform}"}, "sk": {"S": contact.seat}}
            attributes = {name: {"S": value} for name, value in texts.items()}
            self.dynamodb.put_item(
                TableName=TABLE,
                Item=seat | attributes | {"expires_at": {"N": str(seat_until or contact.code_expires_at)}},
            )

    def items(self) -> list[dict[str, Any]]:
        """Scan the table."""
        items: list[dict[str, Any]] = self.dynamodb.scan(TableName=TABLE)["Items"]
        return items

    def empty(self) -> None:
        """Empty the table at once, as if nothing had ever stood in it."""
        in_process.table(TABLE).items.clear()

    def clear(self) -> None:
        """Take out of the table what is in it, item by item."""
        for item in self.items():
            self.dynamodb.delete_item(TableName=TABLE, Key={"pk": item["pk"], "sk": item["sk"]})

    def code(self, contact: Contact) -> str:
        """Work out the code of a contact's latest request."""
        return code_for(GATEWAY.newest, contact.platform, contact.user_id, contact.nonce)

    def button(self, contact: Contact, action: Action = Action.APPROVE) -> str:
        """Return what a button of the contact's latest request carries."""
        return callbacks.sign(Callback(action, contact.platform, contact.user_id, self.code(contact)), CALLBACKS)

    def press(
        self, contact: Contact, action: Action = Action.APPROVE, *, data: str = "", on: Platform | None = None
    ) -> Delivery:
        """Make the owner's press of a button of that contact, on that platform or another one of the owner's."""
        event = webhooks.load(webhooks.APPROVE[on or contact.platform])
        return event.replaced(event.expect["callback"], data or self.button(contact, action))

    def calls(self) -> list[str]:
        """Return the names of all AWS calls so far."""
        return [call for client in self.clients.values() for call in client.calls]


@contextmanager
def case(*names: str) -> Iterator[None]:
    """Say of a failure inside the block which case it was."""
    try:
        yield
    except (AssertionError, pytest.fail.Exception) as error:
        error.add_note(", ".join(names))
        raise


def body_of(response: Mapping[str, Any]) -> Any:
    """Read the JSON that was answered; None where there is none."""
    return json.loads(response["body"]) if response.get("body") else None

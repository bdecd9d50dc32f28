"""What the tests of the waiting room share: a room over a real table, its secrets, and the people in it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import msgspec

from doorcode.aws.client.errors import TransportError
from doorcode.aws.deadline import Deadline
from doorcode.aws.directory import Directory
from doorcode.aws.lockout import Lockout
from doorcode.aws.table import Table
from doorcode.aws.waiting_room import RequestOutcome, WaitingRoom
from doorcode.pairing.codes import code_for
from doorcode.pairing.contact import Contact, Platform, Via
from doorcode.pairing.decisions import Actor, Desk, Order
from doorcode.pairing.keyring import Keyring
from doorcode.pairing.settings import Settings
from doorcode.pairing.transitions import Asked, Operation
from doorcode.wiring import sdk
from tests.backends import dynamodb

T0 = 1_800_000_000
TTL = 3600
COOLDOWN = 600
TELEGRAM = Platform.TELEGRAM
KEYS = Keyring((b"the gateway secret of these tests",))
TRANSPORT_ERRORS = (TransportError, *sdk.TRANSPORT_ERRORS)
OWNER = Actor(via=Via.CLI, id="alice")


class FixedSecrets:
    """A source of secrets that holds still, or is rotated by the test."""

    def __init__(self, keyring: Keyring = KEYS) -> None:
        self.ring = keyring

    def keyring(self, name: str, now: int) -> Keyring:  # noqa: ARG002 (the port's signature)
        """Give the ring as it is now."""
        return self.ring

    def reread(self, name: str, now: int) -> Keyring | None:  # noqa: ARG002 (the port's signature)
        """Find nothing newer."""
        return None


class RecordingClient:
    """Passes calls on to a real client, notes their names, and lets a test act before or after one."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.calls: list[str] = []
        self.arguments: list[dict[str, Any]] = []
        self.before: Callable[[str], None] = lambda _: None
        self.after: Callable[[str], None] = lambda _: None

    if TYPE_CHECKING:

        def __setattr__(self, name: str, value: Any) -> None:
            """Take a call that a test puts in the place of the client's."""

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._client, name)

        def recorded(**kwargs: Any) -> Any:
            self.calls.append(name)
            self.arguments.append(kwargs)
            self.before(name)
            answer = method(**kwargs)
            self.after(name)
            return answer

        return recorded

    @contextmanager
    def counting(self) -> Iterator[list[str]]:
        """Give the names of the calls made inside the block."""
        start = len(self.calls)
        made: list[str] = []
        yield made
        made += self.calls[start:]


HARNESSES: list["Harness"] = []
"""Every harness that the running test has built, for the search of codes after it."""


class Harness:
    """A table with everything that stands on it."""

    def __init__(self, table: dynamodb.Table, *, patience: float = 10.0, **settings: Any) -> None:
        HARNESSES.append(self)
        self.name = table.name
        self.client = RecordingClient(table.client)
        self.raw = table.client
        self.settings = Settings(**settings)
        self.secrets = FixedSecrets()
        self.table = Table(self.client, table.name, transport_errors=TRANSPORT_ERRORS, patience=patience)
        self.room = WaitingRoom(self.table, self.settings)
        self.directory = Directory(self.table)
        self.lockout = Lockout(self.table)
        self.desk = Desk(self.room, self.lockout, self.secrets, self.settings)

    def pass_no_time(self) -> None:
        """Let every pause between two tries only move a clock of the table's own."""
        pauses: list[float] = []
        self.table._retrying.sleep = pauses.append
        self.table._retrying.deadline = Deadline(lambda: sum(pauses))

    def again(self, **settings: Any) -> "Harness":
        """Give another environment over the same table, with its own memory, and settings changed."""
        merged = msgspec.structs.asdict(self.settings) | settings
        return Harness(dynamodb.Table(self.raw, self.name), **merged)

    def request(
        self, user_id: str, now: int = T0, *, delivery: str = "", platform: Platform = TELEGRAM, name: str = "@stranger"
    ) -> RequestOutcome:
        """Ask as the edge does: read the contact, then request."""
        contact = self.room.get(platform, user_id)
        asked = Asked(delivery_id=delivery or f"{user_id}-{now}", name=name, reply="{}")
        return self.room.request(contact, asked, self.secrets.ring, now)

    def code(self, user_id: str, platform: Platform = TELEGRAM) -> str:
        """Work out the code of a contact's latest request."""
        contact = self.room.get(platform, user_id)
        assert contact.nonce
        return self.code_of(contact)

    def code_of(self, contact: Contact) -> str:
        """Work out the code of a contact as it was read."""
        secret = self.secrets.ring.find(contact.key_id)
        assert secret is not None
        return code_for(secret, contact.platform, contact.user_id, contact.nonce)

    def decide(self, operation: Operation, now: int = T0 + 1, actor: Actor = OWNER, **order: Any) -> Contact:
        """Decide through the one door that every surface uses."""
        order.setdefault("platform", TELEGRAM)
        return self.desk.decide(actor, Order(operation=operation, **order), now)

    def approve(self, user_id: str, now: int = T0 + 1, **order: Any) -> Contact:
        """Approve by user id."""
        return self.decide(Operation.APPROVE, now, user_id=user_id, **order)

    def items(self) -> list[dict[str, Any]]:
        """Scan everything that the table holds."""
        pages = self.raw.get_paginator("scan").paginate(TableName=self.name, ConsistentRead=True)
        return [item for page in pages for item in page["Items"]]

    def held_seats(self, platform: Platform = TELEGRAM) -> list[dict[str, Any]]:
        """Return the seats that are held, as items."""
        return [item for item in self.items() if item["pk"]["S"] == f"seats#{platform}" and "freed_at" not in item]


def find_codes_in_the_open(harnesss: list[Harness], log: str) -> list[str]:
    """Work out every code that the tables' nonces stand for; return those that stand anywhere in a table or the log."""
    found = []
    for harness in {harness.name: harness for harness in harnesss}.values():
        items = harness.items()
        made = [
            (item["pk"]["S"], item.get("user_id", {}).get("S"), item["nonce"]["S"]) for item in items if "nonce" in item
        ]
        everything = f"{items}{log}"
        for pk, holder, nonce in made:
            kind, _, rest = pk.partition("#")
            platform, user_id = (rest, holder) if kind == "seats" else (kind, rest)
            codes = (
                code_for(secret, Platform(platform), user_id or "", nonce) for secret in harness.secrets.ring.secrets
            )
            found += [code for code in codes if code in everything]
    return found

"""Telegram's door in this process, over a real table whose capacity is metered, and the people in front of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any, cast

from doorcode.aws.agent_queue import AgentQueue
from doorcode.aws.budget import MessageBudget
from doorcode.aws.directory import Directory
from doorcode.aws.lockout import Lockout
from doorcode.aws.question_store import QuestionStore
from doorcode.aws.sign_ins import SignIns
from doorcode.aws.table import Table
from doorcode.aws.tickets import Tickets
from doorcode.aws.waiting_room import WaitingRoom
from doorcode.entrypoints.asking.presses import QuestionPresses
from doorcode.entrypoints.owner_glance import OwnerGlance
from doorcode.entrypoints.owner_texts import OwnerTexts
from doorcode.entrypoints.ticket_office import TicketOffice
from doorcode.entrypoints.webhook import Door
from doorcode.pairing import callbacks
from doorcode.pairing.callbacks import Action, Callback
from doorcode.pairing.codes import code_for
from doorcode.pairing.contact import Platform, State
from doorcode.pairing.decisions import Desk
from doorcode.pairing.hand_off import QueuedHandOff
from doorcode.pairing.keyring import Keyring
from doorcode.pairing.settings import parse_settings
from doorcode.platforms import registry
from doorcode.platforms.telegram import inbound as telegram
from tests import webhooks
from tests.bench.subjects import OWNERS
from tests.webhooks import APPROVE, HELLO, Delivery, load

TELEGRAM = Platform.TELEGRAM
KEYS = Keyring((webhooks.WEBHOOK_SECRET.encode(),))
"""One secret for everything here."""

READS = frozenset({"get_item", "batch_get_item", "query"})


class MeteredClient:
    """Passes calls on, and adds up the capacity units that they consumed, reads apart from writes."""

    def __init__(self, client: Any) -> None:
        """Pass on to ``client``."""
        self._client = client
        self.reads = self.writes = 0.0

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """Return the method of that name, metered."""
        method = getattr(self._client, name)

        def metered(**arguments: Any) -> Any:
            answer = method(**arguments, ReturnConsumedCapacity="TOTAL")
            consumed = answer["ConsumedCapacity"]
            units = sum(part["CapacityUnits"] for part in (consumed if isinstance(consumed, list) else [consumed]))
            if name in READS:
                self.reads += units
            else:
                self.writes += units
            return answer

        return metered


class _NoParameters:
    def known(self, _name: str, _now: int) -> str:
        return ""


class MeteredDoor:
    """People, known by number, and what becomes of them at the door."""

    def __init__(self, client: Any, table_name: str) -> None:
        """Open a door over that table."""
        self.meter = MeteredClient(client)
        self._handed_off = _Queue()
        self._deliveries = 0
        settings = parse_settings({"UNKNOWN_USER_POLICY": "pair", "OWNER_USER_IDS": OWNERS})
        table = Table(self.meter, table_name, patience=10.0)
        self._room = WaitingRoom(table, settings)
        desk = Desk(self._room, Lockout(table), _Secrets(), settings)
        self._door = Door(
            telegram,
            settings=settings,
            secrets=_Secrets(),
            room=self._room,
            desk=desk,
            budget=MessageBudget(table, settings.message_budget),
            queue=cast("AgentQueue", self._handed_off),
            tickets=lambda: TicketOffice(Tickets(table), self._room, desk, Lockout(table), settings),
            own_texts=OwnerTexts(_NoParameters()),
            glances=lambda: OwnerGlance(Directory(table), SignIns(table), ""),
            questions=lambda: QuestionPresses(
                QuestionStore(table, table, settings), _Secrets(), partial(registry.asking, TELEGRAM)
            ),
        )

    def admit(self, user_id: int) -> float:
        """Have a paired person write; return the seconds that it took."""
        before = self._handed_off.count
        seconds = self._serve(self._message(user_id))
        assert self._handed_off.count == before + 1, "a paired person was not let in"
        return seconds

    def ask(self, user_id: int) -> float:
        """Have a stranger write, who then waits; return the seconds that it took."""
        seconds = self._serve(self._message(user_id))
        assert self._room.get(TELEGRAM, str(user_id)).state is State.PENDING, "a stranger's request was not taken"
        return seconds

    def approve(self, user_id: int) -> float:
        """Have the owner press Approve; return the seconds that it took."""
        contact = self._room.get(TELEGRAM, str(user_id))
        code = code_for(KEYS.newest, TELEGRAM, contact.user_id, contact.nonce)
        event = load(APPROVE[TELEGRAM])
        button = callbacks.sign(Callback(Action.APPROVE, TELEGRAM, contact.user_id, code), KEYS)
        seconds = self._serve(event.replaced(event.expect["callback"], button))
        assert self._room.get(TELEGRAM, str(user_id)).state is State.PAIRED, "an approval was not carried out"
        return seconds

    def _message(self, user_id: int) -> Delivery:
        self._deliveries += 1
        delivery = load(HELLO[TELEGRAM]).another(self._deliveries)
        delivery.body["message"]["from"]["id"] = delivery.body["message"]["chat"]["id"] = user_id
        return delivery

    def _serve(self, delivery: Delivery) -> float:
        now = int(time.time())
        event = webhooks.request(delivery, now)
        self.meter.reads = self.meter.writes = 0.0
        begin = time.perf_counter()
        answer = self._door.serve(event, now)
        seconds = time.perf_counter() - begin
        assert answer["statusCode"] == 200, answer
        self.used = (self.meter.reads, self.meter.writes)
        return seconds


class _Secrets:
    def keyring(self, name: str, now: int) -> Keyring:  # noqa: ARG002 (the port's signature)
        return KEYS

    def reread(self, name: str, now: int) -> Keyring | None:  # noqa: ARG002 (the port's signature)
        return None


class _Queue:
    count = 0

    def send(self, message: QueuedHandOff) -> None:  # noqa: ARG002 (the queue's signature)
        self.count += 1

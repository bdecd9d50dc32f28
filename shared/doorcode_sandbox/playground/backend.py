"""The playground: what people do, what becomes of it, and what everybody sees. Safe between threads.

Locks are taken in one order: the stand-ins' own, then ``_changed``, under which nothing is called.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from msgspec.structs import replace

from doorcode.aws.items import CONTACT
from doorcode.pairing.contact import Platform
from doorcode_sandbox.front import Stream
from doorcode_sandbox.platforms.chats import Note, Outgoing, Said, Side
from doorcode_sandbox.platforms.forms import FormError
from doorcode_sandbox.platforms.registry import PLATFORMS
from doorcode_sandbox.platforms.server import Answer, Request, StandIn
from doorcode_sandbox.playground.bus import Bus
from doorcode_sandbox.playground.cast import Cast
from doorcode_sandbox.playground.deliveries import Deliveries, Delivery, delivery_json
from doorcode_sandbox.playground.drawing import MAX_MESSAGES, MAX_NOTES, chat_json, iso, person_json
from doorcode_sandbox.playground.endpoints import Endpoints
from doorcode_sandbox.playground.errors import PlaygroundError
from doorcode_sandbox.playground.inside import Inside, Record

# What a stand-in remembers of each kind.
KEEPS = 1000
HEARTBEAT_SECONDS = 10
OK = 200
# How far back the log is shown.
LOG_SECONDS = 15 * 60
NOT_TOLD = "Nothing is sent to the bot: in a group it is only given what mentions it."


class Playground:
    """Everything behind the page. The front opens and closes it."""

    def __init__(  # noqa: PLR0913 (everything that it shows)
        self,
        *,
        stand_ins: Mapping[Platform, StandIn],
        secret: Callable[[str], str],
        client: Callable[[str], Any],
        stack: str,
        outputs: Mapping[str, str],
        owners: Mapping[Platform, Sequence[str]],
        real: frozenset[Platform] = frozenset(),
        where: str = "--local",
        program: str = "doorcode",
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Put the people into place on the platforms that ``owners`` names; nothing is called before it is opened.

        ``secret`` reads a secret by its name, ``client`` gives boto3's low-level clients of the emulator. On ``real``
        platforms nobody is played. ``program`` is what the command is called here, and ``where`` the option by which it
        finds this sandbox.
        """
        self._sides: dict[Platform, Side] = {
            platform: PLATFORMS[platform].side(stand_in)
            for platform, stand_in in stand_ins.items()
            if platform in owners or platform in real
        }
        self._cast = Cast([side for side in self._sides.values() if side.platform not in real], owners)
        self._real = real
        self._where = where
        self._program = program
        self._clock = clock
        self._deliveries = Deliveries(self._sides, secret, clock)
        self._inside = Inside(client, stack)
        self._bus = Bus(client, stack, self._touch)
        self._outputs = outputs
        self._endpoints = Endpoints(self)
        self._changed = threading.Condition(threading.Lock())
        self._version = 1
        self._closed = True
        self._said: dict[tuple[Platform, str], deque[Said]] = defaultdict(lambda: deque(maxlen=MAX_MESSAGES))
        self._notes: dict[tuple[Platform, str], deque[Note]] = defaultdict(lambda: deque(maxlen=MAX_NOTES))
        for stand_in in stand_ins.values():
            stand_in.keeps = KEEPS
            stand_in.on_change = self._touch

    # What the front calls

    def open(self, url: str) -> None:
        """Begin: webhooks go through ``url``; whoever the table knows from an earlier run is there again."""
        self._deliveries.url = url
        self._endpoints.serve(url)
        with self._changed:
            self._closed = False
        self._recall()
        self._bus.start()

    def close(self) -> None:
        """End all streams and the collecting of events."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._bus.stop()

    def answer(self, request: Request) -> Answer | Stream:
        """Answer a request."""
        return self._endpoints.answer(request)

    # What is seen

    def scene(self) -> dict[str, Any]:
        """Return everything that people see."""
        with self._changed:
            version = self._version
            said = {place: list(all_said) for place, all_said in self._said.items()}
            notes = {place: list(all_notes) for place, all_notes in self._notes.items()}
        return {
            "version": version,
            "program": self._program,
            "where": self._where,
            "platforms": [
                {
                    "name": side.platform,
                    "bot": side.bot,
                    "handle": side.handle,
                    "real": side.platform in self._real,
                }
                for side in self._sides.values()
            ],
            "people": [person_json(person) for person in self._cast.people()],
            "chats": [
                chat_json(
                    self._cast.side(chat.platform),
                    chat,
                    said.get((chat.platform, chat.id), ()),
                    notes.get((chat.platform, chat.id), ()),
                )
                for chat in self._cast.chats()
            ],
        }

    def changes(self) -> Iterator[int | None]:
        """Give the scene's version now and whenever it changes, None when nothing did for a while, until the end."""
        seen: int | None = None
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._version != seen, HEARTBEAT_SECONDS)  # noqa: B023 (called at once)
                if self._closed:
                    return
                before, seen = seen, self._version
            yield None if seen == before else seen

    def deliveries(self) -> dict[str, Any]:
        """Return the last webhooks with what became of them, newest first."""
        newest_first = self._deliveries.newest_first(self._inside)
        return {"deliveries": [delivery_json(one, self._sides[one.webhook.platform]) for one in newest_first]}

    def inside(self) -> dict[str, Any]:
        """Return what lies behind the door. Raises PlaygroundError if the emulator does not tell."""
        try:
            items = self._inside.items(self._outputs["TableName"])
            conversations = self._inside.conversations(self._outputs["AgentTableName"])
            records = self._inside.log(self._clock() - LOG_SECONDS)
        except (BotoCoreError, ClientError) as error:
            raise PlaygroundError(502, f"The emulator does not answer ({type(error).__name__}).") from None
        return {
            "items": items,
            "conversations": conversations,
            "events": self._bus.events(),
            "log": [_record_json(record) for record in records],
        }

    # What people do

    def say(self, platform: Platform, chat_id: str, person_id: str, text: str, *, mention: bool) -> dict[str, Any]:
        """Have somebody write; returns when the webhook was answered. Raises PlaygroundError."""
        side, chat, person = self._cast.found(platform, chat_id, person_id)
        if not text.strip() or len(text) > side.max_text:
            raise PlaygroundError(400, f"A message has 1 to {side.max_text} characters.")
        now = self._clock()
        words = side.say(person, chat, text, mention=mention, now=now)
        said = Said(id=words.id, person=person.id, chat=chat.id, shown=words.shown, at=now)
        with self._changed:
            self._said[platform, chat.id].append(said)
        self._touch()
        if words.webhook is None:
            return {"ok": True, "message": words.id, "delivery": None, "note": NOT_TOLD}
        delivery = self._deliver(side, words.webhook)
        said.delivery = delivery.id
        self._touch()
        return {"ok": True, "message": words.id, "delivery": delivery.id, "status": delivery.status}

    def press(  # noqa: PLR0913 (who presses what, and where)
        self, platform: Platform, chat_id: str, person_id: str, message_id: str, button_id: str, *, words: str = ""
    ) -> dict[str, Any]:
        """Have somebody press a button, with ``words`` in its field; returns when the webhook was answered. Raises PlaygroundError.

        Also somebody who is not in the chat, to see what a forwarded or stolen button is worth.
        """
        side, chat, person = self._cast.found(platform, chat_id, person_id, present=False)
        message = next((message for message in side.messages(chat.id) if message.id == message_id), None)
        if message is None or message.only_for not in {"", person.id}:
            raise PlaygroundError(404, "There is no such message.")
        buttons = [button for row in side.buttons(message) for button in row]
        button = next((button for button in buttons if button.id == button_id and button.id), None)
        if button is None:
            raise PlaygroundError(409, "That button is not there any more.")
        button = replace(button, words=words)
        delivery = self._deliver(side, side.press(person, chat, message, button, now=self._clock()))
        return {"ok": True, "delivery": delivery.id, "status": delivery.status}

    def redeliver(self, delivery_id: str) -> dict[str, Any]:
        """Have a webhook sent again, the very same body, signed as of now. Raises PlaygroundError."""
        former = self._deliveries.find(delivery_id)
        side = self._cast.side(former.webhook.platform)
        delivery = self._deliver(side, former.webhook, former.id)
        return {"ok": True, "delivery": delivery.id, "status": delivery.status}

    def add_person(self, platform: Platform, name: str, language: str) -> dict[str, Any]:
        """Have another stranger. Raises PlaygroundError."""
        person, chat = self._cast.add(platform, name, language=language)
        self._touch()
        return {"ok": True, "person": person_json(person), "chat": chat.id}

    # How it works

    def _touch(self) -> None:
        with self._changed:
            self._version += 1
            self._changed.notify_all()

    def _deliver(self, side: Side, webhook: Outgoing, again_of: str | None = None) -> Delivery:
        delivery = self._deliveries.send(webhook, again_of)
        answered = delivery.status == OK
        if answered and (delivery.answer or webhook.interaction):
            try:
                side.take(webhook, delivery.answer)
            except FormError:
                # As the platform's own app does it: what was answered stands in the delivery.
                answered = False
        if not answered and side.no_answer and (webhook.pressed or webhook.interaction):
            note = Note(chat=webhook.chat, to=webhook.person, text=side.no_answer, alert=True, at=self._clock())
            with self._changed:
                self._notes[webhook.platform, webhook.chat].append(note)
        self._touch()
        return delivery

    def _recall(self) -> None:
        """Have those again whom the table knows."""
        try:
            items = self._inside.items(self._outputs["TableName"])
        except (BotoCoreError, ClientError):
            # Whoever is missed can be added by hand.
            return
        self._cast.recall([(str(item["pk"]), item.get("name")) for item in items if item["sk"] == CONTACT])


def _record_json(record: Record) -> dict[str, Any]:
    own = {
        "at": iso(record.at / 1000),
        "function": record.function,
        "level": record.level,
        "message": record.message,
        "reason": record.reason,
    }
    return {**record.fields, **own}

"""The reference agent's consumer: each chat's messages in their order, what came together answered as one."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from doorcode.agent.memory import EXCHANGE, Draft, Memory
from doorcode.agent.responder import ONLY_TEXT, TOO_LONG, Responder, TooLongError, Turn
from doorcode.aws.effects_queue import UnusableRecordError
from doorcode.aws.postbox import Postbox, Record, age, backed_off, group, receives
from doorcode.entrypoints import log
from doorcode.entrypoints.trace import traced
from doorcode.errors import UnknownPlatformError
from doorcode.pairing.contact import Platform, platform_named
from doorcode.pairing.platform import TRAITS
from doorcode.platforms.send_errors import AddressError, PermanentRefusalError, SendError
from doorcode.platforms.sender import OutgoingText, Sender, Senders

VERSION = 1
# After that the person is told that no answer will come.
GIVEN_UP_AFTER_SECONDS = 900
UNANSWERED = "unanswered"
GAVE_UP = "Sorry, I could not answer that. Please try again later."
# What one chat may take at worst, a model's answer included. With less time left, it waits for another invocation.
RESERVE_MILLISECONDS = 75_000
ANSWERED_BELOW = "(answered below)"
# Where every message waits for an answer of its own, although they are answered as one.


class HandedOff(Struct, frozen=True):
    """What the agent needs of an admitted message, and the record that it came in."""

    record: Record
    delivery: str
    platform: Platform
    user_id: str
    text: str
    reply: str


def read_hand_off(record: Record) -> HandedOff:
    """Read a message of the agent queue. Raises UnusableRecordError."""
    try:
        body = json.loads(record["body"])
        handed = HandedOff(
            record=record,
            delivery=record["attributes"]["MessageDeduplicationId"],
            platform=platform_named(body["platform"]),
            user_id=str(body["user_id"]),
            text=str(body["text"]),
            reply=json.dumps(body["reply"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError, UnknownPlatformError):
        raise UnusableRecordError("A message has an unknown form.") from None
    if body.get("version") != VERSION:
        raise UnusableRecordError("A message is of another version.")
    return handed


class Agent:
    """Answers what the agent queue brings."""

    def __init__(  # noqa: PLR0913 (what it stands on)
        self,
        *,
        respond: Responder,
        memory: Memory,
        senders: Senders,
        postbox: Postbox,
        clock: Callable[[], int],
        debounce: int = 0,
        remembers: bool = False,
    ) -> None:
        """Answer with ``respond``; ``debounce`` is in seconds; ``remembers`` gives it the turns before."""
        self._respond = respond
        self._memory = memory
        self._senders = senders
        self._postbox = postbox
        self._clock = clock
        self._debounce = debounce
        self._remembers = remembers

    def handle(self, event: Mapping[str, Any], context: Any = None) -> dict[str, Any]:
        """Answer a batch; report what is to come again. A chat that fails comes again whole, and no other with it."""
        chats: dict[str, list[Record]] = {}
        for record in event["Records"]:
            chats.setdefault(group(record), []).append(record)
        failed: list[Record] = []
        for chat, records in chats.items():
            if context is not None and context.get_remaining_time_in_millis() < RESERVE_MILLISECONDS:
                failed += self._hand_back(records, 0)
            else:
                failed += self._chat(chat, records)
        return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in failed]}

    def _chat(self, chat: str, records: Sequence[Record]) -> Sequence[Record]:
        """Answer one chat's messages; return those that are to come again."""
        now = self._clock()
        wait = self._debounce - age(records[0], now)
        if wait > 0 and receives(records[0]) == 1:
            # Handed back, it keeps its place, and what follows within the window arrives together with it.
            return self._hand_back(records, wait)
        left = list(records)
        try:
            while left:
                left = left[self._answer_some(chat, left, now) :]
        except Exception as error:  # noqa: BLE001 (a model, a platform, a table: none may hold up another chat)
            reason, trace = getattr(error, "reason", type(error).__name__), traced(error)
            log.warning("A chat is answered later", reason=reason, trace=trace)
            left = self._without_hopeless(left, now)
            return self._hand_back(left, getattr(error, "delay", 0) or backed_off(records[0]))
        return []

    def _answer_some(self, chat: str, records: Sequence[Record], now: int) -> int:
        """Answer the first messages as one; return how many records are done with."""
        first = self._read(records[0])
        if first is None or self._memory.was_answered(first.delivery, now):
            return 1
        draft = self._memory.draft(first.delivery)
        taken = draft.taken if draft else len(records)
        messages = [first]
        for record in records[1:taken]:
            message = self._read(record)
            if message:
                messages.append(message)
        self._answer(chat, messages, draft, now)
        return min(taken, len(records))

    def _without_hopeless(self, records: Sequence[Record], now: int) -> list[Record]:
        """Give up on what waited too long, with an honest word, and return the rest."""
        too_old = [record for record in records if age(record, now) >= GIVEN_UP_AFTER_SECONDS]
        try:
            self._give_up([message for message in map(self._read, too_old) if message], now)
        except Exception as error:  # noqa: BLE001 (the queue itself does not answer)
            log.warning("Could not park a message", reason=type(error).__name__)
            return list(records)
        return [record for record in records if record not in too_old]

    def _read(self, record: Record) -> HandedOff | None:
        try:
            return read_hand_off(record)
        except UnusableRecordError as error:
            log.error(f"Parked a message: {error}", reason=error.reason, parked="true")
            self._postbox.park(record, error.reason)
            return None

    def _answer(self, chat: str, messages: Sequence[HandedOff], draft: Draft | None, now: int) -> None:
        first, last = messages[0], messages[-1]
        sender = self._senders.on(last.platform, now)
        if draft is None:
            try:
                sender.typing(last.reply, now)
            except SendError as error:
                # Only a courtesy.
                log.warning(str(error), reason=error.reason, platform=last.platform)
            said = self._say(chat, "\n".join(message.text for message in messages if message.text), now)
            # What follows meanwhile gets an answer of its own: this one was made for these, and may be half sent.
            draft = Draft(said, taken=len(messages))
            self._memory.keep_draft(first.delivery, draft, now)
        if TRAITS[last.platform].each_message_waits:
            for message in messages[:-1]:
                self._point_below(sender, message, now)
        try:
            sender.send_text(_answering(last, draft.text, first.delivery, draft.done), now)
        except (PermanentRefusalError, AddressError) as error:
            # However often it is tried. Not marked as answered: put aside, it can be sent again.
            self._park(messages, error.reason, str(error))
            return
        except SendError as error:
            if error.done:
                self._memory.keep_draft(first.delivery, Draft(draft.text, error.done, draft.taken), now)
            raise
        for message in messages:
            self._memory.note_answered(message.delivery, now)

    def _say(self, chat: str, text: str, now: int) -> str:
        if not text.strip():
            return ONLY_TEXT
        before = self._memory.turns(chat, now) if self._remembers else []
        while True:
            turns = [*before, Turn("user", text)]
            try:
                said = self._respond(turns)
            except TooLongError as error:
                log.warning(str(error), reason=error.reason, turns=str(len(turns)))
                if not before:
                    # Too long on its own. What was remembered stays.
                    return TOO_LONG
                # The later half, in whole exchanges: few tries, however long the conversation.
                before = before[len(before) - len(before) // (2 * EXCHANGE) * EXCHANGE :]
            else:
                if self._remembers:
                    self._memory.keep_turns(chat, [*turns, Turn("assistant", said)], now)
                return said

    def _point_below(self, sender: Sender, message: HandedOff, now: int) -> None:
        """Say that a message is answered with the last one, unless that cannot be said: the answer itself is what counts."""
        try:
            sender.send_text(_answering(message, ANSWERED_BELOW, message.delivery), now)
        except (PermanentRefusalError, AddressError) as error:
            log.warning(str(error), reason=error.reason, platform=message.platform, user_id=message.user_id)

    def _park(self, messages: Sequence[HandedOff], reason: str, why: str) -> None:
        for message in messages:
            self._postbox.park(message.record, reason)
            log.error(
                f"Parked a message that could not be answered: {why}",
                reason=reason,
                parked="true",
                platform=message.platform,
                user_id=message.user_id,
            )

    def _give_up(self, messages: Sequence[HandedOff], now: int) -> None:
        """Say honestly that no answer will come, and keep the messages for somebody to look at."""
        if not messages:
            return
        for message in messages:
            self._postbox.park(message.record, UNANSWERED)
            log.error("Parked a message that could not be answered", reason=UNANSWERED, parked="true")
        last = messages[-1]
        try:
            sender = self._senders.on(last.platform, now)
            sender.send_text(_answering(last, GAVE_UP, f"{last.delivery}:gave-up"), now)
        except Exception as error:  # noqa: BLE001 (there is nothing left to try)
            log.warning("Could not say so", reason=getattr(error, "reason", type(error).__name__))

    def _hand_back(self, records: Sequence[Record], delay: int) -> Sequence[Record]:
        try:
            for record in records:
                self._postbox.hand_back(record, delay)
        except Exception as error:  # noqa: BLE001 (they come again all the same, only later)
            log.warning("Could not hand a message back", reason=type(error).__name__)
        return records


def _answering(message: HandedOff, text: str, key: str, done: int = 0) -> OutgoingText:
    return OutgoingText(reply=message.reply, user_id=message.user_id, text=text, key=key, quote=message.text, done=done)

"""The reference agent's consumer: each chat's messages in their order, what came together answered as one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any

import msgspec
from msgspec import UNSET, Raw, Struct

from doorcode.agent.memory import Draft, Memory, from_the_person
from doorcode.agent.responder import AgentRefusedError, AgentUnavailableError, Responder, TooLongError
from doorcode.aws.effects_queue import UnusableRecordError
from doorcode.aws.postbox import Postbox, Record, age, backed_off, group, receives
from doorcode.entrypoints import log
from doorcode.entrypoints.trace import traced
from doorcode.pairing import texts
from doorcode.pairing.hand_off import TYPE, VERSION, HandOff, Turn, together
from doorcode.pairing.platform import TRAITS, Platform
from doorcode.pairing.texts import Say
from doorcode.pairing.wording import Wording
from doorcode.platforms.send_errors import AddressError, PermanentRefusalError, SendError
from doorcode.platforms.sender import OutgoingText, Sender, Senders

# After that the person is told that no answer will come.
GIVEN_UP_AFTER_SECONDS = 900
UNANSWERED = "unanswered"
# What one chat may take at worst, a model's answer included. With less time left, it waits for another invocation.
RESERVE_MILLISECONDS = 75_000
# The memory's items hold no more, and nobody reads as much.
MAX_SAID_BYTES = 250_000
# What our kinds of agent say themselves, where a model says nothing or cannot read what came, and its key.
OWN_WORDS = {texts.ONLY_TEXT: "only_text", texts.NOTHING_SAID: "nothing_said"}
# Telegram shows it for five seconds.
TYPING_SECONDS = 4.0


class Received(Struct, frozen=True):
    """An admitted message, and the record that it came in."""

    record: Record
    handed: HandOff

    @property
    def delivery(self) -> str:
        """Name the delivery, the same however often it comes."""
        name: str = self.record["attributes"]["MessageDeduplicationId"]
        return name

    @property
    def reply(self) -> str:
        """Return the platform's own address."""
        return bytes(self.handed.reply).decode() if isinstance(self.handed.reply, Raw) else ""


def read_hand_off(record: Record) -> Received:
    """Read a message of the agent queue. Raises UnusableRecordError."""
    try:
        handed = msgspec.json.decode(record["body"], type=HandOff)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        raise UnusableRecordError("A message has an unknown form.") from None
    if handed.version != VERSION:
        raise UnusableRecordError("A message is of another version.")
    if handed.reply is UNSET:
        raise UnusableRecordError("A message was left for another consumer: Agent is no longer queue.")
    return Received(record, handed)


class Agent:
    """Answers what the agent queue brings."""

    def __init__(  # noqa: PLR0913 (what it stands on)
        self,
        *,
        responders: Callable[[Platform], Responder],
        memory: Memory,
        senders: Senders,
        postbox: Postbox,
        clock: Callable[[], int],
        wording: Wording,
        debounce: int = 0,
    ) -> None:
        """Answer with what ``responders`` gives for a platform; ``debounce`` is in seconds.

        Where there is no answer to give, people are told so in the words of ``wording``.
        """
        self._responders = responders
        self._memory = memory
        self._senders = senders
        self._postbox = postbox
        self._clock = clock
        self._debounce = debounce
        self._wording = wording

    @property
    def responders(self) -> Callable[[Platform], Responder]:
        """What answers on each platform."""
        return self._responders

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
            # What others raise may say what somebody wrote.
            why = f": {error}" if isinstance(error, AgentUnavailableError) else ""
            log.warning(f"A chat is answered later{why}", reason=reason, trace=trace)
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
        done = 1
        for record in records[1:taken]:
            message = self._read(record)
            if message and not _one_after_the_other(first.handed, message.handed):
                break
            done += 1
            if message:
                messages.append(message)
        self._answer(chat, messages, draft, now)
        return done

    def _without_hopeless(self, records: Sequence[Record], now: int) -> list[Record]:
        """Give up on what waited too long, with an honest word, and return the rest."""
        too_old = [record for record in records if age(record, now) >= GIVEN_UP_AFTER_SECONDS]
        try:
            self._give_up([message for message in map(self._read, too_old) if message], now)
        except Exception as error:  # noqa: BLE001 (the queue itself does not answer)
            log.warning("Could not park a message", reason=type(error).__name__)
            return list(records)
        return [record for record in records if record not in too_old]

    def _read(self, record: Record) -> Received | None:
        try:
            return read_hand_off(record)
        except UnusableRecordError as error:
            log.error(f"Parked a message: {error}", reason=error.reason, parked="true")
            self._postbox.park(record, error.reason)
            return None

    def _answer(self, chat: str, messages: Sequence[Received], known: Draft | None, now: int) -> None:
        first, last = messages[0], messages[-1]
        platform = last.handed.platform
        sender = self._senders.on(platform, now)
        draft = known if known and known.texts is not None else self._made(chat, messages, known, sender, now)
        if draft is None:
            return
        if draft.texts:
            if TRAITS[platform].each_message_waits:
                for message in messages[:-1]:
                    self._point_below(sender, message, now)
            text, *more = draft.texts
            try:
                sender.send_text(_answering(last, text, first.delivery, tuple(more), draft.done), now)
            except (PermanentRefusalError, AddressError) as error:
                # However often it is tried. Not marked as answered: put aside, it can be sent again.
                self._park(messages, error.reason, str(error))
                return
            except SendError as error:
                if error.done:
                    self._memory.keep_draft(first.delivery, Draft(draft.texts, error.done, draft.taken), now)
                raise
        for message in messages:
            self._memory.note_answered(message.delivery, now)

    def _made(
        self, chat: str, messages: Sequence[Received], known: Draft | None, sender: Sender, now: int
    ) -> Draft | None:
        """Have the agent make an answer, and keep it; None if it never will, which the person is told."""
        first, last = messages[0], messages[-1]
        try:
            with typing(sender, last.reply, now):
                said = self._say(chat, together([message.handed for message in messages]), now)
        except AgentRefusedError as error:
            self._park(messages, error.reason, str(error))
            gave_up = self._say_to(last.handed, now)("gave_up")
            sender.send_text(_answering(last, gave_up, f"{last.delivery}:refused"), now)
            return None
        except Exception:
            if known is None:
                # It is asked the same again, under the same id, whatever comes meanwhile.
                self._memory.keep_draft(first.delivery, Draft(None, taken=len(messages)), now)
            raise
        # What follows meanwhile gets an answer of its own: this one was made for these, and may be half sent.
        draft = Draft(tuple(said), taken=len(messages))
        self._memory.keep_draft(first.delivery, draft, now)
        return draft

    def _say(self, chat: str, message: HandOff, now: int) -> Sequence[str]:
        respond = self._responders(message.platform)
        asked = Turn("user", message.said)
        before = self._memory.turns(chat, now)
        while True:
            try:
                said = respond(msgspec.structs.replace(message, history=tuple(before), reply=UNSET))
            except TooLongError as error:
                log.warning(str(error), reason=error.reason, turns=str(len(before) + 1))
                if not before:
                    # Too long on its own. What was remembered stays.
                    return (self._say_to(message, now)("too_long"),)
                # The later half: few tries, however long the conversation.
                before = from_the_person(before[(len(before) + 1) // 2 :])
            else:
                answers = (Turn("assistant", text) for text in said)
                if len(msgspec.json.encode(said)) > MAX_SAID_BYTES:
                    raise AgentRefusedError(f"The agent answered with more than {MAX_SAID_BYTES:,} bytes of text.")
                self._memory.keep_turns(chat, [*before, asked, *answers], now)
                return [self._say_to(message, now)(OWN_WORDS[text]) if text in OWN_WORDS else text for text in said]

    def _say_to(self, message: HandOff, now: int) -> Say:
        return self._wording.into(message.user.language, now)

    def _point_below(self, sender: Sender, message: Received, now: int) -> None:
        """Say that a message is answered with the last one, unless that cannot be said: the answer itself is what counts."""
        try:
            below = self._say_to(message.handed, now)("answered_below")
            sender.send_text(_answering(message, below, message.delivery), now)
        except (PermanentRefusalError, AddressError) as error:
            log.warning(
                str(error), reason=error.reason, platform=message.handed.platform, user_id=message.handed.user.id
            )

    def _park(self, messages: Sequence[Received], reason: str, why: str) -> None:
        for message in messages:
            self._postbox.park(message.record, reason)
            log.error(
                f"Parked a message that could not be answered: {why}",
                reason=reason,
                parked="true",
                platform=message.handed.platform,
                user_id=message.handed.user.id,
            )

    def _give_up(self, messages: Sequence[Received], now: int) -> None:
        """Say honestly that no answer will come, and keep the messages for somebody to look at."""
        if not messages:
            return
        for message in messages:
            self._postbox.park(message.record, UNANSWERED)
            log.error("Parked a message that could not be answered", reason=UNANSWERED, parked="true")
        last = messages[-1]
        try:
            sender = self._senders.on(last.handed.platform, now)
            gave_up = self._say_to(last.handed, now)("gave_up")
            sender.send_text(_answering(last, gave_up, f"{last.delivery}:gave-up"), now)
        except Exception as error:  # noqa: BLE001 (there is nothing left to try)
            log.warning("Could not say so", reason=getattr(error, "reason", type(error).__name__))

    def _hand_back(self, records: Sequence[Record], delay: int) -> Sequence[Record]:
        try:
            for record in records:
                self._postbox.hand_back(record, delay)
        except Exception as error:  # noqa: BLE001 (they come again all the same, only later)
            log.warning("Could not hand a message back", reason=type(error).__name__)
        return records


def _one_after_the_other(first: HandOff, other: HandOff) -> bool:
    """Tell whether one may be read as going on with the other: said by the same person, who says no decision of the owner's."""
    return first.user.id == other.user.id and first.type == other.type == TYPE


def _answering(message: Received, text: str, key: str, more: tuple[str, ...] = (), done: int = 0) -> OutgoingText:
    said = message.handed
    return OutgoingText(
        reply=message.reply,
        user_id=said.user.id,
        text=text,
        more=more,
        key=key,
        quote=said.messages[-1].text,
        done=done,
    )


@contextmanager
def typing(sender: Sender, reply: str, now: int) -> Iterator[None]:
    """Show that an answer is on its way, for as long as it takes. The sender is not to be used meanwhile."""
    over = Event()

    def show() -> None:
        while True:
            try:
                sender.typing(reply, now)
            except Exception as error:  # noqa: BLE001 (only a courtesy, and nobody waits for this thread to fail)
                log.warning(str(error), reason=getattr(error, "reason", type(error).__name__), platform=sender.platform)
                return
            if over.wait(TYPING_SECONDS):
                return

    shown = Thread(target=show, daemon=True)
    shown.start()
    try:
        yield
    finally:
        over.set()
        shown.join()

"""The courier: tells people and the event bus what became of a contact, however it was decided.

Each move is followed step by step, and each step is noted when it is done, so that a record that comes again (a crash, a
time-out, trouble at a platform) goes on where it stopped. What can still happen twice is what a platform cannot tell
apart: a message whose sending was not noted because the function died in that very moment. Discord can; Telegram and
Slack cannot.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from doorcode.aws.agent_queue import AgentQueue
from doorcode.aws.effects_queue import MoveRecord
from doorcode.aws.event_bus import EventBus
from doorcode.aws.kept_messages import KeptMessages
from doorcode.aws.prompt_book import PromptBook
from doorcode.aws.waiting_room import WaitingRoom
from doorcode.entrypoints import log
from doorcode.entrypoints.prompter import Prompter, not_delivered
from doorcode.entrypoints.trouble import HOPELESS, PASSING, UNDELIVERABLE
from doorcode.errors import DoorcodeError, UnavailableError
from doorcode.pairing import texts
from doorcode.pairing.consequences import Consequences, Event, RequesterTold, follow
from doorcode.pairing.contact import DIRECT, RECEIPT, Contact, ContactRole, Platform, Standing, State
from doorcode.pairing.first_message import let_in
from doorcode.pairing.platform import TRAITS
from doorcode.pairing.ports import Secrets, code_of
from doorcode.pairing.settings import Settings
from doorcode.pairing.texts import Say
from doorcode.pairing.turns import Who
from doorcode.pairing.wording import Wording
from doorcode.platforms.sender import OutgoingText, Senders

# What the edge has said already, where anything in its response is shown.
AT_THE_EDGE = frozenset({RequesterTold.CLAIMED, RequesterTold.INVITED})
# So much of a hash tells one delivery from another.
MARK = 16


class PostponedError(DoorcodeError):
    """Some of what follows could not be done yet; the same record is to come again after ``delay`` seconds."""

    reason = "postponed"

    def __init__(self, delay: int, detail: str) -> None:
        """Keep how long to wait; 0 where nobody said."""
        self.delay = delay
        super().__init__(detail)


class Courier:
    """Follows the moves of contacts."""

    def __init__(  # noqa: PLR0913 (what it stands on)
        self,
        *,
        settings: Settings,
        secrets: Secrets,
        room: WaitingRoom,
        book: PromptBook,
        bus: EventBus,
        senders: Senders,
        prompter: Prompter,
        kept_messages: KeptMessages,
        agent_queue: AgentQueue,
        wording: Wording,
    ) -> None:
        """Tell people with ``senders``, and have ``prompter`` ask owners; note in ``book`` what is done.

        What those who are let in have written before goes from ``kept_messages`` to ``agent_queue``. Requesters are told
        things in the words of ``wording``.
        """
        self._settings = settings
        self._secrets = secrets
        self._room = room
        self._book = book
        self._bus = bus
        self._senders = senders
        self._prompter = prompter
        self._kept = kept_messages
        self._agent_queue = agent_queue
        self._wording = wording

    def follow(self, move: MoveRecord, now: int) -> None:
        """Do everything that follows from a move.

        Raises PostponedError if some of it is still to be done; one of UNDELIVERABLE if only what never will be is left.
        """
        contact, result = move.contact, follow(move.old, move.new, move.at)
        steps = self._steps(move, contact, result, now)
        done = self._book.done(contact.platform, contact.user_id, move.record) if steps else frozenset()
        trouble: list[DoorcodeError] = []
        refused: list[DoorcodeError] = []
        for name, act in steps.items():
            if name in done:
                continue
            # The requester is told how it stands only once it is known that somebody was reached, or nobody can be.
            if name == "notice" and "ask" not in done and not self._prompter.reached(contact, now):
                continue
            try:
                act()
            except UNDELIVERABLE as error:
                # Not noted as done: sent again from where it is put aside, it is tried again.
                refused.append(error)
                self._log(contact, name, error)
            except (*PASSING, *HOPELESS) as error:
                trouble.append(error)
                self._log(contact, name, error)
            else:
                done |= {name}
                self._book.note_done(contact.platform, contact.user_id, move.record, done, now)
        if trouble:
            raise PostponedError(max(getattr(error, "delay", 0) for error in trouble), str(trouble[0]))
        if refused:
            raise refused[0]

    def not_delivered(self, platform: Platform, user_id: str, key: str, now: int) -> None:
        """Go on where something did not arrive, as its platform has told since. Raises what is worth another try.

        A requester's receipt is told with their next message; an owner's prompt has others asked instead.
        """
        if key.split(":")[1:2] == [RECEIPT]:
            contact = self._room.get(platform, user_id)
            if contact.receipt_key == key:
                self._room.lost(contact, key)
            return
        self._prompter.not_delivered((platform, user_id), key, now)

    def tell_again(self, platform: Platform, user_id: str, delivery: str, now: int) -> None:
        """Tell somebody who still waits, and has written by that delivery, what did not arrive. Raises what is worth another try.

        What follows from their next message is behind this in the queue, and so is the news of how this fares.
        """
        contact = self._room.get(platform, user_id)
        if not contact.untold or contact.standing(now) is not Standing.PENDING:
            return
        receipt = f"{contact.nonce}:{RECEIPT}:{hashlib.sha256(delivery.encode()).hexdigest()[:MARK]}"
        reached = self._prompter.reached(contact, now)
        try:
            self._say(contact, self._receipt(contact, reached, now), receipt, now)
        except UNDELIVERABLE as error:
            # They are still untold, and their next message is another try.
            self._log(contact, "tell again", error)
            not_delivered((platform, user_id), error)
            return
        self._room.told_again(contact, receipt)
        log.info("Told again what did not arrive", platform=platform, user_id=user_id)

    def sweep(self, now: int) -> None:
        """Tidy up the owners' prompts, expire what is overdue, and tell of a full room, at most once an hour."""
        self._prompter.sweep(now)
        for platform in Platform:
            try:
                self._sweep_one(platform, now)
            except UnavailableError as error:
                # The next sweep comes soon; the other platforms need not wait for it.
                log.error(str(error), reason=error.reason, platform=platform, step="sweep")

    def _sweep_one(self, platform: Platform, now: int) -> None:
        swept = self._room.expire_overdue(platform, now)
        if swept.expired or swept.failed:
            log.info(
                "Swept the waiting room",
                platform=platform,
                expired=str(len(swept.expired)),
                failed=str(swept.failed),
            )
        owners = self._room.owners()
        if owners and self._room.word_of_full(platform, now):
            self._tell_each(owners, texts.room_is_full(platform, self._settings.max_pending), platform, now)

    def _steps(
        self, move: MoveRecord, contact: Contact, result: Consequences, now: int
    ) -> dict[str, Callable[[], None]]:
        steps: dict[str, Callable[[], None]] = {}
        if result.asks:
            steps["ask"] = lambda: self._prompter.ask(contact, result.replaces, move.at, move.record, now)
            steps["notice"] = lambda: self._notice(contact, now)
        if result.closes:
            steps["close"] = lambda: self._prompter.close(contact, move.record, now)
        if result.announces:
            # A step each, so that one owner's trouble does not have the others told again.
            steps |= {
                f"announce {':'.join(owner)}": partial(self._announce, contact, owner, now)
                for owner in self._room.owners()
                if owner != (contact.platform, contact.user_id)
            }
        if result.tells:
            told = result.tells
            steps["tell"] = lambda: self._tell(contact, told, now)
        if self._settings.keeps_messages(contact.platform):
            steps |= self._steps_of_kept(contact, result, now)
        if result.events:
            steps["publish"] = lambda: self._publish(contact, result.events)
        if result.closes:
            # Last: these are other people's affairs.
            steps["next"] = lambda: self._prompter.go_on(move.at, move.record, now)
        return steps

    def _steps_of_kept(self, contact: Contact, result: Consequences, now: int) -> dict[str, Callable[[], None]]:
        steps: dict[str, Callable[[], None]] = {}
        if result.replaces:
            steps["forget"] = lambda: self._kept.forget(contact, result.replaces)
        if result.closes:
            steps["hand_on"] = lambda: self._hand_on(contact, now)
        return steps

    def _publish(self, contact: Contact, events: tuple[Event, ...]) -> None:
        self._bus.publish(events)
        for event in events:
            # Counted from here, whatever surface the decision came from.
            log.info("Published an event", event=event.type, platform=contact.platform, user_id=contact.user_id)

    def _notice(self, contact: Contact, now: int) -> None:
        """Tell a requester what the edge could not: that the owner is asked, or that nobody could be."""
        # Whoever asked by way of a bot that asks the gate was told there, in its direct chat: the code, too, unless there
        # was an owner to be asked.
        elsewhere = contact.reply == DIRECT
        told = not contact.reply or (elsewhere and not self._room.owners())
        if self._settings.is_silent(contact.platform) or told:
            return
        present = self._room.get(contact.platform, contact.user_id)
        if present.nonce != contact.nonce or present.standing(now) is not Standing.PENDING:
            return
        reached = self._prompter.reached(contact, now)
        if reached and (elsewhere or not TRAITS[contact.platform].silent_edge):
            return
        if present.receipt_key != contact.receipt_key:
            # This one was refused, and they were told again since.
            return
        try:
            self._say(contact, self._receipt(present, reached, now), contact.receipt_key, now)
        except UNDELIVERABLE as error:
            self._room.lost(contact, contact.receipt_key)
            not_delivered((contact.platform, contact.user_id), error)
            raise

    def _receipt(self, contact: Contact, reached: bool, now: int) -> str:  # noqa: FBT001 (what the receipt depends on)
        say = self._say_to(contact, now)
        if reached:
            return say("request_sent")
        return texts.code_notice(contact.platform, code_of(contact, self._secrets, now), say)

    def _tell(self, contact: Contact, verdict: RequesterTold, now: int) -> None:
        if verdict in AT_THE_EDGE and not TRAITS[contact.platform].silent_edge:
            return
        present = self._room.get(contact.platform, contact.user_id)
        let_in = present.state is State.PAIRED
        holds = present.role == ContactRole.OWNER if verdict is RequesterTold.CLAIMED else let_in
        if holds is (verdict is RequesterTold.DENIED):
            # Decided otherwise since; that decision's own record says so, or has said so.
            return
        tells_denied = self._settings.tell_denied and not self._settings.is_silent(contact.platform)
        if verdict is not RequesterTold.DENIED or tells_denied:
            hands_on = verdict is RequesterTold.APPROVED and self._settings.hands_on_later(contact.platform)
            # Then there is nothing to be written again.
            say = self._say_to(present, now)
            kept = hands_on and self._kept.of(contact)
            text = say("approved") if kept else _words(verdict, contact, say)
            self._say(contact, text, f"{contact.nonce}:{contact.rev}", now)

    def _say_to(self, contact: Contact, now: int) -> Say:
        """Return what says things to a requester, in their language; that is looked up where messages do not tell it."""
        language = contact.language
        if not language and not contact.name:
            language = self._prompter.named(contact, now).language
        return self._wording.into(language, now)

    def _announce(self, contact: Contact, owner: Who, now: int) -> None:
        """Tell an owner that there is another one, as long as that is so."""
        if self._room.get(contact.platform, contact.user_id).standing(now) is not Standing.OWNER:
            return
        platform, owner_id = owner
        key = f"owner:{contact.platform}:{contact.user_id}:{contact.rev}"
        outgoing = OutgoingText(user_id=owner_id, text=texts.new_owner(contact), key=key)
        try:
            self._senders.on(platform, now).notify(outgoing, now)
        except PASSING:
            raise
        except HOPELESS as error:
            # The others can be told all the same.
            log.warning(str(error), reason=error.reason, platform=platform, step="announce")

    def _hand_on(self, contact: Contact, now: int) -> None:
        """Bring what was written before the decision to the agent if its writer is in now, and forget it in any case.

        The queue knows a delivery that comes twice for five minutes, the agent for a day.
        """
        present = self._room.get(contact.platform, contact.user_id)
        is_in = present.standing(now) in {Standing.PAIRED, Standing.OWNER}
        if is_in and self._settings.hands_on_later(contact.platform):
            for message in self._kept.of(contact):
                self._agent_queue.send(let_in(message, present))
                log.info("Handed a kept message on", platform=contact.platform, user_id=contact.user_id)
        self._kept.forget(contact)

    def _say(self, contact: Contact, text: str, key: str, now: int) -> None:
        reply = "" if contact.reply == DIRECT else contact.reply
        outgoing = OutgoingText(reply=reply, user_id=contact.user_id, text=text, key=key)
        self._senders.on(contact.platform, now).notify(outgoing, now)

    def _tell_each(self, owners: Iterable[Who], text: str, about: Platform, now: int) -> None:
        for platform, owner_id in owners:
            outgoing = OutgoingText(user_id=owner_id, text=text, key=f"full:{about}:{now}")
            try:
                self._senders.on(platform, now).notify(outgoing, now)
            except (*PASSING, *HOPELESS) as error:
                log.warning(str(error), reason=error.reason, platform=platform, step="full")

    def _log(self, contact: Contact, step: str, error: Any) -> None:
        log.warning(str(error), reason=error.reason, platform=contact.platform, user_id=contact.user_id, step=step)


def _words(verdict: RequesterTold, contact: Contact, say: Say) -> str:
    if verdict is RequesterTold.APPROVED:
        return texts.approved(contact, say)
    if verdict is RequesterTold.INVITED:
        return texts.invited(contact.platform, say)
    return say("declined" if verdict is RequesterTold.DENIED else "claimed")

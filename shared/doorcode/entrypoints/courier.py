"""The courier: tells people and the event bus what became of a contact, however it was decided.

Each move is followed step by step, and each step is noted when it is done, so that a record that comes again (a crash, a
time-out, trouble at a platform) goes on where it stopped. What can still happen twice is what a platform cannot tell
apart: a message whose sending was not noted because the function died in that very moment. Discord can; Telegram and
Slack cannot.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from msgspec import structs

from doorcode.aws.effects_queue import MoveRecord
from doorcode.aws.event_bus import EventBus
from doorcode.aws.prompt_book import Noted, PromptBook
from doorcode.aws.waiting_room import WaitingRoom
from doorcode.entrypoints import log
from doorcode.errors import DoorcodeError, SecretError, UnavailableError, UnreadableSecretError
from doorcode.pairing import texts
from doorcode.pairing.consequences import Consequences, Event, RequesterTold, follow
from doorcode.pairing.contact import Contact, Platform, Standing, State
from doorcode.pairing.names import Names
from doorcode.pairing.platform import TRAITS
from doorcode.pairing.ports import CALLBACK_SECRET, Secrets, code_of
from doorcode.pairing.prompts import Prompt, closed_prompt, open_prompt
from doorcode.pairing.settings import Settings
from doorcode.platforms.send_errors import (
    AddressError,
    BadTokenError,
    PassingError,
    PermanentRefusalError,
    RateLimitedError,
    SendRefusal,
)
from doorcode.platforms.sender import Drawn, Sender

# Where the edge cannot tell a requester anything in its response, the courier does.
# For so long trouble at the requester's platform is waited out, before owners elsewhere are asked.
PATIENCE_SECONDS = 300
# What may succeed later, and what never will.
PASSING = (RateLimitedError, PassingError, UnavailableError, UnreadableSecretError)
HOPELESS = (PermanentRefusalError, BadTokenError, SecretError, AddressError)
# What will never succeed, whatever is mended here: they left, or it leads nowhere.
UNDELIVERABLE = (PermanentRefusalError, AddressError)


class Senders(Protocol):
    """The senders of the platforms whose token is set."""

    def on(self, platform: Platform, now: int) -> Sender:
        """Return the sender of a platform. Raises SecretError if it has no token."""


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
        draw: Callable[[Platform, Prompt], Drawn],
    ) -> None:
        """Send with ``senders`` what ``draw`` makes of prompts, and note it in ``book``."""
        self._settings = settings
        self._secrets = secrets
        self._room = room
        self._book = book
        self._bus = bus
        self._senders = senders
        self._draw = draw

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
            if name == "notice" and "ask" not in done and not self._reached(contact):
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

    def sweep(self, now: int) -> None:
        """Expire what is overdue, and tell the owners of a full room, at most once an hour."""
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
        if self._settings.owners and self._room.word_of_full(platform, now):
            self._tell_owners(texts.room_is_full(platform, self._settings.max_pending), platform, now)

    def _steps(
        self, move: MoveRecord, contact: Contact, result: Consequences, now: int
    ) -> dict[str, Callable[[], None]]:
        steps: dict[str, Callable[[], None]] = {}
        if result.asks:
            steps["ask"] = lambda: self._ask(contact, result.replaces, move.at, now)
            steps["notice"] = lambda: self._notice(contact, now)
        if result.closes:
            steps["close"] = lambda: self._close(contact, now)
        if result.tells:
            told = result.tells
            steps["tell"] = lambda: self._tell(contact, told, now)
        if result.events:
            steps["publish"] = lambda: self._publish(contact, result.events)
        return steps

    def _publish(self, contact: Contact, events: tuple[Event, ...]) -> None:
        self._bus.publish(events)
        for event in events:
            # Counted from here, whatever surface the decision came from.
            log.info("Published an event", event=event.type, platform=contact.platform, user_id=contact.user_id)

    # Asking

    def _ask(self, contact: Contact, replaces: str, at: int, now: int) -> None:
        self._take_over(contact, replaces, now)
        if not self._still_waits(contact, now):
            return
        contact = self._named(contact, now)
        prompt = open_prompt(contact, code_of(contact, self._secrets, now), self._secrets.keyring(CALLBACK_SECRET, now))
        owners = self._settings.owners
        near = [owner for owner in owners if owner[0] is contact.platform]
        far = [owner for owner in owners if owner[0] is not contact.platform]
        trouble = self._ask_each(contact, near, prompt, now)
        # ``at`` is the table's time: a clock far ahead of ours must not make the wait as long as it is ahead.
        waits_for_near = trouble and abs(now - at) < PATIENCE_SECONDS
        if not waits_for_near and not self._reached(contact):
            trouble += self._ask_each(contact, far, prompt, now)
        if trouble:
            raise max(trouble, key=lambda error: getattr(error, "delay", 0))

    def _take_over(self, contact: Contact, replaces: str, now: int) -> None:
        """Make the prompts of the request before into this one's: they are edited instead of sent anew."""
        for noted in self._book.prompts(contact.platform, contact.user_id, replaces):
            if noted.place:
                self._book.complete(contact.platform, contact.user_id, structs.replace(noted, nonce=contact.nonce), now)
            self._book.forget(contact.platform, contact.user_id, noted)

    def _ask_each(
        self, contact: Contact, owners: list[tuple[Platform, str]], prompt: Prompt, now: int
    ) -> list[DoorcodeError]:
        """Ask each owner; return the trouble that may pass."""
        places = {
            (noted.owner_platform, noted.owner_id): noted.place
            for noted in self._book.prompts(contact.platform, contact.user_id, contact.nonce)
        }
        trouble: list[DoorcodeError] = []
        for platform, owner_id in owners:
            noted = Noted(contact.nonce, platform, owner_id, places.get((platform, owner_id), ""))
            try:
                self._ask_one(contact, noted, prompt, now)
            except PASSING as error:
                trouble.append(error)
            except HOPELESS as error:
                self._log(contact, "ask", error)
                self._book.forget(contact.platform, contact.user_id, noted)
        return trouble

    def _ask_one(self, contact: Contact, noted: Noted, prompt: Prompt, now: int) -> None:
        sender = self._senders.on(noted.owner_platform, now)
        drawn = self._draw(noted.owner_platform, prompt)
        if noted.place:
            try:
                sender.edit_prompt(noted.place, drawn)
            except PermanentRefusalError as error:
                if error.refusal is not SendRefusal.GONE:
                    raise
            else:
                self._close_if_moved(contact, noted, sender, now)
                return
        self._book.intend(contact.platform, contact.user_id, noted, now)
        place = sender.send_prompt(noted.owner_id, drawn, key=f"{contact.nonce}:{noted.owner_id}")
        noted = structs.replace(noted, place=place)
        self._book.complete(contact.platform, contact.user_id, noted, now)
        self._close_if_moved(contact, noted, sender, now)

    def _close_if_moved(self, contact: Contact, noted: Noted, sender: Sender, now: int) -> None:
        """Close a prompt that was overtaken: the decision's own closing may have come before the prompt was noted."""
        present = self._room.get(contact.platform, contact.user_id)
        if present.nonce != contact.nonce or present.state is not State.PENDING:
            self._redraw(present, noted, sender, now)

    def _reached(self, contact: Contact) -> bool:
        return any(noted.place for noted in self._book.prompts(contact.platform, contact.user_id, contact.nonce))

    def _still_waits(self, contact: Contact, now: int) -> bool:
        present = self._room.get(contact.platform, contact.user_id)
        return present.nonce == contact.nonce and present.standing(now) is Standing.PENDING

    def _named(self, contact: Contact, now: int) -> Contact:
        """Look a name up where the platform sent none. A name is only for showing: without it the id is shown."""
        if contact.name:
            return contact
        try:
            sender = self._senders.on(contact.platform, now)
            names = sender.lookup_names(contact.user_id) if sender.abilities.names else Names()
        except (*PASSING, *HOPELESS) as error:
            self._log(contact, "name", error)
            return contact
        if names.name:
            self._room.name(contact, names)
        return structs.replace(contact, name=names.name, full_name=names.full_name)

    def _notice(self, contact: Contact, now: int) -> None:
        """Tell a requester what the edge could not: that the owner is asked, or that nobody could be."""
        if not contact.reply or not self._still_waits(contact, now):
            return
        reached = self._reached(contact)
        if not TRAITS[contact.platform].silent_edge and reached:
            return
        text = (
            texts.REQUEST_SENT if reached else texts.code_notice(contact.platform, code_of(contact, self._secrets, now))
        )
        self._say(contact, text, f"{contact.nonce}:notice", now)

    # Deciding

    def _close(self, contact: Contact, now: int) -> None:
        trouble: list[DoorcodeError] = []
        refused: list[DoorcodeError] = []
        # As it is now: a record that comes late must not draw what is no longer so.
        present = self._room.get(contact.platform, contact.user_id)
        shown = present if present.nonce == contact.nonce else contact
        for noted in self._book.prompts(contact.platform, contact.user_id, contact.nonce):
            try:
                if noted.place:
                    self._redraw(shown, noted, self._senders.on(noted.owner_platform, now), now)
            except (*PASSING, BadTokenError, SecretError) as error:
                # Also a token that is wrong or missing: the prompt was sent with one, so there will be one again.
                trouble.append(error)
            except PermanentRefusalError as error:
                if error.refusal is not SendRefusal.GONE:
                    refused.append(error)
                # A prompt that is gone has no buttons any more.
                self._log(contact, "close", error)
            except AddressError as error:
                refused.append(error)
        if trouble:
            raise max(trouble, key=lambda error: getattr(error, "delay", 0))
        if refused:
            raise refused[0]

    def _redraw(self, contact: Contact, noted: Noted, sender: Sender, now: int) -> None:
        try:
            code = code_of(contact, self._secrets, now) if contact.nonce else ""
        except UnreadableSecretError:
            raise
        except SecretError:
            # The secret was dropped since: the prompt closes all the same, without its button.
            code = ""
        prompt = closed_prompt(contact, code, self._secrets.keyring(CALLBACK_SECRET, now))
        sender.edit_prompt(noted.place, self._draw(noted.owner_platform, prompt))

    def _tell(self, contact: Contact, verdict: RequesterTold, now: int) -> None:
        let_in = self._room.get(contact.platform, contact.user_id).state is State.PAIRED
        if let_in is not (verdict is RequesterTold.APPROVED):
            # Decided otherwise since; that decision's own record says so, or has said so.
            return
        if verdict is RequesterTold.APPROVED:
            self._say(contact, texts.approved(contact.platform), f"{contact.nonce}:{contact.rev}", now)
        elif self._settings.tell_denied:
            self._say(contact, texts.DECLINED, f"{contact.nonce}:{contact.rev}", now)

    def _say(self, contact: Contact, text: str, key: str, now: int) -> None:
        self._senders.on(contact.platform, now).notify(contact.reply, contact.user_id, text, now, key=key)

    def _tell_owners(self, text: str, about: Platform, now: int) -> None:
        for platform, owner_id in self._settings.owners:
            try:
                self._senders.on(platform, now).notify("", owner_id, text, now, key=f"full:{about}:{now}")
            except (*PASSING, *HOPELESS) as error:
                log.warning(str(error), reason=error.reason, platform=platform, step="full")

    def _log(self, contact: Contact, step: str, error: Any) -> None:
        log.warning(str(error), reason=error.reason, platform=contact.platform, user_id=contact.user_id, step=step)

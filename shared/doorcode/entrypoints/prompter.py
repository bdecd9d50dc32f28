"""The prompter: asks owners, no more than MAX_PROMPTS at once, and tells them of those who wait beyond that.

Whatever asks or closes goes on with the owner's queue afterwards, and the sweep does, too: so a place that is free is
never left while somebody waits for it. Couriers of different contacts meet at one queue: each change of it is
conditional, and what one of them holds the others leave to it (``pairing.turns``). Its holder looks at the contact
again after letting go, as those who decide on it may have passed by meanwhile.

What a crash can repeat is what ``courier`` says: a prompt or a digest whose sending was not noted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from typing import Any, Protocol, cast

from msgspec import structs

from doorcode.aws.kept_messages import KeptMessages
from doorcode.aws.owner_queue import OwnerQueue, OwnerQueues
from doorcode.aws.prompt_book import Noted, PromptBook
from doorcode.aws.waiting_room import WaitingRoom, random_hex
from doorcode.entrypoints import log
from doorcode.entrypoints.trouble import HOPELESS, PASSING
from doorcode.errors import DoorcodeError, SecretError, UnreadableItemError, UnreadableSecretError
from doorcode.pairing import texts
from doorcode.pairing.contact import Contact, Platform, Standing, State
from doorcode.pairing.first_message import shown
from doorcode.pairing.names import Names
from doorcode.pairing.ports import CALLBACK_SECRET, Secrets, code_of
from doorcode.pairing.prompts import Prompt, closed_prompt, open_prompt
from doorcode.pairing.settings import FirstMessage, Settings
from doorcode.pairing.turns import PromptTurn, TurnQueue, Who
from doorcode.platforms.send_errors import (
    AddressError,
    BadTokenError,
    PermanentRefusalError,
    RateLimitedError,
    SendRefusal,
)
from doorcode.platforms.sender import Drawn, Reopens, Sender, Senders

# For so long trouble at the requester's platform is waited out, before owners elsewhere are asked; and for so long
# who comes next is tried from the record that made the place. Then the sweep has been there.
PATIENCE_SECONDS = 300
# How many turns are seen to at one visit: one record has its time. There will be other visits.
TURNS_AT_ONCE = 10
# What is over, and was not closed by its own record, is closed by the sweep: after so long, that record was parked.
OVERDUE_SECONDS = 600
# Twice as long as a request can wait.
STALE_SECONDS = 2 * 86_400
# What is sent by other means is named so: where that does not arrive either, nothing else is left.
REOPENED = ":reopened"


class Pen(Protocol):
    """Draws what owners see on one platform, as fields of its own API."""

    def draw_prompt(self, prompt: Prompt, /) -> Drawn:
        """Return a prompt."""

    def draw_words(self, text: str, /) -> Drawn:
        """Return plain words."""


class Prompter:
    """Keeps each owner's prompts."""

    def __init__(  # noqa: PLR0913 (what it stands on)
        self,
        *,
        settings: Settings,
        secrets: Secrets,
        room: WaitingRoom,
        book: PromptBook,
        queues: OwnerQueues,
        senders: Senders,
        pen: Callable[[Platform], Pen],
        kept_messages: KeptMessages,
    ) -> None:
        """Send with ``senders`` what each platform's ``pen`` draws; note where it is in ``book``, and whose turn it is in ``queues``.

        What a stranger wrote is in ``kept_messages``.
        """
        self._settings = settings
        self._secrets = secrets
        self._room = room
        self._book = book
        self._queues = queues
        self._senders = senders
        self._pen = pen
        self._kept = kept_messages
        # Whom only other means reach, about which request.
        self._reopened: set[tuple[Who, str]] = set()

    def ask(self, contact: Contact, replaces: str, at: int, holder: str, now: int) -> None:
        """Ask owners about a request, or have it wait for its turn with them. Raises what is worth another try.

        ``replaces`` names the request before, whose prompts become this one's; ``holder`` the record that is followed,
        the same however often it comes; ``at`` is when it moved.
        """
        self._take_over(contact, replaces, now)
        if not self.still_waits(contact, now):
            # What an earlier try of this record was at is not left to itself.
            self.go_on(at, holder, now)
            return
        # Without its code and the signature nobody can be asked at all: that is no owner's trouble.
        code_of(contact, self._secrets, now)
        self._secrets.keyring(CALLBACK_SECRET, now)
        owners = self._room.owners()
        near = [owner for owner in owners if owner[0] is contact.platform]
        far = [owner for owner in owners if owner[0] is not contact.platform]
        trouble = self._ask_each(contact, near, holder, now)
        # ``at`` is the table's time: a clock far ahead of ours must not make the wait as long as it is ahead.
        waits_for_near = trouble and abs(now - at) < PATIENCE_SECONDS
        if waits_for_near or self.reached(contact, now):
            # But an earlier try may have got as far as that, or the request before has.
            far = [owner for owner in far if self._queues.of(owner, now).seen.turn_of(_who(contact))]
        trouble += self._ask_each(contact, far, holder, now)
        if not trouble and not self.reached(contact, now):
            trouble += self._reopen(contact, near, holder, now)
        _raise_longest(trouble)

    def _reopen(self, contact: Contact, owners: Iterable[Who], holder: str, now: int) -> list[DoorcodeError]:
        """Ask those by other means to whom nothing could be sent otherwise, where their platform has such."""
        known = [owner for owner in owners if self._can_reopen(owner, now)]
        self._reopened |= {(owner, contact.nonce) for owner in known}
        return self._ask_each(contact, known, holder, now)

    def _can_reopen(self, owner: Who, now: int) -> bool:
        try:
            return self._senders.on(owner[0], now).abilities.reopens
        except HOPELESS:
            # It has been told of already.
            return False

    def not_delivered(self, owner: Who, key: str, now: int) -> None:
        """Ask others, an owner's prompt not having arrived. Raises what is worth another try."""
        nonce, _, rest = key.partition(":")
        queue = self._queues.of(owner, now)
        turn = next((one for one in queue.seen.turns if one.nonce == nonce), None)
        if turn is None or not rest:
            return
        contact = self._room.get(turn.platform, turn.user_id)
        holder = f"undelivered {nonce}"
        for noted in self._book.prompts(contact.platform, contact.user_id, nonce):
            if noted.owner != owner:
                continue
            if noted.reopened and not rest.endswith(REOPENED):
                # Old news: they were asked by other means since.
                return
            self._book.forget(contact.platform, contact.user_id, noted)
        # The turn stays until others are asked: whoever dies on the way finds by it whom it is about.
        waits = contact.nonce == nonce and contact.standing(now) is Standing.PENDING
        if waits and not self.reached(contact, now, but=owner):
            far = [one for one in self._room.owners() if one[0] is not owner[0]]
            _raise_longest(self._ask_each(contact, far, holder, now))
            others_reached = self.reached(contact, now, but=owner)
            if not others_reached and not rest.endswith(REOPENED) and self._can_reopen(owner, now):
                self._ask_again(queue, turn.who, nonce, holder, now)
                return
        queue.change(lambda seen: seen.left(turn.who, holder, now))

    def _ask_again(self, queue: OwnerQueue, who: Who, nonce: str, holder: str, now: int) -> None:
        """Ask an owner by other means, in the turn that the prompt had which did not arrive."""
        self._reopened.add((queue.owner, nonce))
        queue.change(lambda seen: seen.recalled(who, holder, now))
        try:
            self._visit(queue, holder, now, who)
        except PASSING:
            raise
        except HOPELESS as error:
            _log_owner(queue.owner, "ask", error)

    def reached(self, contact: Contact, now: int, but: Who | None = None) -> bool:
        """Tell whether an owner, ``but`` for one, was asked, or hears from the digest that somebody waits."""
        noted = self._book.prompts(contact.platform, contact.user_id, contact.nonce)
        if any(one.place and one.owner != but for one in noted):
            return True
        owners = [owner for owner in self._room.owners() if owner != but]
        turns = (self._queues.of(owner, now).seen.turn_of(_who(contact)) for owner in owners)
        return any(turn is not None and not turn.failed for turn in turns)

    def still_waits(self, contact: Contact, now: int) -> bool:
        """Tell whether that very request still waits."""
        present = self._room.get(contact.platform, contact.user_id)
        return present.nonce == contact.nonce and present.standing(now) is Standing.PENDING

    def close(self, contact: Contact, holder: str, now: int) -> None:
        """Draw a request's prompts as it was decided, and free their places. Raises what is worth another try."""
        trouble: list[DoorcodeError] = []
        refused: list[DoorcodeError] = []
        stands: set[Who] = set()
        # As it is now: a record that comes late must not draw what is no longer so.
        present = self._room.get(contact.platform, contact.user_id)
        shown = present if present.nonce == contact.nonce else contact
        for noted in self._book.prompts(contact.platform, contact.user_id, contact.nonce):
            try:
                self._close_one(shown, noted, now)
            except PermanentRefusalError as error:
                if error.refusal is not SendRefusal.GONE:
                    refused.append(error)
                # A prompt that is gone has no buttons any more.
                _log(contact, "close", error)
            except AddressError as error:
                refused.append(error)
            except (*PASSING, BadTokenError, SecretError) as error:
                # Also a token that is wrong or missing: the prompt was sent with one, so there will be one again.
                trouble.append(error)
                stands.add(noted.owner)
        # Who asks anew keeps the turn: that request's own record sees to it.
        if present.state is not State.PENDING:
            for owner in self._room.owners():
                if owner not in stands:
                    self._queues.of(owner, now).change(lambda queue: queue.left(_who(contact), holder, now))
        _raise_longest(trouble)
        if refused:
            raise refused[0]

    def go_on(self, at: int, holder: str, now: int) -> None:
        """Ask each owner about whoever is next, and bring the digests up to date. Raises what is worth another try."""
        trouble: list[DoorcodeError] = []
        for owner in self._room.owners():
            try:
                self._visit(self._queues.of(owner, now), holder, now)
            except (*PASSING, *HOPELESS) as error:
                _log_owner(owner, "next", error)
                trouble += [error] if isinstance(error, PASSING) else []
        if abs(now - at) < PATIENCE_SECONDS:
            _raise_longest(trouble)

    def sweep(self, now: int) -> None:
        """See to what a parked record or a crash has left with any owner, and go on from there."""
        holder = f"sweep {random_hex()}"
        for owner in self._room.owners():
            try:
                queue = self._queues.of(owner, now)
                for turn in queue.seen.turns:
                    with suppress(UnreadableItemError):
                        self._tidy(queue, turn, holder, now)
                self._visit(queue, holder, now)
            except (*PASSING, *HOPELESS) as error:
                # The next sweep comes soon; the other owners need not wait for it.
                _log_owner(owner, "sweep", error)

    def _tidy(self, queue: OwnerQueue, turn: PromptTurn, holder: str, now: int) -> None:
        if now - turn.since >= STALE_SECONDS:
            # Whatever keeps it from being closed: no request waits for so long.
            queue.change(lambda seen: seen.left(turn.who, holder, now))
            return
        contact = self._room.get(turn.platform, turn.user_id)
        over = contact.state is not State.PENDING or now - contact.code_expires_at >= OVERDUE_SECONDS
        if over and not turn.open:
            queue.change(lambda seen: seen.left(turn.who, holder, now))
        elif over or (turn.nonce and turn.nonce != contact.nonce):
            queue.change(lambda seen: seen.recalled(turn.who, holder, now))
            self._see_to(queue, holder, now, None)

    # Asking

    def _ask_each(self, contact: Contact, owners: Iterable[Who], holder: str, now: int) -> list[DoorcodeError]:
        """Ask each owner; return the trouble that may pass."""
        who, most = _who(contact), self._settings.max_prompts
        trouble: list[DoorcodeError] = []
        for owner in owners:
            queue = self._queues.of(owner, now)
            try:
                queue.change(
                    lambda seen: seen.asked(who, contact.nonce, contact.requested_at, holder, now).next(
                        holder, now, most
                    )
                )
                self._visit(queue, holder, now, who)
            except PASSING as error:
                trouble.append(error)
                queue.change(lambda seen: seen.unheard(who))
            except HOPELESS as error:
                # They cannot even be told that somebody waits.
                _log(contact, "ask", error)
                queue.change(lambda seen: seen.turned_away(who))
        return trouble

    def _visit(self, queue: OwnerQueue, holder: str, now: int, asking: Who | None = None) -> None:
        """See to the turns of one owner, as many as there are free places, and then to the digest."""
        for _ in range(TURNS_AT_ONCE):
            queue.change(lambda seen: seen.next(holder, now, self._settings.max_prompts))
            if not self._see_to(queue, holder, now, asking):
                break
        self._tell(queue, holder, now)

    def _see_to(self, queue: OwnerQueue, holder: str, now: int, asking: Who | None) -> bool:
        """See to the turn that is held: ask, or close. Say whether there was one. Raises what may pass, and lets go."""
        turn = queue.seen.held_by(holder)
        if turn is None:
            return False
        try:
            contact = self._room.get(turn.platform, turn.user_id)
            if contact.standing(now) is Standing.PENDING:
                self._put(queue, turn, contact, holder, now, asking)
            else:
                self._withdraw(queue, turn, contact, holder, now)
        except UnreadableItemError as error:
            # One contact's trouble is nobody else's.
            queue.change(lambda seen: seen.put_back(turn.who, holder, now, doubt=False))
            if turn.who == asking:
                raise
            _log_owner(queue.owner, "next", error)
        except (*PASSING, *HOPELESS) as error:
            doubt = not isinstance(error, RateLimitedError)
            queue.change(lambda seen: seen.put_back(turn.who, holder, now, doubt=doubt))
            raise
        return True

    def _put(  # noqa: PLR0913, PLR0917 (whose turn it is, with whom, who holds it, and for whom)
        self, queue: OwnerQueue, turn: PromptTurn, contact: Contact, holder: str, now: int, asking: Who | None
    ) -> None:
        self._take_over(contact, turn.nonce, now, queue.owner)
        contact = self.named(contact, now)
        noted = self._noted(contact, queue.owner)
        keys = self._secrets.keyring(CALLBACK_SECRET, now)
        try:
            code = code_of(contact, self._secrets, now)
            said = shown(self._kept.of(contact)) if self._settings.first_message is FirstMessage.SHOW else ""
            self._show(contact, noted, open_prompt(contact, code, keys, said), now)
        except PASSING:
            raise
        except HOPELESS as error:
            own = turn.who == asking
            if not own and isinstance(error, BadTokenError):
                # It is being changed, perhaps: those who wait go on waiting.
                raise
            _log(contact, "ask", error)
            not_delivered(queue.owner, error)
            self._book.forget(contact.platform, contact.user_id, noted)
            queue.change(lambda seen: seen.left(turn.who, holder, now))
            if not own and queue.owner[0] is contact.platform and not self.reached(contact, now):
                # Its own record has been here, and trusted that this owner would be asked.
                far = [owner for owner in self._room.owners() if owner[0] is not contact.platform]
                _raise_longest(self._ask_each(contact, far, holder, now))
            return
        queue.change(lambda seen: seen.shown(turn.who, holder, contact.nonce))
        # Overtaken: the decision's own record may have come before the prompt was noted, or passed by a held turn.
        present = self._room.get(contact.platform, contact.user_id)
        if present.nonce != contact.nonce or present.state is not State.PENDING:
            queue.change(lambda seen: seen.recalled(turn.who, holder, now))

    def _take_over(self, contact: Contact, replaces: str, now: int, owner: Who | None = None) -> None:
        """Make the prompts of a request before into this one's, of one owner or all: they are edited, not sent anew."""
        if replaces == contact.nonce:
            return
        for noted in self._book.prompts(contact.platform, contact.user_id, replaces):
            if owner in {None, noted.owner}:
                if noted.place:
                    taken = structs.replace(noted, nonce=contact.nonce)
                    self._book.complete(contact.platform, contact.user_id, taken, now)
                self._book.forget(contact.platform, contact.user_id, noted)

    def _noted(self, contact: Contact, owner: Who) -> Noted:
        noted = self._book.prompts(contact.platform, contact.user_id, contact.nonce)
        return next((each for each in noted if each.owner == owner), Noted(contact.nonce, *owner))

    def _show(self, contact: Contact, noted: Noted, prompt: Prompt, now: int) -> None:
        sender = self._senders.on(noted.owner_platform, now)
        drawn = self._pen(noted.owner_platform).draw_prompt(prompt)
        if noted.place:
            try:
                sender.edit_prompt(noted.place, drawn)
            except PermanentRefusalError as error:
                if error.refusal is not SendRefusal.GONE:
                    raise
            else:
                return
        self._book.intend(contact.platform, contact.user_id, noted, now)
        key = f"{contact.nonce}:{noted.owner_id}"
        reopened = (noted.owner, contact.nonce) in self._reopened
        if reopened:
            place = cast("Reopens", sender).reopen(noted.owner_id, drawn, key=f"{key}{REOPENED}")
        else:
            place = sender.send_prompt(noted.owner_id, drawn, key=key)
        self._book.complete(
            contact.platform, contact.user_id, structs.replace(noted, place=place, reopened=reopened), now
        )

    def named(self, contact: Contact, now: int) -> Contact:
        """Look name and language up where the platform sent none. A name is only for showing: without it the id is shown."""
        if contact.name:
            return contact
        try:
            sender = self._senders.on(contact.platform, now)
            names = sender.lookup_names(contact.user_id) if sender.abilities.names else Names()
        except (*PASSING, *HOPELESS) as error:
            _log(contact, "name", error)
            return contact
        if names.name:
            self._room.name(contact, names)
        return structs.replace(contact, name=names.name, full_name=names.full_name, language=names.language)

    # Closing

    def _withdraw(self, queue: OwnerQueue, turn: PromptTurn, contact: Contact, holder: str, now: int) -> None:
        """Close what stands with one owner of a request that is over, and free the place."""
        for nonce in dict.fromkeys((turn.nonce, contact.nonce)):
            for noted in self._book.prompts(contact.platform, contact.user_id, nonce):
                if noted.owner != queue.owner:
                    continue
                try:
                    self._close_one(contact, noted, now)
                except (PermanentRefusalError, AddressError) as error:
                    _log(contact, "close", error)
        queue.change(lambda seen: seen.left(turn.who, holder, now))

    def _close_one(self, contact: Contact, noted: Noted, now: int) -> None:
        if noted.place:
            self._redraw(contact, noted, self._senders.on(noted.owner_platform, now), now)

    def _redraw(self, contact: Contact, noted: Noted, sender: Sender, now: int) -> None:
        try:
            code = code_of(contact, self._secrets, now) if contact.nonce else ""
        except UnreadableSecretError:
            raise
        except SecretError:
            # The secret was dropped since: the prompt closes all the same, without its button.
            code = ""
        prompt = closed_prompt(contact, code, self._secrets.keyring(CALLBACK_SECRET, now))
        sender.edit_prompt(noted.place, self._pen(noted.owner_platform).draw_prompt(prompt))

    # The digest

    def _tell(self, queue: OwnerQueue, holder: str, now: int) -> None:
        """Bring the digest up to date, as often as the number changes meanwhile. Raises what sending raises."""
        most = self._settings.max_prompts
        for _ in range(TURNS_AT_ONCE):
            seen = queue.change(lambda seen: seen.counted(holder, now, most))
            if seen.digest.hold.by != holder:
                return
            number = seen.more(most)
            try:
                place, told = self._say(queue, number, now)
            except PASSING:
                queue.change(lambda seen: seen.untold(holder))
                raise
            except HOPELESS:
                # Tried again when the number changes.
                queue.change(partial(TurnQueue.told, holder=holder, number=number, place="", now=now))
                raise
            queue.change(partial(TurnQueue.told, holder=holder, number=told, place=place, now=now))

    def _say(self, queue: OwnerQueue, number: int, now: int) -> tuple[str, int]:
        """Say how many wait; return where that stands, and the number that surely stands there."""
        platform, owner_id = queue.owner
        digest = queue.seen.digest
        sender = self._senders.on(platform, now)
        drawn = self._pen(platform).draw_words(texts.more_wait(number))
        if digest.can_be_edited(now) and not sender.abilities.edits:
            # Each further number would be a further message: that somebody waits has been said.
            return digest.place, number
        if digest.can_be_edited(now):
            try:
                sender.edit_prompt(digest.place, drawn)
            except (PermanentRefusalError, AddressError) as error:
                # The owner deleted it, or it cannot be edited any more.
                _log_owner(queue.owner, "digest", error)
            else:
                return digest.place, number
        if not number:
            return "", 0
        place = sender.send_prompt(owner_id, drawn, key=f"digest:{owner_id}:{digest.sent}")
        return place, digest.trying


def _who(contact: Contact) -> Who:
    return contact.platform, contact.user_id


def _raise_longest(trouble: list[DoorcodeError]) -> None:
    if trouble:
        raise max(trouble, key=lambda error: getattr(error, "delay", 0))


def not_delivered(who: Who, error: DoorcodeError) -> None:
    """Log whom something did not reach, where their platform says why; not what it was."""
    if isinstance(error, PermanentRefusalError):
        why = error.detail.partition(":")[0]
        log.warning("A message did not arrive", reason="not_delivered", platform=who[0], user_id=who[1], detail=why)


def _log(contact: Contact, step: str, error: Any) -> None:
    log.warning(str(error), reason=error.reason, platform=contact.platform, user_id=contact.user_id, step=step)


def _log_owner(owner: Who, step: str, error: Any) -> None:
    log.warning(str(error), reason=error.reason, platform=owner[0], step=step)

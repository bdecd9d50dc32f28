"""Who is put to an owner next, and what the owner is told of those who wait. Pure.

An owner has at most so many open prompts; everybody else waits for a turn, in the order of asking, and one message, the
digest, says how many they are. A turn is open from before its prompt is sent until after it is closed: so there are
never more prompts than open turns. Whoever sends or closes one holds it meanwhile. A hold ends by itself, for its
holder may have died; and whoever lets go looks again, for others pass over what is held.

Every change may be made twice: the second time it changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct, structs

from doorcode.pairing.contact import Platform

Who = tuple[Platform, str]
"""A contact, or an owner: the platform and the id there."""

# Longer than a function may run: whoever held something for so long is dead.
HOLD_SECONDS = 180
# The digest that said that nobody waits is used again for so long; after that a new one is sent, which is noticed.
DIGEST_SECONDS = 3600


class Hold(Struct, frozen=True):
    """Who is at something, and until when at the latest, in seconds since 1970."""

    by: str = ""
    until: int = 0

    def is_free(self, holder: str, now: int) -> bool:
        """Tell whether ``holder`` may take it: nobody else has it, or nobody alive."""
        return self.by in {"", holder} or now >= self.until


NOBODY = Hold()


class PromptTurn(Struct, frozen=True, kw_only=True):
    """One contact's place in an owner's queue.

    ``since`` orders those who wait. ``nonce`` names the request whose prompt was sent last, empty before that; ``trying``
    is since when it is tried to send one. ``failed`` tells that the owner could not be reached about it.
    """

    platform: Platform
    user_id: str
    since: int
    open: bool = False
    nonce: str = ""
    trying: int = 0
    failed: bool = False
    hold: Hold = NOBODY

    @property
    def who(self) -> Who:
        """Whose turn it is."""
        return self.platform, self.user_id


class Digest(Struct, frozen=True, kw_only=True):
    """The message about those who wait: where it is, how many it tells of since when, and how many were sent so far.

    ``trying`` is of how many the first try to send it tells, while none is known to have been sent: a platform that
    recognises what it was given before shows that number.
    """

    place: str = ""
    told: int = 0
    at: int = 0
    sent: int = 0
    trying: int = 0
    hold: Hold = NOBODY

    def can_be_edited(self, now: int) -> bool:
        """Tell whether the one that was sent is to be edited, instead of sending another one."""
        return bool(self.place) and (self.told > 0 or now - self.at < DIGEST_SECONDS)


class TurnQueue(Struct, frozen=True, kw_only=True):
    """One owner's turns and digest. ``rev`` goes up with every change."""

    rev: int = 0
    turns: tuple[PromptTurn, ...] = ()
    digest: Digest = Digest()

    def turn_of(self, who: Who) -> PromptTurn | None:
        """Return that contact's turn."""
        return next((turn for turn in self.turns if turn.who == who), None)

    def more(self, most: int) -> int:
        """Count who waits beyond the places that are free."""
        waiting = sum(not turn.open for turn in self.turns)
        return max(0, waiting - self._free(most))

    def held_by(self, holder: str) -> PromptTurn | None:
        """Return a turn that this holder is at."""
        return next((turn for turn in self.turns if turn.hold.by == holder), None)

    # Turns

    def asked(self, who: Who, nonce: str, since: int, holder: str, now: int) -> TurnQueue:
        """Let a contact wait, who asked at ``since``; give ``holder`` the turn that shows another request of theirs."""
        turn = self.turn_of(who)
        if turn is None:
            return structs.replace(self, turns=(*self.turns, PromptTurn(platform=who[0], user_id=who[1], since=since)))
        return self if turn.nonce == nonce else self.recalled(who, holder, now)

    def turned_away(self, who: Who) -> TurnQueue:
        """Take away the turn of a contact who only waits."""
        return structs.replace(self, turns=tuple(turn for turn in self.turns if turn.who != who or turn.open))

    def left(self, who: Who, holder: str, now: int) -> TurnQueue:
        """Take a contact's turn away, unless somebody else is at it."""
        kept = tuple(turn for turn in self.turns if turn.who != who or not turn.hold.is_free(holder, now))
        return structs.replace(self, turns=kept)

    def next(self, holder: str, now: int, most: int) -> TurnQueue:
        """Give ``holder`` what is to be done next: a turn, and when there is none, the digest."""
        called = self.called(holder, now, most)
        return called if called.held_by(holder) else called.counted(holder, now, most)

    def called(self, holder: str, now: int, most: int) -> TurnQueue:
        """Give ``holder`` a turn to see to: the one at hand, one whose holder died, else the next where a place is free."""
        if self.held_by(holder):
            return self
        abandoned = [turn for turn in self.turns if turn.hold.by and turn.hold.is_free(holder, now)]
        waiting = sorted((turn for turn in self.turns if not turn.open), key=lambda turn: (turn.since, turn.failed))
        ready = [*abandoned, *waiting[: self._free(most)]]
        if not ready:
            return self

        def call(turn: PromptTurn) -> PromptTurn:
            return structs.replace(turn, open=True, trying=turn.trying or now, hold=_held(holder, now))

        return self._with(ready[0].who, call)

    def recalled(self, who: Who, holder: str, now: int) -> TurnQueue:
        """Give ``holder`` an open turn again, unless somebody else is at it."""

        def recall(turn: PromptTurn) -> PromptTurn:
            if not turn.open or turn.hold.by == holder or not turn.hold.is_free(holder, now):
                return turn
            return structs.replace(turn, hold=_held(holder, now))

        return self._with(who, recall)

    def shown(self, who: Who, holder: str, nonce: str) -> TurnQueue:
        """Note that the prompt of that request is sent, and let go."""

        def show(turn: PromptTurn) -> PromptTurn:
            if turn.hold.by != holder:
                return turn
            return structs.replace(turn, nonce=nonce, trying=0, failed=False, hold=NOBODY)

        return self._with(who, show)

    def put_back(self, who: Who, holder: str, now: int, *, doubt: bool) -> TurnQueue:
        """Let go of a turn whose prompt could not be sent: it waits again, behind those who ask now.

        In ``doubt``, when it may have been sent, it is kept for a while: its holder comes again, and sends or finds it.
        One whose prompt stands already, and could not be edited, stays open.
        """

        def back(turn: PromptTurn) -> PromptTurn:
            if turn.hold.by != holder:
                return turn
            if turn.nonce:
                return structs.replace(turn, hold=NOBODY)
            if doubt and now < turn.trying + HOLD_SECONDS:
                return structs.replace(turn, failed=True)
            return structs.replace(turn, open=False, since=now, trying=0, failed=True, hold=NOBODY)

        return self._with(who, back)

    def unheard(self, who: Who) -> TurnQueue:
        """Note that the owner could not be told that this contact waits."""
        return self._with(who, lambda turn: turn if turn.open else structs.replace(turn, failed=True))

    # The digest

    def counted(self, holder: str, now: int, most: int) -> TurnQueue:
        """Give ``holder`` the digest if it tells of another number than wait; unless somebody else is at it."""
        digest, number = self.digest, self.more(most)
        if number == digest.told:
            return self.untold(holder)
        if digest.hold.by == holder or not digest.hold.is_free(holder, now):
            return self
        held = structs.replace(digest, trying=digest.trying or number, hold=_held(holder, now))
        return structs.replace(self, digest=held)

    def told(self, holder: str, number: int, place: str, now: int) -> TurnQueue:
        """Note where the digest is and of how many it tells, and let go; without a place it could not be told."""
        if self.digest.hold.by != holder:
            return self
        sent = self.digest.sent + (place != self.digest.place)
        return structs.replace(self, digest=Digest(place=place, told=number, at=now, sent=sent))

    def untold(self, holder: str) -> TurnQueue:
        """Let go of the digest as it is."""
        if self.digest.hold.by != holder:
            return self
        return structs.replace(self, digest=structs.replace(self.digest, hold=NOBODY))

    def _free(self, most: int) -> int:
        return max(0, most - sum(turn.open for turn in self.turns))

    def _with(self, who: Who, change: Callable[[PromptTurn], PromptTurn]) -> TurnQueue:
        return structs.replace(self, turns=tuple(change(turn) if turn.who == who else turn for turn in self.turns))


def _held(holder: str, now: int) -> Hold:
    return Hold(holder, now + HOLD_SECONDS)

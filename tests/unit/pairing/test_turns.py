"""An owner's queue: whose turn it is, however couriers mix, die and come again."""

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from doorcode.pairing.contact import Platform
from doorcode.pairing.turns import DIGEST_SECONDS, HOLD_SECONDS, TurnQueue

T0 = 1_800_000_000
A, B, C = ((Platform.TELEGRAM, user_id) for user_id in ("1", "2", "3"))
HOLDERS = st.sampled_from(["h1", "h2", "h3"])
PEOPLE = st.sampled_from([(Platform.TELEGRAM, str(number)) for number in range(6)])


def waiting(*people: tuple[Platform, str]) -> TurnQueue:
    """Have these ask, one second after the other."""
    queue = TurnQueue()
    for number, who in enumerate(people):
        queue = queue.asked(who, "n", T0 + number, "h", T0)
    return queue


def test_who_asked_first_comes_first() -> None:
    """The first is called while there is place; the others wait and are counted."""
    queue = waiting(A, B, C)
    called = queue.called("h", T0, 1)
    assert called.held_by("h").who == A  # type: ignore[union-attr]
    assert called.more(1) == 2
    assert called.called("other", T0, 1) == called
    assert waiting(A, B, C).more(3) == 0


def test_what_is_held_is_passed_over_until_its_holder_is_dead() -> None:
    """Nobody takes away or recalls what another holds; after three minutes anybody may."""
    called = waiting(A).called("h", T0, 1)
    assert called.left(A, "other", T0) == called
    assert called.recalled(A, "other", T0) == called
    later = T0 + HOLD_SECONDS
    assert called.left(A, "other", later).turns == ()
    assert called.called("other", later, 1).held_by("other").who == A  # type: ignore[union-attr]


def test_who_could_not_be_asked_comes_after_those_who_ask_now() -> None:
    """A turn that is put back gives its place away, and is counted as failed until its prompt is sent."""
    queue = waiting(A, B).called("h", T0 + 1, 1).put_back(A, "h", T0 + 1, doubt=False)
    assert queue.turn_of(A).failed  # type: ignore[union-attr]
    assert queue.called("h", T0 + 1, 1).held_by("h").who == B  # type: ignore[union-attr]


def test_what_may_have_been_sent_keeps_its_place_for_a_while() -> None:
    """In doubt the same holder tries again; after three minutes the place is the next one's, whoever tried last."""
    queue = waiting(A, B).called("h", T0, 1)
    kept = queue.put_back(A, "h", T0 + 1, doubt=True)
    assert kept.called("h", T0 + 2, 1).held_by("h").who == A  # type: ignore[union-attr]
    later = T0 + HOLD_SECONDS
    given_away = kept.called("other", later, 1).put_back(A, "other", later, doubt=True)
    assert given_away.called("h", later, 1).held_by("h").who == B  # type: ignore[union-attr]


@pytest.mark.parametrize(("after", "edited"), [(DIGEST_SECONDS - 1, True), (DIGEST_SECONDS, False)])
def test_a_digest_that_ended_is_used_again_for_an_hour(after: int, edited: bool) -> None:
    """A digest that says that nobody waits is edited within the hour; one that tells of somebody always is."""
    queue = waiting(A, B).counted("h", T0, 1).told("h", 1, "here", T0)
    assert queue.digest.can_be_edited(T0 + 10 * DIGEST_SECONDS)
    ended = queue.left(B, "h", T0).counted("h", T0, 1).told("h", 0, "here", T0)
    assert ended.digest.can_be_edited(T0 + after) is edited


def test_a_lost_answer_is_remembered_with_its_number() -> None:
    """A digest that may have been sent is noted with the number of its first try, which is what then stands there."""
    queue = waiting(A, B).counted("h", T0, 1)
    assert queue.asked(C, "n", T0, "h", T0).untold("h").counted("h", T0, 1).digest.trying == 1


class Couriers(RuleBasedStateMachine):
    """Any order of everything, each change made twice."""

    def __init__(self) -> None:
        """Begin with nobody."""
        super().__init__()
        self.queue, self.now, self.most = TurnQueue(), T0, 2

    def change(self, name: str, *arguments: object, **more: bool) -> None:
        """Make a change, which must change nothing the second time."""
        once = getattr(self.queue, name)(*arguments, **more)
        assert getattr(once, name)(*arguments, **more) == once
        self.queue = once

    @rule(who=PEOPLE, holder=HOLDERS, nonce=st.sampled_from(["n1", "n2"]))
    def ask(self, who: tuple[Platform, str], holder: str, nonce: str) -> None:
        """Ask."""
        self.change("asked", who, nonce, self.now, holder, self.now)

    @rule(holder=HOLDERS)
    def go_on(self, holder: str) -> None:
        """See what is next."""
        self.change("next", holder, self.now, self.most)

    @rule(holder=HOLDERS, how=st.sampled_from(["shown", "put_back", "left"]), doubt=st.booleans())
    def see_to(self, holder: str, how: str, *, doubt: bool) -> None:
        """Be done with what is held."""
        turn = self.queue.held_by(holder)
        if turn:
            last = {"shown": ("n1",), "put_back": (self.now,), "left": (self.now,)}[how]
            self.change(how, turn.who, holder, *last, **({"doubt": doubt} if how == "put_back" else {}))

    @rule(who=PEOPLE, holder=HOLDERS)
    def decide(self, who: tuple[Platform, str], holder: str) -> None:
        """Decide a request."""
        self.change("left", who, holder, self.now)

    @rule(holder=HOLDERS)
    def tell(self, holder: str) -> None:
        """Send the digest."""
        self.change("told", holder, self.queue.more(self.most), "place", self.now)

    @rule(seconds=st.sampled_from([1, HOLD_SECONDS]))
    def time_passes(self, seconds: int) -> None:
        """Time passes; holders may be dead."""
        self.now += seconds

    @invariant()
    def no_more_are_open_than_may_be(self) -> None:
        """Never more open turns than allowed, never two of one contact, and no hold on who waits."""
        assert sum(turn.open for turn in self.queue.turns) <= self.most
        assert len({turn.who for turn in self.queue.turns}) == len(self.queue.turns)
        assert all(turn.open or not turn.hold.by for turn in self.queue.turns)


Couriers.TestCase.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
TestCouriers = Couriers.TestCase


def test_who_only_waits_is_turned_away_and_who_is_asked_about_is_not() -> None:
    """A contact who was decided on before their turn came is forgotten; an open prompt is closed by its holder."""
    queue = waiting(A, B).called("h", T0, 1)
    assert queue.turned_away(B).turn_of(B) is None
    assert queue.turned_away(A) == queue


def test_a_turn_is_put_back_by_its_holder_alone_and_a_prompt_that_stands_stays_open() -> None:
    """Whoever has lost the turn changes nothing; a prompt that could not be edited keeps its place, and is let go."""
    queue = waiting(A).called("h", T0, 1)
    assert queue.put_back(A, "other", T0, doubt=False) == queue
    shown = queue.shown(A, "h", "n").recalled(A, "h", T0)
    back = shown.put_back(A, "h", T0, doubt=False).turn_of(A)
    assert back is not None
    assert (back.open, back.nonce, back.hold.by) == (True, "n", "")


def test_whoever_has_lost_a_hold_changes_nothing() -> None:
    """A courier that comes back late, after another has taken over, neither notes nor lets go of anything."""
    queue = waiting(A, B).called("h", T0, 1)
    assert queue.shown(A, "late", "n") == queue
    assert queue.recalled(B, "late", T0) == queue
    held = queue.counted("h", T0, 1)
    assert held.counted("late", T0, 1) == held
    assert held.told("late", 1, "there", T0) == held
    assert held.untold("late") == held
    told = held.told("h", 1, "here", T0)
    assert told.counted("late", T0, 1) == told


def test_who_could_not_be_told_of_is_noted_while_waiting_alone() -> None:
    """An owner who cannot be reached is noted at who waits; whoever is asked about has a prompt of their own."""
    queue = waiting(A, B).called("h", T0, 1)
    assert queue.unheard(A) == queue
    assert queue.unheard(B).turn_of(B).failed  # type: ignore[union-attr]


def test_another_request_of_theirs_is_shown_in_the_prompt_that_stands() -> None:
    """Asked anew, a contact keeps the turn, which its prompt's next holder sees to; asked twice alike, nothing happens."""
    queue = waiting(A).called("h", T0, 1).shown(A, "h", "n")
    assert queue.asked(A, "n", T0, "h", T0) == queue
    assert queue.asked(A, "another", T0, "h", T0).held_by("h").who == A  # type: ignore[union-attr]


def test_turns_come_before_the_digest() -> None:
    """A courier is given whom to ask about first, and only when there is nobody, the word about the others."""
    queue = waiting(A, B)
    asking = queue.next("h", T0, 1)
    assert asking.held_by("h")
    assert asking.digest.hold.by == ""
    assert asking.shown(A, "h", "n").next("h", T0, 1).digest.hold.by == "h"

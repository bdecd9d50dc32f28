"""Real threads against databases that are atomic: whatever races about a question, exactly one outcome holds."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from doorcode.asking.question import Question, QuestionState
from doorcode.asking.refusals import AskRefusal, QuestionRefusedError
from doorcode.pairing.platform import Platform
from tests.contract.questions import PAGE, Asking, presses
from tests.contract.racers import RACERS, Racers
from tests.harness import T0, Harness

EIGHT = tuple((Platform.TELEGRAM, f"{number}") for number in range(1, 9))
ROUNDS = 2
Act = Callable[[Asking], Question]


def approves(asked: Question, user: int) -> Act:
    """Make an act: an owner's approval."""
    return lambda one: one.approve(asked, presses(f"telegram:{user}"))


def denies(asked: Question, user: int) -> Act:
    """Make an act: an owner's denial."""
    return lambda one: one.deny(asked, presses(f"telegram:{user}"))


def cancels(asked: Question) -> Act:
    """Make an act: its asker takes it back."""
    return lambda one: one.cancel(asked)


def uses(asked: Question, key: str = "") -> Act:
    """Make an act: its asker uses it."""
    return lambda one: one.use(asked, key=key)


def asks(title: str, key: str = "") -> Act:
    """Make an act: somebody asks."""
    return lambda one: one.ask(title, key=key)


def tidies(now: int) -> Callable[[Asking], Any]:
    """Make an act: the sweep."""
    return lambda one: one.store.tidy(now)


class QuestionRace:
    """Racers over questions that eight people own."""

    def __init__(self, racers: Racers) -> None:
        self.racers = racers
        self.questions = Asking(racers.harness, racers.harness.name, EIGHT)

    def all_at_once(self, *acts: Callable[[Asking], Any]) -> list[Any]:
        """Have all happen at the same moment."""
        return self.racers.all_at_once([self._by(act) for act in acts])

    def _by(self, act: Callable[[Asking], Any]) -> Callable[[Harness], Any]:
        return lambda harness: act(Asking(harness, self.questions.texts.name, EIGHT))

    def now_holds(self, asked: Question, results: list[Any]) -> QuestionState:
        """Return what holds; whoever did something else was told that, or nothing that is not so."""
        there = self.questions.store.get(asked.id)
        assert there is not None
        refused = [result for result in results if isinstance(result, QuestionRefusedError)]
        assert {error.state for error in refused} <= {there.state, "approved", "pending"}
        self.questions.consistent()
        return there.state


def test_decisions(racers: Racers) -> None:
    """A16, A7: approvals and denials, taking back and its time's end race: one holds, and everybody else is told so."""
    race = QuestionRace(racers)
    outcomes = Counter[str]()
    for number in range(ROUNDS):
        for at in (T0 + 1, T0 + 60):
            asked = race.questions.ask(f"{number} {at}", expires_in=60)
            results = race.all_at_once(
                *[approves(asked, user) for user in range(1, 5)],
                *[denies(asked, user) for user in range(5, 9)],
                *[cancels(asked)] * 2,
                *[tidies(at)] * 2,
            )
            outcomes[race.now_holds(asked, results)] += 1
            made = {(one.state, one.decided_account) for one in results if isinstance(one, Question)}
            ended_by_time = any(results[-2:])
            # What was approved first may have been taken back afterwards: by its asker, and by nothing else.
            assert len(made) + ended_by_time == 1 or {state for state, _ in made} == {"approved", "cancelled"}
    assert sum(outcomes.values()) == 2 * ROUNDS


def test_a_quorum(racers: Racers) -> None:
    """A9: of eight owners at once, exactly two make a quorum of two, each counted once however often they press."""
    race = QuestionRace(racers)
    for number in range(ROUNDS):
        asked = race.questions.ask(f"{number}", approvals=2)
        results = race.all_at_once(*[approves(asked, user) for user in range(1, 9)] * 2)
        assert race.now_holds(asked, results) is QuestionState.APPROVED
        there = race.questions.store.get(asked.id)
        assert there is not None
        assert len({one.account for one in there.given}) == len(there.given) == 2
        assert there.rev == 3


def test_uses(racers: Racers) -> None:
    """A3: of many uses at once exactly one is the use; the same key is one use; a use and taking back exclude each other."""
    race = QuestionRace(racers)
    for key in ("", "k"):
        asked = race.questions.ask(f"use {key}")
        race.questions.approve(asked, PAGE)
        results = race.all_at_once(*[uses(asked, key)] * 8)
        used = [one for one in results if isinstance(one, Question)]
        assert len(used) == (8 if key else 1)
        told = {error.reason for error in results if isinstance(error, QuestionRefusedError)}
        assert told == (set() if key else {AskRefusal.ALREADY_USED})
        assert race.now_holds(asked, results) is QuestionState.USED
    for number in range(ROUNDS):
        asked = race.questions.ask(f"{number}")
        race.questions.approve(asked, PAGE)
        results = race.all_at_once(*[uses(asked), cancels(asked)] * 4)
        state = race.now_holds(asked, results)
        used = [one for one in results if isinstance(one, Question) and one.state == "used"]
        assert len(used) == (state is QuestionState.USED)


def test_a_key_is_one_question(racers: Racers) -> None:
    """A14: fifty calls at once with one key are one question, and so are some with the same words and none."""
    race = QuestionRace(racers)
    for key, times in (("k", 50), ("", 8)):
        acts = [race._by(asks(f"key {key}", key))] * times
        results = racers.one_after_another_in_a_crowd(acts)
        assert len({one.id for one in results}) == 1
    assert len(race.questions.store.open_questions()) == 2
    race.questions.consistent()


def test_places(racers: Racers) -> None:
    """A15: however many are asked at once, twenty of an asker's wait, and the others are refused."""
    race = QuestionRace(racers)
    for number in range(12):
        race.questions.ask(f"before {number}")
    results = race.all_at_once(*[asks(f"{number}") for number in range(RACERS)])
    refused = [one for one in results if isinstance(one, QuestionRefusedError)]
    assert [one.reason for one in refused] == [AskRefusal.TOO_MANY_PENDING] * (RACERS - 8)
    race.questions.consistent()

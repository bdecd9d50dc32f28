"""Real threads open one link at once, and sign out while it is opened."""

from collections.abc import Callable
from typing import Any

import pytest

from doorcode.aws.sign_ins import SignIns
from doorcode.errors import SignInError
from tests.contract.racers import RACERS, Racers
from tests.harness import T0, Harness

ROUNDS = 2


def redeems(link: str) -> Callable[[Harness], Any]:
    """Give the act of opening a link."""
    return lambda harness: SignIns(harness.table).redeem(link, T0)


def test_many_open_one_link(racers: Racers) -> None:
    """Security 17, 20: of many who open one link at once exactly one is signed in, and there is one session."""
    sign_ins = SignIns(racers.harness.table)
    for n in range(ROUNDS):
        results = racers.all_at_once([redeems(sign_ins.link("alice", T0))] * RACERS)
        [(cookie, principal)] = [result for result in results if not isinstance(result, SignInError)]
        assert sign_ins.principal(cookie, T0) == principal
        assert sum(item["pk"]["S"] == "sessions" for item in racers.harness.items()) == n + 1


def test_signing_everybody_out_against_links(racers: Racers) -> None:
    """Security 20: whoever was signed in by a link before everybody was signed out is out too, and no link is left."""
    sign_ins = SignIns(racers.harness.table)
    for _ in range(ROUNDS):
        opening = [redeems(sign_ins.link("alice", T0)) for _ in range(RACERS - 1)]
        results = racers.all_at_once([*opening, lambda harness: SignIns(harness.table).end_all(T0)])
        signed_in = [result for result in results[:-1] if not isinstance(result, SignInError)]
        for cookie, _ in signed_in:
            with pytest.raises(SignInError):
                sign_ins.principal(cookie, T0)
        assert racers.harness.items() == []

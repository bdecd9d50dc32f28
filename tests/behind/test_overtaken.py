"""A decision that overtakes the prompt: nobody is asked about what is over, and no prompt stays open."""

import itertools

import pytest

from doorcode.pairing.contact import Platform
from doorcode.pairing.transitions import Operation
from tests.behind.faults import begin_again
from tests.behind.harness import Behind
from tests.behind.test_pairing import has_buttons


@pytest.mark.parametrize("platform", list(Platform))
def test_a_decision_between_a_prompt_s_sending_and_its_saving(behind: Behind, platform: Platform) -> None:
    """A decision that lands while the prompt is on its way closes it all the same, although it was not noted yet."""
    for moment, operation in itertools.product(("before", "after"), (Operation.APPROVE, Operation.DENY)):
        begin_again(behind, platform)

        def decide(call: str, operation: Operation = operation) -> None:
            if call == "send_prompt":
                behind.before_sending = behind.after_sending = lambda _: None
                behind.decide(operation, platform)

        setattr(behind, f"{moment}_sending", decide)
        behind.hello(platform)
        behind.relay_once()
        behind.courier_once()
        # The decision's own record has not come yet: the courier saw by itself that the contact had moved.
        where = f"{operation} {moment} the prompt was sent"
        [prompt] = behind.prompts(platform)
        assert set(has_buttons(prompt)) <= {"🚫 Block"}, where
        assert "by alice (cli)" in prompt, where
        behind.settle()
        assert len(behind.prompts(platform)) == 1, where


@pytest.mark.parametrize("platform", list(Platform))
def test_a_request_decided_before_the_courier_comes_asks_nobody(behind: Behind, platform: Platform) -> None:
    """A request that is over before its prompt was sent makes none."""
    behind.hello(platform)
    behind.decide(Operation.DENY, platform)
    behind.settle()
    assert behind.prompts(platform) == []
    assert "Your request was declined." in behind.heard(platform)[-1]
    assert behind.event_types() == ["pairing_requested", "pairing_denied"]

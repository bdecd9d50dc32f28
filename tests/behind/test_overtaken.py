"""A decision that overtakes the prompt: nobody is asked about what is over, and no prompt stays open."""

import pytest

from doorcode.pairing.contact import Platform
from doorcode.pairing.transitions import Operation
from tests.behind.harness import Behind
from tests.behind.test_pairing import has_buttons


@pytest.mark.parametrize("platform", list(Platform))
@pytest.mark.parametrize("operation", [Operation.APPROVE, Operation.DENY])
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_decision_between_a_prompt_s_sending_and_its_saving(
    behind: Behind, platform: Platform, operation: Operation, moment: str
) -> None:
    """A decision that lands while the prompt is on its way closes it all the same, although it was not noted yet."""

    def decide(call: str) -> None:
        if call == "send_prompt":
            behind.before_sending = behind.after_sending = lambda _: None
            behind.decide(operation, platform)

    if moment == "before":
        behind.before_sending = decide
    else:
        behind.after_sending = decide
    behind.hello(platform)
    behind.relay_once()
    behind.courier_once()
    # The decision's own record has not come yet: the courier saw by itself that the contact had moved.
    [prompt] = behind.prompts(platform)
    assert set(has_buttons(prompt)) <= {"🚫 Block"}
    assert "by alice (cli)" in prompt
    behind.settle()
    assert len(behind.prompts(platform)) == 1


@pytest.mark.parametrize("platform", list(Platform))
def test_a_request_decided_before_the_courier_comes_asks_nobody(behind: Behind, platform: Platform) -> None:
    """A request that is over before its prompt was sent makes none."""
    behind.hello(platform)
    behind.decide(Operation.DENY, platform)
    behind.settle()
    assert behind.prompts(platform) == []
    assert "Your request was declined." in behind.heard(platform)[-1]
    assert behind.event_types() == ["pairing_requested", "pairing_denied"]

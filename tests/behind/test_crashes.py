"""A crash at every step: each call of relay, courier and agent, in turn, dies before it, after it, or is timed out.

Whatever happened, once the records came again the end is the right one: the decision stands, the requester has heard,
the prompts are closed, the events are out, the question is answered. Twice happens only what a platform gives no way to
tell apart, and is counted here: on Telegram and Slack a message whose sending could not be noted.
"""

import itertools
from collections import Counter

import pytest

from doorcode.pairing.contact import Platform, State
from doorcode.pairing.transitions import Operation
from tests.behind.faults import Fault, begin_again
from tests.behind.house import Behind
from tests.behind.test_pairing import APPROVED, has_buttons

# Telegram and Slack do not recognise a message that they were already given.
REPEATS = frozenset({Platform.TELEGRAM, Platform.SLACK})
FAULTS = ("dies before", "dies after", "times out before", "times out after")


def whole_story(behind: Behind, platform: Platform) -> None:
    """Ask, be approved, talk."""
    behind.hello(platform)
    behind.settle()
    behind.decide(Operation.APPROVE, platform)
    behind.settle()
    behind.hello(platform, 1)
    behind.answer()


def sent_texts(behind: Behind, platform: Platform) -> Counter[str]:
    """Count what the requester was sent, by what it is."""
    heard = behind.heard(platform)
    return Counter(
        {
            "approved": sum(APPROVED[platform] in text for text in heard),
            "answer": sum("Hi there! How can I help you today?" in text for text in heard),
        }
    )


@pytest.mark.parametrize("kind", FAULTS)
@pytest.mark.parametrize("platform", list(Platform))
def test_a_fault_in_every_call(behind: Behind, platform: Platform, kind: str) -> None:
    """Security 17, 33: whichever call fails, however, the end state is the right one."""
    hits: Counter[str] = Counter()
    for at in itertools.count(1):
        begin_again(behind, platform)
        fault = Fault(behind, platform, kind, at)
        whole_story(behind, platform)
        if not fault.hit:
            break
        hits[fault.hit] += 1
        where = f"{kind} at call {at}, {fault.hit}"
        assert behind.edge.contact(platform).state is State.PAIRED, where
        may_repeat = platform in REPEATS and "after" in kind
        told = sent_texts(behind, platform)
        repeated = may_repeat and fault.hit in {"sender.notify", "sender.send_text"}
        lost_note = (
            platform in REPEATS and "before" in kind and fault.hit in {"dynamodb.update_item", "dynamodb.put_item"}
        )
        for what, count in told.items():
            assert count == 1 or (count == 2 and (repeated or lost_note)), f"{what} {count} times: {where}"
        prompts = behind.prompts(platform)
        open_ones = [prompt for prompt in prompts if has_buttons(prompt)]
        orphaned = platform in REPEATS and (
            (may_repeat and fault.hit == "sender.send_prompt") or fault.hit == "dynamodb.update_item"
        )
        assert any("Approved by alice (cli)" in prompt for prompt in prompts), where
        assert len(open_ones) <= (1 if orphaned else 0), where
        assert set(behind.event_types()) == {"pairing_requested", "pairing_approved"}, where
        assert behind.parked() == 0, where
    # The story really was disturbed in all its parts.
    services = {name.partition(".")[0] for name in hits}
    assert services == {"dynamodb", "events", "sender", "sqs", "ssm"}
    assert {"sender.send_prompt", "sender.edit_prompt", "sender.notify", "sender.send_text"} <= set(hits)

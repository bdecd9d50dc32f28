"""A crash at every step: relay, courier and agent die after a call, or it is timed out before or after it had its effect.

Whatever happened, once the records came again the end is the right one: the decision stands, the requester has heard,
the prompts are closed, the events are out, the question is answered. Twice happens only what a platform gives no way to
tell apart, and is counted here: on Telegram and Slack a message whose sending could not be noted.

Who dies keeps nothing but what was written, so that to die before a call, or after one that only reads, is to die after
the last one that wrote. A read that times out is the same before and after.
"""

from collections import Counter

import pytest

from doorcode.pairing.contact import Platform, State
from doorcode.pairing.transitions import Operation
from tests.behind.faults import Fault, begin_again, calls_of, writes
from tests.behind.harness import Behind
from tests.behind.test_pairing import APPROVED, has_buttons

# Telegram and Slack do not recognise a message that they were already given.
REPEATS = frozenset({Platform.TELEGRAM, Platform.SLACK, Platform.WHATSAPP})
FAULTS = ("dies after", "times out before", "times out after")
PLATFORMS = tuple(Platform)


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


def steps(calls: list[str], platform: Platform, kind: str) -> list[int]:
    """Choose the calls to break: on each platform what it is sent and what is noted of it, the others on one of the three."""
    mine = PLATFORMS.index(platform) + FAULTS.index(kind)
    return [
        at
        for at, call in enumerate(calls, 1)
        if ("before" in kind or writes(call))
        and (
            "sender." in call
            or "sender." in "".join(calls[at - 2 : at - 1])
            or at % len(PLATFORMS) == mine % len(PLATFORMS)
        )
    ]


@pytest.mark.parametrize("kind", FAULTS)
@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_fault_in_every_call(behind: Behind, platform: Platform, kind: str) -> None:
    """Security 17, 33: whichever call fails, however, the end state is the right one."""
    calls = calls_of(behind, platform, lambda: whole_story(behind, platform))
    # The story really has all its parts.
    assert {name.partition(".")[0] for name in calls} == {"dynamodb", "events", "sender", "sqs", "ssm"}
    assert {"sender.send_prompt", "sender.edit_prompt", "sender.notify", "sender.send_text"} <= set(calls)
    for at in steps(calls, platform, kind):
        begin_again(behind, platform)
        fault = Fault(behind, platform, kind, at)
        whole_story(behind, platform)
        where = f"{kind} at call {at}, {fault.hit}"
        assert fault.hit == calls[at - 1], where
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

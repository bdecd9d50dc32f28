"""A crash at every step: relay, courier and agent die after a call, or it is timed out before or after it had its effect.

Whatever happened, once the records came again the end is the right one: the decision stands, the requester has heard,
the prompts are closed, the events are out, the question is answered. Twice happens only what a platform gives no way to
tell apart, and is counted here: on Telegram and Slack a message whose sending could not be noted.
"""

import pytest

from doorcode.pairing.contact import Contact, Platform, State
from doorcode.pairing.transitions import Operation
from tests.behind.faults import ALL, KINDS, Story, faults
from tests.behind.harness import Behind
from tests.behind.test_pairing import APPROVED, has_buttons
from tests.webhooks import STRANGER

# They do not recognise a message that they were already given.
REPEATS = frozenset({Platform.TELEGRAM, Platform.SLACK, Platform.WHATSAPP})
EACH = pytest.mark.parametrize("platform", list(Platform))
EACH_KIND = pytest.mark.parametrize("kind", KINDS)


@EACH_KIND
@EACH
def test_a_fault_on_the_way_to_an_approval(behind: Behind, platform: Platform, kind: str) -> None:
    """Security 17, 33: whichever call fails, however, the end state is the right one."""

    def asks() -> None:
        behind.hello(platform)
        behind.settle()

    def is_approved() -> None:
        behind.decide(Operation.APPROVE, platform)
        behind.settle()

    can_repeat = platform in REPEATS and "after" in kind
    broken = set()
    for where, hit, chapter in faults(behind, Story(platform, (asks, is_approved), platform is ALL), kind):
        broken.add(hit)
        assert behind.edge.contact(platform).state is State.PAIRED, where
        told = sum(APPROVED[platform] in text for text in behind.heard(platform))
        assert 1 <= told <= 1 + (can_repeat and hit == "sender.notify"), where
        prompts = behind.prompts(platform)
        assert any("Approved by alice (cli)" in prompt for prompt in prompts), where
        open_ones = [prompt for prompt in prompts if has_buttons(prompt)]
        assert len(open_ones) <= (can_repeat and hit == "sender.send_prompt"), where
        assert set(behind.event_types()) == set(("pairing_requested", "pairing_approved")[chapter:]), where
        assert behind.parked() == 0, where
    # The story really has all its parts.
    assert platform is Platform.SLACK or {"sender.send_prompt", "sender.edit_prompt", "sender.notify"} <= broken
    assert platform is not ALL or {hit.partition(".")[0] for hit in broken} > {"sqs", "sender", "events"}


@EACH_KIND
@EACH
def test_a_fault_on_the_way_to_an_answer(behind: Behind, platform: Platform, kind: str) -> None:
    """Whichever call of the agent fails, however, the message is answered."""

    def talks() -> None:
        behind.edge.put(Contact(platform=platform, user_id=STRANGER[platform], state=State.PAIRED, rev=1))
        behind.hello(platform)
        behind.answer()

    # What was sent and could not be noted is sent again.
    unnoted = "dynamodb.put_item" if "before" in kind else "sender.send_text"
    for where, hit, _ in faults(behind, Story(platform, (talks,), platform is ALL, asks_again=False), kind):
        answers = sum("Hi there! How can I help you today?" in text for text in behind.heard(platform))
        assert 1 <= answers <= 1 + (platform in REPEATS and hit == unnoted), where
        assert behind.parked() == 0, where

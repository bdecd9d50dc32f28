"""A crash at every step: each call of relay, courier and agent, in turn, dies before it, after it, or is timed out.

Whatever happened, once the records came again the end is the right one: the decision stands, the requester has heard,
the prompts are closed, the events are out, the question is answered. Twice happens only what a platform gives no way to
tell apart, and is counted here: on Telegram and Slack a message whose sending could not be noted.
"""

import itertools
from collections import Counter
from collections.abc import Callable
from contextlib import suppress

import pytest
from botocore.exceptions import ReadTimeoutError

from doorcode.outbound.errors import PassingError
from doorcode.pairing.contact import Platform, State
from doorcode.pairing.transitions import Operation
from tests.behind.house import Behind, DiedError
from tests.behind.test_pairing import APPROVED, has_buttons
from tests.house import COOLDOWN, TTL
from tests.webhooks import OWNER

# Telegram and Slack do not recognise a message that they were already given.
REPEATS = frozenset({Platform.TELEGRAM, Platform.SLACK})
FAULTS = ("dies before", "dies after", "times out before", "times out after")


class Fault:
    """Counts every call of the functions behind the edge, and breaks one of them."""

    def __init__(self, behind: Behind, platform: Platform, kind: str, at: int) -> None:
        self.count = 0
        self.hit = ""
        self._platform = platform
        self._kind = kind
        self._at = at
        for name, client in behind.clients.items():
            client.before = self._hook(name, "before", ReadTimeoutError(endpoint_url="http://127.0.0.1"))
            client.after = self._hook(name, "after", ReadTimeoutError(endpoint_url="http://127.0.0.1"))
        passing = PassingError(platform, "answer", "timeout")
        behind.before_sending = self._hook("sender", "before", passing)
        behind.after_sending = self._hook("sender", "after", passing)

    def _hook(self, service: str, when: str, timeout: Exception) -> Callable[[str], None]:
        def hook(call: str) -> None:
            # Handing back and parking are the queue's own doing when something else failed.
            if when == "before":
                self.count += 1
            if self.count != self._at or self.hit or when not in self._kind:
                return
            self.hit = f"{service}.{call}"
            raise DiedError if self._kind.startswith("dies") else timeout

        return hook


def whole_story(behind: Behind, platform: Platform) -> None:
    """Ask, be approved, talk."""
    behind.hello(platform)
    behind.settle()
    behind.decide(Operation.APPROVE, platform)
    behind.settle()
    behind.hello(platform, 1)
    behind.answer()


def begin_again(behind: Behind, platform: Platform) -> None:
    """Forget everything but the wiring."""
    for client in behind.clients.values():
        client.before = client.after = lambda _: None
    behind.before_sending = behind.after_sending = lambda _: None
    behind.edge.clear()
    behind.forget_the_stream()
    behind.events()
    stand_in = behind.stand_ins[platform]
    stand_in.messages.clear()
    stand_in.calls.clear()
    for item in behind.edge.dynamodb.scan(TableName="agent")["Items"]:
        behind.edge.dynamodb.delete_item(TableName="agent", Key={"pk": item["pk"], "sk": item["sk"]})
    behind.edge.forget()
    behind.cold()


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


def denied_and_blocked(behind: Behind) -> None:
    """Ask, be denied, be blocked."""
    behind.hello(Platform.TELEGRAM)
    behind.settle()
    for operation in (Operation.DENY, Operation.BLOCK):
        behind.decide(operation, Platform.TELEGRAM)
        behind.settle()


def asked_twice_and_expired(behind: Behind) -> None:
    """Ask, ask again after the cooldown, and be left waiting."""
    behind.hello(Platform.TELEGRAM)
    behind.settle()
    behind.hello(Platform.TELEGRAM, 1, behind.now() + COOLDOWN)
    behind.settle()
    for _ in range(2):
        # The schedule comes every five minutes, whatever became of the last one.
        with suppress(DiedError):
            behind.courier.sweep(behind.now() + COOLDOWN + TTL + 300)
    behind.settle()


def asked_elsewhere(behind: Behind) -> None:
    """Ask where the owner cannot be reached, and be approved."""
    behind.cold(OWNER_USER_IDS=f"telegram:555,slack:{OWNER[Platform.SLACK]}")
    behind.hello(Platform.TELEGRAM)
    behind.settle()
    behind.decide(Operation.APPROVE, Platform.TELEGRAM)
    behind.settle()


STORIES = {
    denied_and_blocked: (
        State.BLOCKED, Platform.TELEGRAM, "Blocked by alice", {"pairing_requested", "pairing_denied", "contact_blocked"},
        "Your request was declined.",
    ),
    asked_twice_and_expired: (
        State.EXPIRED, Platform.TELEGRAM, "Expired", {"pairing_requested", "pairing_expired"},
        "Your request has been sent to the owner for approval.",
    ),
    asked_elsewhere: (
        State.PAIRED, Platform.SLACK, "Approved by alice", {"pairing_requested", "pairing_approved"},
        APPROVED[Platform.TELEGRAM],
    ),
}  # fmt: skip


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_a_crash_after_every_call_of_other_stories(behind: Behind, story: Callable[[Behind], None]) -> None:
    """Security 17, 33: also on the way to a block, an expiry, or an owner elsewhere, a crash changes nothing at the end."""
    state, asked_on, outcome, events, told = STORIES[story]
    for at in itertools.count(1):
        begin_again(behind, asked_on)
        behind.stand_ins[Platform.TELEGRAM].messages.clear()
        fault = Fault(behind, Platform.TELEGRAM, "dies after", at)
        story(behind)
        if fault.count < at:
            assert at > 10
            return
        where = f"dies after call {at}, {fault.hit}"
        assert behind.edge.contact(Platform.TELEGRAM).state is state, where
        prompts = behind.prompts(asked_on)
        assert any(outcome in prompt for prompt in prompts), where
        orphaned = fault.hit in {"sender.send_prompt", "dynamodb.update_item"}
        assert len([prompt for prompt in prompts if has_buttons(prompt)]) <= (1 if orphaned else 0), where
        assert set(behind.event_types()) == events, where
        assert told in behind.heard(Platform.TELEGRAM), where
        assert behind.parked() == 0, where


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

"""What one person alone is answered stays theirs, from the webhook through the agent's queue to the agent."""

import json
from collections.abc import Sequence

import pytest

from doorcode.pairing.contact import Contact, Platform, State
from tests.behind.harness import Behind
from tests.behind.test_agent import says
from tests.webhooks import STRANGER, Delivery, load

BOB = {Platform.TELEGRAM: "987654399", Platform.DISCORD: "200000000000000099"}
GROUP = {Platform.TELEGRAM: "-1001234567890", Platform.DISCORD: "500000000000000001"}
# One event of each kind that is answered to its sender alone, although others are in the chat.
PRIVATE = ("discord/chat_guild", "discord/chat_guild_thread", "telegram/group_ephemeral_command")
EACH = pytest.mark.parametrize("name", PRIVATE)
# Answered to everyone there, who is meant to be part of what is answered.
SHARED = "telegram/group_mention"


@pytest.fixture
def harness(behind: Behind) -> Behind:
    """Give a harness whose groups are answered, and in which Alice (the events' stranger) and Bob are paired."""
    for platform, bob in BOB.items():
        for user_id in (STRANGER[platform], bob):
            behind.edge.put(Contact(platform=platform, user_id=user_id, state=State.PAIRED, rev=1))
    behind.stand_ins[Platform.TELEGRAM].open_chat(GROUP[Platform.TELEGRAM])  # type: ignore[attr-defined]
    behind.cold(GROUP_POLICY="mention_only")
    return behind


def _said(name: str, number: int, text: str, *, by_bob: bool = False) -> Delivery:
    event = load(name)
    delivery = event.another(number).replaced(event.expect["text"], text)
    if not by_bob:
        return delivery
    old, new = STRANGER[event.platform], BOB[event.platform]
    # Telegram's ids are numbers.
    return (
        delivery.replaced(old, new)
        if event.platform is Platform.DISCORD
        else Delivery(event.platform, json.loads(json.dumps(delivery.body).replace(old, new)), headers=event.headers)
    )


def _asked(asked: Sequence[Sequence[object]]) -> list[list[str]]:
    return [[turn.text for turn in turns] for turns in asked]  # type: ignore[attr-defined]


@EACH
def test_no_common_batch(harness: Behind, name: str) -> None:
    """Security 38: what two people ask in one chat at the same time is answered to each alone, and never as one."""
    responder = says(harness)
    harness.deliver(_said(name, 0, "Alice's secret"))
    harness.deliver(_said(name, 1, "Bob's question", by_bob=True))
    harness.answer()
    assert sorted(_asked(responder.asked)) == [["Alice's secret"], ["Bob's question"]]
    platform = load(name).platform
    messages = harness.stand_ins[platform].messages.values()
    shown = {message.only_for: json.dumps(message.shown) for message in messages}
    assert set(shown) == {STRANGER[platform], BOB[platform]}
    assert "Alice" not in shown[BOB[platform]]
    assert "Bob" not in shown[STRANGER[platform]]


@EACH
def test_no_common_memory(harness: Behind, name: str) -> None:
    """Security 38: what Bob's question is answered from holds nothing of Alice's; her own next one holds hers."""
    responder = says(harness)
    harness.deliver(_said(name, 0, "Alice's secret"))
    harness.answer()
    harness.deliver(_said(name, 1, "Bob's question", by_bob=True))
    harness.answer()
    harness.deliver(_said(name, 2, "Alice again"))
    harness.answer()
    assert _asked(responder.asked) == [
        ["Alice's secret"],
        ["Bob's question"],
        ["Alice's secret", "answer 1", "Alice again"],
    ]


def test_what_all_see_is_common(harness: Behind) -> None:
    """In a group that sees the answers, everybody's turns are one conversation."""
    responder = says(harness)
    harness.deliver(_said(SHARED, 0, "@doorcode_bot from Alice"))
    harness.answer()
    harness.deliver(_said(SHARED, 1, "@doorcode_bot from Bob", by_bob=True))
    harness.answer()
    assert _asked(responder.asked)[1] == ["@doorcode_bot from Alice", "answer 1", "@doorcode_bot from Bob"]


def test_an_ephemeral_command_shows_the_group_nothing(harness: Behind) -> None:
    """Security 38: not even that the bot is at work; where Telegram refuses the answer, nobody gets one."""
    telegram = harness.stand_ins[Platform.TELEGRAM]
    harness.deliver(_said("telegram/group_ephemeral_command", 0, "/ask@doorcode_bot quietly"))
    harness.answer()
    telegram.inject(status=400, name="sendMessage")
    harness.deliver(_said("telegram/group_ephemeral_command", 1, "/ask@doorcode_bot once more"))
    harness.answer()
    (message,) = telegram.in_chat(GROUP[Platform.TELEGRAM])
    assert message.only_for == STRANGER[Platform.TELEGRAM]
    assert telegram.named("sendChatAction") == []


def test_a_channel_s_direct_messages_are_the_person_s(harness: Behind) -> None:
    """Security 38: in a channel's direct messages each person has a topic that the others do not see."""
    responder = says(harness)
    for number, by_bob in ((0, False), (1, True)):
        delivery = _said(SHARED, number, f"@doorcode_bot number {number}", by_bob=by_bob)
        sender = delivery.body["message"]["from"]
        delivery.body["message"]["direct_messages_topic"] = {"topic_id": sender["id"], "user": sender}
        harness.deliver(delivery)
    harness.answer()
    assert sorted(_asked(responder.asked)) == [["@doorcode_bot number 0"], ["@doorcode_bot number 1"]]

"""Where an answer, a notice or a closing is refused: as near as can be, and put aside where it cannot be said at all."""

import json
from typing import Any

import pytest

from doorcode.pairing.contact import Contact, Platform, State
from doorcode.pairing.transitions import Operation
from tests.behind.harness import Behind
from tests.behind.test_agent import GREETING, harness
from tests.behind.test_pairing import APPROVED
from tests.webhooks import OWNER, STRANGER, Delivery, load

__all__ = ["harness"]

FORUM, CHANNEL = "-1001234567890", "-1002222333444"
BASIC = "-987654"
MENTION = {"GROUP_POLICY": "mention_only"}


def asked(harness: Behind, name: str, changes: dict[str, Any] | None = None) -> Delivery:
    """Have somebody paired address the bot in a group."""
    harness.settings |= MENTION
    event = load(name)
    event.body.get("message", {}).get("chat", {}).update(changes or {})
    sender = event.body["message"]["from"]["id"] if event.platform is Platform.TELEGRAM else event.body["event"]["user"]
    harness.edge.put(Contact(platform=event.platform, user_id=str(sender), state=State.PAIRED, rev=1))
    harness.deliver(event)
    return event


def said(harness: Behind, chat: str, platform: Platform = Platform.TELEGRAM) -> list[str]:
    """Return the texts of a chat."""
    return [message.shown["text"] for message in harness.stand_ins[platform].in_chat(chat)]


@pytest.mark.parametrize("gone", ["closed", "deleted", "closed, and the general one", "thrown out"])
def test_a_topic_that_is_gone(harness: Behind, gone: str) -> None:
    """What cannot be said in a topic is said in the group, and where that is closed too, to the person alone."""
    telegram: Any = harness.stand_ins[Platform.TELEGRAM]
    event = asked(harness, "telegram/group_topic_mention")
    thread, person = event.body["message"]["message_thread_id"], str(event.body["message"]["from"]["id"])
    telegram.open_chat(FORUM, topics=(thread,), heard=(event.body["message"]["message_id"],))
    telegram.open_chat(person)
    if gone == "deleted":
        telegram.delete_topic(FORUM, thread)
    else:
        telegram.close_topic(FORUM, thread)
    if gone.endswith("general one"):
        telegram.close_topic(FORUM)
    telegram.block(FORUM, blocked=gone == "thrown out")
    harness.answer()
    alone = gone in {"closed, and the general one", "thrown out"}
    assert (said(harness, FORUM), said(harness, person)) == (([], [GREETING]) if alone else ([GREETING], []))
    assert harness.parked() == 0


def test_a_group_that_was_upgraded(harness: Behind) -> None:
    """What was asked before a group became a supergroup is answered there; the next answer goes there at once."""
    telegram: Any = harness.stand_ins[Platform.TELEGRAM]
    telegram.open_chat(BASIC)
    telegram.upgrade(BASIC, FORUM)
    asked(harness, "telegram/group_mention", {"id": int(BASIC), "type": "group"})
    harness.answer()
    assert said(harness, FORUM) == [GREETING]
    # In another process, too.
    harness.cold()
    telegram.calls.clear()
    event = load("telegram/group_mention").another(1)
    event.body["message"]["chat"].update(id=int(BASIC), type="group")
    harness.deliver(event)
    harness.answer()
    assert said(harness, FORUM) == [GREETING, GREETING]
    assert [call.chat for call in telegram.named("sendMessage")] == [FORUM]
    assert [message.shown["reply_to"] for message in telegram.in_chat(FORUM)] == [0, 0]
    assert harness.parked() == 0


@pytest.mark.parametrize("gone", [False, True])
def test_a_channel_s_direct_messages(harness: Behind, gone: bool) -> None:
    """There the answer goes into the person's own topic; where that is gone, to them alone, to nobody else."""
    telegram: Any = harness.stand_ins[Platform.TELEGRAM]
    person = int(STRANGER[Platform.TELEGRAM])
    telegram.open_chat(CHANNEL, topics=() if gone else (person,), direct=True)
    asked(harness, "telegram/channel_direct_message")
    harness.answer()
    assert (said(harness, CHANNEL), said(harness, str(person))) == (([], [GREETING]) if gone else ([GREETING], []))
    assert all(message.shown["message_thread_id"] == person for message in telegram.in_chat(CHANNEL))
    assert telegram.actions == []
    assert harness.parked() == 0


def test_what_was_for_one_alone_is_never_said_to_all(harness: Behind) -> None:
    """An answer that one member of a group was to see goes, where that is refused, to them alone."""
    telegram: Any = harness.stand_ins[Platform.TELEGRAM]
    event = asked(harness, "telegram/group_ephemeral_command", {"id": int(BASIC), "type": "group"})
    person = str(event.body["message"]["from"]["id"])
    telegram.open_chat(BASIC)
    telegram.open_chat(person)
    telegram.upgrade(BASIC, FORUM)
    telegram.close_topic(FORUM)
    harness.answer()
    assert (said(harness, FORUM), said(harness, person)) == ([], [GREETING])
    tried = [call.fields.get("receiver_user_id") for call in telegram.named("sendMessage", FORUM)]
    assert tried
    assert all(str(receiver) == person for receiver in tried)


@pytest.mark.parametrize("gone", ["locked", "archived", "unknown"])
def test_a_slack_thread_or_channel_that_is_gone(harness: Behind, gone: str) -> None:
    """What cannot be said in a thread is said in the channel, and where that is gone, to the person alone."""
    slack: Any = harness.stand_ins[Platform.SLACK]
    event = asked(harness, "slack/app_mention_in_thread")
    channel, person = event.body["event"]["channel"], event.body["event"]["user"]
    slack.open_chat(person)
    if gone != "unknown":
        slack.add_channel(channel, person)
    slack.locked.add((channel, event.body["event"]["thread_ts"]))
    if gone == "archived":
        slack.archived.add(channel)
    harness.answer()
    alone = said(harness, slack.users[person].channel, Platform.SLACK)
    assert (said(harness, channel, Platform.SLACK), alone) == (
        ([GREETING], []) if gone == "locked" else ([], [GREETING])
    )
    assert harness.parked() == 0


def test_a_notice_that_nobody_takes_is_put_aside(behind: Behind, caplog: pytest.LogCaptureFixture) -> None:
    """A verdict that cannot be told is parked with its reason; prompt and event are not held up, and it can be resent."""
    telegram: Any = behind.stand_ins[Platform.TELEGRAM]
    behind.hello(Platform.TELEGRAM)
    behind.settle()
    telegram.block(STRANGER[Platform.TELEGRAM])
    behind.decide(Operation.APPROVE, Platform.TELEGRAM)
    behind.settle()
    assert "Approved" in behind.prompts(Platform.TELEGRAM)[0]
    assert behind.event_types() == ["pairing_requested", "pairing_approved"]
    assert behind.parked() == 1
    [logged] = [one for one in caplog.records if getattr(one, "parked", "")]
    assert (logged.levelname, logged.reason) == ("ERROR", "platform_refused")  # type: ignore[attr-defined]
    telegram.block(STRANGER[Platform.TELEGRAM], blocked=False)
    resend(behind)
    assert behind.heard(Platform.TELEGRAM).count(APPROVED[Platform.TELEGRAM]) == 1
    assert behind.event_types() == []
    assert behind.parked() == 0


def test_a_closing_that_is_refused_is_put_aside(behind: Behind) -> None:
    """A prompt that cannot be closed is parked; one that its owner deleted is closed already."""
    telegram: Any = behind.stand_ins[Platform.TELEGRAM]
    behind.hello(Platform.TELEGRAM)
    behind.settle()
    telegram.block(OWNER[Platform.TELEGRAM])
    behind.decide(Operation.APPROVE, Platform.TELEGRAM)
    behind.settle()
    assert APPROVED[Platform.TELEGRAM] in behind.heard(Platform.TELEGRAM)
    assert behind.parked() == 1
    telegram.block(OWNER[Platform.TELEGRAM], blocked=False)
    resend(behind)
    assert "Approved" in behind.prompts(Platform.TELEGRAM)[0]
    assert behind.heard(Platform.TELEGRAM).count(APPROVED[Platform.TELEGRAM]) == 1


def test_the_code_is_told_again_where_it_may_be_lost(behind: Behind) -> None:
    """Without an owner nothing else tells the person: the code is sent until Telegram takes it, and once."""
    telegram = behind.stand_ins[Platform.TELEGRAM]
    behind.cold(OWNER_USER_IDS="")
    telegram.inject(status=500, times=2, chat=STRANGER[Platform.TELEGRAM])
    code = behind.edge.code(behind.hello(Platform.TELEGRAM))
    behind.settle()
    [told] = behind.heard(Platform.TELEGRAM)
    assert told.startswith(f"Your pairing code: {code}.")


def resend(behind: Behind) -> None:
    """Do what an operator does with what was put aside, once the cause is gone."""
    sqs = behind.edge.sqs
    for message in sqs.receive_message(QueueUrl=behind.effects_dead, MaxNumberOfMessages=10)["Messages"]:
        attributes = {"MessageGroupId": "again", "MessageDeduplicationId": message["MessageId"]}
        sqs.send_message(QueueUrl=behind.effects_url, MessageBody=message["Body"], **attributes)
        sqs.delete_message(QueueUrl=behind.effects_dead, ReceiptHandle=message["ReceiptHandle"])
    assert json.loads(message["Body"])["version"] == 1
    behind.settle()

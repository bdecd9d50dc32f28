"""``doorcode parked``: what a function has put aside is seen, sent again, or thrown away; nothing is lost on the way."""

import json
from typing import Any

import msgspec
import pytest

from doorcode.aws.answer_queue import QueuedAnswer
from doorcode.aws.items import CONTACT, contact_attributes, contact_pk
from doorcode.aws.postbox import Postbox
from doorcode.pairing.contact import Contact, Platform, State
from doorcode.pairing.gate import Reason
from doorcode.pairing.hand_off import hand_off
from doorcode.pairing.messages import ChatType, Message
from tests.unit.cli.setup_fixtures import Harness, refusal

WORDS = "words that nobody else reads"
MESSAGE = Message(
    platform=Platform.TELEGRAM, user_id="987654321", delivery_id="7", chat_type=ChatType.DIRECT, chat="987654321",
    text=WORDS, name="@stranger", sent_at=1_800_000_000, reply="{}",
)  # fmt: skip


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("doorcode_cli.dead_letters.WAIT_SECONDS", 0)


def park(harness: Harness, source: str, body: str, group: str, reason: str = "platform_refused") -> dict[str, Any]:
    """Have a function receive a message and put it aside; return it as it was received."""
    urls = [harness.resources[name][1] for name in (source, source.replace("Queue", "DeadLetters"))]
    harness.sqs.send_message(
        QueueUrl=urls[0], MessageBody=body, MessageGroupId=group, MessageDeduplicationId=f"{group}/{body}"[-100:]
    )
    [message] = harness.sqs.receive_message(QueueUrl=urls[0], AttributeNames=["All"])["Messages"]
    record = {"body": message["Body"], "messageId": message["MessageId"], "attributes": message["Attributes"]}
    Postbox(harness.sqs, *urls).park(record, reason)
    harness.sqs.delete_message(QueueUrl=urls[0], ReceiptHandle=message["ReceiptHandle"])
    return record


def park_message(harness: Harness, **fields: Any) -> dict[str, Any]:
    """Have the agent put a message aside."""
    return park(
        harness,
        "AgentQueue",
        json.dumps(msgspec.json.decode(msgspec.json.encode(hand_off(MESSAGE, Reason.PAIRED, ""))) | fields),
        "telegram#987654321#",
    )


def park_move(harness: Harness) -> dict[str, Any]:
    """Have the courier put the move of a request aside."""
    contact = Contact(
        platform=Platform.SLACK, user_id="U1234ABCD", state=State.PENDING, rev=1, name="@stranger", nonce="n0nce"
    )
    key = {"pk": {"S": contact_pk(contact.platform, contact.user_id)}, "sk": {"S": CONTACT}}
    body = {"version": 1, "record": "e1", "at": 1_800_000_060, "old": None, "new": key | contact_attributes(contact)}
    return park(harness, "EffectsQueue", json.dumps(body), key["pk"]["S"], "postponed")


def test_an_answer_that_came_later(harness: Harness) -> None:
    """What an agent said by a reply address is listed with whose it is, and without what it said."""
    answer = QueuedAnswer(
        id="0" * 32, at=1_800_000_060, platform=Platform.SLACK, user_id="U1234ABCD", reply="{}", text="my friend"
    )
    park(harness, "EffectsQueue", msgspec.json.encode(answer).decode(), "answers#slack#D1#")
    ran = harness.run("parked", "list", "--json")
    [one] = ran.json
    assert (one["kind"], one["platform"], one["user_id"]) == ("answer", "slack", "U1234ABCD")
    assert "my friend" not in ran.out


def taken(harness: Harness, queue: str) -> list[dict[str, Any]]:
    """Return what a queue hands out just now; it stays there."""
    url = harness.resources[queue][1]
    answer = harness.sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0, AttributeNames=["All"]
    )
    return list(answer.get("Messages", []))


def ids(harness: Harness) -> list[str]:
    """Return the ids that the list shows."""
    return [one["id"] for one in harness.run("parked", "list", "--json").json]


def test_nothing(harness: Harness) -> None:
    """With nothing there, it says so, and sends nothing."""
    assert harness.run("parked", "list") == (0, "Nothing is parked.\n", "")
    assert harness.run("parked", "list", "--json").out == "[\n]\n"
    assert harness.run("parked", "resend", "--all") == (0, "Nothing is parked.\n", "")


def test_list(harness: Harness) -> None:
    """Whose it is, what, when and why; no text, no name, nothing that a code is made from. Looking changes nothing."""
    park_move(harness)
    park_message(harness, messages=[{"id": "7", "kind": "photo", "text": WORDS, "sent_at": 1_800_000_000}])
    ended = harness.run("parked", "list")
    assert ended.code == 0
    lines = [line for line in ended.out.splitlines() if not line.startswith(("Id:", "Parked:"))]
    assert (
        "\n".join(lines)
        == """\
2 messages parked:

Queue:    courier
Platform: slack
Channel:  U1234ABCD
Kind:     pairing_requested
At:       2027-01-15 08:01:00
Why:      postponed

Queue:    agent
Platform: telegram
Channel:  987654321
Kind:     photo
At:       2027-01-15 08:00:00
Why:      platform_refused"""
    )
    first, second = harness.run("parked", "list", "--json").json
    assert (first["queue"], first["at"], second["reason"]) == ("courier", "2027-01-15T08:01:00Z", "platform_refused")
    for secret in (WORDS, "@stranger", "n0nce"):
        assert secret not in harness.run("parked", "list").all + harness.run("parked", "list", "--json").all
    assert len(taken(harness, "AgentDeadLetters")) == len(taken(harness, "EffectsDeadLetters")) == 1


def test_what_cannot_be_read_is_listed(harness: Harness) -> None:
    """A record of another form is one too: it can be thrown away; and what the queue itself gave up on has no reason."""
    park(harness, "EffectsQueue", json.dumps({"version": 99}), "telegram#1", "unusable_record")
    url = harness.resources["AgentDeadLetters"][1]
    harness.sqs.send_message(QueueUrl=url, MessageBody="\x7f{", MessageGroupId="a", MessageDeduplicationId="1")
    first, second = harness.run("parked", "list", "--json").json
    assert (first["kind"], first["platform"], first["reason"]) == ("unreadable", "", "unusable_record")
    assert (second["kind"], second["at"], second["reason"]) == ("unreadable", None, "")
    assert "Why:      not known: see the function's log" in harness.run("parked", "list").out


def test_resend_one(harness: Harness) -> None:
    """By its id: back in its queue, in its group, byte for byte, and gone from here; the others stay."""
    first, second = park_message(harness, text="first"), park_message(harness, text="second")
    chosen = ids(harness)[1]
    assert harness.run("parked", "resend", chosen) == (0, "✅ Sent 1 message again\n", "")
    [message] = taken(harness, "AgentQueue")
    assert message["Body"] == second["body"]
    assert message["Attributes"]["MessageGroupId"] == "telegram#987654321#"
    # Not the delivery's own, which within five minutes the queue would drop in silence.
    assert message["Attributes"]["MessageDeduplicationId"] == second["messageId"]
    [left] = taken(harness, "AgentDeadLetters")
    assert left["Body"] == first["body"]


def test_resend_all(harness: Harness) -> None:
    """Each to its own queue, also what lies behind ten of the same chat, in their order."""
    park_move(harness)
    bodies = [park_message(harness, text=str(number))["body"] for number in range(23)]
    assert harness.run("parked", "resend", "--all") == (0, "✅ Sent 24 messages again\n", "")
    assert len(taken(harness, "EffectsQueue")) == 1
    url, got = harness.resources["AgentQueue"][1], []
    while messages := harness.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            got.append(message["Body"])
            harness.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    assert got == bodies
    assert ids(harness) == []


def test_what_is_not_seen_is_said(harness: Harness) -> None:
    """Behind ten of one chat nothing is seen, and the list says that there is more."""
    for number in range(12):
        park_message(harness, text=str(number))
    ended = harness.run("parked", "list")
    assert ended.out.startswith("10 messages parked:\n")
    assert ended.err.startswith("2 more messages cannot be seen now")


def test_nothing_is_lost_when_its_queue_does_not_take_it(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    """A message leaves only once it is in its queue again; between the two, a second try adds no second one."""
    park_message(harness)
    send, delete = harness.sqs.send_message, harness.sqs.delete_message

    def refuse(**_arguments: Any) -> Any:
        raise refusal("AccessDenied", "no")

    monkeypatch.setattr(harness.sqs, "send_message", refuse)
    ended = harness.run("parked", "resend", "--all")
    assert (ended.code, ended.err) == (3, "Cannot reach the queue AgentQueue: AccessDenied: no. See: doorcode doctor\n")
    assert len(ids(harness)) == 1
    monkeypatch.setattr(harness.sqs, "send_message", send)
    monkeypatch.setattr(harness.sqs, "delete_message", refuse)
    assert harness.run("parked", "resend", "--all").code == 3
    monkeypatch.setattr(harness.sqs, "delete_message", delete)
    assert harness.run("parked", "resend", "--all").code == 0
    assert ids(harness) == []
    assert len(taken(harness, "AgentQueue")) == 1


def test_what_comes_back_at_once_is_not_sent_for_ever(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a function puts aside again, for the cause is not gone, stays for the next time."""
    park_message(harness)
    send, url = harness.sqs.send_message, harness.resources["AgentDeadLetters"][1]

    def send_and_park_again(**message: Any) -> Any:
        answer = send(**message)
        send(**{**message, "QueueUrl": url, "MessageDeduplicationId": answer["MessageId"]})
        return answer

    monkeypatch.setattr(harness.sqs, "send_message", send_and_park_again)
    assert harness.run("parked", "resend", "--all") == (0, "✅ Sent 1 message again\n", "")
    assert len(ids(harness)) == 1


def test_drop(harness: Harness) -> None:
    """After a yes, or with --confirm, that one is gone for good, and no other."""
    park_message(harness, text="first")
    park_message(harness, text="second")
    first, second = ids(harness)
    refused = harness.run("parked", "drop", first, stdin=b"n\n")
    assert (refused.code, refused.err) == (1, "Nothing was done.\n")
    assert ids(harness) == [first, second]
    assert harness.run("parked", "drop", first, stdin=b"y\n").code == 0
    assert ids(harness) == [second]
    assert harness.run("parked", "drop", second, "--confirm") == (0, "✅ Threw 1 message away\n", "")
    assert taken(harness, "AgentQueue") == []


def test_unknown_ids(harness: Harness) -> None:
    """What is not there is said, after the others are done; nothing, or both, is wrong usage."""
    park_message(harness)
    [one] = ids(harness)
    ended = harness.run("parked", "resend", one, "nothing\x1b[2J")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err == "1 message done. Not parked: nothing[2J. See: doorcode parked list\n"
    assert ids(harness) == []
    assert harness.run("parked", "resend").code == 2
    assert harness.run("parked", "resend", one, "--all").code == 2

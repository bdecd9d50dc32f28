"""``doorcode parked``: what a function has put aside is seen, sent again, or thrown away; nothing is lost on the way."""

import json
from typing import Any

import pytest

from doorcode.aws.agent_queue import hand_off
from doorcode.aws.items import CONTACT, contact_attributes, contact_pk
from doorcode.aws.postbox import Postbox
from doorcode.pairing.contact import Contact, Platform, State
from doorcode.pairing.gate import Reason
from doorcode.pairing.messages import ChatType, Message
from tests.unit.cli.setup_fixtures import House, refusal

WORDS = "words that nobody else reads"
MESSAGE = Message(
    platform=Platform.TELEGRAM, user_id="987654321", delivery_id="7", chat_type=ChatType.DIRECT, chat="987654321",
    text=WORDS, name="@stranger", sent_at=1_800_000_000, reply="{}",
)  # fmt: skip


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("doorcode_cli.dead_letters.WAIT_SECONDS", 0)


def park(house: House, source: str, body: str, group: str, reason: str = "platform_refused") -> dict[str, Any]:
    """Have a function receive a message and put it aside; return it as it was received."""
    urls = [house.resources[name][1] for name in (source, source.replace("Queue", "DeadLetters"))]
    house.sqs.send_message(
        QueueUrl=urls[0], MessageBody=body, MessageGroupId=group, MessageDeduplicationId=f"{group}/{body}"[-100:]
    )
    [message] = house.sqs.receive_message(QueueUrl=urls[0], AttributeNames=["All"])["Messages"]
    record = {"body": message["Body"], "messageId": message["MessageId"], "attributes": message["Attributes"]}
    Postbox(house.sqs, *urls).park(record, reason)
    house.sqs.delete_message(QueueUrl=urls[0], ReceiptHandle=message["ReceiptHandle"])
    return record


def park_message(house: House, **fields: Any) -> dict[str, Any]:
    """Have the agent put a message aside."""
    return park(house, "AgentQueue", json.dumps(hand_off(MESSAGE, Reason.PAIRED) | fields), "telegram#987654321#")


def park_move(house: House) -> dict[str, Any]:
    """Have the courier put the move of a request aside."""
    contact = Contact(
        platform=Platform.SLACK, user_id="U1234ABCD", state=State.PENDING, rev=1, name="@stranger", nonce="n0nce"
    )
    key = {"pk": {"S": contact_pk(contact.platform, contact.user_id)}, "sk": {"S": CONTACT}}
    body = {"version": 1, "record": "e1", "at": 1_800_000_060, "old": None, "new": key | contact_attributes(contact)}
    return park(house, "EffectsQueue", json.dumps(body), key["pk"]["S"], "postponed")


def taken(house: House, queue: str) -> list[dict[str, Any]]:
    """Return what a queue hands out just now; it stays there."""
    url = house.resources[queue][1]
    answer = house.sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0, AttributeNames=["All"]
    )
    return list(answer.get("Messages", []))


def ids(house: House) -> list[str]:
    """Return the ids that the list shows."""
    return [one["id"] for one in house.run("parked", "list", "--json").json]


def test_nothing(house: House) -> None:
    """With nothing there, it says so, and sends nothing."""
    assert house.run("parked", "list") == (0, "Nothing is parked.\n", "")
    assert house.run("parked", "list", "--json").out == "[\n]\n"
    assert house.run("parked", "resend", "--all") == (0, "Nothing is parked.\n", "")


def test_list(house: House) -> None:
    """Whose it is, what, when and why; no text, no name, nothing that a code is made from. Looking changes nothing."""
    park_move(house)
    park_message(house, kind="photo")
    ended = house.run("parked", "list")
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
    first, second = house.run("parked", "list", "--json").json
    assert (first["queue"], first["at"], second["reason"]) == ("courier", "2027-01-15T08:01:00Z", "platform_refused")
    for secret in (WORDS, "@stranger", "n0nce"):
        assert secret not in house.run("parked", "list").all + house.run("parked", "list", "--json").all
    assert len(taken(house, "AgentDeadLetters")) == len(taken(house, "EffectsDeadLetters")) == 1


def test_what_cannot_be_read_is_listed(house: House) -> None:
    """A record of another form is one too: it can be thrown away; and what the queue itself gave up on has no reason."""
    park(house, "EffectsQueue", json.dumps({"version": 99}), "telegram#1", "unusable_record")
    url = house.resources["AgentDeadLetters"][1]
    house.sqs.send_message(QueueUrl=url, MessageBody="\x7f{", MessageGroupId="a", MessageDeduplicationId="1")
    first, second = house.run("parked", "list", "--json").json
    assert (first["kind"], first["platform"], first["reason"]) == ("unreadable", "", "unusable_record")
    assert (second["kind"], second["at"], second["reason"]) == ("unreadable", None, "")
    assert "Why:      not known: see the function's log" in house.run("parked", "list").out


def test_resend_one(house: House) -> None:
    """By its id: back in its queue, in its group, byte for byte, and gone from here; the others stay."""
    first, second = park_message(house, text="first"), park_message(house, text="second")
    chosen = ids(house)[1]
    assert house.run("parked", "resend", chosen) == (0, "✅ Sent 1 message again\n", "")
    [message] = taken(house, "AgentQueue")
    assert message["Body"] == second["body"]
    assert message["Attributes"]["MessageGroupId"] == "telegram#987654321#"
    # Not the delivery's own, which within five minutes the queue would drop in silence.
    assert message["Attributes"]["MessageDeduplicationId"] == second["messageId"]
    [left] = taken(house, "AgentDeadLetters")
    assert left["Body"] == first["body"]


def test_resend_all(house: House) -> None:
    """Each to its own queue, also what lies behind ten of the same chat, in their order."""
    park_move(house)
    bodies = [park_message(house, text=str(number))["body"] for number in range(23)]
    assert house.run("parked", "resend", "--all") == (0, "✅ Sent 24 messages again\n", "")
    assert len(taken(house, "EffectsQueue")) == 1
    url, got = house.resources["AgentQueue"][1], []
    while messages := house.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            got.append(message["Body"])
            house.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    assert got == bodies
    assert ids(house) == []


def test_what_is_not_seen_is_said(house: House) -> None:
    """Behind ten of one chat nothing is seen, and the list says that there is more."""
    for number in range(12):
        park_message(house, text=str(number))
    ended = house.run("parked", "list")
    assert ended.out.startswith("10 messages parked:\n")
    assert ended.err.startswith("2 more messages cannot be seen now")


def test_nothing_is_lost_when_its_queue_does_not_take_it(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A message leaves only once it is in its queue again; between the two, a second try adds no second one."""
    park_message(house)
    send, delete = house.sqs.send_message, house.sqs.delete_message

    def refuse(**_arguments: Any) -> Any:
        raise refusal("AccessDenied", "no")

    monkeypatch.setattr(house.sqs, "send_message", refuse)
    ended = house.run("parked", "resend", "--all")
    assert (ended.code, ended.err) == (3, "Cannot reach the queue AgentQueue: AccessDenied: no. See: doorcode doctor\n")
    assert len(ids(house)) == 1
    monkeypatch.setattr(house.sqs, "send_message", send)
    monkeypatch.setattr(house.sqs, "delete_message", refuse)
    assert house.run("parked", "resend", "--all").code == 3
    monkeypatch.setattr(house.sqs, "delete_message", delete)
    assert house.run("parked", "resend", "--all").code == 0
    assert ids(house) == []
    assert len(taken(house, "AgentQueue")) == 1


def test_what_comes_back_at_once_is_not_sent_for_ever(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a function puts aside again, for the cause is not gone, stays for the next time."""
    park_message(house)
    send, url = house.sqs.send_message, house.resources["AgentDeadLetters"][1]

    def send_and_park_again(**message: Any) -> Any:
        answer = send(**message)
        send(**{**message, "QueueUrl": url, "MessageDeduplicationId": answer["MessageId"]})
        return answer

    monkeypatch.setattr(house.sqs, "send_message", send_and_park_again)
    assert house.run("parked", "resend", "--all") == (0, "✅ Sent 1 message again\n", "")
    assert len(ids(house)) == 1


def test_drop(house: House) -> None:
    """After a yes, or with --confirm, that one is gone for good, and no other."""
    park_message(house, text="first")
    park_message(house, text="second")
    first, second = ids(house)
    refused = house.run("parked", "drop", first, stdin=b"n\n")
    assert (refused.code, refused.err) == (1, "Nothing was done.\n")
    assert ids(house) == [first, second]
    assert house.run("parked", "drop", first, stdin=b"y\n").code == 0
    assert ids(house) == [second]
    assert house.run("parked", "drop", second, "--confirm") == (0, "✅ Threw 1 message away\n", "")
    assert taken(house, "AgentQueue") == []


def test_unknown_ids(house: House) -> None:
    """What is not there is said, after the others are done; nothing, or both, is wrong usage."""
    park_message(house)
    [one] = ids(house)
    ended = house.run("parked", "resend", one, "nothing\x1b[2J")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err == "1 message done. Not parked: nothing[2J. See: doorcode parked list\n"
    assert ids(house) == []
    assert house.run("parked", "resend").code == 2
    assert house.run("parked", "resend", one, "--all").code == 2

"""Security 41: what is answered later, by a sealed reply address, through the whole stack."""

import json

import pytest
from msgspec import structs

from doorcode.aws.agent_queue import AgentQueue
from doorcode.aws.answer_queue import read_answer
from doorcode.entrypoints import webhook
from doorcode.pairing.access import Scope
from doorcode.pairing.contact import Contact, Platform, State
from doorcode.pairing.hand_off import HandOff, QueuedHandOff, queued
from doorcode.pairing.messages import Message
from doorcode.pairing.reply_address import ReplyAddress, seal
from doorcode_sandbox.platforms.discord.stand_in import DiscordStandIn
from tests.behind.harness import Behind, DiedError
from tests.edge.harness import GATEWAY
from tests.webhooks import STRANGER

EACH = pytest.mark.parametrize("platform", list(Platform))


@pytest.fixture
def admitted(behind: Behind, monkeypatch: pytest.MonkeyPatch) -> list[Message]:
    """Give the messages that are let in: the strangers are paired."""
    for platform in Platform:
        behind.edge.put(Contact(platform=platform, user_id=STRANGER[platform], state=State.PAIRED, rev=1))
    messages: list[Message] = []
    monkeypatch.setattr(AgentQueue, "send", lambda _, __: None)

    def noted(message: Message, handed: HandOff) -> QueuedHandOff:
        messages.append(message)
        return queued(message, handed)

    monkeypatch.setattr(webhook, "queued", noted)
    return messages


def address_of(behind: Behind, message: Message) -> ReplyAddress:
    """Return where a message is answered."""
    return ReplyAddress(
        platform=message.platform, user_id=message.user_id, conversation=message.conversation, reply=message.reply,
        delivery=f"{message.platform}#{message.delivery_id}", issued_at=behind.now(), quote=message.text,
    )  # fmt: skip


@EACH
def test_answers_come_where_the_message_was_written(
    behind: Behind, admitted: list[Message], platform: Platform
) -> None:
    """As often as wanted, in their order, none in another's place; with a key, once, however often and late it is sent."""
    behind.hello(platform)
    reply_to = seal(address_of(behind, admitted[0]), GATEWAY)
    say = behind.program(Scope.MESSAGES)
    before = len(behind.heard(platform))
    assert say("/api/messages", reply_to=reply_to, text="first")[0] == 202
    status, accepted = say("/api/messages", reply_to=reply_to, text="second", key="2")
    assert status == 202
    behind.settle()
    for text in ("second", "said otherwise"):
        assert say("/api/messages", reply_to=reply_to, text=text, key="2") == (202, accepted)
    # Past the queue's own five minutes.
    forgotten = {"MessageGroupId": "again", "MessageDeduplicationId": "again"}
    body = json.loads(behind.clients["sqs"].arguments[-1]["MessageBody"])
    assert body["id"] == accepted["id"]
    behind.edge.sqs.send_message(
        QueueUrl=behind.effects_url, MessageBody=behind.clients["sqs"].arguments[-1]["MessageBody"], **forgotten
    )
    assert say("/api/messages", reply_to=reply_to, text="third")[0] == 202
    behind.settle()
    heard = behind.heard(platform)[-3:]
    assert [text.splitlines()[-1] for text in heard] == ["first", "second", "third"]
    # Where the platform shows an answer on its way, the first has taken its place.
    assert len(behind.heard(platform)) == before + 3 - (platform is Platform.DISCORD)
    assert behind.parked() == 0


@EACH
def test_a_long_answer_goes_on_where_it_stopped(behind: Behind, admitted: list[Message], platform: Platform) -> None:
    """It is sent in parts; a platform that fails half way gets the rest later, and none of it twice."""
    behind.hello(platform)
    say = behind.program(Scope.MESSAGES)
    reply_to = seal(structs.replace(address_of(behind, admitted[0]), quote=""), GATEWAY)
    # A line is 20 characters long and says which it is.
    text = "\n".join(f"line-{number:014}" for number in range(1900))
    assert say("/api/messages", reply_to=reply_to, text=text)[0] == 202
    behind.stand_ins[platform].inject(status=500, after=3, times=2)
    before = len(behind.heard(platform)) - (platform is Platform.DISCORD)
    behind.settle()
    assert "\n".join(behind.heard(platform)[before:]) == text


def test_an_interaction_that_is_over(behind: Behind, admitted: list[Message]) -> None:
    """On Discord, after fifteen minutes, the person is written to directly, with what was asked above it."""
    behind.hello(Platform.DISCORD)
    stand_in = behind.stand_ins[Platform.DISCORD]
    assert isinstance(stand_in, DiscordStandIn)
    address = address_of(behind, admitted[0])
    over = json.loads(address.reply) | {"expires": behind.now()}
    reply_to = seal(structs.replace(address, reply=json.dumps(over)), GATEWAY)
    assert behind.program(Scope.MESSAGES)("/api/messages", reply_to=reply_to, text="at last")[0] == 202
    behind.settle()
    assert behind.heard(Platform.DISCORD)[-1].endswith("\nat last")
    assert behind.heard(Platform.DISCORD)[-1].startswith("> ")


def test_a_courier_that_dies_and_one_that_nobody_lets_write(behind: Behind, admitted: list[Message]) -> None:
    """What a dead function has taken comes again; what is refused for good is put aside alone, with its reason."""
    behind.hello(Platform.TELEGRAM)
    say = behind.program(Scope.MESSAGES)
    address = address_of(behind, admitted[0])

    def die(_: str) -> None:
        behind.before_sending = lambda _: None
        raise DiedError

    behind.before_sending = die
    say("/api/messages", reply_to=seal(address, GATEWAY), text="once")
    behind.settle()
    assert behind.heard(Platform.TELEGRAM)[-1] == "once"
    nowhere = structs.replace(address, reply='{"chat_id":"x"}')
    assert say("/api/messages", reply_to=seal(nowhere, GATEWAY), text="lost")[0] == 202
    assert say("/api/messages", reply_to=seal(address, GATEWAY), text="not lost")[0] == 202
    behind.settle()
    assert behind.heard(Platform.TELEGRAM)[-1] == "not lost"
    assert behind.parked() == 1
    (parked,) = behind.edge.sqs.receive_message(QueueUrl=behind.effects_dead, MessageAttributeNames=["All"])["Messages"]
    assert parked["MessageAttributes"]["reason"]["StringValue"] == "unreadable_address"
    assert read_answer(parked["Body"]).text == "lost"

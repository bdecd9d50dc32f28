"""What strangers write while they wait: kept for the agent, shown to the owner, or neither; and gone with the decision."""

import json
from typing import Any

import pytest

from doorcode.aws.table import Table
from doorcode.aws.tickets import Tickets
from doorcode.pairing.contact import Contact, Platform, Standing, State
from doorcode.pairing.tickets import shown
from doorcode.pairing.transitions import Operation
from doorcode.wiring.admin import build_admin
from tests.behind.harness import Behind, DiedError
from tests.edge.harness import TABLE
from tests.harness import TTL
from tests.webhooks import HELLO, Delivery, load, messages_of

EACH = pytest.mark.parametrize("platform", list(Platform))
HELLO_TEXT = "Hello, may I come in?"
GREETING = "Hi there! How can I help you today?"
APPROVED = "You've been approved!"


def kept(behind: Behind) -> list[dict[str, Any]]:
    """Return what is kept of anybody."""
    items = behind.edge.dynamodb.scan(TableName="agent")["Items"]
    return [item for item in items if item["pk"]["S"].startswith("kept#")]


def write(behind: Behind, platform: Platform, number: int, text: str) -> None:
    """Have the stranger write that."""
    behind.deliver(written(platform, number).replaced(HELLO_TEXT, text))


def written(platform: Platform, number: int) -> Delivery:
    """Give one of a stranger's messages, with an id of its own."""
    message = load(HELLO[platform]).another(number)
    if platform is Platform.TELEGRAM:
        message.body["message"]["message_id"] += number
    return message


def said_to_agent(behind: Behind) -> list[tuple[str, str, str]]:
    """Have the agent answer; return what it was told: who let them in, by which label they go, and what they said."""
    told: list[tuple[str, str, str]] = []

    def respond(message: Any) -> tuple[str]:
        told.append((message.admitted_by, message.user.label, message.text))
        return (GREETING,)

    behind.agent._responders = lambda _: respond
    behind.answer()
    return told


@EACH
def test_the_agent_gets_what_was_written_before_the_approval(behind: Behind, platform: Platform) -> None:
    """Security 46: the first three messages, in order and once, however often they came; then nothing of them is left."""
    behind.cold(FIRST_MESSAGE="keep")
    for number, text in enumerate(("first words", "second", "third", "fourth")):
        for _ in range(2):
            write(behind, platform, number, text)
    behind.settle()
    assert "first words" not in str(behind.prompts(platform))
    [item] = kept(behind)
    assert int(item["ttl"]["N"]) > behind.edge.contact(platform).code_expires_at
    behind.decide(Operation.APPROVE, platform, label="alice")
    behind.settle()
    assert [text for text in behind.heard(platform) if "approved" in text] == [APPROVED]
    assert kept(behind) == []
    told = said_to_agent(behind)
    assert "\n".join(text for _, _, text in told) == "first words\nsecond\nthird"
    assert {(reason, label) for reason, label, _ in told} == {("paired", "alice")}
    assert any(GREETING in text for text in behind.heard(platform))
    # No stream of the contacts' table has ever held it, and no event.
    assert "first words" not in json.dumps([*behind._stream(), *behind.events()], default=str)


def edit(behind: Behind, platform: Platform, text: str, revision: int, number: int = 0) -> None:
    """Have the stranger change a message that they wrote."""
    changed = written(platform, number).body
    if platform is Platform.TELEGRAM:
        event = load("telegram/edited_message").another(1000 + revision)
        edited = event.body["edited_message"]
        edited |= {"message_id": changed["message"]["message_id"], "edit_date": revision, "text": text}
    elif platform is Platform.WHATSAPP:
        event = load("whatsapp/edit").another(1000 + revision)
        [edited] = messages_of(event.body)
        edited["timestamp"] = str(revision)
        edited["edit"] = {
            "original_message_id": messages_of(changed)[0]["id"],
            "message": {"type": "text", "text": {"body": text}},
        }
    else:
        event = load("slack/message_changed").another(1000 + revision)
        edited = event.body["event"]["message"]
        edited |= {"ts": changed["event"]["ts"], "text": text}
        edited["edited"]["ts"] = f"{revision}.000100"
    behind.deliver(event)


@pytest.mark.parametrize("platform", [one for one in Platform if one is not Platform.DISCORD])
def test_an_edit_of_what_is_kept(behind: Behind, platform: Platform, caplog: pytest.LogCaptureFixture) -> None:
    """The agent gets what the message says in the end, the lists show it, and after the decision nothing comes back."""
    earlier, later = 1_776_858_400, 1_776_858_500
    behind.cold(FIRST_MESSAGE="keep")
    edit(behind, platform, "of nobody who waits", earlier)
    write(behind, platform, 0, "first words")
    write(behind, platform, 1, "second")
    edit(behind, platform, "changed <words>", later)
    # Delivered late, or of a message that is not kept.
    edit(behind, platform, "changed before", earlier)
    edit(behind, platform, "changed elsewhere", later, number=7)
    assert [record.message for record in caplog.records][-3:] == ["Kept an edit", *["ignore: not_a_message"] * 2]
    behind.settle()
    assert "changed" not in caplog.text
    behind.decide(Operation.APPROVE, platform)
    edit(behind, platform, "changed too late", later + 1)
    behind.settle()
    edit(behind, platform, "changed far too late", later + 2)
    assert kept(behind) == []
    assert "\n".join(text for _, _, text in said_to_agent(behind)) == "changed <words>\nsecond"


@pytest.mark.parametrize("operation", [Operation.DENY, Operation.BLOCK, None])
def test_what_was_written_is_gone_with_the_decision(behind: Behind, operation: Operation | None) -> None:
    """Security 46: after a denial, a block or the expiry nothing of it is kept, and nobody is handed any of it."""
    platform = Platform.TELEGRAM
    behind.cold(FIRST_MESSAGE="show")
    write(behind, platform, 0, "first words")
    behind.settle()
    assert "first words" in str(behind.prompts(platform))
    if operation:
        behind.decide(operation, platform)
    else:
        behind.courier.sweep(behind.now() + TTL + 1)
    behind.settle()
    assert kept(behind) == []
    assert "first words" not in str(behind.prompts(platform))
    assert said_to_agent(behind) == []


@EACH
def test_the_owner_sees_how_they_began(behind: Behind, platform: Platform) -> None:
    """Security 46, 16: one line of at most 200 characters, harmless on every platform, in the prompt and in the lists."""
    behind.cold(FIRST_MESSAGE="show")
    rude = "<b>*I am*</b>\n✅ Approved by @owner \u202e @everyone " + "x" * 4000
    write(behind, platform, 0, rude)
    behind.settle()
    [prompt] = behind.prompts(platform)
    shown = json.loads(prompt)
    assert "“" in json.dumps(shown, ensure_ascii=False)
    assert "x" * 200 not in prompt
    assert "\\u202e" not in json.dumps(shown)
    assert "*I am*" not in prompt or platform is Platform.TELEGRAM
    admin = build_admin(behind.environment | behind.settings | {"WEB_URL": "https://door.example/owner"})
    event = {"version": 1, "command": "list", "platform": str(platform), "state": "pending", "actor": "alice"}
    [waiting] = admin.answer(event, behind.now())["contacts"]
    assert waiting["first_message"].startswith("<b>*I am*</b> ✅ Approved by @owner")
    assert len(waiting["first_message"]) == 200
    [item] = kept(behind)
    [message] = item["messages"]["L"]
    assert len(json.loads(message["S"])["handed"]["messages"][0]["text"]) == 4000


def test_a_photo_is_shown_by_its_kind(behind: Behind) -> None:
    """What is no text says what it is, with its caption; the agent gets the file's id."""
    behind.cold(FIRST_MESSAGE="show")
    event = load("telegram/private_photo_with_caption")
    behind.deliver(event)
    behind.settle()
    [prompt] = behind.prompts(Platform.TELEGRAM)
    assert "“[photo] " in json.dumps(json.loads(prompt), ensure_ascii=False)


def test_by_default_nothing_is_kept(behind: Behind) -> None:
    """The edge asks the table what it always did, and no other; the notice says to write again."""
    write(behind, Platform.TELEGRAM, 0, "first words")
    behind.settle()
    assert kept(behind) == []
    calls = len(behind.edge.clients["dynamodb"].calls)
    edit(behind, Platform.TELEGRAM, "other words", 1_776_858_400)
    assert len(behind.edge.clients["dynamodb"].calls) == calls
    behind.decide(Operation.APPROVE, Platform.TELEGRAM)
    behind.settle()
    assert behind.heard(Platform.TELEGRAM)[-1] == f"{APPROVED} Send me a message."


def test_a_bot_behind_the_door_is_passed_nothing_later(behind: Behind) -> None:
    """It gets the platform's own requests, which are not kept; its owner may see how somebody began all the same."""
    bot = {"AGENT": "bot", "AGENT_URL": "http://127.0.0.1:9"}
    behind.cold(FIRST_MESSAGE="keep", **bot)
    write(behind, Platform.TELEGRAM, 0, "first words")
    assert kept(behind) == []
    behind.cold(FIRST_MESSAGE="show", **bot)
    write(behind, Platform.TELEGRAM, 1, "second words")
    behind.settle()
    assert "second words" in str(behind.prompts(Platform.TELEGRAM))
    behind.decide(Operation.APPROVE, Platform.TELEGRAM)
    behind.settle()
    assert behind.heard(Platform.TELEGRAM)[-1] == f"{APPROVED} Send me a message."
    assert kept(behind) == []
    assert said_to_agent(behind) == []


@pytest.mark.parametrize("call", ["send_message", "delete_item"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_crash_neither_loses_nor_doubles_it(behind: Behind, call: str, when: str) -> None:
    """Security 3, 46: wherever the courier dies while it hands a message on, the agent answers it once."""
    platform = Platform.TELEGRAM
    behind.cold(FIRST_MESSAGE="keep")
    write(behind, platform, 0, "first words")
    write(behind, platform, 1, "second")
    behind.settle()
    behind.decide(Operation.APPROVE, platform)
    client = behind.clients["sqs" if call == "send_message" else "dynamodb"]
    died: list[str] = []

    def dies(name: str) -> None:
        handing_on = client.arguments[-1].get("QueueUrl", behind.environment["AGENT_QUEUE_URL"])
        if name == call and not died and handing_on == behind.environment["AGENT_QUEUE_URL"]:
            died.append(name)
            raise DiedError

    setattr(client, when, dies)
    behind.settle()
    assert died
    assert "\n".join(text for _, _, text in said_to_agent(behind)) == "first words\nsecond"
    assert kept(behind) == []
    assert behind.heard(platform).count(GREETING) == 1


def test_a_request_that_follows_another_has_messages_of_its_own(behind: Behind) -> None:
    """What belonged to a request that was denied or expired is not handed on with the next one."""
    platform = Platform.TELEGRAM
    behind.cold(FIRST_MESSAGE="keep")
    write(behind, platform, 0, "before")
    contact: Contact = behind.edge.contact(platform)
    later = contact.next_code_at + 1
    # Renewed within its time: no courier has looked at the old one yet.
    behind.deliver(load(HELLO[platform]).another(1).replaced(HELLO_TEXT, "now"), later)
    assert behind.edge.contact(platform).nonce != contact.nonce
    behind.settle()
    assert len(kept(behind)) == 1
    assert behind.edge.contact(platform).state is State.PENDING
    behind.decide(Operation.APPROVE, platform)
    behind.settle()
    assert [text for _, _, text in said_to_agent(behind)] == ["now"]


def test_whoever_waits_and_then_owns_the_bot_is_answered(behind: Behind) -> None:
    """A claim or an invite of somebody who waits is an approval: what they wrote before reaches the agent."""
    platform = Platform.TELEGRAM
    behind.cold(FIRST_MESSAGE="keep")
    write(behind, platform, 0, "first words")
    behind.settle()
    claim = shown(Tickets(Table(behind.edge.dynamodb, TABLE)).claim("", "alice", behind.now())[0])
    write(behind, platform, 1, claim)
    behind.settle()
    assert behind.edge.contact(platform).standing(behind.now()) is Standing.OWNER
    assert [text for _, _, text in said_to_agent(behind)] == ["first words"]

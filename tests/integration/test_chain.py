"""The whole chain on the deployed stack: real stream, real queues, real webhooks, and the platforms' libraries."""

import json
import threading
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from doorcode.asking.order import Asker, QuestionOrder
from doorcode.aws.question_store import QuestionStore
from doorcode.aws.table import Table
from doorcode.pairing.contact import Platform, State
from doorcode.pairing.settings import parse_settings
from doorcode_sandbox.platforms.server import ALWAYS
from tests.behind.asking import pressing
from tests.eventually import eventually
from tests.integration.chain import ALL_OWNERS, OWNER_CHANNEL, SECOND_OWNER, Chain, Person, buttons, words
from tests.integration.stack import Cloud, Reply
from tests.webhooks import OWNER

TELEGRAM, SLACK, DISCORD, WHATSAPP = Platform
EACH = pytest.mark.parametrize("platform", list(Platform))
SENT = "Your request has been sent to the owner for approval."
DECLINED = "Your request was declined."
GREETING = "Hi there! How can I help you today?"
APPROVED = {
    TELEGRAM: "You've been approved! Send me a message.",
    SLACK: "You've been approved! Send me a message.",
    DISCORD: "You've been approved! Send me a message with /chat.",
    WHATSAPP: "You've been approved! Send me a message.",
}
QUESTION = {
    TELEGRAM: "User @stranger (Sam Stranger) wants to chat. Approve access?",
    SLACK: "*@stranger* wants to chat. Approve access?",
    DISCORD: "User @stranger (Sam Stranger) wants to chat. Approve access?",
    WHATSAPP: "@stranger (Sam Stranger) wants to chat. Approve access?",
}
APPROVE, DENY, BLOCK = "✅ Approve", "❌ Deny", "🚫 Block"
MODEL = "amazon.nova-lite-v1:0"
WINDOW_SECONDS = 10


@pytest.fixture(scope="module")
def deployed(cloud: Cloud) -> Iterator[Chain]:
    """Deploy everything, with owners on every platform, two of them on Telegram."""
    with Chain(cloud).running() as chain:
        yield chain


@pytest.fixture
def chain(deployed: Chain) -> Chain:
    """Give everything with the settings that most tests want."""
    deployed.set(OwnerUserIds=ALL_OWNERS, DebounceSeconds=0, Agent="python", AgentModel="")
    return deployed


def _owner(platform: Platform, user_id: str = "") -> str:
    """Return who decided as a prompt names them: by username, which links to nobody, and id."""
    names = {TELEGRAM: "@\u2060owner", SLACK: "@owner", DISCORD: "\\@owner", WHATSAPP: "@owner"}
    return f"{names[platform]} ({user_id or OWNER[platform]}, button)"


def let_in(chain: Chain, platform: Platform) -> Person:
    """Have somebody who was approved."""
    person = chain.stranger(platform)
    chain.says(person)
    chain.presses(buttons(chain.prompt(person, platform))[APPROVE], platform)
    chain.hears(person, APPROVED[platform])
    return person


@EACH
def test_ask_approve_talk(chain: Chain, platform: Platform) -> None:
    """Word, prompt, press; then the prompt closes, the stranger is told, the events are out, and the agent answers."""
    person = chain.stranger(platform)
    chain.says(person)
    prompt = chain.prompt(person, platform)
    assert words(prompt) == f"{QUESTION[platform]}\n{platform} {person.id}"
    assert list(buttons(prompt)) == [APPROVE, DENY]
    assert chain.hears(person, SENT) == [SENT]

    chain.presses(buttons(prompt)[APPROVE], platform)
    closed = chain.closed(person, platform, f"✅ Approved by {_owner(platform)}")
    assert buttons(closed) == {}
    assert chain.hears(person, APPROVED[platform]).count(APPROVED[platform]) == 1
    assert chain.events(person, 2) == ["pairing_requested", "pairing_approved"]

    chain.says(person, "Hello again")
    assert eventually(lambda: any(GREETING in text for text in chain.heard(person))), chain.why()


@EACH
def test_denied_then_blocked(chain: Chain, platform: Platform) -> None:
    """A denial is told and offers Block on the closed prompt; after that nothing gets through."""
    person = chain.stranger(platform)
    chain.says(person)
    chain.presses(buttons(chain.prompt(person, platform))[DENY], platform)
    closed = chain.closed(person, platform, f"❌ Denied by {_owner(platform)}")
    assert list(buttons(closed)) == [BLOCK]
    chain.hears(person, DECLINED)
    chain.presses(buttons(closed)[BLOCK], platform)
    assert buttons(chain.closed(person, platform, f"🚫 Blocked by {_owner(platform)}")) == {}
    assert chain.events(person, 3) == ["pairing_requested", "pairing_denied", "contact_blocked"]
    before = chain.heard(person)
    reply = chain.says(person, "Let me in")
    assert reply.json == ({"type": 4, "data": reply.json["data"]} if platform is DISCORD else None)
    assert chain.heard(person) == [*before, *(["This bot is private."] if platform is DISCORD else [])]
    assert chain.contact(person).state is State.BLOCKED


def test_two_owners_press_at_once(chain: Chain) -> None:
    """One of two owners who press in the same moment decides; both prompts say who, and the other is told."""
    person = chain.stranger(TELEGRAM)
    chain.says(person)
    owners = {OWNER[TELEGRAM]: APPROVE, SECOND_OWNER: DENY}
    carried = {owner: buttons(chain.prompt(person, TELEGRAM, owner))[label] for owner, label in owners.items()}
    replies: dict[str, Reply] = {}
    at_once = threading.Barrier(len(owners))

    def press(owner: str) -> None:
        at_once.wait()
        replies[owner] = chain.presses(carried[owner], TELEGRAM, owner)

    threads = [threading.Thread(target=press, args=(owner,)) for owner in owners]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    contact = chain.contact(person)
    winner = contact.decided_by
    (loser,) = owners.keys() - {winner}
    verb = {State.PAIRED: "approved", State.DENIED: "denied"}[contact.state]
    assert owners[winner] == {State.PAIRED: APPROVE, State.DENIED: DENY}[contact.state]
    assert f"Already {verb} by @owner ({winner}, button)." in replies[loser].json["text"]
    assert "Already" not in replies[winner].json["text"]
    for owner in owners:
        assert APPROVE not in buttons(
            chain.closed(person, TELEGRAM, f"{verb.capitalize()} by {_owner(TELEGRAM, winner)}", owner)
        )
    heard = chain.hears(person, APPROVED[TELEGRAM] if contact.state is State.PAIRED else DECLINED)
    assert len(heard) == 2
    assert chain.events(person, 2) == ["pairing_requested", f"pairing_{verb}"]


def test_a_request_that_expires(chain: Chain) -> None:
    """The schedule's sweep expires what nobody decided: the prompt closes, its button is dead, nobody is told."""
    person = chain.stranger(TELEGRAM)
    chain.says(person)
    button = buttons(chain.prompt(person, TELEGRAM))[APPROVE]
    chain.hears(person, SENT)
    chain.overdue(person)
    chain.sweep()
    assert buttons(chain.closed(person, TELEGRAM, "⌛ Expired")) == {}
    assert chain.events(person, 2) == ["pairing_requested", "pairing_expired"]
    chain.presses(button, TELEGRAM)
    assert chain.contact(person).state is State.EXPIRED
    assert chain.heard(person) == [SENT]


@EACH
def test_no_owner_can_be_reached(chain: Chain, platform: Platform) -> None:
    """When every owner, here and elsewhere, has shut the bot out, the requester gets the command, exactly."""
    chain.telegram.block(OWNER[TELEGRAM])
    chain.telegram.block(SECOND_OWNER)
    chain.slack.users[OWNER[SLACK]].disabled = True
    chain.discord.users[OWNER[DISCORD]].refuses = 50007
    chain.whatsapp.troubles[OWNER[WHATSAPP]], chain.whatsapp.refuses_at_once = 131026, True
    try:
        person = chain.stranger(platform)
        chain.says(person)
        command = chain.command(person)
        heard = chain.hears(person, command)
    finally:
        chain.telegram.block(OWNER[TELEGRAM], blocked=False)
        chain.telegram.block(SECOND_OWNER, blocked=False)
        chain.slack.users[OWNER[SLACK]].disabled = False
        chain.discord.users[OWNER[DISCORD]].refuses = 0
        chain.whatsapp.troubles.clear()
    # In place of the first words on Discord; instead of them on Slack, where the edge says nothing.
    assert heard == ([SENT, command] if platform is TELEGRAM else [command])


def test_a_poisoned_record_ends_alone(chain: Chain) -> None:
    """What the courier cannot read goes to the dead-letter queue alone; what waits behind it is followed meanwhile."""
    person, other = chain.stranger(TELEGRAM), chain.stranger(SLACK)
    body = chain.poison("EffectsQueue", f"telegram#{person.id}")
    chain.says(person)
    chain.says(other)
    assert list(buttons(chain.prompt(person, TELEGRAM))) == [APPROVE, DENY]
    assert list(buttons(chain.prompt(other, SLACK))) == [APPROVE, DENY]
    assert eventually(lambda: chain.parked("EffectsDeadLetters")) == [body]
    # The log comes when the whole invocation is over.
    assert eventually(lambda: [one["reason"] for one in chain.stack.log("courier") if one.get("parked") == "true"]) == [
        "unusable_record"
    ]


def test_a_poisoned_message_ends_alone(chain: Chain) -> None:
    """What the agent cannot read goes to its dead-letter queue alone; the chat behind it is answered."""
    person = let_in(chain, SLACK)
    body = chain.poison("AgentQueue", f"slack#{person.channel}#")
    chain.says(person, "Hello again")
    chain.hears(person, GREETING)
    assert eventually(lambda: chain.parked("AgentDeadLetters")) == [body]


def test_what_was_put_aside_is_sent_again(chain: Chain) -> None:
    """The command lists what the agent has put aside, and once the cause is gone has it answered."""
    person = let_in(chain, SLACK)
    chain.slack.users[person.id].disabled = True
    chain.says(person, "Hello again")
    [parked] = eventually(lambda: json.loads(chain.doorcode("parked", "list", "--json")))
    assert (parked["queue"], parked["platform"], parked["user_id"]) == ("agent", "slack", person.id)
    assert parked["reason"]
    chain.slack.users[person.id].disabled = False
    assert chain.doorcode("parked", "resend", parked["id"]) == "✅ Sent 1 message again\n"
    chain.hears(person, GREETING)
    assert json.loads(chain.doorcode("parked", "list", "--json")) == []


def test_two_chats_do_not_wait_for_each_other(chain: Chain) -> None:
    """While one chat's platform asks for patience, another chat is answered."""
    held, other = let_in(chain, TELEGRAM), let_in(chain, TELEGRAM)
    fault = chain.telegram.inject(status=429, delay=3, times=ALWAYS, name="sendMessage", chat=held.channel)
    chain.says(held, "Hello again")
    assert eventually(lambda: fault.times < ALWAYS), chain.why()
    chain.says(other, "Hello again")
    chain.hears(other, GREETING)
    assert GREETING not in chain.heard(held)
    chain.telegram.recover()
    chain.hears(held, GREETING)


def test_each_line_of_the_log_names_its_invocation(chain: Chain) -> None:
    """Whatever is logged can be told apart by the invocation, on every function that has said something."""
    person = chain.stranger(Platform.TELEGRAM)
    chain.says(person)
    chain.prompt(person, Platform.TELEGRAM)
    assert chain.events(person, 1) == ["pairing_requested"]

    def said_by(name: str) -> list[dict[str, Any]]:
        return [one for one in chain.stack.log(name) if one.get("logger") == f"doorcode.{name}"]

    for function in ("telegram", "courier", "provision"):
        lines = eventually(partial(said_by, function))
        assert lines, function
        assert all(line["requestId"] for line in lines), function


def test_a_question_is_asked_answered_and_used(chain: Chain) -> None:
    """Security 48, 50: through the deployed stream, relay and courier to every owner, and back by a button at the edge."""
    client = chain.stack.client("dynamodb")
    settings = parse_settings({"OWNER_USER_IDS": ALL_OWNERS})
    store = QuestionStore(Table(client, chain.stack.table), Table(client, chain.stack.resource("AgentTable")), settings)
    asker = Asker(id="cli:alice@laptop", label="alice")
    question, _ = store.ask(QuestionOrder(title="Delete 3 files?", details="They are old."), asker, int(time.time()))

    def shown(platform: Platform) -> list[Any]:
        messages = chain.stand_ins[platform].in_chat(OWNER_CHANNEL[platform])
        return [one.shown for one in messages if "Delete 3 files?" in json.dumps(one.shown)]

    def says(word: str) -> bool:
        return all(word in json.dumps(shown(platform)) for platform in Platform)

    eventually(lambda: says("They are old."))
    assert says("They are old."), chain.why()
    assert chain._deliver(pressing(SLACK, buttons(shown(SLACK))[APPROVE])).status == 200
    eventually(lambda: says("recorded"))
    assert says("recorded"), chain.why()
    # Where what was sent stays as it is, another message says what became of it.
    assert buttons([shown(platform) for platform in (TELEGRAM, SLACK, DISCORD)]) == {}
    store.use(question.id, asker.id, int(time.time()), digest=question.digest)
    eventually(lambda: says("used at"))
    assert says("used at"), chain.why()


# With other settings: last, for each of them is a deployment.


@pytest.fixture
def debounced(deployed: Chain) -> Chain:
    """Give everything with a debounce, a model that answers, and no owner but one on Telegram."""
    deployed.set(
        OwnerUserIds=f"telegram:{OWNER[TELEGRAM]}", DebounceSeconds=WINDOW_SECONDS, Agent="bedrock", AgentModel=MODEL
    )
    return deployed


def test_a_slack_stranger_with_a_telegram_owner(debounced: Chain) -> None:
    """Where the requester's platform has no owner, the one elsewhere is asked, and decides from there."""
    chain, person = debounced, debounced.stranger(SLACK)
    chain.says(person)
    prompt = chain.prompt(person, TELEGRAM)
    # The name is not one of Telegram's, and must not become a link to somebody there.
    assert words(prompt) == f"User @\u2060stranger wants to chat. Approve access?\nslack {person.id}"
    assert chain.hears(person, SENT) == [SENT]
    chain.presses(buttons(prompt)[APPROVE], TELEGRAM)
    assert buttons(chain.closed(person, TELEGRAM, f"✅ Approved by {_owner(TELEGRAM)}")) == {}
    chain.hears(person, APPROVED[SLACK])
    assert chain.prompts(person, SLACK) == []
    assert chain.events(person, 2) == ["pairing_requested", "pairing_approved"]


def test_debounce(debounced: Chain) -> None:
    """Three messages within the window are one question to the model, in their order; two chats are two, at once."""
    chain, people = debounced, [let_in(debounced, TELEGRAM), let_in(debounced, TELEGRAM)]
    heard = {person: len(chain.heard(person)) for person in people}
    started = time.monotonic()
    for text in ("one", "two", "three"):
        for person in people:
            chain.says(person, text)
    sent_within = time.monotonic() - started
    assert sent_within < WINDOW_SECONDS, "this machine is too slow to write six messages within the window"

    def is_answered(person: Person) -> bool:
        return len(chain.heard(person)) > heard[person]

    for person in people:
        assert eventually(partial(is_answered, person)), chain.why()
    for person in people:
        assert said(chain, person) == ["one\ntwo\nthree"]
        assert len(chain.heard(person)) == heard[person] + 1
        assert chain.telegram.actions.count((person.channel, "typing")) == 1


def said(chain: Chain, person: Person) -> list[str]:
    """Return what the model was asked in a chat, question by question, as the agent remembers it."""
    items = chain.stack.client("dynamodb").scan(TableName=chain.stack.resource("AgentTable"))["Items"]
    (turns,) = (
        json.loads(item["turns"]["S"]) for item in items if item["pk"]["S"] == f"chat#telegram#{person.channel}#"
    )
    return [turn["text"] for turn in turns if turn["role"] == "user"]


@EACH
def test_no_owner_is_set(deployed: Chain, platform: Platform) -> None:
    """Where there is no owner to ask, the requester gets the command, exactly, and once."""
    deployed.set(OwnerUserIds="")
    person = deployed.stranger(platform)
    deployed.says(person)
    command = deployed.command(person)
    assert deployed.events(person, 1) == ["pairing_requested"]
    assert deployed.hears(person, command) == [command]

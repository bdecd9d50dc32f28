"""A crowd at the door: no owner has more than MAX_PROMPTS open prompts, and one message says how many more wait."""

import itertools
import json
from typing import Any

import pytest

from doorcode.aws.effects_queue import MoveRecord, read_move
from doorcode.aws.owner_queue import OwnerQueues
from doorcode.aws.table import Table
from doorcode.pairing.callbacks import Action
from doorcode.pairing.contact import Contact, Platform, State
from doorcode.pairing.keyring import key_id
from doorcode.pairing.transitions import Operation
from doorcode.pairing.turns import HOLD_SECONDS, TurnQueue
from doorcode.platforms.send_errors import PassingError
from tests.behind.faults import KINDS, Story, faults
from tests.behind.harness import OWNER_CHANNEL, Behind, said_in
from tests.behind.test_pairing import has_buttons
from tests.edge.harness import GATEWAY, TABLE
from tests.harness import COOLDOWN, TTL
from tests.webhooks import HELLO, OWNER, STRANGER, load

TELEGRAM = Platform.TELEGRAM
EACH = pytest.mark.parametrize("platform", list(Platform))
# Where what was sent can be changed.
EDITED = pytest.mark.parametrize("platform", [one for one in Platform if one is not Platform.WHATSAPP])
NOBODY_MORE = "Nobody more waits for your answer."


def person(platform: Platform, number: int) -> str:
    """Give the id of one of the crowd."""
    ids = {
        Platform.TELEGRAM: 700_000_000 + number,
        Platform.SLACK: f"U0CROWD{number:03}",
        Platform.DISCORD: 300_000_000_000_000_000 + number,
        Platform.WHATSAPP: f"US.700{number:03}",
    }
    return str(ids[platform])


def arrive(behind: Behind, platform: Platform, number: int, delivery: int = 0, now: int = 0) -> Contact:
    """Have one of the crowd write."""
    stand_in: Any = behind.stand_ins[platform]
    user_id = person(platform, number)
    if platform is Platform.TELEGRAM:
        stand_in.open_chat(user_id)
    elif user_id not in stand_in.users:
        stand_in.add_user(user_id, **({"name": f"crowd{number}"} if platform is Platform.SLACK else {}))
    event = load(HELLO[platform]).replaced(STRANGER[platform], user_id).another(number + 1000 * delivery)
    behind.deliver(event, now)
    return behind.edge.contact(platform, user_id)


def crowd(behind: Behind, platform: Platform, size: int) -> list[Contact]:
    """Have so many strangers write, one after the other, and let everything follow."""
    contacts = []
    for number in range(size):
        contacts.append(arrive(behind, platform, number))
        behind.settle()
    return contacts


def decide(behind: Behind, contact: Contact, operation: Operation = Operation.DENY) -> None:
    """Decide about one of the crowd from a command line."""
    behind.decide(operation, contact.platform, who=contact.user_id)


def asked(behind: Behind, platform: Platform, chat: str = "") -> list[str]:
    """Return whom the owner is asked about now: the ids in the prompts that are open, in the order of the chat."""
    shown = behind.prompts(platform, chat)
    opened = [prompt for prompt in shown if "✅ Approve" in has_buttons(prompt)]
    return [prompt.partition("Approve access?\\n")[2].split("\\n")[0].split('"')[0].split(" ")[1] for prompt in opened]


def digests(behind: Behind, platform: Platform, chat: str = "") -> list[str]:
    """Return what the digests in the owner's chat say now."""
    messages = behind.stand_ins[platform].in_chat(chat or OWNER_CHANNEL[platform])
    texts = [said_in(message.shown) for message in messages if "interactive" not in message.shown]
    return [text for text in texts if "more" in text and "for your answer" in text]


def queue_of(behind: Behind, platform: Platform = TELEGRAM) -> TurnQueue:
    """Read an owner's queue."""
    return OwnerQueues(Table(behind.edge.dynamodb, TABLE)).of((platform, OWNER[platform]), behind.now()).seen


def held(behind: Behind) -> list[str]:
    """Return whose turns a courier is at."""
    return [turn.user_id for turn in queue_of(behind).turns if turn.hold.by]


def moves(behind: Behind) -> list[MoveRecord]:
    """Take what is in the effects queue; nobody else gets it."""
    behind.relay_once()
    taken = []
    while messages := behind.edge.sqs.receive_message(QueueUrl=behind.effects_url).get("Messages"):
        for message in messages:
            taken.append(read_move(message["Body"]))
            behind.edge.sqs.delete_message(QueueUrl=behind.effects_url, ReceiptHandle=message["ReceiptHandle"])
    return taken


@EDITED
def test_the_owner_is_asked_about_a_few_and_told_of_the_rest(behind: Behind, platform: Platform) -> None:
    """Five prompts and one digest; each answer brings the next in order, and at the end the digest says that nobody waits."""
    contacts = crowd(behind, platform, 8)
    ids = [contact.user_id for contact in contacts]
    assert asked(behind, platform) == ids[:5]
    [digest] = digests(behind, platform)
    assert digest.startswith("3 more people wait for your answer.")
    assert "doorcode pairing list --pending" in digest
    assert "doorcode web" in digest

    press = behind.edge.press(contacts[1], Action.APPROVE)
    behind.deliver(press)
    behind.settle()
    assert asked(behind, platform) == [ids[0], *ids[2:6]]
    assert digests(behind, platform)[0].startswith("2 more people wait")

    # One who only waits is decided on from elsewhere: the number goes down, nobody is asked in their place.
    decide(behind, contacts[6])
    behind.settle()
    assert asked(behind, platform) == [ids[0], *ids[2:6]]
    assert digests(behind, platform)[0].startswith("1 more person waits")
    decide(behind, contacts[0], Operation.BLOCK)
    behind.settle()
    assert asked(behind, platform) == [*ids[2:6], ids[7]]
    assert digests(behind, platform) == [NOBODY_MORE]
    assert behind.parked() == 0


def test_where_nothing_can_be_changed_the_rest_is_told_of_once(behind: Behind) -> None:
    """On WhatsApp a digest for every further number would be a flood of messages."""
    platform = Platform.WHATSAPP
    behind.cold(MAX_PROMPTS="2")
    contacts = crowd(behind, platform, 5)
    ids = [contact.user_id for contact in contacts]
    assert asked(behind, platform) == ids[:2]
    assert [digest[:6] for digest in digests(behind, platform)] == ["1 more"]
    for contact in contacts:
        decide(behind, contact)
    behind.settle()
    assert [digest[:6] for digest in digests(behind, platform)] == ["1 more"]
    assert behind.parked() == 0


@EACH
def test_expiry_frees_the_place(behind: Behind, platform: Platform) -> None:
    """When nobody decides, the places of those whose time is up go to those who came after them."""
    behind.cold(MAX_PROMPTS="1")
    first = arrive(behind, platform, 0)
    behind.settle()
    later = behind.now() + TTL - 60
    behind.consumer._clock = lambda: later
    second = arrive(behind, platform, 1, now=later)
    behind.settle()
    assert asked(behind, platform) == [first.user_id]
    behind.consumer._clock = lambda: later + 61
    behind.courier.sweep(later + 61)
    behind.settle()
    assert asked(behind, platform) == [second.user_id]
    if platform is not Platform.WHATSAPP:
        assert digests(behind, platform) == [NOBODY_MORE]


def test_each_owner_has_a_queue_of_their_own(behind: Behind) -> None:
    """Several owners are asked about the same few, each has a digest, and a decision of one makes place with all."""
    telegram: Any = behind.stand_ins[TELEGRAM]
    telegram.open_chat("222333444")
    behind.cold(OWNER_USER_IDS="telegram:123456789,telegram:222333444", MAX_PROMPTS="2")
    contacts = crowd(behind, TELEGRAM, 4)
    ids = [contact.user_id for contact in contacts]
    for chat in ("123456789", "222333444"):
        assert asked(behind, TELEGRAM, chat) == ids[:2]
        assert [digest[:6] for digest in digests(behind, TELEGRAM, chat)] == ["2 more"]
    behind.deliver(behind.edge.press(contacts[0], Action.DENY))
    behind.settle()
    for chat in ("123456789", "222333444"):
        assert asked(behind, TELEGRAM, chat) == ids[1:3]
        assert [digest[:6] for digest in digests(behind, TELEGRAM, chat)] == ["1 more"]


def test_an_owner_of_several_platforms_strangers(behind: Behind) -> None:
    """Whoever is asked about strangers from elsewhere, too, has no more prompts for that."""
    behind.cold(OWNER_USER_IDS=f"telegram:{OWNER[TELEGRAM]}", MAX_PROMPTS="2")
    people = [arrive(behind, platform, 0) for platform in (Platform.SLACK, Platform.DISCORD, TELEGRAM)]
    behind.settle()
    assert len(asked(behind, TELEGRAM)) == 2
    [digest] = digests(behind, TELEGRAM)
    assert digest.startswith("1 more person waits")
    waiting = next(person for person in people if person.user_id not in asked(behind, TELEGRAM))
    decide(behind, next(person for person in people if person is not waiting))
    behind.settle()
    assert waiting.user_id in asked(behind, TELEGRAM)


def test_a_hundred_strangers(behind: Behind) -> None:
    """A full waiting room makes five prompts and one digest; each record asks the table a few things, however many wait."""
    behind.cold(OWNER_USER_IDS=f"telegram:{OWNER[TELEGRAM]}")
    now = behind.now()
    calls = behind.clients["dynamodb"].calls
    for number in range(100):
        contact = Contact(
            platform=TELEGRAM, user_id=person(TELEGRAM, number), state=State.PENDING, rev=1, nonce=f"{number:032}",
            key_id=key_id(GATEWAY.newest), requested_at=now, code_expires_at=now + TTL,
        )  # fmt: skip
        behind.edge.put(contact)
        behind.forget_the_stream()
        before = len(calls)
        behind.courier.follow(MoveRecord(f"record {number}", None, contact, now), now)
        assert len(calls) - before <= 16
    assert asked(behind, TELEGRAM) == [person(TELEGRAM, number) for number in range(5)]
    assert len(behind.prompts(TELEGRAM)) == 6
    [digest] = digests(behind, TELEGRAM)
    assert digest.startswith("95 more people wait")


def test_the_limit_can_be_changed(behind: Behind) -> None:
    """A raised limit asks about those who wait; a lowered one closes nothing, and asks about nobody until there is place."""
    behind.cold(MAX_PROMPTS="2")
    contacts = crowd(behind, TELEGRAM, 5)
    behind.cold(MAX_PROMPTS="4")
    behind.courier.sweep(behind.now())
    assert len(asked(behind, TELEGRAM)) == 4
    assert digests(behind, TELEGRAM)[0].startswith("1 more")
    behind.cold(MAX_PROMPTS="1")
    for left, contact in zip((3, 2, 1), contacts, strict=False):
        decide(behind, contact)
        behind.settle()
        assert len(asked(behind, TELEGRAM)) == left
    decide(behind, contacts[3])
    behind.settle()
    assert asked(behind, TELEGRAM) == [contacts[4].user_id]


def test_who_waits_and_asks_again_keeps_the_turn(behind: Behind) -> None:
    """A renewal neither makes a second turn nor loses the first; the prompt that comes later is the newest request's."""
    behind.cold(MAX_PROMPTS="1")
    first, second, _ = crowd(behind, TELEGRAM, 3)
    renewed = arrive(behind, TELEGRAM, 1, 1, behind.now() + COOLDOWN)
    behind.settle()
    assert digests(behind, TELEGRAM)[0].startswith("2 more")
    decide(behind, first)
    behind.settle()
    assert asked(behind, TELEGRAM) == [second.user_id]
    [prompt] = [prompt for prompt in behind.prompts(TELEGRAM) if second.user_id in prompt]
    assert behind.edge.code(renewed) in prompt


@pytest.mark.parametrize("healed_by", ["the next request", "the sweep"])
def test_a_request_renewed_while_the_record_of_its_place_is_parked(behind: Behind, healed_by: str) -> None:
    """The prompt of a request whose renewal was parked is found again: it shows the newest request, and is the only one."""
    behind.cold(MAX_PROMPTS="1")
    arrive(behind, TELEGRAM, 0)
    behind.settle()
    newest = arrive(behind, TELEGRAM, 0, 1, behind.now() + COOLDOWN)
    assert moves(behind)
    if healed_by == "the sweep":
        behind.courier.sweep(behind.now() + COOLDOWN)
    else:
        newest = arrive(behind, TELEGRAM, 0, 2, behind.now() + 2 * COOLDOWN)
    behind.settle()
    [prompt] = behind.prompts(TELEGRAM)
    assert behind.edge.code(newest) in prompt
    assert len(asked(behind, TELEGRAM)) == 1


def test_a_decision_whose_record_is_parked_frees_its_place(behind: Behind) -> None:
    """The sweep closes what a parked record left open, and asks about the next one."""
    behind.cold(MAX_PROMPTS="1")
    first, second = crowd(behind, TELEGRAM, 2)
    decide(behind, first)
    assert moves(behind)
    behind.courier.sweep(behind.now())
    assert asked(behind, TELEGRAM) == [second.user_id]
    assert "Denied by alice" in behind.prompts(TELEGRAM)[0]
    assert digests(behind, TELEGRAM) == [NOBODY_MORE]


def test_asked_anew_while_the_decision_s_record_is_parked(behind: Behind) -> None:
    """Whoever was denied and asks anew before the denial was followed has one prompt, with the new request's buttons."""
    behind.cold(MAX_PROMPTS="1")
    first = arrive(behind, TELEGRAM, 0)
    behind.settle()
    decide(behind, first)
    assert moves(behind)
    anew = arrive(behind, TELEGRAM, 0, 1, behind.now() + COOLDOWN)
    behind.settle()
    assert len(asked(behind, TELEGRAM)) == 1
    assert behind.edge.code(anew) in behind.prompts(TELEGRAM)[-1]


@EDITED
def test_a_digest_that_was_deleted_is_sent_anew(behind: Behind, platform: Platform) -> None:
    """When the owner has deleted the digest, the next change makes another one."""
    behind.cold(MAX_PROMPTS="1")
    crowd(behind, platform, 2)
    messages = behind.stand_ins[platform].messages
    for key in [key for key, message in messages.items() if "more person" in json.dumps(message.shown)]:
        del messages[key]
    assert digests(behind, platform) == []
    arrive(behind, platform, 2)
    behind.settle()
    assert [digest[:6] for digest in digests(behind, platform)] == ["2 more"]


def test_a_digest_that_ended_long_ago_is_not_used_again(behind: Behind) -> None:
    """Within the hour the digest is taken up again; later a new one is sent, for an edit far above goes unnoticed."""
    behind.cold(MAX_PROMPTS="1")
    contacts = crowd(behind, TELEGRAM, 2)
    decide(behind, contacts[0])
    behind.settle()
    third = arrive(behind, TELEGRAM, 2)
    behind.settle()
    assert len(digests(behind, TELEGRAM)) == 1
    decide(behind, third)
    behind.settle()
    later = behind.now() + 3601
    behind.consumer._clock = lambda: later
    arrive(behind, TELEGRAM, 3, now=later)
    behind.settle()
    assert digests(behind, TELEGRAM)[0] == NOBODY_MORE
    assert digests(behind, TELEGRAM)[1].startswith("1 more")


def test_a_prompt_that_cannot_be_sent_does_not_hold_its_place(behind: Behind) -> None:
    """Trouble with one prompt gives the place to the next; its own turn comes again."""
    behind.cold(MAX_PROMPTS="1")
    failing = person(TELEGRAM, 0)

    def fail(name: str) -> None:
        if name == "send_prompt" and failing in held(behind):
            raise PassingError(TELEGRAM, "send a prompt", "HTTP 500")

    behind.before_sending = fail
    arrive(behind, TELEGRAM, 0)
    second = arrive(behind, TELEGRAM, 1)
    behind.relay_once()
    behind.courier_once()
    # It may have been sent, as far as is known: nobody takes its place at once.
    assert asked(behind, TELEGRAM) == []
    later = behind.now() + HOLD_SECONDS
    behind.consumer._clock = lambda: later
    behind.courier_once()
    behind.courier.sweep(later)
    assert asked(behind, TELEGRAM) == [second.user_id]
    behind.before_sending = lambda _: None
    behind.settle()
    decide(behind, second)
    behind.settle()
    assert asked(behind, TELEGRAM) == [failing]


def test_an_owner_who_blocks_the_bot_in_between(behind: Behind) -> None:
    """Whoever waits for an owner who can be reached no more is put to owners elsewhere."""
    behind.cold(MAX_PROMPTS="1", OWNER_USER_IDS=f"telegram:{OWNER[TELEGRAM]},slack:{OWNER[Platform.SLACK]}")
    first, second = crowd(behind, TELEGRAM, 2)
    telegram: Any = behind.stand_ins[TELEGRAM]
    telegram.block(OWNER[TELEGRAM])
    decide(behind, first)
    behind.settle()
    assert asked(behind, Platform.SLACK) == [second.user_id]
    third = arrive(behind, TELEGRAM, 2)
    behind.settle()
    assert digests(behind, Platform.SLACK)[0].startswith("1 more")
    assert third.user_id not in asked(behind, Platform.SLACK)


@pytest.mark.parametrize("moment", [1, 2])
def test_two_couriers_at_one_queue(behind: Behind, moment: int) -> None:
    """Two contacts are followed at the same time: one gets the last place, the other waits, and both are in the queue."""
    behind.cold(MAX_PROMPTS="1")
    arrive(behind, TELEGRAM, 0)
    arrive(behind, TELEGRAM, 1)
    first, second = moves(behind)
    other = behind.another_courier()
    table = behind.clients["dynamodb"]
    writes = itertools.count(1)

    def meanwhile(name: str) -> None:
        if name == "update_item" and "#queue" in table.arguments[-1]["UpdateExpression"] and next(writes) == moment:
            table.before = lambda _: None
            other.follow(second, behind.now())

    table.before = meanwhile
    behind.courier.follow(first, behind.now())
    assert len(asked(behind, TELEGRAM)) == 1
    assert len(queue_of(behind).turns) == 2
    assert [digest[:6] for digest in digests(behind, TELEGRAM)] == ["1 more"]


@pytest.mark.parametrize("moment", ["before", "after"])
def test_two_couriers_at_one_digest(behind: Behind, moment: str) -> None:
    """While one sends the digest, another one does not; the first then tells of those who came meanwhile."""
    behind.cold(MAX_PROMPTS="1")
    crowd(behind, TELEGRAM, 1)
    arrive(behind, TELEGRAM, 1)
    arrive(behind, TELEGRAM, 2)
    first, second = moves(behind)
    other = behind.another_courier()

    def meanwhile(name: str) -> None:
        if name == "send_prompt":
            behind.before_sending = behind.after_sending = lambda _: None
            other.follow(second, behind.now())

    if moment == "before":
        behind.before_sending = meanwhile
    else:
        behind.after_sending = meanwhile
    behind.courier.follow(first, behind.now())
    assert [digest[:6] for digest in digests(behind, TELEGRAM)] == ["2 more"]


@pytest.mark.parametrize("operation", [Operation.DENY, None], ids=["decided", "renewed"])
@pytest.mark.parametrize("moment", ["before", "after"])
def test_overtaken_while_another_contact_s_courier_asks(
    behind: Behind, operation: Operation | None, moment: str
) -> None:
    """What becomes of a request while another's record has it asked about is followed at once, and the prompt shows it."""
    behind.cold(MAX_PROMPTS="1")
    first, second = crowd(behind, TELEGRAM, 2)
    decide(behind, first)
    [closing] = moves(behind)
    other = behind.another_courier()

    def overtake(name: str) -> None:
        if name == "send_prompt":
            behind.before_sending = behind.after_sending = lambda _: None
            if operation:
                decide(behind, second, operation)
            else:
                arrive(behind, TELEGRAM, 1, 1, behind.now() + COOLDOWN)
            for move in moves(behind):
                other.follow(move, behind.now())

    if moment == "before":
        behind.before_sending = overtake
    else:
        behind.after_sending = overtake
    behind.courier.follow(closing, behind.now())
    prompts = [prompt for prompt in behind.prompts(TELEGRAM) if second.user_id in prompt]
    assert len(prompts) == 1
    newest = behind.edge.contact(TELEGRAM, second.user_id)
    if operation:
        assert "Denied by alice" in prompts[0]
        assert queue_of(behind).turns == ()
    else:
        assert behind.edge.code(newest) in prompts[0]
        assert asked(behind, TELEGRAM) == [second.user_id]
    assert digests(behind, TELEGRAM) == [NOBODY_MORE]


@pytest.mark.parametrize("kind", KINDS)
def test_a_fault_in_every_call(behind: Behind, kind: str) -> None:
    """Whichever call fails, however: nobody is lost, no more are asked about than may be, and there is one digest.

    Discord recognises what it was given before. Elsewhere a prompt or digest can stand twice if just its sending was
    not noted, as ``test_crashes`` counts.
    """
    platform = Platform.DISCORD
    behind.cold(MAX_PROMPTS="1")

    def two_arrive() -> None:
        for number in range(2):
            arrive(behind, platform, number)
        behind.settle()

    def the_first_is_denied() -> None:
        decide(behind, behind.edge.contact(platform, person(platform, 0)))
        behind.settle()

    broken = set()
    for where, hit, _ in faults(behind, Story(platform, (two_arrive, the_first_is_denied), whole=True), kind):
        broken.add(hit)
        # What a dead courier held is free after a while.
        behind.courier.sweep(behind.now() + HOLD_SECONDS)
        assert asked(behind, platform) == [person(platform, 1)], where
        assert digests(behind, platform) == [NOBODY_MORE], where
        assert len(behind.prompts(platform)) == 3, where
        assert behind.parked() == 0, where
    assert {"sender.send_prompt", "sender.edit_prompt"} <= broken

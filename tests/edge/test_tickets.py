"""Claims and invites at each platform's door: what is sent, what it costs, and what is left of it."""

from typing import Any

import pytest

from doorcode.aws.client.errors import TransportError
from doorcode.aws.lockout import LOCK_SECONDS, MAX_GUESSES
from doorcode.aws.table import Table
from doorcode.aws.tickets import Tickets
from doorcode.aws.waiting_room import WaitingRoom
from doorcode.pairing import texts
from doorcode.pairing.contact import Contact, ContactRole, Platform, Standing, State, Via
from doorcode.pairing.settings import Settings
from doorcode.pairing.tickets import CLAIM_SECONDS, InviteOrder, TicketKind, shown
from doorcode.pairing.transitions import Decision, Operation
from tests.edge.harness import TABLE, Edge
from tests.edge.test_conversations import told
from tests.harness import T0
from tests.webhooks import HELLO, OWNER, STRANGER, Delivery, load

EACH = pytest.mark.parametrize("platform", list(Platform))
# How a ticket is sent, beside the bare code: as a link has the app send it, by hand, from a phone, out of a terminal.
SPELLINGS = ("{0}", " {0}\n", "`{0}`", "{1}", "{2}")


def tickets(edge: Edge) -> Tickets:
    """Make and find tickets in the edge's table."""
    return Tickets(Table(edge.dynamodb, TABLE))


def a_claim(edge: Edge, platform: str = "", now: int = T0) -> str:
    """Make a claim; return its code as it is shown."""
    return shown(tickets(edge).claim(platform, "alice@laptop", now)[0])


def an_invite(edge: Edge, now: int = T0, **order: Any) -> str:
    """Make an invite; return its code as it is shown."""
    return shown(tickets(edge).invite(InviteOrder(**order), "alice@laptop", now)[0])


def saying(platform: Platform, text: str, number: int = 0) -> Delivery:
    """Have the stranger say something, in a delivery of that number."""
    hello = load(HELLO[platform])
    return hello.replaced(hello.expect["text"], text).another(number)


def owners(edge: Edge, **settings: Any) -> tuple[tuple[Platform, str], ...]:
    """Return everybody who owns the bot."""
    return WaitingRoom(Table(edge.dynamodb, TABLE), Settings(**settings)).owners()


def greeting(platform: Platform, text: str) -> str | None:
    """Return what is told in the response: on Slack and WhatsApp nothing ever is, the courier says it."""
    return None if platform in {Platform.SLACK, Platform.WHATSAPP} else text


def nowhere(edge: Edge, code: str, log: str) -> None:
    """Security 44: the code stands in no item, no queue and no line of the log, however it is written."""
    everything = f"{edge.items()}{edge.handed_off()}{log}".upper()
    assert code not in everything
    assert code.replace("-", "") not in everything


@EACH
@pytest.mark.parametrize("policy", ["deny", "pair"])
def test_whoever_sends_a_claim_owns_the_bot(
    edge: Edge, platform: Platform, policy: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Security 44: a claim makes its sender an owner, on that platform, whatever the policy; the same delivery again says it again."""
    code = a_claim(edge)
    for _ in range(2):
        response = edge.deliver(saying(platform, code), UNKNOWN_USER_POLICY=policy, OWNER_USER_IDS="")
        assert (response["statusCode"], told(response)) == (200, greeting(platform, texts.CLAIMED))
    contact = edge.contact(platform)
    assert (contact.state, contact.role, contact.rev) == (State.PAIRED, ContactRole.OWNER, 1)
    assert (contact.decided_by, contact.decided_via) == ("alice@laptop", Via.CLAIM)
    assert owners(edge) == ((platform, STRANGER[platform]),)
    nowhere(edge, code, caplog.text)
    # It is used up: another delivery of it, from whoever else has seen it, is anybody's text.
    other = saying(platform, code, 1).replaced(STRANGER[platform], OWNER[platform])
    edge.deliver(other, UNKNOWN_USER_POLICY="deny", OWNER_USER_IDS="")
    assert owners(edge) == ((platform, STRANGER[platform]),)


@EACH
def test_an_owner_by_claim_is_an_owner_at_the_gate(edge: Edge, platform: Platform) -> None:
    """An owner by claim is admitted as one, for one read; and what strangers are told counts them."""
    settings = {"UNKNOWN_USER_POLICY": "pair", "OWNER_USER_IDS": ""}
    edge.deliver(saying(platform, a_claim(edge)), **settings)
    with edge.clients["dynamodb"].counting() as calls:
        edge.deliver(load(HELLO[platform]).another(1), **settings)
    assert calls == ["get_item"]
    [message] = edge.handed_off()
    assert message["admitted_by"] == "owner"
    other = load(HELLO[platform]).another(2).replaced(STRANGER[platform], OWNER[platform])
    response = edge.deliver(other, **settings)
    assert told(response) == greeting(platform, texts.REQUEST_SENT)


@EACH
def test_an_owner_by_claim_presses_buttons(edge: Edge, platform: Platform) -> None:
    """Security 15: a press of an owner by claim decides, for one read more; and no more once they are removed."""
    settings = {"UNKNOWN_USER_POLICY": "pair", "OWNER_USER_IDS": ""}
    mine = saying(platform, a_claim(edge)).replaced(STRANGER[platform], OWNER[platform])
    edge.deliver(mine, **settings)
    edge.deliver(load(HELLO[platform]).another(1), **settings)
    press = edge.press(edge.contact(platform))
    room = WaitingRoom(Table(edge.dynamodb, TABLE), Settings())
    room.move(
        edge.contact(platform, OWNER[platform]), Operation.REMOVE_OWNER, T0, Decision(by="bob", via=Via.CLI, last=True)
    )
    edge.deliver(press, **settings)
    assert edge.contact(platform).state is State.PENDING
    edge.deliver(saying(platform, a_claim(edge), 2).replaced(STRANGER[platform], OWNER[platform]), **settings)
    edge.deliver(press.another(1), **settings)
    assert edge.contact(platform).state is State.PAIRED


@EACH
@pytest.mark.parametrize("policy", ["deny", "pair"])
def test_an_invite_lets_its_sender_in(
    edge: Edge, platform: Platform, policy: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Security 44: an invite pairs at once, with its label and for its time; the same delivery again says it again and uses nothing."""
    code = an_invite(edge, uses=2, label="workshop", for_seconds=3600)
    for _ in range(2):
        response = edge.deliver(saying(platform, code), UNKNOWN_USER_POLICY=policy)
        assert (response["statusCode"], told(response)) == (200, greeting(platform, texts.invited(platform)))
    contact = edge.contact(platform)
    assert (contact.state, contact.role, contact.label) == (State.PAIRED, "", "workshop")
    assert (contact.paired_until, contact.decided_via, contact.rev) == (T0 + 3600, Via.INVITE, 1)
    [invite] = tickets(edge).invites(T0)
    assert (invite.uses, invite.left) == (2, 1)
    # Whoever is in uses none.
    again = edge.deliver(saying(platform, code, 1), UNKNOWN_USER_POLICY=policy)
    assert told(again) == greeting(platform, texts.IN_ALREADY)
    assert tickets(edge).invites(T0) == [invite]
    nowhere(edge, code, caplog.text)
    edge.deliver(saying(platform, "hello", 2), UNKNOWN_USER_POLICY=policy)
    assert [said["text"] for message in edge.handed_off() for said in message["messages"]] == ["hello"]


def test_every_spelling(edge: Edge) -> None:
    """A ticket is known however it was copied: by the link, by hand, with other hyphens, in one piece."""
    spellings = {
        Platform.TELEGRAM: [*SPELLINGS, "/start {0}", "/start {1}"],
        Platform.SLACK: SPELLINGS,
        Platform.DISCORD: SPELLINGS,
    }
    for platform, forms in spellings.items():
        for number, form in enumerate(forms):
            code = an_invite(edge)
            text = form.format(code, code.replace("-", ""), code.lower().replace("-", "\u2013"))
            person = saying(platform, text, number)
            edge.deliver(person, UNKNOWN_USER_POLICY="deny")
            contact = edge.contact(platform)
            assert contact.state is State.PAIRED, (platform, form)
            edge.dynamodb.delete_item(
                TableName=TABLE, Key={"pk": {"S": f"{platform}#{contact.user_id}"}, "sk": {"S": "contact"}}
            )


@EACH
def test_what_it_costs(edge: Edge, platform: Platform) -> None:
    """Security 44: what only looks like a ticket costs one read, of who is in; other texts cost nothing."""
    edge.put(Contact(platform=platform, user_id=STRANGER[platform], state=State.PAIRED, rev=1))
    calls = edge.clients["dynamodb"]
    for number, (text, reads) in enumerate(
        {"AAAA-BBBB-CCCC": 2, "AAAABBBBCCCC": 2, "AAAA-BBBB": 1, "that was great": 1, "they want beer": 1, "AAAA-BBBB-CCCC-DDDD-EEEE": 1,
         "take AAAA-BBBB-CCCC": 1, "AAAA-BBBB-CCC0": 1, "understanded": 1}.items()
    ):  # fmt: skip
        with calls.counting() as made:
            edge.deliver(saying(platform, text, number))
        assert made == ["get_item"] * reads, text
    assert len(edge.handed_off()) == 9


@EACH
def test_five_wrong_ones_lock_the_guesser(edge: Edge, platform: Platform) -> None:
    """Security 44: after five wrong ones a right one is refused, silently, for 300 s; nobody else is locked, and other texts are messages."""
    code, claim = an_invite(edge, uses=9), a_claim(edge)
    settings = {"UNKNOWN_USER_POLICY": "pair"}
    for number in range(MAX_GUESSES):
        edge.deliver(saying(platform, f"AAAA-BBBB-CCC{'CDEFG'[number]}", number), **settings)
    # A mistyped one is a message like any other.
    assert edge.contact(platform).state is State.PENDING
    for number, text in enumerate((code, claim, "AAAA-BBBB-CCCC"), MAX_GUESSES):
        response = edge.deliver(saying(platform, text, number), T0 + 59, **settings)
        assert told(response) == (texts.PRIVATE if platform is Platform.DISCORD else None)
    contact = edge.contact(platform)
    assert (contact.state, contact.rev) == (State.PENDING, 1)
    assert tickets(edge).invites(T0)[0].left == 9
    other = saying(platform, code, 20).replaced(STRANGER[platform], OWNER[platform])
    edge.deliver(other, OWNER_USER_IDS="", **settings)
    assert edge.contact(platform, OWNER[platform]).state is State.PAIRED
    edge.deliver(saying(platform, code, 21), T0 + LOCK_SECONDS, **settings)
    assert edge.contact(platform).state is State.PAIRED


@EACH
def test_who_is_blocked_can_use_neither(edge: Edge, platform: Platform) -> None:
    """Security 22, 44: a block beats everything, and no ticket is even looked up."""
    edge.put(Contact(platform=platform, user_id=STRANGER[platform], state=State.BLOCKED, rev=1))
    for number, code in enumerate((a_claim(edge), an_invite(edge))):
        with edge.clients["dynamodb"].counting() as calls:
            edge.deliver(saying(platform, code, number))
        assert calls == ["get_item"]
        assert edge.contact(platform).standing(T0) is Standing.BLOCKED


@EACH
def test_what_is_over_looks_like_what_never_was(edge: Edge, platform: Platform) -> None:
    """Security 12, 14, 44: expired although its item exists, used up, taken back, another platform's: to a stranger like any text."""
    elsewhere = next(other for other in Platform if other is not platform)
    late, revoked, foreign = (
        an_invite(edge, expires_seconds=60),
        an_invite(edge, label="r"),
        an_invite(edge, platform=elsewhere),
    )
    [invite] = [one for one in tickets(edge).invites(T0) if one.label == "r"]
    assert tickets(edge).revoke(invite.id, T0) is not None
    claim, now = a_claim(edge, now=T0 - CLAIM_SECONDS + 60), T0 + 60
    never = [saying(platform, "AAAA-BBBB-CCCC", 90), saying(platform, "AAAA-BBBB-CCCC-DDDD", 91)]
    for policy in ("deny", "pair"):
        answers = set()
        for number, delivery in enumerate(
            [*(saying(platform, code) for code in (late, revoked, foreign, claim)), *never]
        ):
            edge.dynamodb.delete_item(
                TableName=TABLE, Key={"pk": {"S": f"{platform}#{STRANGER[platform]}"}, "sk": {"S": "contact"}}
            )
            edge.dynamodb.delete_item(
                TableName=TABLE, Key={"pk": {"S": "lockout#ticket"}, "sk": {"S": f"{platform}#{STRANGER[platform]}"}}
            )
            answers.add(told(edge.deliver(delivery.another(number), now, UNKNOWN_USER_POLICY=policy)))
            assert edge.contact(platform).state is (State.PENDING if policy == "pair" else State.NONE)
        assert len(answers) == 1
    assert edge.handed_off() == []


@EACH
def test_what_is_over_is_handed_to_nobody(edge: Edge, platform: Platform, caplog: pytest.LogCaptureFixture) -> None:
    """Security 44: whoever is in and sends what is over is told so; the agent does not get it."""
    late, claim = an_invite(edge, expires_seconds=60), a_claim(edge, now=T0 - CLAIM_SECONDS)
    for number, code in enumerate((late, claim)):
        edge.put(Contact(platform=platform, user_id=STRANGER[platform], state=State.PAIRED, rev=1))
        response = edge.deliver(saying(platform, code, number), T0 + 60)
        assert told(response) == greeting(platform, texts.TICKET_IS_OVER)
        nowhere(edge, code, caplog.text)


def test_in_a_group_none_works(edge: Edge, caplog: pytest.LogCaptureFixture) -> None:
    """Security 22, 44: in a group a ticket lets nobody in, is not used up, and is not handed on either."""
    reply = load("telegram/group_reply_to_bot")
    settings = {"GROUP_POLICY": "mention_only", "UNKNOWN_USER_POLICY": "pair"}
    sender = reply.expect["user_id"]
    for state in (State.NONE, State.PAIRED):
        edge.put(Contact(platform=Platform.TELEGRAM, user_id=sender, state=state, rev=1))
        for number, code in enumerate((an_invite(edge), a_claim(edge))):
            edge.deliver(reply.replaced(reply.expect["text"], code).another(number), **settings)
            assert edge.contact(Platform.TELEGRAM, sender).rev == 1
            nowhere(edge, code, caplog.text)
    assert [invite.left for invite in tickets(edge).invites(T0)] == [1, 1]
    edge.deliver(reply.replaced(reply.expect["text"], "AAAA-BBBB-CCCC").another(9), **settings)
    assert [said["text"] for message in edge.handed_off() for said in message["messages"]] == ["AAAA-BBBB-CCCC"]


@EACH
def test_a_pending_person_is_let_in(edge: Edge, platform: Platform) -> None:
    """An invite of somebody who waits frees the seat."""
    edge.deliver(load(HELLO[platform]))
    edge.deliver(saying(platform, an_invite(edge), 1))
    contact = edge.contact(platform)
    assert (contact.state, contact.seat) == (State.PAIRED, "")
    assert [item for item in edge.items() if item["pk"]["S"].startswith("seats#") and "freed_at" not in item] == []


@pytest.mark.parametrize("kind", list(TicketKind))
def test_a_replay_after_the_end_lets_nobody_in(edge: Edge, kind: TicketKind) -> None:
    """Security 4: the delivery of a ticket with uses left, replayed after a revocation and another request, has no second effect."""
    platform = Platform.TELEGRAM
    code = an_invite(edge, uses=5) if kind is TicketKind.INVITE else a_claim(edge)
    settings = {"OWNER_USER_IDS": ""}
    edge.deliver(saying(platform, code), **settings)
    room = WaitingRoom(Table(edge.dynamodb, TABLE), Settings())
    operation = Operation.REVOKE if kind is TicketKind.INVITE else Operation.REMOVE_OWNER
    room.move(edge.contact(platform), operation, T0, Decision(by="bob", via=Via.CLI, last=True))
    edge.deliver(load(HELLO[platform]).another(1), **settings)
    edge.deliver(saying(platform, code), **settings)
    assert edge.contact(platform).state is State.PENDING


def test_trouble_delivers_again(edge: Edge) -> None:
    """Where the table does not answer, a ticket is neither used nor lost: the platform delivers again."""
    code = an_invite(edge)

    def broken(name: str) -> None:
        if name == "transact_write_items":
            raise TransportError("no answer", sent=True)

    edge.clients["dynamodb"].before = broken
    assert edge.deliver(saying(Platform.TELEGRAM, code))["statusCode"] == 503
    edge.clients["dynamodb"].before = lambda _: None
    assert told(edge.deliver(saying(Platform.TELEGRAM, code))) == texts.invited(Platform.TELEGRAM)

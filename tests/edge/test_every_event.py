"""Every recorded event, under every policy, from people of every standing: what the door does, says, writes and logs.

What is expected is worked out here from the rules alone, with none of the product's code.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import pytest
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.sqs.models import sqs_backends

from doorcode.aws.items import contact_from_item
from doorcode.pairing.callbacks import Action
from doorcode.pairing.contact import Contact, Platform, State, is_user_id
from doorcode.pairing.keyring import key_id
from tests import webhooks
from tests.backends import in_process
from tests.backends.in_process import REGION
from tests.edge.harness import GATEWAY, Edge, body_of
from tests.harness import T0
from tests.webhooks import OWNER, Delivery, load

EVENTS = {name: load(name) for name in webhooks.names()}


def _of_kind(*kinds: str, **expected: str) -> list[str]:
    wanted = expected.items()
    return [
        name for name, event in EVENTS.items() if event.expect["kind"] in kinds and wanted <= dict(event.expect).items()
    ]


MESSAGES = _of_kind("message")
DIRECT_MESSAGES = _of_kind("message", chat_type="direct")
PRESSES = _of_kind("press")

POLICIES = ("deny", "allow", "pair")
GROUP_POLICIES = ("off", "mention_only")


class Laid(NamedTuple):
    """How a contact lies in the table, and what that makes of the person at T0."""

    counts_as: str
    fields: Mapping[str, Any] = {}


def _asked(at: int, until: int, again_at: int, **fields: Any) -> dict[str, Any]:
    made = {"nonce": "ab" * 16, "key_id": key_id(GATEWAY.newest), "delivery_id": "an earlier one", "name": "@earlier"}
    return made | {"requested_at": T0 + at, "code_expires_at": T0 + until, "next_code_at": T0 + again_at} | fields


_WAITING = {"state": State.PENDING, "seat": "03"}
_DECIDED = {"decided_by": "123456789", "decided_via": "button", "decided_at": T0 - 60}
STATES = {
    "none": Laid("stranger"),
    "pending": Laid("waiting", _asked(-120, 3480, 480, **_WAITING)),
    "pending, cooldown over": Laid("stranger", _asked(-600, 3000, 0, **_WAITING)),
    "pending, by this delivery": Laid("heard", _asked(-60, 3540, 540, **_WAITING)),
    "overdue": Laid("stranger", _asked(-4800, -1200, -4200, **_WAITING)),
    "overdue, in cooldown": Laid("waiting", _asked(-4799, -1199, -4199, **_WAITING)),
    "denied, in cooldown": Laid("waiting", _asked(-599, 3001, 1, state=State.DENIED, **_DECIDED)),
    "denied, cooldown over": Laid("stranger", _asked(-600, 3000, 0, state=State.DENIED, **_DECIDED)),
    "paired": Laid("paired", {"state": State.PAIRED, "paired_at": T0 - 9, **_DECIDED}),
    "guest": Laid("paired", {"state": State.PAIRED, "paired_at": T0 - 9, "paired_until": T0 + 1, **_DECIDED}),
    "guest, ended": Laid("stranger", {"state": State.PAIRED, "paired_at": T0 - 9, "paired_until": T0, **_DECIDED}),
    "blocked": Laid("blocked", {"state": State.BLOCKED, **_DECIDED}),
    "revoked": Laid("stranger", {"state": State.REVOKED, **_DECIDED}),
    "expired": Laid("stranger", _asked(-7200, -3600, -6600, state=State.EXPIRED)),
    "expired, in cooldown": Laid("waiting", _asked(-120, -60, 480, state=State.EXPIRED)),
}


class Role(NamedTuple):
    """Who is an owner, who is let in by name or id, and in which states and under which policies that is looked at."""

    owners: Sequence[str]
    allowed: Sequence[str] = ()
    states: Sequence[str] = ("none", "pending", "paired", "blocked")
    policies: Sequence[str] = ("deny", "pair")


PEOPLE = sorted({f"{EVENTS[name].platform}:{EVENTS[name].expect['user_id']}" for name in MESSAGES})
OWNERS = [f"{platform}:{user_id}" for platform, user_id in OWNER.items()]


def _almost(person: str) -> list[str]:
    platform, _, user_id = person.partition(":")
    elsewhere = [f"{other}:{user_id}" for other in Platform if other != platform]
    near = [f"{platform}:{other}" for other in (user_id[:-1], user_id[1:], f"{user_id}0", user_id[0] + user_id)]
    # What is no id there at all is refused when the settings are read.
    return [one for one in near + elsewhere if is_user_id(*_named(one))]


def _named(person: str) -> tuple[Platform, str]:
    platform, _, user_id = person.partition(":")
    return Platform(platform), user_id


ALMOST = [almost for person in PEOPLE for almost in _almost(person)]
"""Shorter and longer ids, and the same ids on the other platforms."""
ROLES = {
    "somebody": Role(OWNERS, states=tuple(STATES), policies=POLICIES),
    "somebody, no owner": Role(
        (), states=("none", "pending", "pending, by this delivery", "denied, in cooldown"), policies=("pair",)
    ),
    "owner": Role([*OWNERS, *PEOPLE]),
    "allowed by id": Role(OWNERS, PEOPLE),
    "allowed by name": Role(OWNERS, ["telegram:@StRanger"]),
    # Security 5 and 7.
    "almost somebody": Role(ALMOST, ALMOST, states=("none",), policies=POLICIES),
}


class Case(NamedTuple):
    """One event under one set of circumstances."""

    delivery: Delivery
    role: str
    state: str
    policy: str
    groups: str

    @property
    def settings(self) -> dict[str, str]:
        """The environment that makes these circumstances."""
        role = ROLES[self.role]
        return {
            "UNKNOWN_USER_POLICY": self.policy,
            "GROUP_POLICY": self.groups,
            "OWNER_USER_IDS": ",".join(role.owners),
            "ALLOWED_USERS": ",".join(role.allowed),
        }

    @property
    def person(self) -> str:
        """The sender, as settings name people."""
        return f"{self.delivery.platform}:{self.delivery.expect['user_id']}"


def expected_reason(case: Case) -> str:  # noqa: PLR0911 (one for each rule)
    """Go through the table of the gate's rules, from the top."""
    expect, role, counts_as = case.delivery.expect, ROLES[case.role], STATES[case.state].counts_as
    in_group = expect["chat_type"] == "group"
    if counts_as == "blocked":
        return "blocked"
    if in_group and (case.groups == "off" or not expect["addressed"]):
        return "group_policy"
    if case.person in role.owners:
        return "owner"
    if case.person in role.allowed or _allowed_by_name(case):
        return "allowed_user"
    if counts_as == "paired":
        return "paired"
    if case.policy == "deny":
        return "policy_deny"
    if in_group:
        return "group_unknown"
    if case.policy == "allow":
        return "policy_allow"
    return "rate_limited" if counts_as == "waiting" else "pairing_requested"


def _allowed_by_name(case: Case) -> bool:
    if case.delivery.platform is not Platform.TELEGRAM:
        return False
    return f"telegram:@{_username(case.delivery)}".lower() in [person.lower() for person in ROLES[case.role].allowed]


def _username(delivery: Delivery) -> str:
    if delivery.platform is Platform.TELEGRAM:
        return str(delivery.body["message"]["from"].get("username", ""))
    if delivery.platform is Platform.DISCORD:
        return str((delivery.body.get("member") or delivery.body).get("user")["username"])
    if delivery.platform is Platform.WHATSAPP:
        profiles = [one["profile"] for one in webhooks.value_of(delivery.body).get("contacts", [])]
        return str(profiles[0].get("username", "")).removeprefix("@") if profiles else ""
    return ""


ADMITTED = {"owner", "allowed_user", "paired", "policy_allow"}


def _alone(text: str) -> dict[str, Any]:
    return {"type": 4, "data": {"content": text, "flags": 64, "allowed_mentions": {"parse": []}}}


def expected_answer(case: Case, reason: str, code: str) -> dict[str, Any] | None:
    """Return the JSON of the response; ``code`` is the one that the person was given, empty where there is none."""
    platform, expect = case.delivery.platform, case.delivery.expect
    told = "Your request has been sent to the owner for approval."
    if _language(case.delivery) == {"language": "de"}:
        told = "Deine Anfrage wurde zur Freigabe an den Besitzer geschickt."
    if not ROLES[case.role].owners:
        told = f"Your pairing code: {code}. Ask the owner to run: doorcode pairing approve {platform} {code}"
    if platform is Platform.TELEGRAM and reason == "pairing_requested" and ROLES[case.role].owners:
        message = case.delivery.body["message"]
        topic = {"message_thread_id": message["message_thread_id"]} if message.get("is_topic_message") else {}
        return {"method": "sendMessage", "chat_id": message["chat"]["id"], "text": told} | topic
    if platform is not Platform.DISCORD:
        return None
    if reason in ADMITTED:
        return {"type": 5, "data": {"flags": 0 if expect["chat_type"] == "direct" else 64}}
    if reason in {"group_policy", "group_unknown"}:
        return _alone("Write to me in a direct message.")
    # After a denial there is no code to repeat.
    if reason == "pairing_requested" or (reason == "rate_limited" and (code or ROLES[case.role].owners)):
        return _alone(told)
    return _alone("This bot is private.")


def expected_hand_off(case: Case, reason: str) -> dict[str, Any]:
    """Return what goes to the agent, without the address of the answer."""
    expect = case.delivery.expect
    message_id, sent_at = _when(case.delivery)
    text = expect["text"]
    if case.delivery.platform is Platform.SLACK:
        text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    return {
        "version": 2,
        "type": "message",
        "platform": str(case.delivery.platform),
        "chat": expect["chat_type"],
        "user": {
            "id": expect["user_id"],
            "name": _name(case.delivery),
            "label": "",
            "role": "owner" if reason == "owner" else "user",
            **_language(case.delivery),
        },
        "admitted_by": reason,
        "messages": [
            {
                "id": message_id,
                "kind": expect["message_kind"],
                "text": text,
                "sent_at": sent_at,
                "attachments": expect.get("attachments", []),
            }
        ],
        "history": [],
        "reply_to": "",
    }


def _name(delivery: Delivery) -> str:
    if username := _username(delivery):
        return f"@{username}"
    if delivery.platform is Platform.TELEGRAM:
        return str(delivery.body["message"]["from"]["first_name"])
    if delivery.platform is Platform.WHATSAPP:
        return str(webhooks.value_of(delivery.body)["contacts"][0]["profile"]["name"])
    return ""


def _language(delivery: Delivery) -> dict[str, str]:
    if delivery.platform is Platform.TELEGRAM:
        said = delivery.body["message"]["from"].get("language_code", "")
    else:
        said = delivery.body.get("locale", "")
    return {"language": said.lower()} if said else {}


def _when(delivery: Delivery) -> tuple[str, int]:
    body = delivery.body
    if "trigger_id" in body:
        # A command comes with no time but that of its delivery.
        return body["trigger_id"], T0
    if delivery.platform is Platform.TELEGRAM:
        return str(body["message"]["message_id"]), body["message"]["date"]
    if delivery.platform is Platform.SLACK:
        return body["event"]["ts"], int(float(body["event"]["ts"]))
    if delivery.platform is Platform.WHATSAPP:
        (message,) = webhooks.messages_of(body)
        return message["id"], int(message["timestamp"])
    return body["id"], ((int(body["id"]) >> 22) + 1420070400000) // 1000


def _where(delivery: Delivery) -> tuple[str, str, dict[str, Any]]:
    """Return chat and thread, and what an answer there needs at the least."""
    body = delivery.body
    if delivery.platform is Platform.TELEGRAM:
        message = body["message"]
        thread = message["message_thread_id"] if message.get("is_topic_message") else None
        reply = {"chat_id": message["chat"]["id"]} | ({"message_thread_id": thread} if thread else {})
        return str(message["chat"]["id"]), str(thread or ""), reply
    if "trigger_id" in body:
        return body["channel_id"], "", {"channel": body["channel_id"]}
    if delivery.platform is Platform.SLACK:
        thread = body["event"].get("thread_ts", "")
        reply = {"channel": body["event"]["channel"]} | ({"thread_ts": thread} if thread else {})
        # Another workspace's channel goes by its workspace, too, as its deliveries do.
        return delivery.expect["delivery_id"].rpartition(":")[0], thread, reply
    if delivery.platform is Platform.WHATSAPP:
        (message,) = webhooks.messages_of(body)
        person = delivery.expect["user_id"]
        return message.get("group_id", person), "", {"to": person, "message_id": message["id"]}
    expires = _when(delivery)[1] + 15 * 60
    reply = {"application_id": body["application_id"], "token": body["token"], "expires": expires}
    return body.get("channel_id", f"@{delivery.expect['user_id']}"), "", reply


@pytest.fixture(scope="module")
def shared_edge() -> Iterator[Edge]:
    """Give one edge to all these tests: its doors stay warm."""
    with pytest.MonkeyPatch.context() as patch, in_process.aws():
        yield Edge(patch)


@pytest.fixture
def edge(shared_edge: Edge, caplog: pytest.LogCaptureFixture) -> Iterator[Edge]:
    """Give the shared edge with an empty table and queue, and nothing noted."""
    caplog.set_level("INFO", logger="doorcode")
    yield shared_edge
    shared_edge.empty()
    # For speed: moto looks through all that waits with every message that is sent.
    sqs_backends[DEFAULT_ACCOUNT_ID][REGION].queues["agent.fifo"]._messages.clear()
    shared_edge.calls_made.clear()


def _lay(edge: Edge, case: Case) -> Contact | None:
    """Put the person into the table as the case has them."""
    laid = STATES[case.state]
    if not laid.fields:
        return None
    fields = dict(laid.fields)
    if laid.counts_as == "heard":
        fields["delivery_id"] = case.delivery.expect["delivery_id"]
    contact = Contact(platform=case.delivery.platform, user_id=case.delivery.expect["user_id"], rev=4, **fields)
    edge.put(contact)
    return contact


class Seen(NamedTuple):
    """What one delivery did."""

    answer: Any
    logged: list[dict[str, Any]]
    table_calls: list[str]
    sent: list[dict[str, Any]]


def _deliver(edge: Edge, delivery: Delivery, caplog: pytest.LogCaptureFixture, **settings: str) -> Seen:
    door = edge.door(delivery.platform, **settings)
    caplog.clear()
    table, queue = edge.clients["dynamodb"], edge.clients["sqs"]
    table_before, sent_before = len(table.calls), len(queue.calls)
    response = door.serve(webhooks.request(delivery, T0), T0)
    assert response["statusCode"] == 200
    assert set(queue.calls[sent_before:]) <= {"send_message"}
    records = [record for record in caplog.records if record.name.startswith("doorcode")]
    said = [value for value in _said(delivery) if any(value in str(record.__dict__) for record in records)]
    assert not said, "security 34: something that a person sent was logged"
    return Seen(
        body_of(response),
        [{name: getattr(record, name, None) for name in ("reason", "platform", "user_id")} for record in records],
        table.calls[table_before:],
        queue.arguments[sent_before:],
    )


def _said(delivery: Delivery) -> list[str]:
    """Return what must not be in a log: texts that are long enough to be told from our own words, and tokens."""
    said = (delivery.expect.get("text", ""), delivery.expect.get("callback", ""), delivery.body.get("token", ""))
    return [text for text in said if len(text) > 5]


def _changed(table_calls: list[str]) -> bool:
    return not set(table_calls) <= {"get_item", "query"}


Items = Mapping[tuple[str, str], Mapping[str, Any]]


def _check_hand_off(case: Case, reason: str, sent: list[dict[str, Any]]) -> None:
    assert len(sent) == 1
    (arguments,) = sent
    body = arguments["MessageBody"]
    assert body.isascii()
    handed_off = json.loads(body)
    chat, thread, reply = _where(case.delivery)
    assert reply.items() <= handed_off.pop("reply").items()
    # Opaque, and the same wherever they are passed on to.
    assert all(re.fullmatch("[0-9a-f]{64}", handed_off.pop(name)) for name in ("id", "conversation"))
    assert handed_off == expected_hand_off(case, reason)
    platform, delivery_id = case.delivery.platform, case.delivery.expect["delivery_id"]
    # What only the writer sees is a conversation of the writer's own.
    alone = f"#{case.delivery.expect['user_id']}" if case.delivery.expect.get("private") else ""
    assert arguments["MessageGroupId"] == f"{platform}#{chat}#{thread}{alone}"
    assert arguments["MessageDeduplicationId"] == f"{platform}#{delivery_id}"


def _check_request(case: Case, before: Contact | None, items: Items, after: Contact) -> None:
    """One contact, pending by this delivery, and its one seat: its own if it still had one."""
    platform, expect = case.delivery.platform, case.delivery.expect
    assert (after.state, after.delivery_id, after.name) == (State.PENDING, expect["delivery_id"], _name(case.delivery))
    # What was overdue has come to nothing.
    cooldown = 1200 if before and before.state is State.PENDING and before.code_expires_at <= T0 else 600
    assert (after.requested_at, after.code_expires_at, after.next_code_at) == (T0, T0 + 3600, T0 + cooldown)
    assert _where(case.delivery)[2].items() <= json.loads(after.reply).items()
    assert after.rev == (before.rev if before else 0) + 1
    assert after.nonce != (before.nonce if before else "")
    assert after.key_id == key_id(GATEWAY.newest)
    if before and before.seat:
        assert after.seat == before.seat
    assert set(items) == {(f"{platform}#{expect['user_id']}", "contact"), (f"seats#{platform}", after.seat)}


def _check_budget(case: Case, before: Contact | None, items: Items, after: Contact | None) -> None:
    """Only the count of what the person spent came to be."""
    person = f"{case.delivery.platform}#{case.delivery.expect['user_id']}"
    others = {pk for pk, _ in items if not pk.startswith("seats#")}
    assert others == {f"budget#{person}"} | ({person} if before else set())
    assert after == before


def _items(edge: Edge) -> Items:
    return {(item["pk"]["S"], item["sk"]["S"]): item for item in edge.items()}


def _check(edge: Edge, case: Case, before: Contact | None, seen: Seen) -> None:
    reason, counts_as = expected_reason(case), STATES[case.state].counts_as
    platform, user_id = case.delivery.platform, case.delivery.expect["user_id"]
    assert seen.logged == [{"reason": reason, "platform": platform, "user_id": user_id}]
    if reason == "owner" and case.delivery.expect.get("door") and case.delivery.expect["chat_type"] == "direct":
        # Answered at once, and handed to nobody: see test_door.py.
        # Where nothing in the response is shown, it is on its way to whoever says it.
        shown = [seen.answer] if platform is not Platform.WHATSAPP else seen.sent
        assert len(seen.sent) == (platform is Platform.WHATSAPP)
        assert "doorcode pairing list" in str(shown)
        return
    if reason in ADMITTED:
        _check_hand_off(case, reason, seen.sent)
    else:
        assert seen.sent == []
    items: Items = {}
    after = before
    if _changed(seen.table_calls):
        items = _items(edge)
        item = items.get((f"{platform}#{user_id}", "contact"))
        after = contact_from_item(item) if item else None
    if reason == "pairing_requested" and counts_as != "heard":
        # Whoever waits where no owner is set is told by the owners by claim, if there are any.
        asks_for_owners = [] if ROLES[case.role].owners else ["get_item"]
        assert seen.table_calls == ["get_item", "query", "transact_write_items", *asks_for_owners]
        assert after
        _check_request(case, before, items, after)
    elif reason == "policy_allow":
        assert seen.table_calls == ["get_item", "update_item"]
        _check_budget(case, before, items, after)
    else:
        # The same notice again, of a request that is there.
        told_again = {"pairing_requested", *(["rate_limited"] if platform is Platform.DISCORD else [])}
        again = reason in told_again and not ROLES[case.role].owners
        assert seen.table_calls == ["get_item"] * (2 if again else 1)
    code = edge.code(after) if after and after.state is State.PENDING and after.code_expires_at > T0 else ""
    assert seen.answer == expected_answer(case, reason, code)


def _telling() -> Iterator[str]:
    """Give the first message of each kind that the gate could tell from another: who and where, addressed or not, a command."""
    kinds = set()
    for name in MESSAGES:
        told = EVENTS[name].expect
        kind = (EVENTS[name].platform, told["chat_type"], told["addressed"], bool(told.get("door")), told["user_id"])
        if kind not in kinds:
            kinds.add(kind)
            yield name


TELLING = frozenset(_telling())


def _cases(name: str) -> Iterator[Case]:
    """Give the whole matrix for what tells; for the others, of which the gate sees the same, a stranger and one who is in."""
    delivery = EVENTS[name]
    groups = GROUP_POLICIES if delivery.expect["chat_type"] == "group" else GROUP_POLICIES[:1]
    for role, (_, _, states, policies) in ROLES.items() if name in TELLING else [("somebody", ROLES["somebody"])]:
        for state in states if name in TELLING else ("none", "paired"):
            for policy in policies if name in TELLING else ("pair",):
                for group_policy in groups:
                    yield Case(delivery, role, state, policy, group_policy)


@pytest.mark.parametrize("name", MESSAGES)
def test_a_message_from_anybody_under_any_policy(edge: Edge, name: str, caplog: pytest.LogCaptureFixture) -> None:
    """Each message has the one reason of its first matching rule, and the effects of that. Security 5 to 7, 22, 25, 27, 34."""
    before, lies = None, ("", "")
    for case in _cases(name):
        if lies != (case.role, case.state):
            edge.empty()
            before, lies = _lay(edge, case), (case.role, case.state)
        seen = _deliver(edge, case.delivery, caplog, **case.settings)
        try:
            _check(edge, case, before, seen)
        except AssertionError as error:
            circumstances = f"{case.role}, {case.state}, {case.policy}, groups {case.groups}: {seen}"
            error.add_note(circumstances)
            raise
        if _changed(seen.table_calls):
            lies = ("", "")


@pytest.mark.parametrize("name", DIRECT_MESSAGES)
def test_beyond_the_budget_a_message_is_dropped(edge: Edge, name: str, caplog: pytest.LogCaptureFixture) -> None:
    """Under the policy allow, what is over the minute's budget is not handed off, with its own reason. Security 34."""
    settings = {"UNKNOWN_USER_POLICY": "allow", "MESSAGE_BUDGET": "1", "OWNER_USER_IDS": ""}
    first = _deliver(edge, EVENTS[name], caplog, **settings)
    second = _deliver(edge, EVENTS[name].another(700), caplog, **settings)
    assert [first.logged[0]["reason"], second.logged[0]["reason"]] == ["policy_allow", "over_budget"]
    assert (len(first.sent), second.sent, len(second.logged)) == (1, [], 1)
    assert second.answer == (_alone("This bot is private.") if EVENTS[name].platform is Platform.DISCORD else None)


@pytest.mark.parametrize("name", DIRECT_MESSAGES)
def test_a_full_waiting_room_drops_a_message(edge: Edge, name: str, caplog: pytest.LogCaptureFixture) -> None:
    """Without a free seat a stranger's message is dropped, with its own reason, and writes nothing. Security 26, 34."""
    platform, user_id = EVENTS[name].platform, EVENTS[name].expect["user_id"]
    edge.put(Contact(platform=platform, user_id="1", rev=1, **_asked(0, 3600, 600, state=State.PENDING, seat="00")))
    before = edge.items()
    settings = {"MAX_PENDING": "1", "OWNER_USER_IDS": "telegram:1"}
    seen = _deliver(edge, EVENTS[name], caplog, **settings)
    assert seen.logged == [{"reason": "waiting_room_full", "platform": platform, "user_id": user_id}]
    assert edge.items() == before
    assert seen.sent == []
    assert seen.answer == (_alone("This bot is private.") if platform is Platform.DISCORD else None)


CIRCUMSTANCES = [
    {"UNKNOWN_USER_POLICY": policy, "GROUP_POLICY": groups} for policy in POLICIES for groups in GROUP_POLICIES
]


@pytest.mark.parametrize("name", _of_kind("ignored"))
def test_what_is_no_message_does_nothing(edge: Edge, name: str, caplog: pytest.LogCaptureFixture) -> None:
    """Edits, reactions, joins and bots ask nothing of the table and start nothing, whatever the policy. Security 27, 34."""
    platform = EVENTS[name].platform
    for settings in CIRCUMSTANCES:
        seen = _deliver(edge, EVENTS[name], caplog, **settings)
        assert [(line["reason"], line["platform"]) for line in seen.logged] == [("not_a_message", platform)], settings
        assert (seen.table_calls, seen.sent) == ([], []), settings
        if name == "discord/autocomplete":
            assert seen.answer == {"type": 8, "data": {"choices": []}}
        else:
            assert seen.answer == (_alone("This bot is private.") if platform is Platform.DISCORD else None), settings


@pytest.mark.parametrize("name", PRESSES)
def test_a_press_that_is_not_ours_does_nothing(edge: Edge, name: str, caplog: pytest.LogCaptureFixture) -> None:
    """A button that we did not sign writes nothing, and only the presser is told. Security 15, 16, 34."""
    delivery = EVENTS[name]
    platform, user_id = delivery.platform, delivery.expect["user_id"]
    text = "This button does not work any more."
    told = {"response_type": "ephemeral", "replace_original": False, "text": text}
    for settings in CIRCUMSTANCES:
        edge.calls_made.clear()
        seen = _deliver(edge, delivery, caplog, **settings)
        assert seen.logged == [{"reason": "bad_callback", "platform": platform, "user_id": user_id}], settings
        # What a question's button has signed stands in the question: that is looked for, and there is none.
        looked = ["get_item"] if delivery.expect["callback"].startswith("ask:") else []
        assert seen.table_calls == looked, settings
        # Where nothing in the response is shown, and no call can be made, it is on its way to whoever says it.
        words = [json.loads(sent["MessageBody"]) for sent in seen.sent]
        later = [(platform, user_id, text)] if platform is Platform.WHATSAPP else []
        assert [(word["platform"], word["user_id"], word["text"]) for word in words] == later, settings
        if platform is Platform.TELEGRAM:
            answer = {"method": "sendMessage", "chat_id": int(user_id), "text": text}
            if "callback_query" in delivery.body:
                query = {"callback_query_id": delivery.body["callback_query"]["id"]}
                answer = {"method": "answerCallbackQuery", "text": text, "show_alert": True} | query
            assert seen.answer == answer
        else:
            assert seen.answer == (_alone(text) if platform is Platform.DISCORD else None)
        called = [(call.url, json.loads(call.body)) for call in edge.calls_made]
        assert called == ([(delivery.expect["response_url"], told)] if platform is Platform.SLACK else []), settings


PRESSED = {"approve": State.PAIRED, "deny": State.DENIED, "block": State.BLOCKED}


@pytest.mark.parametrize("name", [name for name in PRESSES if EVENTS[name].expect["callback"].startswith("pair:")])
def test_a_press_that_is_ours_works_for_the_owner_alone(
    edge: Edge, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The same press, with a button that we signed, decides if an owner made it, and only then. Security 15, 16."""
    delivery = EVENTS[name]
    platform, presser, data = delivery.platform, delivery.expect["user_id"], delivery.expect["callback"]
    action = data.split(":")[1]
    contact = Contact(platform=platform, user_id=data.split(":")[3], rev=4, **_asked(-60, 3540, 540, **_WAITING))
    edge.put(contact)
    _deliver(edge, delivery.replaced(data, edge.button(contact, Action(action))), caplog)
    after = edge.contact(platform, contact.user_id)
    by_owner = presser == OWNER[platform]
    assert after.state is (PRESSED[action] if by_owner else State.PENDING)
    assert (after.decided_by, after.decided_via) == ((presser, "button") if by_owner else ("", ""))
    assert edge.clients["sqs"].calls.count("send_message") == len(edge.clients["sqs"].calls)


@pytest.mark.parametrize("name", _of_kind("ping", "url_verification"))
def test_a_handshake_is_answered(edge: Edge, name: str, caplog: pytest.LogCaptureFixture) -> None:
    """The question whether we are there gets what the platform wants to hear, and does nothing else."""
    pong, challenge = {"type": 1}, {"challenge": EVENTS[name].expect.get("challenge")}
    for settings in CIRCUMSTANCES:
        seen = _deliver(edge, EVENTS[name], caplog, **settings)
        assert seen.answer == (pong if name == "discord/ping" else challenge), settings
        assert (seen.table_calls, seen.sent) == ([], []), settings
        assert {line["reason"] for line in seen.logged} <= {None}, settings


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Signature-Ed25519": "", "X-Signature-Timestamp": ""},
        {"X-Signature-Ed25519": "00" * 64, "X-Signature-Timestamp": str(T0)},
        {"X-Signature-Ed25519": "ab" * 63, "X-Signature-Timestamp": str(T0)},
        {"X-Signature-Timestamp": str(T0)},
        webhooks.signed(Platform.DISCORD, b"another body", T0),
        {**webhooks.signed(Platform.DISCORD, EVENTS["discord/ping"].raw(), T0), "X-Signature-Timestamp": str(T0 + 1)},
    ],
    ids=["none", "empty", "zeros", "short", "timestamp only", "of another body", "another timestamp"],
)
def test_discord_s_acceptance_check(edge: Edge, headers: dict[str, str]) -> None:
    """Discord saves an endpoint only if a valid PING gets PONG, and invalid ones get 401."""
    ping = EVENTS["discord/ping"]
    valid = edge.deliver(ping)
    assert valid == {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": '{"type":1}'}
    invalid = edge.door(Platform.DISCORD).serve(webhooks.envelope(ping.raw(), headers, "/discord"), T0)
    assert invalid == {"statusCode": 401}

"""The edge, deployed: correctly signed requests over real HTTP, and what comes of them."""

import json
import time
from collections.abc import Iterator

import pytest

from doorcode.aws.items import CONTACT, contact_attributes, contact_pk
from doorcode.pairing import callbacks
from doorcode.pairing.callbacks import Action, Callback
from doorcode.pairing.codes import code_for
from doorcode.pairing.contact import Contact, Platform, State
from doorcode.pairing.keyring import parse_keyring
from tests import webhooks
from tests.edge.loopback_bot import loopback_bot
from tests.eventually import eventually
from tests.integration.stack import Cloud, Reply, Stack
from tests.webhooks import APPROVE, HELLO, OWNER, STRANGER, Delivery, load

EACH = pytest.mark.parametrize("platform", list(Platform))
OWNERS = ",".join(f"{platform}:{user_id}" for platform, user_id in OWNER.items())
SENT = "Your request has been sent to the owner for approval."


class Doors:
    """A deployed stack, and the platforms that call it."""

    def __init__(self, stack: Stack) -> None:
        """Give the stack the secrets that these platforms sign with."""
        self.stack = stack
        stack.set_secret("telegram/webhook-secret", webhooks.WEBHOOK_SECRET)
        stack.set_secret("slack/signing-secret", webhooks.SIGNING_SECRET)
        stack.set_secret("discord/public-key", webhooks.PUBLIC_KEY)
        stack.set_secret("whatsapp/app-secret", webhooks.APP_SECRET)
        # What is admitted is to be seen in its queue, and the table as the edge leaves it.
        stack.rest()

    def deliver(self, delivery: Delivery) -> Reply:
        """Send a delivery, signed now."""
        raw = delivery.raw()
        headers = {**delivery.headers, **webhooks.signed(delivery.platform, raw, int(time.time()))}
        return self.stack.post(delivery.platform, raw, headers)

    def hello(self, platform: Platform, number: int = 0) -> Reply:
        """Have the stranger write."""
        return self.deliver(load(HELLO[platform]).another(number))

    def contact_item(self, platform: Platform) -> dict[str, dict[str, str]]:
        """Return the stranger's item, empty if there is none."""
        pk = contact_pk(platform, STRANGER[platform])
        found = [item for item in self.stack.items() if (item["pk"]["S"], item["sk"]["S"]) == (pk, CONTACT)]
        return found[0] if found else {}

    def press(self, platform: Platform, action: Action) -> Reply:
        """Have the owner press a button of the stranger's present request."""
        nonce = self.contact_item(platform)["nonce"]["S"]
        gateway = parse_keyring(self.stack.secret("gateway-secret"))
        code = code_for(gateway.newest, platform, STRANGER[platform], nonce)
        keys = parse_keyring(self.stack.secret("callback-secret"))
        data = callbacks.sign(Callback(action, platform, STRANGER[platform], code), keys)
        event = load(APPROVE[platform])
        # Each press is a delivery of its own.
        return self.deliver(event.replaced(event.expect["callback"], data).another(list(Action).index(action)))

    def put(self, platform: Platform, state: State) -> None:
        """Lay the stranger into the table."""
        contact = Contact(platform=platform, user_id=STRANGER[platform], state=state, rev=1, paired_at=1)
        key = {"pk": {"S": contact_pk(platform, contact.user_id)}, "sk": {"S": CONTACT}}
        self.stack.client("dynamodb").put_item(TableName=self.stack.table, Item=key | contact_attributes(contact))


@pytest.fixture(scope="module")
def doors(cloud: Cloud) -> Iterator[Doors]:
    """Deploy a stack that pairs, with owners everywhere and one allowed person."""
    stack = cloud.deploy(
        "doors",
        UnknownUserPolicy="pair,whatsapp=pair",
        OwnerUserIds=OWNERS,
        AllowedUsers="telegram:555000111",
        SecretsMaxAgeSeconds=0,
    )
    yield Doors(stack)
    cloud.delete("doors")


@pytest.fixture(autouse=True)
def _clean(doors: Doors) -> None:
    doors.stack.clear()


def text_of(reply: Reply) -> str:
    """Return what the writer sees in the response."""
    if reply.json is None:
        return ""
    return str(reply.json["data"]["content"] if "data" in reply.json else reply.json["text"])


@EACH
def test_a_stranger_is_answered_once_and_the_same_delivery_alike(doors: Doors, platform: Platform) -> None:
    """Security 4, 25: a request is answered, its delivery gets the same answer again, another one within the cooldown none."""
    expected = "" if platform in {Platform.SLACK, Platform.WHATSAPP} else SENT
    first = doors.hello(platform)
    assert (first.status, text_of(first)) == (200, expected)
    item = doors.contact_item(platform)
    assert item["state"]["S"] == "pending"
    again = doors.hello(platform)
    assert (again.status, again.body) == (200, first.body)
    another = doors.hello(platform, 1)
    assert (another.status, text_of(another)) == (200, SENT if platform is Platform.DISCORD else "")
    assert doors.contact_item(platform) == item
    assert doors.stack.admitted() == []


@EACH
def test_a_press_lets_in_and_messages_come_out_in_order(doors: Doors, platform: Platform) -> None:
    """After the owner's press every message comes out of the queue once, in order, in the documented form."""
    doors.hello(platform)
    assert doors.press(platform, Action.APPROVE).status == 200
    assert doors.contact_item(platform)["state"]["S"] == "paired"
    for number in (1, 2, 2, 3):
        text = f"message {number}"
        reply = doors.deliver(load(HELLO[platform]).another(number).replaced("Hello, may I come in?", text))
        assert reply.status == 200
        assert (reply.json or {}).get("type") == (5 if platform is Platform.DISCORD else None)
    bodies = [json.loads(message["Body"]) for message in doors.stack.admitted(1)]
    assert [body["messages"][0]["text"] for body in bodies] == ["message 1", "message 2", "message 3"]
    for body in bodies:
        assert set(body) == {
            "version", "type", "id", "platform", "conversation", "chat", "user", "admitted_by", "messages", "history",
            "reply", "reply_to",
        }  # fmt: skip
        assert (body["version"], body["user"]["id"], body["admitted_by"]) == (2, STRANGER[platform], "paired")


@EACH
def test_a_denied_and_a_blocked_person_are_not_let_in(doors: Doors, platform: Platform) -> None:
    """Security 22, 24: neither a denial nor a block lets anything through."""
    doors.hello(platform)
    doors.press(platform, Action.DENY)
    assert doors.contact_item(platform)["state"]["S"] == "denied"
    doors.hello(platform, 1)
    doors.press(platform, Action.BLOCK)
    assert doors.contact_item(platform)["state"]["S"] == "blocked"
    reply = doors.hello(platform, 2)
    assert text_of(reply) == ("This bot is private." if platform is Platform.DISCORD else "")
    assert doors.stack.admitted() == []


def test_an_allowed_person_and_an_owner_need_no_request(doors: Doors) -> None:
    """Whoever is in ALLOWED_USERS, and an owner, is let in without being in the table."""
    event = load(HELLO[Platform.TELEGRAM]).another(5)
    event.body["message"]["from"]["id"] = event.body["message"]["chat"]["id"] = 555000111
    doors.deliver(event)
    doors.deliver(load("telegram/private_text_owner"))
    reasons = [json.loads(message["Body"])["admitted_by"] for message in doors.stack.admitted(1)]
    assert sorted(reasons) == ["allowed_user", "owner"]
    assert doors.stack.items() == []


@pytest.mark.parametrize("name", ["telegram/group_mention", "slack/app_mention", "discord/chat_guild"])
def test_groups_are_off(doors: Doors, name: str) -> None:
    """Security 22: by default nothing said in a group goes any further, and nobody gets a code there."""
    event = load(name)
    doors.put(event.platform, State.PAIRED)
    reply = doors.deliver(event)
    assert reply.status == 200
    assert text_of(reply) == ("Write to me in a direct message." if event.platform is Platform.DISCORD else "")
    assert doors.stack.admitted() == []


def test_discord_checks_the_endpoint(doors: Doors) -> None:
    """A valid PING is answered with PONG, deliberately invalid ones with 401, as Discord tries when the URL is set."""
    ping = load("discord/ping")
    raw, now = ping.raw(), int(time.time())
    good = webhooks.signed(Platform.DISCORD, raw, now)
    assert doors.stack.post("discord", raw, good).json == {"type": 1}
    for bad in (
        {},
        good | {"X-Signature-Ed25519": "00" * 64},
        good | {"X-Signature-Timestamp": str(now + 1)},
        good | {"X-Signature-Ed25519": "zz"},
    ):
        assert doors.stack.post("discord", raw, bad).status == 401


def test_slack_checks_the_url(doors: Doors) -> None:
    """Slack's challenge is answered after its signature was checked, and refused without one."""
    event = load("slack/url_verification")
    assert event.expect["challenge"].encode() in doors.deliver(event).body
    assert doors.stack.post("slack", event.raw(), {"Content-Type": "application/json"}).status == 401


@EACH
def test_the_reason_is_logged_and_nothing_else(doors: Doors, platform: Platform) -> None:
    """Security 8, 34: the function's log has the reason as a field of its own, and neither text nor code."""
    doors.hello(platform)
    nonce = doors.contact_item(platform)["nonce"]["S"]
    gateway = parse_keyring(doors.stack.secret("gateway-secret"))
    code = code_for(gateway.newest, platform, STRANGER[platform], nonce)

    def asked() -> bool:
        return "pairing_requested" in [record.get("reason") for record in doors.stack.log(platform)]

    assert eventually(asked)
    records = doors.stack.log(platform)
    assert code not in str(records)
    assert "may I come in" not in str(records)


def test_the_policy_of_each_platform(doors: Doors) -> None:
    """Security 23: under deny a stranger is dropped, under allow admitted within the budget, from the next message on."""
    doors.stack.redeploy(UnknownUserPolicy="deny,discord=allow", MessageBudget=2)
    assert text_of(doors.hello(Platform.TELEGRAM)) == ""
    for number in (101, 102, 103):
        reply = doors.hello(Platform.DISCORD, number)
    assert text_of(reply) == "This bot is private."
    assert len(doors.stack.admitted(1)) == 2
    assert doors.contact_item(Platform.TELEGRAM) == {}


def test_a_bot_behind_the_deployed_door(doors: Doors) -> None:
    """Security 40: what is let in reaches a bot on this machine as it was sent, and nothing is handed to the agent."""
    functions, name = doors.stack.client("lambda"), doors.stack.resource("SlackFunction")
    before = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    with loopback_bot() as bot:
        bot.answers("200 OK", b'{"response_action":"clear"}', "Content-Type: application/json")
        try:
            given = {"AGENT": "bot", "AGENT_URL": bot.url}
            functions.update_function_configuration(FunctionName=name, Environment={"Variables": before | given})
            command = load("slack/command")
            assert doors.deliver(command).body == b""
            assert bot.received == []
            doors.put(Platform.SLACK, State.PAIRED)
            reply = doors.deliver(command)
        finally:
            functions.update_function_configuration(FunctionName=name, Environment={"Variables": before})
        assert (reply.status, reply.json) == (200, {"response_action": "clear"})
        assert reply.headers["content-type"] == "application/json"
        (got,) = bot.received
        assert (got.line, got.body) == ("POST /hook/s3cret?x=1&y=%2F HTTP/1.1", command.raw())
        assert got.header("x-doorcode-user") == STRANGER[Platform.SLACK]

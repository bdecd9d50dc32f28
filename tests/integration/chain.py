"""The deployed stack, the platforms beside it, and the people who use them: everything between a word and its answer."""

import contextlib
import itertools
import json
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from doorcode.aws.items import CONTACT, contact_from_item, contact_pk
from doorcode.pairing.codes import code_for
from doorcode.pairing.contact import Contact, Platform
from doorcode.pairing.keyring import parse_keyring
from doorcode_sandbox.platforms.discord.stand_in import DiscordStandIn
from doorcode_sandbox.platforms.slack.stand_in import SlackStandIn
from doorcode_sandbox.platforms.telegram.stand_in import TelegramStandIn
from doorcode_sandbox.platforms.whatsapp.chats import text_of
from doorcode_sandbox.platforms.whatsapp.stand_in import WhatsAppStandIn
from tests import webhooks
from tests.backends import dynamodb
from tests.backends.in_process import REGION
from tests.eventually import eventually
from tests.forked import doorcode
from tests.integration.stack import Cloud, Reply, Stack
from tests.webhooks import APPROVE, HELLO, OWNER, STRANGER, Delivery, load

SECOND_OWNER = "222333444"
ALL_OWNERS = ",".join(f"{platform}:{user_id}" for platform, user_id in OWNER.items()) + f",telegram:{SECOND_OWNER}"
OWNER_CHANNEL = {
    Platform.TELEGRAM: OWNER[Platform.TELEGRAM],
    Platform.SLACK: "D0OWNER001",
    Platform.DISCORD: "400000000000000002",
    Platform.WHATSAPP: OWNER[Platform.WHATSAPP],
}
# How the stranger of the payloads is named, and where they write.
FIRST_CHANNEL = {
    Platform.TELEGRAM: STRANGER[Platform.TELEGRAM],
    Platform.SLACK: "D0STRANGER",
    Platform.DISCORD: "400000000000000001",
    Platform.WHATSAPP: STRANGER[Platform.WHATSAPP],
}
FIRST_TEXT = "Hello, may I come in?"
DISCORD_EPOCH_MS = 1_420_070_400_000

# Everything that happens here is another delivery, and everybody who writes another person: no test sees another's.
REDELIVERIES = 2
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Person:
    """Somebody who writes, and the chat with them."""

    platform: Platform
    id: str
    channel: str


class Chain:
    """A deployed stack with all that follows the edge, between the platforms' stand-ins."""

    def __init__(self, cloud: Cloud) -> None:
        """Prepare everything; ``running`` deploys."""
        self.cloud = cloud
        self.telegram, self.slack, self.discord = TelegramStandIn(), SlackStandIn(), DiscordStandIn()
        self.whatsapp = WhatsAppStandIn()
        self.stand_ins = {
            Platform.TELEGRAM: self.telegram,
            Platform.SLACK: self.slack,
            Platform.DISCORD: self.discord,
            Platform.WHATSAPP: self.whatsapp,
        }
        self.stack: Stack
        self._settings: dict[str, object] = {}
        self._events_url = ""
        self._events: list[dict[str, Any]] = []

    @contextlib.contextmanager
    def running(self) -> Iterator["Chain"]:
        """Deploy the stack with the owners' chats open and the events caught, and take it all away again."""
        for owner in (OWNER[Platform.TELEGRAM], SECOND_OWNER):
            self.telegram.open_chat(owner)
        self.slack.add_user(OWNER[Platform.SLACK], "owner", channel=OWNER_CHANNEL[Platform.SLACK])
        self.slack.open_chat(OWNER[Platform.SLACK])
        self.discord.add_user(OWNER[Platform.DISCORD], channel=OWNER_CHANNEL[Platform.DISCORD])
        self.whatsapp.add_user(OWNER[Platform.WHATSAPP])
        with self.telegram, self.slack, self.discord, self.whatsapp:
            self._settings = {"OwnerUserIds": ALL_OWNERS, "DebounceSeconds": 0, "Agent": "python", "AgentModel": ""}
            self.stack = self.cloud.deploy(
                "chain",
                UnknownUserPolicy="pair,whatsapp=pair",
                SecretsMaxAgeSeconds=0,
                TelegramApiUrl=self.telegram.api_url,
                SlackApiUrl=self.slack.api_url,
                DiscordApiUrl=self.discord.api_url,
                WhatsappApiUrl=self.whatsapp.api_url,
                **self._settings,
            )
            for name, value in (
                ("telegram/webhook-secret", webhooks.WEBHOOK_SECRET),
                ("slack/signing-secret", webhooks.SIGNING_SECRET),
                ("discord/public-key", webhooks.PUBLIC_KEY),
                ("telegram/bot-token", self.telegram.token),
                ("slack/bot-token", self.slack.token),
                ("discord/bot-token", self.discord.token),
                ("whatsapp/app-secret", webhooks.APP_SECRET),
                ("whatsapp/bot", f"{self.whatsapp.PHONE_NUMBER_ID}:{self.whatsapp.DISPLAY_PHONE_NUMBER}"),
                ("whatsapp/bot-token", self.whatsapp.token),
            ):
                self.stack.set_secret(name, value)
            self._catch_events()
            try:
                yield self
            finally:
                self.cloud.delete("chain")

    def set(self, **settings: object) -> None:
        """Have these settings, and the others as they are; deploys only what differs."""
        if settings.items() - self._settings.items():
            self.stack.redeploy(**settings)
            self._settings |= settings

    # What people do

    def stranger(self, platform: Platform) -> Person:
        """Have somebody new, in a chat of their own."""
        number = next(_numbers)
        if platform is Platform.TELEGRAM:
            person = Person(platform, str(700_000_000 + number), str(700_000_000 + number))
            self.telegram.open_chat(person.id)
        elif platform is Platform.SLACK:
            person = Person(platform, f"U0NEW{number:05}", f"D0NEW{number:05}")
            self.slack.add_user(person.id, "stranger", channel=person.channel)
            self.slack.open_chat(person.id)
        elif platform is Platform.WHATSAPP:
            person = Person(platform, f"US.7{number:09}", f"US.7{number:09}")
            self.whatsapp.add_user(person.id)
        else:
            person = Person(platform, str(210_000_000_000_000_000 + number), str(410_000_000_000_000_000 + number))
            self.discord.add_user(person.id, channel=person.channel)
        return person

    def says(self, person: Person, text: str = FIRST_TEXT) -> Reply:
        """Have somebody write to the bot."""
        event = load(HELLO[person.platform]).replaced(FIRST_TEXT, text)
        event = event.replaced(STRANGER[person.platform], person.id)
        return self._deliver(event.replaced(FIRST_CHANNEL[person.platform], person.channel))

    def presses(self, button: str, on: Platform, owner: str = "") -> Reply:
        """Have an owner press a button, with what it carries as the platform has received it."""
        event = load(APPROVE[on])
        event = event.replaced(event.expect["callback"], button)
        owner = owner or OWNER[on]
        event = event.replaced(OWNER[on], owner)
        if on is Platform.SLACK:
            event.body["response_url"] = self.slack.response_url(owner, OWNER_CHANNEL[on])
        return self._deliver(event)

    def _posted(self, platform: Platform, raw: bytes, headers: dict[str, str]) -> Reply:
        """Send it as the platform does: a cold function on a busy machine may be late, and then most deliver again."""
        for _ in range(REDELIVERIES if platform is not Platform.DISCORD else 0):
            reply = self.stack.post(platform, raw, headers)
            if reply.status != 503:
                return reply
        return self.stack.post(platform, raw, headers)

    def _deliver(self, event: Delivery) -> Reply:
        """Send a webhook that was not sent before; let the stand-in show what was answered in the response."""
        number, now = next(_numbers), time.time()
        event = event.another(number) if event.platform is Platform.WHATSAPP else event
        body = event.body
        if event.platform is Platform.TELEGRAM:
            body["update_id"] = number
            if "callback_query" in body:
                body["callback_query"]["id"] = f"{number}"
                self.telegram.press(f"{number}")
        elif event.platform is Platform.SLACK and "event" in body:
            body["event"]["ts"] = body["event"]["event_ts"] = f"{int(now)}.{number:06}"
        elif event.platform is Platform.SLACK and "actions" in body:
            for action in body["actions"]:
                action["action_ts"] = f"{int(now)}.{number:06}"
        elif event.platform is Platform.DISCORD:
            # An interaction's time is in its id, and its token lives for fifteen minutes from then.
            body["id"] = str((int(now * 1000) - DISCORD_EPOCH_MS) << 22 | number)
            body["token"] += str(number)
            self.discord.interaction(body["token"], body["channel_id"], button=body["data"].get("custom_id", ""))
        raw = event.raw()
        headers = {**event.headers, **webhooks.signed(event.platform, raw, int(now))}
        reply = self._posted(event.platform, raw, headers)
        assert reply.status == 200, reply
        if reply.body and event.platform is Platform.TELEGRAM:
            self.telegram.take(reply.body)
        elif reply.body and event.platform is Platform.DISCORD:
            self.discord.respond(body["token"], reply.body)
        return reply

    # What they see

    def heard(self, person: Person) -> list[str]:
        """Return what a person's chat shows now of the bot's words, oldest first."""
        messages = self.stand_ins[person.platform].in_chat(person.channel)
        return [words(message.shown) for message in messages]

    def hears(self, person: Person, text: str) -> list[str]:
        """Wait until a person hears a text; return all they heard."""
        eventually(lambda: text in self.heard(person))
        heard = self.heard(person)
        assert text in heard, self.why()
        return heard

    def prompts(self, about: Person, on: Platform, channel: str = "") -> list[Mapping[str, Any]]:
        """Return what an owner's chat shows now about a person; where nothing can be changed, the last word alone."""
        messages = self.stand_ins[on].in_chat(channel or OWNER_CHANNEL[on])
        found: list[Mapping[str, Any]] = [
            message.shown for message in messages if about.id in json.dumps(message.shown)
        ]
        return found[-1:] if on is Platform.WHATSAPP else found

    def prompt(self, about: Person, on: Platform, channel: str = "") -> Mapping[str, Any]:
        """Wait for an owner to be asked about a person; return what is shown, which is the only one."""
        eventually(lambda: self.prompts(about, on, channel))
        prompts = self.prompts(about, on, channel)
        assert len(prompts) == 1, self.why()
        return prompts[0]

    def closed(self, about: Person, on: Platform, outcome: str, channel: str = "") -> Mapping[str, Any]:
        """Wait until an owner's prompt says what became of it; return it."""
        eventually(lambda: outcome in words(self.prompt(about, on, channel)))
        prompt = self.prompt(about, on, channel)
        assert outcome in words(prompt), (words(prompt), self.why())
        return prompt

    def events(self, about: Person, count: int) -> list[str]:
        """Wait for so many events about a person; return the types of all that came, which are distinct."""
        eventually(lambda: len(self._caught(about)) >= count)
        for event in self._caught(about):
            assert event["source"] == "doorcode"
            assert event["detail"].keys() == {
                "version", "platform", "user_id", "label", "decided_by", "decided_via", "at",
            }  # fmt: skip
        return [event["detail-type"] for event in self._caught(about)]

    def contact(self, person: Person) -> Contact:
        """Read somebody's contact."""
        key = {"pk": {"S": contact_pk(person.platform, person.id)}, "sk": {"S": CONTACT}}
        answer = self.stack.client("dynamodb").get_item(TableName=self.stack.table, Key=key, ConsistentRead=True)
        return contact_from_item(answer["Item"])

    def command(self, person: Person) -> str:
        """Return the words with which somebody is sent to the owner, with the code of their request."""
        contact = self.contact(person)
        gateway = parse_keyring(self.stack.secret("gateway-secret"))
        code = code_for(gateway.newest, person.platform, person.id, contact.nonce)
        return f"Your pairing code: {code}. Ask the owner to run: doorcode pairing approve {person.platform} {code}"

    def why(self) -> str:
        """Return what the functions behind the edge have logged lately, for when something did not happen."""
        lines = [
            f"{name}: {record.get('message')} {record.get('reason', '')} {record.get('errorType', '')}"
            for name in ("relay", "courier", "agent")
            for record in self.stack.log(name)[-10:]
        ]
        return "\n".join(lines)

    # Moving what time would

    def overdue(self, person: Person) -> None:
        """Have somebody's request, and their seat, be overdue: no move, only time."""
        contact, table = self.contact(person), self.stack.client("dynamodb")
        past = {":past": {"N": str(int(time.time()) - 1)}}
        for pk, sk, name in (
            (contact_pk(person.platform, person.id), CONTACT, "code_expires_at"),
            (f"seats#{person.platform}", contact.seat, "expires_at"),
        ):
            table.update_item(
                TableName=self.stack.table,
                Key={"pk": {"S": pk}, "sk": {"S": sk}},
                UpdateExpression=f"SET {name} = :past",
                ExpressionAttributeValues=past,
            )

    def sweep(self) -> None:
        """Have the schedule's time come: invoke what it invokes, with what it would give."""
        schedule = self.stack.client("scheduler").get_schedule(
            Name=f"{self.stack.name}-sweep", GroupName=self.stack.name
        )
        assert schedule["Target"]["Arn"].endswith(f":{self.stack.resource('CourierFunction')}")
        self.stack.invoke("courier", json.loads(schedule["Target"].get("Input", "{}")))

    def poison(self, queue: str, group: str) -> str:
        """Put something unreadable into a queue; return it."""
        body = json.dumps({"version": 99, "number": next(_numbers)})
        self.stack.client("sqs").send_message(
            QueueUrl=self.stack.resource(queue), MessageBody=body, MessageGroupId=group, MessageDeduplicationId=body
        )
        return body

    def doorcode(self, *arguments: str) -> str:
        """Run ``doorcode`` on this stack; return what it prints."""
        environment = {
            **os.environ,
            **dynamodb.CREDENTIALS,
            "AWS_ENDPOINT_URL": self.stack.cloud.url,
            "AWS_DEFAULT_REGION": REGION,
            "DOORCODE_STACK": self.stack.name,
        }
        ended = doorcode(arguments, environment)
        assert (ended.code, ended.err) == (0, ""), ended
        return ended.out

    def parked(self, queue: str) -> list[str]:
        """Take what lies in a dead-letter queue."""
        return [message["Body"] for message in self.stack.taken(queue)]

    # How events are caught

    def _catch_events(self) -> None:
        queues, events = self.stack.client("sqs"), self.stack.client("events")
        self._events_url = queues.create_queue(QueueName="chain-events")["QueueUrl"]
        attributes = queues.get_queue_attributes(QueueUrl=self._events_url, AttributeNames=["QueueArn"])["Attributes"]
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": attributes["QueueArn"],
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        queues.set_queue_attributes(QueueUrl=self._events_url, Attributes={"Policy": policy})
        events.put_rule(Name="chain", EventPattern=json.dumps({"source": ["doorcode"]}))
        events.put_targets(Rule="chain", Targets=[{"Id": "queue", "Arn": attributes["QueueArn"]}])

    def _caught(self, about: Person) -> list[dict[str, Any]]:
        queues = self.stack.client("sqs")
        while batch := queues.receive_message(QueueUrl=self._events_url, MaxNumberOfMessages=10).get("Messages"):
            for message in batch:
                self._events.append(json.loads(message["Body"]))
                queues.delete_message(QueueUrl=self._events_url, ReceiptHandle=message["ReceiptHandle"])
        mine = (about.platform, about.id)
        return [
            event for event in self._events if (event["detail"].get("platform"), event["detail"].get("user_id")) == mine
        ]


def buttons(shown: Any) -> dict[str, str]:
    """Return the buttons of a message as a platform shows it: what each says, and what it carries."""
    found: dict[str, str] = {}
    if isinstance(shown, list):
        for part in shown:
            found |= buttons(part)
    elif isinstance(shown, dict):
        names = ("callback_data", "custom_id", "value", "id")
        carried = next((shown[name] for name in names if shown.get(name)), "")
        if isinstance(carried, str) and carried.startswith(("pair:", "ask:")):
            label = shown.get("label") or shown.get("title") or shown["text"]
            found[label["text"] if isinstance(label, dict) else label] = carried
        for part in shown.values():
            found |= buttons(part)
    return found


def words(shown: Mapping[str, Any]) -> str:
    """Return the text of a message as a platform shows it."""
    if "type" in shown:
        return text_of(dict(shown))
    return str(shown.get("text") or shown.get("content"))

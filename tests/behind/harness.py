"""The whole stack in process: edge, stream, relay, courier and agent over moto, with the platforms' stand-ins beside it.

Nothing is skipped: moves go through the table's stream and the effects queue, words through the platforms' real client
libraries. Only time is short: what is handed back to a queue comes again at once, and its delay is noted.
"""

import functools
import json
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from moto.dynamodb.models import dynamodb_backends

from doorcode.aws import retrying
from doorcode.aws.effects_queue import EffectsQueue
from doorcode.aws.table import Table
from doorcode.aws.tokens import Tokens
from doorcode.entrypoints.courier import Courier
from doorcode.entrypoints.relay import Relay
from doorcode.pairing.access import Scope
from doorcode.pairing.contact import Contact, Platform, Via
from doorcode.pairing.decisions import Actor, Order
from doorcode.pairing.transitions import Operation
from doorcode.platforms.slack import sender as slack_sender
from doorcode.web.surface import Web
from doorcode.wiring import sdk
from doorcode.wiring.agent import build_agent
from doorcode.wiring.courier import build_courier
from doorcode.wiring.senders import TokenSenders
from doorcode.wiring.web import build_services
from doorcode_sandbox.loopback import cut
from doorcode_sandbox.platforms.discord.stand_in import DiscordStandIn
from doorcode_sandbox.platforms.server import StandIn
from doorcode_sandbox.platforms.slack.stand_in import SlackStandIn
from doorcode_sandbox.platforms.telegram.stand_in import TelegramStandIn
from doorcode_sandbox.platforms.whatsapp import stand_in as whatsapp_server
from doorcode_sandbox.platforms.whatsapp.stand_in import WhatsAppStandIn
from tests import webhooks
from tests.backends import in_process
from tests.edge.harness import TABLE, Edge
from tests.harness import RecordingClient
from tests.web.gateway import request_event
from tests.webhooks import OWNER, STRANGER, Delivery

MAX_ROUNDS = 60
OWNER_CHANNEL = {
    Platform.TELEGRAM: OWNER[Platform.TELEGRAM],
    Platform.SLACK: "D0OWNER001",
    Platform.DISCORD: "400000000000000002",
    Platform.WHATSAPP: OWNER[Platform.WHATSAPP],
}
STRANGER_CHANNEL = {
    Platform.TELEGRAM: STRANGER[Platform.TELEGRAM],
    Platform.SLACK: "D0STRANGER",
    Platform.DISCORD: "400000000000000001",
    Platform.WHATSAPP: STRANGER[Platform.WHATSAPP],
}

AGENT = Path(__file__).parents[2] / "functions/agent"


def said_in(shown: Mapping[str, Any]) -> str:
    """Return the text of a message, as a platform's own API has it."""
    text = shown.get("text") or shown.get("content")
    return str(text["body"] if isinstance(text, dict) else text)


# Read once, for all who start anew.
certificates = functools.cache(ssl.create_default_context)


# Whose servers answer for all that come after them, until the process ends.
STARTED: dict[type[StandIn], StandIn] = {}


class DiedError(BaseException):
    """The process ends here: nothing catches it, nothing after it is done."""


class WatchedSender:
    """A platform's real sender; each call of it can be made to fail, before or after it had its effect."""

    def __init__(self, sender: Any, before: Callable[[str], None], after: Callable[[str], None]) -> None:
        self._sender = sender
        self._before = before
        self._after = after

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._sender, name)
        # That an answer is on its way is shown from another thread, at no certain moment, and nothing depends on it.
        if not callable(attribute) or name == "typing":
            return attribute

        def watched(*args: Any, **kwargs: Any) -> Any:
            self._before(name)
            answer = attribute(*args, **kwargs)
            self._after(name)
            return answer

        return watched


class PatientSqs(RecordingClient):
    """SQS, but what is hidden is visible again at once; for how long it should have been hidden is noted."""

    def __init__(self, client: Any) -> None:
        super().__init__(client)
        self.delays: list[int] = []

    def __getattr__(self, name: str) -> Any:
        recorded = super().__getattr__(name)
        if name != "change_message_visibility":
            return recorded

        def at_once(**kwargs: Any) -> Any:
            self.delays.append(kwargs["VisibilityTimeout"])
            return recorded(**kwargs | {"VisibilityTimeout": 0})

        return at_once


class Behind:
    """Everything, wired as it is deployed."""

    def __init__(self, edge: Edge, monkeypatch: pytest.MonkeyPatch, stand_ins: Mapping[Platform, StandIn]) -> None:
        self.edge = edge
        self.stand_ins = stand_ins
        self.clients: dict[str, RecordingClient] = {
            "dynamodb": RecordingClient(in_process.client("dynamodb")),
            "ssm": RecordingClient(in_process.client("ssm")),
            "sqs": PatientSqs(in_process.client("sqs")),
            "events": RecordingClient(in_process.client("events")),
            "cloudwatch": RecordingClient(in_process.client("cloudwatch")),
        }
        monkeypatch.setattr(sdk, "client", lambda service, _config: self.clients[service])
        self.before_sending: Callable[[str], None] = lambda _: None
        self.after_sending: Callable[[str], None] = lambda _: None
        on = TokenSenders.on

        def watched_on(senders: TokenSenders, platform: Platform, now: int) -> Any:
            sender = on(senders, platform, now)
            return WatchedSender(sender, self._before, self._after)

        monkeypatch.setattr(TokenSenders, "on", watched_on)
        # Who asks again waits a moment, and no longer.
        monkeypatch.setattr(retrying, "FIRST_PAUSE_SECONDS", 0.001)
        monkeypatch.setattr(slack_sender, "ssl", SimpleNamespace(create_default_context=certificates))
        # Where the agent's own module stands, as on Lambda.
        monkeypatch.syspath_prepend(AGENT)
        for platform, token in (
            (Platform.TELEGRAM, "7000000001:stand-in"), (Platform.SLACK, "xoxb-stand-in"), (Platform.DISCORD, "stand-in.discord.token"),
            (Platform.WHATSAPP, "EAAstandin"),
        ):  # fmt: skip
            edge.put_secret(f"{platform}/bot-token", token)
        fifo = {"FifoQueue": "true"}
        urls = [
            edge.sqs.create_queue(QueueName=f"{name}.fifo", Attributes=fifo)["QueueUrl"]
            for name in ("effects", "effects-dead", "agent-dead")
        ]
        self.effects_url, self.effects_dead, self.agent_dead = urls
        self._make_agent_table()
        self._catch_events()
        self.environment = edge.environment | {
            # Its own name has to be said, for strangers to be let in.
            "UNKNOWN_USER_POLICY": "pair,whatsapp=pair",
            "EFFECTS_QUEUE_URL": self.effects_url,
            "EFFECTS_DEAD_LETTER_URL": self.effects_dead,
            "AGENT_DEAD_LETTER_URL": self.agent_dead,
            "AGENT_TABLE_NAME": "agent",
            "TELEGRAM_API_URL": stand_ins[Platform.TELEGRAM].api_url,
            "SLACK_API_URL": stand_ins[Platform.SLACK].api_url,
            "DISCORD_API_URL": stand_ins[Platform.DISCORD].api_url,
            "WHATSAPP_API_URL": stand_ins[Platform.WHATSAPP].api_url,
        }
        self.settings: dict[str, str] = {}
        self._offset = 0
        self._dated: dict[int, int] = {}
        self._others: list[Courier] = []
        self.cold()

    def cold(self, **settings: str) -> None:
        """Start every function behind the edge anew, with settings changed from now on."""
        if hasattr(self, "courier"):
            self.close()
        self.settings |= settings
        environment = self.environment | self.settings
        self.relay = Relay(EffectsQueue(self.clients["sqs"], self.effects_url))
        self.courier, self.questions, self.consumer = build_courier(environment)
        self.agent = build_agent(environment)
        self.consumer._clock = self.agent._clock = self.now

    def another_courier(self) -> Courier:
        """Give a second courier, as another environment of the function has it."""
        courier, _, _ = build_courier(self.environment | self.settings)
        self._others.append(courier)
        return courier

    def _before(self, name: str) -> None:
        self.before_sending(name)

    def _after(self, name: str) -> None:
        self.after_sending(name)

    # What happens

    def now(self) -> int:
        """Give the time: the real one, for queues have no other, and a second for each time something was handed back."""
        sqs = self.clients["sqs"]
        assert isinstance(sqs, PatientSqs)
        return int(time.time()) + len(sqs.delays)

    def deliver(self, delivery: Delivery, now: int = 0) -> dict[str, Any]:
        """Send a webhook; let the stand-in show what was answered in the response."""
        if delivery.platform is Platform.DISCORD:
            # An interaction's time is in its id, and its token lives for fifteen minutes from then. It is the same one
            # when it is delivered again, a second later too.
            number = int(delivery.body["id"])
            dated = (self.now() * 1000 - 1_420_070_400_000) << 22 | number & 0x3FFFFF
            delivery.body["token"] += str(number)
            delivery.body["id"] = str(self._dated.setdefault(number, dated))
        response = self.edge.deliver(delivery, now or self.now(), **self.settings)
        stand_in = self.stand_ins[delivery.platform]
        if response.get("body"):
            if isinstance(stand_in, TelegramStandIn):
                if "callback_query" in delivery.body:
                    stand_in.press(delivery.body["callback_query"]["id"])
                stand_in.take(response["body"].encode())
            if isinstance(stand_in, DiscordStandIn):
                token = delivery.body["token"]
                button = delivery.body["data"].get("custom_id", "")
                user = (delivery.body.get("member") or delivery.body)["user"]["id"]
                stand_in.interaction(token, delivery.body["channel_id"], user=user, button=button)
                stand_in.respond(token, response["body"].encode())
        return response

    def hello(self, platform: Platform, number: int = 0, now: int = 0) -> Contact:
        """Have the stranger write."""
        self.deliver(webhooks.load(webhooks.HELLO[platform]).another(number), now)
        return self.edge.contact(platform)

    def decide(self, operation: Operation, platform: Platform, who: str = "", **more: Any) -> Contact:
        """Decide from a command line, about the stranger unless another is named."""
        desk = self.edge.door(platform, **self.settings)._desk
        order = Order(operation=operation, platform=platform, user_id=who or STRANGER[platform], **more)
        return desk.decide(Actor(via=Via.CLI, id="alice"), order, self.now())

    def program(self, *scopes: Scope) -> Callable[..., tuple[int, Any]]:
        """Give a program with a token of these scopes, which posts to the web function."""
        services = build_services(self.environment | self.settings | {"METRICS_NAMESPACE": ""})
        web = Web(lambda: services)
        table = Table(self.edge.dynamodb, TABLE)
        bearer, _ = Tokens(table).create("bot", scopes, "alice", self.now())

        def post(path: str, **body: Any) -> tuple[int, Any]:
            headers = {"authorization": f"Bearer {bearer}", "content-type": "application/json"}
            event = request_event("POST", path, headers, json.dumps(body).encode())
            response = web.serve(event, self.now())
            return response["statusCode"], json.loads(response["body"])

        return post

    def settle(self) -> None:
        """Let relay and courier run until nothing is left to do."""
        for _ in range(MAX_ROUNDS):
            relayed = self.relay_once()
            if not self.courier_once() and not relayed:
                return
        pytest.fail("the courier does not come to an end")

    def relay_once(self) -> bool:
        """Have the relay copy what is new in the stream, as its event source would give it; say whether there was."""
        fresh = self._stream()[self._offset :]
        if not fresh:
            return False
        try:
            result = self.relay.handle({"Records": fresh})
        except DiedError:
            self.cold()
            return True
        failures = result["batchItemFailures"]
        numbers = [record["dynamodb"]["SequenceNumber"] for record in fresh]
        if failures:
            self._offset += numbers.index(failures[0]["itemIdentifier"])
        else:
            self.forget_the_stream()
        return True

    def courier_once(self) -> bool:
        """Give the courier one batch; say whether there was one."""
        return self._batch(self.effects_url, lambda event: self.consumer.handle(event, None))

    def answer(self) -> None:
        """Let the agent run until its queue is empty."""
        for _ in range(MAX_ROUNDS):
            if not self._batch(self.environment["AGENT_QUEUE_URL"], self.agent.handle):
                return
        pytest.fail("the agent does not come to an end")

    def _batch(self, url: str, handle: Callable[[dict[str, Any]], Mapping[str, Any]]) -> bool:
        received = self.edge.sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["All"], VisibilityTimeout=30
        ).get("Messages", [])
        if not received:
            return False
        records = [
            {
                "messageId": message["MessageId"], "receiptHandle": message["ReceiptHandle"], "body": message["Body"],
                "attributes": message["Attributes"], "messageAttributes": {}, "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:queue.fifo", "awsRegion": "us-east-1",
            }
            for message in received
        ]  # fmt: skip
        failed: set[str] = set()
        died = False
        try:
            result = handle({"Records": records})
            failed = {failure["itemIdentifier"] for failure in result["batchItemFailures"]}
        except DiedError:
            failed, died = {record["messageId"] for record in records}, True
            self.cold()
        for record in records:
            if record["messageId"] in failed and died:
                # Nobody has handed it back: it comes again when its visibility timeout is over.
                self.edge.sqs.change_message_visibility(
                    QueueUrl=url, ReceiptHandle=record["receiptHandle"], VisibilityTimeout=0
                )
            if record["messageId"] not in failed:
                self.edge.sqs.delete_message(QueueUrl=url, ReceiptHandle=record["receiptHandle"])
        return True

    def forget_the_stream(self) -> None:
        """Pass over what is in the stream so far. It is taken out: moto copies all of it in every transaction."""
        shard = self._shard()
        shard.starting_sequence_number += len(shard.items)
        shard.items.clear()
        self._offset = 0

    # What came of it

    def prompts(self, platform: Platform, chat: str = "") -> list[str]:
        """Return what the owner's chat on a platform (or another one) shows now, oldest first, each as one text."""
        messages = self.stand_ins[platform].in_chat(chat or OWNER_CHANNEL[platform])
        if platform is Platform.WHATSAPP:
            # Nothing can be changed there: what quotes a prompt stands for it.
            latest: dict[str, Any] = {}
            for message in messages:
                latest[message.shown.get("context", {}).get("message_id", message.id)] = message
            messages = list(latest.values())
        return [json.dumps(message.shown, ensure_ascii=False) for message in messages]

    def heard(self, platform: Platform) -> list[str]:
        """Return what the stranger's chat shows now."""
        messages = self.stand_ins[platform].in_chat(STRANGER_CHANNEL[platform])
        return [said_in(message.shown) for message in messages]

    def events(self) -> list[dict[str, Any]]:
        """Take what came over the bus."""
        taken = []
        while batch := self.edge.sqs.receive_message(QueueUrl=self._events_url, MaxNumberOfMessages=10).get("Messages"):
            for message in batch:
                taken.append(json.loads(message["Body"]))
                self.edge.sqs.delete_message(QueueUrl=self._events_url, ReceiptHandle=message["ReceiptHandle"])
        return taken

    def event_types(self) -> list[str]:
        """Take what came over the bus, by its types."""
        return [event["detail-type"] for event in self.events()]

    def parked(self) -> int:
        """Count what lies in the dead-letter queues."""
        attribute = "ApproximateNumberOfMessages"
        counts = [
            self.edge.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[attribute])["Attributes"][attribute]
            for url in (self.effects_dead, self.agent_dead)
        ]
        return sum(map(int, counts))

    # How it is made

    def _shard(self) -> Any:
        # moto's own answer to GetRecords needs no more than this, and its client for streams does not reach it.
        return dynamodb_backends["123456789012"]["us-east-1"].tables[TABLE].stream_shard

    def _stream(self) -> list[dict[str, Any]]:
        records = [
            json.loads(json.dumps(record.to_json(), default=lambda at: at.timestamp()))
            for record in self._shard().items
        ]
        # The filter of the event source mapping in the template lets only contacts and questions through. What moto shows of a
        # new item before it is filled does not exist elsewhere.
        return [
            record
            for record in records
            if record["dynamodb"]["Keys"]["sk"]["S"] in {"contact", "ask"}
            and "state" in (record["dynamodb"].get("NewImage") or {"state": ""})
        ]

    def _make_agent_table(self) -> None:
        self.edge.dynamodb.create_table(
            TableName="agent",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        )

    def _catch_events(self) -> None:
        self._events_url = self.edge.sqs.create_queue(QueueName="events")["QueueUrl"]
        arn = self.edge.sqs.get_queue_attributes(QueueUrl=self._events_url, AttributeNames=["QueueArn"])
        events = self.clients["events"]._client
        events.put_rule(Name="all", EventPattern=json.dumps({"source": ["doorcode"]}))
        events.put_targets(Rule="all", Targets=[{"Id": "queue", "Arn": arn["Attributes"]["QueueArn"]}])

    def close(self) -> None:
        """Close the senders' connections."""
        functions: list[Any] = [self.courier, self.agent, *self._others]
        for function in functions:
            for _, sender in function._senders._built.values():
                sender.close()


def standing_ins() -> Iterator[dict[Platform, StandIn]]:
    """Run the platforms' stand-ins, with both people's chats open."""
    telegram, slack, discord, whatsapp = TelegramStandIn(), SlackStandIn(), DiscordStandIn(), WhatsAppStandIn()
    for people, channels in ((STRANGER, STRANGER_CHANNEL), (OWNER, OWNER_CHANNEL)):
        telegram.open_chat(people[Platform.TELEGRAM])
        slack.add_user(people[Platform.SLACK], channels[Platform.SLACK][2:].lower(), channel=channels[Platform.SLACK])
        slack.open_chat(people[Platform.SLACK])
        discord.add_user(people[Platform.DISCORD], channel=channels[Platform.DISCORD])
        whatsapp.add_user(people[Platform.WHATSAPP])
    with ExitStack() as running:
        for stand_in in (telegram, slack, discord, whatsapp):
            running.enter_context(_standing_in(stand_in))
        # Here the same two people hear more in a minute than anybody would.
        running.enter_context(pytest.MonkeyPatch.context()).setattr(whatsapp_server, "PAIR_SECONDS", 1e-9)
        yield {
            Platform.TELEGRAM: telegram,
            Platform.SLACK: slack,
            Platform.DISCORD: discord,
            Platform.WHATSAPP: whatsapp,
        }


@contextmanager
def _standing_in(stand_in: StandIn) -> Iterator[None]:
    first = STARTED.setdefault(type(stand_in), stand_in)
    if first is stand_in:
        stand_in.start()
    server: Any = first._server
    stand_in._server, stand_in._port = server, first._port
    server.stand_in = stand_in
    yield
    stand_in._stopping.set()
    for connection in list(server._open):
        cut(connection)
    if server.crashes:
        raise server.crashes.pop()

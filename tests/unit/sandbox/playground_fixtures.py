"""A playground on its own: what takes its webhooks here is a list, and the cloud behind it is made up."""

import contextlib
import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

from nacl.signing import SigningKey

from doorcode.pairing.contact import Platform
from doorcode_sandbox.front import Front
from doorcode_sandbox.loopback import LoopbackServer
from doorcode_sandbox.platforms.discord.stand_in import DiscordStandIn
from doorcode_sandbox.platforms.server import Request, StandIn
from doorcode_sandbox.platforms.slack.stand_in import SlackStandIn
from doorcode_sandbox.platforms.telegram.stand_in import TelegramStandIn
from doorcode_sandbox.platforms.whatsapp.stand_in import WhatsAppStandIn
from doorcode_sandbox.playground.backend import Playground
from tests.eventually import PATIENCE_SECONDS

OWNERS = {
    Platform.TELEGRAM: ["123456789"],
    Platform.SLACK: ["U0OWNER001"],
    Platform.DISCORD: ["200000000000000002"],
    Platform.WHATSAPP: ["DE.2249120865530274190"],
}
STRANGERS = {
    Platform.TELEGRAM: "987654321",
    Platform.SLACK: "U0STRANGER",
    Platform.DISCORD: "200000000000000001",
    Platform.WHATSAPP: "US.13491208655302741918",
}
SEED = b"\x07" * 32
# What a button carries; who signed it matters to nobody here.
BUTTON = "pair:approve:telegram:987654321:ABCD2345:0123abcd"
SECRETS = {
    "telegram/webhook-secret": "newest-webhook-secret\nolder-webhook-secret",
    "slack/signing-secret": "newest signing secret\nolder signing secret",
    "discord/public-key": SigningKey(SEED).verify_key.encode().hex(),
    "whatsapp/app-secret": "newest app secret\nolder app secret",
}
HOST = "abc123.execute-api.localhost:5004"
WORD = "word of the front"


class Api(LoopbackServer):
    """Takes requests as the emulator would, and answers what it was told to: status, headers, body."""

    def __init__(self) -> None:
        """Answer an empty 200 to everything."""
        super().__init__(0, _Handler)
        self.taken: list[tuple[str, str, list[tuple[str, str]], bytes]] = []
        self.answers: list[tuple[int, list[tuple[str, str]], bytes]] = []
        # What makes an answer of a request's body, instead of those.
        self.think: Callable[[Any], Any] | None = None

    def says(self, body: Any, status: int = 200) -> None:
        """Answer the next request with that JSON."""
        self.answers.append((status, [("Content-Type", "application/json")], json.dumps(body).encode()))

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Api

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.taken.append((self.command, self.path, self.headers.items(), body))
        if self.server.think:
            self.server.says(self.server.think(json.loads(body)))
        status, headers, answer = self.server.answers.pop(0) if self.server.answers else (200, [], b"")
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_OPTIONS = _answer  # noqa: N815 (http.server's names)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


class Cloud:
    """The four services that the playground looks at: a table, logs, a bus and a queue."""

    def __init__(self) -> None:
        """Have nothing in any of them."""
        self.items: list[dict[str, Any]] = []
        self.logs: dict[str, list[dict[str, Any]]] = {}
        self.rules: set[str] = set()
        self.queues: set[str] = set()
        self.waiting: list[dict[str, Any]] = []
        # What is raised by whoever reads the table, and once by who reads the queue.
        self.gone: Exception | None = None
        self.trouble: list[Exception] = []
        # What is raised by whoever takes something away.
        self.stuck: Exception | None = None
        self.read = threading.Event()

    def __call__(self, service: str) -> Any:
        """Return a client."""
        return getattr(self, f"_{service}")()

    def _dynamodb(self) -> Any:
        def paginate(**_: object) -> list[Any]:
            if self.gone:
                raise self.gone
            return [{"Items": self.items}]

        return SimpleNamespace(get_paginator=lambda _: SimpleNamespace(paginate=paginate))

    def _logs(self) -> Any:
        class NotFoundError(Exception):
            pass

        def paginate(logGroupName: str, startTime: int) -> list[Any]:  # noqa: N803 (boto3's names)
            if self.gone:
                raise self.gone
            if logGroupName not in self.logs:
                raise NotFoundError
            return [{"events": [event for event in self.logs[logGroupName] if event["timestamp"] >= startTime]}]

        return SimpleNamespace(
            get_paginator=lambda _: SimpleNamespace(paginate=paginate),
            exceptions=SimpleNamespace(ResourceNotFoundException=NotFoundError),
        )

    def _events(self) -> Any:
        return SimpleNamespace(
            put_rule=lambda **given: self.rules.add(given["Name"]),
            put_targets=lambda **_: None,
            remove_targets=self._remove_targets,
            delete_rule=lambda **given: self.rules.remove(given["Name"]),
        )

    def _remove_targets(self, **_: object) -> None:
        if self.stuck:
            raise self.stuck

    def _sqs(self) -> Any:
        def create(QueueName: str) -> Any:  # noqa: N803
            self.queues.add(QueueName)
            return {"QueueUrl": QueueName}

        def receive(**_: object) -> Any:
            if self.trouble:
                raise self.trouble.pop()
            # In place: a test may lay out others meanwhile.
            waiting = self.waiting
            taken = waiting[:10]
            del waiting[:10]
            self.read.set()
            # Not at once: nobody turns in circles here.
            time.sleep(0 if taken else 0.01)
            return {"Messages": [{"Body": json.dumps(event), "ReceiptHandle": ""} for event in taken]} if taken else {}

        return SimpleNamespace(
            create_queue=create,
            get_queue_attributes=lambda **_: {"Attributes": {"QueueArn": "arn"}},
            set_queue_attributes=lambda **_: None,
            receive_message=receive,
            delete_message=lambda **_: None,
            delete_queue=lambda **given: self.queues.remove(given["QueueUrl"]),
        )


class Harness:
    """A playground with its front, and everything around it."""

    def __init__(self, now: float = 1_776_858_322.25, **options: Any) -> None:
        """Put it together; ``running`` starts it."""
        self.now = now
        self.api = Api()
        self.cloud = Cloud()
        self.telegram = TelegramStandIn(clock=lambda: self.now)
        self.slack = SlackStandIn(clock=lambda: self.now)
        self.discord = DiscordStandIn(seed=SEED, clock=lambda: self.now)
        self.whatsapp = WhatsAppStandIn(clock=lambda: self.now)
        self.stand_ins: dict[Platform, StandIn] = {
            Platform.TELEGRAM: self.telegram,
            Platform.SLACK: self.slack,
            Platform.DISCORD: self.discord,
            Platform.WHATSAPP: self.whatsapp,
        }
        settings: dict[str, Any] = {
            "stand_ins": self.stand_ins,
            "secret": SECRETS.__getitem__,
            "client": self.cloud,
            "stack": "s",
            "outputs": {"TableName": "t", "AgentTableName": "a"},
            "owners": OWNERS,
            "clock": lambda: self.now,
        }
        self.playground = Playground(**{**settings, **options})
        self.front = Front(port=0, api=self.api.url, host=HOST, word=WORD, playground=self.playground)

    @contextlib.contextmanager
    def running(self) -> Iterator["Harness"]:
        """Have it running."""
        self.api.run("api")
        try:
            with self.front:
                yield self
        finally:
            self.api.end()

    def ask(
        self, verb: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        """Ask the front anything; without ``headers`` as the page does."""
        address = urlsplit(self.front.url).netloc
        given = {"Content-Type": "application/json", "Sec-Fetch-Site": "same-origin"} if headers is None else headers
        with contextlib.closing(http.client.HTTPConnection(address, timeout=PATIENCE_SECONDS)) as connection:
            connection.request(verb, path, body if isinstance(body, bytes | None) else json.dumps(body), given)
            response = connection.getresponse()
            return response.status, dict(response.headers.items()), response.read()

    def json(self, verb: str, path: str, body: Any = None) -> Any:
        """Ask the playground as the page does; 200 or an AssertionError."""
        status, _, answer = self.ask(verb, f"/playground/{path}", body)
        assert status == 200, answer
        return json.loads(answer)

    def refused(self, path: str, body: Any) -> tuple[int, str]:
        """Ask for what is refused; return how."""
        status, _, answer = self.ask("POST", f"/playground/{path}", body)
        return status, json.loads(answer)["error"]

    def chat(self, platform: Platform, person: str, kind: str = "direct") -> Any:
        """Return somebody's chat of that kind, as it stands."""
        return next(
            chat
            for chat in self.json("GET", "scene")["chats"]
            if (chat["platform"], chat["kind"]) == (platform, kind) and person in chat["members"]
        )

    def say(self, platform: Platform, person: str, text: str = "Hello", kind: str = "direct", **more: Any) -> Any:
        """Have somebody write."""
        chat = self.chat(platform, person, kind)["id"]
        return self.json("POST", "say", {"platform": platform, "chat": chat, "person": person, "text": text, **more})

    def press(self, platform: Platform, person: str, message: str, button: str, kind: str = "direct") -> Any:
        """Have somebody press a button."""
        chat = self.chat(platform, person, kind)["id"]
        pressed = {"platform": platform, "chat": chat, "person": person, "message": message, "button": button}
        return self.json("POST", "press", pressed)

    def webhook(self) -> tuple[str, dict[str, str], bytes]:
        """Return the last request that reached the stack: path, headers by lower name, body."""
        _, path, headers, body = self.api.taken[-1]
        return path, {name.lower(): value for name, value in headers}, body

    def prompt(self, platform: Platform, chat: str) -> str:
        """Have the bot ask something with a button there; return the message's id."""
        quiet: dict[str, Any] = {"allowed_mentions": {"parse": []}}
        fields: dict[str, Any]
        if platform is Platform.TELEGRAM:
            button: dict[str, Any] = {"text": "Yes", "callback_data": BUTTON}
            fields = {"chat_id": chat, "text": "Well?", "reply_markup": {"inline_keyboard": [[button]]}}
            return str(
                self.call(platform, "POST", f"/bot{self.telegram.token}/sendMessage", fields)["result"]["message_id"]
            )
        if platform is Platform.SLACK:
            button = {"type": "button", "action_id": "pair_approve", "value": BUTTON, "style": "primary"}
            button |= {"text": {"type": "plain_text", "text": "Yes"}}
            blocks = [
                {"type": "section", "text": {"type": "mrkdwn", "text": "Well?"}},
                {"type": "actions", "elements": [button]},
            ]
            return str(
                self.call(
                    platform, "POST", "/api/chat.postMessage", {"channel": chat, "text": "Well?", "blocks": blocks}
                )["ts"]
            )
        if platform is Platform.WHATSAPP:
            button = {"type": "reply", "reply": {"id": BUTTON, "title": "Yes"}}
            to_group = {"recipient_type": "group", "to": chat}
            fields = {
                "messaging_product": "whatsapp",
                **({"recipient": chat} if "." in chat else to_group),
                "type": "interactive",
                "interactive": {"type": "button", "body": {"text": "Well?"}, "action": {"buttons": [button]}},
            }
            path = f"/v27.0/{self.whatsapp.PHONE_NUMBER_ID}/messages"
            return str(self.call(platform, "POST", path, fields)["messages"][0]["id"])
        button = {"type": 2, "style": 3, "label": "Yes", "custom_id": BUTTON}
        fields = {"content": "Well?", "components": [{"type": 1, "components": [button]}], **quiet}
        return str(self.call(platform, "POST", f"/api/v10/channels/{chat}/messages", fields)["id"])

    def call(self, platform: Platform, verb: str, path: str, fields: Any) -> Any:
        """Call a platform's API as the bot."""
        bearer = {
            Platform.SLACK: f"Bearer {self.slack.token}",
            Platform.DISCORD: f"Bot {self.discord.token}",
            Platform.WHATSAPP: f"Bearer {self.whatsapp.token}",
        }
        headers = {"content-type": "application/json", "authorization": bearer.get(platform, "")}
        answer = self.stand_ins[platform].answer(Request(verb, path, headers, json.dumps(fields).encode()))
        assert answer.status < 300, answer
        return json.loads(answer.body)

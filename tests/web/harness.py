"""The web function in process: the handler that is deployed, over tables and secrets in process, and who asks it."""

import base64
import importlib.util
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from doorcode.aws.items import CONTACT, attribute, contact_attributes, contact_pk
from doorcode.aws.sign_ins import SignIns
from doorcode.aws.tokens import Tokens
from doorcode.pairing.access import Scope
from doorcode.pairing.contact import Contact, Platform, State
from doorcode.web.guard import COOKIE
from doorcode.wiring import sdk
from doorcode.wiring import web as web_wiring
from tests.backends import in_process
from tests.backends.dynamodb import Backend
from tests.harness import KEYS, T0, TELEGRAM, Harness, RecordingClient
from tests.web.gateway import request_event

APP = Path(__file__).parents[2] / "functions/web/app.py"
NAMESPACE = "Doorcode/test"
PAGE = {"sec-fetch-site": "same-origin"}
"""What a browser adds to what the page itself asks for."""


@dataclass(frozen=True)
class Reply:
    """What was answered."""

    status: int
    headers: Mapping[str, str]
    cookies: list[str]
    text: str

    @property
    def body(self) -> Any:
        """The JSON of the answer."""
        assert self.headers["content-type"] == "application/json"
        return json.loads(self.text)

    @property
    def refusal(self) -> tuple[int, str]:
        """Status and reason of an answer that refuses."""
        assert self.body["error"]
        return self.status, self.body["reason"]


class Caller:
    """Somebody who asks, with a cookie, with a token, or with nothing."""

    def __init__(self, harness: "WebHarness", headers: Mapping[str, str]) -> None:
        self._harness = harness
        self.headers = headers

    def ask(self, method: str, target: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Reply:
        """Send a request, with JSON unless the body is bytes."""
        raw = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        kind = {} if raw is None else {"content-type": "application/json"}
        return self._harness.send(request_event(method, target, {**kind, **self.headers, **(headers or {})}, raw))

    def get(self, target: str, **headers: str) -> Reply:
        """Look."""
        return self.ask("GET", target, headers=headers)

    def post(self, target: str, /, **body: Any) -> Reply:
        """Send a body."""
        return self.ask("POST", target, body)


class WebHarness(Harness):
    """A harness with the web function in it."""

    def __init__(self, clients: Mapping[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
        self.clients = {name: RecordingClient(client) for name, client in clients.items()}
        super().__init__(Backend("moto", lambda: clients["dynamodb"]).new_table())
        self.prefix = f"/doorcode/{self.name}"
        self.put_secret(KEYS.newest.decode())
        self.put_secret("the callback secret", "callback-secret")
        environment = {
            "TABLE_NAME": self.name, "AGENT_TABLE_NAME": self.name, "PARAMETER_PREFIX": self.prefix, "METRICS_NAMESPACE": NAMESPACE,
            "EFFECTS_QUEUE_URL": self._queue(),
        }  # fmt: skip
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sdk, "client", lambda service, _config: self.clients[service])
        # In process nothing passes by being asked again.
        monkeypatch.setattr(web_wiring, "REQUEST_SECONDS", 0.0)
        self._monkeypatch = monkeypatch
        self.now = T0 + 1
        # Whoever waits only moves the clock, and something may happen meanwhile.
        self.meanwhile: Callable[[], object] = lambda: None
        monkeypatch.setattr(web_wiring, "time", SimpleNamespace(time=lambda: self.now, sleep=self._sleep))
        self.handler = load_handler()
        self.sign_ins, self.tokens = SignIns(self.table), Tokens(self.table)
        # What the log must never hold: the secret part of every link, cookie and token.
        self.secrets_given: list[str] = []

    def restart(self, **settings: str) -> None:
        """Begin the function anew, with settings changed."""
        for name, value in settings.items():
            self._monkeypatch.setenv(name, value)
        self.handler = load_handler()

    def _sleep(self, seconds: float) -> None:
        self.now += math.ceil(seconds)
        self.meanwhile()

    def _queue(self) -> str:
        fifo = {"FifoQueue": "true", "MaximumMessageSize": "262144"}
        return str(self.clients["sqs"]._client.create_queue(QueueName=f"{self.name}.fifo", Attributes=fifo)["QueueUrl"])

    def put_secret(self, value: str, which: str = "gateway-secret") -> None:
        """Set the secret that codes are made with."""
        name = f"{self.prefix}/{which}"
        in_process.put_secret(name, value)

    def send(self, event: Mapping[str, Any]) -> Reply:
        """Hand an event to the function."""
        response = json.loads(json.dumps(self.handler(event, None)))
        text = response.get("body") or ""
        return Reply(
            response["statusCode"],
            {name.lower(): value for name, value in response["headers"].items()},
            response.get("cookies", []),
            base64.b64decode(text).decode() if response["isBase64Encoded"] else text,
        )

    def stranger(self, **headers: str) -> Caller:
        """Give somebody who is not signed in."""
        return Caller(self, headers)

    def link(self, actor: str = "alice@laptop") -> str:
        """Make a one-time link's token."""
        link = self.sign_ins.link(actor, self.now)
        self.secrets_given.append(link.rpartition(".")[2])
        return link

    def session(self, actor: str = "alice@laptop") -> Caller:
        """Sign somebody in to the page."""
        link = self.link(actor)
        reply = self.stranger(**PAGE).post("/api/session", token=link)
        assert reply.status == 200, reply
        [cookie] = reply.cookies
        return self.with_cookie(cookie.partition(";")[0].partition("=")[2])

    def with_cookie(self, value: str, **headers: str) -> Caller:
        """Give a browser with that cookie, in which the page asks."""
        self.secrets_given += [value.rpartition(".")[2]] if value else []
        return Caller(self, {"cookie": f"theme=dark; {COOKIE}={value}", **(headers or PAGE)})

    def token(self, *scopes: Scope, name: str = "ci", until: int = 0) -> Caller:
        """Give a program with a token."""
        return self.with_token(self.tokens.create(name, scopes or {Scope.PAIRING}, "alice@laptop", self.now, until)[0])

    def with_token(self, value: str) -> Caller:
        """Give a program with that token."""
        self.secrets_given += [value.rpartition(".")[2]] if value else []
        return Caller(self, {"authorization": f"Bearer {value}"})

    def put_waiting(self, contact: Contact) -> None:
        """Lay somebody who waits, and their seat, into the table as a request does."""
        key = {"pk": {"S": contact_pk(contact.platform, contact.user_id)}, "sk": {"S": CONTACT}}
        seat = {"pk": {"S": f"seats#{contact.platform}"}, "sk": {"S": contact.seat}}
        held = {"user_id": contact.user_id, "nonce": contact.nonce, "key_id": contact.key_id}
        attributes = {name: attribute(value) for name, value in held.items()}
        attributes["expires_at"] = attribute(contact.code_expires_at)
        for item in (key | contact_attributes(contact), seat | attributes):
            self.raw.put_item(TableName=self.name, Item=item)

    def put_listed(self, count: int, state: State = State.PAIRED, platform: Platform = TELEGRAM, **more: Any) -> None:
        """Lay so many paired or blocked contacts into the table, each a second after the one before."""
        for number in range(count):
            contact = Contact(
                platform=platform, user_id=str(number), state=state, rev=1, paired_at=T0 + number,
                decided_at=T0 + number, **more,
            )  # fmt: skip
            key = {"pk": {"S": contact_pk(platform, contact.user_id)}, "sk": {"S": CONTACT}}
            self.raw.put_item(TableName=self.name, Item=key | contact_attributes(contact))


def load_handler() -> Any:
    """Load the function's module anew, as a cold start does."""
    spec = importlib.util.spec_from_file_location("web_app", APP)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.handler

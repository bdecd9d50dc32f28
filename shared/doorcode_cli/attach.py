"""``doorcode attach``: the agent is a program on one's own machine, which is sent what is in the agent queue."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Callable, Sequence
from threading import Event, Lock
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer
from msgspec import Struct

from doorcode.agent.answers import check_status, read_answer
from doorcode.agent.responder import AgentUnavailableError, Responder
from doorcode.pairing.access import Scope
from doorcode.pairing.agents import URL, WEBHOOK_SECRET, AgentKind
from doorcode.pairing.hand_off import HandOff, leaving
from doorcode.pairing.keyring import Keyring
from doorcode.pairing.platform import Platform
from doorcode.pairing.settings import parse_settings
from doorcode_cli.admin_client import AdminClient
from doorcode_cli.deployment import Deployment
from doorcode_cli.examples import examples
from doorcode_cli.exit_codes import CommandError, Exit
from doorcode_cli.output import note, say
from doorcode_cli.queue_consumer import QueueConsumer
from doorcode_cli.shown import counted, shown
from doorcode_cli.target import Target, targeted

if TYPE_CHECKING:
    import httpx

# It is ended when this ends; if this is killed, by itself.
TOKEN_SECONDS = 12 * 3600
UNAUTHORIZED = 401
LONGEST_SHOWN = 2000
EPILOG = examples("doorcode attach http://127.0.0.1:9000", "doorcode attach http://127.0.0.1:9000/hook --show")


class _Made(Struct, frozen=True):
    id: str
    token: str


class _Revoked(Struct, frozen=True):
    id: str


@targeted
def attach(
    target: Target,
    url: Annotated[str, typer.Argument(metavar="URL", help="Where your agent is: https, or http on this machine.")],
    *,
    show: Annotated[bool, typer.Option("--show", help="Print what is said, too.")] = False,
) -> None:
    """Have a program on this machine answer what waits in the agent queue (Agent=queue). Ends with Ctrl-C and loses nothing."""
    if not re.fullmatch(URL, url):
        raise CommandError("URL is https:// without user and fragment, or http:// on this machine alone.", Exit.USAGE)
    deployment = Deployment(target)
    if not _queues(deployment.parameters.get("Agent", "")):
        agent = deployment.parameters.get("Agent") or AgentKind.PYTHON
        raise CommandError(
            f"Agent is {shown(agent)}, so nothing waits in the agent queue for you. Set Agent=queue and make deploy; "
            "in the sandbox: doorcode run --agent queue"
        )
    kept = deployment.parameter_store.read([WEBHOOK_SECRET]).get(WEBHOOK_SECRET)
    ring = Keyring(tuple(line.encode() for line in kept.value.split())) if kept and kept.value.strip() else None
    answers = AnswersByApi(AdminClient(target), target.local_url or deployment.output("WebUrl").removesuffix("/owner"))
    consumer = QueueConsumer(
        deployment.client("sqs"),
        deployment.physical("AgentQueue"),
        deployment.physical("AgentDeadLetters"),
        respond=asking(url, ring),
        send=answers.send,
        tell=_telling(show=show),
    )
    over = Event()
    before = {number: signal.signal(number, lambda *_: over.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    note(f"Answering by {shown(url)}{'' if ring else ', unsigned: there is no ' + WEBHOOK_SECRET}. Ctrl-C ends it.")
    try:
        consumer.run(over)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        answers.close()
    note("Ended. What was not answered waits in the queue.")


def asking(url: str, ring: Keyring | None) -> Responder:
    """Return a responder that posts to ``url`` as Agent=webhook does, signed where there is a secret."""
    from doorcode.agent.http import post  # noqa: PLC0415 (loaded by whoever attaches, and not before)
    from doorcode.agent.webhook import signed  # noqa: PLC0415 (likewise)

    def respond(message: HandOff) -> Sequence[str]:
        body = msgspec.json.encode(leaving(message))
        now = int(time.time())
        headers = {"Content-Type": "application/json", **(signed(message.id, body, ring, now) if ring else {})}
        answer = post(url, headers, body)
        return read_answer(answer.status, answer.headers, answer.body, int(time.time()))

    return respond


class AnswersByApi:
    """Sends answers by the HTTP API, with a token that can do nothing else and lives no longer than this."""

    def __init__(self, admin: AdminClient, api: str) -> None:
        """Have ``admin`` make the token when it is first needed."""
        self._admin = admin
        self._url = f"{api}/api/messages"
        self._made: _Made | None = None
        self._lock = Lock()

    def send(self, message: HandOff, text: str, key: str) -> None:
        """Send a text to where a message was written. Raises AgentUnavailableError, AgentRefusedError, CommandError."""
        answer = self._post(self._token(), message, text, key)
        if answer.status_code == UNAUTHORIZED:
            # Its time is over, or somebody has ended it.
            answer = self._post(self._token(renewed=True), message, text, key)
        headers = {name.lower(): value for name, value in answer.headers.items()}
        check_status(answer.status_code, headers, int(time.time()), "by the HTTP API, to the answer")

    def close(self) -> None:
        """End the token."""
        if self._made:
            self._admin.ask(_Revoked, command="token_revoke", id=self._made.id)

    def _post(self, token: str, message: HandOff, text: str, key: str) -> httpx.Response:
        import httpx  # noqa: PLC0415 (likewise)

        body = {"reply_to": message.reply_to, "text": text, "key": key}
        try:
            return httpx.post(
                self._url, json=body, headers={"Authorization": f"Bearer {token}"}, timeout=30, follow_redirects=False
            )
        except httpx.HTTPError as error:
            raise AgentUnavailableError(f"The HTTP API did not answer: {type(error).__name__}.") from None

    def _token(self, *, renewed: bool = False) -> str:
        with self._lock:
            if self._made is None or renewed:
                self._made = self._admin.ask(
                    _Made, command="token_create", scope=Scope.MESSAGES, name="attach", for_seconds=TOKEN_SECONDS
                )
            return self._made.token


def _queues(agent: str) -> bool:
    agents = parse_settings({"AGENT": agent}).agents
    return any(agents.kind_on(platform) is AgentKind.QUEUE for platform in Platform)


def _telling(*, show: bool) -> Callable[[HandOff, Sequence[str], str], None]:
    def tell(message: HandOff, texts: Sequence[str], why: str) -> None:
        became = why or (counted(len(texts), "answer") if texts else "no answer now")
        say(shown(f"{message.platform} {message.user.id} {message.messages[-1].kind}: {became}", LONGEST_SHOWN))
        if show:
            for line in (f"> {message.said}", *(f"< {text}" for text in texts)):
                say(shown(line, LONGEST_SHOWN))

    return tell

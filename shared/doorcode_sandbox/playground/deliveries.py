"""Webhooks on their way to the stack, and what is remembered of them."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec
from botocore.exceptions import BotoCoreError, ClientError
from msgspec import Struct

from doorcode.errors import SecretError
from doorcode.pairing.contact import Platform
from doorcode.pairing.gate import Reason
from doorcode.pairing.keyring import Keyring, parse_keyring
from doorcode.platforms.inbound import Webhook
from doorcode.platforms.registry import inbound
from doorcode_sandbox.front import webhook_path
from doorcode_sandbox.platforms.chats import FORM, Outgoing, Side
from doorcode_sandbox.playground.drawing import iso
from doorcode_sandbox.playground.errors import PlaygroundError
from doorcode_sandbox.playground.inside import Inside, Record

PATIENCE_SECONDS = 60
KEPT = 50
# For how long a delivery's log is looked for.
LATE_SECONDS = 120
MASK = "•••"


class Delivery(Struct, kw_only=True):
    """A webhook that was sent, and what was answered. ``at`` is in seconds since 1970, ``ms`` how long it took."""

    id: str
    webhook: Outgoing
    at: float
    headers: dict[str, str]
    fits: bool
    status: int
    answer: bytes
    ms: int
    again_of: str | None = None
    log: list[Record] = []


class Deliveries:
    """Sends webhooks one by one on each platform, and keeps the last ones. Safe between threads."""

    def __init__(
        self, sides: Mapping[Platform, Side], secret: Callable[[str], str], clock: Callable[[], float]
    ) -> None:  # fmt: skip
        """Have those platforms sign, with secrets by their names; nothing is sent before ``url`` is set."""
        self.url = ""
        self._sides = sides
        self._secret = secret
        self._clock = clock
        self._lock = threading.Lock()
        # One after another, so that what is logged meanwhile is this one's.
        self._turns = {platform: threading.Lock() for platform in Platform}
        self._kept: dict[str, Delivery] = {}
        self._count = 0

    def send(self, webhook: Outgoing, again_of: str | None = None) -> Delivery:
        """Sign a webhook as of now, and send it. Raises PlaygroundError if it cannot be signed or nobody answers."""
        side = self._sides[webhook.platform]
        keyring = self._keyring(inbound(side.platform).SECRET)
        with self._turns[webhook.platform]:
            now = self._clock()
            headers = {**webhook.headers, **side.sign(webhook.body, keyring, int(now))}
            started = time.monotonic()
            status, answer = self._post(webhook, headers)
            delivery = Delivery(
                id=self._number(),
                webhook=webhook,
                at=now,
                headers=headers,
                fits=_fits(webhook, headers, keyring, int(now)),
                status=status,
                answer=answer,
                ms=round((time.monotonic() - started) * 1000),
                again_of=again_of,
            )
        with self._lock:
            self._kept[delivery.id] = delivery
            while len(self._kept) > KEPT:
                del self._kept[next(iter(self._kept))]
        return delivery

    def find(self, delivery_id: str) -> Delivery:
        """Return a delivery. Raises PlaygroundError if there is none, or none any more."""
        with self._lock:
            found = self._kept.get(delivery_id)
        if found is None:
            raise PlaygroundError(404, f"That delivery is not known (any more): the last {KEPT} are kept.")
        return found

    def newest_first(self, inside: Inside) -> list[Delivery]:
        """Return what is kept, with what the edge logged of it, as far as that can be read."""
        with self._lock:
            kept = list(self._kept.values())
        for platform in Platform:
            self._read_logs(inside, [one for one in kept if one.webhook.platform is platform])
        return kept[::-1]

    def _read_logs(self, inside: Inside, deliveries: Sequence[Delivery]) -> None:
        """Find the log of those deliveries of one platform, oldest first, that have none yet."""
        missing = [one for one in deliveries if not one.log and self._clock() < one.at + LATE_SECONDS]
        if not missing:
            return
        try:
            # Here people do nothing that is no message: what is none, such as the news of one's own, the platform sends by itself.
            records = [
                record
                for record in inside.log(missing[0].at, [missing[0].webhook.platform])
                if record.reason != Reason.NOT_A_MESSAGE
            ]
        except (BotoCoreError, ClientError):
            return
        ends = [later.at for later in deliveries[1:]] + [float("inf")]
        for delivery, end in zip(deliveries, ends, strict=True):
            if delivery in missing:
                delivery.log = [record for record in records if int(delivery.at * 1000) <= record.at < end * 1000]

    def _number(self) -> str:
        with self._lock:
            self._count += 1
            return str(self._count)

    def _keyring(self, name: str) -> Keyring:
        try:
            return parse_keyring(self._secret(name))
        except SecretError:
            raise PlaygroundError(503, f"The secret {name} is empty.") from None
        except Exception as error:  # noqa: BLE001 (whatever a client raises; its words may hold the request)
            raise PlaygroundError(503, f"The secret {name} cannot be read ({type(error).__name__}).") from None

    def _post(self, webhook: Outgoing, headers: Mapping[str, str]) -> tuple[int, bytes]:
        address = urlsplit(self.url)
        connection = http.client.HTTPConnection(address.netloc, timeout=PATIENCE_SECONDS)
        with closing(connection):
            try:
                connection.request("POST", webhook_path(webhook.platform), webhook.body, dict(headers))
                response = connection.getresponse()
                return response.status, response.read()
            except (OSError, http.client.HTTPException) as error:
                raise PlaygroundError(502, f"The webhook was not answered ({type(error).__name__}).") from None


def delivery_json(delivery: Delivery, side: Side) -> dict[str, Any]:
    """Return what the page shows of a delivery: no secret."""
    webhook = delivery.webhook
    return {
        "id": delivery.id,
        "platform": webhook.platform,
        "at": iso(delivery.at),
        "path": webhook_path(webhook.platform),
        "headers": {name: MASK if name in side.secret_headers else value for name, value in delivery.headers.items()},
        "signature": {"kind": side.proof, "fits": delivery.fits},
        "body": _read(webhook),
        "status": delivery.status,
        "answer": _json_or_text(delivery.answer),
        "ms": delivery.ms,
        "again_of": delivery.again_of,
        "log": [{"level": record.level, "message": record.message, "reason": record.reason} for record in delivery.log],
    }


def _fits(webhook: Outgoing, headers: Mapping[str, str], keyring: Keyring, now: int) -> bool:
    """Tell whether the signature convinces us, too."""
    lowered = {name.lower(): value for name, value in headers.items()}
    try:
        return inbound(webhook.platform).verify(Webhook(lowered, webhook.body), keyring, now)
    except SecretError:
        return False


def _read(webhook: Outgoing) -> Any:
    if webhook.headers["Content-Type"] != FORM:
        return msgspec.json.decode(webhook.body)
    return {name: msgspec.json.decode(value) for name, value in parse_qsl(webhook.body.decode())}


def _json_or_text(body: bytes) -> Any:
    if not body:
        return None
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return body.decode(errors="replace")

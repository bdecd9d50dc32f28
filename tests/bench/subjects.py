"""What is measured: our edge functions doing each of their jobs, and the peers doing as much of one as they do."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from doorcode.aws.items import contact_attributes
from doorcode.pairing.contact import Contact, Platform, State
from tests import webhooks
from tests.bench.canned import PAIRED, STRANGERS
from tests.bench.runtime_api import FunctionError
from tests.webhooks import HELLO, Delivery, load

EDGE = tuple(map(str, Platform))
OWNERS = ",".join(f"{platform}:{user_id}" for platform, user_id in webhooks.OWNER.items())
SECRETS = {
    "gateway-secret": "the gateway secret",
    "callback-secret": "the callback secret",
    "telegram/webhook-secret": webhooks.WEBHOOK_SECRET,
    "slack/team": "T0DOOR0001:",
    "slack/signing-secret": webhooks.SIGNING_SECRET,
    "discord/public-key": webhooks.PUBLIC_KEY,
    "whatsapp/app-secret": webhooks.APP_SECRET,
    "whatsapp/verify-token": "a verify token",
    "whatsapp/bot": "1500000000000001:15550783881",
}
CONTACT = contact_attributes(
    Contact(
        platform=Platform.TELEGRAM,
        user_id=webhooks.STRANGER[Platform.TELEGRAM],
        state=State.PAIRED,
        rev=2,
        name="@stranger",
        label="alice",
        paired_at=1_776_859_000,
        decided_by="123456789",
        decided_via="button",
    )
)

START = Counter(GetParameters=1)
ADMITTED = Counter(GetItem=1, SendMessage=1)
PASSED_ON = Counter(GetItem=1, hook=1)
REQUESTED = Counter(GetItem=1, Query=1, TransactWriteItems=1)
NOTHING: Counter[str] = Counter()


class Subject(Struct, frozen=True, kw_only=True):
    """One function doing one job. ``says`` stands in each right answer; ``each`` and ``start`` are the calls it makes."""

    name: str
    function: str
    delivery: Delivery
    table: str = PAIRED
    says: str = ""
    each: Counter[str]
    start: Counter[str] = NOTHING
    ours: bool = False
    # A bot behind the door, at the same place as all else.
    bot: str = ""

    def events(self, count: int, first: int = 0) -> list[dict[str, Any]]:
        """Return as many deliveries, each another one, signed now."""
        now = int(time.time())
        return [webhooks.request(self.delivery.another(first + number), now) for number in range(count)]

    def check(self, answers: list[Any]) -> None:
        """Raise FunctionError unless each answer is the right one."""
        for answer in answers:
            if answer.get("statusCode") != 200 or self.says not in json.dumps(answer):
                raise FunctionError(f"{self.name} answered {answer}")

    def check_calls(self, calls: Mapping[str, int], messages: int) -> None:
        """Raise FunctionError unless these calls are what so many messages take, from the start on."""
        expected = self.start + Counter({name: count * messages for name, count in self.each.items()})
        if Counter(calls) != expected:
            raise FunctionError(f"{self.name} made {dict(calls)}, not {dict(expected)}")

    def environment(self, aws: str) -> dict[str, str]:
        """Return the environment of the function where everything is found at the URL ``aws``."""
        settings = {
            "TABLE_NAME": self.table,
            "AGENT_TABLE_NAME": f"{self.table}-agent",
            "AGENT_QUEUE_URL": f"{aws}/123456789012/agent.fifo",
            "AWS_ENDPOINT_URL": aws,
        }
        if self.ours:
            bot = {"AGENT": "bot", "AGENT_URL": f"{aws}/{self.bot}"} if self.bot else {}
            return (
                settings
                | bot
                | {
                    "UNKNOWN_USER_POLICY": "pair",
                    "OWNER_USER_IDS": OWNERS,
                    "PARAMETER_PREFIX": "/doorcode/bench",
                }
            )
        # The peers are given their secrets: reading and renewing them is left out, as it is in most examples.
        return settings | {
            "SLACK_BOT_TOKEN": "xoxb-of-the-bench",
            "SLACK_SIGNING_SECRET": webhooks.SIGNING_SECRET,
            "SLACK_API_URL": f"{aws}/api/",
            "TELEGRAM_BOT_TOKEN": "7000000001:of-the-bench",
            "TELEGRAM_WEBHOOK_SECRET": webhooks.WEBHOOK_SECRET,
            "TELEGRAM_API_URL": aws,
        }


def subjects() -> list[Subject]:
    """Return all of them, the empty handler and the floor first."""
    hello = {platform: load(HELLO[platform]) for platform in Platform}
    telegram = hello[Platform.TELEGRAM]

    def peer(
        name: str, function: str, delivery: Delivery, *, each: Counter[str], start: Counter[str] = NOTHING
    ) -> Subject:
        return Subject(name=name, function=function, delivery=delivery, each=each, start=start)

    def ours(name: str, platform: Platform, **details: Any) -> Subject:
        details = {"delivery": hello[platform], "start": START, **details}
        return Subject(name=f"{platform}: {name}", function=platform, ours=True, **details)

    requested = {"table": STRANGERS, "each": REQUESTED}
    # Where people are shown something, the owner's own words for it are read first, once.
    told = requested | {
        "says": "Your request has been sent to the owner for approval.",
        "start": START + Counter(GetParameters=1),
    }
    return [
        peer("empty handler", "empty", telegram, each=NOTHING),
        peer("two round trips alone", "two_round_trips", telegram, each=ADMITTED),
        *(ours("admitted message", platform, each=ADMITTED) for platform in Platform),
        ours("message passed on to a bot", Platform.TELEGRAM, bot="hook", each=PASSED_ON),
        ours("new request", Platform.TELEGRAM, **told),
        ours("new request", Platform.SLACK, **requested),
        ours("new request", Platform.DISCORD, **told),
        ours("PING", Platform.DISCORD, delivery=load("discord/ping"), each=NOTHING, says="type"),
        peer("boto3, one GetItem", "boto3_get_item", telegram, each=Counter(GetItem=1)),
        peer("Slack Bolt", "slack_bolt", hello[Platform.SLACK], each=ADMITTED, start=Counter({"auth.test": 1})),
        peer("python-telegram-bot, one loop", "telegram_loop", telegram, each=ADMITTED, start=Counter(getMe=1)),
        peer("python-telegram-bot, asyncio.run", "telegram_run", telegram, each=ADMITTED + Counter(getMe=1)),
    ]

"""The playground before the deployed stack: everything is typed and pressed over its JSON, as its page does."""

import http.client
import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import pytest

from doorcode.pairing.contact import Platform
from doorcode_sandbox.front import Front
from doorcode_sandbox.platforms.discord.stand_in import DiscordStandIn
from doorcode_sandbox.platforms.slack.stand_in import SlackStandIn
from doorcode_sandbox.platforms.telegram.stand_in import TelegramStandIn
from doorcode_sandbox.platforms.whatsapp.stand_in import WhatsAppStandIn
from doorcode_sandbox.playground.backend import Playground
from tests import webhooks
from tests.eventually import PATIENCE_SECONDS, eventually
from tests.integration.stack import FRONT_WORD, Cloud
from tests.webhooks import OWNER, STRANGER

EACH = pytest.mark.parametrize("platform", list(Platform))
SENT = "Your request has been sent to the owner for approval."
GREETING = "Hi there! How can I help you today?"
APPROVED = "You've been approved! Send me a message"
NAME = "playground"


class Page:
    """What the page can do, and what stands on it."""

    def __init__(self, url: str) -> None:
        """Open it."""
        self._address = urlsplit(url).netloc

    def ask(self, verb: str, path: str, body: Any = None) -> Any:
        """Ask the backend. Raises AssertionError unless it answers 200."""
        with closing(http.client.HTTPConnection(self._address, timeout=PATIENCE_SECONDS)) as connection:
            headers = {"Content-Type": "application/json", "Sec-Fetch-Site": "same-origin"}
            connection.request(verb, f"/playground/{path}", None if body is None else json.dumps(body), headers)
            response = connection.getresponse()
            read = response.read()
            assert response.status == 200, read
            return json.loads(read)

    def chat(self, platform: Platform, person: str, kind: str = "direct") -> Any:
        """Return a person's chat of that kind."""
        return next(
            chat
            for chat in self.ask("GET", "scene")["chats"]
            if (chat["platform"], chat["kind"]) == (platform, kind) and person in chat["members"]
        )

    def say(self, platform: Platform, person: str, text: str, kind: str = "direct", **more: Any) -> Any:
        """Have somebody write."""
        chat = self.chat(platform, person, kind)["id"]
        return self.ask("POST", "say", {"platform": platform, "chat": chat, "person": person, "text": text, **more})

    def press(self, platform: Platform, person: str, message: Any, label: str) -> Any:
        """Have somebody press a button in their direct chat."""
        chat = self.chat(platform, person)["id"]
        button = next(button["id"] for row in message["buttons"] for button in row if button["text"] == label)
        pressed = {"platform": platform, "chat": chat, "person": person, "message": message["id"], "button": button}
        return self.ask("POST", "press", pressed)

    def reasons(self, said: Any) -> list[str]:
        """Return the reasons logged of a delivery; before its own the emulator may bring one that it was late with."""
        delivery = next(one for one in self.ask("GET", "deliveries")["deliveries"] if one["id"] == said["delivery"])
        return [line["reason"] for line in delivery["log"] if line["reason"]]

    def sees(self, platform: Platform, person: str, text: str) -> Any:
        """Wait until the bot's words hold a text in somebody's direct chat; return that message."""

        def look() -> Any:
            messages = self.chat(platform, person)["messages"]
            return next((one for one in messages if one["from"] == "bot" and text in json.dumps(one["shown"])), None)

        found = eventually(look)
        assert found, (self.chat(platform, person), self.ask("GET", "inside")["log"])
        return found


@pytest.fixture(scope="module")
def page(cloud: Cloud) -> Iterator[Page]:
    """Deploy a stack, with the playground before it."""
    telegram, slack, whatsapp = TelegramStandIn(), SlackStandIn(), WhatsAppStandIn()
    discord = DiscordStandIn(seed=bytes(webhooks.SIGNING_KEY))
    outputs: dict[str, str] = {}
    with telegram, slack, discord, whatsapp:
        stack = cloud.deploy(
            NAME,
            UnknownUserPolicy="pair,whatsapp=pair",
            GroupPolicy="mention_only",
            AllowedGroups="*",
            OwnerUserIds=",".join(f"{platform}:{user_id}" for platform, user_id in OWNER.items()),
            SecretsMaxAgeSeconds=0,
            TelegramApiUrl=telegram.api_url,
            SlackApiUrl=slack.api_url,
            DiscordApiUrl=discord.api_url,
            WhatsappApiUrl=whatsapp.api_url,
        )
        for name, value in (
            ("telegram/bot", f"{telegram.BOT['id']}:{telegram.BOT['username']}"),
            ("slack/signing-secret", "the signing secret of this playground"),
            ("discord/public-key", webhooks.PUBLIC_KEY),
            ("telegram/bot-token", telegram.token),
            ("slack/bot-token", slack.token),
            ("discord/bot-token", discord.token),
            *whatsapp.credentials().items(),
            ("whatsapp/bot-token", whatsapp.token),
        ):
            stack.set_secret(name, value)
        outputs |= stack.outputs
        playground = Playground(
            stand_ins={
                Platform.TELEGRAM: telegram,
                Platform.SLACK: slack,
                Platform.DISCORD: discord,
                Platform.WHATSAPP: whatsapp,
            },
            secret=stack.secret,
            client=stack.client,
            stack=NAME,
            outputs=outputs,
            owners={platform: [user_id] for platform, user_id in OWNER.items()},
        )
        with Front(port=0, api=cloud.url, host=stack.host, word=FRONT_WORD, playground=playground) as front:
            yield Page(front.url)
        # What it made for itself is gone.
        assert stack.client("events").list_rules(NamePrefix=NAME)["Rules"] == []
        assert not stack.client("sqs").list_queues(QueueNamePrefix=f"{NAME}-playground").get("QueueUrls")
        cloud.delete(NAME)


def test_the_whole_way(page: Page) -> None:
    """A stranger writes, the owner is asked and presses, both chats show what became of it, and the agent answers.

    tests/e2e/test_playground_stack.py goes it on every platform, and sees what the page shows of it.
    """
    platform = Platform.DISCORD
    stranger, owner = STRANGER[platform], OWNER[platform]
    said = page.say(platform, stranger, "Hello, may I come in?")
    assert said["status"] == 200
    page.sees(platform, stranger, SENT)
    prompt = page.sees(platform, owner, "wants to chat. Approve access?")

    assert page.press(platform, owner, prompt, "✅ Approve")["status"] == 200
    closed = page.sees(platform, owner, "Approved by")
    assert (closed["id"], closed["buttons"], closed["edited"]) == (prompt["id"], [], True)
    page.sees(platform, stranger, APPROVED)

    page.say(platform, stranger, "Hello again")
    answer = page.sees(platform, stranger, GREETING)
    assert not answer["deferred"]

    delivery = next(one for one in page.ask("GET", "deliveries")["deliveries"] if one["id"] == said["delivery"])
    assert delivery["signature"]["fits"]
    assert eventually(lambda: page.reasons(said)[-1:] == ["pairing_requested"]), page.reasons(said)

    def published() -> list[str]:
        events = page.ask("GET", "inside")["events"]
        return [one["detail-type"] for one in events if one["detail"]["user_id"] == stranger]

    assert eventually(lambda: len(published()) >= 2)
    assert published() == ["pairing_requested", "pairing_approved"]


@EACH
def test_a_stranger_in_a_group(page: Page, platform: Platform) -> None:
    """Who addresses the bot in a group is dropped there with the reason for it, however the platform says so.

    WhatsApp does not say so: nobody is known to have meant the bot.
    """
    newcomer = page.ask("POST", "people", {"platform": platform, "role": "stranger", "name": "Nina New"})["person"]
    assert newcomer["role"] == "stranger"
    mallory = next(
        person["id"]
        for person in page.ask("GET", "scene")["people"]
        if (person["platform"], person["username"]) == (platform, "mallory")
    )
    said = page.say(platform, mallory, "are you there?", "group", mention=True)
    reason = "group_policy" if platform is Platform.WHATSAPP else "group_unknown"
    assert eventually(lambda: page.reasons(said)[-1:] == [reason]), page.reasons(said)


def test_deliver_again(page: Page) -> None:
    """The same delivery once more is answered once more, and is no second request."""
    newcomer = page.ask("POST", "people", {"platform": "telegram", "role": "stranger", "name": "Rita Repeat"})["person"]
    first = page.say(Platform.TELEGRAM, newcomer["id"], "Hello")
    again = page.ask("POST", "redeliver", {"delivery": first["delivery"]})
    known = {one["id"]: one for one in page.ask("GET", "deliveries")["deliveries"]}
    one, two = known[first["delivery"]], known[again["delivery"]]
    assert (two["body"], two["answer"], two["again_of"]) == (one["body"], one["answer"], one["id"])
    items = page.ask("GET", "inside")["items"]
    contact = next(item for item in items if item["pk"] == f"telegram#{newcomer['id']}")
    assert contact["rev"] == 1

"""What people see: messages, answers in responses, what is for one person alone, and what passes."""

import http.client
import itertools
import json
import threading
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import pytest

from doorcode.pairing.contact import Platform
from doorcode_sandbox.playground.backend import KEEPS
from doorcode_sandbox.playground.cast import MAX_PEOPLE
from doorcode_sandbox.playground.drawing import MAX_MESSAGES
from tests.eventually import PATIENCE_SECONDS
from tests.unit.sandbox.playground_fixtures import OWNERS, STRANGERS, Harness

TELEGRAM, SLACK, DISCORD, WHATSAPP = Platform
EACH = pytest.mark.parametrize("platform", list(Platform))
QUIET: dict[str, Any] = {"allowed_mentions": {"parse": []}}
MESSAGE_FIELDS = {
    "id", "from", "at", "edited", "deferred", "only_for", "shown", "call", "buttons", "delivery",
}  # fmt: skip


@pytest.fixture
def harness() -> Iterator[Harness]:
    """Have everything running."""
    with Harness().running() as harness:
        yield harness


def test_the_first_scene(harness: Harness) -> None:
    """On every platform there are an owner, two strangers, a direct chat for each, and a group of them all."""
    scene = harness.json("GET", "scene")
    assert scene["where"] == "--local"
    assert [platform["name"] for platform in scene["platforms"]] == ["telegram", "slack", "discord", "whatsapp"]
    assert scene["platforms"][0] == {"name": "telegram", "bot": "Doorcode", "handle": "@doorcode_bot", "real": False}
    for platform in Platform:
        people = [person for person in scene["people"] if person["platform"] == platform]
        assert [person["role"] for person in people] == ["owner", "stranger", "stranger"]
        assert people[0]["id"] == OWNERS[platform][0]
        ids = [person["id"] for person in people]
        chats = [(one["kind"], one["members"]) for one in scene["chats"] if one["platform"] == platform]
        assert chats == [*(("direct", [user_id]) for user_id in ids), ("group", ids)]


def test_a_person_s_words(harness: Harness) -> None:
    """What somebody says stands in their chat, with the delivery that it became, and in nobody else's."""
    for platform in Platform:
        said = harness.say(platform, STRANGERS[platform], "Hello & <hi>")
        (message,) = harness.chat(platform, STRANGERS[platform])["messages"]
        assert message.keys() == MESSAGE_FIELDS, platform
        assert (message["id"], message["from"]) == (said["message"], STRANGERS[platform]), platform
        assert (message["delivery"], message["call"], message["at"]) == (
            said["delivery"],
            "",
            "2026-04-22T11:45:22.250Z",
        ), platform
        word = "Hello &amp; &lt;hi&gt;" if platform is SLACK else "Hello & <hi>"
        assert word in (
            message["shown"].get("content"),
            text := message["shown"].get("text"),
            isinstance(text, dict) and text["body"],
        ), platform
        assert harness.chat(platform, OWNERS[platform][0])["messages"] == [], platform


def test_the_bot_s_messages(harness: Harness) -> None:
    """A call of the bot stands in the chat with its own fields and name, its time and its buttons, after what was said."""
    for platform in Platform:
        chat = harness.chat(platform, OWNERS[platform][0])["id"]
        harness.say(platform, OWNERS[platform][0])
        harness.now += 1
        message_id = harness.prompt(platform, chat)
        message = harness.chat(platform, OWNERS[platform][0])["messages"][1]
        assert message.keys() == MESSAGE_FIELDS, platform
        calls = {TELEGRAM: "sendMessage", SLACK: "chat.postMessage", DISCORD: "createMessage", WHATSAPP: "messages"}
        call = calls[platform]
        assert (message["id"], message["from"], message["call"], message["only_for"]) == (
            message_id,
            "bot",
            call,
            None,
        ), platform
        assert (message["at"], message["edited"], message["deferred"]) == ("2026-04-22T11:45:23.250Z", False, False), (
            platform
        )
        style = "" if platform in {TELEGRAM, WHATSAPP} else "primary"
        assert message["buttons"] == [[{"id": "0.0", "text": "Yes", "style": style, "asks": ""}]], platform
        fields = {TELEGRAM: "reply_markup", SLACK: "blocks", DISCORD: "components", WHATSAPP: "interactive"}
        field = fields[platform]
        assert message["shown"][field], platform
        harness.now -= 1


def test_a_method_in_telegram_s_response(harness: Harness) -> None:
    """The method that a webhook's response holds is carried out, and said to have come that way."""
    harness.api.says({"method": "sendMessage", "chat_id": 987654321, "text": "Your request has been sent."})
    harness.say(TELEGRAM, "987654321")
    message = harness.chat(TELEGRAM, "987654321")["messages"][1]
    assert (message["shown"], message["call"]) == ({"text": "Your request has been sent."}, "response")


@pytest.mark.parametrize("alert", [False, True])
def test_a_toast(harness: Harness, *, alert: bool) -> None:
    """The answer to a press on Telegram passes before the presser's eyes, as a dialog where it is one."""
    message = harness.prompt(TELEGRAM, "123456789")
    harness.api.think = lambda update: {
        "method": "answerCallbackQuery",
        "callback_query_id": update["callback_query"]["id"],
        "text": "Approved",
        "show_alert": alert,
    }
    harness.press(TELEGRAM, "123456789", message, "0.0")
    assert harness.chat(TELEGRAM, "123456789")["notes"] == [
        {"to": "123456789", "text": "Approved", "alert": alert, "at": "2026-04-22T11:45:22.250Z"}
    ]


def test_only_the_writer_sees_it(harness: Harness) -> None:
    """An ephemeral answer on Discord is for the one who used the command, in the midst of others."""
    harness.api.says({"type": 4, "data": {"content": "Write to me in a direct message.", "flags": 64, **QUIET}})
    harness.say(DISCORD, STRANGERS[DISCORD], "hello", "group")
    message = harness.chat(DISCORD, STRANGERS[DISCORD], "group")["messages"][1]
    assert (message["only_for"], message["call"]) == (STRANGERS[DISCORD], "response")


def test_whispers(harness: Harness) -> None:
    """What Slack shows to one person is for that one."""
    group = harness.chat(SLACK, STRANGERS[SLACK], "group")["id"]
    whisper = {"channel": group, "user": STRANGERS[SLACK], "text": "psst"}
    harness.call(SLACK, "POST", "/api/chat.postEphemeral", whisper)
    (message,) = harness.chat(SLACK, STRANGERS[SLACK], "group")["messages"]
    assert (message["only_for"], message["call"]) == (STRANGERS[SLACK], "chat.postEphemeral")


def test_an_answer_may_be_faster_than_the_response(harness: Harness) -> None:
    """What is to take the place of a response waits until that has been read, as it does in Discord."""
    calls: list[threading.Thread] = []

    def think(interaction: Any) -> Any:
        path = f"/api/v10/webhooks/{harness.discord.application['id']}/{interaction['token']}/messages/@original"
        fields = {"content": "Hi there!", **QUIET}
        calls.append(threading.Thread(target=harness.call, args=(DISCORD, "PATCH", path, fields)))
        calls[0].start()
        # By now it would have been refused.
        calls[0].join(0.1)
        return {"type": 5, "data": {"flags": 0}}

    harness.api.think = think
    harness.say(DISCORD, STRANGERS[DISCORD])
    calls[0].join(PATIENCE_SECONDS)
    assert harness.chat(DISCORD, STRANGERS[DISCORD])["messages"][1]["shown"]["content"] == "Hi there!"


def test_thinking(harness: Harness) -> None:
    """A deferred answer stands there as such until it comes, which is no edit; what comes after that is."""
    harness.api.says({"type": 5, "data": {"flags": 0}})
    harness.say(DISCORD, STRANGERS[DISCORD])
    chat = harness.chat(DISCORD, STRANGERS[DISCORD])
    assert [message["deferred"] for message in chat["messages"]] == [False, True]
    (token,) = harness.discord._interactions
    path = f"/api/v10/webhooks/{harness.discord.application['id']}/{token}/messages/@original"
    for words, edited in (("Hi there!", False), ("Hi!", True)):
        harness.call(DISCORD, "PATCH", path, {"content": words, **QUIET})
        message = harness.chat(DISCORD, STRANGERS[DISCORD])["messages"][1]
        assert (message["shown"]["content"], message["deferred"], message["edited"]) == (words, False, edited)


def test_a_press_changes_the_message_in_place(harness: Harness) -> None:
    """The answer to a press on Discord takes the place of the very message that was pressed, although another is newer."""
    owner = OWNERS[DISCORD][0]
    chat = harness.chat(DISCORD, owner)["id"]
    first, second = harness.prompt(DISCORD, chat), harness.prompt(DISCORD, chat)
    harness.api.says({"type": 7, "data": {"content": "Approved by you", "components": [], **QUIET}})
    harness.press(DISCORD, owner, first, "0.0")
    shown = {message["id"]: message for message in harness.chat(DISCORD, owner)["messages"]}
    assert list(shown) == [first, second]
    assert (shown[first]["shown"]["content"], shown[first]["buttons"], shown[first]["edited"]) == (
        "Approved by you",
        [],
        True,
    )
    assert shown[second]["shown"]["content"] == "Well?"


@pytest.mark.parametrize(
    ("status", "answer"), [(503, None), (200, None), (200, {"type": 7, "data": {}}), (200, []), (200, {"type": 4})]
)
def test_no_answer_of_discord_s(harness: Harness, status: int, answer: Any) -> None:
    """Whoever gets no answer that Discord takes reads that there was none."""
    if answer is not None or status != 200:
        harness.api.says(answer, status)
    harness.say(DISCORD, STRANGERS[DISCORD])
    chat = harness.chat(DISCORD, STRANGERS[DISCORD])
    assert len(chat["messages"]) == 1
    assert [(note["to"], note["text"]) for note in chat["notes"]] == [
        (STRANGERS[DISCORD], "The application did not respond")
    ]


def test_changed_without_anybody_doing_anything(harness: Harness) -> None:
    """Whoever listens hears the version at once, and again for a call of the bot's."""
    address = urlsplit(harness.front.url).netloc
    with closing(http.client.HTTPConnection(address, timeout=PATIENCE_SECONDS)) as connection:
        connection.request("GET", "/playground/changes")
        response = connection.getresponse()
        assert response.headers["Content-Type"] == "text/event-stream; charset=utf-8"
        seen = []
        for _ in range(2):
            seen.append(json.loads(response.readline().removeprefix(b"data: "))["version"])
            assert response.readline() == b"\n"
            harness.prompt(TELEGRAM, "123456789")
        assert seen[1] > seen[0]
        assert harness.json("GET", "scene")["version"] >= seen[1]


def test_newcomers(harness: Harness) -> None:
    """Another stranger has an id of the platform's form, a name of their own, and a direct chat."""
    for platform in Platform:
        added = [
            harness.json("POST", "people", {"platform": platform, "role": "stranger", "name": "Nina <b>New</b>"})
            for _ in range(2)
        ]
        people = [one["person"] for one in added]
        assert people[0]["name"] == people[1]["name"] == "Nina <b>New</b>"
        assert len({person["id"] for person in people} | {person["username"] for person in people}) == 4
        assert harness.chat(platform, people[0]["id"])["id"] == added[0]["chat"]
        assert harness.say(platform, people[0]["id"])["status"] == 200


def test_what_cannot_be_done(harness: Harness) -> None:
    """What makes no sense is refused with a sentence, and nothing is sent."""
    for path, body, status in (
        ("people", {"platform": "telegram", "name": " "}, 400),
        ("people", {"platform": "telegram", "name": "x" * 65}, 400),
        ("people", {"platform": "telegram", "name": "a\x00b"}, 400),
        ("people", {"platform": "telegram", "name": "Nina", "role": "owner"}, 400),
        ("people", {"platform": "pigeon", "name": "Nina"}, 400),
        ("say", {"platform": "telegram", "chat": "1", "person": "987654321", "text": "x"}, 404),
        ("say", {"platform": "telegram", "chat": "987654321", "person": "1", "text": "x"}, 404),
        ("say", {"platform": "telegram", "chat": "123456789", "person": "987654321", "text": "x"}, 403),
        ("say", {"platform": "telegram", "chat": "987654321", "person": "987654321", "text": " "}, 400),
        ("say", {"platform": "telegram", "chat": "987654321", "person": "987654321", "text": "x" * 4097}, 400),
        ("say", {"platform": "telegram", "chat": "987654321", "person": "987654321", "text": 1}, 400),
        ("say", {"platform": "telegram", "chat": "987654321", "person": "987654321", "text": "x", "more": 1}, 400),
        (
            "press",
            {"platform": "slack", "chat": "D0STRANGER", "person": "U0STRANGER", "message": "1", "button": "0.0"},
            404,
        ),
        ("redeliver", {"delivery": "7"}, 404),
        ("redeliver", ["7"], 400),
    ):
        refused, sentence = harness.refused(path, body)
        assert (refused, bool(sentence)) == (status, True), body
        assert harness.api.taken == [], body


def test_somebody_else_presses(harness: Harness) -> None:
    """Whoever is not in the chat can press all the same, under their own name: what that is worth, the door says."""
    for platform in Platform:
        chat = harness.chat(platform, OWNERS[platform][0])["id"]
        message = harness.prompt(platform, chat)
        press = {"platform": platform, "chat": chat, "person": STRANGERS[platform], "message": message, "button": "0.0"}
        assert harness.json("POST", "press", press)["ok"], platform
        assert STRANGERS[platform] in json.dumps(harness.json("GET", "deliveries")["deliveries"][0]["body"]), platform


@EACH
def test_buttons_that_cannot_be_pressed(harness: Harness, platform: Platform) -> None:
    """A button that is not there (any more), or stands in what somebody else sees, is refused."""
    owner, stranger = OWNERS[platform][0], STRANGERS[platform]
    group = harness.chat(platform, owner, "group")["id"]
    message = harness.prompt(platform, group)
    press = {"platform": platform, "chat": group, "person": owner, "message": message, "button": "0.1"}
    assert harness.refused("press", press)[0] == 409
    assert harness.refused("press", press | {"button": ""})[0] == 409
    harness.stand_ins[platform].messages[group, message].only_for = stranger
    assert harness.refused("press", press | {"button": "0.0"})[0] == 404
    assert harness.api.taken == []


def test_memory_is_bounded(harness: Harness) -> None:
    """Of messages, of people and of what stand-ins remember, only so many are kept."""
    chat = harness.chat(TELEGRAM, "123456789")["id"]
    for _ in range(KEEPS + 5):
        harness.prompt(TELEGRAM, chat)
    assert len(harness.telegram.calls) == len(harness.telegram.messages) == KEEPS
    assert len(harness.chat(TELEGRAM, "123456789")["messages"]) == MAX_MESSAGES
    for number in itertools.count(10):
        status, _, _ = harness.ask("POST", "/playground/people", {"platform": "slack", "name": f"Person {number}"})
        if status != 200:
            break
    assert status == 409
    assert len(harness.json("GET", "scene")["people"]) == MAX_PEOPLE


def test_a_real_platform_is_not_played() -> None:
    """Where the sandbox talks to the real platform, there is nobody to play, and it says so."""
    with Harness(real=frozenset({SLACK})).running() as harness:
        scene = harness.json("GET", "scene")
        assert {one["name"]: one["real"] for one in scene["platforms"]} == {
            "telegram": False,
            "slack": True,
            "discord": False,
            "whatsapp": False,
        }
        assert {one["platform"] for one in (*scene["people"], *scene["chats"])} == set(Platform) - {SLACK}
        status, sentence = harness.refused("people", {"platform": "slack", "name": "Nina"})
        assert (status, "its own app" in sentence) == (409, True)


def test_owners_come_from_the_settings() -> None:
    """Owners may be several, one of those who are strangers elsewhere, or none; a platform without settings is not there."""
    owners = {TELEGRAM: ["987654321", "7", "7"], DISCORD: []}
    with Harness(owners=owners).running() as harness:
        people = [(one["platform"], one["id"], one["role"]) for one in harness.json("GET", "scene")["people"]]
    assert [(one, role) for platform, one, role in people if platform == "telegram"] == [
        ("987654321", "owner"),
        ("7", "owner"),
        ("987654322", "stranger"),
        ("987654323", "stranger"),
    ]
    assert [role for platform, _, role in people if platform == "discord"] == ["stranger", "stranger"]
    assert {platform for platform, _, _ in people} == {"telegram", "discord"}


def test_who_is_in_the_table_is_there_again() -> None:
    """After a restart those whom the table knows are there, and can be written to, under their names."""
    harness = Harness()
    harness.cloud.items = [
        {"pk": {"S": pk}, "sk": {"S": sk}, "name": {"S": name}}
        for pk, sk, name in (
            ("telegram#700000001", "contact", "@nina"),
            ("telegram#987654321", "contact", "@other"),
            ("discord#210000000000000001", "contact", ""),
            ("discord#added by hand", "contact", "x"),
            ("prompts#telegram#1", "n#2", "x"),
            ("seats#telegram", "00", "x"),
        )
    ]
    with harness.running():
        people = {(one["platform"], one["id"]): one["name"] for one in harness.json("GET", "scene")["people"]}
        fields = {"chat_id": "700000001", "text": "You've been approved!"}
        harness.call(TELEGRAM, "POST", f"/bot{harness.telegram.token}/sendMessage", fields)
    assert people["telegram", "700000001"] == "nina"
    assert people["telegram", "987654321"] == "Sam Stranger"
    assert people["discord", "210000000000000001"] == "210000000000000001"
    assert len(people) == 3 * len(Platform) + 2

"""Whatever is sent, with people wherever they may stand: what reaches a bot behind the door is one admitted person's."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from doorcode.pairing.contact import Contact, Platform, State
from doorcode.platforms.discord import deeds as discord_deeds
from doorcode.platforms.slack import deeds as slack_deeds
from doorcode.platforms.telegram import deeds as telegram_deeds
from doorcode.platforms.whatsapp import deeds as whatsapp_deeds
from tests.edge.harness import Edge
from tests.edge.loopback_bot import LoopbackBot, loopback_bot
from tests.webhooks import Delivery

repeatable = settings(
    derandomize=True, database=None, deadline=None, max_examples=200, suppress_health_check=list(HealthCheck)
)
Reaches = Callable[[Platform, Any], list[bytes]]
ADMITTED: dict[Platform, Any] = {
    Platform.TELEGRAM: 111,
    Platform.SLACK: "U0ADMITTED",
    Platform.DISCORD: "111111111111111111",
    Platform.WHATSAPP: "US.111",
}
OTHER: dict[Platform, Any] = {
    Platform.TELEGRAM: 222,
    Platform.SLACK: "U0SOMEBODY",
    Platform.DISCORD: "222222222222222222",
    Platform.WHATSAPP: "US.222",
}


@pytest.fixture
def reaches(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reaches]:
    """Give a function that tells what of a body reaches the bot, under a policy that lets one person in."""
    for room in (telegram_deeds, slack_deeds, discord_deeds, whatsapp_deeds):
        monkeypatch.setattr(room, "SECONDS", 60.0)
    with loopback_bot() as bot:
        for platform, person in ADMITTED.items():
            edge.put(Contact(platform=platform, user_id=str(person), state=State.PAIRED, rev=1))
        yield lambda platform, body: _reached(edge, bot, platform, body)


def _reached(edge: Edge, bot: LoopbackBot, platform: Platform, body: Any) -> list[bytes]:
    bot.received.clear()
    settings = {"AGENT": "bot", "AGENT_URL": bot.url, "GROUP_POLICY": "mention_only", "UNKNOWN_USER_POLICY": "deny"}
    form = "fields" if "command" in body else "view" in body
    kind = "application/x-www-form-urlencoded" if form else "application/json"
    edge.deliver(Delivery(platform, body, form, {"content-type": kind}), OWNER_USER_IDS="telegram:1", **settings)
    return [one.body for one in bot.received]


def _people(platform: Platform) -> st.SearchStrategy[Any]:
    return st.sampled_from([ADMITTED[platform]] * 2 + [OTHER[platform]])


# Telegram

SIGNS = ("from", "user", "sender_chat", "actor_chat", "voter_chat", "sender_business_bot")
CHAT = {"id": 111, "type": "private"}


def _user(number: int, *, bot: bool = False) -> dict[str, Any]:
    return {"id": number, "is_bot": bot, "first_name": "A"}


@st.composite
def updates(draw: st.DrawFn) -> dict[str, Any]:
    """Make an update of one or two kinds, in each of which some stand where somebody could."""
    kinds = [*telegram_deeds.KINDS, "kind_to_come"]
    update: dict[str, Any] = {"update_id": draw(st.integers(1, 10**6))}
    for kind in draw(
        st.lists(st.sampled_from(kinds), min_size=1, max_size=draw(st.sampled_from([1, 1, 1, 2])), unique=True)
    ):
        thing: dict[str, Any] = {"message_id": 1, "date": 1, "chat": CHAT, "text": "x", "id": "1"}
        # Mostly whoever did it, and somebody else beside them.
        right = telegram_deeds.KINDS.get(kind) or "from"
        signs = draw(st.lists(st.sampled_from([right, right, *SIGNS]), max_size=2)) + [right] * draw(st.integers(0, 1))
        for sign in dict.fromkeys(signs):
            person = _user(draw(_people(Platform.TELEGRAM)), bot=draw(st.integers(0, 5)) == 0)
            thing[sign] = {"id": -100, "type": "channel"} if sign.endswith("chat") else person
        update[kind] = thing
    return update


@repeatable
@given(update=updates())
def test_telegram(reaches: Reaches, update: dict[str, Any]) -> None:
    """Security 40: an update reaches the bot exactly if one person did one thing, and is let in."""
    things = {kind: thing for kind, thing in update.items() if kind != "update_id"}
    (kind, thing), *others = things.items()
    by = (
        "user"
        if kind in {"business_connection", "managed_bot", "subscription", "poll_answer", "message_reaction"}
        else "from"
    )
    nobodys = {
        "channel_post", "edited_channel_post", "poll", "chat_boost", "removed_chat_boost", "message_reaction_count",
        "deleted_business_messages", "kind_to_come",
    }  # fmt: skip
    signs = [sign for sign in SIGNS if sign in thing]
    one = signs == [by] and thing[by] == _user(ADMITTED[Platform.TELEGRAM])
    # A stranger's is never the bot's own news, whatever stands beside them.
    person = thing.get("from") if "user" not in thing and not thing.keys() & set(SIGNS[2:]) else None
    of_bot = kind == "my_chat_member" and (person is None or person["is_bot"])
    expected = not others and kind not in nobodys and (one or of_bot)
    assert bool(reaches(Platform.TELEGRAM, update)) is expected


# Slack

PLACES = (
    ("user",), ("user_id",), ("inviter",), ("message", "user"), ("message", "edited", "user"),
    ("previous_message", "user"), ("assistant_thread", "user_id"), ("channel", "creator"), ("subteam", "created_by"),
)  # fmt: skip
KINDS = [*slack_deeds.PEOPLE, "function_executed", "emoji_changed", "kind_to_come"]
SUBTYPES = [None, None, "file_share", "message_changed", "message_deleted", "channel_join", "bot_message", "to_come"]


@st.composite
def events(draw: st.DrawFn) -> tuple[dict[str, Any], set[str]]:
    """Make an event with people in some places, and say who they are; a bot's mark is one of them."""
    event: dict[str, Any] = {
        "type": draw(st.sampled_from(KINDS)),
        "channel": "D0ADMITTED",
        "ts": "1.1",
        "channel_type": "im",
    }
    if event["type"] == "message" and (subtype := draw(st.sampled_from(SUBTYPES))):
        event["subtype"] = subtype
    people: set[str] = set()
    right = slack_deeds.PEOPLE.get(event["type"], ("user",))
    for path in dict.fromkeys([right, *draw(st.lists(st.sampled_from(PLACES), max_size=2))]):
        person = draw(_people(Platform.SLACK))
        people.add(person)
        part = event
        for step in path[:-1]:
            if not isinstance(part.get(step), dict):
                part[step] = {}
            part = part[step]
        part[path[-1]] = person
    if draw(st.integers(0, 5)) == 0:
        event["bot_id"] = "B0BOT00001"
        people.add("B0BOT00001")
    return event, people


@repeatable
@given(made=events())
def test_slack(reaches: Reaches, made: tuple[dict[str, Any], set[str]]) -> None:
    """Security 40: whoever stands where an event says who did it is let in, or it does not reach the bot."""
    event, people = made
    body = {
        "type": "event_callback", "team_id": "T0DOOR0001", "event_id": "Ev1", "event": event,
        "authorizations": [{"team_id": "T0DOOR0001", "user_id": "U0BOT00001", "is_bot": True}],
    }  # fmt: skip
    if reaches(Platform.SLACK, body):
        assert ADMITTED[Platform.SLACK] in people
        assert "B0BOT00001" not in people
        assert event["type"] in slack_deeds.PEOPLE
        assert event.get("subtype") not in {"bot_message", "to_come"}
        if "subtype" not in event and event["type"] != "member_joined_channel":
            said = {event.get("user"), event.get("user_id")}
            assert OTHER[Platform.SLACK] not in said
    if people == {OTHER[Platform.SLACK]}:
        assert not reaches(Platform.SLACK, body)


@repeatable
@given(who=st.lists(_people(Platform.SLACK), max_size=2), view=st.booleans())
def test_slack_forms(reaches: Reaches, who: list[str], view: bool) -> None:
    """Security 40: a command is whose `user_id` is, an interaction whose `user` is, and without one nobody's."""
    person = who[0] if who else ""
    command = {"command": "/x", "team_id": "T0DOOR0001", "text": "user_id=" + ADMITTED[Platform.SLACK]}
    modal = {
        "type": "view_submission",
        "view": {"private_metadata": ADMITTED[Platform.SLACK]},
        "team": {"id": "T0DOOR0001"},
    }
    user = {"user": {"id": person}} if view else {"user_id": person}
    body = (modal if view else command) | (user if who else {})
    assert bool(reaches(Platform.SLACK, body)) is (person == ADMITTED[Platform.SLACK])


# Discord


@repeatable
@given(
    kind=st.integers(0, 9),
    member=st.none() | _people(Platform.DISCORD),
    user=st.none() | _people(Platform.DISCORD),
    owner=_people(Platform.DISCORD),
)
def test_discord(reaches: Reaches, kind: int, member: str | None, user: str | None, owner: str) -> None:
    """Security 40: an interaction is the member's or the user's; whoever installed the app did nothing."""
    body: dict[str, Any] = {
        "id": "1496477016780000000", "application_id": "1100000000000000001", "type": kind, "token": "t", "context": 1,
        "data": {"name": "weather", "custom_id": "mine", "resolved": {"users": {ADMITTED[Platform.DISCORD]: {}}}},
        "authorizing_integration_owners": {"1": owner},
    }  # fmt: skip
    body |= {"member": {"user": {"id": member}}} if member else {}
    body |= {"user": {"id": user}} if user else {}
    people = [one for one in (member, user) if one]
    expected = kind in {2, 3, 4, 5} and people == [ADMITTED[Platform.DISCORD]]
    assert bool(reaches(Platform.DISCORD, body)) is expected


# WhatsApp

# Each person's number; that of the first may have become the second's.
NUMBERS = st.sampled_from(["", "1555000111", "1555000222"])
TYPES = ["text", "reaction", "system", "button", "unsupported", "to_come"]


@st.composite
def requests(draw: st.DrawFn) -> tuple[dict[str, Any], list[set[str]]]:
    """Make a request of up to four messages, and say whom each of them names, by id or number."""
    contacts: list[dict[str, str]] = draw(
        st.lists(
            st.fixed_dictionaries({"user_id": st.just("") | _people(Platform.WHATSAPP), "wa_id": NUMBERS}), max_size=3
        )
    )
    messages: list[dict[str, Any]] = []
    named: list[set[str]] = []
    for number in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from(TYPES))
        by, phone = draw(st.just("") | _people(Platform.WHATSAPP)), draw(NUMBERS)
        one = {"id": f"wamid.{number}", "timestamp": "1776858322", "type": kind, "from_user_id": by, "from": phone}
        messages.append(one | ({"text": {"body": f"No. {number}"}} if kind == "text" else {}))
        theirs = {
            contact["user_id"]
            for contact in contacts
            if (by and contact["user_id"] == by) or (phone and contact["wa_id"] == phone)
        }
        named.append(set() if kind == "system" else {by, *theirs} - {""})
    value = {"metadata": {"phone_number_id": "1500000000000001"}, "contacts": contacts, "messages": messages}
    changes = [{"field": "messages", "value": value}]
    return {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": changes}]}, named


@repeatable
@given(made=requests())
def test_whatsapp(reaches: Reaches, made: tuple[dict[str, Any], list[set[str]]]) -> None:
    """Security 40: of a request of several people's, the bot gets exactly what that one did who is let in, each by itself."""
    body, named = made
    expected = [f"wamid.{at}" for at, people in enumerate(named) if people == {ADMITTED[Platform.WHATSAPP]}]
    passed = [json.loads(piece)["entry"][0]["changes"][0]["value"] for piece in reaches(Platform.WHATSAPP, body)]
    assert [message["id"] for value in passed for message in value["messages"]] == expected
    if len(named) > 1:
        assert all(OTHER[Platform.WHATSAPP] not in json.dumps(value["messages"]) for value in passed)

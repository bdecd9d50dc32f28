"""The command /door: an owner in a direct chat is told who waits and gets a link; nobody else gets anything but the agent."""

import re
from typing import Any

import pytest

from doorcode.aws.client.errors import TransportError
from doorcode.aws.sign_ins import LINK_SECONDS, SignIns
from doorcode.aws.table import Table
from doorcode.errors import SignInError
from doorcode.pairing.contact import Contact, ContactRole, Platform, State
from tests.edge.harness import TABLE, Edge, body_of
from tests.edge.loopback_bot import LoopbackBot, loopback_bot
from tests.edge.test_bot import ROOMS
from tests.harness import T0
from tests.webhooks import DOOR, HELLO, OWNER, Delivery, load

EACH = pytest.mark.parametrize("platform", list(Platform))
PAGE = {"WEB_URL": "https://door.example/owner"}
LINK = re.compile(r"https://door\.example/owner#token=(\S+)$")
RUDE = "<b>*I* am@example.com_</b>"


def shown(response: object) -> str:
    """Return what the owner alone sees in the response."""
    body = body_of(response)  # type: ignore[arg-type]
    if "method" in body:
        assert (body["method"], body["chat_id"]) == ("sendMessage", int(OWNER[Platform.TELEGRAM]))
        assert body["link_preview_options"] == {"is_disabled": True}
        return str(body["text"])
    if "data" in body:
        assert (body["type"], body["data"]["flags"], body["data"]["allowed_mentions"]) == (4, 64 | 4, {"parse": []})
        return str(body["data"]["content"])
    assert body["response_type"] == "ephemeral"
    return str(body["text"])


def waiting(edge: Edge, platform: Platform, number: int = 0) -> None:
    """Have the stranger ask on a platform."""
    edge.deliver(load(HELLO[platform]).another(number), T0 + number)


@EACH
@pytest.mark.parametrize("by", ["setting", "claim"])
def test_an_owner_hears_who_waits_and_gets_a_link(
    edge: Edge, platform: Platform, by: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Security 45: how many wait on all platforms, who came last, harmlessly, and a link that signs in once, in its time."""
    settings = {**PAGE, "OWNER_USER_IDS": f"{platform}:{OWNER[platform]}" if by == "setting" else ""}
    if by == "claim":
        edge.put(Contact(platform=platform, user_id=OWNER[platform], state=State.PAIRED, role=ContactRole.OWNER, rev=1))
    assert said(edge, edge.deliver(load(DOOR[platform]), **settings)).startswith("Nobody waits for your answer.\n")
    waiting(edge, Platform.SLACK)
    edge.deliver(load(HELLO[Platform.TELEGRAM]).replaced('"stranger"', f'"{RUDE}"').replaced("stranger", RUDE), T0 + 9)
    caplog.clear()
    edge.clients["dynamodb"].calls.clear()
    text = said(edge, edge.deliver(load(DOOR[platform]).another(1), T0 + 10, **settings))
    assert text.startswith("Waiting for your answer: 2. Last to ask: ")
    assert "telegram 987654321" in text
    assert RUDE not in text
    assert edge.clients["dynamodb"].calls == ["get_item", *["query"] * len(Platform), "get_item", "update_item"]
    found = LINK.search(text)
    assert found
    [line] = [record for record in caplog.records if hasattr(record, "action")]
    assert (line.action, line.reason) == ("answer", "owner")  # type: ignore[attr-defined]
    assert found[1] not in f"{caplog.text}{[record.__dict__ for record in caplog.records]}{edge.items()}"
    assert edge.handed_off() == []
    sign_ins = SignIns(Table(edge.dynamodb, TABLE))
    with pytest.raises(SignInError):
        sign_ins.redeem(found[1], T0 + 10 + LINK_SECONDS)
    _, signed_in = sign_ins.redeem(found[1], T0 + 11)
    assert signed_in.actor == f"{platform}:{OWNER[platform]}"
    with pytest.raises(SignInError):
        sign_ins.redeem(found[1], T0 + 12)


@EACH
def test_nobody_else_gets_anything_but_the_agent(edge: Edge, platform: Platform) -> None:
    """Security 45: whoever is let in has it handed to the agent as a text, a stranger asks by it, a blocked person is dropped."""
    others = {"OWNER_USER_IDS": f"{platform}:{OWNER[platform]}0", **PAGE}
    door, who = load(DOOR[platform]), OWNER[platform]
    for fields in ({"ALLOWED_USERS": f"{platform}:{who}"}, {"UNKNOWN_USER_POLICY": "allow"}, {}):
        if not fields:
            edge.put(Contact(platform=platform, user_id=who, state=State.PAIRED, rev=1))
        edge.deliver(door, **others, **fields)
        [handed] = edge.handed_off()
        assert [message["text"] for message in handed["messages"]] == ["/door"]
    edge.clear()
    edge.deliver(door, **others)
    assert edge.contact(platform, who).state is State.PENDING
    edge.put(Contact(platform=platform, user_id=who, state=State.BLOCKED, rev=9))
    edge.deliver(door.another(1), **others)
    assert edge.handed_off() == []
    assert not [item for item in edge.items() if item["pk"]["S"] == "links"]


def said(edge: Edge, response: Any) -> str:
    """Return what the owner is told, in the response or by a message of its own."""
    return shown(response) if response.get("body") else edge.words()[-1]


def in_group(platform: Platform) -> Delivery:
    """Have the owner give the command where others are."""
    if platform is Platform.SLACK:
        return load("slack/command_door_channel")
    door = load(DOOR[platform])
    if platform is Platform.DISCORD:
        door.body["context"] = 0
        return door
    message = door.body["message"]
    message["chat"] = {"id": -1001234567890, "title": "The Door", "type": "supergroup"}
    message["text"] = "/door@doorcode_bot"
    message["entities"][0]["length"] = len(message["text"])
    return door


# On WhatsApp nobody can name the bot in a group.
@pytest.mark.parametrize("platform", [one for one in Platform if one is not Platform.WHATSAPP])
def test_in_a_group_it_is_nothing_special(edge: Edge, platform: Platform) -> None:
    """Security 45: where others are, the owner's /door is handled as any text there, and no link is made."""
    delivery = in_group(platform)
    edge.deliver(delivery, **PAGE)
    assert edge.handed_off() == []
    edge.deliver(delivery.another(1), **PAGE, GROUP_POLICY="mention_only")
    assert len(edge.handed_off()) == 1
    assert not [item for item in edge.items() if item["pk"]["S"] == "links"]


@EACH
def test_without_a_page_it_names_the_command(edge: Edge, platform: Platform) -> None:
    """Where there is no page, no link is made, and the command is named that lists who waits."""
    waiting(edge, platform)
    text = said(edge, edge.deliver(load(DOOR[platform]), T0 + 1))
    assert text.endswith("To see them all: doorcode pairing list --pending")
    assert "token" not in text
    assert not [item for item in edge.items() if item["pk"]["S"] == "links"]


@EACH
def test_in_trouble_it_says_so(edge: Edge, platform: Platform) -> None:
    """What the table does not answer is said as for any message: Telegram sends it again, the others ask for another try."""

    def down(call: str) -> None:
        if call == "update_item":
            raise TransportError("down", sent=False)

    edge.clients["dynamodb"].before = down
    response = edge.deliver(load(DOOR[platform]), **PAGE)
    assert response["statusCode"] == (200 if platform is Platform.DISCORD else 503)
    assert "token" not in str(response)


@EACH
def test_before_a_bot_it_stays_here(edge: Edge, platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    """An owner's does not reach the bot behind the door; everybody else's goes on to it, byte for byte."""
    monkeypatch.setattr(ROOMS[platform], "SECONDS", 60.0)
    with loopback_bot() as bot:
        _before_a_bot(edge, bot, platform)


def _before_a_bot(edge: Edge, bot: LoopbackBot, platform: Platform) -> None:
    settings = {"AGENT": "bot", "AGENT_URL": bot.url, **PAGE}
    assert LINK.search(said(edge, edge.deliver(load(DOOR[platform]), **settings)))
    assert bot.received == []
    others = {**settings, "OWNER_USER_IDS": "", "ALLOWED_USERS": f"{platform}:{OWNER[platform]}"}
    edge.deliver(load(DOOR[platform]).another(1), **others)
    [passed] = bot.received
    assert passed.body == load(DOOR[platform]).another(1).raw()

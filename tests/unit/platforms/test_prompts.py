"""How an owner's prompt is drawn: what it asks, what it never does, and the limits that the platforms document."""

import re
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorcode.pairing.contact import Contact, Platform, State
from doorcode.pairing.keyring import Keyring
from doorcode.pairing.names import display_name
from doorcode.pairing.prompts import closed_prompt, open_prompt
from doorcode.platforms.discord import inbound as discord
from doorcode.platforms.payload import cut
from doorcode.platforms.slack import inbound as slack
from doorcode.platforms.telegram import inbound as telegram
from doorcode.platforms.whatsapp import inbound as whatsapp
from tests.cases import each
from tests.unit.pairing.people import repeatable
from tests.unit.platforms.deliveries import LONGEST_ID, message, only_press, prompt

TELEGRAM, SLACK, DISCORD, WHATSAPP = Platform
KEYS = Keyring((b"callback secret",))
LABELS = ["✅ Approve", "❌ Deny"]
# What costs the most when it is escaped, as a name and as whoever decided.
WORST = ("&" * 64, "*" * 64, "@" * 64, "." * 64, "𝄞" * 64)


def _open(platform: Platform = TELEGRAM, name: str = "@stranger") -> Any:
    user_id = {TELEGRAM: "987654321", SLACK: "U0STRANGER", DISCORD: "200000000000000001", WHATSAPP: "US.1"}[platform]
    return open_prompt(Contact(platform=platform, user_id=user_id, name=name), "ABCD2345", KEYS)


def test_telegram() -> None:
    """On Telegram the prompt is plain text with a keyboard of one row, and shows no preview."""
    drawn = telegram.draw_prompt(_open())
    (row,) = drawn["reply_markup"]["inline_keyboard"]
    assert drawn["text"] == "User @stranger wants to chat. Approve access?\ntelegram 987654321"
    assert [button["text"] for button in row] == LABELS
    assert row[0]["callback_data"].startswith("pair:approve:telegram:987654321:ABCD2345:")
    assert drawn["link_preview_options"] == {"is_disabled": True}
    assert "parse_mode" not in drawn


def test_slack() -> None:
    """On Slack the prompt is a section that nothing is linked in, and a row of buttons."""
    drawn = slack.draw_prompt(_open(SLACK))
    section, actions = drawn["blocks"]
    assert drawn["text"] == "*@stranger* wants to chat. Approve access?\nslack U0STRANGER"
    assert section == {"type": "section", "text": {"type": "mrkdwn", "text": drawn["text"], "verbatim": True}}
    assert [button["text"]["text"] for button in actions["elements"]] == LABELS
    assert [button["action_id"] for button in actions["elements"]] == ["pair_approve", "pair_deny"]
    assert [button["style"] for button in actions["elements"]] == ["primary", "danger"]
    assert actions["elements"][1]["value"].startswith("pair:deny:slack:U0STRANGER:ABCD2345:")


def test_discord() -> None:
    """On Discord the prompt is a message that mentions nobody, with a row of buttons."""
    drawn = discord.draw_prompt(_open(DISCORD))
    (row,) = drawn["components"]
    assert drawn["content"] == "User @stranger wants to chat. Approve access?\ndiscord 200000000000000001"
    assert drawn["allowed_mentions"] == {"parse": []}
    assert [button["label"] for button in row["components"]] == LABELS
    assert [button["style"] for button in row["components"]] == [3, 4]
    assert row["components"][0]["custom_id"].startswith("pair:approve:discord:200000000000000001:ABCD2345:")


def test_whatsapp() -> None:
    """Reply buttons under a text without live markup, and what stands in a template's two places."""
    drawn = whatsapp.draw_prompt(_open(WHATSAPP, "*Sam* _x_ ~y~ `z` evil.example"))
    shown = "\u2217Sam\u2217 \u02cdx\u02cd \u223cy\u223c \u02cbz\u02cb evil.\u2060example"
    text = f"{shown} wants to chat. Approve access?\nwhatsapp US.1"
    assert drawn["interactive"]["body"] == {"text": text}
    buttons = [button["reply"] for button in drawn["interactive"]["action"]["buttons"]]
    assert [button["title"] for button in buttons] == LABELS
    assert buttons[0]["id"].startswith("pair:approve:whatsapp:US.1:ABCD2345:")
    assert drawn["template"] == [shown, "whatsapp US.1"]


def test_closed() -> None:
    """A closed prompt says what became of the request, and has no button but one to block after a denial."""
    for state, labels in ((State.PAIRED, []), (State.DENIED, ["🚫 Block"]), (State.EXPIRED, [])):
        contact = Contact(platform=DISCORD, user_id="2", state=state, decided_by="1", decided_via="button")
        closed = closed_prompt(contact, "ABCD2345", KEYS)
        on_telegram, on_slack, on_discord = (module.draw_prompt(closed) for module in (telegram, slack, discord))
        assert on_telegram["text"].endswith(f"\n{closed.outcome}")
        assert on_slack["text"].endswith(f"\n{closed.outcome}")
        assert on_discord["content"].endswith(f"\n{closed.outcome}")
        keyboard = on_telegram["reply_markup"]["inline_keyboard"]
        assert [button["text"] for row in keyboard for button in row] == labels
        assert [b["text"]["text"] for block in on_slack["blocks"][1:] for b in block["elements"]] == labels
        assert [b["label"] for row in on_discord["components"] for b in row["components"]] == labels
        on_whatsapp = whatsapp.draw_prompt(closed)
        said = (
            on_whatsapp["interactive"]
            if labels
            else {"body": {"text": on_whatsapp["text"]["body"]}, "action": {"buttons": []}}
        )
        assert said["body"]["text"].endswith(f"\n{closed.outcome}")
        assert [button["reply"]["title"] for button in said["action"]["buttons"]] == labels


def test_block_button() -> None:
    """The button to block looks like what it does where there is a style for that, and plain where there is none."""
    closed = closed_prompt(Contact(platform=DISCORD, user_id="2", state=State.DENIED), "ABCD2345", KEYS)
    assert slack.draw_prompt(closed)["blocks"][1]["elements"][0]["style"] == "danger"
    assert discord.draw_prompt(closed)["components"][0]["components"][0]["style"] == 2


@each(
    "name",
    [
        "https://evil.example/x", "evil.example", "t.me/evil", "tg://resolve?domain=evil", "a@b.example", "Sam @owner",
        "/approve", "x /approve@doorcode_bot", "#tag", "$USD", "12:34",
    ],
)  # fmt: skip
def test_telegram_links_nothing(name: str) -> None:
    """On Telegram nothing in a stranger's name becomes a link, a mention, a command or a tag. Security 28."""
    text = telegram.draw_prompt(_open(name=name))["text"].splitlines()[0]
    assert not re.search(r"[@/.:#$][^\s\u2060]", text)
    assert text.replace("\u2060", "") == f"User {name} wants to chat. Approve access?"


def test_telegram_mention_of_another_platform() -> None:
    """On Telegram another platform's username is no mention of whoever has it here. Security 7, 28."""
    assert telegram.draw_prompt(_open(DISCORD))["text"].startswith("User @\u2060stranger wants")


@each(
    ("name", "drawn"),
    [
        ("<!channel>", "&lt;!channel&gt;"),
        ("<@U1>", "&lt;@U1&gt;"),
        ("<https://evil.example|Slack>", "&lt;https://evil.example|Slack&gt;"),
        ("&lt;!here&gt;", "&amp;lt;!here&amp;gt;"),
        ("a* b", "a\u2217 b"),
        ("`code`", "\u02cbcode\u02cb"),
        ("~gone~", "\u223cgone\u223c"),
        ("_slanted_ sam_smith", "\u02cdslanted\u02cd sam_smith"),
    ],
    ids=["channel", "mention", "link", "escaped", "bold", "code", "struck", "slanted"],
)
def test_slack_escapes(name: str, drawn: str) -> None:
    """On Slack a stranger's name mentions nobody, links nowhere and marks nothing up. Security 28."""
    text = slack.draw_prompt(_open(SLACK, name))["blocks"][0]["text"]["text"]
    assert text == f"*{drawn}* wants to chat. Approve access?\nslack U0STRANGER"


@each(
    "name",
    [
        "@everyone", "x @here", "<@200000000000000002>", "<@&1>", "<#1>", "</chat:1>", "<t:1:R>", "<:x:1>", ":smile:",
        "**bold**", "__under__", "~~gone~~", "||spoiler||", "`code`", "```block```", "[text](https://evil.example)",
        "https://evil.example", "discord.gg/evil", "evil.example", "\\*", "# title", "> quote",
    ],
)  # fmt: skip
def test_discord_escapes(name: str) -> None:
    """On Discord a stranger's name mentions nobody, links nowhere and marks nothing up. Security 28."""
    content = discord.draw_prompt(_open(DISCORD, name))["content"].splitlines()[0]
    # The sign of a username is ours.
    rest = content.removeprefix("User @").removeprefix("User ")
    assert not re.search(r"(?<!\\)(\\\\)*[*_~`|<>\[\]#@]", rest)
    assert not re.search(r"(?<!\\)(\\\\)*[.:]\S", rest)
    assert re.sub(r"\\(.)", r"\1", content) == f"User {name} wants to chat. Approve access?"


def _within(drawn: dict[str, Any], module: Any) -> None:
    if module is telegram:
        assert 1 <= len(drawn["text"].encode("utf-16-le")) // 2 <= 4096
        for row in drawn["reply_markup"]["inline_keyboard"]:
            assert all(1 <= len(button["callback_data"].encode()) <= 64 for button in row)
    elif module is slack:
        assert 1 <= len(drawn["blocks"][0]["text"]["text"]) <= 3000
        for block in drawn["blocks"][1:]:
            assert len({button["action_id"] for button in block["elements"]}) == len(block["elements"]) <= 25
            assert all(len(button["action_id"]) <= 255 for button in block["elements"])
            assert all(len(button["text"]["text"]) <= 75 for button in block["elements"])
            assert all(len(button["value"]) <= 2000 for button in block["elements"])
    elif module is whatsapp:
        said = drawn["interactive"]["body"]["text"] if "interactive" in drawn else drawn["text"]["body"]
        assert 1 <= len(said.encode("utf-16-le")) // 2 <= 1024
        for button in drawn.get("interactive", {"action": {"buttons": []}})["action"]["buttons"]:
            assert 1 <= len(button["reply"]["title"]) <= 20
            assert len(button["reply"]["id"]) <= 256
    else:
        assert 1 <= len(drawn["content"].encode("utf-16-le")) // 2 <= 2000
        for row in drawn["components"]:
            assert 1 <= len(row["components"]) <= 5
            assert all(1 <= len(button["custom_id"]) <= 100 for button in row["components"])
            assert all(len(button["label"]) <= 80 for button in row["components"])


@each("module", [telegram, slack, discord, whatsapp], ids=["telegram", "slack", "discord", "whatsapp"])
@each("closed", [False, True], ids=["open", "closed"])
@each("worst", WORST)
def test_limits(worst: str, closed: bool, module: Any) -> None:
    """The longest prompt that there can be is within what the platform documents."""
    for platform in Platform:
        _within(module.draw_prompt(prompt(worst * 40, platform, worst * 40, closed=closed)), module)


@repeatable
@given(username=st.text(max_size=80), name=st.text(max_size=200), outcome=st.text(max_size=300))
def test_any_name(username: str, name: str, outcome: str) -> None:
    """Whatever a stranger is called, the prompt can be drawn and encoded, and the address stands under it."""
    who = display_name(username, name) or LONGEST_ID
    for module in (telegram, slack, discord, whatsapp):
        drawn = module.draw_prompt(prompt(who, DISCORD, display_name("", outcome)))
        _within(drawn, module)
        text = drawn["interactive"]["body"]["text"] if module is whatsapp else drawn.get("content") or drawn["text"]
        assert text.splitlines()[1] == f"discord {LONGEST_ID}"
        msgspec.json.encode(drawn)


@pytest.mark.parametrize("text", ["x" * 5000, "𝄞" * 5000, "é" * 5000], ids=["ASCII", "beyond the basic plane", "é"])
def test_answers_are_cut(text: str) -> None:
    """A text longer than the platform takes is cut, between characters. 4096, 200 and 2000 are the documented limits."""
    telegrams = only_press("telegram/callback_query_approve")
    discords = only_press("discord/component_approve_dm")
    answers = {
        4096: telegram.notice(message(TELEGRAM), text),
        200: telegram.pressed(telegrams, text, None),
        2000: discord.pressed(discords, text * 2, None),
    }
    for limit, answer in answers.items():
        assert answer is not None
        body = msgspec.json.decode(answer.body)
        shown = body["text"] if "text" in body else body["data"]["content"]
        assert 0 < len(shown.encode("utf-16-le")) // 2 <= limit
        assert text.startswith(shown)


@each(
    ("text", "limit", "left"),
    [("abc", 3, "abc"), ("abc", 2, "ab"), ("a𝄞b", 2, "a"), ("a𝄞b", 3, "a𝄞"), ("", 5, ""), ("\ud800", 5, "?")],
    ids=["fits", "cut", "half a character", "a whole one", "empty", "lone surrogate"],
)
def test_cut(text: str, limit: int, left: str) -> None:
    """Cutting counts UTF-16 code units and halves no character."""
    assert cut(text, limit) == left

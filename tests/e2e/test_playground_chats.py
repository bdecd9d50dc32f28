"""What the playground makes of messages: four platforms, drawn from the fields of their own API calls."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.playground_scene import IDS, Scene

TEXT = {"telegram": "text", "slack": "text", "discord": "content", "whatsapp": "text"}


Draw = Callable[..., list[Locator]]


@pytest.fixture
def drawn(scene: Scene, page: Page) -> Draw:
    """Give a function that draws messages of the bot to Sam, one under the other, and returns them."""

    def draw(platform: str, *all_shown: dict[str, Any], **more: Any) -> list[Locator]:
        page.get_by_role("tab", name=platform).click()
        messages = [scene.message(f"d-{IDS[platform][1]}", shown, **more) for shown in all_shown]
        scene.change()
        side = page.locator(f"#panel-{platform} .pane[data-side=stranger]")
        return [side.locator(f"[data-key='{message['id']}']") for message in messages]

    return draw


def look(message: Locator, case: str, seen: str | None, expected: list[tuple[str, int]]) -> None:
    """Expect a message to be drawn so: what is read, and how many elements there are of each kind."""
    shown = message.locator(".text")
    if seen is not None:
        expect(shown, case).to_have_text(seen)
    else:
        expect(shown, case).to_be_visible()
    counts = [len(shown.locator(selector).all()) for selector, _ in expected]
    assert counts == [count for _, count in expected], (case, expected)


TELEGRAM = {
    "plain": ("*not* _bold_ <b>", [], [("strong", 0), ("b", 0)]),
    "bold-and-link": (
        "a bold link",
        [{"type": "bold", "offset": 2, "length": 9}, {"type": "text_link", "offset": 7, "length": 4, "url": "https://e.x"}],
        [("strong", 1), ("strong .link", 1), ("a", 0)],
    ),
    "after-an-emoji": ("🙂 code", [{"type": "code", "offset": 3, "length": 4}], [("code:text-is('code')", 1)]),
    "unknown": ("new thing", [{"type": "hologram", "offset": 0, "length": 3}], [(".link", 1)]),
    "crossing-and-beyond": (
        "abcdef",
        [{"type": "bold", "offset": 0, "length": 4}, {"type": "italic", "offset": 2, "length": 4},
         {"type": "code", "offset": 5, "length": 99}, {"type": "code", "offset": -5, "length": 3}, {"type": "code"}],
        [("strong:text-is('abcd')", 1), ("em", 0)],
    ),
}  # fmt: skip


def test_telegram_entities(drawn: Draw) -> None:
    """A text is plain but for its entities, whose offsets count UTF-16 code units; impossible ones leave it whole."""
    messages = drawn("telegram", *({"text": text, "entities": entities} for text, entities, _ in TELEGRAM.values()))
    for message, (case, (text, _, expected)) in zip(messages, TELEGRAM.items(), strict=True):
        look(message, case, text, expected)


SLACK = {
    "pairs": ("*bold* _it_ ~no~ `code`", "bold it no code", [("strong", 1), ("em", 1), ("s", 1), ("code", 1)]),
    "no-pairs": ("2*3*4 a_b_c * x *", "2*3*4 a_b_c * x *", [("strong", 0), ("em", 0)]),
    "escaped": ("&lt;b&gt; &amp;lt;", "<b> &lt;", [("b", 0)]),
    "within": ("*a _b_ <!here>*", "a b @here", [("strong em", 1), ("strong .mention", 1)]),
    "tags": (
        "<https://e.x|a &amp; b> <@U0SAM> <#C1|room>",
        "a & b @sam #room",
        [(".link", 1), (".mention", 2), ("a", 0)],
    ),
    "code-keeps-signs": ("`*a*`", "*a*", [("strong", 0)]),
    "quote": ("&gt; said\nso", "saidso", [("blockquote", 1)]),
}


def test_slack_mrkdwn(drawn: Draw) -> None:
    """Mrkdwn is drawn, entities are unescaped once, tags show their labels."""
    messages = drawn("slack", *({"text": text, "blocks": None, "mrkdwn": True} for text, _, _ in SLACK.values()))
    for message, (case, (_, seen, expected)) in zip(messages, SLACK.items(), strict=True):
        look(message, case, seen, expected)


@pytest.mark.parametrize("platform", ["slack", "discord", "whatsapp"])
def test_markup_within_markup(drawn: Draw, platform: str) -> None:
    """However deep somebody nests, and however many signs never pair up, the text is there."""
    nested = "*_" * 200 + "x" + "_*" * 200 + "*" * 300 + "`" * 99 + "[" * 99 + "<" * 99 + "end"
    [message] = drawn(platform, {TEXT[platform]: nested})
    expect(message.locator(".text")).to_contain_text("end")


def test_slack_without_mrkdwn(drawn: Draw) -> None:
    """With ``mrkdwn: false`` only tags and escapes mean something."""
    [message] = drawn("slack", {"text": "*a* &amp; <@U0SAM>", "mrkdwn": False})
    expect(message.locator(".text")).to_have_text("*a* & @sam")


def test_slack_blocks(drawn: Draw) -> None:
    """Blocks take the text's place; each ``actions`` block holds its own row of buttons; unknown blocks are named."""
    blocks = [
        {"type": "header", "text": {"type": "plain_text", "text": "*Head*"}},
        {"type": "section", "text": {"type": "mrkdwn", "text": "*sam* &amp; co"}, "fields": [{"type": "mrkdwn", "text": "_f_"}]},
        {"type": "actions", "elements": [{}]},
        {"type": "divider"},
        {"type": "context", "elements": [{"type": "mrkdwn", "text": "small `print`"}]},
        {"type": "actions", "elements": [{}]},
        {"type": "video"},
    ]  # fmt: skip
    buttons = [[{"id": "2.0", "text": "One", "style": "primary"}], [{"id": "5.0", "text": "Two", "style": ""}]]
    [message] = drawn("slack", {"text": "for the notification", "blocks": blocks}, buttons=buttons)
    expect(message.locator(".heading")).to_have_text("*Head*")
    expect(message.locator(".text").nth(1)).to_have_text("sam & co")
    expect(message.locator(".field em")).to_have_text("f")
    expect(message.locator(".small code")).to_have_text("print")
    expect(message.locator(".actions")).to_have_text(["One", "Two"])
    expect(message.locator(".actions").first.locator("button")).to_have_attribute("data-style", "primary")
    expect(message).to_contain_text("[video]")
    expect(message.locator(".body")).not_to_contain_text("for the notification", use_inner_text=True)


def test_slack_rich_text(drawn: Draw) -> None:
    """What a person typed comes as rich text, and is shown as it was typed."""
    elements = [
        {"type": "user", "user_id": "U0SAM"},
        {"type": "text", "text": " *hi* <b> &amp; "},
        {"type": "text", "text": "so", "style": {"bold": True, "italic": True}},
        {"type": "link", "url": "javascript:alert(1)"},
        {"type": "hologram"},
    ]
    blocks = [{"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": elements}]}]
    said = {"from": "U0KIM", "call": "", "delivery": None}
    [message] = drawn("slack", {"text": "&lt;", "blocks": blocks}, **said)
    shown = message.locator(".text")
    expect(shown).to_have_text("@sam *hi* <b> &amp; sojavascript:alert(1)")
    expect(shown.locator("em strong, strong em")).to_have_text("so")


DISCORD = {
    "pairs": (r"**bold** *it* _it_ __under__ ~~no~~ ||hidden||", "bold it it under no hidden", [("strong", 1), ("em", 2), ("u", 1), ("s", 1), (".spoiler", 1)]),
    "escaped": (r"\*\*no\*\* \<@41\> \@everyone \`a\`", "**no** <@41> @everyone `a`", [("strong", 0), (".mention", 0), ("code", 0)]),
    "escaped-within": (r"**a\*b**", "a*b", [("strong", 1)]),
    "names": ("<@41> <#7> <:wave:8> </chat:9> @here", "@sam #7 :wave: /chat @here", [(".mention", 4)]),
    "links": ("[label](https://e.x) https://e.y", "label https://e.y", [(".link", 2), ("a", 0)]),
    "no-link": ("[label](javascript:alert)", "[label](javascript:alert)", [(".link", 0)]),
    "lines": ("> said\n# Head\n-# small", None, [("blockquote", 1), ("strong", 1), ("small", 1)]),
    "code": ("```py\n**a**``` `*b*`", None, [("pre", 1), ("code", 1), ("strong", 0), ("em", 0)]),
    "snake": ("a_snake_name", "a_snake_name", [("em", 0)]),
}  # fmt: skip


def test_discord_markdown(drawn: Draw) -> None:
    """Markdown is drawn, a backslash takes a sign its meaning."""
    messages = drawn("discord", *({"content": text, "components": [], "flags": 0} for text, _, _ in DISCORD.values()))
    for message, (case, (_, seen, expected)) in zip(messages, DISCORD.items(), strict=True):
        look(message, case, seen, expected)


def test_discord_embeds(drawn: Draw) -> None:
    """Embeds have title, description, fields, footer and a stripe in their colour."""
    embed = {
        "title": "T",
        "description": "**d**",
        "fields": [{"name": "n", "value": "v"}],
        "footer": {"text": "f"},
        "color": 0x00FF00,
    }
    [message] = drawn("discord", {"content": "c", "embeds": [embed]})
    shown = message.locator(".embed")
    expect(shown).to_have_text("Tdnvf")
    expect(shown).to_have_css("border-left-color", "rgb(0, 255, 0)")


def test_discord_deferred(drawn: Draw, scene: Scene) -> None:
    """A deferred answer thinks, until it is edited."""
    [message] = drawn("discord", {"content": "", "flags": 128}, deferred=True, call="response")
    expect(message).to_contain_text("Doorcode is thinking")
    scene.chat("d-41")["messages"][0] |= {"deferred": False, "edited": True, "shown": {"content": "Hi there!"}}
    scene.change()
    expect(message.locator(".text")).to_have_text("Hi there!")
    expect(message.locator(".edited")).to_be_visible()
    expect(message).not_to_contain_text("thinking")


WHATSAPP = {
    "pairs": ("*bold* _it_ ~no~ `code` ```pre```", "bold it no code pre", [("strong", 1), ("em", 1), ("s", 1), ("code", 1), ("pre", 1)]),
    "no-pairs": ("2*3*4 a_b_c * x * snake_case_", "2*3*4 a_b_c * x * snake_case_", [("strong", 0), ("em", 0)]),
    "no-markup": ("<b>x</b> [a](https://e.x)", "<b>x</b> [a](https://e.x)", [("b", 0), ("a", 0), (".link", 1)]),
    "quote": ("> said\nso", "saidso", [("blockquote", 1)]),
}  # fmt: skip


def test_whatsapp_formatting(drawn: Draw) -> None:
    """Pairs of signs around words are drawn, wherever they come from: there is no escape for them."""
    messages = drawn("whatsapp", *({"type": "text", "text": {"body": text}} for text, _, _ in WHATSAPP.values()))
    for message, (case, (_, seen, expected)) in zip(messages, WHATSAPP.items(), strict=True):
        look(message, case, seen, expected)


def test_whatsapp_buttons(drawn: Draw) -> None:
    """Buttons stand in the bubble, one under the other; what is quoted over the text; a template as it reads."""
    interactive = {"type": "button", "body": {"text": "*Well*?"}, "footer": {"text": "small"}, "action": {}}
    buttons = [[{"id": "0.0", "text": "Yes", "style": ""}], [{"id": "1.0", "text": "No", "style": ""}]]
    [message] = drawn(
        "whatsapp", {"type": "interactive", "interactive": interactive, "quoted": "Before"}, buttons=buttons
    )
    expect(message.locator(".text strong")).to_have_text("Well")
    expect(message.locator(".bubble .press")).to_have_text(["Yes", "No"])
    expect(message.locator(".quoted")).to_have_text("Before")
    expect(message.locator(".small")).to_have_text("small")
    yes, no = (message.locator(".press").nth(at).bounding_box() for at in (0, 1))
    assert yes
    assert no
    assert yes["y"] + yes["height"] <= no["y"] + 1
    [message] = drawn("whatsapp", {"type": "template", "drawn": {"text": "About Ann", "buttons": []}})
    expect(message.locator(".text")).to_have_text("About Ann")

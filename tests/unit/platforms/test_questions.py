"""How a question to the owner is drawn and closed on each platform, and how presses and reasons come in."""

import json
from typing import Any

import pytest

from doorcode.asking.buttons import AskAction, sign_button
from doorcode.asking.callback_keys import callback_secret
from doorcode.asking.cards import REASON_SECONDS, Canvas, Card, card
from doorcode.asking.digest import digest_of
from doorcode.asking.order import MAX_REASON
from doorcode.asking.question import Approval, Question, QuestionState, QuestionText, Substance
from doorcode.pairing.contact import Platform
from doorcode.pairing.keyring import Keyring
from doorcode.pairing.messages import Ignored, Message, Press
from doorcode.platforms import registry
from doorcode.platforms.inbound import Webhook
from tests.unit.platforms.deliveries import KNOWN, MODULES, delivered, event
from tests.unit.senders.wires import wire

KEYS = Keyring((b"callback secret",))
NOW = 1_800_000_000
EACH = pytest.mark.parametrize("platform", list(Platform))
ID = "ABCDEFGHJKLMNPQR"
PAGE = "https://door.example/owner"
# Signs that stand for those which are markup on WhatsApp.
ALIKE = str.maketrans({"\u2217": "*", "\u223c": "~", "\u02cb": "`", "\u02cd": "_"})
# Why is said there on the page: nothing that is typed brings a button along.
SAYS_WHY = pytest.mark.parametrize("platform", [one for one in Platform if one is not Platform.WHATSAPP])
# Cc, Cf, bidirectional, a default-ignorable beyond the BMP, a filler, markup and mentions of all three, fences, floods.
HOSTILE = (
    "a\x00\x1b[2Jb \u202eevil\u2066 \U000e0100 \u3164 zero\u200bwidth ```\n```` ``` <!channel> <@U0OWNER001> <https://evil.example|ok> "
    "@everyone @here <@200000000000000002> *b* _i_ ~s~ `c` ||s|| [x](https://evil.example) https://evil.example /start @owner "
    "✅ Approved by Ada (telegram:1), recorded." + "\n" * 200 + " " * 5000 + "end"
)


def question(words: QuestionText, **more: Any) -> Question:
    """Give a question's record."""
    return Question(
        id=ID, asker="tok1", asker_label=words.substance.asker, digest=digest_of(words.substance), created_at=NOW - 60,
        **{"expires_at": NOW + 3600, "valid_for": 900, "choices": len(words.substance.choices), "approvals": words.substance.approvals} | more,
    )  # fmt: skip


def text(**more: Any) -> QuestionText:
    """Give a question's words."""
    return QuestionText(substance=Substance(**{"asker": "token ci", "title": "Delete 3 files?"} | more))


def drawn(platform: Platform, words: QuestionText | None, record: Question, now: int = NOW) -> tuple[Card, Any]:
    """Draw it as the courier does."""
    room = registry.asking(platform)
    made = card(record, words, Canvas(account="telegram:1", room=room.ROOM, size=room.size, page=PAGE), KEYS, now)
    return made, room.draw_question(made)


def shown(platform: Platform, fields: Any) -> str:
    """Return the text that people read, without what the platform sets around it."""
    if platform is Platform.TELEGRAM:
        return str(fields["text"]).replace("\u2060", "")
    if platform is Platform.DISCORD:
        return str(fields["content"]).removeprefix("```\n").removesuffix("\n```").replace("`\u200b", "`")
    if platform is Platform.WHATSAPP:
        body = fields["interactive"]["body"]["text"] if "interactive" in fields else fields["text"]["body"]
        return str(body).replace("\u2060", "").translate(ALIKE)
    blocks = [block for block in fields["blocks"] if block["type"] == "rich_text"]
    return "\n".join(block["elements"][0]["elements"][0]["text"] for block in blocks)


def buttons(fields: Any) -> dict[str, str]:
    """Return the buttons' words and what they carry."""
    found: dict[str, str] = {}
    stack = [fields]
    while stack:
        one = stack.pop()
        if isinstance(one, list):
            stack += one
        elif isinstance(one, dict):
            label = one.get("label") or one.get("title") or one.get("text")
            label = label.get("text") if isinstance(label, dict) else label
            carries = (
                one.get("callback_data")
                or one.get("value")
                or one.get("custom_id")
                or one.get("url")
                or one.get("block_id")
                or one.get("id")
            )
            if carries and isinstance(label, str):
                found[label] = carries
            stack += list(one.values())
    return found


@EACH
def test_a_question_is_drawn_whole_with_its_buttons(platform: Platform) -> None:
    """A5, Security 48: title, details and arguments stand there, and Approve and Deny carry this question, action and digest."""
    words = text(details="line 1\nline 2", arguments='{"path":"/tmp","n":3}', on_behalf_of="telegram:987654321")
    record = question(words)
    _, fields = drawn(platform, words, record)
    said = shown(platform, fields)
    for part in (
        "token ci",
        "Delete 3 files?",
        "line 2",
        'path: "/tmp"',
        "It says it asks for telegram:987654321",
        "UTC",
    ):
        assert part in said
    assert buttons(fields) == {
        "✅ Approve": sign_button(AskAction.APPROVE, ID, record.digest, KEYS),
        "❌ Deny": sign_button(AskAction.DENY, ID, record.digest, KEYS),
    }
    choices = text(choices=("Friday", "Mon\u202eday", "x" * 40))
    _, fields = drawn(platform, choices, question(choices))
    if platform is Platform.WHATSAPP:
        # It shows three buttons at most: what cannot be chosen there is on the page.
        assert list(buttons(fields)) == ["❌ Deny"]
        assert f"More buttons than fit here: answer on the owner's page.\nOpen: {PAGE}#ask={ID}" in shown(
            platform, fields
        )
        choices = text(choices=("Friday", "x" * 40))
        assert sorted(buttons(drawn(platform, choices, question(choices))[1])) == [
            "1. Friday",
            f"2. {'x' * 17}",
            "❌ Deny",
        ]
        return
    assert list(map(str, sorted(buttons(fields)))) == sorted(
        ["1. Friday", "2. Mon⟨U+202E⟩day", f"3. {'x' * 40}", "❌ Deny"]
    )


@EACH
def test_three_numbers_stand_instead_of_approve(platform: Platform) -> None:
    """Each with an action of its own, and nothing tells which one is right: the same three are drawn for each of them."""
    words = text()
    all_drawn = []
    for right in (12, 47, 83):
        record = question(words, numbers=(12, 47, 83), match=right)
        made, fields = drawn(platform, words, record)
        all_drawn.append(fields)
        assert "press the number that the asker shows you. Any other one denies" in shown(platform, fields)
    assert all_drawn[0] == all_drawn[1] == all_drawn[2]
    numbers = {
        str(number): sign_button(AskAction(f"n{at}"), ID, record.digest, KEYS)
        for at, number in enumerate((12, 47, 83), 1)
    }
    assert {one.text: one.data for one in made.choices} == numbers
    deny = {"❌ Deny": sign_button(AskAction.DENY, ID, record.digest, KEYS)}
    # There is room for three there: what cannot be picked is picked on the page.
    assert (f"Open: {PAGE}#ask={ID}" in shown(platform, fields)) is (platform is Platform.WHATSAPP)
    assert buttons(fields) == (deny if platform is Platform.WHATSAPP else {**numbers, **deny})
    wrong = question(
        words,
        numbers=(12, 47, 83),
        match=47,
        mismatched=True,
        state=QuestionState.DENIED,
        decided_by="1",
        decided_at=NOW - 900,
    )
    _, fields = drawn(platform, words, wrong)
    assert "Denied by 1, for that is not the number that the asker shows." in shown(platform, fields)
    assert buttons(fields) == {}


@EACH
def test_what_is_cut_has_no_approve(platform: Platform) -> None:
    """Fault 3, A5, Security 48: what does not fit says so, and leaves Open, which leads to the page, and Deny. So does what is not there."""
    for words in (text(details="x" * 4000, arguments=json.dumps({"a": "y" * 12_000})), None):
        record = question(words or text())
        _, fields = drawn(platform, words, record)
        link = {"Open": f"{PAGE}#ask={ID}"}
        if platform is Platform.WHATSAPP:
            # Beside its buttons stand no links.
            assert f"\nOpen: {link.pop('Open')}" in shown(platform, fields)
        assert buttons(fields) == {**link, "❌ Deny": sign_button(AskAction.DENY, ID, record.digest, KEYS)}
    _, fields = drawn(
        platform, words := text(details="x" * 4000, arguments=json.dumps({"a": "y" * 12_000})), question(words)
    )
    assert "Cut here" in shown(platform, fields)


@EACH
def test_nothing_of_the_asker_s_acts_or_hides(platform: Platform) -> None:
    """Fault 4, A6, Security 48: in every field, also the short ones; the platform takes it, and it leaves its place nowhere."""
    hostile = text(
        title=HOSTILE[:200].replace("\n", " "), details=HOSTILE[:4000], arguments=json.dumps({HOSTILE[:60]: HOSTILE[:300]}),
        asker="token <!channel> ```@everyone\u202e", choices=("`` `", "@here"),
    )  # fmt: skip
    made, fields = drawn(platform, hostile, question(hostile))
    said = shown(platform, fields)
    assert not {"\x00", "\x1b", "\u202e", "\u2066", "\U000e0100", "\u3164"} & set(said)
    theirs = [
        line for line in said.split("\n") if "Approved by" in line or "evil.example" in line or "@everyone" in line
    ]
    assert all(line.startswith("│ ") or "asks before" in line for line in theirs)
    if platform is Platform.DISCORD:
        assert fields["content"].count("```") == 2
        assert len(fields["content"]) <= 2000
        assert fields["allowed_mentions"] == {"parse": []}
    if platform is Platform.TELEGRAM:
        assert "parse_mode" not in fields
        assert fields["link_preview_options"] == {"is_disabled": True}
        assert not any(sign in fields["text"] for sign in ("https://", "@owner", "/start", "evil.example"))
        assert len(fields["text"].encode("utf-16-le")) // 2 <= 4096
    if platform is Platform.SLACK:
        assert "mrkdwn" not in json.dumps(fields)
        assert fields["text"] == "A question waits for you."
    with wire(platform) as wired:
        place = wired.sender.send_prompt(wired.owner, fields, key="1")
        wired.sender.edit_prompt(place, fields)
    assert made.text


@EACH
def test_how_it_goes_on_stands_under_it(platform: Platform) -> None:
    """Fault 10: who has approved so far; who decided, "recorded"; then that it was used, or never was."""
    words = text(approvals=2)
    ada = Approval(person="ada", account="telegram:1", by="1", name="Ada", via="button", at=NOW)
    common: dict[str, Any] = {
        "decided_by": "1",
        "decided_by_name": "Ada",
        "decided_via": "button",
        "decided_account": "telegram:1",
        "decided_at": NOW,
    }
    for more, line, left in (
        ({"given": (ada,)}, "1 of 2 have approved: Ada (1).", 2),
        ({"state": QuestionState.APPROVED, "usable_until": NOW + 900, **common}, "Approved by Ada (1), recorded.", 0),
        (
            {"state": QuestionState.USED, "usable_until": NOW + 900, "used_at": NOW + 60, **common},
            "used at 08:01 UTC",
            0,
        ),
        ({"state": QuestionState.LAPSED, "usable_until": NOW + 900, **common}, "Approved by Ada (1), never used.", 0),
        ({"state": QuestionState.APPROVED, "usable_until": NOW, **common}, "never used.", 0),
        ({"expires_at": NOW}, "Expired: nobody decided in time, so it is not approved.", 0),
        ({"state": QuestionState.CANCELLED, "decided_by": "token ci"}, "Cancelled by token ci.", 0),
        ({"state": QuestionState.DENIED, **common}, "Denied by Ada (1), recorded.", 1),
        ({"state": QuestionState.DENIED, **common, "decided_account": "telegram:2"}, "Denied by Ada (1), recorded.", 0),
        (
            {"state": QuestionState.DENIED, "reasoned": True, **common},
            "Denied by Ada (1), recorded. A reason was given.",
            0,
        ),
    ):
        _, fields = drawn(platform, words, question(words, **more))
        assert line in shown(platform, fields)
        assert "Expires" in shown(platform, fields) or "given" not in more
        says_why = platform is not Platform.WHATSAPP or left > 1
        assert len(buttons(fields)) == (left if says_why else 0), line
    late = question(words, state=QuestionState.DENIED, **common)
    assert buttons(drawn(platform, words, late, NOW + REASON_SECONDS)[1]) == {}


def pressed(platform: Platform, data: str) -> Any:
    """Give the recorded press of a button with other data."""
    recorded = event(
        {
            "telegram": "telegram/callback_query_approve",
            "slack": "slack/block_actions_approve",
            "discord": "discord/component_approve_dm",
            "whatsapp": "whatsapp/button_approve",
        }[platform]
    )
    old = recorded["expect"]["callback"]
    recorded["body"] = json.loads(
        json.dumps(recorded["body"]).replace(old, data).replace("pair_approve", "ask_approve")
    )
    return recorded


@EACH
def test_a_press_comes_in_with_the_place_that_it_was_at(platform: Platform) -> None:
    """Fault 12: where a late press was made, that very prompt can be closed."""
    data = f"ask:approve:{ID}:0123456789abcdef"
    (press,) = MODULES[platform].parse(delivered(pressed(platform, data)), KNOWN[platform])
    assert isinstance(press, Press)
    assert (press.data, press.said) == (data, None)
    if platform is Platform.WHATSAPP:
        # It does not say, and nothing there could be changed.
        assert registry.asking(platform).place(press) == ""
        return
    place = json.loads(registry.asking(platform).place(press))
    assert (
        place
        == {
            Platform.TELEGRAM: {"chat_id": 123456789, "message_id": 2001},
            Platform.SLACK: {"channel": "D0OWNER001", "ts": "1776858342.263109"},
            Platform.DISCORD: {"channel_id": place.get("channel_id"), "message_id": place.get("message_id")},
        }[platform]
    )
    assert all(place.values())


def said_why(platform: Platform, data: str, reason: str) -> Webhook:
    """Give what comes when an owner says why: a reply, a field, a modal."""
    if platform is Platform.TELEGRAM:
        recorded = event("telegram/private_reply_to_bot")
        message = recorded["body"]["message"]
        message["text"] = reason
        message["reply_to_message"]["reply_markup"] = {
            "inline_keyboard": [[{"text": "Say why", "callback_data": data}]]
        }
    elif platform is Platform.SLACK:
        recorded = event("slack/block_actions_approve")
        (action,) = recorded["body"]["actions"]
        action |= {"type": "plain_text_input", "action_id": "ask_why", "block_id": data, "value": reason}
    else:
        recorded = event("discord/modal_submit")
        recorded["body"]["data"]["custom_id"] = data
        recorded["body"]["data"]["components"][0]["component"]["value"] = reason
    return delivered(recorded)


@SAYS_WHY
def test_a_reason_comes_in_as_a_press_with_words(platform: Platform) -> None:
    """The owner's reason: a reply to the closed prompt, its field, or a modal; each with the signed data of its button."""
    data = f"ask:why:{ID}:0123456789abcdef"
    (press,) = MODULES[platform].parse(said_why(platform, data, "Not on a Friday."), KNOWN[platform])
    assert isinstance(press, Press)
    assert (press.data, press.said) == (data, "Not on a Friday.")
    room = registry.asking(platform)
    (button,) = MODULES[platform].parse(delivered(pressed(platform, data)), KNOWN[platform])
    form = room.reason_form(button, data)
    if platform is Platform.SLACK:
        assert form is None
    else:
        assert form is not None
        assert {"telegram": b"answerCallbackQuery", "discord": b'"max_length":%d' % MAX_REASON}[platform] in form.body
    # Text decides nothing (A13): a reply to anything else is a message, and a form that nobody of ours opened is nobody's.
    (found,) = MODULES[platform].parse(said_why(platform, "pair:why:x", "Hello"), KNOWN[platform])
    assert isinstance(found, Message if platform is Platform.TELEGRAM else Ignored)


def test_each_asker_has_a_secret_of_its_own() -> None:
    """A18: derived from the callback secret and the token's id, so that no asker can forge another one's callbacks."""
    one, other = (callback_secret(token, KEYS) for token in ("tok1", "tok2"))
    assert one.startswith("whsec_")
    assert one != other
    assert callback_secret("tok1", Keyring((b"another",))) != one

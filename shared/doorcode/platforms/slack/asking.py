"""Questions on Slack: preformatted, where nothing is markup; a reason is typed into a field under the closed prompt.

https://docs.slack.dev/reference/block-kit/blocks/rich-text-block, https://docs.slack.dev/reference/block-kit/blocks/input-block
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from doorcode.asking.cards import Card
from doorcode.asking.order import MAX_REASON
from doorcode.pairing.messages import Press
from doorcode.pairing.prompts import Button
from doorcode.platforms.inbound import WebhookAnswer
from doorcode.platforms.payload import compact, decoded
from doorcode.platforms.slack.inbound import ASK_PREFIX, REASON_ACTION

# A block's text takes 3,000 characters; a message's many more.
BLOCK = 2900
# So few that they surely fit: where a block ends within its first line, the next one begins early.
ROOM = 3 * BLOCK // 2
STYLES = {"approve": "primary", "deny": "danger"}
# For notifications: nothing of the asker's, for that would be markup there.
NOTIFIED = "A question waits for you."


def size(text: str) -> int:
    """Count the characters: nothing is escaped in preformatted text."""
    return len(text)


def draw_question(card: Card) -> dict[str, Any]:
    """Return ``text``, for notifications, and ``blocks`` for chat.postMessage and chat.update."""
    blocks: list[dict[str, Any]] = [
        {"type": "rich_text", "elements": [{"type": "rich_text_preformatted", "elements": [{"type": "text", "text": part}]}]}
        for part in _parts(card.text)
    ]  # fmt: skip
    elements = [_button(button) for button in (*card.choices, *card.buttons)]
    if card.link:
        text = {"type": "plain_text", "text": card.link.text, "emoji": True}
        elements.insert(0, {"type": "button", "action_id": f"{ASK_PREFIX}_open", "text": text, "url": card.link.data})
    if elements:
        blocks.append({"type": "actions", "elements": elements})
    if card.reason:
        blocks.append(_field(card.reason))
    return {"text": NOTIFIED, "blocks": blocks}


def place(press: Press) -> str:
    """Return channel and time stamp."""
    reply = decoded(press.reply, dict[str, str])
    return compact({"channel": reply["channel"], "ts": reply["ts"]}) if reply["channel"] and reply["ts"] else ""


def reason_form(_press: Press, _data: str) -> WebhookAnswer | None:
    """Nothing: the field stands under the closed prompt."""
    return None


def _button(button: Button) -> dict[str, Any]:
    action = button.data.split(":", 2)[1]
    drawn = {
        "type": "button",
        "action_id": f"{ASK_PREFIX}_{action}",
        "text": {"type": "plain_text", "text": button.text, "emoji": False},
        "value": button.data,
    }
    return drawn | ({"style": STYLES[action]} if action in STYLES else {})


def _field(reason: Button) -> dict[str, Any]:
    return {
        "type": "input",
        # Its element has no value of its own to carry, so the block does.
        "block_id": reason.data,
        "dispatch_action": True,
        "optional": True,
        "label": {"type": "plain_text", "text": reason.text},
        "element": {
            "type": "plain_text_input",
            "action_id": REASON_ACTION,
            "max_length": MAX_REASON,
            "dispatch_action_config": {"trigger_actions_on": ["on_enter_pressed"]},
        },
    }


def _parts(text: str) -> Iterator[str]:
    """Give the text in blocks, each of whole lines where a line is no longer than a block."""
    part = ""
    for line in text.split("\n"):
        for at in range(0, max(len(line), 1), BLOCK):
            piece = line[at : at + BLOCK]
            if part and len(part) + len(piece) >= BLOCK:
                yield part
                part = piece
            else:
                part = f"{part}\n{piece}" if part else piece
    if part:
        yield part

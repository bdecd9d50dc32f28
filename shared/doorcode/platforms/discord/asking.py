"""Questions on Discord: in a code block, out of which nothing in it leads; a reason is typed into a modal.

https://docs.discord.com/developers/components/using-modal-components
"""

from __future__ import annotations

from typing import Any

from doorcode.asking.cards import Card
from doorcode.asking.order import MAX_REASON
from doorcode.pairing.messages import Press
from doorcode.platforms.discord.inbound import ACTION_ROW, BUTTON, MAX_TEXT, TEXT_INPUT
from doorcode.platforms.inbound import WebhookAnswer
from doorcode.platforms.payload import answer, compact, decoded

FENCE = "```"
ROOM = MAX_TEXT - 2 * len(f"{FENCE}\n")
# A backtick that follows another is kept apart from it by what nobody sees, so that three never meet.
APART = ("``", "`\u200b`")

SHOW_MODAL = 9
LABEL, PARAGRAPH = 18, 2
LINK, GREEN, RED, PLAIN = 5, 3, 4, 2
STYLES = {"approve": GREEN, "deny": RED}
# A row has room for five.
ROW = 5
TITLE = "Why?"
TOLD = "Whoever asked is told what you write."


def size(text: str) -> int:
    """Count the characters of a text in its block."""
    return len(_kept_in(text))


def draw_question(card: Card) -> dict[str, Any]:
    """Return ``content``, ``components`` and ``allowed_mentions`` for a message, new or edited."""
    buttons = [_button(button.text, button.data) for button in (*card.choices, *card.buttons)]
    if card.link:
        buttons.insert(0, {"type": BUTTON, "style": LINK, "label": card.link.text, "url": card.link.data})
    if card.reason:
        buttons.append(_button(card.reason.text, card.reason.data))
    rows = [{"type": ACTION_ROW, "components": buttons[at : at + ROW]} for at in range(0, len(buttons), ROW)]
    return {
        "content": f"{FENCE}\n{_kept_in(card.text)}\n{FENCE}",
        # None takes the buttons away.
        "components": rows,
        "allowed_mentions": {"parse": []},
    }


def place(press: Press) -> str:
    """Return channel and message."""
    reply = decoded(press.reply, dict[str, Any])
    at = {name: reply.get(name, "") for name in ("channel_id", "message_id")}
    return compact(at) if all(at.values()) else ""


def reason_form(_press: Press, data: str) -> WebhookAnswer | None:
    """Open a modal with one field."""
    field = {"type": TEXT_INPUT, "custom_id": "reason", "style": PARAGRAPH, "max_length": MAX_REASON, "required": True}
    components = [{"type": LABEL, "label": TOLD, "component": field}]
    return answer({"type": SHOW_MODAL, "data": {"custom_id": data, "title": TITLE, "components": components}})


def _button(text: str, data: str) -> dict[str, Any]:
    return {"type": BUTTON, "style": STYLES.get(data.split(":", 2)[1], PLAIN), "label": text, "custom_id": data}


def _kept_in(text: str) -> str:
    # Twice: of a run the first replacing leaves pairs where it met itself.
    return text.replace(*APART).replace(*APART)

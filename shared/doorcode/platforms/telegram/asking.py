"""Questions on Telegram: plain text without links; a reason is a reply to the closed prompt, which brings its button along."""

from __future__ import annotations

from typing import Any

from doorcode.asking.cards import Card
from doorcode.pairing.messages import Press
from doorcode.platforms.inbound import WebhookAnswer
from doorcode.platforms.payload import answer, compact, cut, decoded
from doorcode.platforms.telegram.inbound import MAX_ANSWER, MAX_TEXT, unlinked

ROOM = MAX_TEXT
REPLY = "Reply to this message and say why. Whoever asked is told what you write."


def size(text: str) -> int:
    """Count UTF-16 code units, with what keeps links from forming."""
    return len(unlinked(text).encode("utf-16-le", "replace")) // 2


def draw_question(card: Card) -> dict[str, Any]:
    """Return ``text``, ``link_preview_options`` and ``reply_markup`` for sendMessage and editMessageText."""
    rows = [[{"text": button.text, "callback_data": button.data}] for button in card.choices]
    row: list[dict[str, str]] = [{"text": card.link.text, "url": card.link.data}] if card.link else []
    row += [{"text": button.text, "callback_data": button.data} for button in card.buttons]
    if card.reason:
        row.append({"text": card.reason.text, "callback_data": card.reason.data})
    return {
        "text": unlinked(card.text),
        "link_preview_options": {"is_disabled": True},
        # An empty keyboard takes the buttons away.
        "reply_markup": {"inline_keyboard": [*rows, row] if row else rows},
    }


def place(press: Press) -> str:
    """Return chat and message, where the press came with them."""
    reply = decoded(press.reply, dict[str, Any])
    at = {name: reply[name] for name in ("chat_id", "message_id") if name in reply}
    return compact(at) if len(at) > 1 and "callback_query_id" in reply else ""


def reason_form(press: Press, _data: str) -> WebhookAnswer | None:
    """Say how: by a reply."""
    reply = decoded(press.reply, dict[str, Any])
    method = {"method": "answerCallbackQuery", "callback_query_id": reply.get("callback_query_id", "")}
    return answer(method | {"text": cut(REPLY, MAX_ANSWER), "show_alert": True})

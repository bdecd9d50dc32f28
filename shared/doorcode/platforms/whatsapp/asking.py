"""Questions on WhatsApp: plain text with up to three buttons. What has more of them is answered on the page, as is why.

https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/interactive-reply-buttons-messages
"""

from __future__ import annotations

from typing import Any

from doorcode.asking.cards import Card
from doorcode.pairing.messages import Press
from doorcode.platforms.inbound import WebhookAnswer
from doorcode.platforms.whatsapp.inbound import MAX_ANSWER, unlinked

# Beside the buttons stand no links, so that one is a line under the text.
LONGEST_LINK = 200
ROOM = MAX_ANSWER - LONGEST_LINK
MAX_BUTTONS, MAX_TITLE = 3, 20


def size(text: str) -> int:
    """Count the characters, with what keeps links from forming."""
    return len(unlinked(text))


def draw_question(card: Card) -> dict[str, Any]:
    """Return the fields of a message with buttons, or of a text."""
    buttons = [*card.choices, *card.buttons]
    text = unlinked(card.text)
    if len(buttons) > MAX_BUTTONS:
        # To deny is always there; to choose is not, for a choice that is not shown cannot be made.
        buttons = list(card.buttons)
        text = f"{text}\nMore buttons than fit here: answer on the owner's page."
    link = card.link or (card.elsewhere if len(buttons) < len(card.choices) + len(card.buttons) else None)
    if link:
        text = f"{text}\n{link.text}: {link.data}"
    if not buttons:
        return {"type": "text", "text": {"body": text, "preview_url": False}}
    drawn = [{"type": "reply", "reply": {"id": one.data, "title": one.text[:MAX_TITLE].rstrip()}} for one in buttons]
    return {
        "type": "interactive",
        "interactive": {"type": "button", "body": {"text": text}, "action": {"buttons": drawn}},
    }


def place(_press: Press) -> str:
    """Nothing: the press does not say where the buttons stand."""
    return ""


def reason_form(_press: Press, _data: str) -> WebhookAnswer | None:
    """Nothing: there is no button for it."""
    return None

"""A made-up platform's questions: spelt out like anything else."""

from __future__ import annotations

from typing import Any

from doorcode.asking.cards import Card
from doorcode.pairing.messages import Press
from doorcode.platforms.inbound import WebhookAnswer

ROOM = 1000


def size(text: str) -> int:
    """Count the characters."""
    return len(text)


def draw_question(card: Card) -> dict[str, Any]:
    """Spell it out."""
    return {"text": card.text, "buttons": [button.data for button in (*card.choices, *card.buttons)]}


def place(_press: Press) -> str:
    """Tell nothing."""
    return ""


def reason_form(_press: Press, _data: str) -> WebhookAnswer | None:
    """Ask nothing."""
    return None

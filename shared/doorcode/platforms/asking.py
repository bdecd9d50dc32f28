"""What a platform's room for questions offers: ``platforms/<name>/asking.py``, imported when an owner is asked something.

What it draws goes through the same sender as a pairing request's prompt. Its ``inbound`` reads presses of the buttons, whose
data ``pairing.callbacks.is_question`` knows, and with them what was typed: ``Press.said``.
"""

from __future__ import annotations

from typing import Protocol

from doorcode.asking.cards import Card
from doorcode.pairing.messages import Press
from doorcode.platforms.inbound import WebhookAnswer
from doorcode.platforms.sender import Drawn


class Asking(Protocol):
    """Draws questions on one platform.

    Arguments are positional only, so that a module may mark those that its platform has no use for.
    """

    ROOM: int
    """How much text a card has room for, as ``size`` measures it."""

    def size(self, text: str, /) -> int:
        """Return how much room a text takes once it is drawn."""

    def draw_question(self, card: Card, /) -> Drawn:
        """Return a card as fields of the platform's own API. Its text is plain: nothing in it is markup, a mention or a link."""

    def place(self, press: Press, /) -> str:
        """Return where the pressed buttons stand, as ``Sender.edit_prompt`` takes it; empty where that is not told."""

    def reason_form(self, press: Press, data: str, /) -> WebhookAnswer | None:
        """Let whoever pressed say why; what they type comes back as a press with ``data``. None where it opens by itself."""

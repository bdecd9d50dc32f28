"""A made-up platform's sender: what is sent lies in ``SENT``, by whom it went to."""

from __future__ import annotations

from collections import defaultdict

from doorcode.pairing.platform import Platform
from doorcode.platforms.sender import Abilities, Drawn, Moves, Sender, read_address

SENT: dict[str, list[str]] = defaultdict(list)
PROMPTS: dict[str, Drawn] = {}


class MorseSender:
    """Sends telegrams."""

    platform = Platform("morse")
    abilities = Abilities(edits=True, types=False, names=False)

    def send_text(
        self, reply: str, user_id: str, text: str, now: int, *, key: str, quote: str = "", done: int = 0
    ) -> None:
        """Answer."""
        SENT[read_address(reply, str) if reply else user_id].append(text)

    def notify(self, reply: str, user_id: str, text: str, now: int, *, key: str) -> None:
        """Tell a requester."""
        SENT[read_address(reply, str) if reply else user_id].append(text)

    def send_prompt(self, owner_id: str, drawn: Drawn, *, key: str) -> str:
        """Ask an owner."""
        PROMPTS[owner_id] = drawn
        return owner_id

    def edit_prompt(self, location: str, drawn: Drawn) -> None:
        """Put another in its place."""
        PROMPTS[location] = drawn

    def typing(self, reply: str, now: int) -> None:
        """Show nothing."""

    def lookup_name(self, user_id: str) -> str:
        """Know no names."""
        return ""

    def close(self) -> None:
        """Hold nothing open."""


def make_sender(_token: str, _api_url: str, _moves: Moves) -> Sender:
    """Make a sender."""
    return MorseSender()

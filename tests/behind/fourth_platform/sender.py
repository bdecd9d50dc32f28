"""A made-up platform's sender: what is sent lies in ``SENT``, by whom it went to."""

from __future__ import annotations

from collections import defaultdict

from doorcode.pairing.names import Names
from doorcode.pairing.platform import Platform
from doorcode.platforms.sender import Abilities, Drawn, Moves, OutgoingText, Sender, read_address

SENT: dict[str, list[str]] = defaultdict(list)
PROMPTS: dict[str, Drawn] = {}


class MorseSender:
    """Sends telegrams."""

    platform = Platform("morse")
    abilities = Abilities(edits=True, types=False, names=False)

    def send_text(self, outgoing: OutgoingText, now: int) -> None:
        """Answer."""
        SENT[read_address(outgoing.reply, str) if outgoing.reply else outgoing.user_id].append(outgoing.text)

    def notify(self, outgoing: OutgoingText, now: int) -> None:
        """Tell a requester."""
        self.send_text(outgoing, now)

    def send_prompt(self, owner_id: str, drawn: Drawn, *, key: str) -> str:
        """Ask an owner."""
        PROMPTS[owner_id] = drawn
        return owner_id

    def edit_prompt(self, location: str, drawn: Drawn) -> None:
        """Put another in its place."""
        PROMPTS[location] = drawn

    def typing(self, reply: str, now: int) -> None:
        """Show nothing."""

    def lookup_names(self, user_id: str) -> Names:
        """Know no names."""
        return Names()

    def close(self) -> None:
        """Hold nothing open."""


def make_sender(_token: str, _api_url: str, _moves: Moves) -> Sender:
    """Make a sender."""
    return MorseSender()

"""What the agent says. Replace ``greet`` with a function of your own, and you have your own bot."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct

from doorcode.errors import DoorcodeError

GREETING = "Hi there! How can I help you today?"
ONLY_TEXT = "I can only read text so far."
TOO_LONG = "That is more than I can read at once. Please say it in fewer words."


class TooLongError(DoorcodeError):
    """A conversation is longer than the responder takes. It is asked again with the last part of it."""

    reason = "too_long"


class Turn(Struct, frozen=True):
    """One thing that was said in a conversation: ``role`` is ``user`` or ``assistant``."""

    role: str
    text: str


Responder = Callable[[Sequence[Turn]], str]
"""Answers a conversation, whose last turn is what was just said, all of a batch together. May raise TooLongError."""


def greet(turns: Sequence[Turn]) -> str:  # noqa: ARG001 (a responder is given the conversation)
    """Greet, whatever was said."""
    return GREETING

"""What every way to answer is: a function of what was said, and the ways in which it may fail."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from doorcode.errors import DoorcodeError
from doorcode.pairing.hand_off import HandOff
from doorcode.pairing.texts import ONLY_TEXT

# Each maker of a model words a length in its own way.
TOO_LONG = re.compile(
    r"(?:input|prompt) is too long|too many (?:input )?tokens|input tokens exceeded|input tokens? exceeds?"
    r"|exceeds? (?:the )?(?:maximum (?:context|input|prompt|number of (?:input )?tokens)|context)"
    r"|maximum (?:context|prompt) length|reduce the length|expected maxlength",
    re.IGNORECASE,
)


class TooLongError(DoorcodeError):
    """A conversation is longer than the agent takes. It is asked again with the last part of it."""

    reason = "too_long"


class AgentUnavailableError(DoorcodeError):
    """The agent does not answer now: it is asked again, after ``delay`` seconds where it says for how long."""

    reason = "agent_unavailable"

    def __init__(self, why: str, delay: int = 0) -> None:
        """Say why, in words that hold nothing of what anybody wrote."""
        self.delay = delay
        super().__init__(why)


class AgentRefusedError(DoorcodeError):
    """The agent will never answer this, however often it is asked."""

    reason = "agent_refused"


Responder = Callable[[HandOff], Sequence[str]]
"""Answers what was said, its history included, in as many texts as it likes; none if there is no answer, or one to come.

Raises TooLongError, AgentUnavailableError, AgentRefusedError; whatever else it raises is tried again as well.
"""


def reading_text(responder: Responder) -> Responder:
    """Return a responder that reads nothing but text, and says so to whoever sends something else."""

    def respond(message: HandOff) -> Sequence[str]:
        return responder(message) if message.text.strip() else (ONLY_TEXT,)

    return respond

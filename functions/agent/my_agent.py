"""Your agent: change ``respond``. What else it needs is named in layers/agent/requirements.in. See docs/agents.md."""

from collections.abc import Sequence

from doorcode.pairing.hand_off import HandOff, Turn


def respond(message: HandOff, history: Sequence[Turn]) -> str:  # noqa: ARG001 (as it comes, it remembers nothing)
    """Return what to answer: a text, several in a list, or None; ``async def`` is fine.

    ``message.text`` is what was said, ``message.user`` who said it, ``history`` what was said before.
    """
    if not message.text:
        return "I can only read text so far."
    return "Hi there! How can I help you today?"

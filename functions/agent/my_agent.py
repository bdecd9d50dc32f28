"""Your agent: change ``respond``. What else it needs is named in layers/agent/requirements.in. See docs/agents.md."""

import re
from collections.abc import Sequence

from doorcode.asking.client import AskClient, AskError
from doorcode.pairing.hand_off import HandOff, Turn

# How an answer names the question that it waits for, so that the next message goes on with that one.
ASKED = re.compile(r"\(([A-Z0-9]{16})\)$")


def respond(message: HandOff, history: Sequence[Turn], owner: AskClient | None) -> str:
    """Return what to answer: a text, several in a list, or None; ``async def`` is fine.

    ``message.text`` is what was said, ``message.user`` who said it, ``history`` what was said before. ``owner`` asks the
    owner, and is None until agent/asks-token is set; leave it out where nothing has to be asked.
    """
    if not message.text:
        return "I can only read text so far."
    asked = ASKED.search(history[-1].text) if history else None
    if owner and (asked or message.text.lower().startswith("delete ")):
        try:
            return delete(owner, message, asked and asked[1])
        except AskError as error:
            return f"I could not ask the owner, so I leave it. {error}"
    return "Hi there! How can I help you today?"


def delete(owner: AskClient, message: HandOff, asked: str | None) -> str:
    """Show what a tool looks like that asks first, and does only what was approved. This one deletes nothing."""
    if asked:
        question = owner.look(asked)
    else:
        who = f"{message.user.name} ({message.platform} {message.user.id}) wants it."
        question = owner.ask(f"{message.text}?", who, {"what": message.text.partition(" ")[2]})
    if question.state == "pending":
        return f"I have asked the owner first. Write to me again once they have answered. ({question.id})"
    if question.state != "approved":
        return f"The owner has not approved it ({question.state}), so I leave it. {question.reason}".strip()
    owner.use(question)
    return (
        f"Approved by the owner: {question.record['arguments']['what']} would be gone now, if I could delete anything."
    )

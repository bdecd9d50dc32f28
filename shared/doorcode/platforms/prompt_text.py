"""The text of an owner's prompt: the same lines on every platform, each in its own markup."""

from __future__ import annotations

from collections.abc import Callable

from doorcode.pairing import texts
from doorcode.pairing.prompts import Prompt

# Who decided may be as long as an ARN. Cut before escaping, so that no escape is cut in two.
LONGEST_LINE = 160


def prompt_text(prompt: Prompt, marked_up: Callable[[str], str], escaped: Callable[[str], str]) -> str:
    """Return the question, the address under it, and the outcome if there is one.

    ``marked_up`` draws the name in the question, ``escaped`` makes any other text harmless.
    """
    question = texts.prompt_question(marked_up(prompt.who[:LONGEST_LINE]))
    lines = [question, escaped(prompt.address[:LONGEST_LINE])]
    if prompt.said:
        # Between quotation marks, on a line of its own: it is theirs, not ours.
        lines.append(f"“{escaped(prompt.said)}”")
    if prompt.outcome:
        lines.append(escaped(prompt.outcome[:LONGEST_LINE]))
    return "\n".join(lines)

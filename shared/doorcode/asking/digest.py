"""The digest of a question: what an approval is of, to the byte.

It is ``sha256:`` and the SHA-256, in hex, of ``doorcode-ask-v1``, a line feed, and the words as JSON in UTF-8: keys sorted by
code points, no white space, only what JSON has to escape escaped. Whoever asks can work it out too, in any language, and
should: so nobody can have another thing approved in between. Numbers whose form differs between languages are refused;
as strings they are fine.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from doorcode.asking.question import Substance
from doorcode.asking.refusals import InvalidQuestionError

DOMAIN = b"doorcode-ask-v1\n"
PREFIX = "sha256:"
# Beyond these, JavaScript rounds.
LARGEST = 2**53 - 1
MAX_DEPTH = 32


def canonical_json(value: Any) -> str:
    """Return JSON's one form of a value. Raises InvalidQuestionError for what has several."""
    _check(value, 0)
    return json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))


def canonical(substance: Substance) -> bytes:
    """Return what is hashed. Raises InvalidQuestionError."""
    arguments = json.loads(substance.arguments) if substance.arguments else None
    words = {
        "approvals": substance.approvals,
        "arguments": arguments,
        "asker": substance.asker,
        "choices": list(substance.choices),
        "details": substance.details,
        "on_behalf_of": substance.on_behalf_of,
        "title": substance.title,
    }
    return DOMAIN + canonical_json(words).encode()


def digest_of(substance: Substance) -> str:
    """Return the digest of a question's words. Raises InvalidQuestionError."""
    return PREFIX + hashlib.sha256(canonical(substance)).hexdigest()


def _check(value: Any, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise InvalidQuestionError(f"The arguments are nested deeper than {MAX_DEPTH} levels.")
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            raise InvalidQuestionError("There is half a surrogate pair in a text: that is no Unicode.") from None
    elif isinstance(value, float) or (isinstance(value, int) and abs(value) > LARGEST):
        raise InvalidQuestionError(
            "Numbers in the arguments are whole and at most 2^53 - 1, for languages write others differently. "
            'Give it as a string, such as "0.5".'
        )
    elif isinstance(value, dict):
        for key, inner in value.items():
            _check(key, depth + 1)
            _check(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            _check(inner, depth + 1)

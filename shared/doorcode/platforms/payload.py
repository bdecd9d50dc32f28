"""Reading payloads that were verified, and writing the answers: JSON in, JSON out."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from doorcode.platforms.inbound import Answer, UnusablePayloadError

T = TypeVar("T")


def decoded(data: bytes | str | msgspec.Raw, form: type[T]) -> T:
    """Read JSON of that form; fields that the form does not name are skipped. Raises UnusablePayloadError."""
    try:
        return msgspec.json.decode(data, type=form)
    except msgspec.ValidationError as error:
        # Says which field is of another type, and nothing of what stands in it.
        raise UnusablePayloadError(f"The payload has another form: {error}.") from None
    # ValueError: not JSON, or not UTF-8. RecursionError: nested deeper than anything that is meant.
    except (ValueError, RecursionError):
        raise UnusablePayloadError("The payload is not JSON.") from None


def compact(value: Any) -> str:
    """Write JSON without spaces, for an address that only its own platform reads."""
    return msgspec.json.encode(value).decode()


def answer(value: Any) -> Answer:
    """Answer 200 with JSON."""
    return Answer(body=msgspec.json.encode(value))


def cut(text: str, limit: int) -> str:
    """Shorten to ``limit`` UTF-16 code units, which is what platforms count, without halving a character."""
    return text.encode("utf-16-le", "replace")[: 2 * limit].decode("utf-16-le", "ignore")

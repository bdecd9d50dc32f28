"""Reading payloads that were verified, and writing the answers: JSON in, JSON out."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from doorcode.platforms.inbound import UnusablePayloadError, WebhookAnswer

T = TypeVar("T")


NOTHING = (b"", b"null")


def decoded(data: bytes | str | msgspec.Raw, form: type[T]) -> T:
    """Read JSON of that form; fields that the form does not name are skipped. Raises UnusablePayloadError.

    A field that is null is absent: platforms send either, and a form need not know which.
    """
    try:
        try:
            return msgspec.json.decode(data, type=form)
        except msgspec.ValidationError:
            # Looked at again without its nulls, which few payloads have: the others need not pay for it.
            return msgspec.json.decode(msgspec.json.encode(_without_nulls(msgspec.json.decode(data))), type=form)
    except msgspec.ValidationError as error:
        # Says which field is of another type, and nothing of what stands in it.
        raise UnusablePayloadError(f"The payload has another form: {error}.") from None
    # ValueError: not JSON, or not UTF-8. RecursionError: nested deeper than anything that is meant.
    except (ValueError, RecursionError):
        raise UnusablePayloadError("The payload is not JSON.") from None


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(one) for name, one in value.items() if one is not None}
    if isinstance(value, list):
        return [_without_nulls(one) for one in value if one is not None]
    return value


def is_given(raw: msgspec.Raw) -> bool:
    """Tell whether a field that was left unread is there, and not null."""
    return bytes(raw) not in NOTHING


def compact(value: Any) -> str:
    """Write JSON without spaces, for an address that only its own platform reads."""
    return msgspec.json.encode(value).decode()


def answer(value: Any) -> WebhookAnswer:
    """Answer 200 with JSON."""
    return WebhookAnswer(body=msgspec.json.encode(value))


def cut(text: str, limit: int) -> str:
    """Shorten to ``limit`` UTF-16 code units, which is what platforms count, without halving a character."""
    return text.encode("utf-16-le", "replace")[: 2 * limit].decode("utf-16-le", "ignore")

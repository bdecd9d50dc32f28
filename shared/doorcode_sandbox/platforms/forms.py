"""Checking what a stand-in is sent against the fields that the platform documents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")


class FormError(Exception):
    """What was sent has another form: ``field`` says where, as far as that is known."""

    def __init__(self, problem: str, field: str = "") -> None:
        self.field = field
        super().__init__(problem)


def checked(given: Any, form: type[T], *, strict: bool) -> T:
    """Read ``given`` as that form; where ``strict``, with no field that the form does not name. Raises FormError.

    Numbers and truths may be texts, as they are in a form's fields.
    """
    try:
        read = msgspec.convert(given, form, strict=False)
    except msgspec.ValidationError as error:
        problem, _, where = str(error).partition(" - at `")
        raise FormError(problem, where.rstrip("`").removeprefix("$.")) from None
    if strict:
        unknown = _unknown(given, msgspec.to_builtins(read))
        if unknown:
            raise FormError("unknown field", unknown)
    return read


def _unknown(given: Any, known: Any) -> str:
    """Return where the first field stands that was not read; empty if there is none."""
    if isinstance(given, Mapping) and isinstance(known, Mapping):
        for name, value in given.items():
            if name not in known:
                return str(name)
            if within := _unknown(value, known[name]):
                return f"{name}.{within}"
    if isinstance(given, list) and isinstance(known, list):
        for index, value in enumerate(given):
            if within := _unknown(value, known[index]):
                return f"{index}.{within}"
    return ""

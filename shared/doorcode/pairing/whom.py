"""Whom an operator means, who typed a ``@name`` or a label where an id belongs.

Names prove nothing, so they decide nothing by themselves: one is looked up among the contacts that are known, it has to
be that of exactly one of them, and the id is what counts, and is shown, from there on. A full name never counts: anybody
may call himself what the owner has called somebody else.
"""

from __future__ import annotations

from collections.abc import Iterable

from doorcode.errors import UnknownNameError
from doorcode.pairing.contact import Contact, Platform, how_ids_look
from doorcode.pairing.names import safe_name

# Enough to choose from.
MAX_SHOWN = 3


def id_of(known: Iterable[Contact], platform: Platform, text: str) -> str:
    """Return the id of the one contact that goes by ``text``: its ``@name`` or its label, in any case.

    What stands in the table as an id is that, whoever else goes by it. Raises UnknownNameError for nobody and for several.
    """
    found = {contact.user_id for contact in known if _goes_by(contact, text)}
    if text in found:
        return text
    if len(found) == 1:
        return found.pop()
    if found:
        some = ", ".join(sorted(found)[:MAX_SHOWN]) + (", …" if len(found) > MAX_SHOWN else "")
        raise UnknownNameError(
            f"{len(found)} people on {platform} go by {safe_name(text)!r}: {some}. Give the user id."
        )
    raise UnknownNameError(
        f"Nobody who waits, is paired or is blocked on {platform} goes by {safe_name(text)!r}. "
        f"Give the user id: {how_ids_look(platform)}"
    )


def _goes_by(contact: Contact, text: str) -> bool:
    names = {contact.label, contact.name if contact.name.startswith("@") else ""} - {""}
    return text == contact.user_id or text.casefold() in {name.casefold() for name in names}

"""Items of links, sessions and tokens: what is kept of a credential, and whether a secret is an item's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from doorcode.aws.items import attribute, changes
from doorcode.aws.table import Item
from doorcode.errors import SignInError, UnreadableItemError
from doorcode.pairing.credentials import Credential, read_credential

T = TypeVar("T")


def shown(text: object, prefix: str = "") -> Credential:
    """Read what somebody shows. Raises SignInError for what cannot be a credential: it never reaches the table."""
    credential = read_credential(text, prefix)
    if credential is None:
        raise SignInError
    return credential


def held(item: Item, credential: Credential, now: int, read: Callable[[Item], T]) -> T:
    """Return what ``read`` makes of an item, if it is there, the secret is its own, and ``now`` is before its end.

    Raises SignInError, and UnreadableItemError for an item of a version to come.
    """
    if not item:
        raise SignInError
    try:
        digest, expires_at, found = item["digest"]["S"], int(item["expires_at"]["N"]), read(item)
    except (KeyError, ValueError):
        raise UnreadableItemError("read a sign-in", "its item has an unknown form") from None
    if not credential.fits(digest) or (expires_at and now >= expires_at):
        raise SignInError
    return found


def writing(credential: Credential, attributes: Mapping[str, str | int]) -> dict[str, Any]:
    """Return the arguments of an update that writes a new item, with the secret's digest.

    It has no condition: the id is random, so that only a retry of the same write can find it there.
    """
    values = {name: attribute(value) for name, value in {"digest": credential.digest, **attributes}.items()}
    expression, names, placed = changes({}, values)
    return {
        "UpdateExpression": expression,
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": placed,
    }

"""Wrong codes, counted in the table: five in 60 s lock that caller on that surface for 300 s, in every function.

A guess is counted before it is compared, and taken back when it was right, so that guesses in parallel are counted
too. The fifth locks at once; that a right one among five in flight lifts the lock again is the price.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from doorcode.aws.items import attribute, contact_pk, expires_after
from doorcode.aws.table import ConditionError, Item, Table
from doorcode.aws.transaction_parts import Part
from doorcode.errors import LockedOutError, UnavailableError
from doorcode.pairing.platform import Platform

WINDOW_SECONDS = 60
LOCK_SECONDS = 300
MAX_GUESSES = 5
MAX_TRIES = 20
MAX_CALLER_LENGTH = 128
# Where wrong claims and invites are counted, of whoever sends them.
TICKET = "ticket"


class Lockout:
    """Counts guesses by surface (``cli``, ``api``, ``web``, ``ticket``) and by caller within it."""

    def __init__(self, table: Table) -> None:
        """Keep the counts in ``table``, under ``lockout#{surface}``."""
        self._table = table

    def count(self, surface: str, caller: str, now: int) -> None:
        """Count a guess before it is compared. Raises LockedOutError while the caller is locked out."""

        def counted(guesses: list[int], locked_until: int) -> tuple[list[int], int]:
            if now < locked_until:
                raise LockedOutError(locked_until)
            guesses = [*guesses, now]
            return guesses, now + LOCK_SECONDS if len(guesses) >= MAX_GUESSES else 0

        self._change(surface, caller, now, counted)

    def forgive(self, surface: str, caller: str, now: int) -> None:
        """Take back one guess that was right, and the lock if it was only that guess that locked."""

        def forgiven(guesses: list[int], locked_until: int) -> tuple[list[int], int]:
            fewer = guesses[:-1]
            return fewer, locked_until if len(fewer) >= MAX_GUESSES else 0

        self._change(surface, caller, now, forgiven)

    def unlock(self, surface: str, caller: str | None = None) -> int:
        """Forget the guesses of a caller, or of every caller on that surface; return how many callers that freed."""
        if caller is not None:
            return int(self._table.delete(_pk(surface), _sk(caller)))
        callers = [item["sk"]["S"] for item in self._table.partition(_pk(surface))]
        return sum(self._table.delete(_pk(surface), sk) for sk in callers)

    def _change(self, surface: str, caller: str, now: int, change: Any) -> None:
        table = self._table.started()
        item = table.get(_pk(surface), _sk(caller))
        for _ in range(MAX_TRIES):
            locked_until = int(item.get("locked_until", {"N": "0"})["N"])
            # A guess older than the window is forgotten, unless it is one of those that made the lock.
            since = now - WINDOW_SECONDS if now >= locked_until else 0
            guesses = [at for guess in item.get("guesses", {"L": []})["L"] if (at := int(guess["N"])) > since]
            guesses, locked_until = change(guesses, locked_until)
            try:
                table.update(_pk(surface), _sk(caller), **_as_read(item, guesses, locked_until, now))
            except ConditionError as error:
                before, item = item, error.lost[0]
                if error.in_doubt and _is_ours(before, item, guesses):
                    return
            else:
                return
        raise UnavailableError("count a code", "too many at once")


def not_locked(platform: Platform, user_id: str, now: int) -> Part:
    """Check, in the transaction that uses a ticket, that whoever sent it is not locked out."""
    conditions = {"they never were, or it is over": "attribute_not_exists(locked_until) OR locked_until <= :now"}
    return "ConditionCheck", {
        "Key": {"pk": {"S": _pk(TICKET)}, "sk": {"S": _sk(contact_pk(platform, user_id))}},
        "ConditionExpression": " AND ".join(conditions.values()),
        "ExpressionAttributeValues": {":now": attribute(now)},
    }


def _is_ours(before: Item, now_there: Item, guesses: list[int]) -> bool:
    """Tell whether our own write, whose answer was lost, is what stands in its own retry's way."""
    rev = int(before["rev"]["N"]) if before else 0
    written = [int(guess["N"]) for guess in now_there.get("guesses", {"L": []})["L"]]
    return bool(now_there) and int(now_there["rev"]["N"]) == rev + 1 and written == guesses


def _as_read(item: Item, guesses: list[int], locked_until: int, now: int) -> Mapping[str, Any]:
    """Return the arguments of an update that holds only if nobody else counted meanwhile."""
    rev = int(item["rev"]["N"]) if item else 0
    unchanged = "rev = :read" if item else "attribute_not_exists(pk)"
    values = {
        ":guesses": {"L": [attribute(at) for at in guesses]},
        ":until": attribute(locked_until),
        ":next": attribute(rev + 1),
        ":ttl": attribute(expires_after(now, locked_until)),
    }
    return {
        "UpdateExpression": "SET guesses = :guesses, locked_until = :until, rev = :next, #ttl = :ttl",
        "ConditionExpression": unchanged,
        "ExpressionAttributeNames": {"#ttl": "ttl"},
        "ExpressionAttributeValues": values | ({":read": attribute(rev)} if item else {}),
    }


def _pk(surface: str) -> str:
    return f"lockout#{surface}"


def _sk(caller: str) -> str:
    # A caller names itself, at whatever length: an over-long one is still one and the same caller.
    if len(caller) <= MAX_CALLER_LENGTH:
        return caller
    return f"sha256#{hashlib.sha256(caller.encode()).hexdigest()}"

"""Signing in to the owner's page: one-time links, and the sessions that they become.

What is kept is the SHA-256 of each secret, never the secret. Time is compared here; ``ttl`` only tidies up, a day later.

A link becomes a session in one transaction, which holds only if the link is still there and unused: of two who open it
at once, one is signed in. An answer that is lost is asked for again with the transaction's own token, and is then the
same session. If none comes before the deadline, UnavailableError is raised and nobody can tell whether the link was
used: opening it again signs in, or says no, and then another link is needed. The session that nobody was told of has a
secret that nobody has, and ends by itself.
"""

from __future__ import annotations

import uuid

from doorcode.aws.credential_items import held, shown, writing
from doorcode.aws.items import attribute, expires_after
from doorcode.aws.table import ConditionError, Item, Table
from doorcode.errors import SignInError
from doorcode.pairing.access import Principal, Scope
from doorcode.pairing.contact import Via
from doorcode.pairing.credentials import Credential, is_credential_id, new_credential

LINK_SECONDS = 300
SESSION_SECONDS = 12 * 3600
LINKS = "links"
SESSIONS = "sessions"


class SignIns:
    """The links and sessions of one table, under ``links`` and ``sessions``."""

    def __init__(self, table: Table) -> None:
        """Keep them in ``table``."""
        self._table = table

    def link(self, actor: str, now: int) -> str:
        """Make a link's token for ``actor``: it signs in once, within five minutes."""
        link = new_credential()
        self._table.update(LINKS, link.id, **writing(link, _until(actor, now + LINK_SECONDS)))
        return link.text

    def redeem(self, token: str, now: int) -> tuple[str, Principal]:
        """Turn a link's token into a session: return the cookie's value and who is signed in. Raises SignInError."""
        table = self._table.started()
        link = shown(token)
        actor = held(table.get(LINKS, link.id), link, now, _actor)
        session, ends_at = new_credential(), now + SESSION_SECONDS
        conditions = {
            "nobody has taken the link back": "attribute_exists(pk)",
            "nobody has used it": "attribute_not_exists(used_by)",
        }
        use = {
            "Key": _key(LINKS, link.id),
            "UpdateExpression": "SET used_by = :session",
            "ConditionExpression": " AND ".join(conditions.values()),
            "ExpressionAttributeValues": {":session": attribute(session.id)},
        }
        begin = {"Key": _key(SESSIONS, session.id), **writing(session, _until(actor, ends_at))}
        try:
            table.transact([("Update", use), ("Update", begin)], uuid.uuid4().hex)
        except ConditionError as error:
            # Our own write, whose answer was lost, may be what stands in its own retry's way.
            if not error.in_doubt or error.lost[0].get("used_by") != attribute(session.id):
                raise SignInError from None
        return session.text, _principal(session, actor, ends_at)

    def principal(self, cookie: str, now: int) -> Principal:
        """Return who is signed in with that cookie. Raises SignInError."""
        session = shown(cookie)
        item = self._table.get(SESSIONS, session.id)
        return held(item, session, now, lambda item: _principal(session, _actor(item), int(item["expires_at"]["N"])))

    def end(self, session_id: str) -> bool:
        """End one session; tell whether there was one."""
        return is_credential_id(session_id) and self._table.delete(SESSIONS, session_id)

    def end_all(self, now: int) -> int:
        """End every session and link; return how many of them would still have worked at ``now``.

        Links first: a session that one of them becomes meanwhile is there when the sessions are read. (One link may
        then have been counted as both.)
        """
        ended = 0
        for pk in (LINKS, SESSIONS):
            for item in self._table.partition(pk):
                works = "used_by" not in item and int(item.get("expires_at", {"N": "0"})["N"]) > now
                ended += self._table.delete(pk, item["sk"]["S"]) and works
        return ended


def _actor(item: Item) -> str:
    actor: str = item["actor"]["S"]
    return actor


def _principal(session: Credential, actor: str, expires_at: int) -> Principal:
    return Principal(id=session.id, actor=actor, scopes=frozenset({Scope.PAIRING}), via=Via.WEB, expires_at=expires_at)


def _until(actor: str, expires_at: int) -> dict[str, str | int]:
    return {"actor": actor, "expires_at": expires_at, "ttl": expires_after(expires_at)}


def _key(pk: str, sk: str) -> dict[str, dict[str, str]]:
    return {"pk": {"S": pk}, "sk": {"S": sk}}

"""Who may sign in to the page and to the HTTP API: the operator's commands about links, sessions and tokens.

Whoever may give these commands may decide who is let in anyway, and a link or a token lets its holder do no more. Each
secret stands in one answer, once, and in no log.
"""

from __future__ import annotations

from typing import Any

from doorcode.asking.callback_keys import callback_secret
from doorcode.aws.sign_ins import LINK_SECONDS, SignIns
from doorcode.aws.tokens import Token, Tokens
from doorcode.entrypoints.admin_commands import OnAccess, SignOut, TokenCreate, TokenList, WebLink
from doorcode.entrypoints.contact_record import iso
from doorcode.errors import UnknownTokenError
from doorcode.pairing.access import Scope, scopes_named
from doorcode.pairing.ports import CALLBACK_SECRET, Secrets

Answer = dict[str, Any]
Outcome = dict[str, str]


class AccessCommands:
    """Carries out the commands about links, sessions and tokens."""

    def __init__(self, sign_ins: SignIns, tokens: Tokens, web_url: str, secrets: Secrets) -> None:
        """Keep what is made in these; ``web_url`` is where the owner's page is; ``secrets`` has what signs callbacks."""
        self._sign_ins = sign_ins
        self._tokens = tokens
        self._web_url = web_url
        self._secrets = secrets

    def carry_out(self, command: OnAccess, now: int) -> tuple[Answer, Outcome]:
        """Carry out a command at ``now``; return its answer, and what the log may say of it.

        Raises UnknownTokenError, InputError, SecretError, UnavailableError.
        """
        if isinstance(command, WebLink):
            token = self._sign_ins.link(command.actor, now)
            answer = {"token": token, "url": self._web_url, "expires_at": iso(now + LINK_SECONDS)}
            return answer, {"outcome": "linked"}
        if isinstance(command, SignOut):
            ended = self._sign_ins.end_all(now)
            return {"signed_out": ended}, {"outcome": "signed_out", "count": str(ended)}
        if isinstance(command, TokenCreate):
            until = now + command.for_seconds if command.for_seconds else 0
            bearer, made = self._tokens.create(command.name, scopes_named(command.scope), command.actor, now, until)
            facts = {"outcome": "created", "token_id": made.id, "scope": made.scope}
            answer = {"token": bearer, **token_record(made)}
            if Scope.ASKS in made.scopes:
                # What its callbacks are signed with: derived, so that it can be shown and is kept nowhere.
                keyring = self._secrets.keyring(CALLBACK_SECRET, now)
                answer["callback_secret"] = callback_secret(made.id, keyring)
            return answer, facts
        if isinstance(command, TokenList):
            listed = [token_record(token) for token in self._tokens.listed(now)]
            return {"tokens": listed}, {"outcome": "listed", "count": str(len(listed))}
        if not self._tokens.revoke(command.id):
            raise UnknownTokenError("There is no token with that id. See: doorcode token list")
        return {"id": command.id}, {"outcome": "revoked"}


def token_record(token: Token) -> dict[str, str | None]:
    """Return what is shown of a token, ready for JSON: ``expires_at`` is None if it works until it is revoked."""
    return {
        "id": token.id,
        "name": token.name,
        "scope": token.scope,
        "created_at": iso(token.created_at),
        "created_by": token.created_by,
        "expires_at": iso(token.expires_at),
    }

"""The check of ``doorcode doctor`` whether what asks the owner is kept apart from what decides."""

from __future__ import annotations

from collections.abc import Iterator

from doorcode.aws.table import Table
from doorcode.aws.tokens import Tokens
from doorcode.pairing.access import Scope, scope_words
from doorcode_cli.asking.way import TOKEN, has_token
from doorcode_cli.examination import Examination, Finding, ok, warn
from doorcode_cli.shown import counted, shown

DECIDES = frozenset({Scope.PAIRING, Scope.PRESSES})


def asking(examined: Examination) -> Iterator[Finding]:
    """Look for whoever can both ask and decide: a token, and this machine, whose credentials invoke the admin function."""
    deployment = examined.deployment
    table = Table(deployment.client("dynamodb"), deployment.output("TableName"))
    asks = [token for token in Tokens(table).listed(int(examined.now)) if Scope.ASKS in token.scopes]
    for token in asks:
        if decides := token.scopes & DECIDES:
            yield warn(
                "asking",
                f"token {shown(token.name or token.id)} asks the owner, and its scope {scope_words(decides)} decides about others' questions",
                f"doorcode token revoke {token.id}, and create one with --scope asks alone",
            )
    if has_token():
        yield warn(
            "asking",
            f"this machine asks the owner ({TOKEN} is set), and may invoke {deployment.target.admin_function}, which decides: "
            "what runs here can approve itself",
            "take the AWS credentials, or the token, from this machine",
        )
    how = f"whoever may invoke {deployment.target.admin_function} decides, as an owner does"
    if asks:
        yield ok("asking", f"{counted(len(asks), 'token')} can ask the owner; {how}")
    else:
        yield ok("asking", f"no token can ask the owner; {how}", "doorcode token create --scope asks --name my-agent")

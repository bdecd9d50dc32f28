"""``doorcode token``: what programs sign in to the HTTP API with."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import typer
from msgspec import Struct, structs

from doorcode.pairing.access import Scope, scope_words
from doorcode_cli.admin_client import AdminClient
from doorcode_cli.duration import seconds
from doorcode_cli.examples import examples
from doorcode_cli.options import JsonOption
from doorcode_cli.output import at, note, say, say_fields, say_json
from doorcode_cli.shown import shown
from doorcode_cli.target import Target, targeted

app = typer.Typer(help="Let programs use the HTTP API: create, list and revoke tokens.", no_args_is_help=True)

NEVER = "never"


class _Token(Struct, frozen=True, kw_only=True):
    id: str
    name: str
    scope: str
    created_at: datetime
    created_by: str
    expires_at: datetime | None


class _Made(_Token, frozen=True, kw_only=True):
    token: str
    # Of one that asks: what its callbacks are signed with.
    callback_secret: str = ""


class _Tokens(Struct, frozen=True):
    tokens: list[_Token]


class _Revoked(Struct, frozen=True):
    id: str


@app.command(
    epilog=examples(
        "doorcode token create --scope read --name dashboard",
        "TOKEN=$(doorcode token create --scope pairing --name ci --for 30d)",
        "doorcode token create --scope gate --scope presses --name my-bot",
        "doorcode token create --scope asks --name my-agent",
    )
)
@targeted
def create(
    target: Target,
    *,
    scopes: Annotated[
        list[Scope],
        typer.Option(
            "--scope",
            help="read: see who waits and who is in, no codes. pairing: decide, and see the codes. messages: answer by a "
            "reply address. gate: ask who may talk to a bot of your own. presses: report who pressed a button there; as "
            "strong as an owner. asks: ask the owner, and decide nothing. Can be given more than once.",
        ),
    ],
    name: Annotated[str, typer.Option("--name", metavar="NAME", help="Shown beside what it decides.")] = "",
    duration: Annotated[
        int | None,
        typer.Option("--for", parser=seconds, metavar="DURATION", help="End by itself after 30s, 5m, 12h, 7d, 2w."),
    ] = None,
) -> None:
    """Create a token and print it, alone and only this once. Without --for it works until it is revoked."""
    made = AdminClient(target).ask(
        _Made, command="token_create", scope=scope_words(scopes), name=name, for_seconds=duration or 0
    )
    say(shown(made.token))
    until = f"until {at(made.expires_at)} (UTC)" if made.expires_at else "until it is revoked"
    if Scope.PRESSES in scopes:
        note(
            "Whoever holds it is believed about who pressed Approve, so it is as strong as an owner. Keep it as you keep a password."
        )
    if Scope.ASKS in scopes:
        where = target.local_url or "the stack's WebUrl"
        note(f"The machine that asks needs no more: DOORCODE_TOKEN, which this is, and DOORCODE_URL, {where}.")
        if Scope.PAIRING in scopes or Scope.PRESSES in scopes:
            note(
                "It decides, too, about what others ask. What asks should hold nothing that decides: make it two tokens."
            )
    if made.callback_secret:
        note(f"Its callbacks are signed with {shown(made.callback_secret)}")
    note(f"It works {until} and is not shown again. To end it: doorcode token revoke {shown(made.id)}")


@app.command("list", epilog=examples("doorcode token list", "doorcode token list --json"))
@targeted
def list_tokens(
    target: Target,
    *,
    as_json: JsonOption = False,
) -> None:
    """List the tokens that work, without their secrets. Times are UTC."""
    tokens = AdminClient(target).ask(_Tokens, command="token_list").tokens
    if as_json:
        say_json(_record(token) for token in tokens)
        return
    say(f"Found {len(tokens)} tokens:" if tokens else "No tokens found.")
    for token in tokens:
        say_fields(
            {
                "Token": token.id,
                "Name": token.name,
                "Scope": token.scope,
                "Created": token.created_at,
                "By": token.created_by,
                "Expires": token.expires_at or NEVER,
            }
        )


@app.command(epilog=examples("doorcode token revoke 3f9a1c0b7d2e4856"))
@targeted
def revoke(
    target: Target,
    token_id: Annotated[
        str, typer.Argument(metavar="ID", help="As the list shows it: the part between dc_ and the dot.")
    ],
) -> None:
    """End a token, from its next request on."""
    revoked = AdminClient(target).ask(_Revoked, command="token_revoke", id=token_id)
    say(f"✅ Revoked token {shown(revoked.id)}")


def _record(token: _Token) -> dict[str, Any]:
    return {
        field: value.strftime("%Y-%m-%dT%H:%M:%SZ") if isinstance(value, datetime) else value
        for field, value in structs.asdict(token).items()
    }

"""``doorcode web``: a link to the owner's page, and signing everybody out of it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer
from msgspec import Struct

from doorcode_cli.admin_client import AdminClient
from doorcode_cli.examples import examples
from doorcode_cli.output import at, note, say
from doorcode_cli.shown import shown
from doorcode_cli.target import Target, targeted

# Cut short it would be worth nothing.
LONGEST_LINK = 1000
EPILOG = examples("doorcode web", "doorcode web --sign-out")


class _Link(Struct, frozen=True):
    token: str
    url: str
    expires_at: datetime


class _SignedOut(Struct, frozen=True):
    signed_out: int


@targeted
def web(
    target: Target,
    *,
    sign_out: Annotated[
        bool, typer.Option("--sign-out", help="End all sessions and links instead, whoever has them.")
    ] = False,
) -> None:
    """Print a link to the owner's page, where requests are approved in a browser. It works once, for five minutes."""
    client = AdminClient(target)
    if sign_out:
        ended = client.ask(_SignedOut, command="sign_out").signed_out
        say(f"✅ Signed everybody out ({ended} sessions and links)" if ended else "Nobody was signed in.")
        return
    link = client.ask(_Link, command="web")
    # What the stack calls its address is the emulator's, in the sandbox.
    page = f"{target.local_url}/owner" if target.local_url else link.url
    say(shown(f"{page}#token={link.token}", LONGEST_LINK))
    note(f"Open it before {at(link.expires_at)} (UTC). It works once; whoever opens it decides who is let in.")

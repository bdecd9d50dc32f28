"""``doorcode invite``: codes that let whoever sends one in, without asking."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import typer
from msgspec import Struct, structs

from doorcode.pairing.tickets import DEFAULT_INVITE_SECONDS, LONGEST_INVITE_SECONDS, MAX_USES
from doorcode_cli.admin_client import AdminClient
from doorcode_cli.duration import seconds
from doorcode_cli.examples import examples
from doorcode_cli.options import JsonOption
from doorcode_cli.output import at, note, say, say_fields, say_json
from doorcode_cli.owner import WhereArgument
from doorcode_cli.shown import counted, duration, shown
from doorcode_cli.target import Target, targeted
from doorcode_cli.ways import PrintedWay, say_ways

app = typer.Typer(help="Let people in before they ask: create, list and revoke invites.", no_args_is_help=True)


class _Invite(Struct, frozen=True, kw_only=True):
    id: str
    platform: str | None
    uses: int
    left: int
    label: str
    for_seconds: int
    created_at: datetime
    created_by: str
    expires_at: datetime


class _Made(_Invite, frozen=True, kw_only=True):
    code: str
    ways: list[PrintedWay]


class _Invites(Struct, frozen=True):
    invites: list[_Invite]


class _Revoked(Struct, frozen=True):
    id: str


@app.command(
    epilog=examples(
        "doorcode invite create",
        "doorcode invite create telegram --uses 20 --for 7d --label workshop --expires 2w",
    )
)
@targeted
def create(  # noqa: PLR0913 (the command's options)
    target: Target,
    platform: WhereArgument = None,
    *,
    uses: Annotated[int, typer.Option("--uses", min=1, max=MAX_USES, help="How many people it lets in.")] = 1,
    stay: Annotated[
        int | None,
        typer.Option(
            "--for", parser=seconds, metavar="DURATION", help="How long they stay: 12h, 7d, 2w; else for ever."
        ),
    ] = None,
    label: Annotated[str, typer.Option("--label", metavar="LABEL", help="Your own word for whom it lets in.")] = "",
    expires: Annotated[
        int | None,
        typer.Option(
            "--expires",
            parser=seconds,
            metavar="DURATION",
            help=f"How long it works: {duration(DEFAULT_INVITE_SECONDS)}, at most {duration(LONGEST_INVITE_SECONDS)}.",
        ),
    ] = None,
) -> None:
    """Print an invite: whoever sends it to the bot, in a direct chat, is paired at once. It is not shown again."""
    made = AdminClient(target).ask(
        _Made,
        command="invite_create",
        platform=str(platform or ""),
        uses=uses,
        label=label,
        for_seconds=stay or 0,
        expires_seconds=expires or DEFAULT_INVITE_SECONDS,
    )
    say_ways(made.ways)
    note(
        f"The code is {shown(made.code)}: it lets in {counted(made.uses, 'person').replace('persons', 'people')}, until "
        f"{at(made.expires_at)} (UTC). To take it back: doorcode invite revoke {shown(made.id)}"
    )


@app.command("list", epilog=examples("doorcode invite list", "doorcode invite list --json"))
@targeted
def list_invites(target: Target, *, as_json: JsonOption = False) -> None:
    """List the invites that work, without their codes. Times are UTC."""
    invites = AdminClient(target).ask(_Invites, command="invite_list").invites
    if as_json:
        say_json(_record(invite) for invite in invites)
        return
    say(f"Found {len(invites)} invites:" if invites else "No invites found.")
    for invite in invites:
        say_fields(
            {
                "Invite": invite.id,
                "Where": invite.platform or "anywhere",
                "Left": f"{invite.left} of {invite.uses}",
                "Stay": duration(invite.for_seconds) if invite.for_seconds else "for ever",
                "Label": invite.label,
                "Created": invite.created_at,
                "By": invite.created_by,
                "Expires": invite.expires_at,
            }
        )


@app.command(epilog=examples("doorcode invite revoke 3f9a1c0b"))
@targeted
def revoke(
    target: Target, invite_id: Annotated[str, typer.Argument(metavar="ID", help="As the list shows it.")]
) -> None:
    """End an invite, from the next message on. Whom it has let in stays in."""
    revoked = AdminClient(target).ask(_Revoked, command="invite_revoke", id=invite_id)
    say(f"✅ Revoked invite {shown(revoked.id)}")


def _record(invite: _Invite) -> dict[str, Any]:
    return {
        field: value.strftime("%Y-%m-%dT%H:%M:%SZ") if isinstance(value, datetime) else value
        for field, value in structs.asdict(invite).items()
    }

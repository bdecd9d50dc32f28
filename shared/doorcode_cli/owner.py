"""``doorcode owner``: who owns the bot, that is who is asked, and making and removing owners."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import typer
from msgspec import Struct, structs

from doorcode.pairing.contact import Platform
from doorcode.pairing.names import called
from doorcode_cli.admin_client import AdminClient
from doorcode_cli.examples import examples
from doorcode_cli.options import JsonOption
from doorcode_cli.output import at, note, say, say_fields, say_json
from doorcode_cli.shown import shown
from doorcode_cli.target import Target, targeted
from doorcode_cli.ways import PrintedWay, say_ways

app = typer.Typer(help="Own the bot, and see who else does: claim, list, remove.", no_args_is_help=True)

WhereArgument = Annotated[
    Platform | None,
    typer.Argument(metavar="[PLATFORM]", case_sensitive=False, help="Where it works; without one, on any platform."),
]


class PrintedClaim(Struct, frozen=True, kw_only=True):
    """What makes somebody an owner: ``ways`` are a link or a text for each platform."""

    code: str
    ways: list[PrintedWay]
    expires_at: datetime


class ListedOwner(Struct, frozen=True, kw_only=True):
    """Somebody who owns the bot on a platform."""

    platform: str
    user_id: str
    name: str
    full_name: str
    label: str
    by_setting: bool
    by_claim: bool
    paired_at: datetime | None


class _Owners(Struct, frozen=True):
    owners: list[ListedOwner]


@app.command(epilog=examples("doorcode owner claim", "doorcode owner claim telegram"))
@targeted
def claim(target: Target, platform: WhereArgument = None) -> None:
    """Print what makes whoever sends it to the bot, in a direct chat, its owner there. It works once, for 15 minutes."""
    say_claim(made_claim(AdminClient(target), platform))


def made_claim(client: AdminClient, platform: Platform | None) -> PrintedClaim:
    """Make a claim for a platform; without one, for any. Raises CommandError."""
    return client.ask(PrintedClaim, command="owner_claim", platform=str(platform or ""))


def say_claim(made: PrintedClaim) -> None:
    """Print a claim, each way in which it is used."""
    say_ways(made.ways)
    opened = "Open the link, or send" if any(way.link for way in made.ways) else "Send"
    note(
        f"{opened} {shown(made.code)} to the bot in a direct chat, before {at(made.expires_at)} (UTC). "
        "Whoever does owns the bot: give it to nobody else."
    )


@app.command("list", epilog=examples("doorcode owner list", "doorcode owner list --json"))
@targeted
def list_owners(target: Target, *, as_json: JsonOption = False) -> None:
    """List who owns the bot: by a claim, and by the parameter OwnerUserIds. Times are UTC."""
    found = owners(AdminClient(target))
    if as_json:
        say_json(_record(owner) for owner in found)
        return
    say(f"Found {len(found)} owners:" if found else "No owners found.")
    if not found:
        note("To own the bot: doorcode owner claim")
    for owner in found:
        say_fields(
            {
                "Platform": owner.platform,
                "Channel": owner.user_id,
                "Name": called(owner.name, owner.full_name),
                "By": " and ".join(by for by, so in (("setting", owner.by_setting), ("claim", owner.by_claim)) if so),
                "Since": owner.paired_at,
                "Label": owner.label,
            }
        )


@app.command(
    epilog=examples("doorcode owner remove telegram 123456789", "doorcode owner remove telegram 123456789 --confirm")
)
@targeted
def remove(
    target: Target,
    platform: Annotated[Platform, typer.Argument(metavar="PLATFORM", case_sensitive=False, help="Where they own it.")],
    user_id: Annotated[str, typer.Argument(metavar="USER_ID", help="As the list shows it; or their @name or label.")],
    *,
    confirm: Annotated[bool, typer.Option("--confirm", help="Even the last one, after whom nobody is asked.")] = False,
) -> None:
    """Remove an owner by claim, who is no longer let in either. Those of OwnerUserIds are removed there."""
    contact = AdminClient(target).decide("owner_remove", platform, user_id=user_id, last=confirm)
    say(f"✅ Removed {shown(contact.platform)} owner {shown(contact.user_id)}")


def owners(client: AdminClient) -> list[ListedOwner]:
    """Return who owns the bot. Raises CommandError."""
    return client.ask(_Owners, command="owner_list").owners


def _record(owner: ListedOwner) -> dict[str, Any]:
    return {
        field: value.strftime("%Y-%m-%dT%H:%M:%SZ") if isinstance(value, datetime) else value
        for field, value in structs.asdict(owner).items()
    }

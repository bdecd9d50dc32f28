"""``doorcode pairing``: who waits, who is in, and letting people in and out."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Any, Protocol

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from doorcode.pairing.contact import Platform
from doorcode.pairing.names import called
from doorcode_cli.admin_client import AdminClient, Listed, Page
from doorcode_cli.duration import seconds
from doorcode_cli.examples import examples
from doorcode_cli.exit_codes import CommandError, Exit
from doorcode_cli.options import ConfirmOption, JsonOption
from doorcode_cli.output import at, say, say_fields, say_json
from doorcode_cli.shown import shown
from doorcode_cli.streams import nobody_reads
from doorcode_cli.target import Target, targeted

app = typer.Typer(help="Say who may talk to the bot: list, approve, deny, revoke, block.", no_args_is_help=True)

PlatformArgument = Annotated[
    Platform, typer.Argument(metavar="PLATFORM", case_sensitive=False, help="Where they write from.")
]
PlatformOption = Annotated[
    Platform | None, typer.Option("--platform", metavar="PLATFORM", case_sensitive=False, help="Only this platform.")
]
UserArgument = Annotated[
    str,
    typer.Argument(
        metavar="USER_ID",
        help="The platform's immutable user id; or a @name or label of somebody who waits, is paired or is blocked.",
    ),
]
OptionalCodeArgument = Annotated[
    str | None,
    typer.Argument(metavar="CODE", help="The pairing code, in any case; spaces (quoted) and hyphens do not matter."),
]
LabelOption = Annotated[str | None, typer.Option("--label", metavar="LABEL", help="Your own word for this person.")]
ForOption = Annotated[
    int | None,
    typer.Option("--for", parser=seconds, metavar="DURATION", help="End by itself after 30s, 5m, 12h, 7d, 2w."),
]

# The numbers do not bend these words: "Found 1 paired channels:" is what scripts look for.
TITLES = {
    "paired": "Found {} paired channels:",
    "blocked": "Found {} blocked channels:",
    "pending": "{} pending requests:",
}
NONE = {
    "paired": "No paired channels found.",
    "blocked": "No blocked channels found.",
    "pending": "No pending requests found.",
}


@app.command(
    "list",
    epilog=examples(
        "doorcode pairing list",
        "doorcode pairing list --pending --platform telegram",
        "doorcode pairing list --blocked --json",
    ),
)
@targeted
def list_contacts(  # noqa: PLR0913 (the command's options)
    target: Target,
    *,
    platform: PlatformOption = None,
    pending: Annotated[bool, typer.Option("--pending", help="Only requests that wait, with their codes.")] = False,
    paired: Annotated[bool, typer.Option("--paired", help="Only who may talk to the bot.")] = False,
    blocked: Annotated[bool, typer.Option("--blocked", help="Only who is blocked.")] = False,
    as_json: JsonOption = False,
) -> None:
    """List who is paired and who waits, with codes that work. Times are UTC."""
    if pending + paired + blocked > 1:
        raise CommandError("--pending, --paired and --blocked exclude each other.", Exit.USAGE)
    only = "pending" if pending else "paired" if paired else "blocked" if blocked else ""
    client, platforms = AdminClient(target), _platforms(platform)
    states = [only] if only else ["paired", "pending"]
    if as_json:
        say_json(
            _record(contact)
            for state in states
            for one in platforms
            for contact in _contacts(client, one, state, client.page(one, state))
        )
        return
    first = True
    for state in states:
        firsts = {one: client.page(one, state) for one in platforms}
        total = sum(page.total for page in firsts.values())
        if not total and state == "pending" and not only:
            continue
        if not first:
            say()
        first = False
        say(TITLES[state].format(total) if total else NONE[state])
        for one, page in firsts.items():
            for contact in _contacts(client, one, state, page):
                say_fields(_fields(contact))


@app.command(
    epilog=examples(
        "doorcode pairing approve telegram ABCD2345",
        "doorcode pairing approve telegram ABCD2345 --label alice --for 7d",
        "doorcode pairing approve telegram ABCD2345 987654321",
        "doorcode pairing approve telegram --user 987654321",
    )
)
@targeted
def approve(  # noqa: PLR0913, PLR0917 (the command's arguments and options)
    target: Target,
    platform: PlatformArgument,
    code: Annotated[
        str | None,
        typer.Argument(
            metavar="CODE", help="Their pairing code, in any case; spaces (quoted) and hyphens do not matter."
        ),
    ] = None,
    user_id: Annotated[
        str | None, typer.Argument(metavar="USER_ID", help="Whose code it has to be, to be sure.")
    ] = None,
    user: Annotated[
        str | None, typer.Option("--user", metavar="USER_ID", help="Approve by user id, without the code.")
    ] = None,
    label: LabelOption = None,
    duration: ForOption = None,
) -> None:
    """Approve a pending request."""
    _either(code, user)
    contact = AdminClient(target).decide(
        "approve", platform, code=code or "", user_id=user or user_id or "", label=label, for_seconds=duration or 0
    )
    _say_paired(contact)


@app.command(
    epilog=examples("doorcode pairing deny telegram ABCD2345", "doorcode pairing deny telegram --user 987654321")
)
@targeted
def deny(
    target: Target,
    platform: PlatformArgument,
    code: OptionalCodeArgument = None,
    user: Annotated[
        str | None, typer.Option("--user", metavar="USER_ID", help="Deny by user id, without the code.")
    ] = None,
) -> None:
    """Deny a pending request. Its code is gone; they can ask again later, and have to wait longer each time."""
    _either(code, user)
    _say_done("Denied", AdminClient(target).decide("deny", platform, code=code or "", user_id=user or ""))


@app.command(
    epilog=examples(
        "doorcode pairing add telegram 987654321 --label bob", "doorcode pairing add slack U1234ABCD --for 12h"
    )
)
@targeted
def add(
    target: Target,
    platform: PlatformArgument,
    user_id: UserArgument,
    label: LabelOption = None,
    duration: ForOption = None,
) -> None:
    """Let somebody in who has not asked, or change their label or end."""
    _say_paired(AdminClient(target).decide("add", platform, user_id=user_id, label=label, for_seconds=duration or 0))


@app.command(epilog=examples("doorcode pairing revoke telegram 987654321"))
@targeted
def revoke(target: Target, platform: PlatformArgument, user_id: UserArgument) -> None:
    """Let somebody in no longer, from their next message on. They can ask again."""
    _say_done("Revoked", AdminClient(target).decide("revoke", platform, user_id=user_id))


@app.command(epilog=examples("doorcode pairing block discord 200000000000000001"))
@targeted
def block(target: Target, platform: PlatformArgument, user_id: UserArgument) -> None:
    """Drop whatever somebody sends, and let them ask no more."""
    _say_done("Blocked", AdminClient(target).decide("block", platform, user_id=user_id))


@app.command(epilog=examples("doorcode pairing unblock discord 200000000000000001"))
@targeted
def unblock(target: Target, platform: PlatformArgument, user_id: UserArgument) -> None:
    """Let somebody who is blocked ask again."""
    _say_done("Unblocked", AdminClient(target).decide("unblock", platform, user_id=user_id))


@app.command(
    epilog=examples(
        "doorcode pairing clear",
        "doorcode pairing clear --platform slack --confirm",
        "doorcode pairing clear --pending --platform telegram --block",
    )
)
@targeted
def clear(
    target: Target,
    *,
    platform: PlatformOption = None,
    pending: Annotated[bool, typer.Option("--pending", help="Deny everybody who waits, instead.")] = False,
    block: Annotated[bool, typer.Option("--block", help="With --pending: block them too.")] = False,
    confirm: ConfirmOption = False,
) -> None:
    """Revoke everybody who is paired, or deny everybody who waits."""
    if pending:
        _clear_pending(target, platform, block=block, confirm=confirm)
        return
    if block:
        raise CommandError("--block goes with --pending.", Exit.USAGE)
    which = f"paired {platform} channels" if platform else "paired channels"
    if not confirm:
        typer.confirm(f"Are you sure you want to clear ALL {which}?", abort=True)
    client, platforms = AdminClient(target), _platforms(platform)
    revoked, failed = 0, 0
    with _progress(client, platforms) as progress:
        for one in platforms:
            for cleared in client.clear(one):
                revoked += len(cleared.revoked)
                failed += len(cleared.failed)
                progress.advance(len(cleared.revoked) + len(cleared.failed))
    if failed:
        raise CommandError(
            f"Cleared {revoked} {which}, but {failed} could not be revoked. Run the command again.", Exit.REFUSED
        )
    say(f"✅ Cleared {revoked} {which}" if revoked else f"No {which} to clear.")


@app.command(epilog=examples("doorcode pairing unlock", "doorcode pairing unlock --all"))
@targeted
def unlock(
    target: Target,
    *,
    everybody: Annotated[bool, typer.Option("--all", help="Free everybody, whatever they entered codes on.")] = False,
) -> None:
    """Take back the lock that too many wrong codes have put on you."""
    client = AdminClient(target)
    client.unlock(everybody=everybody)
    say(f"✅ Unlocked {'everybody' if everybody else client.actor}")


def _clear_pending(target: Target, platform: Platform | None, *, block: bool, confirm: bool) -> None:
    which = f"pending {platform} requests" if platform else "pending requests"
    if not confirm:
        also = ", and to block whoever made them" if block else ""
        typer.confirm(f"Are you sure you want to deny ALL {which}{also}?", abort=True)
    client = AdminClient(target)
    turned = [client.turn_away(one, block=block) for one in _platforms(platform)]
    done, failed = sum(len(one.done) for one in turned), sum(len(one.failed) for one in turned)
    if failed:
        raise CommandError(
            f"Cleared {done} {which}, but {failed} could not be cleared. Run the command again.", Exit.REFUSED
        )
    say(f"✅ Cleared {done} {which}" if done else f"No {which} to clear.")


def _either(code: str | None, user: str | None) -> None:
    if (code is None) == (user is None):
        raise CommandError("Give either the code or --user USER_ID.", Exit.USAGE)


def _platforms(platform: Platform | None) -> list[Platform]:
    return [platform] if platform else list(Platform)


def _contacts(client: AdminClient, platform: Platform, state: str, page: Page) -> Iterator[Listed]:
    """Give the contacts of a page and of all that follow, each page fetched when it is needed."""
    while True:
        yield from page.contacts
        if not page.cursor or nobody_reads():
            return
        page = client.page(platform, state, page.cursor)


def _fields(contact: Listed) -> dict[str, str | datetime | None]:
    fields: dict[str, str | datetime | None] = {"Platform": contact.platform, "Channel": contact.user_id}
    if contact.state == "pending":
        # Not there only if the secret that made it is gone.
        code = contact.code or f"none; approve with --user {contact.user_id}"
        said = {"Says": contact.first_message} if contact.first_message else {}
        return fields | {
            "Name": called(contact.name, contact.full_name), **said, "Code": code, "Expires": contact.expires_at
        }  # fmt: skip
    since = {"Paired": contact.paired_at, "Until": contact.paired_until} if contact.state == "paired" else {}
    return fields | {
        "Name": called(contact.name, contact.full_name),
        **since,
        "By": _by(contact),
        "Label": contact.label,
    }


def _by(contact: Listed) -> str:
    if not contact.decided_by:
        return ""
    if contact.decided_by_name:
        return f"{contact.decided_by_name} ({contact.decided_by}, {contact.decided_via})"
    return f"{contact.decided_by} ({contact.decided_via})"


def _record(contact: Listed) -> dict[str, Any]:
    record: dict[str, Any] = {}
    for field in contact.__struct_fields__:
        value = getattr(contact, field)
        record[field] = value.strftime("%Y-%m-%dT%H:%M:%SZ") if isinstance(value, datetime) else value
    if contact.state != "pending":
        del record["code"]
    if not contact.first_message:
        del record["first_message"]
    return record


def _say_paired(contact: Listed) -> None:
    _say_done("Successfully paired", contact)
    if contact.label:
        say(f"   Label: {shown(contact.label)}")
    if contact.paired_until:
        say(f"   Until: {at(contact.paired_until)} (UTC)")


def _say_done(what: str, contact: Listed) -> None:
    say(f"✅ {what} {shown(contact.platform)} channel {shown(contact.user_id)}")


class _Advance(Protocol):
    def advance(self, by: int) -> None:
        """Show that so many more are done."""


class _Silent:
    def advance(self, by: int) -> None:
        """Show nothing."""


class _Bar:
    def __init__(self, progress: Progress, total: int) -> None:
        self._progress = progress
        self._task = progress.add_task("Clearing", total=total)

    def advance(self, by: int) -> None:
        """Move the bar."""
        self._progress.advance(self._task, by)


@contextmanager
def _progress(client: AdminClient, platforms: list[Platform]) -> Iterator[_Advance]:
    """Show how far it is, on standard error, and only if somebody is looking."""
    if not _looks_on():
        yield _Silent()
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        yield _Bar(progress, sum(client.page(one, "paired").total for one in platforms))


def _looks_on() -> bool:
    return sys.stderr.isatty()

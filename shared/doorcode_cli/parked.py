"""``doorcode parked``: what the courier or the agent has given up on; to be sent again, or thrown away."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated

import typer

from doorcode_cli.dead_letters import DeadLetters, HeldMessage, Parked
from doorcode_cli.deployment import Deployment
from doorcode_cli.examples import examples
from doorcode_cli.exit_codes import CommandError, Exit
from doorcode_cli.options import ConfirmOption, JsonOption
from doorcode_cli.output import note, say, say_fields, say_json
from doorcode_cli.shown import counted, iso, shown
from doorcode_cli.target import Target, targeted

app = typer.Typer(help="See what was given up on, send it again, or throw it away.", no_args_is_help=True)

EXAMPLE_ID = "5fea7756-0ea4-451a-a703-a558b933e274"
IdsArgument = Annotated[list[str], typer.Argument(metavar="ID...", help="As the list shows them.")]


@app.command("list", epilog=examples("doorcode parked list", "doorcode parked list --json"))
@targeted
def list_parked(target: Target, *, as_json: JsonOption = False) -> None:
    """List what was given up on, without what people wrote. Times are UTC."""
    letters = DeadLetters(Deployment(target))
    total = letters.count()
    with letters.held() as found:
        parked = [one.parked for one in found]
    if as_json:
        say_json(_record(one) for one in parked)
    else:
        say(f"{counted(len(parked), 'message')} parked:" if parked else "Nothing is parked.")
        for one in parked:
            say_fields(_fields(one))
    if total > len(parked):
        note(
            f"{counted(total - len(parked), 'more message')} cannot be seen now: behind ten of the same contact or chat, "
            "or held by somebody who is looking, too."
        )


@app.command(epilog=examples("doorcode parked resend --all", f"doorcode parked resend {EXAMPLE_ID}"))
@targeted
def resend(
    target: Target,
    ids: Annotated[list[str] | None, typer.Argument(metavar="ID...", help="As the list shows them.")] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="All that is parked.")] = False,
) -> None:
    """Have parked messages followed or answered once more, once the cause is gone."""
    if bool(ids) == everything:
        raise CommandError("Give either ids or --all.", Exit.USAGE)
    letters = DeadLetters(Deployment(target))
    done = _each(letters, None if everything else set(ids or ()), letters.resend)
    # What lay behind ten of the same contact or chat comes to light as they go.
    while everything and (more := _each(letters, None, letters.resend)):
        done += more
    say(f"✅ Sent {counted(done, 'message')} again" if done else "Nothing is parked.")


@app.command(epilog=examples(f"doorcode parked drop {EXAMPLE_ID}"))
@targeted
def drop(target: Target, ids: IdsArgument, *, confirm: ConfirmOption = False) -> None:
    """Throw parked messages away: they are not followed or answered, and cannot be brought back."""
    wanted = set(ids)
    if not confirm:
        typer.confirm(f"Are you sure you want to throw {counted(len(wanted), 'message')} away?", abort=True)
    letters = DeadLetters(Deployment(target))
    say(f"✅ Threw {counted(_each(letters, wanted, letters.drop), 'message')} away")


def _each(letters: DeadLetters, wanted: set[str] | None, act: Callable[[HeldMessage], None]) -> int:
    """Do something with those that are wanted, None for all; return with how many. Raises CommandError for unknown ones."""
    done: set[str] = set()
    with letters.held() as found:
        for one in found:
            if wanted is None or one.parked.id in wanted:
                act(one)
                done.add(one.parked.id)
            if wanted is not None and done == wanted:
                break
    if wanted is not None and (unknown := sorted(wanted - done)):
        before = f"{counted(len(done), 'message')} done. " if done else ""
        raise CommandError(f"{before}Not parked: {shown(', '.join(unknown))}. See: doorcode parked list")
    return len(done)


def _fields(one: Parked) -> dict[str, str | datetime | None]:
    return {
        "Id": one.id,
        "Queue": one.queue,
        "Platform": one.platform,
        "Channel": one.user_id,
        "Kind": one.kind,
        "At": _time(one.made_at),
        "Parked": _time(one.parked_at),
        "Why": one.reason or "not known: see the function's log",
    }


def _record(one: Parked) -> dict[str, str | None]:
    return {
        "id": one.id,
        "queue": one.queue,
        "platform": one.platform,
        "user_id": one.user_id,
        "kind": one.kind,
        "at": iso(one.made_at) if one.made_at else None,
        "parked_at": iso(one.parked_at),
        "reason": one.reason,
    }


def _time(at: float) -> datetime | None:
    return datetime.fromtimestamp(at, UTC) if at else None

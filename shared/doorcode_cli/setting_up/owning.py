"""Having the bot be somebody's: a claim, and waiting until it was sent to the bot. Waiting can be left at any time."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Collection, Iterator
from datetime import UTC, datetime

from doorcode.pairing.contact import Platform
from doorcode.pairing.names import called
from doorcode_cli.admin_client import AdminClient
from doorcode_cli.output import note, say
from doorcode_cli.owner import ListedOwner, made_claim, owners, say_claim
from doorcode_cli.progress import Progress
from doorcode_cli.shown import shown
from doorcode_cli.target import Target

LOOK_SECONDS = 1.0


def have_owned(
    target: Target, platforms: Collection[Platform], progress: Progress, *, claim: bool, played: bool = False
) -> None:  # fmt: skip
    """Have somebody own the bot on one of those platforms, unless somebody does. Raises CommandError.

    ``played`` ones are the sandbox's own.
    """
    client = AdminClient(target)
    if found := _on(owners(client), platforms):
        say(f"✅ Owned by {', '.join(map(_named, found))}")
        return
    if not claim:
        note("Nobody owns the bot yet, so nobody is asked. To own it: doorcode owner claim")
        return
    say()
    say("The bot has no owner yet. Whoever sends it this claim owns it, and is asked who may talk to it:")
    say()
    only = next(iter(platforms)) if len(platforms) == 1 else None
    made = made_claim(client, only)
    say_claim(made)
    if played:
        note(f"The bot is the playground's stand-in, which no link opens: send the code there, at {target.local_url}/")
    say()
    new: list[ListedOwner] = []
    with _left_by_ctrl_c(), progress.step("Waiting for the claim; Ctrl-C goes on without", "Claimed"):
        while not new:
            if datetime.now(UTC) >= made.expires_at:
                raise TimeoutError
            time.sleep(LOOK_SECONDS)
            new = _on(owners(client), platforms)
    if new:
        say(f"✅ Owned by {', '.join(map(_named, new))}")
    else:
        note("Nobody has claimed it yet. The claim works until it expires; for another one: doorcode owner claim")


def _on(found: Collection[ListedOwner], platforms: Collection[Platform]) -> list[ListedOwner]:
    return [owner for owner in found if owner.platform in platforms]


def _named(owner: ListedOwner) -> str:
    name = called(owner.name, owner.full_name)
    return shown(f"{name} ({owner.platform} {owner.user_id})" if name else f"{owner.platform} {owner.user_id}")


@contextlib.contextmanager
def _left_by_ctrl_c() -> Iterator[None]:
    """Have Ctrl-C, or that it took too long, end what is done within and nothing else."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    except (KeyboardInterrupt, TimeoutError):
        say()
    finally:
        signal.signal(signal.SIGINT, before)

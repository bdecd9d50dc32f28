"""How a question reaches the stack: by its HTTP API with a token of the scope asks, which needs no AWS right and can decide nothing.

In the sandbox, where all is on one machine, the command makes itself such a token and keeps it beside the sandbox's state.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from doorcode.asking.client import TRY_AGAIN, AskClient, AskError
from doorcode_cli.admin_client import AdminClient
from doorcode_cli.exit_codes import CommandError, Exit
from doorcode_cli.shown import shown
from doorcode_cli.target import Target

URL, TOKEN = "DOORCODE_URL", "DOORCODE_TOKEN"
TOKEN_FILE = "asks-token"  # noqa: S105 (a file's name)
NAME = "sandbox"
# What is wrong with the question, and not with asking it.
USAGE = frozenset({400, 413, 422})
OUT_OF_REACH = frozenset({"unreachable", "unreadable", "digest_mismatch"})
LONGEST_SENTENCE = 600


class _Made(Struct, frozen=True):
    token: str


class _Known(Struct, frozen=True):
    id: str


class _Tokens(Struct, frozen=True):
    tokens: list[_Known]


def has_token() -> bool:
    """Tell whether the environment says where to ask, and with what."""
    return bool(os.environ.get(URL) and os.environ.get(TOKEN))


def asker(target: Target) -> AskClient:
    """Return what asks: at the sandbox, or where the environment says. Raises CommandError."""
    if target.local:
        return AskClient(target.local_url, _sandbox_token(target))
    if not has_token():
        raise CommandError(
            f"Set {URL} to the stack's WebUrl and {TOKEN} to a token (whoever runs the stack: doorcode token create --scope "
            "asks --name my-agent), or add --local to ask in this machine's sandbox.",
            Exit.USAGE,
        )
    try:
        return AskClient(os.environ[URL], os.environ[TOKEN])
    except ValueError as error:
        raise CommandError(f"{URL}: {error}", Exit.USAGE) from None


def refused(error: AskError) -> CommandError:
    """Make the one line that says why a question was not asked, or not answered, and what to do."""
    what = shown(str(error), LONGEST_SENTENCE)
    if error.status in USAGE:
        return CommandError(what, Exit.USAGE)
    if error.status in {401, 403}:
        return CommandError(f"{what} {TOKEN} has to be a token of the scope asks that works.", Exit.UNREACHABLE)
    # Without a word of the API's, something else answers there.
    if error.reason in OUT_OF_REACH or error.status in TRY_AGAIN - {429} or error.reason == f"http_{error.status}":
        return CommandError(f"{what} This is no yes.", Exit.UNREACHABLE)
    after = error.details.get("retry_after_seconds")
    return CommandError(f"{what} Try again in {after} seconds." if after else what)


def _sandbox_token(target: Target) -> str:
    """Return the token that was made before, if it works, and else a new one."""
    path, client = target.store / TOKEN_FILE, AdminClient(target)
    kept = ""
    with suppress(OSError, UnicodeDecodeError):
        kept = path.read_text().strip()
    known = {token.id for token in client.ask(_Tokens, command="token_list").tokens}
    if kept.removeprefix("dc_").partition(".")[0] in known:
        return kept
    token = client.ask(_Made, command="token_create", scope="asks", name=NAME, for_seconds=0).token
    _keep(path, token)
    return token


def _keep(path: Path, token: str) -> None:
    """Keep it for the next time; where that cannot be, a new one is made then."""
    with suppress(OSError):
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(token)

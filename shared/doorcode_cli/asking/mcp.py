"""``doorcode mcp``: any agent asks the owner by the Model Context Protocol. See ``tool`` for the tool itself."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Annotated

import typer

from doorcode_cli.asking import way
from doorcode_cli.duration import seconds
from doorcode_cli.examples import examples
from doorcode_cli.exit_codes import CommandError, Exit
from doorcode_cli.target import Target, targeted

# Clients give a call about 60 s.
LONGEST_WAIT_SECONDS = 45
EPILOG = examples("doorcode mcp", "claude mcp add owner -- doorcode mcp")


@targeted
def mcp(
    target: Target,
    *,
    wait: Annotated[
        int | None,
        typer.Option(
            "--wait", parser=seconds, metavar="DURATION", help="How long one call waits for an answer: up to 45s."
        ),
    ] = None,
) -> None:
    """Serve the tool ask_owner to an agent, by the Model Context Protocol over standard input and output."""
    if not find_spec("mcp"):
        raise CommandError("The server needs one more package. Install: pip install 'doorcode[mcp]'", Exit.USAGE)
    from doorcode_cli.asking.tool import server  # noqa: PLC0415 (an extra)

    server(way.asker(target), min(wait or LONGEST_WAIT_SECONDS, LONGEST_WAIT_SECONDS)).run()

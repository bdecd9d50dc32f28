"""Where ministack's mappings stood in the tables' streams: kept by it over a restart, while the streams are not.

A mapping that goes on from a position beyond the end of a new stream sees nothing until as many moves were made again:
nobody would be asked or told. Without a position it begins at the stream's start, which after a restart is empty.
"""

from __future__ import annotations

import json
from pathlib import Path

from doorcode_sandbox import private

STATE = "lambda.json"
POSITIONS = "dynamodb_stream_positions"


def forget_stream_positions(folder: Path) -> None:
    """Take the positions out of a saved state. What has another form is left as it is: whoever loads it will tell."""
    path = folder / STATE
    try:
        state = json.loads(path.read_bytes())
        del state["payload"][POSITIONS]
    except (OSError, ValueError, KeyError, TypeError):
        return
    # Beside it and then in its place: the file may be a link to the one that is kept.
    beside = path.with_suffix(".new")
    with private.opened(beside, "w") as file:
        file.write(json.dumps(state))
    beside.replace(path)

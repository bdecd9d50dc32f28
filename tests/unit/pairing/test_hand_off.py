"""What every agent is given, as its schema says it. ``python -m tests.unit.pairing.test_hand_off`` writes that anew."""

import json
from pathlib import Path
from typing import Any

from doorcode.pairing.hand_off import schemas

PAGE = Path(__file__).parents[3] / "docs/hand-off.schema.json"


def schema() -> dict[str, Any]:
    """Return the JSON Schema of a hand-off as it leaves the stack."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$ref": "#/$defs/HandOff",
        "$defs": schemas("#/$defs/{name}"),
    }


def test_the_published_schema_is_what_is_sent() -> None:
    """Security 41: docs/hand-off.schema.json has every field that an agent is sent, and the platform's own address is none."""
    assert json.loads(PAGE.read_text()) == json.loads(json.dumps(schema()))
    assert "reply" not in schema()["$defs"]["HandOff"]["properties"]
    assert "reply_to" in schema()["$defs"]["HandOff"]["properties"]


if __name__ == "__main__":
    PAGE.write_text(json.dumps(schema(), indent=2) + "\n")

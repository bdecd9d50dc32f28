"""``doorcode mcp``, by the client of the official package: a real process over standard input and output."""

import asyncio
import os
import sys
from typing import Any

from tests.asking.conftest import Surroundings

ASKED = {"title": "Delete 3 files?", "arguments": {"files": ["a", "b", "c"]}}


def test_an_agent_asks(around: Surroundings) -> None:
    """Security 47 and 51: one tool, which only asks; pending, denied and refused are results in words; a yes comes once, for what was asked."""
    # A third of all that the tests import, for this one.
    from mcp import StdioServerParameters  # noqa: PLC0415
    from mcp.client.client import Client  # noqa: PLC0415
    from mcp.client.stdio import stdio_client  # noqa: PLC0415

    async def talk() -> None:
        arguments = ["-m", "doorcode_cli", "mcp", "--wait", "1s"]
        server = StdioServerParameters(command=sys.executable, args=arguments, env=dict(os.environ))
        async with Client(stdio_client(server)) as client:
            (tool,) = (await client.list_tools()).tools
            assert tool.name == "ask_owner"
            assert tool.annotations is not None
            hints = tool.annotations
            assert (hints.read_only_hint, hints.idempotent_hint, hints.open_world_hint) == (False, True, True)

            async def ask(**arguments: Any) -> dict[str, Any]:
                result = await client.call_tool("ask_owner", arguments)
                assert not result.is_error, result
                told: dict[str, Any] = result.structured_content
                return told

            pending = await ask(**ASKED)
            assert (pending["approved"], pending["state"]) == (False, "pending")
            assert "Call ask_owner again" in pending["next"]
            await asyncio.to_thread(around.decides, pending["id"], "approve", reason="Go on")
            other = await ask(title="Delete 4 files?", id=pending["id"])
            assert (other["approved"], other["state"]) == (False, "digest_mismatch")
            yes = await ask(**ASKED, id=pending["id"])
            assert (yes["approved"], yes["state"], yes["reason"]) == (True, "used", "Go on")
            again = await ask(**ASKED, id=pending["id"])
            assert (again["approved"], again["state"]) == (False, "used")
            denied = await ask(title="Format the disk?", key="disk")
            await asyncio.to_thread(around.decides, denied["id"], "deny")
            denied = await ask(title="Format the disk?", key="disk")
            assert (denied["approved"], denied["state"]) == (False, "denied")
            assert "do not reach it another way" in denied["next"]
            shown = await ask(title="Pay?", match=True)
            assert (shown["state"], shown["match"]) == ("pending", around.client.look(shown["id"]).match)
            assert f"Show the number {shown['match']} to the person here" in shown["next"]
            await asyncio.to_thread(around.decides, shown["id"], "approve", match=shown["match"])
            assert (await ask(title="Pay?", match=True, id=shown["id"]))["approved"] is True
            refused = await ask(title="Format it all?", key="disk")
            assert (refused["approved"], refused["state"]) == (False, "key_reused")

    asyncio.run(talk())

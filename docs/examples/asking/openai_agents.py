"""OpenAI Agents SDK: tools that need approval pause the run, and the owner decides about each call."""

import asyncio
import json
import os

from agents import Agent, Runner, function_tool

from doorcode.asking.client import AskClient, AskError

owner = AskClient(os.environ["DOORCODE_URL"], os.environ["DOORCODE_TOKEN"])


@function_tool(needs_approval=True)
def delete_files(paths: list[str]) -> str:
    """Delete files."""
    return f"Deleted {', '.join(paths)}."


async def run(agent, said):
    """Run the agent to its end; each call that needs approval waits for the owner, up to ten minutes."""
    result = await Runner.run(agent, said)
    while result.interruptions:
        state = result.to_state()
        for call in result.interruptions:
            if await asyncio.to_thread(approved, call):
                state.approve(call)
            else:
                state.reject(call, rejection_message="Not approved. Do not do it, and do not reach it another way.")
        result = await Runner.run(agent, state)
    return result.final_output


def approved(call):
    """Ask the owner about one call, with exactly its arguments."""
    try:
        question = owner.ask(f"Run {call.name}?", arguments=json.loads(call.arguments), key=call.call_id)
        return owner.approved(question, wait=600)
    except AskError:
        return False


agent = Agent(name="Janitor", instructions="Keep the disk tidy.", tools=[delete_files])

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
            why_not = await asyncio.to_thread(refusal, call)
            if why_not:
                state.reject(call, rejection_message=why_not)
            else:
                state.approve(call)
        result = await Runner.run(agent, state)
    return result.final_output


def refusal(call):
    """Ask the owner about one call, with exactly its arguments, and use a yes up. Return why not, and nothing for a yes."""
    try:
        question = owner.ask(f"Run {call.name}?", arguments=json.loads(call.arguments), key=call.call_id)
        question = owner.wait(question, 600)
        if owner.approved(question):
            return ""
        why = f'{question.state}, in the owner\'s words: "{question.reason}"' if question.reason else question.state
    except AskError as error:
        why = str(error)
    return f"Not approved ({why}). Do not do it, and do not reach it another way."


agent = Agent(name="Janitor", instructions="Keep the disk tidy.", tools=[delete_files])

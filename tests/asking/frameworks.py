"""Runs one example of docs/asking.md in its framework's own environment, and prints a line of JSON for each run: what became of it."""

import asyncio
import ipaddress
import json
import socket
import sys


def only_here(connect):
    """Refuse every connection beyond this machine: whatever a framework would report home fails."""

    def guarded(self, address):
        if self.family in {socket.AF_INET, socket.AF_INET6} and not ipaddress.ip_address(address[0]).is_loopback:
            raise OSError("beyond this machine")
        return connect(self, address)

    return guarded


def openai_agents():
    """Run the agent, whose model is behind OPENAI_BASE_URL."""
    import openai_agents as example
    from agents import set_default_openai_api

    set_default_openai_api("chat_completions")
    yield {"said": asyncio.run(example.run(example.agent, "Tidy up."))}


def langgraph_node():
    """Run the graph, each time in a thread of its own."""
    import langgraph_node as example
    from langgraph.checkpoint.memory import InMemorySaver

    graph = example.build(InMemorySaver())
    for thread in range(2):
        yield example.run(graph, {"paths": ["a", str(thread)]}, {"configurable": {"thread_id": thread}})


def praisonai_approval():
    """Run an agent with the backend and a tool that needs approval by its name, whose model is behind OPENAI_BASE_URL."""
    from praisonai_approval import OwnerApproval
    from praisonaiagents import Agent

    ran = []

    def execute_command(command: str) -> str:
        """Run a command."""
        ran.append(command)
        return f"Ran {command}."

    for _ in range(2):
        agent = Agent(
            instructions="Keep the disk tidy.",
            tools=[execute_command],
            approval=OwnerApproval(),
            llm="gpt-4o-mini",
            output="silent",
        )
        said = agent.start("Tidy up.", stream=False)
        yield {"ran": [ran.pop() for _ in list(ran)], "said": said}


if __name__ == "__main__":
    socket.socket.connect = only_here(socket.socket.connect)
    for run in globals()[sys.argv[1]]():
        print(json.dumps(run), flush=True)  # noqa: T201

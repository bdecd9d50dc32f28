"""LangGraph: a node interrupts with a question that is asked already, and whoever drives the graph resumes it with the answer."""

import os
from typing import TypedDict

from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, interrupt

from doorcode.asking.client import AskClient

owner = AskClient(os.environ["DOORCODE_URL"], os.environ["DOORCODE_TOKEN"])


class State(TypedDict, total=False):
    paths: list[str]
    question: str
    deleted: list[str]
    refused: str


def ask(state):
    """Ask in a node of its own: the node that interrupts runs from its beginning again when it is resumed."""
    question = owner.ask(f"Delete {len(state['paths'])} files?", arguments={"paths": state["paths"]})
    return {"question": question.id}


def delete(state):
    answer = interrupt(state["question"])
    if answer["approved"]:
        return {"deleted": state["paths"]}
    return {"deleted": [], "refused": answer["why"]}


def build(checkpointer):
    graph = StateGraph(State)
    graph.add_node("ask", ask)
    graph.add_node("delete", delete)
    graph.add_edge(START, "ask")
    graph.add_edge("ask", "delete")
    graph.add_edge("delete", END)
    return graph.compile(checkpointer=checkpointer)


def run(graph, state, config, wait=600):
    """Run to the end. The checkpointer keeps the graph, Doorcode the question: either may be asked again tomorrow."""
    result = graph.invoke(state, config)
    while result.get("__interrupt__"):
        question = owner.wait(owner.look(result["__interrupt__"][0].value), wait)
        answer = {"approved": owner.approved(question), "why": question.reason or question.state}
        result = graph.invoke(Command(resume=answer), config)
    return result

"""The one tool of ``doorcode mcp``. It can ask, and has nothing that decides.

An answer that says approved has been used up: it is good for this one time. That nobody answered, or that asking did not
work, is a result like any other and says so in words, because models try again what fails, and another way what is refused.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated, Any, NotRequired

from mcp.server.mcpserver import MCPServer
from mcp.types import ToolAnnotations
from pydantic import Field
from typing_extensions import TypedDict

from doorcode.asking.client import APPROVED, PENDING, AskClient, AskedQuestion, AskError, digest

NAME = "ask_owner"
DESCRIPTION = (
    "Ask the bot's owner before anything that matters: that deletes, pays, publishes, or cannot be undone. Say in the title what "
    "is to be done, and give in arguments exactly what it will be done with. Go on only if `approved` is true, which it is once. "
    "If the state is `pending`, call again with the same arguments and the `id`. Never do it another way instead."
)
NO = "Not approved. Do not do it, and do not reach it another way."
NEXT = {
    PENDING: "Nobody has answered yet. Call ask_owner again with the same arguments and this id. Until then, do not do it.",
    "denied": NO,
    "expired": f"Nobody answered in time. {NO} It may be asked again if it still matters.",
    "cancelled": f"The question was taken back. {NO}",
    "lapsed": f"It was approved and not used in time. {NO} It may be asked again.",
    "used": f"This approval has been used before. {NO} Once more is another question.",
}
SHOW = "Show the number {number} to the person here now: the owner approves by picking it. "
YES = "Approved, for this one time. Do it now, exactly as asked."


class OwnerAnswer(TypedDict):
    """What the tool gives. ``state`` is the question's, or the word for why there is none; ``reason`` is in the owner's words."""

    approved: bool
    state: str
    next: str
    id: NotRequired[str]
    digest: NotRequired[str]
    choice: NotRequired[str]
    reason: NotRequired[str]
    decided_by: NotRequired[str]
    expires_at: NotRequired[str]
    match: NotRequired[int]


def server(asker: AskClient, wait: int) -> MCPServer[Any]:
    """Return the server, whose tool waits at most so many seconds in one call."""
    made: MCPServer[Any] = MCPServer("doorcode", version=version("doorcode"), log_level="ERROR")
    desk = ToolDesk(asker, wait)

    @made.tool(
        name=NAME,
        title="Ask the owner",
        description=DESCRIPTION,
        annotations=ToolAnnotations(
            read_only_hint=False, destructive_hint=False, idempotent_hint=True, open_world_hint=True
        ),
    )
    def ask_owner(  # noqa: PLR0913, PLR0917 (the tool's arguments)
        title: Annotated[str, Field(description="What is to be done, as a question in one line.", max_length=200)],
        details: Annotated[str, Field(description="What the owner has to know.", max_length=4000)] = "",
        arguments: Annotated[
            dict[str, Any] | None,
            Field(description="What it will be done with, exactly. Numbers with a decimal point as strings."),
        ] = None,
        choices: Annotated[list[str] | None, Field(description="2 to 5 answers for the owner to choose from.")] = None,
        match: Annotated[  # noqa: FBT002 (given by its name)
            bool,
            Field(
                description="If a person sits here: the owner has to pick, of three, the number that you get back and show to that person."
            ),
        ] = False,
        expires_in: Annotated[
            int, Field(description="For how many seconds it can be answered.", ge=60, le=604_800)
        ] = 3600,
        key: Annotated[str, Field(description="Your own name of the question: the same one asks once.")] = "",
        id: Annotated[str, Field(description="Of a question that is pending: wait on for its answer.")] = "",  # noqa: A002
    ) -> OwnerAnswer:
        asked = {"details": details, "arguments": arguments, "choices": choices or [], "expires_in": expires_in}
        return desk.asked(title, {**asked, **({"key": key} if key else {}), **({"match": True} if match else {})}, id)

    return made


class ToolDesk:
    """Asks, waits a while, and says in words what may follow."""

    def __init__(self, asker: AskClient, wait: int) -> None:
        """Wait at most so many seconds in one call."""
        self._asker, self._wait = asker, wait
        # Of those that this server asked, so that a use whose answer was lost is tried again as the same one.
        self._open: dict[str, AskedQuestion] = {}

    def asked(self, title: str, body: dict[str, Any], question_id: str) -> OwnerAnswer:
        """Answer a call of the tool."""
        try:
            question = self._question(title, body, question_id)
            self._open[question.id] = question
            # Nobody can pick a number that is not shown yet.
            question = self._asker.wait(question, 0 if question.match and not question_id else self._wait)
            approved = question.state == APPROVED
            if approved:
                question = self._asker.use(question)
        except AskError as error:
            return {"approved": False, "state": error.reason, "next": f"{error} {NO}"}
        if question.state != PENDING:
            self._open.pop(question.id, None)
        return _answer(question, approved=approved)

    def _question(self, title: str, body: dict[str, Any], question_id: str) -> AskedQuestion:
        if not question_id:
            return self._asker.ask(title, **body)
        question = self._open.get(question_id) or self._asker.look(question_id)
        # What is approved is what the owner saw, and not what a later call names with its id.
        if question.digest != digest({"title": title, **body}, str(question.record.get("asker") or "")):
            raise AskError("digest_mismatch", "The question with that id asks something else.")
        return question


def _answer(question: AskedQuestion, *, approved: bool) -> OwnerAnswer:
    told: Any = {
        name: str(question.record[name])
        for name in ("choice", "reason", "decided_by", "expires_at")
        if question.record.get(name)
    }
    after = YES if approved else NEXT.get(question.state, NO)
    if question.match and question.state == PENDING:
        after = SHOW.format(number=question.match) + after
        told["match"] = question.match
    answer: OwnerAnswer = {
        "approved": approved,
        "state": question.state,
        "next": after,
        "id": question.id,
        "digest": question.digest,
    }
    answer.update(told)
    return answer

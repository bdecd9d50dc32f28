"""Where each owner's prompt of a question is, and what of it is done: the courier's own notes, by question.

A prompt is noted as an intent before it is sent, and completed with its place after, as a pairing request's is. ``drawn`` tells
what stands there, so that nothing is edited into what it is.
"""

from __future__ import annotations

from msgspec import Struct

from doorcode.aws.items import attribute
from doorcode.aws.table import Table
from doorcode.pairing.contact import Platform
from doorcode.pairing.turns import Who

DONE = "done"
OWNER = "owner#"
# Longer than a question, its use and what is kept of it.
KEPT_SECONDS = 45 * 86_400


class QuestionPrompt(Struct, frozen=True):
    """One owner's prompt. ``place`` is the platform's own, empty while it is only intended."""

    owner: Who
    place: str = ""
    drawn: str = ""
    # The owner cannot be reached.
    failed: bool = False

    @property
    def stands(self) -> bool:
        """Whether the owner has it, as far as is known."""
        return bool(self.place) and not self.failed


class QuestionNotes(Struct, frozen=True):
    """What is noted of one question."""

    prompts: tuple[QuestionPrompt, ...] = ()
    done: frozenset[str] = frozenset()

    def prompt_of(self, owner: Who) -> QuestionPrompt | None:
        """Return an owner's prompt, if it is at least intended."""
        return next((prompt for prompt in self.prompts if prompt.owner == owner), None)


class QuestionBook:
    """The notes of one table, under ``prompts#ask#{id}``."""

    def __init__(self, table: Table) -> None:
        """Keep notes in ``table``."""
        self._table = table

    def notes(self, question_id: str) -> QuestionNotes:
        """Return all that is noted of a question."""
        prompts: list[QuestionPrompt] = []
        done: frozenset[str] = frozenset()
        for item in self._table.partition(_pk(question_id)):
            sk = item["sk"]["S"]
            if sk == DONE:
                done = frozenset(item["steps"]["SS"])
                continue
            platform, _, user_id = sk.removeprefix(OWNER).partition(":")
            texts = {name: item.get(name, {}).get("S", "") for name in ("place", "drawn")}
            prompts.append(QuestionPrompt((Platform(platform), user_id), **texts, failed="failed" in item))
        return QuestionNotes(tuple(prompts), done)

    def note(self, question_id: str, prompt: QuestionPrompt, now: int) -> None:
        """Note a prompt as it is: intended, standing somewhere, or nowhere."""
        values = {name: getattr(prompt, name) for name in ("place", "drawn") if getattr(prompt, name)}
        values |= {"failed": "true"} if prompt.failed else {}
        platform, user_id = prompt.owner
        sets = ["#ttl = :ttl", *(f"{name} = :{name}" for name in values)]
        self._table.update(
            _pk(question_id),
            f"{OWNER}{platform}:{user_id}",
            UpdateExpression=f"SET {', '.join(sets)}",
            ExpressionAttributeNames={"#ttl": "ttl"},
            ExpressionAttributeValues={
                ":ttl": attribute(now + KEPT_SECONDS),
                **{f":{name}": attribute(value) for name, value in values.items()},
            },
        )

    def note_done(self, question_id: str, step: str, now: int) -> None:
        """Note that a step is done, beside those that were."""
        self._table.update(
            _pk(question_id),
            DONE,
            UpdateExpression="SET #ttl = :ttl ADD steps :step",
            ExpressionAttributeNames={"#ttl": "ttl"},
            ExpressionAttributeValues={":ttl": attribute(now + KEPT_SECONDS), ":step": {"SS": [step]}},
        )


def _pk(question_id: str) -> str:
    return f"prompts#ask#{question_id}"

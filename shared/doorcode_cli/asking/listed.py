"""Questions as the stack shows them: every one to whoever may invoke the admin function, and its own to a token that asks."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Protocol

import msgspec
from msgspec import Struct

from doorcode.asking.client import AskClient, AskError
from doorcode.asking.digest import canonical_json, digest_of
from doorcode.asking.question import Substance
from doorcode_cli.admin_client import AdminClient
from doorcode_cli.asking import way
from doorcode_cli.exit_codes import CommandError, Exit
from doorcode_cli.target import Target


class ListedQuestion(Struct, frozen=True, kw_only=True):
    """A question as the stack shows it."""

    id: str
    state: str
    digest: str
    title: str = ""
    details: str = ""
    arguments: Any = None
    choices: list[str] = []
    numbers: list[int] = []
    match: int | None = None
    asker: str = ""
    asker_id: str = ""
    on_behalf_of: str | None = None
    approvals: int = 1
    approvals_left: int = 1
    owners: list[str] = []
    created_at: datetime | None = None
    expires_at: datetime | None = None
    usable_until: datetime | None = None
    reached: int | None = None
    decided_by: str | None = None
    decided_by_name: str | None = None
    decided_via: str | None = None
    decided_at: datetime | None = None
    choice: str | None = None
    reason: str | None = None
    used_at: datetime | None = None

    @property
    def substance(self) -> Substance:
        """What is decided on: what the digest is of."""
        return Substance(
            title=self.title,
            details=self.details,
            arguments="" if self.arguments is None else canonical_json(self.arguments),
            choices=tuple(self.choices),
            on_behalf_of=self.on_behalf_of or "",
            asker=self.asker,
            approvals=self.approvals,
        )


class QuestionSource(Protocol):
    """Where questions are seen, and taken back."""

    def listed(self, state: str) -> list[ListedQuestion]: ...  # noqa: D102

    def one(self, question_id: str) -> ListedQuestion: ...  # noqa: D102

    def cancelled(self, question_id: str) -> ListedQuestion: ...  # noqa: D102


class _Questions(Struct, frozen=True):
    asks: list[ListedQuestion]


class EveryQuestion:
    """By the admin function."""

    def __init__(self, client: AdminClient) -> None:
        """Ask with the operator's AWS credentials."""
        self._client = client

    def listed(self, state: str) -> list[ListedQuestion]:
        """Return those in that state; without one, those that are open."""
        return self._client.ask(_Questions, command="ask_list", **({"state": state} if state else {})).asks

    def one(self, question_id: str) -> ListedQuestion:
        """Return that one."""
        return self._client.ask(ListedQuestion, command="ask_show", id=question_id)

    def cancelled(self, question_id: str) -> ListedQuestion:
        """Take it back."""
        return self._client.ask(ListedQuestion, command="ask_cancel", id=question_id)


class OwnQuestions:
    """By the HTTP API, with the token that asked them."""

    def __init__(self, asker: AskClient) -> None:
        """Ask with that token."""
        self._asker = asker

    def listed(self, state: str) -> list[ListedQuestion]:
        """Return those in that state; without one, those that are open."""
        try:
            return [_read(record) for record in self._asker.records(state)]
        except AskError as error:
            raise way.refused(error) from None

    def one(self, question_id: str) -> ListedQuestion:
        """Return that one."""
        try:
            return _read(self._asker.look(question_id).record)
        except AskError as error:
            raise way.refused(error) from None

    def cancelled(self, question_id: str) -> ListedQuestion:
        """Take it back."""
        try:
            return _read(self._asker.cancel(self._asker.look(question_id)).record)
        except AskError as error:
            raise way.refused(error) from None


def source(target: Target) -> QuestionSource:
    """Return where to look: with the token of this machine, if it has one that asks, and else as an operator."""
    if way.has_token() and not target.local:
        return OwnQuestions(way.asker(target))
    return EveryQuestion(AdminClient(target))


def checked(question: ListedQuestion) -> ListedQuestion:
    """Return it, if what is shown is what was asked. Raises CommandError."""
    if digest_of(question.substance) != question.digest:
        raise CommandError("What the stack shows is not what was asked: its digest is another. Nothing was decided.")
    return question


def _read(record: Any) -> ListedQuestion:
    try:
        return msgspec.convert(record, ListedQuestion)
    except msgspec.ValidationError:
        raise CommandError(
            "The answer has a form that this command does not know. Are stack and command of the same version?",
            Exit.UNREACHABLE,
        ) from None

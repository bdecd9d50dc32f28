"""The operator's commands about questions, and those of whoever asks by command.

Who acts is what the caller reports, so that nothing here proves who decides: permission to invoke does. The alias ``asking`` of
the admin function takes the commands that ask, and none that decides; an agent's role is given that one. Whoever asks by
command does not decide by command: a person does that with a button, on the page, or under another name.
"""

from __future__ import annotations

from typing import Any

import msgspec

from doorcode.asking.order import Asker
from doorcode.asking.question import Question, Voter
from doorcode.entrypoints.admin_commands import (
    AskApprove,
    AskCancel,
    AskCommand,
    AskDeny,
    AskList,
    AskMute,
    AskShow,
    AskUse,
    OnQuestions,
)
from doorcode.entrypoints.question_office import QuestionOffice
from doorcode.pairing.contact import Via

Answer = dict[str, Any]
Outcome = dict[str, str]


class QuestionCommands:
    """Carries out the commands about questions."""

    def __init__(self, office: QuestionOffice) -> None:
        """Ask and decide in ``office``."""
        self._office = office

    def carry_out(self, command: OnQuestions, now: int, *, asking_only: bool) -> tuple[Answer, Outcome]:
        """Carry out a command at ``now``; return its answer, and what the log may say of it. With ``asking_only``, on one's own.

        Raises QuestionRefusedError, InvalidQuestionError, BadReplyAddressError, UnavailableError.
        """
        if isinstance(command, AskList):
            found = self._office.records(now, state=command.state)
            answer = {"asks": msgspec.to_builtins(found), "muted": self._office.store.muted()}
            return answer, {"outcome": "listed", "count": str(len(found))}
        if isinstance(command, AskMute):
            self._office.store.mute(command.asker, muted=command.muted)
            return {"muted": command.muted}, {"outcome": "muted" if command.muted else "unmuted"}
        asker = Asker(id=f"cli:{command.actor}", label=command.actor)
        if isinstance(command, AskCommand):
            record, new = self._office.ask(command.question.order(), asker, now)
            return msgspec.to_builtins(record), {"outcome": "asked" if new else "asked_again", "ask": record.id}
        question, then = self._acted(command, asker, now, own="" if not asking_only else asker.id)
        told = msgspec.to_builtins(self._office.record(question, then, asker=asker.id))
        return told, {"outcome": "shown" if isinstance(command, AskShow) else question.state, "ask": question.id}

    def _acted(
        self, command: AskShow | AskApprove | AskDeny | AskCancel | AskUse, asker: Asker, now: int, *, own: str
    ) -> tuple[Question, int]:
        store = self._office.store
        voter = Voter(via=Via.CLI, by=command.actor, caller=asker.id)
        if isinstance(command, AskShow):
            return self._office.wait(self._office.seen(command.id, own), command.wait) if command.wait else (
                self._office.seen(command.id, own), now,
            )  # fmt: skip
        if isinstance(command, AskCancel):
            return store.cancel(command.id, voter, now, asker=own), now
        if isinstance(command, AskUse):
            return store.use(command.id, asker.id, now, digest=command.digest, key=command.idempotency_key), now
        if isinstance(command, AskApprove):
            return (
                store.approve(
                    command.id,
                    voter,
                    now,
                    digest=command.digest,
                    choice=command.choice,
                    match=command.match,
                    reason=command.reason,
                ),
                now,
            )
        return store.deny(command.id, voter, now, digest=command.digest, reason=command.reason), now

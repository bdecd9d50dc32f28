"""The operator's commands: one event, one answer, and whatever is decided goes through the one desk.

An event is ``{"version": 1, "command": …, "actor": …}`` and the command's own arguments (see ``admin_commands``). The answer
is ``{"ok": true, …}``, or ``{"error": {"reason", "message", …}}`` for everything that Doorcode refuses or cannot do just
now; what nobody thought of is raised, and becomes an error of the function. Who acts is what the caller reports: Lambda
does not tell a function who invoked it. Permission to invoke is what guards this; CloudTrail is the proof.
"""

from __future__ import annotations

from typing import Any

from doorcode.asking.refusals import QuestionRefusedError
from doorcode.aws.directory import Directory
from doorcode.aws.kept_messages import KeptMessages
from doorcode.aws.lockout import TICKET, Lockout
from doorcode.aws.waiting_room import WaitingRoom
from doorcode.entrypoints import log
from doorcode.entrypoints.admin_access import AccessCommands
from doorcode.entrypoints.admin_commands import (
    ASKING,
    AnyCommand,
    Clear,
    DecideCommand,
    List,
    OnAccess,
    OnQuestions,
    OnTickets,
    OwnerRemove,
    TokenRevoke,
    TurnAway,
    Unlock,
    named,
    read_command,
)
from doorcode.entrypoints.admin_questions import QuestionCommands
from doorcode.entrypoints.admin_tickets import TicketCommands
from doorcode.entrypoints.contact_record import iso, record_of
from doorcode.errors import (
    DoorcodeError,
    ForbiddenError,
    LockedOutError,
    MalformedCodeError,
    RefusedError,
    SecretError,
)
from doorcode.pairing import codes
from doorcode.pairing.clearing import turn_away
from doorcode.pairing.contact import Contact, Platform, State, Via, is_user_id, platform_named
from doorcode.pairing.credentials import is_credential_id
from doorcode.pairing.decisions import Actor, Desk, Order
from doorcode.pairing.ports import Secrets, code_of
from doorcode.pairing.transitions import Decision
from doorcode.pairing.whom import id_of

# Where wrong codes are counted. Whoever is told to unlock may have been locked out on any of them.
SURFACES = (Via.CLI, Via.API, Via.WEB)

Answer = dict[str, Any]

ONLY_ASKING = "Through the alias asking one can ask, look at, use and take back one's own questions, and nothing else."


class Admin:
    """Carries out commands."""

    def __init__(  # noqa: PLR0913 (each is one thing that commands are about)
        self,
        *,
        desk: Desk,
        room: WaitingRoom,
        directory: Directory,
        lockout: Lockout,
        secrets: Secrets,
        access: AccessCommands,
        tickets: TicketCommands,
        questions: QuestionCommands,
        kept_messages: KeptMessages | None = None,
    ) -> None:
        """Decide at ``desk``; list from ``directory``; ``secrets`` make the codes that are shown.

        ``kept_messages`` are given where owners are shown what strangers wrote.
        """
        self._desk = desk
        self._room = room
        self._directory = directory
        self._lockout = lockout
        self._secrets = secrets
        self._access = access
        self._tickets = tickets
        self._questions = questions
        self._kept = kept_messages

    def answer(self, event: object, now: int, *, asking_only: bool = False) -> Answer:
        """Carry out the command of an event at ``now``; with ``asking_only``, none that decides or tells of others'."""
        facts: dict[str, str] = {"operation": "unreadable"}
        try:
            command = read_command(event)
            facts |= _facts(command)
            if asking_only and not isinstance(command, ASKING):
                raise ForbiddenError(ONLY_ASKING)
            answer = self._carry_out(command, facts, now, asking_only=asking_only)
        except DoorcodeError as error:
            log.refused(error, f"Refused: {facts['operation']}", **facts, outcome="refused")
            return answer_to(error)
        log.info(f"Done: {facts['operation']}", **facts)
        return {"ok": True, **answer}

    def _carry_out(self, command: AnyCommand, facts: dict[str, str], now: int, *, asking_only: bool) -> Answer:
        if isinstance(command, Unlock):
            freed = self._unlock(command)
            facts |= {"outcome": "unlocked", "count": str(freed)}
            return {"freed": freed}
        if isinstance(command, OnAccess | OnTickets | OnQuestions):
            answer, outcome = self._beside_contacts(command, now, asking_only=asking_only)
            facts |= outcome
            return answer
        platform = platform_named(command.platform)
        facts["platform"] = platform
        if isinstance(command, List):
            answer = self._list(command, platform, now)
            facts |= {"outcome": "listed", "count": str(len(answer["contacts"]))}
            return answer
        if isinstance(command, Clear):
            answer = self._clear(command, platform, now)
            facts |= {"outcome": "cleared", "count": str(len(answer["revoked"])), "failed": str(len(answer["failed"]))}
            return answer
        if isinstance(command, TurnAway):
            answer = self._turn_away(command, platform, now)
            facts |= {"outcome": "turned_away", "count": str(len(answer["done"])), "failed": str(len(answer["failed"]))}
            return answer
        contact = self._decide(command, platform, now)
        facts |= {"user_id": contact.user_id, "outcome": contact.state}
        return {"contact": record_of(contact)}

    def _beside_contacts(
        self, command: OnAccess | OnTickets | OnQuestions, now: int, *, asking_only: bool
    ) -> tuple[Answer, dict[str, str]]:
        if isinstance(command, OnQuestions):
            return self._questions.carry_out(command, now, asking_only=asking_only)
        if isinstance(command, OnAccess):
            return self._access.carry_out(command, now)
        return self._tickets.carry_out(command, now)

    def _decide(self, command: DecideCommand, platform: Platform, now: int) -> Contact:
        order = Order(
            operation=command.operation,
            platform=platform,
            user_id=self._whom(command, platform, now),
            code=command.code,
            label=command.label,
            until=now + command.for_seconds if command.for_seconds else 0,
            last=isinstance(command, OwnerRemove) and command.last,
        )
        return self._desk.decide(Actor(via=Via.CLI, id=command.actor), order, now)

    def _whom(self, command: DecideCommand, platform: Platform, now: int) -> str:
        """Return the id that is meant: what was typed, or whose name or label it is."""
        typed = command.user_id
        if not typed or is_user_id(platform, typed):
            return typed
        return id_of(self._directory.known(platform, now), platform, typed)

    def _list(self, command: List, platform: Platform, now: int) -> Answer:
        state = State(command.state)
        if state is State.PENDING:
            waiting = self._directory.pending(platform, now)
            said = self._kept.beginnings(waiting) if self._kept else {}
            records = [record_of(contact, self._code(contact, now), said.get(contact.nonce)) for contact in waiting]
            return {"contacts": records, "cursor": "", "total": len(records)}
        page = self._directory.listed(platform, state, now, cursor=command.cursor)
        answer: Answer = {"contacts": [record_of(contact) for contact in page.contacts], "cursor": page.cursor}
        if not command.cursor:
            # The list begins with how many there are, before all of them were read.
            whole = not page.cursor
            answer["total"] = len(page.contacts) if whole else self._directory.count(platform, state, now)
        return answer

    def _code(self, contact: Contact, now: int) -> str:
        try:
            return code_of(contact, self._secrets, now)
        except SecretError as error:
            # The request is there all the same, and can be approved by its user id.
            log.refused(error, platform=contact.platform, user_id=contact.user_id)
            return ""

    def _clear(self, command: Clear, platform: Platform, now: int) -> Answer:
        decision = Decision(by=command.actor, via=Via.CLI)
        cleared = self._directory.clear(self._room, platform, now, decision, cursor=command.cursor)
        return {
            "revoked": [contact.user_id for contact in cleared.revoked],
            "failed": [contact.user_id for contact in cleared.failed],
            "cursor": cleared.cursor,
        }

    def _turn_away(self, command: TurnAway, platform: Platform, now: int) -> Answer:
        actor = Actor(via=Via.CLI, id=command.actor)
        waiting = self._directory.pending(platform, now)
        turned = turn_away(self._desk, actor, waiting, now, block=command.block)
        return {
            "done": [contact.user_id for contact in turned.done],
            "failed": [contact.user_id for contact in turned.failed],
        }

    def _unlock(self, command: Unlock) -> int:
        if command.everybody:
            return sum(self._lockout.unlock(surface) for surface in (*SURFACES, TICKET))
        return self._lockout.unlock(Via.CLI, command.actor)


def answer_to(error: DoorcodeError) -> Answer:
    """Return the answer that tells an error: a reason for programs, a sentence for people, and the facts beside them."""
    told: Answer = {"reason": error.reason, "message": str(error)}
    if isinstance(error, RefusedError):
        facts = {
            "platform": error.platform,
            "user_id": error.user_id,
            "state": error.state,
            "decided_by": error.decided_by,
            "decided_by_name": error.decided_by_name,
            "decided_via": error.decided_via,
            "decided_at": iso(error.decided_at),
            "expired_at": iso(error.expired_at),
        }
        told |= {name: fact for name, fact in facts.items() if fact}
    if isinstance(error, QuestionRefusedError):
        told |= {"state": error.state} if error.state else {}
        told |= {"retry_after_seconds": error.retry_after} if error.retry_after else {}
    if isinstance(error, LockedOutError):
        told["until"] = iso(error.until)
    return {"error": told}


def _facts(command: AnyCommand) -> dict[str, str]:
    """Return what the log says of a command: who, what, about whom. No code, no label."""
    facts = {"operation": named(command), "actor": command.actor}
    # Somebody may have put the token itself where its id belongs.
    if isinstance(command, TokenRevoke) and is_credential_id(command.id):
        facts["token_id"] = command.id
    user_id = command.user_id if isinstance(command, DecideCommand) else ""
    # Nor a name. The id of whoever was really found is logged in any case.
    if any(is_user_id(platform, user_id) for platform in Platform) and not _could_be_a_code(user_id):
        facts["user_id"] = user_id
    return facts


def _could_be_a_code(user_id: str) -> bool:
    # Somebody may have put a code where an id belongs. The id of what was really found is logged in any case.
    try:
        codes.normalise(user_id)
    except MalformedCodeError:
        return False
    return True

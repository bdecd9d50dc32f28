"""Questions to the owner: programs ask, look and use with the scope asks; whoever may decide about people decides about them.

An asker's questions are its own: another's is answered as one that never was. Who asks does not decide, whatever else its
token may do.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

from doorcode.asking.moves import QuestionMove
from doorcode.asking.order import MAX_ASK_KEY, MAX_REASON, Asker
from doorcode.asking.question import Question, Voter
from doorcode.asking.refusals import InvalidQuestionError
from doorcode.entrypoints.contact_record import iso
from doorcode.entrypoints.question_record import ListedState, QuestionForm, QuestionRecord
from doorcode.pairing.access import Principal, Scope
from doorcode.pairing.contact import Via
from doorcode.pairing.platform import Platform
from doorcode.web.refusals import DateTime
from doorcode.web.routes import Access, Answer, Call, Route

# API Gateway ends a request after 30 seconds.
LONGEST_WAIT_SECONDS = 25
# Where too many wait already, whoever asks again after so long is not one of a crowd.
ASK_AGAIN_SECONDS = 5
# Arguments of 16 KiB and all the rest, where JSON escapes each character as twelve bytes.
MAX_QUESTION_BYTES = 256 * 1024
_DIGEST = r"^sha256:[0-9a-f]{64}$(?!\n)"
_ASKER = r"^([0-9a-f]{16}|cli:[^\x00-\x1f]{1,64})$(?!\n)"
_ONE = (HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.GONE, HTTPStatus.UNPROCESSABLE_ENTITY)

Digest = Annotated[
    str, Meta(pattern=_DIGEST, description="Of what was asked, or shown: nothing else is decided or used.")
]


class Waiting(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many seconds to wait, while the question is pending, before it is answered as it is."""

    wait: Annotated[int, Meta(ge=0, le=LONGEST_WAIT_SECONDS)] = 0


class Which(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Those in a state; `ended` is all that are over. Without one, those that are open: pending, or approved and not used."""

    state: ListedState | UnsetType = UNSET


class MutedAsker(Struct, frozen=True, kw_only=True):
    """Somebody whom the owner does not want to be asked by."""

    asker_id: str
    asker: str


class QuestionList(Struct, frozen=True, kw_only=True):
    """Questions, and what the time is. `muted` only for whoever may decide."""

    asks: list[QuestionRecord]
    now: DateTime
    muted: list[MutedAsker]


class DecideQuestion(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is decided: exactly what has this digest; with one of its choices, from 1 on, or the number that the asker shows."""

    digest: Digest
    choice: Annotated[int, Meta(ge=0)] = 0
    match: Annotated[int, Meta(ge=0, le=99, description="Another number than the asker's denies it.")] = 0
    reason: Annotated[str, Meta(max_length=MAX_REASON)] = ""


class DenyQuestion(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is denied."""

    digest: Digest
    reason: Annotated[str, Meta(max_length=MAX_REASON)] = ""


class UseApproval(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is about to be done: exactly what has this digest."""

    digest: Digest


class MuteAsker(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who is muted, or heard again."""

    asker: Annotated[str, Meta(pattern=_ASKER)]
    muted: bool


class NowMuted(Struct, frozen=True, kw_only=True):
    """Whether the owner hears them now."""

    asker: str
    muted: bool


def ask_owner(call: Call) -> Answer:
    """Ask."""
    form: QuestionForm = call.body
    who = Asker(id=call.caller.id, label=call.caller.actor)
    record, new = call.services().questions.ask(form.order(), who, call.now)
    call.facts.update(ask=record.id, outcome="asked" if new else "asked_again")
    return Answer(status=HTTPStatus.CREATED, body=record)


def questions(call: Call) -> Answer:
    """List questions."""
    query: Which = call.query
    office = call.services().questions
    asker = _own_only(call.caller)
    found = office.records(call.now, asker=asker, state=None if query.state is UNSET else query.state)
    muted = {} if asker else office.store.muted()
    told = [MutedAsker(asker_id=one, asker=label) for one, label in muted.items()]
    return Answer(body=QuestionList(asks=found, now=iso(call.now) or "", muted=told))


def question(call: Call) -> Answer:
    """Show one, or wait for its answer."""
    query: Waiting = call.query
    office = call.services().questions
    found, now = office.wait(office.seen(call.path["ask_id"], _own_only(call.caller)), query.wait)
    waits_on = query.wait and found.standing(now) == "pending"
    headers = {"Retry-After": str(ASK_AGAIN_SECONDS)} if waits_on and now - call.now < query.wait else {}
    told = office.record(found, now if query.wait else call.now, asker=call.caller.id)
    return Answer(body=told, headers=headers)


def cancel_question(call: Call) -> Answer:
    """Take one's own question back."""
    who = call.caller
    office = call.services().questions
    return _told(call, office.store.cancel(call.path["ask_id"], voter_of(who), call.now, asker=_own_only(who)))


def use_approval(call: Call) -> Answer:
    """Use an approval."""
    body: UseApproval = call.body
    key = call.request.header("idempotency-key") or ""
    if key and (len(key) > MAX_ASK_KEY or not all("!" <= character <= "~" for character in key)):
        raise InvalidQuestionError(f"Idempotency-Key has at most {MAX_ASK_KEY} visible ASCII characters.")
    store = call.services().questions.store
    return _told(call, store.use(call.path["ask_id"], call.caller.id, call.now, digest=body.digest, key=key))


def approve_question(call: Call) -> Answer:
    """Approve, for oneself."""
    body: DecideQuestion = call.body
    store = call.services().questions.store
    approved = store.approve(
        call.path["ask_id"],
        voter_of(call.caller),
        call.now,
        digest=body.digest,
        choice=body.choice,
        match=body.match,
        reason=body.reason,
    )
    return _told(call, approved, QuestionMove.APPROVE)


def deny_question(call: Call) -> Answer:
    """Deny, for all."""
    body: DenyQuestion = call.body
    store = call.services().questions.store
    denied = store.deny(call.path["ask_id"], voter_of(call.caller), call.now, digest=body.digest, reason=body.reason)
    return _told(call, denied)


def mute_asker(call: Call) -> Answer:
    """Have an asker refused, or heard again."""
    body: MuteAsker = call.body
    call.services().questions.store.mute(body.asker, muted=body.muted)
    call.facts["outcome"] = "muted" if body.muted else "unmuted"
    return Answer(body=NowMuted(asker=body.asker, muted=body.muted))


def voter_of(who: Principal) -> Voter:
    """Return who decides: an owner whose page was opened by the bot's link, by their account; else the operator, by name."""
    platform, _, user_id = who.actor.partition(":")
    account = who.actor if who.via is Via.WEB and platform in set(Platform) and user_id else ""
    return Voter(via=who.via, by=who.actor, account=account, caller=who.id)


def _own_only(who: Principal) -> str:
    """Return whose questions alone somebody may see; empty: everybody's."""
    return "" if Scope.PAIRING in who.scopes else who.id


def _told(call: Call, found: Question, move: str = "") -> Answer:
    call.facts.update(ask=found.id, outcome=found.state if found.state != "pending" else f"{move}_counted")
    return Answer(body=call.services().questions.record(found, call.now))


def _route(name: str, handle: Any, summary: str, path: str = "", **more: Any) -> Route:
    return Route(
        name=name,
        method=more.pop("method", "POST"),
        path=f"/api/asks{path}",
        handle=handle,
        summary=summary,
        invalid=InvalidQuestionError,
        gives=more.pop("gives", QuestionRecord),
        max_body_bytes=MAX_QUESTION_BYTES,
        **more,
    )


ROUTES = (
    _route(
        "ask_owner",
        ask_owner,
        "Ask the owner before something is done",
        access=Access.ASKS,
        body=QuestionForm,
        status=HTTPStatus.CREATED,
        refuses=(HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.TOO_MANY_REQUESTS),
    ),
    _route(
        "questions", questions, "List questions", method="GET", access=Access.ASKS_OR_PAIRING, query=Which, gives=QuestionList
    ),
    _route(
        "mute_asker",
        mute_asker,
        "Have an asker refused from now on, or heard again",
        "/mute",
        access=Access.PAIRING,
        body=MuteAsker,
        gives=NowMuted,
        refuses=(HTTPStatus.UNPROCESSABLE_ENTITY,),
    ),
    _route(
        "question",
        question,
        "Show a question, or wait for its answer",
        "/{ask_id}",
        method="GET",
        access=Access.ASKS_OR_PAIRING,
        query=Waiting,
        refuses=(HTTPStatus.NOT_FOUND,),
    ),
    _route(
        "cancel_question",
        cancel_question,
        "Take a question back, also after it was approved",
        "/{ask_id}/cancel",
        access=Access.ASKS_OR_PAIRING,
        refuses=(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.GONE),
    ),
    _route(
        "use_approval",
        use_approval,
        "Use an approval, once, right before it is done; the header Idempotency-Key makes it repeatable",
        "/{ask_id}/use",
        access=Access.ASKS,
        body=UseApproval,
        refuses=_ONE,
    ),
    _route(
        "approve_question", approve_question, "Approve what is asked", "/{ask_id}/approve", access=Access.PAIRING,
        body=DecideQuestion, refuses=_ONE,
    ),
    _route(
        "deny_question", deny_question, "Deny what is asked", "/{ask_id}/deny", access=Access.PAIRING, body=DenyQuestion, refuses=_ONE
    ),
)  # fmt: skip

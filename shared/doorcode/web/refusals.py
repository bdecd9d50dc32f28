"""How what is refused, or cannot be done just now, is answered over HTTP: one table of errors and statuses.

An error's own sentence is for people who are signed in. Whoever is not gets the same sentence for everything of a kind,
and what Doorcode stands on is named in the log only.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Annotated

from msgspec import Meta, Struct

from doorcode.asking.question import QuestionState
from doorcode.asking.refusals import AskRefusal, InvalidQuestionError, QuestionRefusedError
from doorcode.entrypoints.contact_record import iso
from doorcode.errors import (
    DoorcodeError,
    ForbiddenError,
    InputError,
    LockedOutError,
    NotTheirsError,
    RefusedError,
    SecretError,
    SettingsError,
    SignInError,
    UnavailableError,
    UnknownButtonError,
    UnknownCodeError,
    UnknownInviteError,
)
from doorcode.pairing.contact import State
from doorcode.pairing.transitions import Refusal

UNKNOWN_CODE = "No pending request has that code."
LOCKED_OUT = "Too many wrong codes. Even a right one is refused until the lock ends."
NOT_NOW = "Something that Doorcode stands on does not answer as it should. Try again in a moment; the log says more."
IN_DOUBT = "No answer came in time, so it may have been done or not. Look before you try again."
NOT_READABLE = "That request cannot be used."


class UnreadableRequestError(InputError):
    """A query or body is not what the route takes."""


class UnknownRouteError(DoorcodeError):
    """There is nothing at that path."""

    reason = "unknown_route"

    def __init__(self) -> None:
        """Repeat nothing of the path."""
        super().__init__("There is nothing here. What there is: /api/openapi.json")


class WrongMethodError(DoorcodeError):
    """There is something at that path, but not for that method."""

    reason = "wrong_method"

    def __init__(self, allowed: tuple[str, ...]) -> None:
        """Keep what is allowed."""
        self.allowed = allowed
        super().__init__(f"Use {' or '.join(allowed)} here.")


class BodyTooLargeError(DoorcodeError):
    """A body is larger than anything that is asked for."""

    reason = "body_too_large"

    def __init__(self, most: int) -> None:
        """Say how many bytes a body may have."""
        super().__init__(f"A body may have {most // 1024} KiB here.")


class UnsupportedMediaError(DoorcodeError):
    """A body is said to be something else than JSON, or is not said to be anything."""

    reason = "unsupported_media"

    def __init__(self) -> None:
        """Say what to send."""
        super().__init__("Send JSON in UTF-8, with Content-Type: application/json")


class CrossSiteError(ForbiddenError):
    """A request with the page's session does not come from the page."""

    reason = "cross_site"

    def __init__(self) -> None:
        """Say what is missing."""
        super().__init__("Only the page itself may ask for that. Programs use a token.")


DateTime = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]


class Problem(Struct, frozen=True, kw_only=True):
    """What was refused: a sentence for people, and a word for programs."""

    error: str
    reason: str


class AlreadyDecided(Problem, frozen=True, kw_only=True):
    """Somebody else was first: the state that holds, and whose decision it was."""

    state: State
    decided_by: str
    decided_by_name: str
    decided_via: str
    decided_at: DateTime | None


class RefusedQuestion(Problem, frozen=True, kw_only=True):
    """The question does not stand so that this could be done: the state that holds, null where it is another question's key."""

    state: QuestionState | None


class LockedOut(Problem, frozen=True, kw_only=True):
    """Too many wrong codes of this session or token; or too many questions of a token, or none wanted of it."""

    retry_after_seconds: Annotated[int, Meta(ge=1)]


class Refused(Struct, frozen=True, kw_only=True):
    """An answer to an error: status, body, and what stands in the headers beside it."""

    status: int
    problem: Problem
    headers: Mapping[str, str] = MappingProxyType({})


STATUSES: Mapping[type[DoorcodeError], HTTPStatus] = MappingProxyType(
    {
        InputError: HTTPStatus.BAD_REQUEST,
        InvalidQuestionError: HTTPStatus.UNPROCESSABLE_ENTITY,
        SignInError: HTTPStatus.UNAUTHORIZED,
        ForbiddenError: HTTPStatus.FORBIDDEN,
        UnknownRouteError: HTTPStatus.NOT_FOUND,
        UnknownCodeError: HTTPStatus.NOT_FOUND,
        UnknownButtonError: HTTPStatus.NOT_FOUND,
        NotTheirsError: HTTPStatus.NOT_FOUND,
        UnknownInviteError: HTTPStatus.NOT_FOUND,
        WrongMethodError: HTTPStatus.METHOD_NOT_ALLOWED,
        BodyTooLargeError: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        UnsupportedMediaError: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        LockedOutError: HTTPStatus.TOO_MANY_REQUESTS,
        SecretError: HTTPStatus.SERVICE_UNAVAILABLE,
        UnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
        SettingsError: HTTPStatus.SERVICE_UNAVAILABLE,
    }
)
"""The status of each error, and of all that are kinds of it. What is not here is nobody's fault but ours."""

REFUSALS: Mapping[Refusal, HTTPStatus] = MappingProxyType(
    {
        # Somebody decided already, and that holds.
        Refusal.ALREADY_PAIRED: HTTPStatus.CONFLICT,
        Refusal.ALREADY_DENIED: HTTPStatus.CONFLICT,
        Refusal.ALREADY_BLOCKED: HTTPStatus.CONFLICT,
        Refusal.BLOCKED: HTTPStatus.CONFLICT,
        Refusal.OWNER: HTTPStatus.CONFLICT,
        Refusal.ALREADY_OWNER: HTTPStatus.CONFLICT,
        Refusal.LAST_OWNER: HTTPStatus.CONFLICT,
        Refusal.OWNER_BY_SETTING: HTTPStatus.CONFLICT,
        # There is nothing there to decide on.
        Refusal.EXPIRED: HTTPStatus.NOT_FOUND,
        Refusal.NOT_PENDING: HTTPStatus.NOT_FOUND,
        Refusal.NOT_PAIRED: HTTPStatus.NOT_FOUND,
        Refusal.NOT_BLOCKED: HTTPStatus.NOT_FOUND,
        Refusal.NOT_OVERDUE: HTTPStatus.NOT_FOUND,
        Refusal.NOT_OWNER: HTTPStatus.NOT_FOUND,
        Refusal.SUPERSEDED: HTTPStatus.NOT_FOUND,
        # Only ever a button's.
        Refusal.REPEATED: HTTPStatus.CONFLICT,
    }
)
"""The status of each reason for which a contact's state does not allow an operation."""


ASK_REFUSALS: Mapping[AskRefusal, HTTPStatus] = MappingProxyType(
    {
        AskRefusal.UNKNOWN_QUESTION: HTTPStatus.NOT_FOUND,
        AskRefusal.OWN_QUESTION: HTTPStatus.FORBIDDEN,
        AskRefusal.NOT_AN_OWNER: HTTPStatus.FORBIDDEN,
        AskRefusal.NOT_NAMED: HTTPStatus.FORBIDDEN,
        AskRefusal.KEY_REUSED: HTTPStatus.CONFLICT,
        AskRefusal.ALREADY_DECIDED: HTTPStatus.CONFLICT,
        AskRefusal.ALREADY_USED: HTTPStatus.CONFLICT,
        AskRefusal.NOT_APPROVED: HTTPStatus.CONFLICT,
        # Only ever the sweep's.
        AskRefusal.NOT_OVERDUE: HTTPStatus.CONFLICT,
        AskRefusal.WORDS_LOST: HTTPStatus.GONE,
        AskRefusal.EXPIRED: HTTPStatus.GONE,
        AskRefusal.LAPSED: HTTPStatus.GONE,
        AskRefusal.DIGEST_MISMATCH: HTTPStatus.UNPROCESSABLE_ENTITY,
        AskRefusal.UNKNOWN_CHOICE: HTTPStatus.UNPROCESSABLE_ENTITY,
        AskRefusal.NUMBER_NEEDED: HTTPStatus.UNPROCESSABLE_ENTITY,
        AskRefusal.NO_NUMBER: HTTPStatus.UNPROCESSABLE_ENTITY,
        AskRefusal.WRONG_NUMBER: HTTPStatus.CONFLICT,
        AskRefusal.MATCH_DIFFERS: HTTPStatus.CONFLICT,
        AskRefusal.TOO_MANY_PENDING: HTTPStatus.TOO_MANY_REQUESTS,
        AskRefusal.TOO_OFTEN: HTTPStatus.TOO_MANY_REQUESTS,
        AskRefusal.MUTED: HTTPStatus.TOO_MANY_REQUESTS,
    }
)
"""The status of each reason for which something about a question is refused."""


def status_of(error: DoorcodeError) -> HTTPStatus | None:
    """Return the status of an error, None for what no request can bring about."""
    if isinstance(error, QuestionRefusedError):
        return ASK_REFUSALS[AskRefusal(error.reason)]
    if isinstance(error, RefusedError):
        return REFUSALS[Refusal(error.reason)]
    return next((STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES), None)


def told(error: DoorcodeError, now: int, *, trusted: bool, changing: bool) -> Refused:
    """Return what is answered to an error at ``now``.

    ``trusted``: whoever asks is signed in; ``changing``: they asked for more than to look.

    Raises the error itself if no request can bring it about: then it is a mistake of ours, and the function's error.
    """
    status = status_of(error)
    if status is None:
        raise error
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        in_doubt = changing and isinstance(error, UnavailableError) and error.in_doubt
        return Refused(status=status, problem=Problem(error=IN_DOUBT if in_doubt else NOT_NOW, reason=error.reason))
    if status is HTTPStatus.TOO_MANY_REQUESTS:
        return _not_yet(error, now)
    if isinstance(error, QuestionRefusedError) and status is HTTPStatus.CONFLICT:
        state = QuestionState(error.state) if error.state else None
        return Refused(status=status, problem=RefusedQuestion(error=str(error), reason=error.reason, state=state))
    if isinstance(error, RefusedError):
        return Refused(status=status, problem=_refused(error, status))
    sentence = UNKNOWN_CODE if isinstance(error, UnknownCodeError) else str(error)
    if isinstance(error, InputError) and not trusted:
        sentence = NOT_READABLE
    return Refused(status=status, problem=Problem(error=sentence, reason=error.reason), headers=_headers(error))


def _not_yet(error: DoorcodeError, now: int) -> Refused:
    if isinstance(error, LockedOutError):
        seconds, sentence = max(1, error.until - now), LOCKED_OUT
    else:
        seconds, sentence = max(1, getattr(error, "retry_after", 1)), str(error)
    return Refused(
        status=HTTPStatus.TOO_MANY_REQUESTS,
        problem=LockedOut(error=sentence, reason=error.reason, retry_after_seconds=seconds),
        headers={"Retry-After": str(seconds)},
    )


def _refused(error: RefusedError, status: HTTPStatus) -> Problem:
    if status is not HTTPStatus.CONFLICT:
        return Problem(error=str(error), reason=error.reason)
    return AlreadyDecided(
        error=str(error),
        reason=error.reason,
        state=State(error.state),
        decided_by=error.decided_by,
        decided_by_name=error.decided_by_name,
        decided_via=error.decided_via,
        decided_at=iso(error.decided_at),
    )


def _headers(error: DoorcodeError) -> Mapping[str, str]:
    if isinstance(error, WrongMethodError):
        return {"Allow": ", ".join(error.allowed)}
    if isinstance(error, SignInError):
        # RFC 9110 wants a 401 to name a way; this one makes no browser ask for a password.
        return {"WWW-Authenticate": "Bearer"}
    return {}

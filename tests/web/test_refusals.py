"""The table of errors and statuses holds everything that can happen."""

from collections.abc import Iterator

import pytest

from doorcode import errors
from doorcode.asking.refusals import AskRefusal, QuestionRefusedError
from doorcode.errors import CallbackError, DoorcodeError, RefusedError, UnavailableError
from doorcode.pairing.transitions import Refusal
from doorcode.web import refusals
from doorcode.web.refusals import ASK_REFUSALS, REFUSALS, STATUSES, UnreadableRequestError, status_of, told

# No request can bring these about: a button's, a command's, and the root.
ELSEWHERE = {
    CallbackError,
    errors.UnknownTokenError,
    errors.UnknownNameError,
    errors.SpentTicketError,
    DoorcodeError,
    RefusedError,
    # By its word: see ASK_REFUSALS.
    QuestionRefusedError,
}
ARGUMENTS = {
    errors.SettingsError: (("x",),),
    errors.UnavailableError: ("x", "y"),
    errors.UnreadableItemError: ("x", "y"),
    errors.LockedOutError: (1,),
    refusals.WrongMethodError: (("GET",),),
    refusals.BodyTooLargeError: (1024,),
}
EXPECTED = {
    "invalid_input": 400, "unknown_platform": 400, "invalid_user_id": 400, "invalid_label": 400, "invalid_time": 400,
    "invalid_cursor": 400, "invalid_token_name": 400, "malformed_code": 400, "not_signed_in": 401, "forbidden": 403,
    "cross_site": 403, "unknown_code": 404, "not_theirs": 404, "unknown_route": 404, "wrong_method": 405, "body_too_large": 413,
    "unsupported_media": 415, "locked_out": 429, "secret_unavailable": 503, "unavailable": 503, "unreadable_item": 503,
    "bad_settings": 503, "bad_reply_address": 400, "bot_failed": 503, "unknown_button": 404, "unknown_invite": 404, "invalid_question": 422,
}  # fmt: skip


def _kinds(kind: type[DoorcodeError] = DoorcodeError) -> Iterator[type[DoorcodeError]]:
    if kind.__module__ in {"doorcode.errors", "doorcode.web.refusals", "doorcode.asking.refusals"}:
        yield kind
        for below in kind.__subclasses__():
            yield from _kinds(below)


def test_every_error_has_a_status() -> None:
    """A new error is given one deliberately, or this fails."""
    found = {}
    for kind in set(_kinds()) - ELSEWHERE:
        try:
            error = kind(*ARGUMENTS.get(kind, ()))
        except TypeError:
            error = kind("x")
        found[kind.reason] = status_of(error)
    assert found == EXPECTED
    assert set(STATUSES) <= set(_kinds())


def test_every_refusal_of_a_state_has_a_status() -> None:
    """409 where somebody decided and that holds; 404 where there is nothing to decide on."""
    assert set(REFUSALS) == set(Refusal)
    conflicts = {refusal for refusal, status in REFUSALS.items() if status == 409}
    assert conflicts == {
        Refusal.ALREADY_PAIRED,
        Refusal.ALREADY_DENIED,
        Refusal.ALREADY_BLOCKED,
        Refusal.BLOCKED,
        Refusal.OWNER,
        Refusal.ALREADY_OWNER,
        Refusal.LAST_OWNER,
        Refusal.OWNER_BY_SETTING,
        Refusal.REPEATED,
    }
    assert {int(status) for status in REFUSALS.values()} == {404, 409}


def test_every_refusal_of_a_question_has_a_status() -> None:
    """A4, A15, A19: 404 for what is not theirs, 409 for what holds, 410 for what is over, 422 for another digest, 429 for too much."""
    assert {word: int(status) for word, status in ASK_REFUSALS.items()} == {
        "unknown_question": 404, "own_question": 403, "not_an_owner": 403, "not_named": 403, "key_reused": 409, "already_decided": 409,
        "already_used": 409, "not_approved": 409, "not_overdue": 409, "expired": 410, "lapsed": 410, "digest_mismatch": 422,
        "unknown_choice": 422, "number_needed": 422, "no_number": 422, "wrong_number": 409, "match_differs": 409, "words_lost": 410,
        "too_many_pending": 429, "too_often": 429, "muted": 429,
    }  # fmt: skip
    assert set(ASK_REFUSALS) == set(AskRefusal)


def test_what_no_request_can_bring_about_is_raised() -> None:
    """It is our mistake, and becomes the function's error."""
    with pytest.raises(CallbackError):
        told(CallbackError("x"), 0, trusted=True, changing=True)


def test_whoever_is_not_signed_in_is_told_nothing_of_why() -> None:
    """The same sentence for all that cannot be read; what Doorcode stands on is named to nobody."""
    assert told(UnreadableRequestError("$.x"), 0, trusted=True, changing=False).problem.error == "$.x"
    assert "$.x" not in told(UnreadableRequestError("$.x"), 0, trusted=False, changing=False).problem.error
    for trusted in (True, False):
        problem = told(UnavailableError("read x", "y"), 0, trusted=trusted, changing=True).problem
        assert "read x" not in problem.error

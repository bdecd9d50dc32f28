"""What is asked, as it was given: its limits, and what becomes of it as a question."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct

from doorcode.asking.buttons import MAX_CHOICES
from doorcode.asking.digest import canonical_json, digest_of
from doorcode.asking.question import Outlets, Question, QuestionText, Resume, ResumeKind, Substance
from doorcode.asking.refusals import InvalidQuestionError
from doorcode.errors import InputError
from doorcode.pairing.contact import checked_user_id, platform_named

MAX_TITLE = 200
MAX_DETAILS = 4000
MAX_ARGUMENTS_BYTES = 16 * 1024
MIN_CHOICES = 2
MAX_CHOICE = 40
SHORTEST_SECONDS = 60
LONGEST_SECONDS = 7 * 86_400
DEFAULT_SECONDS = 3600
LONGEST_VALID_SECONDS = 86_400
DEFAULT_VALID_SECONDS = 900
MAX_ASK_KEY = 128
MAX_APPROVALS = 5
MAX_OWNERS_NAMED = 20
MAX_CALLBACK_URL = 2000
MAX_REASON = 500
# What AWS takes.
MAX_CALLBACK_ID = 1024
MAX_TASK_TOKEN = 2048

# How many of a token's may wait, and of everybody's; and how many it may ask in an hour.
MAX_PENDING_OF_ONE = 20
MAX_PENDING_OF_ALL = 100
MAX_AN_HOUR = 60
HOUR = 3600
# For so long a denial is the answer to the same question again.
DENIAL_HOLDS_SECONDS = 600
KEPT_SECONDS = 30 * 86_400

_VISIBLE = re.compile(r"[!-~]+")
# What each kind is known by, as AWS makes them.
_RESUMED_BY = {
    ResumeKind.DURABLE: (
        re.compile(rf"(?=.{{1,{MAX_CALLBACK_ID}}}$)[A-Za-z0-9+/]+={{0,2}}"),
        "callback_id",
        MAX_CALLBACK_ID,
    ),
    ResumeKind.TASK: (re.compile(rf"[!-~]{{1,{MAX_TASK_TOKEN}}}"), "token", MAX_TASK_TOKEN),
}


class QuestionOrder(Struct, frozen=True, kw_only=True):
    """What is asked. ``arguments`` is JSON as it was read; ``owners`` and ``on_behalf_of`` are ``platform:user_id``."""

    title: str
    details: str = ""
    arguments: Any = None
    choices: tuple[str, ...] = ()
    match: bool = False
    expires_in: int = DEFAULT_SECONDS
    valid_for: int = DEFAULT_VALID_SECONDS
    key: str = ""
    on_behalf_of: str = ""
    owners: tuple[str, ...] = ()
    approvals: int = 1
    callback_url: str = ""
    reply_to: str = ""
    resume: Resume | None = None


class Asker(Struct, frozen=True, kw_only=True):
    """Who asks: a token's id or ``cli:alice@laptop``, and how they are called."""

    id: str
    label: str


def text_of(order: QuestionOrder, asker: Asker) -> QuestionText:
    """Return the words of what is asked, if it can be. Raises InvalidQuestionError, with what is wrong and what to do."""
    _require(bool(order.title.strip()), "Say in the title what is to be decided.")
    _at_most("The title", len(order.title), MAX_TITLE)
    _at_most("The details have", len(order.details), MAX_DETAILS)
    arguments = "" if order.arguments is None else canonical_json(order.arguments)
    _at_most("The arguments", len(arguments.encode()), MAX_ARGUMENTS_BYTES, "bytes of JSON")
    _check_choices(order)
    _within("expires_in", order.expires_in, SHORTEST_SECONDS, LONGEST_SECONDS)
    _within("valid_for", order.valid_for, SHORTEST_SECONDS, LONGEST_VALID_SECONDS)
    _within("approvals", order.approvals, 1, MAX_APPROVALS)
    _require(
        not order.key or (len(order.key) <= MAX_ASK_KEY and _VISIBLE.fullmatch(order.key) is not None),
        f"A key has at most {MAX_ASK_KEY} visible ASCII characters without spaces.",
    )
    _require(len(order.owners) <= MAX_OWNERS_NAMED, f"Name at most {MAX_OWNERS_NAMED} owners, or none for all.")
    for account in (*order.owners, *([order.on_behalf_of] if order.on_behalf_of else [])):
        _check_account(account)
    _check_url(order.callback_url)
    _check_resume(order.resume)
    substance = Substance(
        asker=asker.label,
        title=order.title,
        details=order.details,
        arguments=arguments,
        choices=order.choices,
        on_behalf_of=order.on_behalf_of,
        approvals=order.approvals,
    )
    # Whatever is not Unicode is found here, in every field.
    digest_of(substance)
    outlets = Outlets(callback_url=order.callback_url, reply_to=order.reply_to, resume=order.resume)
    return QuestionText(substance=substance, outlets=outlets)


def question_of(  # noqa: PLR0913, PLR0917 (what a question is made of)
    order: QuestionOrder, text: QuestionText, asker: Asker, question_id: str, now: int, numbers: tuple[int, ...] = ()
) -> Question:
    """Return the record of a new question, of which ``text`` is the words, and the first of ``numbers`` the one to match."""
    return Question(
        id=question_id,
        asker=asker.id,
        asker_label=asker.label,
        key=order.key,
        digest=digest_of(text.substance),
        created_at=now,
        expires_at=now + order.expires_in,
        valid_for=order.valid_for,
        approvals=order.approvals,
        owners=tuple(dict.fromkeys(order.owners)),
        on_behalf_of=order.on_behalf_of,
        choices=len(order.choices),
        numbers=tuple(sorted(numbers)),
        match=numbers[0] if numbers else 0,
        tells=bool(order.callback_url or order.reply_to),
        resumes=order.resume is not None,
    )


def checked_reason(reason: str) -> str:
    """Return a decision's reason unchanged. Raises InvalidQuestionError."""
    _at_most("A reason", len(reason), MAX_REASON)
    canonical_json(reason)
    return reason


def _check_choices(order: QuestionOrder) -> None:
    choices = order.choices
    if not choices:
        return
    _require(not order.match, "A question has choices, or a number to match: not both.")
    _require(
        MIN_CHOICES <= len(choices) <= MAX_CHOICES and len(set(choices)) == len(choices),
        f"Give {MIN_CHOICES} to {MAX_CHOICES} different choices, or none.",
    )
    for choice in choices:
        _require(bool(choice.strip()), "A choice is empty.")
        _at_most("A choice", len(choice), MAX_CHOICE)
    _require(order.approvals == 1, "A question with choices takes one approval: several might choose differently.")


def _check_account(account: str) -> None:
    platform, _, user_id = account.partition(":")
    try:
        checked_user_id(platform_named(platform), user_id)
    except InputError as error:
        raise InvalidQuestionError(f"{error} Name people as platform:user_id.") from None
    _require(platform == platform_named(platform), "Write the platform in small letters.")


def _check_url(url: str) -> None:
    if not url:
        return
    try:
        parts = urlsplit(url)
        sound = (
            parts.scheme == "https" and parts.hostname and parts.port in {None, 443} and parts.username is None
            and not parts.fragment and _VISIBLE.fullmatch(url) and len(url) <= MAX_CALLBACK_URL
        )  # fmt: skip
    except ValueError:
        sound = False
    _require(bool(sound), "callback_url is an https address on port 443, without user and fragment.")


def _check_resume(resume: Resume | None) -> None:
    if resume is not None:
        form, name, most = _RESUMED_BY[resume.kind]
        # Without its content, which lets something go on.
        sound = form.fullmatch(resume.token) is not None
        _require(sound, f"resume's {name} is what AWS gave, of at most {most:,} characters.")


def _at_most(what: str, length: int, most: int, unit: str = "characters") -> None:
    has = what if what.endswith("have") else f"{what} has"
    _require(length <= most, f"{has} at most {most:,} {unit}, and not {length:,}.")


def _within(name: str, number: int, least: int, most: int) -> None:
    _require(least <= number <= most, f"{name} is {least} to {most}, and not {number}.")


def _require(holds: bool, otherwise: str) -> None:  # noqa: FBT001 (the condition itself)
    if not holds:
        raise InvalidQuestionError(otherwise)

"""Answering later: what an agent says by the reply address that it was given, without a bot's token."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from msgspec import Meta, Struct

from doorcode.entrypoints.question_office import opened
from doorcode.errors import BadReplyAddressError
from doorcode.pairing.reply_address import MAX_LENGTH
from doorcode.web.routes import Access, Answer, Call, Route

MAX_TEXT = 40_000
MAX_KEY = 128
# A character takes twelve bytes at most, where JSON escapes it as two halves.
MAX_BODY_BYTES = 512 * 1024


class Say(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is said, and where: as often as wanted."""

    reply_to: Annotated[
        str,
        Meta(
            description="As the agent was given it with the message, less than 24 hours ago.",
            extra_json_schema={"maxLength": MAX_LENGTH},
        ),
    ]
    text: Annotated[
        str,
        Meta(
            description="Plain text. What a platform does not take at once is sent in parts.",
            pattern=r"\S",
            max_length=MAX_TEXT,
        ),
    ]
    key: Annotated[
        str,
        Meta(
            description="Makes it once: the same key to the same message again is the same answer, whatever it says.",
            max_length=MAX_KEY,
        ),
    ] = ""


class Accepted(Struct, frozen=True, kw_only=True):
    """It is on its way, after whatever was said in that conversation before. ``id`` is the answer's."""

    id: str


def say(call: Call) -> Answer:
    """Have an answer sent where its address leads."""
    body: Say = call.body
    services = call.services()
    address = opened(body.reply_to, services.secrets, call.now)
    if address is None:
        raise BadReplyAddressError
    call.facts.update(platform=address.platform, user_id=address.user_id)
    identity = services.answers.send(address, body.text, call.now, body.key)
    call.facts["outcome"] = "accepted"
    return Answer(status=HTTPStatus.ACCEPTED, body=Accepted(id=identity))


ROUTES = (
    Route(
        name="say",
        method="POST",
        path="/api/messages",
        access=Access.MESSAGES,
        handle=say,
        summary="Answer a message, where it was written",
        body=Say,
        max_body_bytes=MAX_BODY_BYTES,
        gives=Accepted,
        status=HTTPStatus.ACCEPTED,
    ),
)

"""The gate, for bots that fetch their messages themselves; what they say of who wrote is believed.

Whoever reports presses is believed about who pressed, too, which is as much as an owner can do.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from doorcode.asking.order import MAX_REASON
from doorcode.pairing.contact import DIRECT, MAX_USER_ID_LENGTH, Platform, checked_user_id
from doorcode.pairing.gate import GateAction, Reason
from doorcode.pairing.messages import ChatType, Deed, Message, Press
from doorcode.pairing.names import names_of
from doorcode.platforms import registry
from doorcode.web.decisions import UserId
from doorcode.web.routes import Access, Answer, Call, Route

MAX_ID = MAX_USER_ID_LENGTH
MAX_NAME = 256
MAX_DATA = 256

# Without spaces, which part what is kept of deliveries. To Python alone, a text may end in a line break after ``$``.
VISIBLE = r"^[!-~]*$(?!\n)"
PlatformId = Annotated[str, Meta(pattern=VISIBLE, min_length=1, max_length=MAX_ID)]
DeliveryId = Annotated[
    PlatformId,
    Meta(
        description="The platform's own id of this update, event or interaction: the same for the same one again, and for no other."
    ),
]
Name = Annotated[str, Meta(max_length=MAX_NAME)]


ACTIONS: Mapping[GateAction, Literal["admit", "pair", "drop"]] = {
    GateAction.ADMIT: "admit",
    GateAction.PAIR: "pair",
    GateAction.DROP: "drop",
}


class Chat(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where it happened."""

    type: ChatType
    id: Annotated[
        Annotated[str, Meta(pattern=VISIBLE, max_length=MAX_ID)],
        Meta(description="The platform's id of the chat: what ALLOWED_GROUPS names."),
    ] = ""
    addressed: Annotated[
        bool, Meta(description="In a group: the bot was mentioned, answered, given a command or pressed.")
    ] = False


class Ask(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who wrote, or did something, and where."""

    platform: Platform
    user_id: UserId
    # A type alone is a chat whose id is of no importance.
    chat: ChatType | Chat
    delivery_id: DeliveryId
    name: Name = ""
    username: Name = ""
    language: Annotated[
        str,
        Meta(
            max_length=35, description="The language that the platform says they use, such as `pt-BR`; `text` is in it."
        ),
    ] = ""
    wrote: Annotated[
        bool,
        Meta(
            description="They wrote something: a message or a command. Whatever else somebody does (presses a button, "
            "edits, reacts) never asks to be let in."
        ),
    ] = True


class Gated(Struct, frozen=True, kw_only=True):
    """Whether they may talk to the bot. ``text`` is what to tell them, null for nothing; ``label`` what an owner calls them."""

    action: Literal["admit", "pair", "drop"]
    reason: Reason
    text: str | None
    label: str


class ReportPress(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who pressed one of Doorcode's buttons, and what it carries."""

    platform: Platform
    user_id: UserId
    data: Annotated[str, Meta(max_length=MAX_DATA)]
    delivery_id: DeliveryId
    name: Name = ""
    username: Name = ""
    said: Annotated[
        Annotated[str, Meta(max_length=MAX_REASON)] | None,
        Meta(description="What was typed, where the button asks for words: why somebody has denied a question."),
    ] = None


class Pressed(Struct, frozen=True, kw_only=True):
    """What to tell whoever pressed. ``prompt``: what stands in the prompt's place, as fields of the platform's own API; null if it stays."""

    text: str
    prompt: dict[str, Any] | None


def ask(call: Call) -> Answer:
    """Decide whether somebody may talk to the bot."""
    body: Ask = call.body
    user_id = checked_user_id(body.platform, body.user_id)
    call.facts["platform"] = body.platform
    chat = body.chat if isinstance(body.chat, Chat) else Chat(type=body.chat)
    username = body.username.removeprefix("@")
    event: Message | Deed
    if body.wrote:
        names = names_of(username, body.name)
        event = Message(
            platform=body.platform,
            user_id=user_id,
            delivery_id=body.delivery_id,
            chat_type=chat.type,
            chat=chat.id,
            name=names.name,
            full_name=names.full_name,
            username=username,
            language=body.language,
            addressed=chat.addressed,
            reply=DIRECT,
        )
    else:
        event = Deed(
            platform=body.platform,
            what="reported",
            user_id=user_id,
            delivery_id=body.delivery_id,
            username=username,
            chat_type=chat.type,
            group=chat.id if chat.type is ChatType.GROUP else "",
            addressed=chat.addressed,
        )
    given = call.services().gate(body.platform).ask(event, call.now)
    return Answer(
        body=Gated(action=ACTIONS[given.action], reason=given.reason, text=given.text or None, label=given.label)
    )


def press(call: Call) -> Answer:
    """Decide by an owner's button."""
    body: ReportPress = call.body
    user_id = checked_user_id(body.platform, body.user_id)
    call.facts["platform"] = body.platform
    reported = Press(
        platform=body.platform,
        user_id=user_id,
        delivery_id=body.delivery_id,
        data=body.data,
        name=names_of(body.username.removeprefix("@"), body.name).name,
        said=body.said,
        reported_by=call.caller.id,
    )
    given = call.services().gate(body.platform).press(reported, call.now)
    drawn = None if given.prompt is None else registry.inbound(body.platform).draw_prompt(given.prompt)
    return Answer(body=Pressed(text=given.text, prompt=drawn))


ROUTES = (
    Route(
        name="gate",
        method="POST",
        path="/api/gate",
        access=Access.GATE,
        handle=ask,
        summary="Ask whether somebody may talk to a bot",
        body=Ask,
        gives=Gated,
    ),
    Route(
        name="press",
        method="POST",
        path="/api/gate/press",
        access=Access.PRESSES,
        handle=press,
        summary="Report that somebody pressed one of Doorcode's buttons",
        body=ReportPress,
        gives=Pressed,
        refuses=(HTTPStatus.NOT_FOUND,),
    ),
)

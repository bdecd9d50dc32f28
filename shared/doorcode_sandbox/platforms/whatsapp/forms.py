"""What WhatsApp's Cloud API takes, field by field, with its limits.

https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/send-messages
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from doorcode_sandbox.platforms.forms import FormError

MAX_TEXT, MAX_BODY = 4096, 1024

_Title = Annotated[str, Meta(min_length=1, max_length=20)]
_Small = Annotated[str, Meta(min_length=1, max_length=60)]
_Payload = Annotated[str, Meta(min_length=1, max_length=256)]


class Text(Struct):
    """A plain text, in which a few signs are formatting."""

    body: Annotated[str, Meta(min_length=1, max_length=MAX_TEXT)]
    preview_url: bool = False


class _Reply(Struct):
    id: _Payload
    title: _Title


class _Button(Struct):
    type: Literal["reply"]
    reply: _Reply


class _Action(Struct):
    buttons: Annotated[list[_Button], Meta(min_length=1, max_length=3)]


class _Body(Struct):
    text: Annotated[str, Meta(min_length=1, max_length=MAX_BODY)]


class _Header(Struct):
    type: Literal["text"]
    text: _Small


class _Footer(Struct):
    text: _Small


class ReplyButtons(Struct):
    """A text with one to three buttons."""

    type: Literal["button"]
    body: _Body
    action: _Action
    header: _Header | None = None
    footer: _Footer | None = None


class _TextParameter(Struct, tag_field="type", tag="text"):
    text: Annotated[str, Meta(min_length=1, max_length=MAX_BODY)]
    parameter_name: str = ""


class _PayloadParameter(Struct, tag_field="type", tag="payload"):
    payload: _Payload


class BodyComponent(Struct, tag_field="type", tag="body"):
    """What stands in the variables of a template's body."""

    parameters: list[_TextParameter] = []


class ButtonComponent(Struct, tag_field="type", tag="button"):
    """What one button of a template carries."""

    sub_type: Literal["quick_reply"]
    index: str | int
    parameters: Annotated[list[_PayloadParameter], Meta(min_length=1, max_length=1)]


class _Language(Struct):
    code: Annotated[str, Meta(min_length=2, max_length=15)]
    policy: Literal["deterministic"] = "deterministic"


class TemplateUse(Struct):
    """A message made from a template."""

    name: str
    language: _Language
    components: list[BodyComponent | ButtonComponent] = []


class _Context(Struct):
    message_id: Annotated[str, Meta(min_length=1)]


class Send(Struct, kw_only=True):
    """A message to one person: ``to`` is a phone number, ``recipient`` an id."""

    messaging_product: Literal["whatsapp"]
    recipient_type: Literal["individual", "group"] = "individual"
    to: str = ""
    recipient: Annotated[str, Meta(pattern=r"^([A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128})?\Z")] = ""
    type: Literal["text", "interactive", "template"] = "text"
    text: Text | None = None
    interactive: ReplyButtons | None = None
    template: TemplateUse | None = None
    context: _Context | None = None
    biz_opaque_callback_data: Annotated[str, Meta(max_length=512)] = ""


class _Typing(Struct):
    type: Literal["text"]


class MarkRead(Struct):
    """A message marked as read, with the sign that an answer is on its way."""

    messaging_product: Literal["whatsapp"]
    status: Literal["read"]
    message_id: Annotated[str, Meta(min_length=1)]
    typing_indicator: _Typing | None = None


class _Blocked(Struct):
    user: str = ""
    user_id: str = ""


class BlockUsers(Struct):
    """People to be blocked, or let write again."""

    messaging_product: Literal["whatsapp"]
    block_users: Annotated[list[_Blocked], Meta(min_length=1)]


class Subscription(Struct):
    """Where an app's webhooks go."""

    object: Literal["whatsapp_business_account"]
    callback_url: Annotated[str, Meta(min_length=1)]
    verify_token: Annotated[str, Meta(min_length=1)]
    fields: str | list[str]


class Override(Struct):
    """Where an account's own webhooks go instead; empty: where the app's do."""

    override_callback_uri: str = ""
    verify_token: str = ""


class _Example(Struct):
    body_text: list[list[str]] = []


class _QuickReply(Struct):
    type: Literal["QUICK_REPLY"]
    text: Annotated[str, Meta(min_length=1, max_length=25)]


class TemplateBody(Struct, tag_field="type", tag="BODY"):
    """A template's text, whose variables are numbered in double braces."""

    text: Annotated[str, Meta(min_length=1, max_length=MAX_BODY)]
    example: _Example | None = None


class TemplateFooter(Struct, tag_field="type", tag="FOOTER"):
    """What stands small under it."""

    text: _Small


class TemplateButtons(Struct, tag_field="type", tag="BUTTONS"):
    """A template's buttons."""

    buttons: Annotated[list[_QuickReply], Meta(min_length=1, max_length=10)]


class NewTemplate(Struct):
    """A template to be reviewed."""

    name: Annotated[str, Meta(pattern=r"^[a-z0-9_]{1,512}\Z")]
    language: Annotated[str, Meta(pattern=r"^[a-z]{2,3}(_[A-Z]{2})?\Z")]
    category: Literal["UTILITY", "MARKETING", "AUTHENTICATION"]
    components: list[TemplateBody | TemplateFooter | TemplateButtons]


def check_buttons(form: ReplyButtons) -> None:
    """Raise FormError for buttons that are refused although each of them is one."""
    replies = [button.reply for button in form.action.buttons]
    if len({reply.title for reply in replies}) < len(replies) or len({reply.id for reply in replies}) < len(replies):
        raise FormError("Button titles and ids must be unique", "interactive.action.buttons")
    if any(reply.id != reply.id.strip() for reply in replies):
        raise FormError("Button ids have no spaces at their ends", "interactive.action.buttons")


def without_blanks(value: Any) -> Any:
    """Return a value without the fields that were left out when it was sent."""
    if isinstance(value, dict):
        return {name: without_blanks(one) for name, one in value.items() if one not in (None, "", [])}
    return [without_blanks(one) for one in value] if isinstance(value, list) else value

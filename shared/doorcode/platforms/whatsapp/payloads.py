"""What WhatsApp's webhooks hold, as far as it is read.

https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages

What one person did stays unread until its turn: a request may hold a thousand people's, and one part of another form is no
reason to lose the others.
"""

from __future__ import annotations

from msgspec import Raw, Struct, field


class Entry(Struct):
    """One account's changes."""

    id: str = ""
    changes: list[Raw] = []


class Update(Struct):
    """A request: several accounts' changes."""

    object: str
    entry: list[Entry] = []


class Change(Struct):
    """One change of a kind that is subscribed to."""

    field: str
    value: Raw = Raw()


class Metadata(Struct):
    """Which of the business's numbers it is about."""

    phone_number_id: str
    display_phone_number: str = ""


class Value(Struct):
    """What came for one number: messages, what became of ours, and Meta's own trouble."""

    metadata: Metadata
    contacts: list[Raw] = []
    messages: list[Raw] = []
    statuses: list[Raw] = []


class Profile(Struct, frozen=True):
    """What somebody calls themselves."""

    name: str = ""
    username: str = ""


class WhatsAppContact(Struct):
    """Somebody who wrote: ``user_id`` is theirs towards this business; ``wa_id``, their number, may be missing."""

    profile: Profile = Profile()
    wa_id: str = ""
    user_id: str = ""


class TextBody(Struct):
    """A text."""

    body: str = ""


class Chosen(Struct):
    """A button or a row that was chosen: ours have the callback as their id."""

    id: str = ""
    title: str = ""


class FlowAnswer(Struct):
    """What was filled in."""

    body: str = ""


class Interactive(Struct):
    """An answer to a message with buttons, a list, or a form."""

    button_reply: Chosen | None = None
    list_reply: Chosen | None = None
    nfm_reply: FlowAnswer | None = None


class QuickReply(Struct):
    """A press of a template's button."""

    payload: str = ""
    text: str = ""


class Unsupported(Struct):
    """What it is that the API does not bring."""

    type: str = ""


class Media(Struct):
    """A file, or anything else that has a caption."""

    id: str = ""
    mime_type: str = ""
    filename: str = ""
    caption: str = ""
    url: str = ""
    voice: bool = False


class NewVersion(Struct):
    """What a message was changed into."""

    original_message_id: str
    message: Raw = Raw()


class WhatsAppMessage(Struct):
    """Something that a person did, or that Meta tells of one."""

    id: str
    timestamp: str
    type: str
    # Their number, without a plus; not there for who has a username.
    sender: str = field(name="from", default="")
    from_user_id: str = ""
    group_id: str = ""
    text: TextBody | None = None
    interactive: Interactive | None = None
    button: QuickReply | None = None
    unsupported: Unsupported | None = None
    edit: NewVersion | None = None


class Spoken(Struct):
    """What a message says that was changed."""

    type: str = ""
    text: TextBody | None = None


class StatusError(Struct):
    """Why something was not delivered."""

    code: int = 0


class Status(Struct):
    """What became of a message of ours."""

    id: str
    status: str
    recipient_user_id: str = ""
    biz_opaque_callback_data: str = ""
    errors: list[StatusError] = []

"""WhatsApp: updates in; nothing in the response is shown, so that all is said by messages.

https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/create-webhook-endpoint

Who did something is Meta's id of that person towards this business (``US.13491208655302741918``). The number stands in only
where there is no such id: it is missing for who has a username, can be changed, and is given to others later. What names
two people, or nobody, is nobody's.

A request may hold what many people did, for several numbers. Each part stands by itself.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterator
from typing import Any

from msgspec import Raw

from doorcode.pairing.callbacks import is_ours, is_question
from doorcode.pairing.contact import Platform, is_user_id
from doorcode.pairing.gate import Reason
from doorcode.pairing.keyring import Keyring, same
from doorcode.pairing.messages import Attachment, ChatType, Edit, Ignored, Message, Press, Undelivered
from doorcode.pairing.names import Names, names_of
from doorcode.pairing.prompts import Prompt
from doorcode.pairing.texts import Say
from doorcode.platforms.inbound import (
    BotIdentity,
    Event,
    UnusablePayloadError,
    Webhook,
    WebhookAnswer,
    Word,
)
from doorcode.platforms.payload import compact, cut, decoded
from doorcode.platforms.prompt_text import LONGEST_LINE, prompt_text
from doorcode.platforms.whatsapp.payloads import (
    Change,
    Media,
    Spoken,
    Status,
    Update,
    Value,
    WhatsAppContact,
    WhatsAppMessage,
)

PLATFORM = Platform.WHATSAPP
SECRET = "whatsapp/app-secret"  # noqa: S105 (a name, not a secret)
SIGNATURE_HEADER = "x-hub-signature-256"
SIGNATURE = re.compile(r"sha256=[0-9a-f]{64}")
BOT: BotIdentity | None = BotIdentity(
    # ``{phone_number_id}:{number}``
    name="whatsapp/bot",
    unknown="It is not known which number the bot has: what comes for any number of the app is taken for its own. "
    "Run: doorcode whatsapp webhook set",
    for_groups_only=False,
)
SHOWS_ANSWERS = False
ANSWERS_SURELY = False  # nothing in the response is shown

# The API's limits: the text of a message, and that of a message with buttons.
MAX_TEXT = 4096
MAX_ANSWER = 1024
# Meta sends up to 3 MB.
MAX_BODY_BYTES = 4 * 1024 * 1024

ACCOUNT, MESSAGES = "whatsapp_business_account", "messages"
# What nobody says by it: a reaction; a change of somebody's number; what the API does not bring, which may be an edit.
NOTHING_SAID = frozenset(
    {"edit", "errors", "reaction", "request_welcome", "revoke", "system", "unknown", "unsupported"}
)
EDITED, UNSUPPORTED = "edit", "unsupported"
# What is said to be unsupported, and is a message all the same, unless it is one of these.
NO_MESSAGES = frozenset({"", "edit", "edited", "revoke", "unknown"})
UNKNOWN_CONTENT = "unknown"
KIND = re.compile(r"[a-z][a-z0-9_]{0,63}")
MESSAGE_ID = re.compile(r"[!-~]{1,256}")
TIMESTAMP = re.compile(r"[0-9]{1,12}")
DOOR = "/door"
# What goes with what we send, and comes back with the news of it, begins so.
OURS = "doorcode:"
FAILED = "failed"

# WhatsApp has no escape for its own signs, so they are shown as signs that look alike.
# https://faq.whatsapp.com/539178204879377
MARKUP = str.maketrans({"*": "\u2217", "~": "\u223c", "`": "\u02cb"})
OUTER_UNDERSCORE = re.compile(r"(?<![^\W_])_|_(?![^\W_])")
LOOKS_LIKE_UNDERSCORE = "\u02cd"
# It links what looks like an address. A word joiner behind the character that makes it one is invisible.
# No address has a digit behind its last dot; most ids have.
LINKING = re.compile(r"[/:](?=\S)|\.(?=[^\W\d])")
WORD_JOINER = "\u2060"
NULL = Raw(b"null")
# At the beginning of a line it makes a quotation or a list.
LEADING = re.compile(r"^(?=[->0-9])")


def verify(webhook: Webhook, keyring: Keyring, _now: int) -> bool:
    """Check the signature: the HMAC-SHA256 of the raw body under the app's secret."""
    given = webhook.headers.get(SIGNATURE_HEADER, "")
    if not SIGNATURE.fullmatch(given):
        return False
    body = webhook.body
    # No early exit: every secret is tried, so that time does not tell which one it was.
    return any([same(given.encode(), _signature(secret, body)) for secret in keyring.secrets])  # noqa: C419


def _signature(secret: bytes, body: bytes) -> bytes:
    return b"sha256=" + hmac.digest(secret, body, hashlib.sha256).hex().encode()


def parse(webhook: Webhook, bot: str) -> list[Event]:
    """Read the events of a request, in their order; ``bot`` is ``{phone_number_id}:{number}``, or empty.

    Raises UnusablePayloadError if there is nothing in it that can be read.
    """
    update = decoded(webhook.body, Update)
    if update.object != ACCOUNT:
        return [_ignored("unknown_request")]
    events: list[Event] = []
    unusable: UnusablePayloadError | None = None
    for part in _parts(update, bot.partition(":")[0]):
        try:
            events.append(part.event())
        except UnusablePayloadError as error:
            unusable = error
    if unusable is not None:
        if not events:
            raise unusable
        events.append(_ignored("unusable_part"))
    return events or [_ignored("nothing")]


class Part:
    """One thing in a request: what one person did, or what Meta says."""

    def __init__(self, raw: Raw, people: list[WhatsAppContact] | None = None, what: str = "") -> None:
        """Keep it unread; ``people`` are those that the request tells of, ``what`` it is if nobody did it."""
        self.raw = raw
        self._people = people or []
        self._what = what

    def event(self) -> Event:
        """Read it. Raises UnusablePayloadError."""
        if self._what == FAILED:
            return _undelivered(decoded(self.raw, Status))
        if self._what:
            return _ignored(self._what)
        return _event(decoded(self.raw, WhatsAppMessage), self.raw, self._people)


def _parts(update: Update, number: str) -> Iterator[Part]:
    for entry in update.entry:
        for raw in entry.changes:
            change = decoded(raw, Change)
            if change.field != MESSAGES:
                yield Part(raw, what="unknown_field")
                continue
            value = decoded(change.value, Value)
            if number and value.metadata.phone_number_id != number:
                # Another number of the same app: not ours to answer.
                yield Part(raw, what="another_number")
                continue
            people = [decoded(one, WhatsAppContact) for one in value.contacts]
            yield from (Part(message, people) for message in value.messages)
            yield from (Part(status, what=FAILED) for status in value.statuses if _is_failed_of_ours(status))
            if value.statuses or not value.messages:
                yield Part(raw, what="status")


def _is_failed_of_ours(raw: Raw) -> bool:
    try:
        status = decoded(raw, Status)
    except UnusablePayloadError:
        # It is ignored as any other.
        return False
    return status.status == FAILED and status.biz_opaque_callback_data.startswith(OURS)


def _undelivered(status: Status) -> Undelivered:
    # Whom we wrote to, as we know them: Meta writes some numbers otherwise than they are written to.
    user_id, _, key = status.biz_opaque_callback_data.removeprefix(OURS).partition(":")
    return Undelivered(
        platform=PLATFORM,
        user_id=user_id,
        key=key,
        why=str(status.errors[0].code) if status.errors else "",
    )


def _event(message: WhatsAppMessage, raw: Raw, people: list[WhatsAppContact]) -> Message | Press | Ignored:
    if not MESSAGE_ID.fullmatch(message.id) or not TIMESTAMP.fullmatch(message.timestamp):
        raise UnusablePayloadError("The message has no id or no time.")
    who = person(message, people)
    if message.type == EDITED:
        return Ignored(platform=PLATFORM, what=EDITED, edit=_edit(message, who[0]))
    unsaid = message.unsupported.type if message.type == UNSUPPORTED and message.unsupported else ""
    if message.type in NOTHING_SAID and unsaid in NO_MESSAGES:
        return _ignored(message.type)
    user_id, names = who
    if not user_id:
        return _ignored("no_sender")
    pressed = _pressed(message)
    if is_ours(pressed) or is_question(pressed):
        return Press(
            platform=PLATFORM,
            user_id=user_id,
            delivery_id=message.id,
            data=pressed,
            name=names.name,
            reply=_reply(user_id, message.id),
        )
    kind, text, attachments = _content(message, raw, unsaid)
    direct = not message.group_id
    return Message(
        platform=PLATFORM,
        user_id=user_id,
        delivery_id=message.id,
        # Whether the bot is meant is told of no group's message.
        chat_type=ChatType.DIRECT if direct else ChatType.GROUP,
        chat=user_id if direct else message.group_id,
        kind=kind,
        text=text,
        attachments=attachments,
        name=names.name,
        full_name=names.full_name,
        addressed=direct,
        door=direct and text.strip() == DOOR,
        message_id=message.id,
        sent_at=int(message.timestamp),
        reply=_reply(user_id, message.id),
    )


def person(message: WhatsAppMessage, people: list[WhatsAppContact]) -> tuple[str, Names]:
    """Return whose a message is, and what they call themselves; empty if it does not say, or names two.

    Raises UnusablePayloadError if what it says is no id.
    """
    theirs = [
        one
        for one in people
        if (message.from_user_id and one.user_id == message.from_user_id)
        or (message.sender and one.wa_id == message.sender)
    ]
    ids = {one for one in (message.from_user_id, *(one.user_id for one in theirs)) if one}
    if len(ids) > 1:
        return "", Names()
    user_id = ids.pop() if ids else message.sender
    if not user_id:
        return "", Names()
    if not is_user_id(PLATFORM, user_id):
        raise UnusablePayloadError("The sender's id is none.")
    profile = theirs[0].profile if theirs else None
    # Early samples have the sign before it, later ones do not.
    return user_id, names_of(profile.username.removeprefix("@"), profile.name) if profile else Names()


def _pressed(message: WhatsAppMessage) -> str:
    if message.interactive and message.interactive.button_reply:
        return message.interactive.button_reply.id
    return message.button.payload if message.button else ""


def _content(  # noqa: PLR0911 (each is a kind of content)
    message: WhatsAppMessage, raw: Raw, unsaid: str
) -> tuple[str, str, tuple[Attachment, ...]]:
    if message.text:
        return "text", message.text.body, ()
    if message.button:
        return "button", message.button.text, ()
    answered = message.interactive
    if answered:
        if chosen := answered.button_reply or answered.list_reply:
            return "button" if answered.button_reply else "list", chosen.title, ()
        return "form", answered.nfm_reply.body if answered.nfm_reply else "", ()
    kind = unsaid or message.type
    if not KIND.fullmatch(kind):
        return UNKNOWN_CONTENT, "", ()
    try:
        media = decoded(decoded(raw, dict[str, Raw]).get(message.type, Raw(b"{}")), Media)
    except UnusablePayloadError:
        # Cards, an order: nothing that has a file.
        return kind, "", ()
    kind = "voice" if media.voice else kind
    if not media.id:
        return kind, media.caption, ()
    # An address is Meta's, and wants the token.
    url = media.url if media.url.startswith("https://") else ""
    file = Attachment(kind=kind, id=media.id, name=media.filename, media_type=media.mime_type, url=url)
    return kind, media.caption, (file,)


def _edit(message: WhatsAppMessage, user_id: str) -> Edit | None:
    if message.edit is None or not user_id or message.group_id:
        return None
    try:
        said = decoded(message.edit.message, Spoken)
        found = decoded(message.edit.message, dict[str, Raw]).get(said.type, NULL)
        media = Media() if found == NULL else decoded(found, Media)
    except UnusablePayloadError:
        # It is ignored as any other: nothing of it is needed.
        return None
    return Edit(
        user_id=user_id,
        message_id=message.edit.original_message_id,
        text=said.text.body if said.text else media.caption,
        revision=int(message.timestamp),
    )


def _reply(user_id: str, message_id: str) -> str:
    return compact({"to": user_id, "message_id": message_id})


def _ignored(what: str) -> Ignored:
    return Ignored(platform=PLATFORM, what=what)


def notice(_message: Message, _text: str) -> WebhookAnswer | None:
    """Say nothing here: nothing from the response is shown, the courier sends it."""
    return None


def show_door(message: Message, text: str, link: str) -> Word | None:
    """Have it said by a message, with the link as it is."""
    said = "\n".join(filter(None, (unlinked(text), link)))
    return Word(message.user_id, message.reply, said)


def dropped(_message: Message, _reason: Reason, _say: Say) -> WebhookAnswer | None:
    """Say nothing."""
    return None


def rate_limited(_message: Message, _text: str) -> WebhookAnswer | None:
    """Say nothing: the request was answered."""
    return None


def admitted(_message: Message) -> WebhookAnswer | None:
    """Say nothing: the agent will."""
    return None


def ignored(_ignored: Ignored, _say: Say) -> WebhookAnswer | None:
    """Say nothing."""
    return None


def pressed(_press: Press, _text: str, _prompt: Prompt | None) -> WebhookAnswer | None:
    """Say nothing here: a press waits for no answer."""
    return None


def follow_up(press: Press, text: str, _api_url: str) -> Word | None:
    """Have it said by a message: a button stays where it is, whatever became of what it asks."""
    return Word(press.user_id, press.reply, unlinked(cut(text, MAX_ANSWER)))


def unusable(_say: Say) -> WebhookAnswer:
    """Take it, and say nothing."""
    return WebhookAnswer()


def failed(_say: Say) -> WebhookAnswer:
    """Have Meta deliver it again: it does for whatever is not answered 200, for seven days."""
    return WebhookAnswer(status=503)


def draw_prompt(prompt: Prompt) -> dict[str, Any]:
    """Return the fields of a message with buttons, or of a text; and under ``template`` what stands in a template's place."""
    text = cut(prompt_text(prompt, unlinked, _escaped), MAX_ANSWER)
    if not prompt.buttons:
        return draw_words(text)
    buttons = [{"type": "reply", "reply": {"id": button.data, "title": button.text}} for button in prompt.buttons]
    return {
        "type": "interactive",
        "interactive": {"type": "button", "body": {"text": text}, "action": {"buttons": buttons}},
        "template": [unlinked(prompt.who[:LONGEST_LINE]), _escaped(prompt.address[:LONGEST_LINE])],
    }


def draw_words(text: str) -> dict[str, Any]:
    """Return the fields of plain words to an owner."""
    return {"type": "text", "text": {"body": cut(text, MAX_TEXT), "preview_url": False}}


def _escaped(text: str) -> str:
    return OUTER_UNDERSCORE.sub(LOOKS_LIKE_UNDERSCORE, text).translate(MARKUP)


def unlinked(text: str) -> str:
    """Make a text harmless: no markup in it, and no links."""
    return LEADING.sub(WORD_JOINER, LINKING.sub(rf"\g<0>{WORD_JOINER}", _escaped(text)))

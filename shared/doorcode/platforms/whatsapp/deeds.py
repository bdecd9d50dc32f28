"""WhatsApp: whose a request is, and how a bot's answer to one is taken.

https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/create-webhook-endpoint

A request may hold what several people did. Each of them is judged, and the bot gets a request of their own with what one
of them did, cut out of the request and signed anew with the app's secret, which is the bot's, too.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

import msgspec
from msgspec import Raw

from doorcode.pairing.contact import is_user_id
from doorcode.pairing.gate import Reason
from doorcode.pairing.keyring import Keyring
from doorcode.pairing.messages import ChatType, Deed
from doorcode.pairing.texts import Say
from doorcode.platforms.inbound import UnusablePayloadError, Webhook, WebhookAnswer
from doorcode.platforms.payload import decoded
from doorcode.platforms.whatsapp import inbound
from doorcode.platforms.whatsapp.inbound import ACCOUNT, MESSAGES, PLATFORM, SIGNATURE_HEADER, person
from doorcode.platforms.whatsapp.payloads import Status, Update, Value, WhatsAppContact, WhatsAppMessage

# Meta's own time-out is not published, and it delivers again for seven days.
SECONDS = 8.0
ANSWER_HEADERS: frozenset[str] = frozenset()
# What Meta says of somebody: a changed number, a changed key. Nobody did it by writing, and nothing follows from it here.
ABOUT_SOMEBODY = frozenset({"errors", "system", "unknown"})
UNKNOWN = "unknown_request"
Json = dict[str, Any]


def deed(webhook: Webhook, bot: str) -> Deed:
    """Tell whose a request is that one person's message is in, and nothing else. All others are nobody's."""
    update = decoded(webhook.body, Update)
    number = bot.partition(":")[0]
    if update.object != ACCOUNT or len(update.entry) != 1 or len(update.entry[0].changes) != 1:
        return Deed(platform=PLATFORM, what=UNKNOWN)
    change = decoded(update.entry[0].changes[0], dict[str, Raw])
    if decoded(change.get("field", Raw(b'""')), str) != MESSAGES:
        return Deed(platform=PLATFORM, what="unknown_field")
    value = decoded(change.get("value", Raw(b"{}")), Value)
    if number and value.metadata.phone_number_id != number:
        return Deed(platform=PLATFORM, what="another_number")
    if not value.messages and len(value.statuses) == 1:
        # What became of a message: whoever it went to received it, or read it. A number is not who they are.
        status = decoded(value.statuses[0], Status)
        return Deed(
            platform=PLATFORM,
            what="status",
            user_id=status.recipient_user_id if is_user_id(PLATFORM, status.recipient_user_id) else "",
            delivery_id=f"{status.id}:{status.status}",
        )
    if len(value.messages) != 1 or value.statuses:
        return Deed(platform=PLATFORM, what=UNKNOWN)
    message = decoded(value.messages[0], WhatsAppMessage)
    people = [decoded(one, WhatsAppContact) for one in value.contacts]
    user_id, _ = person(message, people)
    said = message.text.body if message.text else ""
    return Deed(
        platform=PLATFORM,
        what=message.type,
        user_id="" if message.type in ABOUT_SOMEBODY else user_id,
        delivery_id=message.id,
        chat_type=ChatType.GROUP if message.group_id else ChatType.DIRECT,
        group=message.group_id,
        # Nobody names the bot there in a way that is told.
        addressed=not message.group_id,
        text=said,
    )


def cut(webhook: Webhook, keyring: Keyring) -> list[Webhook]:
    """Return a request for each thing that is in a request, signed anew; the request itself, where there is one thing in it.

    Raises UnusablePayloadError.
    """
    update = decoded(webhook.body, Json)
    pieces = list(_pieces(update))
    if len(pieces) <= 1:
        return [webhook]
    return [_signed(webhook, piece, keyring) for piece in pieces]


def _pieces(update: Json) -> list[Json]:
    found: list[Json] = []
    try:
        for entry in update.get("entry", []):
            for change in entry.get("changes", []):
                value = change.get("value")
                found += [
                    update | {"entry": [entry | {"changes": [change | {"value": part}]}]} for part in _values(value)
                ]
    except (AttributeError, TypeError):
        raise UnusablePayloadError("The payload has another form.") from None
    return found


def _values(value: Any) -> list[Any]:
    """Cut what came for one number: each message with who wrote it, and what became of each of the bot's."""
    if not isinstance(value, dict) or not (value.get("messages") or value.get("statuses")):
        return [value]
    rest = {name: part for name, part in value.items() if name not in {"messages", "contacts", "statuses"}}
    cut_up: list[Any] = []
    for message in value.get("messages") or []:
        theirs = [one for one in value.get("contacts") or [] if _is_of(one, message)]
        cut_up.append(rest | ({"contacts": theirs} if theirs else {}) | {"messages": [message]})
    cut_up += [rest | {"statuses": [status]} for status in value.get("statuses") or []]
    return cut_up


def _is_of(contact: Json, message: Json) -> bool:
    by_id = message.get("from_user_id") and contact.get("user_id") == message["from_user_id"]
    return bool(by_id or (message.get("from") and contact.get("wa_id") == message["from"]))


def _signed(webhook: Webhook, piece: Json, keyring: Keyring) -> Webhook:
    # As Meta writes it: nothing but ASCII, so that whoever checks the signature reads the same bytes.
    body = msgspec.json.encode(piece).decode()
    escaped = "".join(one if one.isascii() else _escape(one) for one in body).encode()
    signature = f"sha256={hmac.digest(keyring.newest, escaped, hashlib.sha256).hex()}"
    return Webhook({**webhook.headers, SIGNATURE_HEADER: signature}, escaped, webhook.source)


def _escape(character: str) -> str:
    units = character.encode("utf-16-be")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


def comes_again(_webhook: Webhook) -> bool:
    """Say yes: Meta delivers for seven days what was not answered with success."""
    return True


def refused(_deed: Deed, _reason: Reason, _say: Say) -> WebhookAnswer | None:
    """Say nothing."""
    return None


def failed(_deed: Deed, say: Say) -> WebhookAnswer:
    """Have Meta deliver it again."""
    return inbound.failed(say)


def takes(answer: WebhookAnswer) -> bool:
    """Tell whether it is an answer; Meta takes whatever is not 200 for a failure."""
    return not 300 <= answer.status < 400  # noqa: PLR2004 (redirects)

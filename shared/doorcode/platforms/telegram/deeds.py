"""Telegram: whose an update is, and how a bot's answer to one is taken.

https://core.telegram.org/bots/api#update, https://core.telegram.org/bots/api#setwebhook
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from msgspec import Raw, Struct, field

from doorcode.pairing.gate import Reason
from doorcode.pairing.messages import ChatType, Deed
from doorcode.pairing.texts import Say
from doorcode.platforms.inbound import Webhook, WebhookAnswer
from doorcode.platforms.payload import decoded, is_given
from doorcode.platforms.telegram import inbound
from doorcode.platforms.telegram.inbound import PLATFORM, Chat, SpokenMessage, User

# Telegram waits for a minute and more, API Gateway for half of one.
SECONDS = 25.0
ANSWER_HEADERS = frozenset({"retry-after"})

FROM, USER, NOBODY = "from", "user", ""
# Every kind of update, and the field that says who did it. Kinds that Telegram adds are nobody's until they stand here.
KINDS: Mapping[str, str] = MappingProxyType({
    "message": FROM, "edited_message": FROM, "business_message": FROM, "edited_business_message": FROM,
    "guest_message": FROM, "callback_query": FROM, "inline_query": FROM, "chosen_inline_result": FROM,
    "shipping_query": FROM, "pre_checkout_query": FROM, "purchased_paid_media": FROM, "my_chat_member": FROM,
    "chat_member": FROM, "chat_join_request": FROM,
    "business_connection": USER, "managed_bot": USER, "subscription": USER, "poll_answer": USER,
    "message_reaction": USER,
    # Channels, counts and results. Who deleted, and who gave a boost, is not told.
    "channel_post": NOBODY, "edited_channel_post": NOBODY, "poll": NOBODY, "chat_boost": NOBODY,
    "removed_chat_boost": NOBODY, "message_reaction_count": NOBODY, "deleted_business_messages": NOBODY,
})  # fmt: skip
# What is said by one of these in a group is said to the bot only if it names it.
SAID = frozenset({"message", "edited_message"})
# The bot was let in somewhere, or shut out, by a group's anonymous administrator, say.
ABOUT_BOT = "my_chat_member"
UNKNOWN = "unknown_update"


class _Place(Struct):
    chat: Chat | None = None


class _Done(Struct):
    """What may say who did it, and where; any kind of update has a few of these."""

    sender: User | None = field(name="from", default=None)
    user: User | None = None
    chat: Chat | None = None
    text: str | None = None
    caption: str = ""
    # Of a press: the message that the button stands under, or only where it stood.
    message: _Place | None = None
    # It was a chat, and no person: a channel, a group's anonymous administrator.
    sender_chat: Raw = Raw()
    actor_chat: Raw = Raw()
    voter_chat: Raw = Raw()
    # A bot, on behalf of the account that it serves.
    sender_business_bot: Raw = Raw()


def deed(webhook: Webhook, bot: str) -> Deed:
    """Tell whose an update is. There is one kind of thing in an update, and one sender to each."""
    update = decoded(webhook.body, dict[str, Raw])
    delivery_id = bytes(update.pop("update_id", Raw())).decode()
    kinds = [kind for kind, value in update.items() if is_given(value)]
    if len(kinds) != 1 or kinds[0] not in KINDS:
        return Deed(platform=PLATFORM, what=UNKNOWN, delivery_id=delivery_id)
    kind = kinds[0]
    done = decoded(update[kind], _Done) if KINDS[kind] else _Done()
    person = _person(done, KINDS[kind])
    chat = done.chat or (done.message.chat if done.message else None)
    in_group = chat is not None and chat.type != inbound.PRIVATE_CHAT
    return Deed(
        platform=PLATFORM,
        what=kind,
        user_id=str(person.id) if person else "",
        delivery_id=delivery_id,
        username=person.username if person else "",
        language=person.language_code if person else "",
        chat_type=ChatType.GROUP if in_group else ChatType.DIRECT,
        group=str(chat.id) if chat and in_group else "",
        addressed=not (in_group and kind in SAID) or _is_to_bot(update[kind], bot),
        text=done.caption if done.text is None else done.text,
        about_bot=kind == ABOUT_BOT,
    )


def _person(done: _Done, by: str) -> User | None:
    chats = (done.sender_chat, done.actor_chat, done.voter_chat, done.sender_business_bot)
    if any(is_given(chat) for chat in chats):
        return None
    # One of the two is what the table names. With both, it would be anybody's guess.
    if done.sender and done.user:
        return None
    person = done.sender if by == FROM else done.user
    return None if person is None or person.is_bot else person


def _is_to_bot(raw: Raw, bot: str) -> bool:
    """Tell whether a group's message is to the bot; Telegram's own words about what somebody did are to everybody."""
    message = decoded(raw, SpokenMessage)
    if message.text is None and not inbound.content(raw):
        return True
    return message.ephemeral_message_id is not None or inbound.addresses(message, bot)


def comes_again(_webhook: Webhook) -> bool:
    """Say yes: Telegram delivers for a day what was not answered with success."""
    return True


def refused(_deed: Deed, _reason: Reason, _say: Say) -> WebhookAnswer | None:
    """Say nothing."""
    return None


def failed(_deed: Deed, say: Say) -> WebhookAnswer:
    """Have Telegram deliver it again."""
    return inbound.failed(say)


def takes(answer: WebhookAnswer) -> bool:
    """Tell whether it is an answer; Telegram takes a redirect for a failure, too."""
    return not 300 <= answer.status < 400  # noqa: PLR2004 (redirects)

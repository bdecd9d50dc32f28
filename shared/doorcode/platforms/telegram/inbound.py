"""Telegram: updates in, a method in the response out.

https://core.telegram.org/bots/api#update

Every text goes out plain, without ``parse_mode``: there is no markup to escape, only links to keep from forming.
"""

from __future__ import annotations

import re
from typing import Annotated, Any

from msgspec import Meta, Raw, Struct, field

from doorcode.pairing.callbacks import QUESTION
from doorcode.pairing.contact import Platform
from doorcode.pairing.gate import Reason
from doorcode.pairing.keyring import Keyring, same
from doorcode.pairing.messages import Attachment, ChatType, Edit, Ignored, Message, Press
from doorcode.pairing.names import Names, names_of
from doorcode.pairing.prompts import Prompt
from doorcode.pairing.texts import Say
from doorcode.platforms.inbound import (
    BotIdentity,
    Event,
    FollowUp,
    UnusablePayloadError,
    Webhook,
    WebhookAnswer,
)
from doorcode.platforms.payload import answer, compact, cut, decoded, is_given
from doorcode.platforms.prompt_text import prompt_text

PLATFORM = Platform.TELEGRAM
SECRET = "telegram/webhook-secret"  # noqa: S105 (a name, not a secret)
SECRET_HEADER = "x-telegram-bot-api-secret-token"  # noqa: S105 (a name, not a secret)
BOT: BotIdentity | None = BotIdentity(
    # ``{id}:{username}``
    name="telegram/bot",
    unknown="GROUP_POLICY is mention_only, but it is not known who the bot is: no mention will be noticed. "
    "Run: doorcode telegram webhook set",
    for_groups_only=True,
)
SHOWS_ANSWERS = True
ANSWERS_SURELY = False  # a method in the response has no result that anybody is told

# The API's limits: the text of a message and of the answer to a button.
MAX_TEXT = 4096
MAX_ANSWER = 200

# The largest update that is legal, with room: a rich message of 32,768 characters, each of them marked up and escaped,
# that replies to another such message, which the update repeats. https://core.telegram.org/bots/api#richmessage
MAX_BODY_BYTES = 4 * 1024 * 1024

# What Telegram says itself, about a chat or about what somebody did. Whatever else comes is something that a person
# sent, also what was not known when this was written. https://core.telegram.org/bots/api#message
SERVICE = frozenset({
    "boost_added", "channel_chat_created", "chat_background_set", "chat_owner_changed", "chat_owner_left",
    "chat_shared", "checklist_tasks_added", "checklist_tasks_done", "community_chat_added", "community_chat_joined",
    "community_chat_removed", "connected_website", "delete_chat_photo",
    "direct_message_price_changed", "forum_topic_closed", "forum_topic_created", "forum_topic_edited",
    "forum_topic_reopened", "general_forum_topic_hidden", "general_forum_topic_unhidden", "gift", "gift_upgrade_sent",
    "giveaway_completed", "giveaway_created", "group_chat_created", "left_chat_member", "left_chat_participant",
    "managed_bot_created", "message_auto_delete_timer_changed", "migrate_from_chat_id", "migrate_to_chat_id",
    "new_chat_member", "new_chat_members", "new_chat_participant", "new_chat_photo", "new_chat_title",
    "paid_message_price_changed", "passport_data", "pinned_message", "poll_option_added", "poll_option_deleted",
    "proximity_alert_triggered", "refunded_payment", "successful_payment", "suggested_post_approval_failed",
    "suggested_post_approved", "suggested_post_declined", "suggested_post_paid", "suggested_post_refunded",
    "supergroup_chat_created", "unique_gift", "user_shared", "users_shared", "video_chat_ended",
    "video_chat_participants_invited", "video_chat_scheduled", "video_chat_started", "voice_chat_ended",
    "voice_chat_participants_invited", "voice_chat_scheduled", "voice_chat_started", "web_app_data",
    "write_access_allowed",
})  # fmt: skip
# What comes in two fields at once, by the more telling one: a GIF is a document too, a venue a location.
TELLING = ("animation", "live_photo", "venue", "paid_media", "story")
# What a message says about itself. The first field beside these that holds something is what was sent.
ABOUT = frozenset({
    "caption_entities", "chat", "direct_messages_topic", "entities", "external_reply", "forward_from",
    "forward_from_chat", "forward_origin", "from", "guest_bot_caller_chat", "guest_bot_caller_user",
    "link_preview_options", "quote", "receiver_user", "reply_markup", "reply_to_message", "reply_to_story",
    "sender_business_bot", "sender_chat", "suggested_post_info", "via_bot",
})  # fmt: skip
# In the bot's own chat nobody names the bot with it.
DOOR = "/door"
UNKNOWN_CONTENT = "unknown"
PRIVATE_CHAT = "private"
# A field's name, as Telegram writes them.
KIND = re.compile(r"[a-z][a-z0-9_]{0,63}")
# Updates that nobody is to be answered for, by the word that the log has for them; others are just unknown.
EDITED = "edited_message"
IGNORED_UPDATES = (
    EDITED, "channel_post", "edited_channel_post", "business_connection", "business_message",
    "edited_business_message", "deleted_business_messages", "guest_message", "message_reaction",
    "message_reaction_count", "inline_query", "chosen_inline_result", "shipping_query", "pre_checkout_query",
    "purchased_paid_media", "poll", "poll_answer", "my_chat_member", "chat_member", "chat_join_request",
    "chat_boost", "removed_chat_boost",
)  # fmt: skip

# Telegram links what looks like an address, a mention, a command or a tag even in plain text. A word joiner behind
# the character that makes it one is invisible and keeps it from being one.
LINKING = re.compile(r"[@./:#$](?=\S)")
WORD_JOINER = "\u2060"

# Telegram's ids have at most 52 significant bits; a JSON true, text or fraction is none.
_Count = Annotated[int, Meta(ge=0, lt=2**53)]
_UserId = Annotated[int, Meta(ge=1, lt=2**53)]
_ChatId = Annotated[int, Meta(gt=-(2**53), lt=2**53)]


class User(Struct):
    """A person, or a bot."""

    id: _UserId
    is_bot: bool = False
    first_name: str = ""
    last_name: str = ""
    username: str = ""
    language_code: str = ""


class Chat(Struct):
    """Where something was said."""

    id: _ChatId
    type: str


class _Entity(Struct):
    type: str
    offset: _Count
    length: _Count
    user: User | None = None


class _File(Struct):
    file_id: str
    file_name: str = ""
    mime_type: str = ""
    file_size: _Count = 0


class _RepliedTo(Struct):
    sender: User | None = field(name="from", default=None)
    forum_topic_created: Raw = Raw()
    reply_markup: Raw = Raw()


class _OwnTopic(Struct):
    topic_id: _Count


class SpokenMessage(Struct):
    """A message of any kind, as far as it is read."""

    message_id: _Count
    date: _Count
    chat: Chat
    sender: User | None = field(name="from", default=None)
    sender_chat: Raw = Raw()
    business_connection_id: str = ""
    is_topic_message: bool = False
    message_thread_id: _Count = 0
    reply_to_message: _RepliedTo | None = None
    # A command in a group that nobody but its sender and we see: `message_id` is 0 then.
    ephemeral_message_id: _Count | None = None
    # Somebody's own topic in a channel's direct messages, which they and the channel's administrators see.
    direct_messages_topic: _OwnTopic | None = None
    text: str | None = None
    caption: str = ""
    edit_date: _Count = 0
    entities: list[_Entity] = []
    caption_entities: list[_Entity] = []


class _PressedMessage(Struct):
    message_id: _Count
    chat: Chat


class _CallbackQuery(Struct):
    id: str
    sender: User = field(name="from")
    # Absent for buttons of games.
    data: str = ""
    # Absent for inline messages. One that is too old to be read still has chat and id.
    message: _PressedMessage | None = None


class _Button(Struct):
    callback_data: str = ""


class _Keyboard(Struct):
    inline_keyboard: list[list[_Button]] = []


class _Update(Struct):
    update_id: _Count
    message: Raw = Raw()
    callback_query: Raw = Raw()


def verify(webhook: Webhook, keyring: Keyring, _now: int) -> bool:
    """Compare the secret that Telegram repeats in a header of every request."""
    given = webhook.headers.get(SECRET_HEADER, "").encode(errors="surrogatepass")
    # No early exit: every secret is tried, so that time does not tell which one it was.
    return any([same(given, secret) for secret in keyring.secrets])  # noqa: C419


def parse(webhook: Webhook, bot: str) -> list[Event]:
    """Read an update; ``bot`` is ``{id}:{username}``, or empty as long as nobody has told us."""
    update = decoded(webhook.body, _Update)
    if is_given(update.message):
        return [_message(update, bot)]
    if is_given(update.callback_query):
        return [_press(update.callback_query)]
    given = {kind: value for kind, value in decoded(webhook.body, dict[str, Raw]).items() if is_given(value)}
    what = next((kind for kind in IGNORED_UPDATES if kind in given), "unknown_update")
    return [Ignored(platform=PLATFORM, what=what, edit=_edit(given[what]) if what == EDITED else None)]


def _edit(raw: Raw) -> Edit | None:
    try:
        message = decoded(raw, SpokenMessage)
    except UnusablePayloadError:
        # It is ignored as any other: nothing of it is needed.
        return None
    stands_in = is_given(message.sender_chat) or message.business_connection_id
    if message.sender is None or message.sender.is_bot or stands_in or message.chat.type != PRIVATE_CHAT:
        return None
    return Edit(
        user_id=str(message.sender.id),
        message_id=str(message.message_id),
        text=message.caption if message.text is None else message.text,
        revision=message.edit_date,
    )


def _message(update: _Update, bot: str) -> Message | Press | Ignored:  # noqa: PLR0911 (each is one kind of no message)
    message = decoded(update.message, SpokenMessage)
    sender = message.sender
    if message.business_connection_id:
        return _ignored("business_message")
    # Anonymous administrators, channels, and posts forwarded from a linked channel: `from` is a stand-in then.
    if is_given(message.sender_chat):
        return _ignored("sender_chat")
    if sender is None:
        return _ignored("no_sender")
    if sender.is_bot:
        return _ignored("bot")
    if message.chat.type not in {PRIVATE_CHAT, "group", "supergroup"}:
        return _ignored("unknown_chat")
    kind = "text" if message.text is not None else content(update.message)
    if not kind:
        return _ignored("service_message")
    direct = message.chat.type == PRIVATE_CHAT
    if direct and message.text and message.reply_to_message and is_given(message.reply_to_message.reply_markup):
        data = _questions_button(message.reply_to_message)
        if data:
            return _said(update.update_id, message, sender, data)
    # A reply in a group has a thread id, too; only a topic's is one to answer in.
    thread = str(message.message_thread_id) if message.is_topic_message else ""
    ephemeral = message.ephemeral_message_id is not None
    topic: dict[str, int] = {"message_thread_id": message.message_thread_id} if thread else {}
    if message.direct_messages_topic:
        # Nothing can be said there outside of a topic.
        topic = {"direct_messages_topic_id": message.direct_messages_topic.topic_id}
    names = _names(sender)
    return Message(
        platform=PLATFORM,
        user_id=str(sender.id),
        delivery_id=str(update.update_id),
        chat_type=ChatType.DIRECT if direct else ChatType.GROUP,
        chat=str(message.chat.id),
        thread=thread,
        kind=kind,
        attachments=_attachments(update.message, kind) if message.text is None else (),
        text=message.caption if message.text is None else message.text,
        name=names.name,
        full_name=names.full_name,
        username=sender.username,
        language=sender.language_code,
        # Telegram brings an ephemeral message to whom it is for, and to nobody else.
        addressed=direct or ephemeral or addresses(message, bot),
        door=direct and (message.text or "").strip() == DOOR,
        private=ephemeral or message.direct_messages_topic is not None,
        message_id=str(message.message_id),
        sent_at=message.date,
        reply=compact(
            {"chat_id": message.chat.id, "message_id": message.message_id}
            | topic
            | ({"receiver_user_id": sender.id} if ephemeral else {})
        ),
    )


def _questions_button(replied_to: _RepliedTo) -> str:
    """Return what a question's first button carries, if the bot's message that is replied to has one: why, or what decides."""
    if not (replied_to.sender and replied_to.sender.is_bot and QUESTION.encode() in bytes(replied_to.reply_markup)):
        return ""
    rows = decoded(replied_to.reply_markup, _Keyboard).inline_keyboard
    return next((one.callback_data for row in rows for one in row if one.callback_data.startswith(QUESTION)), "")


def _said(update_id: int, message: SpokenMessage, sender: User, data: str) -> Press:
    return Press(
        platform=PLATFORM,
        user_id=str(sender.id),
        delivery_id=str(update_id),
        data=data,
        name=_names(sender).name,
        language=sender.language_code,
        reply=compact({"chat_id": message.chat.id, "message_id": message.message_id}),
        said=message.text,
    )


def content(message: Raw) -> str:
    """Name what was sent, by its field; empty for what Telegram says itself."""
    fields = {name: bytes(value) for name, value in decoded(message, dict[str, Raw]).items() if is_given(value)}
    if SERVICE & fields.keys():
        return ""
    # Content is an object or a list; numbers, flags and texts only describe it.
    sent = [name for name, value in fields.items() if name not in ABOUT and value[:1] in {b"{", b"["}]
    kind = next((name for name in (*TELLING, *sent) if name in sent), UNKNOWN_CONTENT)
    return kind if KIND.fullmatch(kind) else UNKNOWN_CONTENT


def _attachments(message: Raw, kind: str) -> tuple[Attachment, ...]:
    """Return the file that was sent; a photo comes in several sizes, the largest of them last."""
    sent = decoded(message, dict[str, Raw]).get(kind, Raw())
    try:
        if kind == "photo":
            *_, file = decoded(sent, list[_File])
        else:
            file = decoded(sent, _File)
    except (UnusablePayloadError, ValueError):
        # A place, a contact, a poll: nothing that has a file.
        return ()
    return (
        Attachment(kind=kind, id=file.file_id, name=file.file_name, media_type=file.mime_type, size=file.file_size),
    )


def addresses(message: SpokenMessage, bot: str) -> bool:
    """Tell whether a group's message mentions the bot, answers it, or is a command for it; ``bot`` is as in ``parse``."""
    # A bare `/command` is everybody's: Telegram shows it to every bot of the group, so it addresses none of them.
    bot_id, _, username = bot.partition(":")
    to = message.reply_to_message
    # The first messages of a topic reply to the service message that opened it, whoever opened it.
    if to and to.sender and str(to.sender.id) == bot_id and not is_given(to.forum_topic_created):
        return True
    mention = f"@{username.lower()}"
    # Offsets count UTF-16 code units.
    units = (message.caption if message.text is None else message.text).encode("utf-16-le")
    for entity in (*message.entities, *message.caption_entities):
        if entity.type == "text_mention" and entity.user and str(entity.user.id) == bot_id:
            return True
        marked = units[2 * entity.offset : 2 * (entity.offset + entity.length)].decode("utf-16-le", "ignore").lower()
        if username and entity.type == "mention" and marked == mention:
            return True
        if username and entity.type == "bot_command" and marked.endswith(mention):
            return True
    return False


def _press(raw: Raw) -> Press:
    query = decoded(raw, _CallbackQuery)
    reply: dict[str, Any] = {"callback_query_id": query.id}
    if query.message:
        reply |= {"chat_id": query.message.chat.id, "message_id": query.message.message_id}
    return Press(
        platform=PLATFORM,
        user_id=str(query.sender.id),
        delivery_id=query.id,
        data=query.data,
        name=_names(query.sender).name,
        language=query.sender.language_code,
        reply=compact(reply),
    )


def _names(user: User) -> Names:
    return names_of(user.username, f"{user.first_name} {user.last_name}")


def _ignored(what: str) -> Ignored:
    return Ignored(platform=PLATFORM, what=what)


def notice(message: Message, text: str) -> WebhookAnswer | None:
    """Send a message back, into the topic that it came from."""
    method = {"method": "sendMessage", "chat_id": int(message.chat), "text": cut(text, MAX_TEXT)}
    return answer(method | ({"message_thread_id": int(message.thread)} if message.thread else {}))


def show_door(message: Message, text: str, link: str) -> WebhookAnswer | None:
    """Send it back into the chat, which is theirs, with no look at the page by Telegram."""
    method = {
        "method": "sendMessage",
        "chat_id": int(message.chat),
        "text": "\n".join(filter(None, (unlinked(text), link))),
        "link_preview_options": {"is_disabled": True},
    }
    return answer(method | ({"message_thread_id": int(message.thread)} if message.thread else {}))


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


def pressed(press: Press, text: str, prompt: Prompt | None) -> WebhookAnswer | None:
    """Answer the button, which waits for it; the prompt itself is edited by whoever follows the decision up."""
    reply = decoded(press.reply, dict[str, Any])
    if "callback_query_id" not in reply:
        # What was said by a reply is answered by one.
        return answer({"method": "sendMessage", "chat_id": reply["chat_id"], "text": unlinked(cut(text, MAX_ANSWER))})
    return answer(
        {
            "method": "answerCallbackQuery",
            "callback_query_id": reply["callback_query_id"],
            "text": cut(text, MAX_ANSWER),
            # Without a prompt that says it, it is worth a dialog instead of a line that passes.
            "show_alert": prompt is None,
        }
    )


def follow_up(_press: Press, _text: str, _api_url: str) -> FollowUp | None:
    """Nothing: ``pressed`` has told them."""
    return None


def unusable(_say: Say) -> WebhookAnswer:
    """Take it, and say nothing."""
    return WebhookAnswer()


def failed(_say: Say) -> WebhookAnswer:
    """Have Telegram deliver it again."""
    return WebhookAnswer(status=503)


def draw_prompt(prompt: Prompt) -> dict[str, Any]:
    """Return ``text``, ``link_preview_options`` and ``reply_markup`` for sendMessage and editMessageText."""
    # Telegram's own @username may link to the profile; another platform's would link to somebody else.
    own = prompt.address.startswith(f"{PLATFORM} ") and prompt.who.startswith("@")

    def named(who: str) -> str:
        return f"User @{unlinked(who[1:])}" if own else f"User {unlinked(who)}"

    buttons = [{"text": button.text, "callback_data": button.data} for button in prompt.buttons]
    return {
        "text": prompt_text(prompt, named, unlinked),
        "link_preview_options": {"is_disabled": True},
        # An empty keyboard takes the buttons away.
        "reply_markup": {"inline_keyboard": [buttons] if buttons else []},
    }


def draw_words(text: str) -> dict[str, Any]:
    """Return the fields of plain words to an owner, for sendMessage and editMessageText."""
    return {"text": text, "link_preview_options": {"is_disabled": True}, "reply_markup": {"inline_keyboard": []}}


def unlinked(text: str) -> str:
    """Return ``text`` with what keeps Telegram from making links of it."""
    return LINKING.sub(rf"\g<0>{WORD_JOINER}", text)

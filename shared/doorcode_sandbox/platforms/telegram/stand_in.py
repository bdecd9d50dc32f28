"""A stand-in for Telegram's Bot API.

https://core.telegram.org/bots/api
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from typing import Annotated, Any, ClassVar
from urllib.parse import parse_qsl, urlsplit

import msgspec
from msgspec import Meta, Struct

from doorcode_cli.platforms.telegram.api import ALLOWED_UPDATES, MAX_CONNECTIONS
from doorcode_sandbox.platforms.forms import FormError, checked
from doorcode_sandbox.platforms.server import RESPONSE, Answer, Message, Request, Routed, StandIn, json_answer

TOKEN = re.compile(r"[0-9]+:[A-Za-z0-9_-]+")
PATH = re.compile(r"/bot([^/]+)/([A-Za-z]+)")
# Nested fields are JSON, also in a form.
NESTED = frozenset(
    {"entities", "link_preview_options", "reply_parameters", "reply_markup", "allowed_updates", "commands"}
)

MAX_TEXT = 4096
MAX_CALLBACK_DATA = 64
MAX_ANSWER = 200
QUERY_SECONDS = 60
# Ids of a run begin where no earlier one has come, unless it gave more than so many a second all the time: 2025 began
# then, and 32 bits last until 2033.
FIRST_RUN = 1_735_689_600
NUMBERS_A_SECOND = 8
SECRET_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,256}")
ACTIONS = frozenset(
    {
        "typing", "upload_photo", "record_video", "upload_video", "record_voice", "upload_voice", "upload_document",
        "choose_sticker", "find_location", "record_video_note", "upload_video_note",
    }
)  # fmt: skip

# What apps turn into links without anybody asking for it.
ENTITIES = {
    "url": re.compile(r"(?i)(?<![\w@])(?:[a-z][a-z0-9+.-]*://\S+|(?:[a-z0-9-]+\.)+[a-z]{2,}\b)"),
    "mention": re.compile(r"(?<![\w@])@[A-Za-z]\w{3,31}\b"),
    "hashtag": re.compile(r"(?<!\w)#\w*[^\W\d]\w*"),
    "cashtag": re.compile(r"(?<!\w)\$[A-Z]{1,8}\b"),
    "bot_command": re.compile(r"(?<!\S)/[A-Za-z0-9_]{1,32}(?:@[A-Za-z]\w{3,31}\b)?"),
}


class Chat(Struct, kw_only=True):
    """A chat that the bot has seen: a private one's id is the person's."""

    id: str
    type: str
    blocked: bool = False
    # What a group became; its topics that were closed (0: the general one); whether it is a channel's direct messages.
    became: str = ""
    closed: set[int] = set()
    direct: bool = False
    # Ids of the topics, and of people's messages, that can be answered.
    topics: set[int] = set()
    heard: set[int] = set()


class Hook(Struct, kw_only=True):
    """The webhook as it was set."""

    url: str = ""
    secret_token: str = ""
    max_connections: int = 40
    allowed_updates: list[str] = []


class _Button(Struct):
    text: Annotated[str, Meta(min_length=1)]
    callback_data: str | None = None
    url: str | None = None


class _Keyboard(Struct):
    inline_keyboard: list[list[_Button]]


class _Preview(Struct, frozen=True):
    is_disabled: bool = False
    url: str = ""
    prefer_small_media: bool = False
    prefer_large_media: bool = False
    show_above_text: bool = False


class _ReplyTo(Struct):
    message_id: int
    chat_id: str | int = 0
    allow_sending_without_reply: bool = False


class _SendMessage(Struct):
    chat_id: str
    text: str
    message_thread_id: int = 0
    direct_messages_topic_id: int = 0
    parse_mode: str = ""
    entities: list[Any] = []
    link_preview_options: _Preview = _Preview()
    disable_notification: bool = False
    protect_content: bool = False
    reply_parameters: _ReplyTo | None = None
    reply_markup: _Keyboard | None = None
    # The one member of a group who sees it.
    receiver_user_id: int = 0


class _EditMessageText(Struct):
    chat_id: str
    message_id: int
    text: str
    parse_mode: str = ""
    entities: list[Any] = []
    link_preview_options: _Preview = _Preview()
    reply_markup: _Keyboard | None = None


class _EditMessageReplyMarkup(Struct):
    chat_id: str
    message_id: int
    reply_markup: _Keyboard | None = None


class _AnswerCallbackQuery(Struct):
    callback_query_id: str
    text: str = ""
    show_alert: bool = False
    url: str = ""
    cache_time: int = 0


class _SendChatAction(Struct):
    chat_id: str
    action: str
    message_thread_id: int = 0


class _SetWebhook(Struct):
    url: str
    ip_address: str = ""
    max_connections: Annotated[int, Meta(ge=1, le=100)] = 40
    allowed_updates: list[str] = []
    drop_pending_updates: bool = False
    secret_token: str = ""


class _DeleteWebhook(Struct):
    drop_pending_updates: bool = False


class _BotCommand(Struct):
    command: Annotated[str, Meta(pattern=r"^[a-z0-9_]{1,32}$")]
    description: Annotated[str, Meta(min_length=1, max_length=256)]


class _SetMyCommands(Struct):
    commands: Annotated[list[_BotCommand], Meta(max_length=100)]


class _SetMyDescription(Struct):
    description: Annotated[str, Meta(max_length=512)] = ""


class _SetMyShortDescription(Struct):
    short_description: Annotated[str, Meta(max_length=120)] = ""


class _Nothing(Struct):
    pass


class _RefusedError(Exception):
    def __init__(self, status: int, description: str, **parameters: Any) -> None:
        self.status = status
        self.parameters = parameters
        super().__init__(description)


class Query(Struct):
    """A press of a button that waits for its answer."""

    pressed_at: float
    chat: str = ""
    user: str = ""
    answer: dict[str, Any] | None = None
    answered_at: float = 0


class TelegramStandIn(StandIn):
    """Telegram, for one bot."""

    NAME = "telegram"
    BOT: ClassVar[dict[str, Any]] = {
        "id": 7000000001,
        "is_bot": True,
        "first_name": "Doorcode",
        "username": "doorcode_bot",
        "can_join_groups": True,
        "can_read_all_group_messages": False,
        "supports_inline_queries": False,
    }
    MADE_UP: ClassVar[str] = f"{BOT['id']}:{'sandbox':_<35}"

    def __init__(self, token: str = "7000000001:stand-in", **options: Any) -> None:  # noqa: S107 (made up)
        """Take that token and no other."""
        super().__init__(token, **options)
        self.chats: dict[str, Chat] = {}
        self.queries: dict[str, Query] = {}
        self.hook = Hook()
        # What people see of the bot before they write.
        self.commands: list[dict[str, str]] = []
        self.description, self.short_description = "", ""
        self.actions: list[tuple[str, str]] = []
        # The messages of an earlier run are other messages, so their ids are left behind.
        self._ids = itertools.count(max(1001, int((self.clock() - FIRST_RUN) * NUMBERS_A_SECOND)))
        # How the call that is being carried out came.
        self._by = ""
        self._methods: dict[str, tuple[type[Any], Callable[[Any], Any]]] = {
            "getMe": (_Nothing, lambda _: self.BOT),
            "sendMessage": (_SendMessage, self._send),
            "editMessageText": (_EditMessageText, self._edit),
            "editMessageReplyMarkup": (_EditMessageReplyMarkup, self._edit_markup),
            "answerCallbackQuery": (_AnswerCallbackQuery, self._answer_query),
            "sendChatAction": (_SendChatAction, self._act),
            "setWebhook": (_SetWebhook, self._set_hook),
            "getWebhookInfo": (_Nothing, self._hook_info),
            "deleteWebhook": (_DeleteWebhook, self._delete_hook),
            "getMyCommands": (_Nothing, lambda _: self.commands),
            "setMyCommands": (_SetMyCommands, self._set_commands),
            "getMyDescription": (_Nothing, lambda _: {"description": self.description}),
            "setMyDescription": (_SetMyDescription, self._set_description),
            "getMyShortDescription": (_Nothing, lambda _: {"short_description": self.short_description}),
            "setMyShortDescription": (_SetMyShortDescription, self._set_short_description),
        }

    # Being part of a sandbox

    def credentials(self) -> dict[str, str]:
        """Return who the bot is; the stack makes the webhook's secret itself."""
        return {"telegram/bot": f"{self.BOT['id']}:{self.BOT['username']}"}

    def register(self, url: str, secret: str) -> None:
        """Have the webhook set."""
        self.hook = Hook(
            url=url,
            secret_token=secret,
            max_connections=MAX_CONNECTIONS,
            allowed_updates=list(ALLOWED_UPDATES),
        )

    # What people do

    def open_chat(
        self, chat_id: str, *, topics: tuple[int, ...] = (), heard: tuple[int, ...] = (), direct: bool = False
    ) -> None:
        """Have a person write to the bot, or add it to a group (whose id is negative).

        ``direct`` makes the group a channel's direct messages, in which every topic is a person's.
        """
        kind = "supergroup" if chat_id.startswith("-") else "private"
        self.chats[chat_id] = Chat(id=chat_id, type=kind, topics=set(topics), heard=set(heard), direct=direct)

    def upgrade(self, chat_id: str, to: str) -> None:
        """Have a group become a supergroup, which is another chat."""
        self.open_chat(to)
        self.chats[chat_id].became = to

    def close_topic(self, chat_id: str, thread: int = 0) -> None:
        """Have a topic closed; without ``thread`` the general one."""
        self.chats[chat_id].closed.add(thread)

    def delete_topic(self, chat_id: str, thread: int) -> None:
        """Have a topic deleted."""
        self.chats[chat_id].topics.remove(thread)

    def block(self, chat_id: str, *, blocked: bool = True) -> None:
        """Have a person block the bot, or a group throw it out; or let it in again."""
        self.chats[chat_id].blocked = blocked

    def number(self) -> int:
        """Give a number that nothing else has had: a message's, or an update's."""
        return next(self._ids)

    def write(self, chat_id: str) -> int:
        """Have a person write into a chat; return the message's id."""
        with self._changed:
            message_id = self.number()
            self.chats[chat_id].heard.add(message_id)
            return message_id

    def press(self, query_id: str, *, chat: str = "", user: str = "") -> None:
        """Have a button pressed that waits for the answer to that query, by whom and where."""
        with self._changed:
            self.queries[query_id] = Query(self.clock(), chat, user)

    def take(self, body: bytes) -> bool:
        """Carry out the method that a webhook's response holds; tell whether it did anything."""
        try:
            fields = msgspec.json.decode(body or b"{}", type=dict[str, Any])
        except msgspec.DecodeError:
            return False
        call = self._routed(fields.pop("method", ""), fields, RESPONSE)
        return isinstance(call, Routed) and self._do(call).status < 300  # noqa: PLR2004 (success)

    def past(self) -> list[list[Any] | dict[Any, Any]]:
        """Return everything that grows with what happens, oldest first."""
        return [*super().past(), self.queries, self.actions]

    # The API

    def route(self, request: Request) -> Routed | Answer:
        """Check the token, then the method; read JSON or a form."""
        found = PATH.fullmatch(request.path)
        token, method = found.groups() if found else ("", "")
        if not TOKEN.fullmatch(token):
            return _failure(404, "Not Found")
        if token != self.token:
            return _failure(401, "Unauthorized")
        try:
            fields = _fields(request)
        except ValueError:
            return _failure(400, "Bad Request: can't parse the request")
        return self._routed(method, fields)

    def _routed(self, method: str, fields: dict[str, Any], *at: str) -> Routed | Answer:
        if method not in self._methods:
            return _failure(404, "Not Found: method not found")
        if "chat_id" in fields:
            fields["chat_id"] = str(fields["chat_id"])
        return Routed(method, fields.get("chat_id", ""), fields, at)

    def perform(self, call: Routed) -> Answer:
        """Do what is called."""
        form, method = self._methods[call.name]
        self._by = call.at[0] if call.at else call.name
        try:
            return json_answer({"ok": True, "result": method(checked(call.fields, form, strict=self.strict))})
        except FormError as error:
            return _failure(400, f"Bad Request: {error} ({error.field})")
        except _RefusedError as error:
            return _failure(error.status, str(error), **error.parameters)

    def limited(self, delay: float) -> Answer:
        """Ask to wait."""
        return _failure(429, f"Too Many Requests: retry after {int(delay)}", retry_after=int(delay))

    def _chat(self, chat_id: str) -> Chat:
        chat = self.chats.get(chat_id)
        if chat is None:
            if chat_id.isdigit():
                raise _RefusedError(403, "Forbidden: bot can't initiate conversation with a user")
            raise _RefusedError(400, "Bad Request: chat not found")
        if chat.blocked:
            by = "blocked by the user" if chat.type == "private" else "kicked from the supergroup chat"
            raise _RefusedError(403, f"Forbidden: bot was {by}")
        if chat.became:
            raise _RefusedError(
                400,
                "Bad Request: group chat was upgraded to a supergroup chat",
                migrate_to_chat_id=int(chat.became),
            )
        return chat

    def _topic(self, chat_id: str, thread: int) -> Chat:
        chat = self._chat(chat_id)
        if thread and thread not in chat.topics:
            raise _RefusedError(400, "Bad Request: message thread not found")
        if thread in chat.closed:
            raise _RefusedError(400, "Bad Request: TOPIC_CLOSED")
        return chat

    def _send(self, form: _SendMessage) -> dict[str, Any]:
        chat = self._topic(form.chat_id, form.message_thread_id or form.direct_messages_topic_id)
        if chat.direct is not bool(form.direct_messages_topic_id):
            raise _RefusedError(
                400, "Bad Request: a topic of direct messages is for direct messages, and they need one"
            )
        to = form.reply_parameters
        thread = form.message_thread_id or form.direct_messages_topic_id
        shown = self._shown(form) | {"message_thread_id": thread, "reply_to": 0}
        if to and (to.message_id in chat.heard or (chat.id, str(to.message_id)) in self.messages):
            shown["reply_to"] = to.message_id
        elif to and not to.allow_sending_without_reply:
            raise _RefusedError(400, "Bad Request: message to be replied not found")
        if form.receiver_user_id and not form.chat_id.startswith("-"):
            raise _RefusedError(400, "Bad Request: ephemeral messages can be sent to groups only")
        message = Message(
            chat=chat.id,
            id=str(self.number()),
            shown=shown,
            at=self.clock(),
            call=self._by,
            only_for=str(form.receiver_user_id or ""),
        )
        self.messages[chat.id, message.id] = message
        return self.drawn(message)

    def _edit(self, form: _EditMessageText) -> dict[str, Any]:
        message = self._message(form.chat_id, form.message_id)
        return self._change(message, message.shown | self._shown(form))

    def _edit_markup(self, form: _EditMessageReplyMarkup) -> dict[str, Any]:
        message = self._message(form.chat_id, form.message_id)
        return self._change(message, message.shown | {"keyboard": self._keyboard(form.reply_markup)})

    def _message(self, chat_id: str, message_id: int) -> Message:
        chat = self._chat(chat_id)
        if message_id in chat.heard:
            raise _RefusedError(400, "Bad Request: message can't be edited")
        message = self.messages.get((chat_id, str(message_id)))
        if message is None:
            raise _RefusedError(400, "Bad Request: message to edit not found")
        return message

    def _change(self, message: Message, shown: dict[str, Any]) -> dict[str, Any]:
        if shown == message.shown:
            raise _RefusedError(
                400,
                "Bad Request: message is not modified: specified new message content and reply markup are exactly "
                "the same as a current content and reply markup of the message",
            )
        message.change(shown)
        return self.drawn(message)

    def _shown(self, form: _SendMessage | _EditMessageText) -> dict[str, Any]:
        if not form.text.strip():
            raise _RefusedError(400, "Bad Request: message text is empty")
        if _units(form.text) > MAX_TEXT:
            raise _RefusedError(400, "Bad Request: message is too long")
        if self.strict and (form.parse_mode or form.entities):
            raise _RefusedError(400, "Bad Request: can't parse entities: only plain text is meant to be sent")
        return {"text": form.text, "keyboard": self._keyboard(form.reply_markup)}

    def _keyboard(self, keyboard: _Keyboard | None) -> list[list[dict[str, Any]]]:
        rows = keyboard.inline_keyboard if keyboard else []
        for button in (button for row in rows for button in row):
            data = button.callback_data
            if data is None and button.url is None:
                raise _RefusedError(400, "Bad Request: text buttons are unallowed in the inline keyboard")
            if data is not None and not 1 <= len(data.encode()) <= MAX_CALLBACK_DATA:
                raise _RefusedError(400, "Bad Request: BUTTON_DATA_INVALID")
        return [
            [{"text": button.text, "callback_data": button.callback_data, "url": button.url} for button in row]
            for row in rows
        ]

    def drawn(self, message: Message) -> dict[str, Any]:
        """Return a message as the API gives it."""
        chat = self.chats[message.chat]
        result = {
            "message_id": int(message.id),
            "date": int(message.at),
            "from": {name: self.BOT[name] for name in ("id", "is_bot", "first_name", "username")},
            "chat": {"id": int(chat.id), "type": chat.type},
            "text": message.shown["text"],
            "entities": entities(message.shown["text"]),
        }
        if message.shown["keyboard"]:
            rows = [
                [{name: value for name, value in button.items() if value is not None} for button in row]
                for row in message.shown["keyboard"]
            ]
            result["reply_markup"] = {"inline_keyboard": rows}
        return result

    def _answer_query(self, form: _AnswerCallbackQuery) -> bool:
        query = self.queries.get(form.callback_query_id)
        if query is None or query.answer is not None or self.clock() >= query.pressed_at + QUERY_SECONDS:
            raise _RefusedError(
                400, "Bad Request: query is too old and response timeout expired or query ID is invalid"
            )
        if len(form.text) > MAX_ANSWER:
            raise _RefusedError(400, "Bad Request: MESSAGE_TOO_LONG")
        query.answer = {"text": form.text, "show_alert": form.show_alert}
        query.answered_at = self.clock()
        return True

    def _act(self, form: _SendChatAction) -> bool:
        self._topic(form.chat_id, form.message_thread_id)
        if form.action not in ACTIONS:
            raise _RefusedError(400, "Bad Request: wrong parameter action in request")
        self.actions.append((form.chat_id, form.action))
        return True

    def _set_hook(self, form: _SetWebhook) -> bool:
        address = urlsplit(form.url)
        # Telegram takes https alone; on this machine there is no certificate to be had.
        if form.url and address.scheme != "https" and address.hostname not in {"127.0.0.1", "localhost"}:
            raise _RefusedError(400, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook")
        if form.secret_token and not SECRET_TOKEN.fullmatch(form.secret_token):
            raise _RefusedError(400, "Bad Request: secret token contains unallowed characters")
        self.hook = Hook(
            url=form.url,
            secret_token=form.secret_token,
            max_connections=form.max_connections,
            allowed_updates=form.allowed_updates,
        )
        return True

    def _hook_info(self, _: _Nothing) -> dict[str, Any]:
        info = {"url": self.hook.url, "has_custom_certificate": False, "pending_update_count": 0}
        if self.hook.url:
            info |= {"max_connections": self.hook.max_connections, "allowed_updates": self.hook.allowed_updates}
        return info

    def _delete_hook(self, _: _DeleteWebhook) -> bool:
        self.hook = Hook()
        return True

    def _set_commands(self, form: _SetMyCommands) -> bool:
        self.commands = msgspec.to_builtins(form.commands)
        return True

    def _set_description(self, form: _SetMyDescription) -> bool:
        self.description = form.description
        return True

    def _set_short_description(self, form: _SetMyShortDescription) -> bool:
        self.short_description = form.short_description
        return True


def entities(text: str) -> list[dict[str, Any]]:
    """Return what apps make links of in a plain text."""
    return [
        {"type": kind, "offset": _units(text[: found.start()]), "length": _units(found.group())}
        for kind, pattern in ENTITIES.items()
        for found in pattern.finditer(text)
    ]


def _fields(request: Request) -> dict[str, Any]:
    if not request.body:
        return {}
    if request.headers.get("content-type", "").startswith("application/json"):
        return msgspec.json.decode(request.body, type=dict[str, Any])
    fields: dict[str, Any] = dict(parse_qsl(request.body.decode(), keep_blank_values=True, strict_parsing=True))
    return {name: msgspec.json.decode(value) if name in NESTED else value for name, value in fields.items()}


def _failure(status: int, description: str, **parameters: int) -> Answer:
    failure: dict[str, Any] = {"ok": False, "error_code": status, "description": description}
    return json_answer(failure | ({"parameters": parameters} if parameters else {}), status)


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "replace")) // 2

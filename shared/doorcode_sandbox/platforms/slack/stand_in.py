"""A stand-in for Slack's Web API, and for the addresses that answer presses.

https://docs.slack.dev/apis/web-api
"""

from __future__ import annotations

import itertools
import re
import secrets
from collections.abc import Callable
from math import ceil
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import parse_qsl

import msgspec
from msgspec import Meta, Struct

from doorcode_sandbox.platforms.forms import FormError, checked
from doorcode_sandbox.platforms.server import Answer, Message, Request, Routed, StandIn, json_answer

API_PATH = "/api/"
RESPONSE_PATH = "/actions/"
# What its calls are called here, for they have no name of Slack's.
RESPONSE_URL, COMMAND_RESPONSE = "response_url", "command"
NESTED = frozenset({"blocks", "metadata", "attachments"})

MAX_TEXT = 40_000
MAX_BLOCKS = 50
SIGNING_BYTES = 16
RESPONSE_USES = 5
RESPONSE_SECONDS = 30 * 60
# What a text may hold once it is escaped: no tag, and no ampersand that starts nothing.
UNESCAPED = re.compile(r"[<>]|&(?!amp;|lt;|gt;)")
# What apps draw: tags, and pairs of signs around words.
LIVE = re.compile(r"<[^<>]+>|(?<!\w)([*_~`])(?=\S)[^\n]*?(?<=\S)\1(?!\w)")

_Text = Annotated[str, Meta(min_length=1, max_length=3000)]
_Ts = Annotated[str, Meta(pattern=r"^[0-9]+\.[0-9]{6}\Z")]


class _Mrkdwn(Struct, tag_field="type", tag="mrkdwn"):
    text: _Text
    verbatim: bool = False


class _Plain(Struct, tag_field="type", tag="plain_text"):
    text: _Text
    emoji: bool = True


class _Label(Struct):
    type: Literal["plain_text"]
    text: Annotated[str, Meta(min_length=1, max_length=75)]
    emoji: bool = True


class _Button(Struct, tag_field="type", tag="button"):
    text: _Label
    action_id: Annotated[str, Meta(min_length=1, max_length=255)] = "generated"
    value: Annotated[str, Meta(max_length=2000)] = ""
    url: Annotated[str, Meta(max_length=3000)] = ""
    style: Literal["primary", "danger"] | None = None


class _Section(Struct, tag_field="type", tag="section"):
    text: _Mrkdwn | _Plain
    block_id: Annotated[str, Meta(max_length=255)] = ""


class _Actions(Struct, tag_field="type", tag="actions"):
    elements: Annotated[list[_Button], Meta(min_length=1, max_length=25)]
    block_id: Annotated[str, Meta(max_length=255)] = ""


class _Piece(Struct, tag_field="type", tag="text"):
    text: Annotated[str, Meta(min_length=1)]


class _Preformatted(Struct, tag_field="type", tag="rich_text_preformatted"):
    elements: Annotated[list[_Piece], Meta(min_length=1)]


class _RichText(Struct, tag_field="type", tag="rich_text"):
    elements: Annotated[list[_Preformatted], Meta(min_length=1)]
    block_id: Annotated[str, Meta(max_length=255)] = ""


class _TextInput(Struct, tag_field="type", tag="plain_text_input"):
    action_id: Annotated[str, Meta(max_length=255)] = "generated"
    multiline: bool = False
    max_length: Annotated[int, Meta(ge=1, le=3000)] = 3000
    dispatch_action_config: Any = None


class _Input(Struct, tag_field="type", tag="input"):
    label: _Plain
    element: _TextInput
    dispatch_action: bool = False
    optional: bool = False
    block_id: Annotated[str, Meta(max_length=255)] = ""


_Blocks = Annotated[list[_Section | _Actions | _RichText | _Input], Meta(max_length=MAX_BLOCKS)]


class _PostMessage(Struct):
    channel: str
    text: str = ""
    blocks: Any = None
    thread_ts: _Ts = ""
    mrkdwn: bool = True
    parse: Literal["none", "full"] = "none"
    link_names: bool = False
    reply_broadcast: bool = False
    unfurl_links: bool = True
    unfurl_media: bool = True


class _PostEphemeral(Struct):
    channel: str
    user: str
    text: str = ""
    blocks: Any = None
    thread_ts: _Ts = ""
    parse: Literal["none", "full"] = "none"
    link_names: bool = False


class _Update(Struct):
    channel: str
    ts: str
    text: str = ""
    blocks: Any = None
    parse: Literal["none", "full"] = "none"
    link_names: bool = False


class _Open(Struct):
    users: str = ""
    channel: str = ""
    return_im: bool = False
    prevent_creation: bool = False


class _Info(Struct):
    user: str
    include_locale: bool = False


class _Respond(Struct):
    response_type: Literal["ephemeral", "in_channel"] = "ephemeral"
    text: str = ""
    blocks: Any = None
    replace_original: bool = False
    delete_original: bool = False
    thread_ts: _Ts = ""


class _CreateApp(Struct):
    manifest: str


class _UpdateApp(Struct):
    app_id: str
    manifest: str


class _Nothing(Struct):
    pass


class User(Struct, kw_only=True):
    """A member of the workspace, and the app's direct messages with them."""

    id: str
    name: str
    real_name: str
    channel: str
    # Whose member they are, where that is another workspace.
    team: str = ""
    locale: str = "en-US"
    disabled: bool = False
    opened: bool = False


class ResponseUrl(Struct, kw_only=True):
    """Where a press can be answered, for a while; ``ts`` is the message with the button."""

    user: str
    channel: str
    made_at: float
    ts: str = ""
    uses: int = 0


class _RefusedError(Exception):
    def __init__(self, error: str, *messages: str, **more: str) -> None:
        self.answer: dict[str, Any] = {"ok": False, "error": error, **more}
        if messages:
            self.answer["response_metadata"] = {"messages": list(messages)}
        super().__init__(error)


class SlackStandIn(StandIn):
    """Slack, for one app in one workspace."""

    NAME = "slack"
    BOT_USER: ClassVar[str] = "U0DOORCODE"
    BOT: ClassVar[str] = "B0DOORCODE"
    TEAM: ClassVar[str] = "T0WORKSPACE"
    MADE_UP: ClassVar[str] = f"xoxb-{1:011}-{1:011}-{'sandbox':0<24}"
    SCOPES: ClassVar[dict[str, str]] = {
        "chat.postMessage": "chat:write",
        "chat.postEphemeral": "chat:write",
        "chat.update": "chat:write",
        "conversations.open": "im:write",
        "users.info": "users:read",
    }

    def __init__(self, token: str = "xoxb-stand-in", **options: Any) -> None:  # noqa: S107 (made up)
        """Take that token and no other."""
        super().__init__(token, **options)
        self.scopes = {"chat:write", "im:write", "users:read"}
        self.users: dict[str, User] = {}
        # Channels that the app is in, and who else is.
        self.channels: dict[str, set[str]] = {}
        # Channels that were archived, and threads that are locked, by channel and ts.
        self.archived: set[str] = set()
        self.locked: set[tuple[str, str]] = set()
        # What its owner makes apps with, and those that were made: their manifests, by id.
        self.configuration_token = "xoxe.xoxp-stand-in"  # noqa: S105 (made up)
        self.apps: dict[str, dict[str, Any]] = {}
        self.signing_secret = secrets.token_hex(SIGNING_BYTES)
        # What only one person saw.
        self.whispers: list[Message] = []
        self._responses: dict[str, ResponseUrl] = {}
        self._numbers = itertools.count(1)
        self._methods: dict[str, tuple[type[Any], Callable[[Any], dict[str, Any]]]] = {
            "auth.test": (_Nothing, self._auth_test),
            "chat.postMessage": (_PostMessage, self._post),
            "chat.postEphemeral": (_PostEphemeral, self._post_ephemeral),
            "chat.update": (_Update, self._update),
            "conversations.open": (_Open, self._open_conversation),
            "users.info": (_Info, self._info),
            "apps.manifest.create": (_CreateApp, self._create_app),
            "apps.manifest.update": (_UpdateApp, self._update_app),
        }

    @property
    def api_url(self) -> str:
        """What SLACK_API_URL is set to."""
        return f"{self.url}/api"

    # Being part of a sandbox

    def credentials(self) -> dict[str, str]:
        """Return another signing secret each time, and the workspace."""
        return {"slack/signing-secret": secrets.token_hex(SIGNING_BYTES), "slack/team": f"{self.TEAM}:"}

    def register(self, url: str, secret: str) -> None:
        """Do nothing: the address stands in the app's manifest, which no call shows."""

    # What people do

    def add_user(self, user_id: str, name: str = "", real_name: str = "", *, channel: str = "") -> User:
        """Have somebody in the workspace; ``channel`` is what the app's direct messages with them are called."""
        user = User(id=user_id, name=name, real_name=real_name, channel=channel or f"D{user_id[1:]}")
        self.users[user_id] = user
        return user

    def open_chat(self, user_id: str) -> str:
        """Have somebody write to the app; return the channel."""
        user = self.users.get(user_id) or self.add_user(user_id)
        user.opened = True
        self.channels[user.channel] = {user_id}
        return user.channel

    def add_channel(self, channel: str, *members: str) -> None:
        """Have the app in a channel."""
        self.channels[channel] = set(members)

    def write(self) -> str:
        """Have a person write something; return the message's ts."""
        return self._ts()

    def response_url(self, user_id: str, channel: str, ts: str = "") -> str:
        """Have somebody press a button there, under that message; return where it can be answered."""
        path = f"{RESPONSE_PATH}{self.TEAM}/{next(self._numbers)}/{secrets.token_urlsafe(18)}"
        with self._changed:
            self._responses[path] = ResponseUrl(user=user_id, channel=channel, made_at=self.clock(), ts=ts)
        return f"{self.url}{path}"

    def respond(self, channel: str, user_id: str, body: bytes) -> None:
        """Take the response to somebody's command there, and show it to them alone. Raises FormError."""
        form = checked(msgspec.json.decode(body), _Respond, strict=self.strict)
        with self._changed:
            self._whispered(channel, user_id, self._shown(form), COMMAND_RESPONSE)

    def past(self) -> list[list[Any] | dict[Any, Any]]:
        """Return everything that grows with what happens, oldest first."""
        return [*super().past(), self.whispers, self._responses]

    # The API

    def route(self, request: Request) -> Routed | Answer:
        """Check the token, then the method; read JSON or a form. A ``response_url`` is its own token."""
        try:
            fields = _fields(request)
        except ValueError:
            return json_answer({"ok": False, "error": "invalid_json"})
        if request.path.startswith(RESPONSE_PATH):
            return self._route_response(request.path, fields)
        if not request.path.startswith(API_PATH):
            return json_answer({"ok": False, "error": "unknown_method"}, 404)
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        token = token if scheme == "Bearer" else fields.pop("token", "")
        method = request.path.removeprefix(API_PATH)
        if token != (self.configuration_token if method.startswith("apps.manifest.") else self.token):
            return json_answer({"ok": False, "error": "invalid_auth" if token else "not_authed"})
        return self._route_method(method, fields)

    def _route_method(self, method: str, fields: dict[str, Any]) -> Routed | Answer:
        if method not in self._methods:
            return json_answer({"ok": False, "error": "unknown_method", "req_method": method})
        scope = self.SCOPES.get(method)
        if scope and scope not in self.scopes:
            provided = ",".join(sorted(self.scopes))
            return json_answer({"ok": False, "error": "missing_scope", "needed": scope, "provided": provided})
        chat = fields.get("channel") or fields.get("users") or fields.get("user") or ""
        return Routed(method, str(chat), fields)

    def _route_response(self, path: str, fields: dict[str, Any]) -> Routed | Answer:
        response = self._responses.get(path)
        if response is None or self.clock() >= response.made_at + RESPONSE_SECONDS:
            return json_answer({"ok": False, "error": "expired_url"}, 404)
        if response.uses >= RESPONSE_USES:
            return json_answer({"ok": False, "error": "used_url"}, 404)
        return Routed(RESPONSE_URL, response.channel, fields, (path,))

    def perform(self, call: Routed) -> Answer:
        """Do what is called."""
        try:
            if call.name == RESPONSE_URL:
                self._respond(self._responses[call.at[0]], self._read(call.fields, _Respond))
                return Answer(200, b"ok", {"Content-Type": "text/plain"})
            form, method = self._methods[call.name]
            return json_answer({"ok": True, **method(self._read(call.fields, form))})
        except _RefusedError as error:
            return json_answer(error.answer)

    def _create_app(self, form: _CreateApp) -> dict[str, Any]:
        app_id = f"A0MADE{len(self.apps):04}"
        self.apps[app_id] = msgspec.json.decode(form.manifest)
        return {"app_id": app_id, "credentials": {"client_id": "1.1", "signing_secret": self.signing_secret}}

    def _update_app(self, form: _UpdateApp) -> dict[str, Any]:
        if form.app_id not in self.apps:
            raise _RefusedError("app_not_found")
        self.apps[form.app_id] = msgspec.json.decode(form.manifest)
        return {"app_id": form.app_id, "permissions_updated": False}

    def limited(self, delay: float) -> Answer:
        """Ask to wait."""
        return json_answer({"ok": False, "error": "ratelimited"}, 429, Retry_After=str(ceil(delay)))

    def _read(self, fields: dict[str, Any], form: type[Any]) -> Any:
        try:
            return checked(fields, form, strict=self.strict)
        except FormError as error:
            raise _RefusedError("invalid_arguments", f"[ERROR] {error} [json-pointer:/{error.field}]") from None

    def _channel(self, channel: str) -> set[str]:
        members = self.channels.get(channel)
        if members is None:
            raise _RefusedError("channel_not_found")
        if channel in self.archived:
            raise _RefusedError("is_archived")
        for member in members:
            if channel.startswith("D") and self.users[member].disabled:
                raise _RefusedError("channel_not_found")
        return members

    def _shown(self, form: _PostMessage | _PostEphemeral | _Update | _Respond) -> dict[str, Any]:
        blocks: Any = None
        if form.blocks is not None:
            try:
                blocks = msgspec.to_builtins(checked(form.blocks, _Blocks, strict=self.strict))
            except FormError as error:
                raise _RefusedError("invalid_blocks", f"[ERROR] {error} [json-pointer:/blocks/{error.field}]") from None
            ids = [
                element["action_id"] for block in blocks if block["type"] == "actions" for element in block["elements"]
            ]
            if len(set(ids)) != len(ids):
                raise _RefusedError("invalid_blocks", "[ERROR] `action_id` already exists")
        if not (form.text.strip() or blocks):
            raise _RefusedError("no_text")
        if len(form.text) > MAX_TEXT:
            raise _RefusedError("msg_too_long")
        texts = [form.text, *(block["text"]["text"] for block in blocks or () if block["type"] == "section")]
        if self.strict and any(UNESCAPED.search(text) for text in texts):
            raise _RefusedError("invalid_arguments", "[ERROR] a text holds a mention, a link or an unescaped sign")
        return {"text": form.text, "blocks": blocks}

    def _auth_test(self, _: _Nothing) -> dict[str, Any]:
        return {
            "url": "https://workspace.slack.com/",
            "team": "Workspace",
            "user": "doorcode",
            "team_id": self.TEAM,
            "user_id": self.BOT_USER,
            "bot_id": self.BOT,
            "is_enterprise_install": False,
        }

    def _ts(self) -> str:
        return f"{int(self.clock())}.{next(self._numbers) % 1_000_000:06d}"

    def _post(self, form: _PostMessage) -> dict[str, Any]:
        # The id of a person stands for the app's direct messages with them.
        channel = form.channel
        if channel in self.users:
            channel = self._open(channel).channel
        self._channel(channel)
        if (channel, form.thread_ts) in self.locked:
            raise _RefusedError("restricted_action_thread_locked")
        shown = self._shown(form) | {"thread_ts": form.thread_ts, "mrkdwn": form.mrkdwn and not form.link_names}
        message = self._said(channel, shown, "chat.postMessage")
        return {"channel": channel, "ts": message.id, "message": self.drawn(message)}

    def _said(self, channel: str, shown: dict[str, Any], call: str) -> Message:
        message = Message(chat=channel, id=self._ts(), shown=shown, at=self.clock(), call=call)
        self.messages[channel, message.id] = message
        return message

    def _whispered(self, channel: str, user: str, shown: dict[str, Any], call: str) -> Message:
        message = Message(chat=channel, id=self._ts(), shown=shown, at=self.clock(), call=call, only_for=user)
        self.whispers.append(message)
        return message

    def drawn(self, message: Message) -> dict[str, Any]:
        """Return a message as the API gives it."""
        shown = {name: message.shown[name] for name in ("text", "blocks", "thread_ts") if message.shown[name]}
        return {"type": "message", "user": self.BOT_USER, "bot_id": self.BOT, "ts": message.id, **shown}

    def _post_ephemeral(self, form: _PostEphemeral) -> dict[str, Any]:
        if form.user not in self._channel(form.channel):
            raise _RefusedError("user_not_in_channel")
        whisper = self._whispered(form.channel, form.user, self._shown(form), "chat.postEphemeral")
        return {"message_ts": whisper.id}

    def _update(self, form: _Update) -> dict[str, Any]:
        self._channel(form.channel)
        message = self.messages.get((form.channel, form.ts))
        if message is None:
            raise _RefusedError("message_not_found")
        message.change(message.shown | self._shown(form))
        return {"channel": form.channel, "ts": form.ts, "text": form.text, "message": self.drawn(message)}

    def _open(self, user_id: str) -> User:
        user = self.users.get(user_id)
        if user is None:
            raise _RefusedError("user_not_found")
        if user.disabled:
            raise _RefusedError("user_disabled")
        user.opened = True
        self.channels.setdefault(user.channel, {user_id})
        return user

    def _open_conversation(self, form: _Open) -> dict[str, Any]:
        if not form.users:
            raise _RefusedError("users_list_not_supplied")
        user_ids = form.users.split(",")
        if len(user_ids) > 1:
            raise _RefusedError("not_enough_users", "[ERROR] the stand-in opens direct messages only")
        known = self.users.get(form.users)
        already = {"no_op": True, "already_open": True} if known and known.opened else {}
        return {**already, "channel": {"id": self._open(form.users).channel}}

    def _info(self, form: _Info) -> dict[str, Any]:
        user = self.users.get(form.user)
        if user is None:
            raise _RefusedError("user_not_found")
        profile = {"real_name": user.real_name, "display_name": user.name}
        return {
            "user": {
                "id": user.id,
                "team_id": user.team or self.TEAM,
                "name": user.name,
                "real_name": user.real_name,
                "deleted": user.disabled,
                "is_bot": False,
                "profile": profile,
                **({"locale": user.locale} if form.include_locale else {}),
            }
        }

    def _respond(self, response: ResponseUrl, form: _Respond) -> None:
        shown = self._shown(form)
        response.uses += 1
        original = self.messages.get((response.channel, response.ts))
        if form.replace_original and original:
            original.change(original.shown | shown)
        elif form.response_type == "ephemeral":
            self._whispered(response.channel, response.user, shown, RESPONSE_URL)
        else:
            self._said(response.channel, shown | {"thread_ts": form.thread_ts, "mrkdwn": True}, RESPONSE_URL)


def live_markup(text: str) -> list[str]:
    """Return what apps draw of a text as something else than text: tags, bold, italic, struck out, code."""
    return [found.group() for found in LIVE.finditer(text)]


def _fields(request: Request) -> dict[str, Any]:
    if request.headers.get("content-type", "").startswith("application/json"):
        return msgspec.json.decode(request.body or b"{}", type=dict[str, Any])
    fields: dict[str, Any] = dict(parse_qsl(request.body.decode(), keep_blank_values=True))
    return {name: msgspec.json.decode(value) if name in NESTED else value for name, value in fields.items()}

"""A stand-in for Discord's HTTP API: direct messages, channels, answers to interactions, the application itself.

https://docs.discord.com/developers/reference
"""

from __future__ import annotations

import itertools
import re
import secrets
from collections.abc import Callable
from math import ceil
from typing import Annotated, Any, ClassVar, Literal, Self
from urllib.parse import unquote

import msgspec
from msgspec import Meta, Struct

from doorcode_sandbox.platforms.discord.application_key import ApplicationKey
from doorcode_sandbox.platforms.forms import FormError, checked
from doorcode_sandbox.platforms.server import RESPONSE, Answer, Message, Request, Routed, StandIn, json_answer

API_PATH = "/api/v10"
EPOCH_MS = 1_420_070_400_000
TOKEN_SECONDS = 15 * 60
NONCE_SECONDS = 5 * 60
SEED_BYTES = 32

EPHEMERAL, LOADING = 64, 128
SHOW, DEFER, UPDATE, SHOW_MODAL = 4, 5, 7, 9
TAKES_NO_MESSAGES, NO_MUTUAL_SERVER = 50007, 50278
SAYS = {
    10003: (404, "Unknown Channel"),
    10008: (404, "Unknown Message"),
    10015: (404, "Unknown Webhook"),
    50005: (403, "Cannot edit a message authored by another user"),
    50006: (400, "Cannot send an empty message"),
    50007: (403, "Cannot send messages to this user"),
    50027: (401, "Invalid Webhook Token"),
    50033: (400, "Invalid Recipient(s)"),
    50278: (403, "Cannot send messages to this user due to having no mutual guilds"),
}

# What apps draw as something else than text, unless a backslash stands before it.
LIVE = re.compile(
    r"<(?:@[!&]?|#|:\w+:|a:\w+:|t:|/)[^>\s]*>|@everyone|@here"  # mentions, emoji, times
    r"|\[[^\]\n]+\]\([^)\s]+\)|https?://\S+"  # links
    r"|(?P<sign>(?P<one>[*_~|`])(?P=one)?)(?=\S)[^\n]*?(?<=\S)(?P=sign)"  # bold, italic, struck out, hidden, code
    r"|^(?:#{1,3} |>{1,3} |-# |[-*] )",  # headings, quotes, small print, lists
    re.MULTILINE,
)
ESCAPED = re.compile(r"\\[^A-Za-z0-9\s]")

_Snowflake = Annotated[str, Meta(pattern=r"^[0-9]{1,20}\Z")]
_Content = Annotated[str, Meta(max_length=2000)]


class _Mentions(Struct):
    parse: list[Literal["users", "roles", "everyone"]] | None = None
    users: list[_Snowflake] = []
    roles: list[_Snowflake] = []
    replied_user: bool = False


class _Button(Struct):
    type: Literal[2]
    style: Annotated[int, Meta(ge=1, le=6)]
    label: Annotated[str, Meta(max_length=80)] = ""
    custom_id: Annotated[str, Meta(min_length=1, max_length=100)] | None = None
    url: Annotated[str, Meta(max_length=512)] | None = None
    disabled: bool = False


class _Row(Struct):
    type: Literal[1]
    components: Annotated[list[_Button], Meta(min_length=1, max_length=5)]


_Rows = Annotated[list[_Row], Meta(max_length=5)]


class _TextInput(Struct):
    type: Literal[4]
    custom_id: Annotated[str, Meta(min_length=1, max_length=100)]
    style: Literal[1, 2]
    min_length: Annotated[int, Meta(ge=0, le=4000)] = 0
    max_length: Annotated[int, Meta(ge=1, le=4000)] = 4000
    required: bool = True


class _Label(Struct):
    type: Literal[18]
    label: Annotated[str, Meta(min_length=1, max_length=45)]
    component: _TextInput


class _Modal(Struct):
    custom_id: Annotated[str, Meta(min_length=1, max_length=100)]
    title: Annotated[str, Meta(min_length=1, max_length=45)]
    components: Annotated[list[_Label], Meta(min_length=1, max_length=5)]


class Modal(Message, kw_only=True):
    """A modal that is open over a message."""

    over: Message | None


class _Create(Struct):
    content: _Content = ""
    nonce: Annotated[str, Meta(max_length=25)] | int | None = None
    enforce_nonce: bool = False
    tts: bool = False
    flags: int = 0
    components: _Rows = []
    allowed_mentions: _Mentions | None = None


class _Edit(Struct):
    content: _Content | None = None
    flags: int | None = None
    components: _Rows | None = None
    allowed_mentions: _Mentions | None = None


class _FollowUp(Struct):
    content: _Content = ""
    tts: bool = False
    flags: int = 0
    components: _Rows = []
    allowed_mentions: _Mentions | None = None


class _Response(Struct):
    type: int
    data: dict[str, Any] = {}


class _Recipient(Struct):
    recipient_id: _Snowflake


class _Application(Struct):
    interactions_endpoint_url: str | None = None
    description: str | None = None
    tags: list[str] | None = None
    integration_types_config: dict[str, Any] | None = None


class _Option(Struct):
    type: Annotated[int, Meta(ge=1, le=11)]
    name: Annotated[str, Meta(pattern=r"^[-_a-z0-9]{1,32}\Z")]
    description: Annotated[str, Meta(min_length=1, max_length=100)]
    required: bool = False
    min_length: Annotated[int, Meta(ge=0, le=6000)] = 0
    max_length: Annotated[int, Meta(ge=1, le=6000)] = 6000


class _Command(Struct):
    name: Annotated[str, Meta(pattern=r"^[-_a-z0-9]{1,32}\Z")]
    description: Annotated[str, Meta(min_length=1, max_length=100)]
    type: Annotated[int, Meta(ge=1, le=4)] = 1
    options: Annotated[list[_Option], Meta(max_length=25)] = []
    contexts: list[Literal[0, 1, 2]] | None = None
    integration_types: list[Literal[0, 1]] = []
    default_member_permissions: str | None = None
    nsfw: bool = False


_Commands = Annotated[list[_Command], Meta(max_length=100)]


class _Nothing(Struct):
    pass


class User(Struct, kw_only=True):
    """A person whom the bot knows of, and its direct messages with them."""

    id: str
    channel: str
    # The code that a message to them is refused with; 0: it is delivered.
    refuses: int = 0


class Interaction(Struct, kw_only=True):
    """A slash command or a press that waits for answers."""

    token: str
    channel: str
    made_at: float
    # Who it is of, and the message whose button was pressed.
    user: str = ""
    pressed: Message | None = None
    # The original response, once there is one.
    message: Message | None = None


class _RefusedError(Exception):
    def __init__(self, code: int) -> None:
        self.code = code
        super().__init__(SAYS[code][1])


class DiscordStandIn(StandIn):
    """Discord, for one application."""

    NAME = "discord"
    APPLICATION: ClassVar[str] = "1100000000000000001"
    MADE_UP: ClassVar[str] = f"{'sandbox':_<26}.{'sandbox'[:6]}.{'sandbox':_<38}"

    def __init__(
        self,
        token: str = "stand-in.discord.token",  # noqa: S107 (made up)
        application: str = APPLICATION,
        seed: bytes = b"",
        **options: Any,
    ) -> None:
        """Take that token and no other. ``seed`` is the 32 bytes that the application's key is made of; else random."""
        super().__init__(token, **options)
        self.key = ApplicationKey(seed or secrets.token_bytes(SEED_BYTES))
        self.application: dict[str, Any] = {
            "id": application,
            "name": "Doorcode",
            "interactions_endpoint_url": None,
            "verify_key": self.key.public,
        }
        self.commands: list[dict[str, Any]] = []
        self.users: dict[str, User] = {}
        # Channels of servers that the bot may write to.
        self.channels: set[str] = set()
        # Whether an interactions endpoint answers as Discord wants it to.
        self.probe: Callable[[str], bool] = lambda _: True
        self.typed: list[str] = []
        # Each person's modal that is open: drawn as a message for them alone.
        self.modals: dict[str, Modal] = {}
        # For how many seconds a call waits for the response that it is about: whoever answers an interaction at once
        # may be faster than the webhook's response is read.
        self.patience: float = 0
        self._interactions: dict[str, Interaction] = {}
        self._nonces: dict[str, tuple[float, Message]] = {}
        self._numbers = itertools.count(1)
        snowflake, rest = r"([0-9]{1,20})", r"([^/]+)"
        # What is called, by verb and path: its name, what it does, and the form of its fields.
        self._calls: list[tuple[str, re.Pattern[str], str, type[Any], Callable[..., Any]]] = [
            (verb, re.compile(API_PATH + path), name, form, method)
            for verb, path, name, form, method in (
                ("POST", "/users/@me/channels", "createDM", _Recipient, self._open),
                ("POST", f"/channels/{snowflake}/messages", "createMessage", _Create, self._create),
                ("PATCH", f"/channels/{snowflake}/messages/{snowflake}", "editMessage", _Edit, self._edit),
                ("POST", f"/channels/{snowflake}/typing", "typing", _Nothing, self._type),
                ("GET", f"/webhooks/{snowflake}/{rest}/messages/@original", "getOriginal", _Nothing, self._original),
                ("PATCH", f"/webhooks/{snowflake}/{rest}/messages/@original", "editOriginal", _Edit, self._edit_original),
                ("POST", f"/webhooks/{snowflake}/{rest}", "followUp", _FollowUp, self._follow_up),
                ("GET", "/applications/@me", "getApplication", _Nothing, lambda _: self.application),
                ("PATCH", "/applications/@me", "editApplication", _Application, self._edit_application),
                ("GET", f"/applications/{snowflake}/commands", "getCommands", _Nothing, lambda *_: self.commands),
                ("PUT", f"/applications/{snowflake}/commands", "putCommands", _Commands, self._put_commands),
                ("POST", f"/applications/{snowflake}/commands", "postCommand", _Command, self._post_command),
            )
        ]  # fmt: skip

    # Being part of a sandbox

    @classmethod
    def in_sandbox(cls, port: int, seed: Callable[[], bytes]) -> Self:
        """Prepare a sandbox's, which signs with the same key in every run and tries endpoints as Discord does."""
        made = cls(cls.MADE_UP, seed=seed(), port=port)
        made.probe = made.key.endpoint_checks
        return made

    def credentials(self) -> dict[str, str]:
        """Return the application's public key."""
        return {"discord/public-key": self.key.public}

    def register(self, url: str, secret: str) -> None:  # noqa: ARG002 (the application's key proves them)
        """Have interactions sent there."""
        self.application["interactions_endpoint_url"] = url

    @property
    def api_url(self) -> str:
        """What DISCORD_API_URL is set to."""
        return f"{self.url}{API_PATH}"

    # What people do

    def add_user(self, user_id: str, *, refuses: int = 0, channel: str = "") -> User:
        """Have somebody on a server that the bot is on, who takes its messages or refuses them with that code."""
        user = User(id=user_id, channel=channel or self._id(), refuses=refuses)
        self.users[user_id] = user
        return user

    def number(self) -> str:
        """Give an id that nothing else has had, an interaction's for example; it holds the time."""
        return self._id()

    def interaction(
        self, token: str, channel: str, *, user: str = "", button: str = "", message: str = ""
    ) -> Interaction:
        """Have somebody use the command, or press the button with that id; the response to it comes later.

        The button is that of the newest message which has it, or of the one whose id is given.
        """
        with self._changed:
            shown = reversed(self.in_chat(channel))
            pressed = next((one for one in shown if button in _ids(one) and message in {"", one.id}), None)
            made = Interaction(token=token, channel=channel, made_at=self.clock(), user=user, pressed=pressed)
            self._interactions[token] = made
            return made

    def respond(self, token: str, body: bytes) -> None:
        """Take the response to an interaction's webhook. Raises FormError if it is none that Discord takes.

        Only the first one counts: the platform refuses to acknowledge an interaction twice.
        """
        try:
            response = msgspec.json.decode(body, type=_Response)
        except msgspec.DecodeError as error:
            raise FormError(str(error)) from None
        with self._changed:
            interaction = self._interactions[token]
            if interaction.message is None:
                try:
                    self._acknowledge(interaction, response.type, response.data)
                except _RefusedError as error:
                    raise FormError(str(error)) from None
                self._touched()

    def _acknowledge(self, interaction: Interaction, kind: int, data: dict[str, Any]) -> None:
        if kind == UPDATE:
            if interaction.pressed is None:
                raise FormError("There is no message to update")
            self._change(interaction.pressed, checked(data, _Edit, strict=self.strict))
            interaction.message = interaction.pressed
        elif kind in {SHOW, DEFER}:
            form = checked(data, _FollowUp, strict=self.strict)
            form.flags |= LOADING if kind == DEFER else 0
            interaction.message = self._add(interaction.channel, form, RESPONSE, interaction.user)
        elif kind == SHOW_MODAL:
            modal = checked(data, _Modal, strict=self.strict)
            self.modals[interaction.user] = Modal(
                chat=interaction.channel,
                id=f"modal:{next(self._numbers)}",
                at=self.clock(),
                call=RESPONSE,
                only_for=interaction.user,
                shown=msgspec.to_builtins(modal),
                over=interaction.pressed,
            )

    def past(self) -> list[list[Any] | dict[Any, Any]]:
        """Return everything that grows with what happens, oldest first."""
        return [*super().past(), self.typed, self._interactions, self._nonces]

    # The API

    def route(self, request: Request) -> Routed | Answer:
        """Check the path, then whose token it needs; read JSON."""
        for verb, pattern, name, *_ in self._calls:
            found = pattern.fullmatch(request.path)
            if found and verb == request.verb:
                return self._route(name, tuple(map(unquote, found.groups())), request)
        if any(pattern.fullmatch(request.path) for _, pattern, *_ in self._calls):
            return json_answer({"message": "405: Method Not Allowed", "code": 0}, 405)
        return json_answer({"message": "404: Not Found", "code": 0}, 404)

    def _route(self, name: str, at: tuple[str, ...], request: Request) -> Routed | Answer:
        by_interaction = "/webhooks/" in request.path
        if not by_interaction and request.headers.get("authorization") != f"Bot {self.token}":
            return json_answer({"message": "401: Unauthorized", "code": 0}, 401)
        try:
            fields = msgspec.json.decode(request.body) if request.body else {}
        except ValueError:
            return json_answer({"message": "The request body contains invalid JSON.", "code": 50109}, 400)
        if by_interaction:
            interaction = self._interactions.get(at[1])
            return Routed(name, interaction.channel if interaction else "", fields, at)
        chat = at[0] if request.path.startswith(f"{API_PATH}/channels/") else ""
        if name == "createDM" and isinstance(fields, dict):
            chat = str(fields.get("recipient_id", ""))
        return Routed(name, chat, fields, at)

    def perform(self, call: Routed) -> Answer:
        """Do what is called."""
        form, method = next((form, method) for _, _, name, form, method in self._calls if name == call.name)
        try:
            result = method(checked(call.fields, form, strict=self.strict), *call.at)
        except FormError as error:
            problem = {"_errors": [{"code": "INVALID", "message": str(error)}]}
            failure = {"message": "Invalid Form Body", "code": 50035, "errors": {error.field or "_": problem}}
            return json_answer(failure, 400)
        except _RefusedError as error:
            return json_answer({"message": str(error), "code": error.code}, SAYS[error.code][0])
        return Answer(204) if result is None else json_answer(result)

    def limited(self, delay: float) -> Answer:
        """Ask to wait."""
        said = {"message": "You are being rate limited.", "retry_after": delay, "global": False}
        return json_answer(said, 429, Retry_After=str(ceil(delay)), X_RateLimit_Scope="user")

    def _id(self) -> str:
        return str((int(self.clock() * 1000) - EPOCH_MS << 22) + next(self._numbers))

    def _open(self, form: _Recipient) -> dict[str, Any]:
        user = self.users.get(form.recipient_id)
        if user is None:
            # A chat with anybody can be opened; writing to it is another matter.
            user = self.add_user(form.recipient_id, refuses=NO_MUTUAL_SERVER)
        if form.recipient_id == self.application["id"]:
            raise _RefusedError(50033)
        return {"id": user.channel, "type": 1, "recipients": [{"id": user.id}]}

    def _writable(self, channel: str) -> None:
        user = next((user for user in self.users.values() if user.channel == channel), None)
        if user is None and channel not in self.channels:
            raise _RefusedError(10003)
        if user and user.refuses:
            raise _RefusedError(user.refuses)

    def _create(self, form: _Create, channel: str) -> dict[str, Any]:
        self._writable(channel)
        nonce = "" if form.nonce is None else str(form.nonce)
        made_at, message = self._nonces.get(nonce, (0.0, None))
        if nonce and form.enforce_nonce and message and self.clock() < made_at + NONCE_SECONDS:
            return self.drawn(message) | {"nonce": form.nonce}
        message = self._add(channel, form, "createMessage")
        if nonce:
            self._nonces[nonce] = (self.clock(), message)
        return self.drawn(message) | ({"nonce": form.nonce} if nonce else {})

    def _edit(self, form: _Edit, channel: str, message_id: str) -> dict[str, Any]:
        self._writable(channel)
        message = self.messages.get((channel, message_id))
        if message is None:
            raise _RefusedError(10008)
        return self._change(message, form)

    def _type(self, _: _Nothing, channel: str) -> None:
        self._writable(channel)
        self.typed.append(channel)

    def _interaction(self, application: str, token: str) -> tuple[Interaction, Message]:
        interaction = self._interactions.get(token)
        if interaction is None or application != self.application["id"]:
            raise _RefusedError(10015)
        if self.clock() >= interaction.made_at + TOKEN_SECONDS:
            raise _RefusedError(50027)
        self._changed.wait_for(lambda: interaction.message is not None, self.patience)
        if interaction.message is None:
            raise _RefusedError(10015)
        return interaction, interaction.message

    def _original(self, _: _Nothing, application: str, token: str) -> dict[str, Any]:
        return self.drawn(self._interaction(application, token)[1])

    def _edit_original(self, form: _Edit, application: str, token: str) -> dict[str, Any]:
        return self._change(self._interaction(application, token)[1], form)

    def _follow_up(self, form: _FollowUp, application: str, token: str) -> dict[str, Any]:
        interaction, _ = self._interaction(application, token)
        return self.drawn(self._add(interaction.channel, form, "followUp", interaction.user))

    def _add(self, channel: str, form: _Create | _FollowUp, call: str, user: str = "") -> Message:
        if not form.content.strip() and not form.flags & LOADING:
            raise _RefusedError(50006)
        self._check(form.content, form.components, form.allowed_mentions)
        rows = msgspec.to_builtins(form.components)
        shown = {"content": form.content, "components": rows, "flags": form.flags}
        message = Message(
            chat=channel,
            id=self._id(),
            shown=shown | self._mentioned(form.content, form.allowed_mentions),
            at=self.clock(),
            call=call,
            only_for=user if form.flags & EPHEMERAL else "",
        )
        self.messages[channel, message.id] = message
        return message

    def _change(self, message: Message, form: _Edit) -> dict[str, Any]:
        content = message.shown["content"] if form.content is None else form.content
        if not content.strip():
            raise _RefusedError(50006)
        rows = msgspec.to_builtins(form.components)
        self._check(content, form.components or [], form.allowed_mentions)
        shown = {
            "content": content,
            "components": message.shown["components"] if rows is None else rows,
            "flags": message.shown["flags"] & ~LOADING,
        }
        message.change(shown | self._mentioned(content, form.allowed_mentions))
        return self.drawn(message)

    def _check(self, content: str, rows: list[_Row], mentions: _Mentions | None) -> None:
        ids = [button.custom_id for row in rows for button in row.components if button.custom_id is not None]
        if len(set(ids)) != len(ids):
            raise FormError("Component custom id cannot be duplicated", "components")
        for button in (button for row in rows for button in row.components):
            if (button.custom_id is None) is (button.url is None):
                raise FormError("A button needs a custom id, or a url", "components")
        if self.strict and content and (mentions is None or mentions.parse != [] or mentions.users or mentions.roles):
            raise FormError("Nobody is meant to be mentioned", "allowed_mentions")

    def _mentioned(self, content: str, mentions: _Mentions | None) -> dict[str, Any]:
        """Return whom a message notifies: without ``allowed_mentions``, everyone whom it names."""
        everyone = mentions is None or "everyone" in (mentions.parse or ())
        users = mentions is None or "users" in (mentions.parse or ())
        return {
            "mention_everyone": everyone and ("@everyone" in content or "@here" in content),
            "mentions": [{"id": user} for user in re.findall(r"<@!?([0-9]+)>", content)] if users else [],
        }

    def drawn(self, message: Message) -> dict[str, Any]:
        """Return a message as the API gives it."""
        return {"id": message.id, "channel_id": message.chat, "type": 0, **message.shown}

    def _edit_application(self, form: _Application) -> dict[str, Any]:
        if form.interactions_endpoint_url and not self.probe(form.interactions_endpoint_url):
            raise FormError(
                "The specified interactions endpoint url could not be verified.", "interactions_endpoint_url"
            )
        given = {name: value for name, value in msgspec.to_builtins(form).items() if value is not None}
        self.application |= given
        return self.application

    def _put_commands(self, form: list[_Command], application: str) -> list[dict[str, Any]]:
        if application != self.application["id"]:
            raise _RefusedError(10015)
        self.commands = [{"id": self._id(), **msgspec.to_builtins(command)} for command in form]
        return self.commands

    def _post_command(self, form: _Command, application: str) -> dict[str, Any]:
        if application != self.application["id"]:
            raise _RefusedError(10015)
        added = {"id": self._id(), **msgspec.to_builtins(form)}
        # One of the same name gives way to it.
        self.commands = [*(command for command in self.commands if command["name"] != form.name), added]
        return added


def _ids(message: Message) -> set[str]:
    """Return the ids of a message's buttons."""
    rows = message.shown["components"]
    return {button["custom_id"] for row in rows for button in row["components"] if button["custom_id"]}


def live_markup(content: str) -> list[str]:
    """Return what apps draw of a content as something else than text, or notify somebody for."""
    # An escaped sign is text; what stands in its place here is a letter, so that words stay words.
    return [found.group() for found in LIVE.finditer(ESCAPED.sub("x", content))]

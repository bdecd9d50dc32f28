"""Discord: interactions in, and to every one of them an answer.

https://docs.discord.com/developers/interactions/receiving-and-responding

Discord delivers no direct-message text over HTTP: talking to the bot is the slash command ``/chat message:…``.
"""

from __future__ import annotations

import re
from typing import Annotated, Any

from msgspec import Meta, Raw, Struct
from nacl.bindings import crypto_sign_open
from nacl.exceptions import BadSignatureError

from doorcode.errors import SecretError
from doorcode.pairing.callbacks import PREFIX, Action, is_question
from doorcode.pairing.contact import Platform
from doorcode.pairing.gate import Reason
from doorcode.pairing.keyring import Keyring
from doorcode.pairing.messages import ChatType, Ignored, Message, Press
from doorcode.pairing.names import Names, names_of
from doorcode.pairing.prompts import Prompt
from doorcode.pairing.texts import Say
from doorcode.platforms.inbound import (
    BotIdentity,
    Event,
    FollowUp,
    Handshake,
    UnusablePayloadError,
    Webhook,
    WebhookAnswer,
)
from doorcode.platforms.payload import answer, compact, cut, decoded, is_given
from doorcode.platforms.prompt_text import prompt_text

PLATFORM = Platform.DISCORD
# Drops for where it was written, not for who wrote.
NOT_HERE = frozenset({Reason.GROUP_POLICY, Reason.GROUP_UNKNOWN})
SECRET = "discord/public-key"  # noqa: S105 (a name, not a secret)
BOT: BotIdentity | None = None
SHOWS_ANSWERS = True
ANSWERS_SURELY = True
SIGNATURE_HEADER = "x-signature-ed25519"
TIMESTAMP_HEADER = "x-signature-timestamp"
PUBLIC_KEY = re.compile(rb"[0-9A-Fa-f]{64}")
SIGNATURE = re.compile(r"[0-9A-Fa-f]{128}")
MAX_TIMESTAMP_LENGTH = 64

COMMAND = "chat"
OPTION = "message"
DOOR_COMMAND = "door"
MAX_TEXT = 2000
# Escaped, each character can become two.
MAX_ANSWER = MAX_TEXT // 2
# A command's options take 6,000 characters, and a pressed message comes with all that it shows: escaped, some 200 kB,
# with room. https://docs.discord.com/developers/interactions/application-commands#slash-commands
MAX_BODY_BYTES = 1024 * 1024
TOKEN_LIFETIME_SECONDS = 15 * 60
# Ids begin with the milliseconds since this moment: the first of 2015.
EPOCH_MS = 1_420_070_400_000

# Kinds of interactions, of commands and options, of answers, of components; and the flag that only one person sees it.
PING, CHAT_COMMAND, COMPONENT, AUTOCOMPLETE, MODAL = 1, 2, 3, 4, 5
CHAT_INPUT, STRING = 1, 3
PONG, SHOW, DEFER, UPDATE, CHOICES = 1, 4, 5, 7, 8
ACTION_ROW, BUTTON, TEXT_INPUT = 1, 2, 4
EPHEMERAL = 64
NO_EMBEDS = 4
BOT_DM = 1
THREADS = frozenset({10, 11, 12})
# Whom the app was installed for, by the way it was: in the bot's own direct messages, no guild.
GUILD_INSTALL, NO_GUILD = "0", "0"
STYLES = {f"{PREFIX}:{Action.APPROVE}": 3, f"{PREFIX}:{Action.DENY}": 4}
PLAIN_STYLE = 2

# What could start any markup, mention, emoji, timestamp or link; dots and colons only where they could. Parentheses
# do nothing without the brackets before them.
MARKUP = re.compile(r"[\\*_~`|<>\[\]#@]|[.:](?=\S)")

_Snowflake = Annotated[str, Meta(pattern=r"^[0-9]{1,20}\Z")]
# It becomes part of a URL.
_Token = Annotated[str, Meta(pattern=r"^[!-~]{1,1024}\Z")]


class _Kind(Struct):
    type: int


class _User(Struct):
    id: _Snowflake
    username: str = ""
    global_name: str | None = None


class _Member(Struct):
    user: _User


class _Channel(Struct):
    type: int = 0
    # Of a thread its channel, of a channel its category.
    parent_id: _Snowflake | None = None


class _PressedMessage(Struct):
    id: _Snowflake = "0"


class Invocation(Struct):
    """What somebody did, of any kind but a ping."""

    id: _Snowflake
    application_id: _Snowflake
    token: _Token
    data: Raw
    # Whose language it is: the invoker's.
    locale: str = ""
    channel_id: _Snowflake | None = None
    authorizing_integration_owners: dict[str, str] = {}
    context: int | None = None
    channel: _Channel | None = None
    # Whose button was pressed.
    message: _PressedMessage | None = None
    # In servers the member, elsewhere the user.
    member: _Member | None = None
    user: _User | None = None


class _Option(Struct):
    name: str
    type: int
    value: Raw = Raw()


class _Command(Struct):
    name: str
    type: int = CHAT_INPUT
    options: list[_Option] = []


class _Component(Struct):
    custom_id: str


class _Field(Struct):
    type: int
    value: str = ""


class _Label(Struct):
    component: _Field


class _Submission(Struct):
    """What was typed into a modal of ours: a field, under a label."""

    custom_id: str
    components: list[_Label] = []


def verify(webhook: Webhook, keyring: Keyring, now: int) -> bool:
    """Check the Ed25519 signature over timestamp and raw body. Raises SecretError for a public key that is none.

    Nothing here is secret. Discord names no age beyond which a request is stale; ours is that of the interaction's
    token, after which nobody could be answered any more. Within it a repeated one is told by its id.
    """
    keys = [_public_key(line) for line in keyring.secrets]
    signature = webhook.headers.get(SIGNATURE_HEADER, "")
    timestamp = webhook.headers.get(TIMESTAMP_HEADER, "")
    if not (SIGNATURE.fullmatch(signature) and timestamp.isascii() and 0 < len(timestamp) <= MAX_TIMESTAMP_LENGTH):
        return False
    # Seconds since 1970, as far as anybody has seen. What that does not say is only part of what is signed.
    if timestamp.isdigit() and abs(now - int(timestamp)) > TOKEN_LIFETIME_SECONDS:
        return False
    signed = timestamp.encode() + webhook.body
    return any(_fits(key, signed, bytes.fromhex(signature)) for key in keys)


def _public_key(line: bytes) -> bytes:
    if not PUBLIC_KEY.fullmatch(line):
        raise SecretError("discord/public-key is not 64 hex digits. Copy it from the Developer Portal once more.")
    return bytes.fromhex(line.decode())


def _fits(key: bytes, signed: bytes, signature: bytes) -> bool:
    try:
        # What VerifyKey calls, without the objects around it.
        crypto_sign_open(signature + signed, key)
    except BadSignatureError:
        return False
    return True


def parse(webhook: Webhook, _bot: str) -> list[Event]:
    """Read an interaction."""
    kind = decoded(webhook.body, _Kind).type
    if kind == PING:
        return [Handshake(answer({"type": PONG}))]
    if kind == AUTOCOMPLETE:
        return [_ignored("autocomplete")]
    if kind not in {CHAT_COMMAND, COMPONENT, MODAL}:
        return [_ignored("unknown_interaction")]
    interaction = decoded(webhook.body, Invocation)
    if kind == MODAL:
        return [_submitted(interaction)]
    return [_message(interaction) if kind == CHAT_COMMAND else _press(interaction)]


def _message(interaction: Invocation) -> Message | Ignored:
    command = decoded(interaction.data, _Command)
    door = (command.name, command.type) == (DOOR_COMMAND, CHAT_INPUT)
    if door:
        text = f"/{DOOR_COMMAND}"
    elif (command.name, command.type) != (COMMAND, CHAT_INPUT):
        return _ignored("unknown_command", interaction.locale)
    else:
        options = (option.value for option in command.options if (option.name, option.type) == (OPTION, STRING))
        said = next(options, None)
        if said is None or not is_given(said):
            return _ignored("no_text", interaction.locale)
        text = decoded(said, str)
    user = _invoker(interaction)
    direct = is_direct(interaction)
    names = _names(user)
    return Message(
        platform=PLATFORM,
        user_id=user.id,
        delivery_id=interaction.id,
        chat_type=ChatType.DIRECT if direct else ChatType.GROUP,
        # Whoever writes from nowhere that is named is a conversation of their own.
        chat=interaction.channel_id or f"@{user.id}",
        parent=parent_of(interaction.channel),
        text=text,
        name=names.name,
        full_name=names.full_name,
        language=interaction.locale,
        addressed=True,
        # See ``admitted``.
        private=not direct,
        door=door,
        message_id=interaction.id,
        sent_at=_sent_at(interaction),
        reply=_address(interaction),
    )


def parent_of(channel: _Channel | None) -> str:
    """Return the channel that a thread hangs on; empty for what is no thread."""
    return channel.parent_id or "" if channel and channel.type in THREADS else ""


def _press(interaction: Invocation, said: str | None = None) -> Press:
    user = _invoker(interaction)
    return Press(
        platform=PLATFORM,
        user_id=user.id,
        delivery_id=interaction.id,
        data=decoded(interaction.data, _Component).custom_id,
        name=_names(user).name,
        language=interaction.locale,
        reply=_address(interaction),
        said=said,
    )


def _submitted(interaction: Invocation) -> Press | Ignored:
    # The one modal that we open asks an owner for a reason; its id is the pressed button's.
    if not is_question(decoded(interaction.data, _Component).custom_id):
        return _ignored("unknown_interaction", interaction.locale)
    submission = decoded(interaction.data, _Submission)
    typed = (one.component.value for one in submission.components if one.component.type == TEXT_INPUT)
    return _press(interaction, next(typed, ""))


def is_direct(interaction: Invocation) -> bool:
    """Tell whether this is the bot's direct chat with one person.

    Every other context has somebody else listening, or is one to come. Where none is sent, whom the app is installed
    for says it: https://docs.discord.com/developers/interactions/receiving-and-responding#interaction-object-authorizing-integration-owners-object
    """
    if interaction.context is not None:
        return interaction.context == BOT_DM
    owners = interaction.authorizing_integration_owners
    return interaction.member is None and owners.get(GUILD_INSTALL) == NO_GUILD


def _invoker(interaction: Invocation) -> _User:
    user = interaction.member.user if interaction.member else interaction.user
    if user is None:
        raise UnusablePayloadError("The interaction is nobody's.")
    return user


def _names(user: _User) -> Names:
    return names_of(user.username, user.global_name or "")


def _sent_at(interaction: Invocation) -> int:
    return ((int(interaction.id) >> 22) + EPOCH_MS) // 1000


def _address(interaction: Invocation) -> str:
    return compact(
        {
            "application_id": interaction.application_id,
            "interaction_id": interaction.id,
            "channel_id": interaction.channel_id or "",
            **({"message_id": interaction.message.id} if interaction.message else {}),
            "token": interaction.token,
            "expires": _sent_at(interaction) + TOKEN_LIFETIME_SECONDS,
        }
    )


def _ignored(what: str, language: str = "") -> Ignored:
    return Ignored(platform=PLATFORM, what=what, language=language)


def notice(_message: Message, text: str) -> WebhookAnswer | None:
    """Tell the writer alone."""
    return _to_them_alone(text)


def show_door(_message: Message, text: str, link: str) -> WebhookAnswer | None:
    """Tell the writer alone, with no look at the page by Discord."""
    content = "\n".join(filter(None, (escaped(text), link)))
    return _shown({"content": content, "flags": EPHEMERAL | NO_EMBEDS})


def dropped(_message: Message, reason: Reason, say: Say) -> WebhookAnswer | None:
    """Say that the bot is private, whatever the reason; or, in a guild, where it may be asked."""
    return turned_away(reason, say)


def turned_away(reason: Reason, say: Say) -> WebhookAnswer:
    """Say to them alone that the bot is private, or where it may be asked."""
    return _to_them_alone(say("direct_only" if reason in NOT_HERE else "private"))


def rate_limited(_message: Message, text: str) -> WebhookAnswer | None:
    """Repeat the request's answer, for something must be said."""
    return _to_them_alone(text)


def admitted(message: Message) -> WebhookAnswer | None:
    """Show that an answer is on its way: to everyone in the bot's own direct messages, elsewhere to the writer."""
    return answer({"type": DEFER, "data": {"flags": EPHEMERAL if message.private else 0}})


def ignored(ignored: Ignored, say: Say) -> WebhookAnswer | None:
    """Answer what is no message: someone who types has nothing to choose from, everyone else is turned away."""
    if ignored.what == "autocomplete":
        return answer({"type": CHOICES, "data": {"choices": []}})
    return _to_them_alone(say("private"))


def pressed(_press: Press, text: str, prompt: Prompt | None) -> WebhookAnswer | None:
    """Put the prompt as it is now in place of the one with the button; without one, tell the presser alone."""
    if prompt is None:
        return _to_them_alone(escaped(cut(text, MAX_ANSWER)))
    return answer({"type": UPDATE, "data": draw_prompt(prompt)})


def follow_up(_press: Press, _text: str, _api_url: str) -> FollowUp | None:
    """Nothing: ``pressed`` has told them."""
    return None


def unusable(say: Say) -> WebhookAnswer:
    """Say so to whoever waits for an answer: an empty one is shown as an app that does not respond."""
    return failed(say)


def failed(say: Say) -> WebhookAnswer:
    """Ask for another try: Discord itself makes none."""
    return _to_them_alone(say("went_wrong"))


def _to_them_alone(text: str) -> WebhookAnswer:
    return _shown({"content": text, "flags": EPHEMERAL})


def _shown(data: dict[str, Any]) -> WebhookAnswer:
    return answer({"type": SHOW, "data": data | {"allowed_mentions": {"parse": []}}})


def draw_prompt(prompt: Prompt) -> dict[str, Any]:
    """Return ``content``, ``components`` and ``allowed_mentions`` for a message, new or edited."""
    buttons = [_button(button.text, button.data) for button in prompt.buttons]
    return {
        "content": prompt_text(prompt, lambda who: f"User {_named(who)}", escaped),
        # None takes the buttons away.
        "components": [{"type": ACTION_ROW, "components": buttons}] if buttons else [],
        "allowed_mentions": {"parse": []},
    }


def draw_words(text: str) -> dict[str, Any]:
    """Return the fields of plain words to an owner, for a message, new or edited."""
    return {"content": text, "components": [], "allowed_mentions": {"parse": []}}


def _button(text: str, data: str) -> dict[str, Any]:
    style = STYLES.get(":".join(data.split(":", 2)[:2]), PLAIN_STYLE)
    return {"type": BUTTON, "style": style, "label": text, "custom_id": data}


def _named(who: str) -> str:
    # The sign before a username is ours, and mentions nobody while `allowed_mentions` is empty.
    return f"@{escaped(who[1:])}" if who.startswith("@") else escaped(who)


def escaped(text: str) -> str:
    """Return ``text`` with what could be markup escaped."""
    return MARKUP.sub(r"\\\g<0>", text)

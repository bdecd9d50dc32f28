"""Slack: the Events API and interactivity in; nothing shown from the response.

https://docs.slack.dev/apis/events-api, https://docs.slack.dev/authentication/verifying-requests-from-slack
"""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import Any

import msgspec
from msgspec import Raw

from doorcode.errors import InvalidUserIdError
from doorcode.pairing.callbacks import PREFIX, QUESTION, Action, is_question
from doorcode.pairing.contact import Platform, possible_user_id
from doorcode.pairing.gate import Reason
from doorcode.pairing.keyring import Keyring, same
from doorcode.pairing.messages import Attachment, ChatType, Edit, Ignored, Message, Press
from doorcode.pairing.names import display_name, safe_name
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
from doorcode.platforms.slack.payloads import (
    BlockAction,
    BlockActions,
    ChangedEvent,
    Edited,
    Envelope,
    EventKind,
    Kind,
    MessageEvent,
    Named,
    Presser,
    SentFile,
    SlackAttachment,
    SlackUser,
    SlashCommand,
    Verification,
)
from doorcode.platforms.slack.workspace import Origin, event_origin, named, press_origin

PLATFORM = Platform.SLACK
SECRET = "slack/signing-secret"  # noqa: S105 (a name, not a secret)
BOT: BotIdentity | None = BotIdentity(
    # The app's own workspace and organization: ``{team_id}:{enterprise_id}``
    name="slack/team",
    unknown="It is not known which workspace the Slack app is in: each event is believed about it. "
    "Run: doorcode slack workspace",
    for_groups_only=False,
)
SHOWS_ANSWERS = False
ANSWERS_SURELY = False  # nothing in the response is shown
SIGNATURE_HEADER = "x-slack-signature"
TIMESTAMP_HEADER = "x-slack-request-timestamp"
SIGNATURE = re.compile(r"v0=[0-9a-f]{64}")
MAX_AGE_SECONDS = 300
MAX_TIMESTAMP_DIGITS = 12

# The one command that is ours.
DOOR = "/door"
FORM = "application/x-www-form-urlencoded"
# More than any form of Slack's has.
MAX_FORM_FIELDS = 100
# What a person writes. Every other subtype is about a message or a channel, unless a person's client sent it.
SPOKEN_SUBTYPES = frozenset({None, "file_share", "me_message", "thread_broadcast"})
CHANGED = "message_changed"
# Slack itself: its helper, who tells that a channel was archived or an app was added, and whoever wrote what an
# organization's key no longer opens.
SYSTEM_USERS = frozenset({"USLACK", "USLACKBOT", "UREVOKEDU"})
# A message of 40,000 characters, escaped, comes as its text and as blocks, and again in the message that it forwards
# or whose button was pressed. https://docs.slack.dev/reference/methods/chat.postMessage#truncating
MAX_BODY_BYTES = 4 * 1024 * 1024
# Between what somebody wrote and what they forward with it, of which every line is marked.
FORWARDED = "Forwarded message:"
QUOTE = "> "

# The limit of a block's text; a message takes more.
MAX_TEXT = MAX_ANSWER = 3000
ACTION_IDS = {action: f"{PREFIX}_{action}" for action in Action}
# Prompts that were sent before these ids were, too, still have buttons.
OWN_ACTION_IDS = frozenset(ACTION_IDS.values()) | {f"{PREFIX}:{action}" for action in Action}
STYLES = {Action.APPROVE: "primary"}
# Under a question to the owner; and the field there that asks for a reason. A button that only leads to the page comes
# here, too, and is nothing to us.
ASK_PREFIX = QUESTION.rstrip(":")
REASON_ACTION = f"{ASK_PREFIX}_why"

DEFAULT_API_URL = "https://slack.com/api"
RESPONSE_ORIGIN = "https://hooks.slack.com"
# A path on that very origin: nothing in it can be taken for a user, a port or another host.
RESPONSE_PATH = re.compile(r"/[A-Za-z0-9/._~%-]+")

# mrkdwn has no escape for its own signs, so they are shown as signs that look alike. An underscore within a word
# marks nothing up and stays.
MARKUP = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "*": "\u2217", "~": "\u223c", "`": "\u02cb"})
OUTER_UNDERSCORE = re.compile(r"(?<![^\W_])_|_(?![^\W_])")
LOOKS_LIKE_UNDERSCORE = "\u02cd"


def verify(webhook: Webhook, keyring: Keyring, now: int) -> bool:
    """Check the age and the v0 signature: the HMAC-SHA256 of ``v0:{timestamp}:{raw body}``."""
    timestamp = webhook.headers.get(TIMESTAMP_HEADER, "")
    # int() takes signs, spaces, underscores and other scripts' digits, too.
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= MAX_TIMESTAMP_DIGITS):
        return False
    if abs(now - int(timestamp)) > MAX_AGE_SECONDS:
        return False
    given = webhook.headers.get(SIGNATURE_HEADER, "")
    if not SIGNATURE.fullmatch(given):
        return False
    signed = b"v0:%b:%b" % (timestamp.encode(), webhook.body)
    # No early exit: every secret is tried, so that time does not tell which one it was.
    return any([same(given.encode(), _signature(secret, signed)) for secret in keyring.secrets])  # noqa: C419


def _signature(secret: bytes, signed: bytes) -> bytes:
    return b"v0=" + hmac.digest(secret, signed, hashlib.sha256).hex().encode()


def parse(webhook: Webhook, workspace: str) -> list[Event]:
    """Read an event, a press of buttons, or the question whether we are there.

    ``workspace`` is the app's own, with its organization, ``T…:E…``, or empty as long as nobody has told us.
    """
    if is_form(webhook):
        return _form(webhook, workspace)
    kind = decoded(webhook.body, Kind).type
    if kind == "url_verification":
        return [Handshake(answer({"challenge": decoded(webhook.body, Verification).challenge}))]
    if kind != "event_callback":
        return [_ignored("unknown_request")]
    return [_event(decoded(webhook.body, Envelope), workspace)]


def is_form(webhook: Webhook) -> bool:
    """Tell whether it is a form, as commands and interactions are; events are JSON."""
    return webhook.headers.get("content-type", "").partition(";")[0].strip().lower() == FORM


def _event(envelope: Envelope, workspace: str) -> Message | Ignored:  # noqa: PLR0911 (each is one kind of no message)
    # First the kind alone: other events have objects where a message has ids.
    kind = decoded(envelope.event, EventKind)
    if kind.type not in {"message", "app_mention"}:
        return _ignored("unknown_event")
    if kind.subtype not in SPOKEN_SUBTYPES and not kind.client_msg_id:
        edit = _edit(envelope, workspace) if kind.subtype == CHANGED else None
        return Ignored(platform=PLATFORM, what="message_event", edit=edit)
    event = decoded(envelope.event, MessageEvent)
    bots = SYSTEM_USERS | {who.user_id for who in envelope.authorizations if who.is_bot}
    if event.bot_id or is_given(event.bot_profile) or event.user in bots:
        return _ignored("bot")
    # A mention that somebody edits, or edits in, comes as a mention once more.
    if is_given(event.edited):
        return _ignored("edited_message")
    if not event.user:
        return _ignored("no_sender")
    # In channels only what mentions us, in direct messages everything: Slack sends the latter as messages.
    in_im = event.channel_type == "im" or event.channel.startswith("D")
    if in_im is not (kind.type == "message"):
        return _ignored("not_addressed")
    origin = event_origin(envelope, event.teams, workspace)
    if origin is None:
        return _ignored("no_workspace")
    return _said(event, event.user, origin, direct=in_im)


def _edit(envelope: Envelope, workspace: str) -> Edit | None:
    try:
        event = decoded(envelope.event, ChangedEvent)
        message = event.message
        # A preview that comes later changes a message, too.
        edited = decoded(message.edited, Edited) if is_given(message.edited) else None
        origin = event_origin(envelope, message.teams, workspace)
        direct = event.channel_type == "im" or event.channel.startswith("D")
        if not edited or not direct or origin is None or not message.user or message.user != edited.user:
            return None
        return Edit(
            user_id=user_id(named(origin.person, message.user)),
            message_id=message.ts,
            text=_text(message),
            revision=int(edited.ts.replace(".", "")),
        )
    except UnusablePayloadError:
        # It is ignored as any other: nothing of it is needed.
        return None


def _text(event: MessageEvent) -> str:
    # A forward comes as an attachment; its own text is only what was written beside it.
    forwards = [attachment for attachment in event.attachments if attachment.is_share]
    return _unescaped("\n\n".join(filter(None, [event.text, *map(_quoted, forwards)])))


def _said(event: MessageEvent, user: str, origin: Origin, *, direct: bool) -> Message:
    reply = {"channel": event.channel, "ts": event.ts}
    forwards = [attachment for attachment in event.attachments if attachment.is_share]
    # Channels' ids are a workspace's own, too.
    chat = named(origin.place, event.channel)
    return Message(
        platform=PLATFORM,
        user_id=user_id(named(origin.person, user)),
        delivery_id=f"{chat}:{event.ts}",
        chat_type=ChatType.DIRECT if direct else ChatType.GROUP,
        chat=chat,
        thread=event.thread_ts or "",
        kind="document" if event.files or any(forward.files for forward in forwards) else "text",
        text=_text(event),
        attachments=_files([*event.files, *(file for forward in forwards for file in forward.files)]),
        addressed=True,
        message_id=event.ts,
        sent_at=int(event.ts.partition(".")[0]),
        reply=compact(reply | ({"thread_ts": event.thread_ts} if event.thread_ts else {})),
    )


def _files(files: list[Raw]) -> tuple[Attachment, ...]:
    found = []
    for raw in files:
        try:
            file = msgspec.json.decode(raw, type=SentFile)
        except ValueError:
            # Gone, or of another app: there is nothing to get.
            continue
        found.append(
            Attachment(
                kind="file", id=file.id, name=file.name or "", media_type=file.mimetype or "", size=file.size or 0,
                url=file.url_private or "",
            )
        )  # fmt: skip
    return tuple(found)


def _quoted(forward: SlackAttachment) -> str:
    # Line by line, so that nothing in it can pass for a word of who forwards it.
    author = safe_name(forward.author_name)
    said = f"{author}: {forward.text or forward.fallback}" if author else forward.text or forward.fallback
    return f"\n{QUOTE}".join([FORWARDED, *said.splitlines()])


def _unescaped(text: str) -> str:
    # Slack escapes these three and no others; the ampersand comes last, for "&amp;lt;" is "&lt;".
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _form(webhook: Webhook, workspace: str) -> list[Event]:
    # Only presses of buttons and commands come here, so messages do not wait for the import.
    from urllib.parse import parse_qs  # noqa: PLC0415

    try:
        fields = parse_qs(webhook.body.decode(), errors="strict", max_num_fields=MAX_FORM_FIELDS)
    except ValueError:
        raise UnusablePayloadError("The payload is not a form.") from None
    if not fields:
        raise UnusablePayloadError("The form is empty.")
    if "payload" not in fields and fields.get("command") == [DOOR]:
        return [_door({name: values[0] for name, values in fields.items() if len(values) == 1}, webhook, workspace)]
    if len(fields.get("payload", ())) != 1:
        return [_ignored("unknown_request")]
    (payload,) = fields["payload"]
    if decoded(payload, Kind).type != "block_actions":
        return [_ignored("unknown_interaction")]
    actions = decoded(payload, BlockActions)
    return [_press(actions, action, workspace) for action in actions.actions] or [_ignored("unknown_interaction")]


def _door(form: dict[str, str], webhook: Webhook, workspace: str) -> Message | Ignored:
    """Read our own command: a message like any other, but of an owner."""
    try:
        command = msgspec.convert(form, SlashCommand)
    except ValueError:
        raise UnusablePayloadError("The command is of another form.") from None
    user = SlackUser(id=command.user_id)
    presser = Presser(user=user, team=Named(id=command.team_id), enterprise=Named(id=command.enterprise_id))
    origin = press_origin(presser, workspace)
    if origin is None or not command.user_id:
        return _ignored("no_workspace")
    return Message(
        platform=PLATFORM,
        user_id=user_id(named(origin.person, command.user_id)),
        # No command is ever sent again, and each has its own.
        delivery_id=command.trigger_id,
        chat_type=ChatType.DIRECT if command.channel_id.startswith("D") else ChatType.GROUP,
        chat=command.channel_id,
        text=DOOR,
        addressed=True,
        door=True,
        message_id=command.trigger_id,
        sent_at=int(webhook.headers[TIMESTAMP_HEADER]),
        reply=compact({"channel": command.channel_id}),
    )


def _press(payload: BlockActions, action: BlockAction, workspace: str) -> Press | Ignored:
    reason = action.action_id == REASON_ACTION
    # A field has no data of its own: its block has.
    data = action.block_id if reason else action.value or ""
    if action.action_id not in OWN_ACTION_IDS and not (action.action_id.startswith(ASK_PREFIX) and is_question(data)):
        return _ignored("unknown_action")
    origin = press_origin(payload, workspace)
    if origin is None:
        return _ignored("no_workspace")
    return Press(
        platform=PLATFORM,
        user_id=user_id(named(origin.person, payload.user.id)),
        delivery_id=f"{payload.user.id}:{action.action_ts}",
        data=data,
        said=(action.value or "") if reason else None,
        name=display_name(payload.user.username),
        reply=compact(
            {
                "response_url": payload.response_url or "",
                "channel": payload.channel.id if payload.channel else "",
                "ts": payload.container.message_ts if payload.container else "",
            }
        ),
    )


def user_id(text: str) -> str:
    """Return an id as Doorcode names people by it. Raises UnusablePayloadError."""
    try:
        return possible_user_id(text)
    except InvalidUserIdError:
        raise UnusablePayloadError("The sender's id is none.") from None


def _ignored(what: str) -> Ignored:
    return Ignored(platform=PLATFORM, what=what)


def notice(_message: Message, _text: str) -> WebhookAnswer | None:
    """Say nothing here: Slack shows nothing from the response, the courier sends it."""
    return None


def show_door(_message: Message, text: str, link: str) -> WebhookAnswer | None:
    """Show it to who gave the command: of all that comes here, only a command's response is shown."""
    said = "\n".join(filter(None, (escaped(text), link)))
    return answer({"response_type": "ephemeral", "text": said})


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
    """Acknowledge: Slack shows nothing from the response to a press."""
    return None


def follow_up(press: Press, text: str, api_url: str) -> FollowUp | None:
    """Return the call to the press's ``response_url``, if it leads to Slack or to Slack's stand-in, else None."""
    url = decoded(press.reply, dict[str, str])["response_url"]
    origins = [RESPONSE_ORIGIN] if api_url == DEFAULT_API_URL else [RESPONSE_ORIGIN, _origin(api_url)]
    if not any(url.startswith(origin) and RESPONSE_PATH.fullmatch(url[len(origin) :]) for origin in origins):
        return None
    said = {"response_type": "ephemeral", "replace_original": False, "text": escaped(cut(text, MAX_TEXT))}
    return FollowUp(url, msgspec.json.encode(said))


def _origin(url: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}"


def unusable(_say: Say) -> WebhookAnswer:
    """Take it, and say nothing."""
    return WebhookAnswer()


def failed(_say: Say) -> WebhookAnswer:
    """Have Slack deliver it again; whoever pressed a button sees that it did not work."""
    return WebhookAnswer(status=503)


def draw_prompt(prompt: Prompt) -> dict[str, Any]:
    """Return ``text``, for notifications, and ``blocks`` for chat.postMessage and chat.update."""
    text = prompt_text(prompt, lambda who: f"*{escaped(who)}*", escaped)
    # Verbatim: no links, channels or mentions are made of what a stranger is called.
    blocks: list[dict[str, Any]] = [{"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}]
    if prompt.buttons:
        blocks.append({"type": "actions", "elements": [_button(button.text, button.data) for button in prompt.buttons]})
    return {"text": text, "blocks": blocks}


def draw_words(text: str) -> dict[str, Any]:
    """Return the fields of plain words to an owner, for chat.postMessage and chat.update."""
    return {"text": text, "blocks": [{"type": "section", "text": {"type": "plain_text", "text": text}}]}


def _button(text: str, data: str) -> dict[str, Any]:
    action = Action(data.split(":", 2)[1])
    return {
        "type": "button",
        "action_id": ACTION_IDS[action],
        "text": {"type": "plain_text", "text": text, "emoji": True},
        "style": STYLES.get(action, "danger"),
        "value": data,
    }


def escaped(text: str) -> str:
    """Return ``text`` with what is markup shown as what looks like it."""
    return OUTER_UNDERSCORE.sub(LOOKS_LIKE_UNDERSCORE, text).translate(MARKUP)

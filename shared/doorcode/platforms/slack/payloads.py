"""What is read of Slack's payloads: the fields that matter here, everything else is skipped."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Raw, Struct

_Channel = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}\Z")]
# Seconds, and what makes it unique in its channel.
_Ts = Annotated[str, Meta(pattern=r"^[0-9]{1,12}\.[0-9]{1,9}\Z")]
_TriggerId = Annotated[str, Meta(pattern=r"^[0-9A-Za-z.]{1,100}\Z")]
_Challenge = Annotated[str, Meta(min_length=1, max_length=1000)]


class Kind(Struct):
    """What a request is."""

    type: str


class EventKind(Struct):
    """What an event is; of messages, of which sort, and whether somebody's client sent it."""

    type: str
    subtype: str | None = None
    client_msg_id: str | None = None


class Authorization(Struct):
    """Whose installation an event was delivered for."""

    user_id: str | None = None
    is_bot: bool = False
    # None where the app is installed for a whole organization.
    team_id: str | None = None
    enterprise_id: str | None = None


class Envelope(Struct):
    """An event, where it happened, and whom it was delivered for."""

    event: Raw
    authorizations: list[Authorization] = []
    # Where it happened, which in a shared channel may be the other side; and as seen from here.
    team_id: str | None = None
    enterprise_id: str | None = None
    context_team_id: str | None = None
    context_enterprise_id: str | None = None
    is_ext_shared_channel: bool = False


class Verification(Struct):
    """The question whether we are there."""

    challenge: _Challenge


class SlackAttachment(Struct):
    """What hangs on a message; with ``is_share``, another message that was forwarded."""

    is_share: bool = False
    author_name: str = ""
    text: str = ""
    # The same once more, in one line with time and author; all there is of a message made of blocks.
    fallback: str = ""
    files: list[Raw] = []


class SentFile(Struct):
    """A file of a message. Its address wants the bot's token."""

    id: str
    name: str | None = None
    mimetype: str | None = None
    size: int | None = None
    url_private: str | None = None


class MessageEvent(Struct):
    """``message`` and ``app_mention``."""

    channel: _Channel
    ts: _Ts
    user: str | None = None
    # Whose the user is, each where Slack tells it; organizations (E…) among them.
    user_team: str | None = None
    source_team: str | None = None
    team: str | None = None
    text: str | None = None
    channel_type: str | None = None
    thread_ts: _Ts | None = None
    bot_id: str | None = None
    bot_profile: Raw = Raw()
    edited: Raw = Raw()
    files: list[Raw] = []
    attachments: list[SlackAttachment] = []

    @property
    def teams(self) -> tuple[str | None, ...]:
        """Return what says whose the user is."""
        return self.user_team, self.source_team, self.team


class Edited(Struct):
    """By whom a message was changed, and when."""

    ts: _Ts
    user: str | None = None


class ChangedMessage(MessageEvent, kw_only=True):
    """A message as it is now. Where it stands is said beside it; ``edited`` is what somebody did, and no preview that came."""

    channel: str = ""


class ChangedEvent(Struct):
    """``message_changed``."""

    channel: _Channel
    message: ChangedMessage
    channel_type: str | None = None


class SlackUser(Struct):
    """Who pressed."""

    id: str
    username: str = ""
    team_id: str | None = None


class Place(Struct):
    """A channel."""

    id: str = ""


class Named(Struct):
    """A workspace or an organization."""

    id: str | None = None


class Container(Struct):
    """Where the buttons stand."""

    message_ts: str = ""


class BlockAction(Struct):
    """One button, or another element."""

    action_id: str
    # When it was used, in microseconds: what tells one use from the next.
    action_ts: str
    value: str | None = None
    block_id: str = ""


class SlashCommand(Struct):
    """A slash command, as its form has it."""

    user_id: str
    channel_id: _Channel
    # It becomes a delivery's id.
    trigger_id: _TriggerId
    # Empty where the app is installed for a whole organization.
    team_id: str = ""
    enterprise_id: str = ""


class Presser(Struct, kw_only=True):
    """Who used something, and in which workspace."""

    user: SlackUser
    team: Named | None = None
    enterprise: Named | None = None


class BlockActions(Presser, kw_only=True):
    """``block_actions``: elements that somebody used."""

    actions: list[BlockAction]
    response_url: str | None = None
    channel: Place | None = None
    container: Container | None = None
